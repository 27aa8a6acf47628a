"""Who may have a store open: any number of connections, or the one that puts another file in its place.

SQLite finds the log of a database by its path. A connection that outlived a swap of the file would write into the old
one, and in the end remove the new one's log. So each holds a lock on the folder, shared, and a swap needs it alone.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

if sys.platform != "win32":  # where a file that is open cannot be replaced anyway
    import fcntl

TRIES: Final = 100
PAUSE_S: Final = 0.05


class Fence:
    """The lock of one connection, shared from the start. On a file system without locks it holds nobody up."""

    def __init__(self, folder: Path) -> None:
        self._file: int | None = None
        if sys.platform != "win32":
            self._file = os.open(folder, os.O_RDONLY)
            with suppress(OSError):
                fcntl.flock(self._file, fcntl.LOCK_SH)

    def alone(self, sleep: Callable[[float], None] = time.sleep) -> bool:
        """Whether nobody else has the store open now; if so, others wait until `share` or `close`."""
        if sys.platform == "win32" or self._file is None:
            return True
        for _ in range(TRIES):
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                sleep(PAUSE_S)
            except OSError:
                return True
            else:
                return True
        self.share()  # what is asked for in vain may have cost what was held
        return False

    def share(self) -> None:
        """Let others in again."""
        if sys.platform != "win32" and self._file is not None:
            with suppress(OSError):
                fcntl.flock(self._file, fcntl.LOCK_SH)

    def close(self) -> None:
        """Hold nothing any more."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
