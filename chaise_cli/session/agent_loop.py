"""`agent run`: sync, take up, drive the rails, run deadlines, sync, again and again. May be killed at any instant.

What is due follows from the ledger, and what was asked of a rail from the attempts beside it, so a loop that was
killed is simply started again; a lock keeps one per home. docs/spec/rails.md, Outcomes.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Final

from chaise_cli.domain.light import NamedTuple
from chaise_cli.domain.terms import RAILS
from chaise_cli.errors import ChaiseError, Conflict
from chaise_cli.ids import public
from chaise_cli.rails.sim import Sim
from chaise_cli.session import access, agency, chargebacks, dealing, driving, staying, syncing, watching, writing
from chaise_cli.store import duties, events, own, places

if TYPE_CHECKING:
    from pathlib import Path

    from chaise_cli.rails.rail import Rail
    from chaise_cli.session.session import Session

FindRail = Callable[[str], "Rail | None"]
INTERVAL_S: Final = 30.0
_LOCK: Final = "agent.lock"


class Running(Conflict):
    """Another process drives the rails of this home."""

    code = "agent.running"
    message = "another `chaise agent run` is at work in this home"
    hint = "stop that one first; what it does is not done twice either way"
    retryable = True


class Round(NamedTuple):
    """What a round came to."""

    consented: list[str]  # deals whose money is held here from now on
    moved: int  # payments that a rail confirmed
    declined: int
    reversed: int  # chargebacks that were booked
    problems: list[str]
    wrote: bool

    def shape(self) -> dict[str, Any]:
        """The `round` object."""
        return {
            "consented": self.consented, "moved": self.moved, "declined": self.declined,
            "reversed": self.reversed, "problems": self.problems,
        }  # fmt: skip

    @property
    def told(self) -> bool:
        """Whether there is anything to tell."""
        return bool(self.consented or self.moved or self.declined or self.reversed)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """The only agent's loop in this home, for the length of the block. Raises Running."""
    handle = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _lock(handle)
        yield
    finally:
        os.close(handle)  # which lets go of it, as the death of the process does


def _lock(handle: int) -> None:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise Running from error


def work(session: Session, find_rail: FindRail, *, consent: bool) -> Round:
    """Consent to what terms ask, take up, drive the rails, book what they clawed back; places were synced before.

    consent: to every deal whose signed terms name this device as the agent's, where its rail is set up.
    """
    before = own.written(session.db)
    consented, problems = _consent(session, find_rail) if consent else ([], [])
    driven = driving.drive(session, find_rail)
    found = [chargebacks.follow(session, rail) for rail in map(find_rail, RAILS) if rail is not None]
    problems += [*driven.problems, *(problem for one in found for problem in one.problems)]
    wrote = own.written(session.db) != before
    return Round(consented, driven.moved, driven.declined, sum(one.booked for one in found), problems, wrote)


def _consent(session: Session, find_rail: FindRail) -> tuple[list[str], list[str]]:
    consented, problems = [], []
    for space in duties.asked_to_hold(session.db, session.me.identity, session.me.device):
        name = public("deal", events.space_numbered(session.db, space).id)
        try:
            with session.writing():
                deal = dealing.DealWriter(session, writing.Writer(session), session.space(space))
                kind = deal.found.taken.deal.agreed.rail
                if kind != "manual" and find_rail(kind) is None:
                    problems.append(f"{name} is not consented to: the rail {kind} is not set up here")
                    continue
                deal.write(agency.consent(deal))
                agency.tend(deal)
                consented.append(name)
        except ChaiseError as error:
            problems.append(f"{name}: {error.sentence()}")
    return consented, problems


class Agent:
    """One `agent run`: its home, its rails, and what went wrong in the last round."""

    def __init__(self, session: Session, sim: str | None, *, consent: bool, retry: bool) -> None:
        """sim: where the rail of rehearsals answers. retry: payments that a rail declined are made again, once."""
        self.problems: list[str] = []
        self._session, self._consent = session, consent
        self._rails = {"sim": Sim(sim)} if sim else {}
        if retry:
            driving.again(session)

    def close(self) -> None:
        """Hang up on the rails."""
        for rail in self._rails.values():
            rail.close()

    def once(self) -> Round:
        """Sync with all places, do one round, and sync again when it wrote something."""
        self.problems = self._sync()
        done = self._work()
        if done.wrote:
            self.problems += self._sync()
        self.problems += done.problems
        return done

    def stay(self, told: threading.Event, interval_s: float, tell: Callable[[Round], object]) -> None:
        """Round after round until told to go: when something comes in or is written here, and at least so often.

        Places are exchanged with by threads of their own; each exchange takes up and runs deadlines as any sync does.
        """
        pace = Pace(interval_s)
        changed = staying.Changes(self._session)
        with _watched(self._session) as watched:

            def tick() -> None:
                if watched is not None:
                    watched.tick()
                if changed() | pace.due():
                    done = self._apart()
                    if done.told or done.problems != self.problems:
                        tell(done)
                    self.problems = done.problems

            come = watched.come if watched is not None else SimpleQueue()
            staying.stay(told, None, come, lambda _done: False, tick)

    def _apart(self) -> Round:
        """A round with the home opened anew, so that what it writes is noticed and sent as anybody's writes are.

        What goes wrong with the store is told and may pass; the loop stays.
        """
        try:
            with closing(access.again(self._session)) as own_session:
                return work(own_session, self._rails.get, consent=self._consent)
        except ChaiseError as error:
            return Round([], 0, 0, 0, [error.sentence()], wrote=False)

    def _work(self) -> Round:
        return work(self._session, self._rails.get, consent=self._consent)

    def _sync(self) -> list[str]:
        if not places.known(self._session.db):
            return []
        return syncing.automatic(self._session, everywhere=True)


@contextmanager
def _watched(session: Session) -> Iterator[watching.Watch | None]:
    """The places of a home, watched; None where it has none."""
    if not places.known(session.db):
        yield None
        return
    with watching.watch(session) as watched:
        yield watched


class Pace:
    """When the next round is due: soon after news, and after `interval_s` in any case."""

    def __init__(self, interval_s: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._interval_s, self._monotonic = interval_s, monotonic
        self._next = monotonic()

    def due(self) -> bool:
        """Whether a round is due; the one after it is then an interval away."""
        now = self._monotonic()
        if now < self._next:
            return False
        self._next = now + self._interval_s
        return True
