"""`restore`: a home made anew from a backup, whole or not at all, read-only until it has a new device key."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from chaise_cli import clock as clocks
from chaise_cli.domain.light import NamedTuple
from chaise_cli.ids import SpaceId, raw, text
from chaise_cli.session import archive, backing, contents, founding, starting
from chaise_cli.session import home as homes
from chaise_cli.session.archive import DamagedBackup
from chaise_cli.session.drafting import drafted
from chaise_cli.session.replica import HomeReplica
from chaise_cli.session.session import Session
from chaise_cli.store import backup_reads, connection, events, own, requests, schema

if TYPE_CHECKING:
    from chaise_cli.clock import Clock
    from chaise_cli.crypto.storekey import StoreKey
    from chaise_cli.ledger.segment import Segment
    from chaise_cli.session import access
    from chaise_cli.session.backing import Step
    from chaise_cli.session.contents import Item
    from chaise_cli.store.connection import Connection

BATCH: Final = 5_000  # events of one transaction
_NEEDED: Final = {"identity", "device", "device_box", "certificates", "settings"}


class Plan(NamedTuple):
    """What to restore: the backup, the home to make, and what opens the one.

    kept: ways in that the home shall have in place of those of their kind in the backup; None for its own alone.
    """

    file: Path
    home: homes.Home
    keys: access.Keys
    kept: founding.Secrets | None = None


def restore(plan: Plan, clock: Clock, step: Step, random: Callable[[int], bytes] = clocks.random_bytes) -> Session:
    """Make the home and open it: everything is in it, and it is read-only until `renewal.renew`.

    Raises HomeExists, what `backing.open_key` raises, DamagedBackup, Unwritable; then nothing is left over.
    """
    starting.check_free(plan.home)
    key = backing.open_key(plan.file, plan.keys, plan.home, clock.now())
    try:
        with drafted(plan.home, random) as draft, backing.opened(plan.file) as file:
            front = archive.read_front(file, str(plan.file))
            _write_slots(plan, draft, front.slots, key, random)
            _fill(_Making(draft, key, clock, random), file, front, step)
    except OSError as error:
        raise starting.Unwritable(why=f"{error.filename or plan.home.path}: {error.strerror}") from error
    return Session(plan.home, key, connection.open_store(plan.home.store, key), clock, random)


def _write_slots(
    plan: Plan,
    draft: homes.Home,
    slots: list[dict[str, Any]],
    key: StoreKey,
    random: Callable[[int], bytes],
) -> None:
    new = founding.new_slots(key, plan.kept, random) if plan.kept else []
    kinds = {slot["kind"] for slot in new}
    path = (plan.kept and plan.kept.key_file) or plan.keys.key_file
    kept = [slot for slot in slots if slot["kind"] not in kinds]
    homes.write_keys(draft, [*kept, *new], str(path.resolve()) if path else None)


def _fill(making: _Making, file: BinaryIO, front: archive.Front, step: Step) -> None:
    size = archive.size_of(file)
    found = contents.Contents()
    try:
        for item in found.read(archive.records(file, front, making.key)):
            making.take(item)
            step(file.tell(), size)
        making.finish(found.about["identity"])
    finally:
        making.close()


class _Making:
    """The home being filled, record by record."""

    def __init__(self, draft: homes.Home, key: StoreKey, clock: Clock, random: Callable[[int], bytes]) -> None:
        self.key = key
        self._draft, self._clock, self._random = draft, clock, random
        self._db: Connection = connection.create(draft.store, key)
        schema.migrate(self._db)
        homes.write_anchor(draft, key, homes.Anchor(0, bytes(32)))
        self._values: dict[str, bytes] = {}
        self._opened: Session | None = None
        self._space: dict[str, Any] = {}
        self._runs: list[Segment] = []
        self._object: tuple[BinaryIO, Path] | None = None

    def close(self) -> None:
        """Let go of the store and of what was being written."""
        self._db.close()
        if self._object is not None:
            self._object[0].close()

    def take(self, item: Item) -> None:
        """Put one record in its place. Raises DamagedBackup."""
        value = item.value
        match item.kind:
            case archive.OWN:
                self._values[value["name"]] = value["value"]
            case archive.SPACE:
                self._end_space()
                self._space = value
            case archive.SEGMENT | archive.FORK:
                assert item.segment is not None, "a checked segment"
                self._runs.append(item.segment)
            case archive.REQUEST:
                self._end_space()
                used = requests.Used(text(value["fingerprint"]), value["subject"], value["events"])
                with self._session.admitting():
                    requests.put(self._db, value["id"], used)
            case archive.PLACE:
                self._end_space()
                self._place(value)
            case archive.OBJECT | archive.OBJECT_END:
                self._end_space()
                self._keep(item.data[:32], item.data[32:], whole=item.kind == archive.OBJECT_END)
            case _:
                pass

    def finish(self, identity: bytes) -> None:
        """All records were taken; the home is of `identity`."""
        self._end_space()
        if raw(self._session.me.identity) != identity:
            raise DamagedBackup(why="it is of two identities")

    @property
    def _session(self) -> Session:
        """The home as far as it is, opened once what it knows of its owner is in; it may write nothing."""
        if self._opened is None:
            if not self._values.keys() >= _NEEDED:
                raise DamagedBackup(why="whose home it is cannot be told")
            with connection.transaction(self._db):
                for name, value in self._values.items():
                    own.put(self._db, name, value)
                own.put(self._db, "behind", b"1")
            self._opened = Session(self._draft, self.key, self._db, self._clock, self._random)
        return self._opened

    def _end_space(self) -> None:
        """Admit the space whose records are over, as from a peer."""
        space, runs = self._space, self._runs
        self._space, self._runs = {}, []
        if not space:
            return
        id_ = SpaceId(text(space["id"]))
        with self._session.admitting():
            # A board that self tells of is there already.
            added = events.find_space(self._db, id_) or events.add_space(self._db, id_, space["kind"], "", b"")
            if space["read"] is not None:
                backup_reads.mark_read(self._db, added.no, space["read"])
            if space["kind"] == "board":  # its key is that of an invite; those of other spaces are in their wraps
                self._know(added, space["secrets"])
        wanted = {contents.head(row) for row in space["heads"]}
        admit_all(self._session, id_, runs, wanted)
        if backup_reads.secrets(self._db, events.space_numbered(self._db, added.no)) != space["secrets"]:
            with self._session.admitting():  # learnt by other ways than its wraps, or in another order
                self._know(added, space["secrets"])
        if not admit_all(self._session, id_, runs, wanted):
            raise DamagedBackup(why="events in it are refused")

    def _know(self, space: events.Space, secrets: Sequence[bytes]) -> None:
        """Hold these secrets, the last of which seals."""
        for secret in secrets:
            self._session.epochs.add(space, secret)

    def _place(self, value: dict[str, Any]) -> None:
        with self._session.admitting():
            backup_reads.keep_place(self._db, backup_reads.Place(**value))

    def _keep(self, address: bytes, piece: bytes, *, whole: bool) -> None:
        """One part of an attachment, which the reader compares with its address."""
        if self._object is None:
            handle, name = tempfile.mkstemp(prefix=".", dir=self._draft.objects)
            self._object = (os.fdopen(handle, "wb"), Path(name))
        file, path = self._object
        file.write(piece)
        if whole:
            file.flush()
            os.fsync(file.fileno())
            file.close()
            path.rename(self._draft.objects / address.hex())
            self._object = None


def admit_all(session: Session, space: SpaceId, runs: Sequence[Segment], wanted: AbstractSet[contents.Head]) -> bool:
    """Admit runs of a space as often as something moves; whether the space then has all of these heads."""
    HomeReplica(session).admit(raw(space), [])  # what waits is looked at again, whatever is offered
    while True:
        replica = HomeReplica(session)  # a new one each time: it takes only so many histories of a chain
        accepted = sum(replica.admit(raw(space), batch).accepted for batch in _batches(runs))
        if wanted <= {tuple(head) for head in replica.heads(raw(space))}:
            return True
        if not accepted:
            return False


def _batches(runs: Iterable[Segment]) -> Iterator[list[Segment]]:
    batch: list[Segment] = []
    count = 0
    for run in runs:
        batch.append(run)
        count += len(run.events)
        if count >= BATCH:
            yield batch
            batch, count = [], 0
    if batch:
        yield batch
