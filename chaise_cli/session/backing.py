"""`backup`: all that a home holds, in one encrypted file that needs no database; and what is in such a file."""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from chaise_cli.crypto import attachments
from chaise_cli.domain import when
from chaise_cli.domain.light import NamedTuple
from chaise_cli.errors import ChaiseError, NoKey, Refused, Usage
from chaise_cli.ids import public, raw, text
from chaise_cli.ledger import canonical
from chaise_cli.ledger import segment as segments
from chaise_cli.session import access, archive, contents
from chaise_cli.session import home as homes
from chaise_cli.session import replica as replicas
from chaise_cli.session.archive import Record
from chaise_cli.store import backup_reads, events, own

if TYPE_CHECKING:
    from chaise_cli.crypto.storekey import StoreKey
    from chaise_cli.ledger.segment import Segment
    from chaise_cli.session.session import Session
    from chaise_cli.shapes import Backup
    from chaise_cli.store.events import Space

PART: Final = 500  # events of a segment
PART_BYTES: Final = 4 << 20
_ORDER: Final = {"self": 0, "board": 1, "deal": 2}
Step = Callable[[int, int], None]


class BackupExists(Usage):
    """Something is at the place of the new backup."""

    code = "backup.exists"
    message = "{path} exists, and nothing is written over it"
    hint = "name a new file, or give --force"
    path: str


class InsideHome(Usage):
    """The backup would be lost with the home."""

    code = "backup.inside_home"
    message = "{path} lies inside the home that it is to save"
    hint = "keep it elsewhere, best on another disk"
    path: str


class Unwritable(Refused):
    """The disk did not take the backup."""

    code = "backup.unwritable"
    message = "the backup could not be written: {why}"
    hint = "fix that and run it again; nothing is left over"
    retryable = True
    why: str


class Unreadable(Usage):
    """There is no such file, or it may not be read."""

    code = "backup.unreadable"
    message = "{path} cannot be read: {why}"
    hint = "name the file that chaise backup wrote"
    path: str
    why: str


class BackupLocked(NoKey):
    """No key is at hand for the backup."""

    code = "backup.locked"
    message = "no key is at hand that opens {path}"
    hint = "what opened its home opens it: --key-file PATH, the passphrase, or --recovery-file FILE"
    path: str


class Last(NamedTuple):
    """The newest backup of a home: when and where to it was written, and how many events it holds."""

    at: int
    file: str
    events: int


class Looked(NamedTuple):
    """What is in a backup, as far as it could be read, and what is wrong with it."""

    backup: Backup
    problem: ChaiseError | None


# Writing


def back_up(session: Session, path: Path, step: Step, *, force: bool = False, files: bool = True) -> Backup:
    """Write everything this home holds to `path`, mode 0600, whole or not at all; then read it back.

    files: attachments too. Raises BackupExists, InsideHome, Unwritable, DamagedEvent.
    """
    if session.home.path.resolve() in path.resolve().parents:
        raise InsideHome(path=str(path))
    if os.path.lexists(path) and not force:
        raise BackupExists(path=str(path))
    draft = path.with_name(f".{path.name}.{session.random(6).hex()}")
    try:
        left_out = _write(session, draft, step, files=files)
        found = _read_through(draft, session.key)
        homes.sync_folder(draft.parent)
        _place(draft, path, force=force)
        homes.sync_folder(path.parent)
    except OSError as error:
        raise Unwritable(why=f"{error.filename or path}: {error.strerror}") from error
    finally:
        draft.unlink(missing_ok=True)
    with session.admitting():
        last = Last(found.about["at"], str(path.resolve()), found.counts["events"])
        own.put(session.db, "backup", json.dumps(last._asdict()).encode())
    return _shape(path, found, newer=0, problems=left_out)


def last(session: Session) -> Last | None:
    """The newest backup that this home has written; None when it has written none."""
    kept = own.get(session.db, "backup")
    return Last(**json.loads(kept)) if kept else None


