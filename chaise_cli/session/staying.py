"""Commands that stay until they are told to go: what stops them, and the loop they sit in."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Final, TypeVar

from chaise_cli.store import connection

if TYPE_CHECKING:
    from chaise_cli.session.session import Session

TICK_S: Final = 0.25  # so soon a write of another process is noticed
_Thing = TypeVar("_Thing")


@contextmanager
def until_told() -> Iterator[threading.Event]:
    """An event that SIGINT and SIGTERM set while the block runs; outside the main thread its holder alone."""
    told = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield told
        return
    before = {number: signal.signal(number, lambda *_: told.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield told
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Changes:
    """Notices what other connections, of this process or another, write into a home."""

    def __init__(self, session: Session) -> None:
        self._db = session.db
        self._version = connection.data_version(self._db)

    def __call__(self) -> bool:
        """Whether something was written since the last call."""
        before, self._version = self._version, connection.data_version(self._db)
        return self._version != before


def stay(
    told: threading.Event,
    seconds: float | None,
    come: SimpleQueue[_Thing],
    show: Callable[[_Thing], bool],
    tick: Callable[[], object],
) -> None:
    """Show what comes, until told to go, the time is over, or `show` says that it is enough.

    tick: called every quarter of a second.
    """
    end = None if seconds is None else time.monotonic() + seconds
    while not told.is_set() and (end is None or time.monotonic() < end):
        tick()
        try:
            thing = come.get(timeout=TICK_S if end is None else max(0.0, min(TICK_S, end - time.monotonic())))
        except Empty:
            continue
        if show(thing):
            return
