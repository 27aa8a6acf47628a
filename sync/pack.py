"""Packs: segments of one space in one immutable file, named by its SHA-256. docs/spec/sync.md.

```
magic 4 · version u8 · size u64 · space 32 · writer 32 · names u16 · ranges u32
names × identity 32 · ranges × (device 32 · first u64 · last u64 · last_id 32) · segments × (size u32 · segment)
```
The head says in clear whom the space's wraps name and which events are inside, so most packs need not be
read. What it claims is believed only once the whole file was read and its events hold.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from hashlib import sha256
from struct import Struct
from typing import Final, NamedTuple

from chaise_cli.errors import Corrupt, Newer
from chaise_cli.ledger import segment as segments
from chaise_cli.ledger.segment import BadSegment, Segment

MAGIC: Final = b"CHPK"
VERSION: Final = 1
LIMIT: Final = 64 * 1024 * 1024  # bytes a reader accepts
SEGMENTS_LIMIT: Final = 100_000
NAMES_LIMIT: Final = 1_000
_FIXED: Final = Struct(">4sBQ32s32sHI")
_RANGE: Final = Struct(">32sQQ32s")
_SIZE: Final = Struct(">I")
_BEGINNING: Final = Struct(">32s32sQ32sI")  # of a segment: space, device, first_seq, prev, number of events
_SHORTEST: Final = _BEGINNING.size + 64
_CHUNK: Final = 1024 * 1024


class BadPack(Corrupt):
    """The file is no pack, or its parts contradict each other."""

    code = "pack.malformed"
    message = "not a pack: {why}"
    hint = "another program or a hostile one wrote it; it was left alone"
    why: str


class PackDamaged(Corrupt):
    """The file's bytes are not those it is named by."""

    code = "pack.damaged"
    message = "its content does not have the hash it is named by"
    hint = "a copy was cut short or changed; whoever wrote it writes it again at its next sync"


class PackPartial(Corrupt):
    """The file is shorter or longer than it says."""

    code = "pack.partial"
    message = "it has {size} bytes where it says {said}"
    hint = "a copy is still under way or was cut off; it is tried again at the next sync"
    size: int
    said: int


class PackTooLarge(Corrupt):
    """The file is larger than any pack may be."""

    code = "pack.too_large"
    message = "it is larger than 64 MiB"
    hint = "no Chaise writes such a file; it was left alone"


class PackNewer(Newer):
    """The pack has a version this Chaise does not know."""

    code = "pack.newer"
    message = "it has version {version}"
    hint = "upgrade Chaise; the pack stays for then"
    version: int


class Range(NamedTuple):
    """Consecutive events of one chain; `last_id` is the id of the last."""

    device: bytes
    first: int
    last: int
    last_id: bytes


class Head(NamedTuple):
    """What a pack says of itself. `body_at` is where its segments begin."""

    size: int
    space: bytes
    writer: bytes
    names: frozenset[bytes]
    ranges: Sequence[Range]
    body_at: int


class Entry(NamedTuple):
    """One segment in a pack: of which chain, which events, and where its bytes are."""

    device: bytes
    first: int
    last: int
    at: int
    size: int


def build(
    space: bytes, writer: bytes, names: frozenset[bytes], ranges: Sequence[Range], parts: Sequence[bytes]
) -> bytes:
    """The bytes of a pack of these packed segments, which `ranges` describes in the same order."""
    assert len(names) <= NAMES_LIMIT, "a pack that names more than 1,000 identities"
    rows = [*sorted(names), *(_RANGE.pack(*row) for row in ranges)]
    body = [piece for part in parts for piece in (_SIZE.pack(len(part)), part)]
    size = _FIXED.size + sum(map(len, rows)) + sum(map(len, body))
    assert size <= LIMIT, "a pack over 64 MiB"
    fixed = _FIXED.pack(MAGIC, VERSION, size, space, writer, len(names), len(ranges))
    return b"".join([fixed, *rows, *body])


