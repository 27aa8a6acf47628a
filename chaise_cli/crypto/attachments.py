"""Attachments: files of any size, sealed in numbered chunks of 1 MiB under a random key of their own.

    header 8 = "CHSEFIL" version u8      then chunks: AES-256-GCM-SIV, aad = header,
    nonce 12 = number u88 (from 0), last u8 (1 on the last chunk, else 0)

Numbers and the last flag make a missing, moved, added or cut-off chunk fail to open (the STREAM construction:
Hoang, Reyhanitabar, Rogaway, Vizár 2015). The address of an attachment is SHA-256 over header and chunks.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Final

from chaise_cli.crypto.sealing import OVERHEAD, BadSeal, BodyCipher
from chaise_cli.errors import Newer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MAGIC: Final = b"CHSEFIL"
VERSION: Final = 1
HEADER: Final = MAGIC + bytes((VERSION,))
CHUNK: Final = 1 << 20


class NewerAttachment(Newer):
    """The attachment was sealed in a form this version does not know."""

    code = "attachment.newer"
    message = "the attachment has version {version}, this Chaise reads {known}"
    hint = "update Chaise, then try again"
    version: int
    known: int


def seal_file_chunks(key: bytes, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The sealed stream of a file, in parts to be written one after the other.

    key: 32 bytes, random and for this file alone. pieces: the file's content, cut anywhere; only about
    two chunks are held in memory. An empty file is one empty chunk.
    """
    cipher = BodyCipher(key)
    yield HEADER
    for number, chunk, last in _regrouped(pieces, CHUNK):
        yield cipher.seal(_nonce(number, last=last), chunk, HEADER)


def open_file_chunks(key: bytes, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The content of a sealed stream, chunk by chunk; `pieces` may be cut anywhere.

    Each chunk is right when it is yielded, but only a normal end says that the file is whole: write to a
    temporary place and keep nothing of it if BadSeal or NewerAttachment is raised.
    """
    cipher = BodyCipher(key)
    for number, chunk, last in _regrouped(_without_header(pieces), CHUNK + OVERHEAD):
        plain = cipher.open(_nonce(number, last=last), chunk, HEADER)
        if number and not plain:
            raise BadSeal  # one content has one form: an empty chunk stands only in an empty file
        yield plain


def address(pieces: Iterable[bytes]) -> bytes:
    """The 32-byte name of a sealed stream, for what is already on disk; a writer hashes as it goes."""
    digest = sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.digest()


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes((last,))


def _regrouped(pieces: Iterable[bytes], size: int) -> Iterator[tuple[int, bytes, bool]]:
    """The same bytes as (number, chunk, last): all chunks `size` long but the last, which may be shorter."""
    number, held = 0, bytearray()
    for piece in pieces:
        held += piece
        while len(held) > size:  # not >=: whether a full chunk is the last shows only by what follows
            yield number, bytes(held[:size]), False
            del held[:size]
            number += 1
    yield number, bytes(held), True


def _without_header(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The stream behind its header. Raises BadSeal without one, NewerAttachment for another version."""
    source = iter(pieces)
    start = b""
    for piece in source:
        start += piece
        if len(start) >= len(HEADER):
            break
    if len(start) < len(HEADER) or not start.startswith(MAGIC):
        raise BadSeal
    version = start[len(MAGIC)]
    if version != VERSION:
        raise NewerAttachment(version=version, known=VERSION)
    yield start[len(HEADER) :]
    yield from source