def _write(session: Session, draft: Path, step: Step, *, files: bool) -> list[str]:
    """Write the backup at the draft's place; what was left out, in words."""
    left_out: list[str] = []
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o600)
    with os.fdopen(handle, "wb") as file, session.reading():
        slots = homes.read_keys(session.home)["slots"]
        archive.write(file, slots, session.key, _gathered(session, left_out, step, files=files), session.random)
        file.flush()
        os.fsync(file.fileno())
    return left_out


def _place(draft: Path, path: Path, *, force: bool) -> None:
    """The draft under its name; without `force` nothing that came there in the meantime is replaced."""
    if force:
        draft.replace(path)
        return
    try:
        os.link(draft, path)  # unlike a rename it replaces nothing
    except FileExistsError:
        raise BackupExists(path=str(path)) from None
    except OSError:  # a file system without links, as on many a stick
        if os.path.lexists(path):
            raise BackupExists(path=str(path)) from None
        draft.rename(path)


def _gathered(session: Session, left_out: list[str], step: Step, *, files: bool) -> Iterator[Record]:
    """Everything, as records; one snapshot is the caller's to open."""
    counts = dict.fromkeys(("events", "forks", "objects", "own", "places", "requests", "spaces"), 0)
    for record in _everything(session, left_out, step, files=files):
        if record.kind in _COUNTED:
            counts[_COUNTED[record.kind]] += 1
        if record.kind == archive.SEGMENT:
            counts["events"] += len(segments.unpack(record.data).events)
        yield record
    yield _json(archive.END, counts)


_COUNTED: Final = {
    archive.OWN: "own", archive.SPACE: "spaces", archive.FORK: "forks", archive.REQUEST: "requests",
    archive.PLACE: "places", archive.OBJECT_END: "objects",
}  # fmt: skip


def _everything(session: Session, left_out: list[str], step: Step, *, files: bool) -> Iterator[Record]:
    me, db = session.me, session.db
    yield _json(archive.ABOUT, {"at": session.clock.now(), "device": me.device, "identity": me.identity})
    for name, value in backup_reads.own_values(db):
        yield _json(archive.OWN, {"name": name, "value": text(value)})
    done, total = 0, events.count(db)
    for space in sorted(events.spaces(db), key=lambda space: (_ORDER[space.kind], space.no)):
        yield _space(session, space)
        for run in runs(session, space):
            yield Record(archive.SEGMENT, segments.pack(run))
            done += len(run.events)
            step(done, total)
        for proof in backup_reads.proofs(db, space.no):
            yield Record(archive.FORK, proof)
    for request in backup_reads.requests(db):
        yield _json(archive.REQUEST, request._asdict())
    for place in backup_reads.places(db):
        yield _json(archive.PLACE, place._asdict())
    if files:
        yield from _objects(session, left_out)


def _space(session: Session, space: Space) -> Record:
    heads = replicas.HomeReplica(session).heads(raw(space.id))
    return _json(
        archive.SPACE,
        {
            "heads": [[text(head.device), head.seq, text(head.id)] for head in heads],
            "id": space.id,
            "kind": space.kind,
            "read": backup_reads.read_until(session.db, space.no),
            "secrets": [text(secret) for secret in backup_reads.secrets(session.db, space)],
        },
    )


def runs(session: Session, space: Space) -> Iterator[Segment]:
    """All events of a space, what waits included, chains in turns, its maker's first. Raises DamagedEvent."""
    replica = replicas.HomeReplica(session)
    devices = {head.device for head in replica.heads(raw(space.id))}
    ways = [
        replica.parted(raw(space.id), device)
        for device in sorted(devices, key=lambda one: (one != space.creator_device, one))
    ]
    queue = deque(way for device in ways for way in device)
    reached = {head: -1 for head, _, _ in queue}
    while queue:
        head, first, left = queue.popleft()
        if left is not None and reached[left] < first - 1:  # what it continues comes first
            queue.append((head, first, left))
            continue
        run = _part(replica, space, head, first)
        if run is None:
            raise replicas.damaged(space, first)
        yield run
        reached[head] = run.last_seq
        if run.last_seq < head.seq:
            queue.append((head, run.last_seq + 1, None))


