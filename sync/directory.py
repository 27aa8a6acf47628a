"""A folder other machines and programs write to as well: read with suspicion, written to atomically.

Everything goes through an open descriptor of the folder, and no link is followed below the place's root,
so nothing that is swapped in underneath leads elsewhere.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Final

from chaise_cli.errors import Corrupt, Unreachable

NAMES_LIMIT: Final = 200_000
ABANDONED_S: Final = 24 * 3600
_OPEN: Final = os.O_CLOEXEC | os.O_NOFOLLOW
_TEMPORARY: Final = re.compile(r"\.[0-9a-f.a-z]{1,80}\.[0-9a-f]{16}\.tmp")
_NO_DIRECTORY_SYNC: Final = (errno.EINVAL, errno.ENOTSUP, errno.EBADF)  # some network and FUSE folders


class PlaceUnreachable(Unreachable):
    """The folder is not there or cannot be read."""

    code = "place.unreachable"
    message = "{place} cannot be read: {why}"
    hint = "is the stick plugged in, the share mounted? then sync again"
    place: str
    why: str


class PlaceUnwritable(Unreachable):
    """The folder cannot be written to. What is here was not touched."""

    code = "place.unwritable"
    message = "{place} cannot be written to: {why}"
    hint = "make room or get permission there, then sync again; what it held was read"
    place: str
    why: str


class NoFile(Corrupt):
    """The name stands for something else than a plain file that can be read."""

    code = "place.not_a_file"
    message = "it is not a file that can be read: {why}"
    hint = "it was left alone"
    why: str


class Gone(NoFile):
    """There is nothing of that name, or not any more: its writer may have merged it into another."""

    code = "place.gone"
    message = "it is not there: {why}"
    hint = "what it held may have moved; sync again"


class Directory:
    """One open folder of a place. `place` is the name errors give it."""

    def __init__(self, descriptor: int, place: str) -> None:
        self._descriptor = descriptor
        self.place = place

    @classmethod
    @contextmanager
    def root(cls, path: str) -> Iterator[Directory]:
        """The folder at `path`, which may be a link. Raises PlaceUnreachable."""
        try:
            opened = cls(os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC), path)
        except OSError as error:
            raise PlaceUnreachable(place=path, why=_why(error)) from error
        try:
            yield opened
        finally:
            opened.close()

    def close(self) -> None:
        """Release the descriptor."""
        os.close(self._descriptor)

    def inner(self, name: str, *, create: bool) -> Directory | None:
        """A folder inside; None when it does not exist and is not to be made.

        Raises PlaceUnreachable, also when a link or a file has that name, and PlaceUnwritable.
        """
        if create:
            self._make(name)
        try:
            flags = os.O_RDONLY | os.O_DIRECTORY | _OPEN
            return Directory(os.open(name, flags, dir_fd=self._descriptor), f"{self.place}/{name}")
        except FileNotFoundError:
            return None
        except OSError as error:
            raise PlaceUnreachable(place=f"{self.place}/{name}", why=_why(error)) from error

    def _make(self, name: str) -> None:
        try:
            os.mkdir(name, dir_fd=self._descriptor)
            with suppress(OSError):  # not every file system has modes
                os.chmod(name, self._mode(0o7777), dir_fd=self._descriptor)
        except FileExistsError:
            pass
        except OSError as error:
            raise PlaceUnwritable(place=self.place, why=_why(error)) from error

    def names(self) -> Sequence[str]:
        """What lies inside, sorted. Raises PlaceUnreachable."""
        try:
            return sorted(os.listdir(self._descriptor))[:NAMES_LIMIT]  # noqa: PTH208 (pathlib knows no descriptors)
        except OSError as error:
            raise PlaceUnreachable(place=self.place, why=_why(error)) from error

    def holds(self, name: str) -> bool:
        """Whether anything has that name now."""
        try:
            os.stat(name, dir_fd=self._descriptor, follow_symlinks=False)
        except OSError:
            return False
        return True

    @contextmanager
    def reading(self, name: str) -> Iterator[tuple[int, int]]:
        """Descriptor and size of a plain file. Raises Gone, and NoFile, also for a read inside that fails."""
        try:
            # Without O_NONBLOCK a FIFO would wait for a writer.
            descriptor = os.open(name, os.O_RDONLY | os.O_NONBLOCK | _OPEN, dir_fd=self._descriptor)
        except FileNotFoundError as error:
            raise Gone(why=_why(error)) from error
        except OSError as error:
            raise NoFile(why=_why(error)) from error
        try:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                raise NoFile(why="a folder, device or pipe")
            yield descriptor, found.st_size
        except OSError as error:
            raise NoFile(why=_why(error)) from error
        finally:
            os.close(descriptor)

    def write(self, name: str, pieces: Iterable[bytes]) -> int:
        """Put a whole file in place under `name`, durably, or nothing. Its size. Raises PlaceUnwritable."""
        temporary = f".{name}.{os.urandom(8).hex()}.tmp"
        try:
            size = self._fill(temporary, pieces)
            os.rename(temporary, name, src_dir_fd=self._descriptor, dst_dir_fd=self._descriptor)
            self._sync()
        except OSError as error:
            with suppress(OSError):
                os.unlink(temporary, dir_fd=self._descriptor)
            raise PlaceUnwritable(place=self.place, why=_why(error)) from error
        return size

    def _fill(self, temporary: str, pieces: Iterable[bytes]) -> int:
        size = 0
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _OPEN
        descriptor = os.open(temporary, flags, 0o600, dir_fd=self._descriptor)
        try:
            with suppress(OSError):  # whoever may read the folder may read what lies in it: it is sealed
                os.fchmod(descriptor, self._mode(0o666))
            for piece in pieces:
                rest = memoryview(piece)
                size += len(rest)
                while rest:
                    rest = rest[os.write(descriptor, rest) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        return size

    def remove(self, name: str) -> None:
        """Delete a file if it is there. Raises PlaceUnwritable."""
        try:
            os.unlink(name, dir_fd=self._descriptor)
        except FileNotFoundError:
            pass
        except OSError as error:
            raise PlaceUnwritable(place=self.place, why=_why(error)) from error

    def sweep(self, newest: str) -> None:
        """Delete what writers that were killed left behind: a day older than the file `newest`, by its own clock."""
        with suppress(OSError, PlaceUnreachable):
            now = os.stat(newest, dir_fd=self._descriptor, follow_symlinks=False).st_mtime
            for name in filter(_TEMPORARY.fullmatch, self.names()):
                if now - os.stat(name, dir_fd=self._descriptor, follow_symlinks=False).st_mtime > ABANDONED_S:
                    os.unlink(name, dir_fd=self._descriptor)

    def _mode(self, bits: int) -> int:
        return stat.S_IMODE(os.fstat(self._descriptor).st_mode) & bits

    def _sync(self) -> None:
        try:
            os.fsync(self._descriptor)
        except OSError as error:
            if error.errno not in _NO_DIRECTORY_SYNC:
                raise


def _why(error: OSError) -> str:
    return error.strerror or "input or output failed"
