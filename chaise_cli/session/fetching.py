"""`files --fetch`: the content of a deal's files, opened, checked against their digests, and put into a folder.

What a file is called is the other side's word: of a name only its last part is taken, nothing in it may steer a
path or a terminal, and nothing that is there already is written over.
"""

from __future__ import annotations

import os
import re
import tempfile
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from chaise_cli.crypto import attachments
from chaise_cli.crypto.sealing import BadSeal
from chaise_cli.domain import deal_view
from chaise_cli.domain.light import NamedTuple
from chaise_cli.errors import Corrupt, Refused, StillWaiting
from chaise_cli.ids import public, raw
from chaise_cli.session import finding, showing, showing_deals
from chaise_cli.store import file_reads

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from chaise_cli.domain.talk import Attachment
    from chaise_cli.errors import ChaiseError
    from chaise_cli.ids import SpaceId
    from chaise_cli.session.session import Session
    from chaise_cli.store.file_reads import Kept

NAME_MOST: Final = 120  # bytes of a file name; file systems take 255, and a number may be added
_STEERING: Final = re.compile(r'[\x00-\x1f\x7f-\x9f/\\:*?"<>|\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]')
_DEVICES: Final = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)", re.IGNORECASE)
_PIECE: Final = 1 << 20


class NotHereYet(StillWaiting):
    """Some content has not arrived."""

    code = "file.not_here"
    message = "the content of {missing} of {all} files has not arrived yet"
    hint = "chaise sync, then fetch again"
    retryable = True
    missing: int
    all: int


class DamagedFile(Corrupt):
    """What arrived does not open, or is not what its sender signed."""

    code = "file.damaged"
    message = "the content of {names} is not what its sender signed"
    hint = "nothing of it was written; chaise sync fetches it anew from another place"
    names: str


class NoTarget(Refused):
    """The folder cannot be written."""

    code = "file.no_target"
    message = "{path} cannot be written: {why}"
    hint = "name a folder you may write to: --fetch DIR"
    path: str
    why: str


class Fetched(NamedTuple):
    """The files, where they were put, and what is missing or wrong with some of them."""

    files: Sequence[dict[str, Any]]
    problem: ChaiseError | None


def listed(session: Session, deal: SpaceId, n: int | None) -> list[Kept]:
    """The files of a deal or milestone, the newest first. Raises NotOpenYet, NoSuchMilestone."""
    if n is not None:
        showing_deals.milestone(session, showing.state_of(session, deal), n)
    return file_reads.of_deal(session.db, finding.space_no(session, deal), n)


def shape(session: Session, kept: Kept) -> dict[str, Any]:
    """The `file` object, with where the file belongs."""
    found = deal_view.file_shape(kept.file, session.fetched)
    milestone = f"{public('deal', kept.deal)}/{kept.milestone}" if kept.milestone else None
    more = {"milestone": milestone, "by": session.person(kept.by), "at": deal_view.instant(kept.at)}
    return {**found, **more, "kind": kept.kind}


def fetch(session: Session, kept: Sequence[Kept], folder: Path) -> Fetched:
    """Put every file's content into `folder`, which is made when missing; what is there with the same content stays.

    Raises NoTarget. A missing or damaged content is a problem beside the others.
    """
    shapes, missing, damaged = [], 0, []
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for each in kept:
            path = None
            if not _object(session, each.file).exists():
                missing += 1
            else:
                path = _written(session, each.file, folder)
                if path is None:
                    damaged.append(each.file.name)
            shapes.append({**shape(session, each), "path": str(path) if path else None})
    except OSError as error:
        raise NoTarget(path=str(error.filename or folder), why=error.strerror or "unknown") from error
    problem: ChaiseError | None = DamagedFile(names=", ".join(damaged)) if damaged else None
    if missing and problem is None:
        problem = NotHereYet(missing=missing, all=len(kept))
    return Fetched(shapes, problem)


def safe_name(name: str) -> str:
    """A name to write under: the last part, nothing hidden, no device, nothing that steers, of limited length."""
    last = _STEERING.sub("_", re.split(r"[/\\]", name)[-1]).strip().rstrip(".")
    last = re.sub(r"^\.+", "_", last) or "file"
    if _DEVICES.match(last):
        last = f"_{last}"
    stem, dot, ending = last.rpartition(".")
    ending = f"{dot}{ending}" if stem and len(ending.encode()) <= 16 else ""
    stem = last.removesuffix(ending) if ending else last
    return stem.encode()[: NAME_MOST - len(ending.encode())].decode(errors="ignore") + ending


def content(session: Session, file: Attachment, most: int) -> bytes | None:
    """The opened content of a file of at most `most` bytes, checked; None where it is not here. Raises DamagedFile."""
    sealed = _object(session, file)
    if not sealed.exists():
        return None
    try:
        whole = b"".join(attachments.open_file_chunks(raw(file.key), _pieces(sealed))) if file.size <= most else b""
    except BadSeal as error:
        raise DamagedFile(names=file.name) from error
    if len(whole) != file.size or sha256(whole).digest() != raw(file.digest):
        raise DamagedFile(names=file.name)
    return whole


def _object(session: Session, file: Attachment) -> Path:
    return session.home.objects / file_reads.address_text(file)


def _written(session: Session, file: Attachment, folder: Path) -> Path | None:
    """Where the opened content lies now; None when it is not what was signed. Whole or not at all, mode 0600."""
    handle, draft = tempfile.mkstemp(prefix=".chaise-", dir=folder)
    try:
        digest, size = sha256(), 0
        with os.fdopen(handle, "wb") as out:
            for piece in attachments.open_file_chunks(raw(file.key), _pieces(_object(session, file))):
                digest.update(piece)
                size += len(piece)
                out.write(piece)
            out.flush()
            os.fsync(out.fileno())
        if digest.digest() != raw(file.digest) or size != file.size:
            return None
        return _placed(Path(draft), folder, safe_name(file.name), digest.digest())
    except BadSeal:
        return None
    finally:
        Path(draft).unlink(missing_ok=True)


def _placed(draft: Path, folder: Path, name: str, digest: bytes) -> Path:
    """The draft under the first free name of `site.tar`, `site-2.tar`, …; or the file that holds the same already."""
    for path in _names(folder, name):
        try:
            os.link(draft, path)  # unlike a rename it replaces nothing, and follows no link that lies there
        except FileExistsError:
            if path.is_file() and not path.is_symlink() and _digest(path) == digest:
                return path
            continue
        return path
    raise AssertionError("names never run out")


def _names(folder: Path, name: str) -> Iterator[Path]:
    yield folder / name
    stem, dot, ending = name.rpartition(".")
    number = 2
    while True:
        yield folder / (f"{stem}-{number}{dot}{ending}" if stem else f"{name}-{number}")
        number += 1


def _digest(path: Path) -> bytes:
    digest = sha256()
    for piece in _pieces(path):
        digest.update(piece)
    return digest.digest()


def _pieces(path: Path) -> Iterable[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            yield piece