def name_of(data: bytes) -> str:
    """The name of the file a pack lies in."""
    return sha256(data).hexdigest()


def read_head(descriptor: int, size: int) -> Head:
    """The head of the open file of `size` bytes. Raises BadPack, PackPartial, PackTooLarge, PackNewer; OSError."""
    if size > LIMIT:
        raise PackTooLarge
    fixed = os.pread(descriptor, _FIXED.size, 0)
    if len(fixed) < _FIXED.size or not fixed.startswith(MAGIC):
        raise BadPack(why="it does not begin like one")
    _, version, said, space, writer, names, ranges = _FIXED.unpack(fixed)
    if version != VERSION:
        raise PackNewer(version=version)
    if said != size:
        raise PackPartial(size=size, said=said)
    body_at = _FIXED.size + 32 * names + _RANGE.size * ranges
    if names > NAMES_LIMIT or body_at > size:
        raise BadPack(why="a head larger than the file")
    rows = os.pread(descriptor, body_at - _FIXED.size, _FIXED.size)
    if len(rows) != body_at - _FIXED.size:
        raise PackPartial(size=size, said=said)
    split = 32 * names
    named = [rows[at : at + 32] for at in range(0, split, 32)]
    chains = [Range(*row) for row in _RANGE.iter_unpack(rows[split:])]
    if named != sorted(set(named)) or any(not 0 <= row.first <= row.last < 2**63 for row in chains):
        raise BadPack(why="names out of order, or a range that is none")
    return Head(size, space, writer, frozenset(named), chains, body_at)


def index(descriptor: int, head: Head, name: str) -> Sequence[Entry]:
    """Where each segment lies, once the file's hash is its name and its parts are what the head says.

    Says nothing of signatures. Raises PackDamaged, BadPack; OSError.
    """
    if _hash(descriptor) != name:
        raise PackDamaged
    entries = list(_entries(descriptor, head))
    if [row[:3] for row in head.ranges] != list(_joined(entries)):
        raise BadPack(why="its head lists other events than are inside")
    return entries


def read(descriptor: int, entry: Entry) -> Segment:
    """The segment of an entry, not verified. Raises BadPack; OSError."""
    try:
        return segments.unpack(os.pread(descriptor, entry.size, entry.at))
    except BadSegment as error:
        raise BadPack(why=error.why) from error


def _hash(descriptor: int) -> str:
    digest = sha256()
    at = 0
    while chunk := os.pread(descriptor, _CHUNK, at):
        digest.update(chunk)
        at += len(chunk)
    return digest.hexdigest()


def _entries(descriptor: int, head: Head) -> Iterator[Entry]:
    at = head.body_at
    for _ in range(SEGMENTS_LIMIT):
        if at == head.size:
            return
        beginning = os.pread(descriptor, _SIZE.size + _BEGINNING.size, at)
        if len(beginning) < _SIZE.size + _BEGINNING.size:
            raise BadPack(why="cut short")
        (size,) = _SIZE.unpack_from(beginning)
        space, device, first, _, count = _BEGINNING.unpack_from(beginning, _SIZE.size)
        if space != head.space or not 0 < count <= segments.LONGEST or first + count >= 2**63:
            raise BadPack(why="a segment of another space, or of no or too many events")
        if size < _SHORTEST or at + _SIZE.size + size > head.size:
            raise BadPack(why="a segment beyond the end")
        yield Entry(device, first, first + count - 1, at + _SIZE.size, size)
        at += _SIZE.size + size
    raise BadPack(why="more than 100,000 segments")


def _joined(entries: Sequence[Entry]) -> Iterator[tuple[bytes, int, int]]:
    """Segments that follow one another in one chain, as one range."""
    current: tuple[bytes, int, int] | None = None
    for device, first, last, _, _ in entries:
        if current is not None and current[0] == device and current[2] + 1 == first:
            current = (device, current[1], last)
            continue
        if current is not None:
            yield current
        current = (device, first, last)
    if current is not None:
        yield current
