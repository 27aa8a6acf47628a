"""The fixed binary header of an event; its hash is the event's id. docs/spec/envelope.md."""

from __future__ import annotations

from hashlib import sha256
from struct import Struct
from typing import Final, NamedTuple

from chaise_cli.errors import Corrupt, Newer

MAGIC: Final = b"CHEV"
VERSION: Final = 1
CLEAR: Final = 0  # suite of genesis and wrap events: the body is canonical JSON in clear
SEALED: Final = 1  # suite of everything else: AES-256-GCM-SIV under the epoch's body key
ZERO: Final = bytes(32)
NO_EPOCH: Final = bytes(8)
BODY_LIMIT: Final = 64 * 1024
_FORM: Final = Struct(">4sBB32s32sQ32s8sI32s")
SIZE: Final = _FORM.size
AAD_SIZE: Final = SIZE - 36  # up to and including `epoch`: what the sealed body is bound to


class BadHeader(Corrupt):
    """Bytes that are no event header."""

    code = "envelope.bad_header"
    message = "not an event of Chaise: {why}"
    hint = "the sender's software is broken or hostile; nothing was kept"
    why: str


class NewerEnvelope(Newer):
    """An envelope version or suite this Chaise does not know."""

    code = "envelope.newer"
    message = "an event has envelope version {version}, suite {suite}"
    hint = "upgrade Chaise; what was received is kept by its sender"
    version: int
    suite: int


class Header(NamedTuple):
    """One event's place and content hash. `space` is zero in a genesis, whose id becomes the space."""

    suite: int
    space: bytes
    device: bytes
    seq: int
    prev: bytes
    epoch: bytes
    body_size: int
    body_hash: bytes

    def pack(self) -> bytes:
        """The 154 bytes that are hashed and signed."""
        return _FORM.pack(MAGIC, VERSION, *self)


def event_id(header: bytes) -> bytes:
    """The id of the event whose packed header this is."""
    return sha256(header).digest()


def make(suite: int, space: bytes, device: bytes, seq: int, prev: bytes, epoch: bytes, body: bytes) -> bytes:
    """The packed header of an event with this (sealed or clear) body."""
    return _FORM.pack(MAGIC, VERSION, suite, space, device, seq, prev, epoch, len(body), sha256(body).digest())


def aad(suite: int, space: bytes, device: bytes, seq: int, prev: bytes, epoch: bytes) -> bytes:
    """What a sealed body is bound to: the header up to and including `epoch`."""
    return _FORM.pack(MAGIC, VERSION, suite, space, device, seq, prev, epoch, 0, ZERO)[:AAD_SIZE]


def unpack(data: bytes) -> Header:
    """The header in these bytes. Raises BadHeader, NewerEnvelope."""
    if len(data) != SIZE:
        raise BadHeader(why="wrong size")
    magic, version, *fields = _FORM.unpack(data)
    if magic != MAGIC:
        raise BadHeader(why="wrong magic")
    header = Header(*fields)
    if version != VERSION or header.suite not in (CLEAR, SEALED):
        raise NewerEnvelope(version=version, suite=header.suite)
    check(header)
    return header


def check(header: Header) -> None:
    """Refuse a header that no honest writer makes. Raises BadHeader."""
    if header.body_size > BODY_LIMIT:
        raise BadHeader(why="body over 64 KiB")
    if (header.seq == 0) != (header.prev == ZERO):
        raise BadHeader(why="the first event of a chain, and only it, has no predecessor")
    if (header.suite == CLEAR) != (header.epoch == NO_EPOCH):
        raise BadHeader(why="a sealed body, and only it, names an epoch")
    if (header.space == ZERO) != (header.suite == CLEAR and header.seq == 0):
        raise BadHeader(why="a genesis, and only it, stands outside any space")
