"""The sync door: places, what was carried where, and one round of syncing. Only commands that sync load it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import chaise_cli.session.beside  # noqa: F401  refuses a foreign package called sync, before it is imported
from chaise_cli.domain.light import NamedTuple
from chaise_cli.errors import ChaiseError, Usage
from chaise_cli.ids import raw
from chaise_cli.session import doors, pairing, proofs, upkeep
from chaise_cli.session.relaying import RelayMemory
from chaise_cli.session.replica import HomeReplica, HomeSigner
from chaise_cli.store import events
from chaise_cli.store import places as remembered
from sync import engine, places, web
from sync.transports import stdio

if TYPE_CHECKING:
    from chaise_cli.ids import SpaceId
    from chaise_cli.session.session import Session
    from chaise_cli.store.places import Height
    from sync.engine import Transport
    from sync.replica import Replica

Progress = Callable[[str, int, int], None]
Lines = Callable[[str], None]


class NoPlaces(Usage):
    """Nothing to sync with."""

    code = "sync.no_places"
    message = "there is no place to sync with yet"
    hint = "name one: chaise sync ~/Shared/chaise, chaise sync ssh://host"


def _to_stderr(line: str) -> None:
    sys.stderr.write(f"{line}\n")


class Done(NamedTuple):
    """What one place gave and took; `failure` ended it early, what was done stays."""

    place: str
    sent: int
    received: int
    rejected: int
    problems: Sequence[str]
    failure: ChaiseError | None
    alarm: ChaiseError | None = None  # a relay was caught at a lie

    def told(self) -> bool:
        """Whether there is anything to tell of it."""
        return bool(self.sent or self.received or self.rejected or self.problems or self.failure)

    def peer(self) -> dict[str, object]:
        """The `peer` object of a result."""
        state = "failed" if self.failure else "partial" if self.problems else "done"
        return {
            "peer": self.place, "sent": self.sent, "received": self.received, "rejected": self.rejected, "state": state,
            "problems": list(self.problems),
        }  # fmt: skip


class _Memory:
    """Packs and objects of one place that were read before; what is new is kept by `flush`."""

    def __init__(self, session: Session, place: int) -> None:
        self.session, self._place = session, place
        self._new: set[str] = set()

    def get(self, name: str) -> bool:
        """Whether `name` was added."""
        return name in self._new or remembered.was_read(self.session.db, self._place, name)

    def add(self, name: str) -> None:
        """Remember `name`."""
        self._new.add(name)

    def flush(self) -> None:
        """Keep what was added; without it the packs are read again, no more."""
        if not self._new:
            return
        with self.session.admitting():
            remembered.note_read(self.session.db, self._place, sorted(self._new))
        self._new.clear()


class _Nothing:
    """The memory of a way that is only looked at."""

    def get(self, _name: str) -> bool:
        """Nothing was read."""
        return False

    def add(self, name: str) -> None:
        """Nothing is kept."""


def check(where: str) -> str:
    """WHERE as it is remembered, a folder by its full path. Raises BadPlace, PlaceUnsupported, Insecure."""
    if not where.strip():  # which would be the folder one happens to be in
        raise places.BadPlace(given=where, why="no folder is named")
    if places.is_web(where):
        web.address(where)
        return where.rstrip("/")
    places.transport(where, _Nothing(), _to_stderr)  # made to be looked at, never used
    return where if "://" in where else str(Path(where).expanduser().resolve())


def add_place(session: Session, place: str, *, auto: bool) -> int:
    """Remember a place that was checked; its row number. `auto`: writing verbs sync with it by themselves."""
    with session.admitting():
        return remembered.remember(session.db, place, auto=auto)


def keep_web(session: Session, url: str) -> None:
    """Remember a place if it is an address on the web, where receipts of a relay are to be kept from the first on."""
    if places.is_web(url):
        add_place(session, url, auto=False)


def carry(session: Session, place: int, space: SpaceId) -> None:
    """Let a board's events go to a place from now on."""
    found = events.find_space(session.db, space)
    assert found, "a space that is held"
    with session.admitting():
        remembered.carry(session.db, place, found.no)


