"""`verify --repair`: a new store from all that the damaged one proves and a place still has, then put in its stead.

The damaged store is only read, and stays where it is unless the new one holds every event that it proved, and one
for each that it could not. docs/spec/recovery.md.
"""

from __future__ import annotations

import itertools
import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from chaise_cli.domain.light import NamedTuple
from chaise_cli.errors import ChaiseError, Corrupt
from chaise_cli.ids import SpaceId, public, raw, text
from chaise_cli.ledger import segment as segments
from chaise_cli.session import checking, examining, restoring, syncing
from chaise_cli.session import home as homes
from chaise_cli.session.replica import Head, HomeReplica
from chaise_cli.session.salvage import Salvage
from chaise_cli.session.session import Behind, Session
from chaise_cli.store import (
    backup_reads,
    busy,
    check,
    check_rows,
    connection,
    events,
    own,
    requests,
    salvage_reads,
    schema,
    selves,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from chaise_cli.session.checking import Checked, Step
    from chaise_cli.session.salvage import Saved

ROUNDS: Final = 3
_KINDS: Final = ("self", "board", "deal")


class MovedOn(Corrupt):
    """Another command wrote to the damaged store in the meantime."""

    code = "repair.moved_on"
    message = "another command wrote to this home while it was being repaired; nothing was changed"
    hint = "let nothing else use the home, then: chaise verify --repair"
    retryable = True


class Done(NamedTuple):
    """What stands after the repair, and what was done, for people."""

    checked: Checked
    notes: list[str]


def repair(session: Session, where: str | None, step: Step) -> Done:
    """Mend what is damaged, from the store itself and from a place; what could not be mended is among the problems.

    The session is closed when the store was replaced. Raises BadPlace, InUse, MovedOn, and what kept the place from
    being reached.
    """
    for leftover in session.home.path.glob(".repair.*"):  # of a repair that was killed
        shutil.rmtree(leftover, ignore_errors=True)
    found = checking.verify(session, step)
    if not any(_is_bad(problem) for problem in found.problems):
        return Done(found, ["nothing is damaged"])
    place = syncing.check(where) if where is not None else None
    notes: list[str] = []
    with _aside(session, notes):
        problems = _rebuilt(session, place, notes, step)
    if problems is None:  # the store was replaced
        again = Session(
            session.home, session.key, connection.open_store(session.home.store, session.key), session.clock
        )
        try:
            return Done(checking.verify(again, step), notes)
        finally:
            again.close()
    return Done(found._replace(problems=[*found.problems, *problems]), notes)


@contextmanager
def _aside(session: Session, notes: list[str]) -> Iterator[None]:
    """Damaged attachments out of the way, so that they are fetched again; those that were not come back."""
    moved = {}
    for address in salvage_reads.attempt(lambda: examining.files(session)):
        if not examining.is_sound(session, address):
            path = session.home.objects / address.hex()
            moved[path] = path.rename(path.with_name(f".{path.name}.damaged"))
    try:
        yield
    finally:
        for path, kept in moved.items():
            if path.exists():
                kept.unlink()
                notes.append(f"attachment {path.name[:16]} was fetched again")
            else:
                kept.rename(path)


def _rebuilt(session: Session, place: str | None, notes: list[str], step: Step) -> list[str] | None:
    """Build the new store and put it in place; None when that was done, else why not."""
    home, version = session.home, connection.data_version(session.db)
    unread = _is_unread(session)
    draft = homes.Home(home.path / f".repair.{session.random(4).hex()}")
    draft.path.mkdir(0o700)
    try:
        (draft.path / "objects").symlink_to(home.objects, target_is_directory=True)
        new, saved = _salvaged(session, draft)
        try:
            notes += _completed(session, new, place, saved)
            problems = _missing(new, saved)
            if not problems:
                _settle(session, new, saved)
                problems = [problem for problem in checking.verify(new, step).problems if _is_bad(problem)]
        finally:
            new.close()
        if problems:
            return [f"could not be mended: {problem}" for problem in problems]
        kept = _replace(session, draft, version, keep=unread)
        notes.append("the store was built anew from its events")
        notes += [f"parts of the old store cannot be read, so it is kept: {kept}"] if kept else []
        return None
    finally:
        shutil.rmtree(draft.path, ignore_errors=True)


def _is_bad(problem: str) -> bool:
    """A home that is behind is not damaged: it stays behind, and a new device key is the remedy."""
    return problem != Behind().sentence()


def _salvaged(session: Session, draft: homes.Home) -> tuple[Session, dict[SpaceId, Sequence[Saved]]]:
    """A new store with all that is sound in the old one; it writes nothing of its own."""
    old = session.db
    database = connection.create(draft.store, session.key)
    schema.migrate(database)
    homes.write_anchor(draft, session.key, homes.Anchor(0, bytes(32)))
    values = salvage_reads.own_values(old) | {"behind": b"1", "identity": raw(session.me.identity)}
    values[own.RULES] = str(connection.RULES).encode()  # all is judged as it comes in
    with connection.transaction(database):
        for name, value in values.items():
            own.put(database, name, value)
    new = Session(draft, session.key, database, session.clock, session.random)
    saved: dict[SpaceId, Sequence[Saved]] = {}
    spaces = [space for space in salvage_reads.spaces(old) if space.kind in _KINDS]
    for space in sorted(spaces, key=lambda space: (_KINDS.index(space.kind), space.no)):
        salvage = Salvage(old, space)
        id_ = SpaceId(text(space.id))
        saved[id_] = salvage.chains()
        _put(session, new, space, salvage, saved[id_])
    _local(session, new)
    return new, saved


def _put(session: Session, new: Session, space: salvage_reads.Space, salvage: Salvage, saved: Sequence[Saved]) -> None:
    """One space: its row, the key of a board, its events as from a peer, then keys learnt by other ways."""
    id_ = SpaceId(text(space.id))
    with new.admitting():
        row = events.find_space(new.db, id_) or events.add_space(new.db, id_, space.kind, "", b"")
        until = salvage_reads.read_until(session.db, space)
        if until is not None:
            backup_reads.mark_read(new.db, row.no, until)
    proofs = [segments.unpack(proof) for proof in salvage_reads.proofs(session.db, space)]
    runs = [run for chain in saved for run in chain.runs]
    if space.kind != "board":
        restoring.admit_all(new, id_, runs, set())
    with new.admitting():
        for secret in salvage.secrets:
            new.epochs.add(events.space_numbered(new.db, row.no), secret)
        _board_keys(new)
    restoring.admit_all(new, id_, [*runs, *proofs], _ids(saved))


def _board_keys(new: Session) -> None:
    """Keys of boards that cannot be read any more, as self tells them. Inside a transaction."""
    for board in selves.boards(new.db):
        space = events.find_space(new.db, board.board)
        if space is not None and space.epoch is None:
            new.epochs.add(space, raw(board.key))


def _local(session: Session, new: Session) -> None:
    """What is of this machine alone, as far as it can be read."""
    with new.admitting():
        for request in salvage_reads.requests(session.db):
            requests.adopt(new.db, request.id, requests.Used(request.fingerprint, request.subject, request.events))
        for place in salvage_reads.places(session.db):
            backup_reads.keep_place(new.db, place)
        for calendar in salvage_reads.calendars(session.db):
            busy.add(new.db, calendar)


def _completed(session: Session, new: Session, place: str | None, saved: dict[SpaceId, Sequence[Saved]]) -> list[str]:
    """Fetch what is missing, and let what follows it in: it hung behind a gap. What went wrong, in words."""
    if place is None:
        return []
    old = {SpaceId(text(space.id)): space for space in salvage_reads.spaces(session.db)}
    notes: list[str] = []
    for _ in range(ROUNDS):
        done = syncing.sync_once(new, place)
        if done.failure is not None:
            raise done.failure
        notes = list(done.problems)
        with new.admitting():
            _board_keys(new)
        for id_, chains in saved.items():
            runs = [run for chain in chains for run in chain.runs]
            salvage = Salvage(session.db, old[id_])
            for head in HomeReplica(new).heads(raw(id_)):
                runs += salvage.onwards(head.device, head.seq + 1, head.id)
            restoring.admit_all(new, id_, runs, _ids(chains))
        if not done.received:
            break
    return notes


def _ids(saved: Sequence[Saved]) -> set[Head]:
    """The newest proved event of each history."""
    return {Head(one.device, *one.end) for one in saved if one.end}


def _missing(new: Session, saved: dict[SpaceId, Sequence[Saved]]) -> list[str]:
    """Events of the old store that the new one does not hold, in words."""
    found = []
    for id_, chains in saved.items():
        space = events.find_space(new.db, id_)
        assert space, "every space of the old store was put into the new one"
        name = "self" if space.kind == "self" else public(space.kind, id_)
        held = backup_reads.ids(new.db)
        replica = HomeReplica(new)
        taken: set[Head] = set()  # heads that stand for one history of the old store each
        # What is whole first: what it became stands for nothing else.
        for chain in sorted(chains, key=_is_cut):
            tops = _heads_behind(replica, id_, chain) - taken
            top = max(tops, default=None, key=lambda head: head.seq)
            taken |= tops if not _is_cut(chain) else {top} if top else set()
            gone = [seq for seq in chain.lost if seq > (top.seq if top else -1)]
            for run in chain.runs:
                links = segments.links(run)
                gone += [seq for seq, link in enumerate(links, run.first_seq) if link.id not in held]
            if gone:
                device = public("dev", text(chain.device))
                found.append(f"{name}: {len(gone)} events of {device}, from {min(gone)} on, are intact nowhere else")
    return found


def _is_cut(chain: Saved) -> bool:
    """Whether the end of a history is lost."""
    return bool(chain.lost) and max(chain.lost) > (chain.end[0] if chain.end else -1)


def _heads_behind(replica: HomeReplica, space: SpaceId, chain: Saved) -> set[Head]:
    """The heads of the new store that go on from the proved end of a history of the old one."""
    heads = {head for head in replica.heads(raw(space)) if head.device == chain.device}
    if chain.end is None:
        return heads
    end = Head(chain.device, *chain.end)
    return {head for head in heads if replica.common(raw(space), head, end) == end.seq}


def _settle(session: Session, new: Session, saved: dict[SpaceId, Sequence[Saved]]) -> None:
    """The new store stands for the old one: behind only if that was, or if the place knew more of this device."""
    mine = raw(new.me.device)
    behind = session.behind
    for id_, chains in saved.items():
        tops = [head.seq for head in HomeReplica(new).heads(raw(id_)) if head.device == mine]
        ours = [chain for chain in chains if chain.device == mine]
        known = {chain.end[0] for chain in ours if chain.end}
        lost = {seq for chain in ours for seq in chain.lost}
        behind = behind or len(tops) > len(ours) or max(tops, default=-1) > max(known | lost, default=-1)
    with new.admitting():
        check_rows.note_cited(new.db, mine)
        if not behind:
            own.drop(new.db, "behind")
            new.behind = False
        written = own.written(new.db)
        if written.total > check_rows.written_by(new.db) or not check_rows.is_own(new.db, written.id):
            anchor = homes.read_anchor(session.home, session.key)
            if anchor is not None:
                own.put(new.db, "written", anchor.total.to_bytes(8, "big") + anchor.id)
        chosen = dict(own.devices(new.db)).get(new.me.device)
        if chosen is not None:
            own.add_device(new.db, new.me.device, own.device_seed(new.db, new.me.device), own.as_json(chosen))


def _is_unread(session: Session) -> bool:
    """Whether some page does not open: then nobody can tell that nothing else stood there."""
    try:
        with connection.naming_errors():
            return bool(check.pages(session.db))
    except ChaiseError:
        return True


def _replace(session: Session, draft: homes.Home, version: int, *, keep: bool) -> str | None:
    """Put the new store in the old one's place, which lies beside it, mode 0600, until the new one has opened.

    version: of the old one's data as it was taken over. keep: leave the old one there; its path then.
    Raises InUse, MovedOn; then nothing was changed.
    """
    home = session.home
    damaged = next(path for path in _names(home) if not path.exists())
    with connection.alone(session.db):
        if connection.data_version(session.db) != version:
            raise MovedOn
        connection.fold_wal(session.db)
        session.close()
        os.link(home.store, damaged)
        for leftover in ("store.db-wal", "store.db-shm"):
            (home.path / leftover).unlink(missing_ok=True)  # of the old file; the new one would take it for its own
        draft.store.replace(home.store)
        homes.sync_folder(home.path)
    connection.open_store(home.store, session.key).close()
    if keep:
        return str(damaged)
    damaged.unlink()
    return None


def _names(home: homes.Home) -> Iterator[Path]:
    yield home.path / "store.db.damaged"
    for number in itertools.count(2):
        yield home.path / f"store.db.damaged-{number}"
