"""One home, opened: its store, its keys, its clock. Reads are snapshots, writes are one durable transaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any

from chaise_cli import clock
from chaise_cli.domain.light import NamedTuple
from chaise_cli.errors import Corrupt, Newer, NoKey
from chaise_cli.ids import DeviceId, IdentityId, public, raw
from chaise_cli.session import home as homes
from chaise_cli.store import connection, events, own, people

if TYPE_CHECKING:
    from collections.abc import Callable

    from chaise_cli.crypto.boxes import BoxKey
    from chaise_cli.crypto.storekey import StoreKey
    from chaise_cli.domain.talk import Attachment
    from chaise_cli.session.epochs import Epochs
    from chaise_cli.store.connection import Connection
    from chaise_cli.store.events import Space


class Behind(Corrupt):
    """The store is older than what this device is known to have written: a restored or copied home."""

    code = "store.behind_anchor"
    message = "this home is older than its own anchor: it was restored from a backup, or copied"
    hint = "nothing is lost; give it a new device key: chaise device renew"


class ThisRevoked(NoKey):
    """This very device was revoked on another one of its owner."""

    code = "device.this_revoked"
    message = "this device was revoked on another device of yours; what is here can be read, and nothing written"
    hint = "if it is in your hands after all: chaise device add on the other one, chaise device join --home DIR here"


class SpaceNewer(Newer):
    """The space holds a kind of event this Chaise does not know and may not ignore."""

    code = "space.newer"
    message = "a newer Chaise has written here; this one can only read it"
    hint = "upgrade Chaise; everything received is kept"


class Me(NamedTuple):
    """Whose home this is, and which device. grant: in the home of a run, what it was certified by."""

    identity: IdentityId
    device: DeviceId
    settings: own.Settings
    grant: own.Granted | None = None


class Undo(Exception):
    """A rehearsal is over."""


class Session:
    """An open home. `random` and `clock` are injected; `close` is the context manager's."""

    def __init__(
        self,
        home: homes.Home,
        key: StoreKey,
        database: Connection,
        now: clock.Clock,
        random: Callable[[int], bytes] = clock.random_bytes,
    ) -> None:
        self.home, self.key, self.db, self.clock, self.random = home, key, database, now, random
        self._epochs: Epochs | None = None
        anchor = homes.read_anchor(home, key)  # before the snapshot, or another process's commit looks like a restore
        with connection.reading(database):
            self.me = Me(*own.who(database), own.settings(database), own.granted(database))
            self.behind = self._is_behind(anchor)
            self.revoked = own.get(database, "revoked") is not None
        self.dry_run = False
        self.lent: Sequence[BoxKey] = ()  # box keys that open wraps besides the stored ones: the root's, in a recovery
        self.signed: list[str] = []  # kinds of the events written so far, or in a rehearsal, that would have been
        self._depth = 0

    @property
    def epochs(self) -> Epochs:
        """The keys of spaces. Loaded when asked for: a read needs no cipher."""
        if self._epochs is None:
            loaded: Any = import_module("chaise_cli.session.epochs")
            self._epochs = loaded.Epochs(self.db)
        assert self._epochs is not None, "made above"
        return self._epochs

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open, during which nothing can be exchanged."""
        return bool(self.db.in_transaction)

    def close(self) -> None:
        """Let go of the store."""
        self.db.close()

    def fetched(self, file: Attachment) -> bool:
        """Whether a file's content is on this machine."""
        return (self.home.objects / raw(file.address).hex()).exists()

    def _is_behind(self, anchor: homes.Anchor | None) -> bool:
        """Whether the anchor knows of more than the store, or is gone: a store restored, copied or put back."""
        stored = own.written(self.db)
        return anchor is None or anchor.is_ahead_of(stored.total, stored.id) or own.get(self.db, "behind") is not None

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One consistent snapshot."""
        if self._depth:
            yield self.db
            return
        with connection.reading(self.db):
            yield self.db

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One durable transaction; nested uses join it. The anchor follows the commit. Raises Behind, ThisRevoked."""
        if self.revoked and not self._depth:
            raise ThisRevoked
        if self.behind and not self._depth:
            raise Behind
        with self.admitting():
            yield self.db

    @contextmanager
    def admitting(self) -> Iterator[Connection]:
        """A transaction that only takes in what others signed; open to a home that is behind its anchor."""
        if self._depth:
            yield self.db
            return
        with self._transaction():
            yield self.db

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            with connection.transaction(self.db):
                self._depth += 1
                try:
                    yield
                    if self.dry_run:
                        raise Undo
                    written = own.written(self.db)
                finally:
                    self._depth -= 1
        except Undo:
            self._epochs = None
            return
        except BaseException:
            self._epochs = None  # it may remember rows that were rolled back
            raise
        if not self.behind:
            # The commit stands: a failure told now would make its caller do it twice. A late anchor is harmless.
            with suppress(OSError):
                homes.write_anchor(self.home, self.key, homes.Anchor(written.total, written.id))

    def space(self, no: int) -> Space:
        """A space by its row, refused for writing when a newer Chaise has written there. Raises SpaceNewer."""
        found = events.space_numbered(self.db, no)
        if found.newer:
            raise SpaceNewer
        return found

    def person(self, identity: str) -> dict[str, object]:
        """`{id, handle, name}` of anybody, as far as known."""
        return person(self.db, identity)

    def name(self, identity: str) -> str:
        """A person's name, or what else they go by."""
        found = self.person(identity)
        return str(found["name"] or found["handle"] or found["id"])

    def called(self, identity: str) -> str:
        """A person as they are typed: `@james`; by id where no handle is known."""
        found = self.person(identity)
        return f"@{found['handle']}" if found["handle"] else str(found["id"])


def person(database: Connection, identity: str) -> dict[str, object]:
    """`{id, handle, name}` of anybody, as far as known; strangers have an empty handle and name."""
    from_id = public("id", identity)
    known = people.find(database, IdentityId(identity))
    if known is None and identity == own.who(database)[0]:
        mine = own.settings(database)
        return {"id": from_id, "handle": mine.handle, "name": mine.name}
    if known is None:
        return {"id": from_id, "handle": "", "name": ""}
    return {
        "id": from_id,
        "handle": people.shown_handle(database, IdentityId(identity), known.handle),
        "name": known.name,
    }
