"""The sync door: places, what was carried where, and one round of syncing. Only commands that sync load it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import chaise_cli.session.beside  # noqa: F401  refuses a foreign package called sync, before it is imported
from chaise_cli.domain.light import NamedTuple
from chaise_cli.errors import ChaiseError, Usage
from chaise_cli.ids import raw
from chaise_cli.session import upkeep
from chaise_cli.session.replica import HomeReplica, HomeSigner
from chaise_cli.store import events, own
from chaise_cli.store import places as remembered
from sync import engine, places
from sync.transports import stdio

if TYPE_CHECKING:
    from chaise_cli.ids import SpaceId
    from chaise_cli.session.session import Session
    from chaise_cli.store.places import Height
    from sync.engine import Transport

Progress = Callable[[str, int, int], None]
Lines = Callable[[str], None]


class NoPlaces(Usage):
    """Nothing to sync with."""

    code = "sync.no_places"
    message = "there is no place to sync with yet"
    hint = "name one: chaise sync ~/Shared/chaise, chaise sync ssh://host"


class Done(NamedTuple):
    """What one place gave and took; `failure` ended it early, what was done stays."""

    place: str
    sent: int
    received: int
    rejected: int
    problems: Sequence[str]
    failure: ChaiseError | None

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
        self._session, self._place = session, place
        self._new: set[str] = set()

    def get(self, name: str) -> bool:
        """Whether `name` was added."""
        return name in self._new or remembered.was_read(self._session.db, self._place, name)

    def add(self, name: str) -> None:
        """Remember `name`."""
        self._new.add(name)

    def flush(self) -> None:
        """Keep what was added; without it the packs are read again, no more."""
        if not self._new:
            return
        with self._session.admitting():
            remembered.note_read(self._session.db, self._place, sorted(self._new))
        self._new.clear()


class _Nothing:
    """The memory of a way that is only looked at."""

    def get(self, _name: str) -> bool:
        """Nothing was read."""
        return False

    def add(self, name: str) -> None:
        """Nothing is kept."""


def check(where: str) -> str:
    """WHERE as it is remembered, a folder by its full path. Raises BadPlace, PlaceUnsupported."""
    if not where.strip():  # which would be the folder one happens to be in
        raise places.BadPlace(given=where, why="no folder is named")
    places.transport(where, _Nothing(), _to_stderr)  # made to be looked at, never used
    return where if "://" in where else str(Path(where).expanduser().resolve())


def add_place(session: Session, place: str, *, auto: bool) -> int:
    """Remember a place that was checked; its row number. `auto`: writing verbs sync with it by themselves."""
    with session.admitting():
        return remembered.remember(session.db, place, auto=auto)


def carry(session: Session, place: int, space: SpaceId) -> None:
    """Let a board's events go to a place from now on."""
    found = events.find_space(session.db, space)
    assert found, "a board that is held"
    with session.admitting():
        remembered.carry(session.db, place, found.no)


def sync_with(session: Session, where: str, progress: Progress = engine.silent, on_stderr: Lines | None = None) -> Done:
    """Sync with a place named by the user: all boards held go there from now on, with their deals.

    Raises BadPlace, PlaceUnsupported.
    """
    url = check(where)
    no = add_place(session, url, auto=False)
    for space in events.spaces(session.db, "board"):
        carry(session, no, space.id)
    return _visit(session, no, url, progress, on_stderr)


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


def serve(session: Session) -> Done:
    """Answer one peer on standard input and output."""
    replica = HomeReplica(session)
    done = stdio.serve(replica, HomeSigner(session), sys.stdin.buffer, sys.stdout.buffer)
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


def _visit(session: Session, place: int, url: str, progress: Progress, on_stderr: Lines | None) -> Done:
    memory = _Memory(session, place)
    try:
        return _exchange(session, place, url, places.transport(url, memory, on_stderr or _to_stderr), progress)
    finally:
        memory.flush()


def _exchange(session: Session, place: int | None, url: str, transport: Transport, progress: Progress) -> Done:
    """Exchange, do what falls due, and exchange again when that wrote something."""
    done = _once(session, place, transport, progress)
    problems, sent = [problem.text for problem in done.problems], done.sent
    if done.failure is None and not session.behind:
        before = own.written(session.db)
        problems += upkeep.run(session)
        if own.written(session.db) != before:
            sent += _once(session, place, transport, progress).sent
    return Done(url, sent, done.received, done.rejected, problems, done.failure)


def _once(session: Session, place: int | None, transport: Transport, progress: Progress) -> engine.Exchange:
    only = frozenset(remembered.carried(session.db, place).values()) if place is not None else None
    held = remembered.heights(session.db)
    done = engine.exchange(HomeReplica(session, only), HomeSigner(session), transport, progress)
    if place is not None and done.failure is None:
        _delivered(session, place, done.shared, held)
    return done


def _delivered(session: Session, place: int, shared: frozenset[bytes], held: Sequence[Height]) -> None:
    """Note when the spaces that the place holds too were synced, and that it has their chains as far as `held`."""
    spaces = [no for no, space in remembered.carried(session.db, place).items() if raw(space) in shared]
    with session.admitting():
        remembered.note_synced(session.db, place, spaces, held, session.clock.now())


def _to_stderr(line: str) -> None:
    sys.stderr.write(f"{line}\n")