def sync_with(session: Session, where: str, progress: Progress = engine.silent, on_stderr: Lines | None = None) -> Done:
    """Sync with a place named by the user: all boards held go there from now on, with their deals.

    Raises BadPlace, PlaceUnsupported.
    """
    no, url = _added(session, where)
    return _visit(session, no, url, progress, on_stderr)


def add(session: Session, where: str) -> str:
    """Remember a place named by the user as `sync_with` does, without going there; how it is remembered."""
    return _added(session, where)[1]


def _added(session: Session, where: str) -> tuple[int, str]:
    url = check(where)
    no = add_place(session, url, auto=False)
    for space in events.spaces(session.db, "board"):
        carry(session, no, space.id)
    return no, url


def sync_all(session: Session, progress: Progress = engine.silent, on_stderr: Lines | None = None) -> list[Done]:
    """Sync with every place remembered. Raises NoPlaces."""
    known = remembered.known(session.db)
    if not known:
        raise NoPlaces
    return [_visit(session, place.no, place.url, progress, on_stderr) for place in known]


def sync_program(
    session: Session, command: str, progress: Progress = engine.silent, on_stderr: Lines | None = None
) -> Done:
    """Sync with the home behind `--exec COMMAND`; nothing is remembered."""
    transport = places.program(command, on_stderr or _to_stderr)
    return _exchange(session, None, command, transport, progress)


def sync_once(session: Session, where: str, progress: Progress = engine.silent) -> Done:
    """Sync everything with a place that need not be remembered. Raises BadPlace, PlaceUnsupported."""
    url = check(where)
    with _once_there(session, url) as transport:
        return _exchange(session, None, url, transport, progress)


def look_at(session: Session, where: str, replica: Replica, progress: Progress) -> engine.Exchange:
    """Let another replica than the home meet a place, with the home's device key. Raises BadPlace."""
    with _once_there(session, where) as transport:
        return engine.exchange(replica, HomeSigner(session), transport, progress)


@contextmanager
def _once_there(session: Session, url: str) -> Iterator[Transport]:
    """The way to a place, for one visit. Of a place that is not remembered nothing is kept, unless a relay was caught.

    What was read of folders before counts for nothing here: it may be what has to be read again.
    """
    if not places.is_web(url):
        yield places.transport(url, _Nothing(), _to_stderr)
        return
    known = remembered.find(session.db, url)
    no = known.no if known else add_place(session, url, auto=False)
    try:
        yield Way(session, no, url).transport
    finally:
        if known is None:
            with session.admitting():
                remembered.forget(session.db, no)


def serve(session: Session) -> Done:
    """Answer one peer on standard input and output."""
    replica = HomeReplica(session)
    answer = partial(pairing.answer, session)
    done = stdio.serve(replica, HomeSigner(session), sys.stdin.buffer, sys.stdout.buffer, answer=answer)
    problems = [problem.text for problem in done.problems]
    if done.received:
        problems += upkeep.run(session)
    return Done("stdio", done.sent, done.received, done.rejected, problems, done.failure)


def automatic(session: Session, *, everywhere: bool) -> list[str]:
    """Sync with every place, or with those that sync by themselves; what went wrong, as warnings."""
    warnings = []
    for no, url in [(place.no, place.url) for place in remembered.known(session.db) if place.auto or everywhere]:
        done = _visit(session, no, url, engine.silent, None)
        if done.failure:
            warnings.append(f"not synced with {url}: {done.failure.sentence()}; what was written here is kept")
        warnings += done.problems
    return warnings


