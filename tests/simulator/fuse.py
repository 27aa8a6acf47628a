"""A process that dies at its n-th write: to its store, its anchor, or a folder it syncs with.

What it had done by then stays on disk as a power cut would leave it, and nothing it had not: from the moment it dies,
not even a rollback reaches the store.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, Final
from unittest import mock

from chaise_cli.session import home
from sync import directory

_WRITING: Final = ("INSERT", "UPDATE", "DELETE", "BEGIN", "COMMIT", "CREATE", "REPLACE", "DROP", "ALTER")
_FILES: Final = frozenset({"write", "pwrite", "fsync", "rename", "unlink", "mkdir"})


class Killed(BaseException):
    """The process is gone."""


class Fuse:
    """Counts writes; at the one numbered `left` the process dies. None: never.

    image: called once at that instant, to keep what the disk holds.
    """

    def __init__(self, image: Callable[[], None] = lambda: None) -> None:
        self.left: int | None = None
        self.blown = False
        self.count = 0
        self._image = image

    def set(self, left: int | None) -> None:
        """Let `left` more writes pass, then die."""
        self.left, self.count = left, 0

    def step(self) -> None:
        """One write is about to be made, or (a commit) was made. Raises Killed."""
        self.live()
        self.count += 1
        if self.left is None:
            return
        if self.left == 0:
            self.blow()
        self.left -= 1

    def live(self) -> None:
        """Raises Killed for a process that is gone."""
        if self.blown:
            raise Killed

    def blow(self) -> None:
        """Die here. Raises Killed."""
        self.blown = True
        self._image()
        raise Killed


@cache
def _writes(query: str) -> bool:
    return query.lstrip()[:8].upper().startswith(_WRITING)


class FusedStore:
    """A connection whose writes burn a fuse; all else is the connection's."""

    def __init__(self, connection: Any, fuse: Fuse) -> None:
        self.real, self._fuse = connection, fuse

    def execute(self, query: str, *args: Any) -> Any:
        """As the connection's. Raises Killed."""
        self._fuse.live()
        if not _writes(query):
            return self.real.execute(query, *args)
        self._fuse.step()
        done = self.real.execute(query, *args)
        if query.startswith("COMMIT"):
            self._fuse.step()  # committed, and nobody was told
        return done

    def executemany(self, query: str, rows: Any) -> Any:
        """As the connection's. Raises Killed."""
        self._fuse.step()
        return self.real.executemany(query, rows)

    def close(self) -> None:
        """Let go of the store, dead or alive."""
        self.real.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)


class FusedOs(threading.local):
    """The `os` of a module that writes files, on the fuse of whoever acts in this thread."""

    def __init__(self) -> None:
        super().__init__()
        self.fuse = Fuse()

    def __getattr__(self, name: str) -> Any:
        real = getattr(os, name)
        if name not in _FILES:
            return real

        def call(*args: object, **kwargs: object) -> object:
            self.fuse.step()
            return real(*args, **kwargs)

        return call


FILES: Final = FusedOs()


@contextmanager
def fused_files() -> Iterator[None]:
    """Writes of anchors and into synced folders burn `FILES.fuse`."""
    with mock.patch.object(home, "os", FILES), mock.patch.object(directory, "os", FILES):
        yield
