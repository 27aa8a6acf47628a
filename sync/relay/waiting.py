"""Who waits for news, and waking them: inside one event loop, told of commits from any thread.

Those woken together are looked at together, by one thread, a few dozen at a time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final

from .contract import Store, Unavailable
from .desk import Answer, News, Wait, refused
from .limits import Limits
from .refusal import Refusal

Elsewhere = Callable[[Callable[[], Any]], Awaitable[Any]]
TOGETHER: Final = 32
POLL_S: Final = 0.05  # how often other processes are asked after, while somebody waits
LOOK_S: Final = 5.0  # how often whoever waits is looked at in any case, where other processes write
REMEMBERED: Final = 100_000


class _Waiter:
    """One poll that waits."""

    def __init__(self, wait: Wait) -> None:
        self.wait = wait
        self.found: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()


class Waiting:
    """All polls that wait in this process. `elsewhere` runs a function in a thread."""

    def __init__(self, store: Store, limits: Limits, elsewhere: Elsewhere) -> None:
        self._store, self._limits, self._elsewhere = store, limits, elsewhere
        self._loop = asyncio.get_running_loop()
        self._of: dict[bytes, set[_Waiter]] = {}
        self._spaces: set[bytes] = set()
        self._names: set[bytes] = set()
        self._marks: dict[bytes, int] = {}
        self._task: asyncio.Task[None] | None = None
        self._poller: asyncio.Task[None] | None = None
        self._over: asyncio.Future[None] = self._loop.create_future()
        self.count = 0

    def touched(self, space: bytes) -> None:
        """Something was written to a space, or somebody is served it now. From any thread."""
        self._loop.call_soon_threadsafe(self._note, space)

    def filled(self, mailbox: bytes) -> None:
        """Something was put into a mailbox. From any thread."""
        self._loop.call_soon_threadsafe(self._note_mailbox, mailbox)

    async def stop(self) -> None:
        """Let all who wait go as though their time were over, and let nobody wait any longer."""
        if not self._over.done():
            self._over.set_result(None)
        for task in (self._task, self._poller):
            if task is not None:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    async def until(self, wait: Wait, gone: Callable[[], Coroutine[Any, Any, None]]) -> Answer | None:
        """The answer as soon as there is one, or None when the time is over or the asker is gone. Raises Refusal."""
        if self.count >= self._limits.waiting:
            raise Refusal("relay.busy", "too many wait here", retry_s=5)
        if len(self._of.get(wait.of, ())) >= self._limits.polls:
            raise Refusal("relay.quota", "too many of your devices wait here", retry_s=5)
        waiter = _Waiter(wait)
        self._of.setdefault(wait.of, set()).add(waiter)
        self.count += 1
        if self._store.shared and self._poller is None:
            self._poller = asyncio.create_task(self._poll())
        try:
            return await self._wait(waiter, gone)
        finally:
            self.count -= 1
            self._of[wait.of].discard(waiter)
            if not self._of[wait.of]:
                del self._of[wait.of]

    async def _wait(self, waiter: _Waiter, gone: Callable[[], Coroutine[Any, Any, None]]) -> Answer | None:
        """Looks once more first: something may have come between the first look and being on the list."""
        end = self._loop.time() + waiter.wait.seconds
        leaving = asyncio.create_task(gone())
        ends: list[asyncio.Future[Any]] = [waiter.found, leaving, self._over]
        try:
            while True:
                await self._tell([(waiter, None)])
                left = end - self._loop.time()
                if waiter.found.done() or left <= 0 or leaving.done() or self._over.done():
                    return waiter.found.result() if waiter.found.done() else None
                step = min(left, LOOK_S) if self._store.shared else left
                await asyncio.wait(ends, timeout=step, return_when=asyncio.FIRST_COMPLETED)
                if waiter.found.done():
                    return waiter.found.result()
        finally:
            leaving.cancel()

    def _note(self, space: bytes) -> None:
        self._spaces.add(space)
        self._begin()

    def _note_mailbox(self, mailbox: bytes) -> None:
        self._names.add(mailbox)
        self._begin()

    def _begin(self) -> None:
        if not self._of:  # whoever comes now looks by himself
            self._spaces.clear()
            self._names.clear()
        elif self._task is None or self._task.done():
            self._task = asyncio.create_task(self._wake())

    async def _wake(self) -> None:
        """Look for all whom something concerns, until nothing new was noted."""
        while self._spaces or self._names:
            spaces, self._spaces = self._spaces, set()
            names, self._names = self._names, set()
            with suppress(Unavailable):  # they look again by themselves, or hear at the end of their time
                heard = await self._audience(spaces, list(self._of)) if spaces else {}
                await self._tell([(waiter, None) for name in names for waiter in self._of.get(name, ())])
                await self._tell([(waiter, news) for name, news in heard.items() for waiter in self._of.get(name, ())])

    async def _audience(self, spaces: Collection[bytes], among: Collection[bytes]) -> Mapping[bytes, News]:
        found: Mapping[bytes, News] = await self._elsewhere(lambda: self._store.audience(spaces, among))
        return found

    async def _tell(self, waiters: Sequence[tuple[_Waiter, News | None]]) -> None:
        """Let each look, or tell it what is new, a few dozen at a time so that the first need not wait for the last."""
        for at in range(0, len(waiters), TOGETHER):
            some = waiters[at : at + TOGETHER]
            found = await self._elsewhere(partial(_again, some))
            for (waiter, _), answer in zip(some, found, strict=True):
                if answer is not None and not waiter.found.done():
                    waiter.found.set_result(answer)

    async def _poll(self) -> None:
        """Ask after what other processes write, while somebody waits."""
        try:
            while self._of:
                with suppress(Unavailable):
                    self._compare(await self._elsewhere(self._store.touched))
                await asyncio.sleep(POLL_S)
        finally:
            self._poller = None

    def _compare(self, found: Collection[tuple[bytes, int]]) -> None:
        if len(self._marks) > REMEMBERED:
            self._marks.clear()
        for space, mark in found:
            if self._marks.get(space) != mark:
                self._marks[space] = mark
                self._note(space)


def _again(some: Sequence[tuple[_Waiter, News | None]]) -> list[Answer | None]:
    """What each is to be answered by now; a mailbox whose time is over is an answer as well."""
    found: list[Answer | None] = []
    for waiter, news in some:
        try:
            found.append(waiter.wait.again() if news is None else waiter.wait.told(news))
        except Refusal as refusal:
            found.append(refused(refusal))
    return found