class Way:
    """A place and the transport that goes there, kept between visits by who stays."""

    def __init__(self, session: Session, place: int, url: str, on_stderr: Lines | None = None) -> None:
        """Raises BadPlace, PlaceUnsupported."""
        self._place, self.url = place, url
        self._memory, self._relay = _Memory(session, place), RelayMemory(session, place)
        self.transport = self._web() if places.is_web(url) else self._transport(url, on_stderr or _to_stderr)

    def visit(self, session: Session, progress: Progress = engine.silent) -> Done:
        """Exchange with the place, for the home as this session has it open.

        Once more where a device of one's own asks to be let in: what it needs has to lie there before it is told.
        """
        done = self._visit(session, progress)
        if done.failure or not doors.let_in(session, self.url, problems := list(done.problems)):
            return done
        again = self._visit(session, engine.silent)
        if again.failure is None:
            doors.tell(session, self.url, problems)
        sent, received = done.sent + again.sent, done.received + again.received
        return again._replace(sent=sent, received=received, problems=[*problems, *again.problems])

    def _visit(self, session: Session, progress: Progress) -> Done:
        self._memory.session = self._relay.session = session
        try:
            return _exchange(session, self._place, self.url, self.transport, progress)
        finally:
            self._memory.flush()

    def _transport(self, where: str, on_stderr: Lines = _to_stderr) -> Transport:
        return places.transport(where, self._memory, on_stderr)

    def _web(self) -> Transport:
        session = self._memory.session
        kind = remembered.kind(session.db, self._place)
        return places.WebPlace(self.url, kind, self._found, self._relay, session.clock.now, self._transport)

    def _found(self, kind: str) -> None:
        session = self._memory.session
        with session.admitting():
            remembered.set_kind(session.db, self._place, kind)


def _visit(session: Session, place: int, url: str, progress: Progress, on_stderr: Lines | None) -> Done:
    return Way(session, place, url, on_stderr).visit(session, progress)


def visit(session: Session, place: int, url: str) -> Done:
    """Sync with one place that is remembered."""
    return _visit(session, place, url, engine.silent, None)


def meet(session: Session, place: int, url: str) -> Done:
    """Exchange the one deal of a run's home with a place."""
    granted = session.me.grant
    if granted is not None and events.find_space(session.db, granted.space) is not None:
        carry(session, place, granted.space)
    return Way(session, place, url).visit(session)


def _exchange(session: Session, place: int | None, url: str, transport: Transport, progress: Progress) -> Done:
    """Exchange, do what falls due, and exchange again when that wrote what the place sees, or told of boards."""
    boards = len(events.spaces(session.db, "board"))
    done = _once(session, place, transport, progress)
    problems, sent, received = [problem.text for problem in done.problems], done.sent, done.received
    if done.failure is None and not session.behind and session.me.grant is None:
        before = remembered.heights(session.db)
        problems += upkeep.run(session)
        if _wrote_for(session, before, done.shared) or len(events.spaces(session.db, "board")) != boards:
            again = _once(session, place, transport, progress)
            sent, received = sent + again.sent, received + again.received
            problems += [problem.text for problem in again.problems]
            alarm, rejected = done.alarm or again.alarm, done.rejected + again.rejected
            done = done._replace(rejected=rejected, failure=again.failure, alarm=alarm)
    last = Done(url, sent, received, done.rejected, problems, done.failure, done.alarm)
    if place is not None:
        error = done.alarm or done.failure
        with session.admitting():
            remembered.note_problem(session.db, place, error.sentence() if error else None)
    return last


def _wrote_for(session: Session, before: Sequence[Height], shared: frozenset[bytes]) -> bool:
    """Whether what was written since may go to the place: one that is no device of one's own is not shown self."""
    numbers = {height.space for height in set(remembered.heights(session.db)).difference(before)}
    spaces = [events.space_numbered(session.db, no) for no in numbers]
    return any(space.kind != "self" or raw(space.id) in shared for space in spaces)


def _once(session: Session, place: int | None, transport: Transport, progress: Progress) -> engine.Exchange:
    only = frozenset(remembered.carried(session.db, place).values()) if place is not None else None
    proofs.take(session)
    held = remembered.heights(session.db)
    signer = HomeSigner(session, by_grant=isinstance(transport, places.WebPlace))
    done = engine.exchange(HomeReplica(session, only), signer, transport, progress)
    if place is not None and done.failure is None:
        _delivered(session, place, done, held)
    return done


def _delivered(session: Session, place: int, done: engine.Exchange, held: Sequence[Height]) -> None:
    """Note when the spaces that the place holds too were synced, and that it has their chains as far as `held`.

    Without those of which it refused something, or holds another history.
    """
    spaces = {
        no: raw(space) for no, space in remembered.carried(session.db, place).items() if raw(space) in done.shared
    }
    there = [at for at in held if at.space in spaces and (spaces[at.space], at.device) not in done.lacking]
    if remembered.kind(session.db, place) == "relay":  # what a relay holds is told by its receipts alone, as they come
        there = []
    with session.admitting():
        remembered.note_synced(session.db, place, spaces, there, session.clock.now())
