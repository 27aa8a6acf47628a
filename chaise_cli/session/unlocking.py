"""Keeping a home open for some hours, and closing it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from chaise_cli.domain import when
from chaise_cli.errors import ChaiseError, NoKey, Usage
from chaise_cli.session import access, views
from chaise_cli.session import home as homes

if TYPE_CHECKING:
    from chaise_cli.clock import Clock
    from chaise_cli.session.session import Session
    from chaise_cli.shapes import Identity

LONGEST: Final = 30 * when.DAY
PASSPHRASE_MOST: Final = 4096  # bytes


class TooLongOpen(Usage):
    """A home is not kept open for ever."""

    code = "usage.unlock_too_long"
    message = "a home is kept open for at most 30d"
    hint = "for a machine that works alone keep the key in a file: --key-file PATH"


class NoPassphrase(NoKey):
    """The descriptor that should give the passphrase gives none."""

    code = "key.no_passphrase"
    message = "no passphrase can be read from descriptor {fd}"
    hint = "its first line is taken: chaise init --passphrase-fd 3 3<FILE"
    fd: int


def passphrase_from(fd: int) -> str:
    """The first line that the descriptor gives. Raises NoPassphrase."""
    data = b""
    try:
        while b"\n" not in data and len(data) <= PASSPHRASE_MOST and (more := os.read(fd, PASSPHRASE_MOST)):
            data += more
        line = data.split(b"\n", 1)[0].removesuffix(b"\r").decode()
    except (OSError, ValueError) as error:
        raise NoPassphrase(fd=fd) from error
    if not line or len(line) > PASSPHRASE_MOST:
        raise NoPassphrase(fd=fd)
    return line


def keep_open(session: Session, length: int = homes.UNLOCK_MS) -> None:
    """Let commands open the session's home without a secret for `length` ms."""
    until = session.clock.now() + length
    homes.keep_unlocked(session.home, session.key, until - until % when.SECOND)


def unlock(home: homes.Home, keys: access.Keys, clock: Clock, length: int) -> Identity:
    """Prove a way into the home again and keep it open for `length` ms from now; whose home it is.

    A key already kept does not count: else whoever sits down at an open home could keep it open for ever.
    Raises TooLongOpen, NoHome, Locked, WrongKey, and the store's own errors.
    """
    if length > LONGEST:
        raise TooLongOpen
    slots = homes.read_keys(home)
    if keys.key_file is None and keys.passphrase is None and keys.recovery is None:
        keys = _found(home, keys, slots.get("key_file"))
    session = access.open_session(home, keys, clock)
    try:
        keep_open(session, length)
        return views.identity(session)
    finally:
        session.close()


def _found(home: homes.Home, keys: access.Keys, key_file: str | None) -> access.Keys:
    if key_file is not None and os.access(key_file, os.R_OK):
        return access.Keys(Path(key_file))
    if any(slot.get("kind") == "keyring" for slot in homes.read_keys(home)["slots"]):
        return keys._replace(keyring=True)
    if keys.ask is None:
        raise homes.Locked(path=str(home.path))
    return access.Keys(passphrase=keys.ask())


def lock(home: homes.Home, keys: access.Keys, clock: Clock) -> tuple[Identity, bool]:
    """Forget the kept key; whose home it is, as far as that can still be told, and whether there was a key."""
    homes.read_keys(home)
    who = _owner(home, keys, clock)
    kept = homes.lock(home)
    return {**who, "unlocked_until": None}, kept


def opens_by_itself(home: homes.Home) -> str:
    """What opens the home without anybody being asked: a readable key file, the keyring; empty for neither."""
    keys = homes.read_keys(home)
    if (path := keys.get("key_file")) is not None and os.access(path, os.R_OK):
        return "key file"
    return "keyring" if any(slot.get("kind") == "keyring" for slot in keys["slots"]) else ""


def _owner(home: homes.Home, keys: access.Keys, clock: Clock) -> Identity:
    try:
        session = access.open_session(home, keys._replace(ask=None), clock)
    except ChaiseError:  # locked already, or damaged: it is locked all the same
        return {
            "id": "", "handle": "", "name": "", "role": "", "currency": None, "tz": "",
            "device": {"id": "", "name": ""}, "home": str(home.path), "unlocked_until": None,
        }  # fmt: skip
    try:
        return views.identity(session)
    finally:
        session.close()