def _part(replica: replicas.HomeReplica, space: Space, head: replicas.Head, first: int) -> Segment | None:
    limit = PART
    while True:
        run = replica.read(raw(space.id), head, first, limit)
        if run is None or limit == 1 or sum(len(event.body) for event in run.events) <= PART_BYTES:
            return run
        limit = max(1, min(limit, len(run.events)) // 2)


def _objects(session: Session, left_out: list[str]) -> Iterator[Record]:
    replica = replicas.HomeReplica(session)
    missing = len(replica.objects_wanted())
    if missing:
        left_out.append(f"{missing} attachments are not here and so not in it: chaise sync")
    held = sorted({address for info in replica.spaces() for address in replica.objects_of(info.id)})
    for address in held:
        if attachments.address(replica.read_object(address) or ()) != address:
            left_out.append(f"attachment {address.hex()[:16]} is damaged here and not in it: chaise verify --repair")
            continue
        for piece in replica.read_object(address) or ():
            yield Record(archive.OBJECT, address + piece)
        yield Record(archive.OBJECT_END, address)


def _json(kind: int, value: Any) -> Record:
    return Record(kind, canonical.encode(value))


# Reading


def open_key(path: Path, keys: access.Keys, home: homes.Home, now: int) -> StoreKey:
    """The store key of a backup, opened as a home is; a key kept for `home` counts if it fits.

    Raises Unreadable, NotABackup, DamagedBackup, NewerBackup, BackupLocked, NoKeyFile, WrongKey.
    """
    with opened(path) as file:
        front = archive.read_front(file, str(path))
    if keys.key_file is None and keys.passphrase is None and keys.recovery is None:
        keys = keys._replace(key_file=_remembered(home))
    try:
        return access.key_in(front.slots, keys, home, now)
    except homes.Locked:
        raise BackupLocked(path=str(path)) from None


def _remembered(home: homes.Home) -> Path | None:
    """The key file that the home at this place remembers, if there is a home."""
    try:
        path = homes.read_keys(home).get("key_file")
    except ChaiseError:
        return None
    return Path(path) if path and os.access(path, os.R_OK) else None


def opened(path: Path) -> Any:
    """The file, open for reading. Raises Unreadable."""
    try:
        return path.open("rb")
    except OSError as error:
        raise Unreadable(path=str(path), why=error.strerror or "unknown") from error


def look(path: Path, key: StoreKey, session: Session | None, step: Step) -> Looked:
    """Check all of a backup and tell what is in it, compared with an open home if there is one.

    What is wrong with it stands in the answer. Raises Unreadable, NotABackup, NewerBackup.
    """
    found = contents.Contents()
    problem: ChaiseError | None = None
    try:
        _read_through(path, key, found, step)
    except archive.DamagedBackup as error:
        problem = error
    newer = None
    problems = [problem.sentence()] if problem else []
    if session is not None and problem is None:
        if found.about["identity"] == raw(session.me.identity):
            newer = _newer_here(session, found)
        else:
            problems.append("it is of another identity than this home")
    return Looked(_shape(path, found, newer=newer, problems=problems), problem)


def _read_through(
    path: Path, key: StoreKey, found: contents.Contents | None = None, step: Step | None = None
) -> contents.Contents:
    found = found or contents.Contents()
    with opened(path) as file:
        front = archive.read_front(file, str(path))
        size = archive.size_of(file)
        for _ in found.read(archive.records(file, front, key)):
            if step:
                step(file.tell(), size)
    return found


def _newer_here(session: Session, found: contents.Contents) -> int:
    """How many events this home holds that the backup does not."""
    return len(backup_reads.ids(session.db) - found.ids)


def _shape(path: Path, found: contents.Contents, *, newer: int | None, problems: Iterable[str]) -> Backup:
    about = found.about
    return {
        "file": str(path.resolve()),
        "size": path.stat().st_size,
        "at": when.instant_text(about["at"]) if about else None,
        "identity": public("id", text(about["identity"])) if about else None,
        "device": public("dev", text(about["device"])) if about else None,
        "spaces": found.counts["spaces"],
        "events": found.counts["events"],
        "files": found.counts["objects"],
        "requests": found.counts["requests"],
        "newer_here": newer,
        "problems": list(problems),
    }
