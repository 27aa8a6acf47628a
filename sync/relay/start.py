"""From what an operator names to a relay that serves: the store by its address, the key in it, the process."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from chaise_cli import ids
from chaise_cli.errors import Usage
from chaise_cli.ledger import receipt, relay_invite

from . import people
from .contract import Store, Unavailable
from .limits import Limits
from .memory import Memory
from .service import Relay
from .sqlite import Sqlite

SEED: Final = 32
_EXTRAS: Final = {"sync.relay.postgres": "postgres", "sync.relay.server": "relay"}


class ExtraMissing(Usage):
    """A library that only relays need is not installed."""

    code = "relay.extra_missing"
    message = "this needs libraries that are not installed: {missing}"
    hint = "pip install 'chaise-cli[{extra}]'"
    missing: str
    extra: str


class BadStore(Usage):
    """No store is meant by this."""

    code = "relay.bad_store"
    message = "{given!r} names no store"
    hint = "use sqlite:PATH, postgresql://USER@HOST/DATABASE or memory:"
    given: str


class BadAddress(Usage):
    """Nowhere to listen."""

    code = "relay.bad_address"
    message = "{given!r} is no address to listen at"
    hint = "write it like 127.0.0.1:8787, [::1]:8787 or 0.0.0.0:8787"
    given: str


class StoreFailed(Usage):
    """The database cannot be used."""

    code = "relay.store_failed"
    message = "the relay's {kind} store cannot be used: {why}"
    hint = "check that it runs, that it is a relay's, and that this user may write there"
    kind: str
    why: str


class CannotListen(Usage):
    """The address is taken, or not this machine's."""

    code = "relay.cannot_listen"
    message = "cannot listen at {address}: {why}"
    hint = "choose another with --listen, or stop what listens there"
    address: str
    why: str


class Opened(NamedTuple):
    """A relay on its store. first_invite: printed at the very first start, when the key was made."""

    relay: Relay
    kind: str
    first_invite: str | None

    @property
    def key(self) -> str:
        """The relay's key as text."""
        return ids.text(self.relay.signer.public)


class Wanted(NamedTuple):
    """How to serve. listen: HOST:PORT; certificate, key: files for TLS, or None."""

    listen: str
    certificate: str | None
    key: str | None
    quiet: bool


def open_relay(address: str, limits: Limits, clock: Callable[[], int]) -> Opened:
    """The relay whose store this is; makes what is missing. Raises BadStore, ExtraMissing, StoreFailed."""
    kind = address.partition(":")[0]
    try:
        store = _store(address)
        seed = os.urandom(SEED)
        kept = store.key(seed)
        relay = Relay(store, receipt.signer(kept), clock, os.urandom, limits)
        return Opened(relay, kind, relay.new_invite() if kept == seed else None)
    except Unavailable as error:
        raise StoreFailed(kind=kind, why=str(error)) from error


def invite_id(invite: str) -> str:
    """What lists call an invite."""
    return people.invite_id(relay_invite.digest(relay_invite.read(invite)))


def serve(opened: Opened, wanted: Wanted, listening: Callable[[str], None]) -> None:
    """Serve until told to stop, then close the store. Raises BadAddress, ExtraMissing, CannotListen."""
    host, port = _address(wanted.listen)
    try:
        parts: Any = _module("sync.relay.server")
        desks: Any = _module("sync.relay.desk")
        telling: Any = _module("sync.relay.telling")
        log = telling.Log(_to_stderr, quiet=wanted.quiet)
        parts.Server(desks.Desk(opened.relay), log).run(
            parts.Setting(host, port, wanted.certificate, wanted.key), listening
        )
    except OSError as error:
        raise CannotListen(address=wanted.listen, why=error.strerror or str(error)) from error
    finally:
        opened.relay.store.close()


def _store(address: str) -> Store:
    kind, colon, rest = address.partition(":")
    match kind if colon else "":
        case "memory" if not rest:
            return Memory()
        case "sqlite" if rest:
            return Sqlite(Path(rest).expanduser().absolute())
        case "postgresql" | "postgres" if rest.startswith("//"):
            made: Store = _module("sync.relay.postgres").Postgres(address)
            return made
        case _:
            raise BadStore(given=_without_password(address)[:200])


def _module(name: str) -> Any:
    """A module that needs an extra; only relays load it. Raises ExtraMissing."""
    try:
        return import_module(name)
    except ImportError as error:
        raise ExtraMissing(missing=error.name or str(error), extra=_EXTRAS.get(name, "relay")) from error


def _address(given: str) -> tuple[str, int]:
    try:
        parts = urlsplit(f"//{given}")
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise BadAddress(given=given[:200]) from error
    if not host or port is None or parts.path or parts.username is not None:
        raise BadAddress(given=given[:200])
    return host, port


def _without_password(address: str) -> str:
    before, at, after = address.rpartition("@")
    return f"{before.partition('://')[0]}://…@{after}" if at else address


def _to_stderr(line: str) -> None:
    sys.stderr.write(line)
    sys.stderr.flush()
