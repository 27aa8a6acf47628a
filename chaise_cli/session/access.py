"""Opening a home: finding its key, keying the store, bringing its schema up to date."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chaise_cli.crypto import storekey
from chaise_cli.domain.light import NamedTuple
from chaise_cli.errors import NoKey
from chaise_cli.ids import text
from chaise_cli.session import home as homes
from chaise_cli.session.session import Session
from chaise_cli.store import connection, own

if TYPE_CHECKING:
    from collections.abc import Callable

    from chaise_cli.clock import Clock


class NoKeyFile(NoKey):
    """The key file that was named, or that the home remembers, cannot be read."""

    code = "key.no_key_file"
    message = "the key file {path} cannot be read"
    hint = "name it where it is now: --key-file PATH; last of all: chaise unlock --recovery-file FILE"
    path: str


class Keys(NamedTuple):
    """What the caller offers to open the home with; `ask` prompts for a passphrase where a person sits.

    recovery: the recovery code as written down, the way in when all others are lost. keyring: ask the system's
    keyring again, though a key may be kept.
    """

    key_file: Path | None = None
    passphrase: str | None = None
    ask: Callable[[], str] | None = None
    recovery: str | None = None
    keyring: bool = False


def open_session(home: homes.Home, keys: Keys, clock: Clock) -> Session:
    """The home's session. Raises NoHome, Locked, WrongKey, and the store's own errors; changes nothing then."""
    slots = homes.read_keys(home)
    connection.check_private(home.path)
    key = find_key(home, slots, keys, clock.now())
    database = connection.open_store(home.store, key)
    if connection.schema_of(database) < connection.SCHEMA:
        import_module("chaise_cli.store.schema").migrate(database)
    session = Session(home, key, database, clock)
    if own.rules(database) != connection.RULES:
        import_module("chaise_cli.session.rejudging").run(session)
    return session


def again(session: Session) -> Session:
    """The same home opened once more, for another thread: neither a session nor its store is shared between two."""
    database = connection.open_store(session.home.store, session.key)
    return Session(session.home, session.key, database, session.clock, session.random)


def find_key(home: homes.Home, slots: dict[str, Any], keys: Keys, now: int) -> storekey.StoreKey:
    """The store key: by recovery code if given, as unlocked, by key file, keyring, passphrase.

    Raises Locked, NoKeyFile, NoKeyring, WrongKey.
    """
    if keys.recovery is not None:
        return _by_recovery_code(home, slots, keys.recovery)
    if (
        keys.passphrase is None
        and keys.key_file is None
        and not keys.keyring
        and (kept := homes.unlocked_key(home, now))
        and _fits(slots, kept[0])
    ):
        return kept[0]
    path = keys.key_file or _remembered(slots)
    if path is not None and keys.passphrase is None:
        found = _by_key_file(home, slots, path)
        if homes.keeps_cache():  # a read then loads no cipher
            homes.keep_unlocked(home, found, now + homes.UNLOCK_MS, path)
        return found
    if keys.passphrase is None and (opened := _by_keyring(slots)):
        if homes.keeps_cache():  # asking the keyring costs more than any command
            homes.keep_unlocked(home, opened, now + homes.UNLOCK_MS)
        return opened
    return _by_passphrase(home, slots, keys)


def key_in(slots: list[dict[str, Any]], keys: Keys, home: homes.Home, now: int) -> storekey.StoreKey:
    """The store key in the slots of a backup, by what the caller offers; a key kept for `home` counts if it fits.

    Nothing is kept and nothing remembered. Raises Locked, NoKeyFile, NoKeyring, WrongKey.
    """
    listed: dict[str, Any] = {"slots": slots}
    if keys.recovery is not None:
        return _by_recovery_code(home, listed, keys.recovery)
    if keys.key_file is not None:
        return _by_key_file(home, listed, keys.key_file)
    if keys.passphrase is None and (kept := homes.unlocked_key(home, now)) and _fits(listed, kept[0]):
        return kept[0]
    if keys.passphrase is None and (found := _by_keyring(listed)):
        return found
    return _by_passphrase(home, listed, keys)


def _by_passphrase(home: homes.Home, slots: dict[str, Any], keys: Keys) -> storekey.StoreKey:
    secret = keys.passphrase or (keys.ask() if keys.ask and _slot(slots, "passphrase") else None)
    slot = _slot(slots, "passphrase")
    if secret is None or slot is None:
        raise homes.Locked(path=str(home.path))
    key: storekey.StoreKey = _keyslots().open_slot(slot, secret)
    return key


def _by_keyring(slots: dict[str, Any]) -> storekey.StoreKey | None:
    """The key that the system's keyring opens; None when there is no such slot, or nothing kept for it."""
    slot = _slot(slots, "keyring")
    if slot is None:
        return None
    keyrings: Any = import_module("chaise_cli.session.keyrings")
    try:
        secret = keyrings.fetch(str(slot["fingerprint"]))
    except keyrings.NoKeyring:
        if _slot(slots, "passphrase"):  # no desktop session here, but another way in
            return None
        raise
    key: storekey.StoreKey | None = _keyslots().open_slot(slot, secret) if secret else None
    return key


def _remembered(slots: dict[str, Any]) -> Path | None:
    """The key file that the home remembers; one that is gone does not count where a passphrase opens the home too."""
    path = Path(slots["key_file"]) if slots.get("key_file") else None
    return None if path and _slot(slots, "passphrase") and not path.exists() else path


def _by_recovery_code(home: homes.Home, slots: dict[str, Any], code: str) -> storekey.StoreKey:
    slot = _slot(slots, "recovery")
    if slot is None:
        raise homes.Locked(path=str(home.path))
    key: storekey.StoreKey = _keyslots().open_slot(slot, code)
    return key


def _by_key_file(home: homes.Home, slots: dict[str, Any], path: Path) -> storekey.StoreKey:
    slot = _slot(slots, "keyfile")
    if not path.is_file() or not os.access(path, os.R_OK):
        raise NoKeyFile(path=str(path))
    if slot is None:
        raise homes.Locked(path=str(home.path))
    connection.check_private(path)
    key: storekey.StoreKey = _keyslots().open_slot(slot, path.read_text(errors="replace"))
    return key


def _fits(slots: dict[str, Any], key: storekey.StoreKey) -> bool:
    """Whether the slots are of this key: a kept one may be that of an earlier home at the same path."""
    mark = text(storekey.fingerprint(key))
    return any(slot.get("fingerprint") == mark for slot in slots["slots"])


def _slot(slots: dict[str, Any], kind: str) -> dict[str, Any] | None:
    return next((slot for slot in slots["slots"] if slot.get("kind") == kind), None)


def _keyslots() -> Any:
    """The slots' ciphers, which an unlocked home does not load."""
    return import_module("chaise_cli.crypto.keyslots")
