"""Staying in touch: an exchange with each place as soon as there is something new here or there.

Two threads a place, each with the home opened for itself: one waits for news of the place, one exchanges. So a
place that is dead or slow holds up no other. Only `sync --watch` and `wait --sync` load it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from queue import SimpleQueue
from typing import TYPE_CHECKING, Final

import chaise_cli.session.beside  # noqa: F401  refuses a foreign package called sync, before it is imported
from chaise_cli.errors import ChaiseError
from chaise_cli.session import access, pairing, staying
from chaise_cli.session.replica import HomeReplica, HomeSigner
from chaise_cli.session.syncing import Done, NoPlaces, Way
from chaise_cli.store import places as remembered
from sync import engine, ranges

if TYPE_CHECKING:
    from chaise_cli.session.session import Session
    from chaise_cli.store.places import Place

WAIT_S: Final = 30.0  # one wait for a place's news
BLIND_S: Final = 30.0  # between exchanges with a place that cannot tell of news
LET_IN_S: Final = 2.0  # between exchanges while a device may ask to be let in, which no place tells of
AGAIN_S: Final = 300.0  # between exchanges with one that can, should news have been lost
LONGEST_PAUSE_S: Final = 60.0
FREE: Final = 3  # so often in a row a place may call for nothing

Pause = Callable[[float], bool]  # waits so many seconds; True: it is time to go


def pause_after(failures: int) -> float:
    """Seconds to leave a place alone after so many failures in a row: 1, 2, 4, … 60."""
    return min(LONGEST_PAUSE_S, 2.0 ** min(failures - 1, 10))


def digest(session: Session) -> bytes:
    """What stands for all that a home holds."""
    return ranges.whole(HomeReplica(session).positions())


def lets_in(session: Session) -> bool:
    """Whether a device of one's own may be about to ask to be let in."""
    waiting = pairing.pending(session)
    return waiting is not None and waiting.answer is None


class Pace:
    """When a place is exchanged with next, and what of it is worth telling."""

    def __init__(self) -> None:
        self._failures = 0
        self._fruitless = 0
        self._told: Sequence[str] = ()

    def after(self, done: Done) -> float:
        """Seconds to pause before the next exchange may begin, however much there is new."""
        self._failures = self._failures + 1 if done.failure else 0
        self._fruitless = 0 if done.sent or done.received else self._fruitless + 1
        if self._failures:
            return pause_after(self._failures)
        return pause_after(self._fruitless - FREE) if self._fruitless > FREE else 0.0

    def rested(self) -> None:
        """Nothing called for an exchange for long; the next one that brings nothing is not held against anybody."""
        self._fruitless = 0

    def is_news(self, done: Done) -> bool:
        """Whether to tell of an exchange: something moved, or something is wrong that was not before, or is mended."""
        wrong = (*done.problems, *([done.failure.code] if done.failure else []))
        before, self._told = self._told, wrong
        return bool(done.sent or done.received) or wrong != tuple(before)


class _PlaceWatch:
    """One place."""

    def __init__(self, session: Session, place: Place, come: SimpleQueue[Done], told: threading.Event) -> None:
        self._session, self._place, self._come, self._told = session, place, come, told
        self._due, self._ready = threading.Event(), threading.Event()
        self._covered = b""  # the digest of the home that the place is known to hold
        self._lets_in = False
        self._pace = Pace()
        self.threads = [threading.Thread(target=self._exchange, daemon=True)]

    def wake(self, held: bytes, *, lets_in: bool) -> None:
        """Something was written here; the home's digest is now `held`. lets_in: a device is waited for."""
        if held != self._covered or lets_in != self._lets_in:
            self._due.set()

    def end(self) -> None:
        """Let the threads see that it is time to go; that they are told so comes first."""
        self._due.set()
        self._ready.set()

    def _exchange(self) -> None:
        way = Way(self._session, self._place.no, self._place.url)
        waits = isinstance(way.transport, engine.Waits)
        if isinstance(way.transport, engine.Waits):
            waiter = threading.Thread(target=self._wait, args=(way.transport,), daemon=True)
            self.threads.append(waiter)
            waiter.start()
        while not self._told.is_set():
            self._due.clear()
            done = self._visit(way)
            if self._pace.is_news(done):
                self._come.put(done)
            if self._told.wait(self._pace.after(done)):
                return
            if done.failure is None:
                self._ready.set()
                often_s = LET_IN_S if self._lets_in else AGAIN_S if waits else BLIND_S
                if not self._due.wait(often_s):
                    self._pace.rested()

    def _visit(self, way: Way) -> Done:
        """One exchange, with the home opened anew: another process may have given it a new device key meanwhile."""
        try:
            with closing(access.again(self._session)) as own:
                held = digest(own)
                done = way.visit(own)
                self._lets_in = lets_in(own)
        except ChaiseError as error:  # the store is busy, the disk is full: that may pass
            return Done(way.url, 0, 0, 0, (), error)
        if done.failure is None:
            self._covered = held
        return done

    def _wait(self, transport: engine.Waits) -> None:
        while self._ready.wait() and not self._told.is_set():
            try:
                with closing(access.again(self._session)) as own:
                    only = frozenset(remembered.carried(own.db, self._place.no).values())
                    news = transport.wait(HomeReplica(own, only), HomeSigner(own), WAIT_S)
            except ChaiseError:  # what is wrong there an exchange will tell; without haste
                self._told.wait(BLIND_S)
                news = True
            if news:
                self._ready.clear()
                self._due.set()


class Watch:
    """Places that are watched; what their exchanges did comes in a queue."""

    def __init__(self, session: Session, places: Sequence[Place]) -> None:
        self.come = SimpleQueue[Done]()
        self._session = session
        self._changes = staying.Changes(session)
        self._told = threading.Event()
        self._places = [_PlaceWatch(session, place, self.come, self._told) for place in places]

    def start(self) -> None:
        """Begin."""
        for place in self._places:
            for thread in tuple(place.threads):
                thread.start()

    def tick(self) -> None:
        """Look for what was written here, by whomever, and have it sent at once."""
        if self._changes():
            held, expected = digest(self._session), lets_in(self._session)
            for place in self._places:
                place.wake(held, lets_in=expected)

    def stop(self, grace_s: float = 1.0) -> None:
        """Tell the threads to go. One that hangs on a dead place is left behind, with nothing half done."""
        self._told.set()
        for place in self._places:
            place.end()
        end = time.monotonic() + grace_s
        for thread in [thread for place in self._places for thread in place.threads]:
            thread.join(max(0.0, end - time.monotonic()))


@contextmanager
def watch(session: Session, url: str | None = None) -> Iterator[Watch]:
    """All places, or the one at `url`, watched for the length of the block. Raises NoPlaces."""
    known = [place for place in remembered.known(session.db) if url is None or place.url == url]
    if not known:
        raise NoPlaces
    watched = Watch(session, known)
    watched.start()
    try:
        yield watched
    finally:
        watched.stop()
