"""Attachments on their way in: each file sealed under a key of its own and kept by the hash of its ciphertext."""

from __future__ import annotations

import io
import os
import stat
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from chaise_cli.crypto import attachments
from chaise_cli.domain.talk import FILES_MOST, Attachment
from chaise_cli.errors import Usage
from chaise_cli.ids import text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from chaise_cli.session.session import Session

BYTES_MOST: Final = 2 << 30  # of one file
_PIECE: Final = 1 << 20
_KEY: Final = 32


class CannotAttach(Usage):
    """A file that cannot be read, or is no file."""

    code = "files.unreadable"
    message = "{path!r} cannot be attached: {why}"
    hint = "attach plain files that you may read; pack a folder first, as with tar"
    path: str
    why: str


class TooManyFiles(Usage):
    """More files than one event carries."""

    code = "files.too_many"
    message = "{count} files are more than the {most} that one message or delivery takes"
    hint = "pack them into one, as with tar"
    count: int
    most: int


class TooBig(Usage):
    """A file beyond the limit."""

    code = "files.too_big"
    message = "{path!r} has more than {most} bytes"
    hint = "split it, or put it elsewhere and send its link and digest"
    path: str
    most: int


def attach(session: Session, paths: Sequence[Path]) -> tuple[Attachment, ...]:
    """Seal files into the home and return what an event says of them, in the order given.

    A rehearsal (`session.dry_run`) reads the files and keeps nothing. What a failed command leaves behind names
    nothing and does no harm. Raises TooManyFiles, CannotAttach, TooBig.
    """
    if len(paths) > FILES_MOST:
        raise TooManyFiles(count=len(paths), most=FILES_MOST)
    return tuple(_attach(session, path) for path in paths)


def attach_content(session: Session, name: str, content: bytes) -> Attachment:
    """Seal bytes that were read already, under a name; as `attach`."""
    return _sealed(session, name, _Content(Path(name), io.BytesIO(content)))


def _attach(session: Session, path: Path) -> Attachment:
    with opened(path) as source:
        return _sealed(session, _name(path), _Content(path, source))


def _sealed(session: Session, name: str, content: _Content) -> Attachment:
    key = session.random(_KEY)
    address = _keep(session, attachments.seal_file_chunks(key, content.pieces()))
    return Attachment(name, content.size, text(content.digest.digest()), text(address), text(key))


def opened(path: Path) -> BinaryIO:
    """A plain file, open to be read. Raises CannotAttach."""
    try:
        # Not blocking: a pipe that nobody writes to would hang here.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except (OSError, ValueError) as error:
        raise CannotAttach(path=_shown(path), why=getattr(error, "strerror", None) or "no such name") from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise CannotAttach(path=_shown(path), why="it is not a plain file")
    return os.fdopen(handle, "rb")


class _Content:
    """A file's bytes as they are read, counted and hashed."""

    def __init__(self, path: Path, source: BinaryIO) -> None:
        self._path, self._source = path, source
        self.size = 0
        self.digest = sha256()

    def pieces(self) -> Iterator[bytes]:
        """The content in pieces. Raises CannotAttach, TooBig."""
        while piece := self._read():
            self.size += len(piece)
            if self.size > BYTES_MOST:
                raise TooBig(path=_shown(self._path), most=BYTES_MOST)
            self.digest.update(piece)
            yield piece

    def _read(self) -> bytes:
        try:
            return self._source.read(_PIECE)
        except OSError as error:
            raise CannotAttach(path=_shown(self._path), why=error.strerror or "unknown") from error


def _keep(session: Session, sealed: Iterator[bytes]) -> bytes:
    """Write a sealed stream under its address, whole or not at all; the address."""
    import tempfile  # half a dozen modules, which a message without files does not need

    address = sha256()
    handle, name = tempfile.mkstemp(prefix=".", dir=session.home.objects)  # made 0600
    try:
        with os.fdopen(handle, "wb") as file:
            for part in sealed:
                address.update(part)
                file.write(part)
            file.flush()
            os.fsync(file.fileno())
        if not session.dry_run:
            Path(name).replace(session.home.objects / address.hexdigest())
    finally:
        Path(name).unlink(missing_ok=True)
    return address.digest()


def _name(path: Path) -> str:
    """The file's name as the other side sees it."""
    return path.name or str(path)


def _shown(path: Path) -> str:
    return str(path).encode("utf-8", "replace").decode()[:80]
