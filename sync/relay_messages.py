"""What a relay and its clients say to one another: the bodies of requests and answers, byte for byte.

Shared by both sides; every reader is strict and raises Malformed. docs/spec/relay.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from struct import Struct
from typing import Final, NamedTuple

from chaise_cli.errors import Unreachable
from chaise_cli.ledger import receipt as receipts
from chaise_cli.ledger import segment as segments
from chaise_cli.ledger.receipt import Receipt
from chaise_cli.ledger.segment import Segment

from . import ranges

BODY_LIMIT: Final = 4 * 1024 * 1024
WAIT_LIMIT_S: Final = 60
EVENTS_LIMIT: Final = 5_000  # of one push
SPACES_LIMIT: Final = 100_000
CODE_LIMIT: Final = 64
NEWS_LIMIT: Final = 64 * 1024  # of what comes with the answer to a summary
PIECE: Final = 1024 * 1024

_SUMMARY: Final = Struct(f">32s{ranges.WIDTH}sH")
_DIFFERENT: Final = Struct(">B32sB")
_RANGE: Final = Struct(f">B{ranges.WIDTH}s")
_ROW: Final = Struct(">32sQ8s")
_PULL: Final = Struct(">HI")
_SECTION: Final = Struct(">32sQQH")
_RUN: Final = Struct(">HH")
_PUSHED: Final = Struct(">Q32sI")
_OBJECT: Final = Struct(">32s32sQQ")


class Malformed(Unreachable):
    """Bytes that are no message of this protocol."""

    code = "relay.malformed"
    message = "the other side does not speak the relay protocol: {why}"
    hint = "check the address: it has to be that of a Chaise relay"
    why: str


class Summary(NamedTuple):
    """What a client knows of all spaces it is served: one digest, those of the 32 ranges; wait_s: until it changes."""

    digest: bytes
    ranges: bytes
    wait_s: int


class Row(NamedTuple):
    """How far a client has read one space: the number of its last entry, and the first 8 bytes of the head there."""

    space: bytes
    after: int
    head: bytes


class Pull(NamedTuple):
    """A request for news: of the spaces in `rows`, and of all in these parts that are not in `rows`."""

    parts: Sequence[int]
    rows: Sequence[Row]


class Section(NamedTuple):
    """Entries `after` + 1 to `to` of one space, with the receipt for the last of them.

    order: (index of a segment, count) runs in the order of
    numbers; a segment's events come in their own order. segments: together exactly these entries.
    after: 0 where the client's row does not lie on the relay's log.
    """

    space: bytes
    after: int
    receipt: Receipt
    order: Sequence[tuple[int, int]]
    segments: Sequence[Segment]


class Different(NamedTuple):
    """The relay's digest, and for each range that differs the digests of its 32 parts.

    news: entries that the relay believes to be all that the asker lacks. It may be wrong.
    """

    digest: bytes
    ranges: Sequence[tuple[int, bytes]]
    news: Sequence[Section] = ()


class Push(NamedTuple):
    """Segments of one space, in an order in which they may be kept; door: sets who may read a board."""

    space: bytes
    door: bytes | None
    segments: Sequence[Segment]


class Pushed(NamedTuple):
    """What became of a push.

    first: the number the first event kept has (or would have). before: the head at first − 1. receipt: for the
    newest entry of the space; None while it has none. taken: of each segment, how many of its last events were
    kept now. refused: (index of segment, code).
    """

    first: int
    before: bytes
    receipt: Receipt | None
    taken: Sequence[int]
    refused: Sequence[tuple[int, str]]


class Piece(NamedTuple):
    """Part of an attachment. size: of the whole; offset: where the piece begins. data: at most 1 MiB."""

    space: bytes
    address: bytes
    size: int
    offset: int
    data: bytes


def pack_summary(said: Summary) -> bytes:
    """The body of a request for a summary."""
    return _SUMMARY.pack(said.digest, said.ranges, said.wait_s)


def read_summary(body: bytes) -> Summary:
    """What `pack_summary` was given. Raises Malformed."""
    if len(body) != _SUMMARY.size:
        raise Malformed(why="a summary of another size")
    made = Summary(*_SUMMARY.unpack(body))
    if made.wait_s > WAIT_LIMIT_S:
        raise Malformed(why="a wait of more than 60 s")
    return made


def pack_different(found: Different | None) -> bytes:
    """The answer to a summary; None for one that is the same."""
    if found is None:
        return b"\0"
    rows = [_RANGE.pack(*row) for row in found.ranges]
    news = [_pack_section(section) for section in found.news]
    return _DIFFERENT.pack(1, found.digest, len(rows)) + b"".join(rows + news)


def read_different(body: bytes) -> Different | None:
    """What `pack_different` was given. Raises Malformed."""
    if body == b"\0":
        return None
    if len(body) < _DIFFERENT.size:
        raise Malformed(why="an answer cut short")
    flag, digest, count = _DIFFERENT.unpack_from(body)
    end = _DIFFERENT.size + count * _RANGE.size
    if flag != 1 or count > ranges.FAN or len(body) < end:
        raise Malformed(why="an answer of another form")
    rows = [(number, row) for number, row in _RANGE.iter_unpack(body[_DIFFERENT.size : end])]
    if [number for number, _ in rows] != sorted({number for number, _ in rows if number < ranges.FAN}):
        raise Malformed(why="ranges that are not in order")
    return Different(digest, rows, _read_all(body, end))


def pack_pull(asked: Pull) -> bytes:
    """The body of a request for news."""
    parts = b"".join([number.to_bytes(2, "big") for number in asked.parts])
    return _PULL.pack(len(asked.parts), len(asked.rows)) + parts + b"".join([_ROW.pack(*row) for row in asked.rows])


def read_pull(body: bytes) -> Pull:
    """What `pack_pull` was given. Raises Malformed."""
    if len(body) < _PULL.size:
        raise Malformed(why="a pull cut short")
    n_parts, n_rows = _PULL.unpack_from(body)
    start = _PULL.size + 2 * n_parts
    if n_parts > ranges.PARTS or n_rows > SPACES_LIMIT or len(body) != start + n_rows * _ROW.size:
        raise Malformed(why="a pull of another size")
    parts = [int.from_bytes(body[at : at + 2], "big") for at in range(_PULL.size, start, 2)]
    if any(number >= ranges.PARTS for number in parts):
        raise Malformed(why="a part out of range")
    rows = [Row(*row) for row in _ROW.iter_unpack(body[start:])]
    if any(row.after >= 2**63 for row in rows):
        raise Malformed(why="a number out of range")
    return Pull(parts, rows)


def pack_sections(sections: Sequence[Section], *, more: bool) -> bytes:
    """The answer to a pull; more: there is more to ask for."""
    return bytes([more]) + b"".join([_pack_section(section) for section in sections])


def _pack_section(section: Section) -> bytes:
    packed = [segments.pack(one) for one in section.segments]
    return frame_section(section.space, section.after, section.receipt, section.order, packed)


def frame_section(
    space: bytes, after: int, receipt: Receipt, order: Sequence[tuple[int, int]], packed: Sequence[bytes]
) -> bytes:
    """The bytes of a section whose segments are packed already."""
    parts = [_SECTION.pack(space, after, receipt.number, len(packed)), receipt.pack(), len(order).to_bytes(4, "big")]
    parts += [_RUN.pack(*run) for run in order]
    for one in packed:
        parts += (len(one).to_bytes(4, "big"), one)
    return b"".join(parts)


def read_sections(body: bytes) -> tuple[list[Section], bool]:
    """What `pack_sections` was given: sections whose order and segments fit one another. Raises Malformed.

    Neither segments nor receipts are verified.
    """
    if not body or body[0] > 1:
        raise Malformed(why="an answer without its first byte")
    return _read_all(body, 1), bool(body[0])


def _read_all(body: bytes, place: int) -> list[Section]:
    found = []
    while place < len(body):
        section, place = _read_section(body, place)
        found.append(section)
    return found


def _read_section(body: bytes, place: int) -> tuple[Section, int]:
    end = place + _SECTION.size + receipts.SIZE
    if end + 4 > len(body):
        raise Malformed(why="a section cut short")
    space, after, to, count = _SECTION.unpack_from(body, place)
    receipt = read_receipt(body[place + _SECTION.size : end])
    runs = int.from_bytes(body[end : end + 4], "big")
    place = end + 4 + runs * _RUN.size
    if place > len(body):
        raise Malformed(why="a section cut short")
    order = [(at, number) for at, number in _RUN.iter_unpack(body[end + 4 : place])]
    found, place = read_segments(body, place, count)
    section = Section(space, after, receipt, order, found)
    if receipt.space != space or receipt.number != to or after >= to or not _fits(section):
        raise Malformed(why="a section that does not fit together")
    return section, place


def _fits(section: Section) -> bool:
    """Whether order and segments speak of the same events, as many as there are numbers, all of this space."""
    left = [len(one.events) for one in section.segments]
    for at, number in section.order:
        if at >= len(left) or not 0 < number <= left[at]:
            return False
        left[at] -= number
    total = sum([len(one.events) for one in section.segments])
    alike = all(one.space == section.space for one in section.segments)
    return alike and not any(left) and total == section.receipt.number - section.after


def pack_push(given: Push) -> bytes:
    """The body of a push."""
    door = b"\0" if given.door is None else b"\1" + given.door
    return given.space + door + pack_segments(given.segments)


def read_push(body: bytes) -> Push:
    """What `pack_push` was given; the segments are not yet verified. Raises Malformed."""
    if len(body) < 33 or body[32] > 1 or (body[32] and len(body) < 65):
        raise Malformed(why="a push cut short")
    door, place = (body[33:65], 65) if body[32] else (None, 33)
    found = []
    while place < len(body):
        more, place = read_segments(body, place, 1)
        found += more
    if any(one.space != body[:32] for one in found):
        raise Malformed(why="events of another space")
    if sum([len(one.events) for one in found]) > EVENTS_LIMIT or len(found) > 0xFFFF:
        raise Malformed(why="more than 5,000 events")
    return Push(body[:32], door, found)


def pack_pushed(done: Pushed) -> bytes:
    """The answer to a push."""
    parts = [_PUSHED.pack(done.first, done.before, len(done.taken))]
    parts.append(b"\0" if done.receipt is None else b"\1" + done.receipt.pack())
    parts += [taken.to_bytes(2, "big") for taken in done.taken]
    for at, code in done.refused:
        parts += (at.to_bytes(2, "big"), bytes([len(code)]), code.encode())
    return b"".join(parts)


def read_pushed(body: bytes, segments_given: int) -> Pushed:
    """What `pack_pushed` was given, to a push of so many segments. Raises Malformed."""
    place = _PUSHED.size + 1
    if len(body) < place or body[place - 1] > 1:
        raise Malformed(why="an answer cut short")
    first, before, count = _PUSHED.unpack_from(body)
    receipt = None
    if body[place - 1]:
        receipt = read_receipt(body[place : place + receipts.SIZE])
        place += receipts.SIZE
    if count != segments_given or len(body) < place + 2 * count:
        raise Malformed(why="an answer to another push")
    taken = [int.from_bytes(body[at : at + 2], "big") for at in range(place, place + 2 * count, 2)]
    refused = _read_refused(body, place + 2 * count, count)
    return Pushed(first, before, receipt, taken, refused)


def _read_refused(body: bytes, place: int, count: int) -> list[tuple[int, str]]:
    found = []
    while place < len(body):
        end = place + 3 + (body[place + 2] if place + 3 <= len(body) else CODE_LIMIT + 1)
        at, code = int.from_bytes(body[place : place + 2], "big"), body[place + 3 : end]
        if end > len(body) or at >= count or len(code) > CODE_LIMIT or not code.isascii():
            raise Malformed(why="a refusal of another form")
        found.append((at, code.decode()))
        place = end
    return found


def pack_piece(piece: Piece) -> bytes:
    """Part of an attachment, in a request or an answer; one that is asked for has no data."""
    return _OBJECT.pack(piece.space, piece.address, piece.size, piece.offset) + piece.data


def read_piece(body: bytes) -> Piece:
    """What `pack_piece` was given. Raises Malformed."""
    if not _OBJECT.size <= len(body) <= _OBJECT.size + PIECE:
        raise Malformed(why="a piece of another size")
    space, address, size, offset = _OBJECT.unpack_from(body)
    made = Piece(space, address, size, offset, body[_OBJECT.size :])
    if made.size >= 2**47 or made.offset + len(made.data) > made.size:
        raise Malformed(why="a piece that lies outside its attachment")
    return made


def read_question(body: bytes) -> Piece:
    """The part of an attachment that is asked for: `pack_piece` with a size of 0 and no data. Raises Malformed."""
    if len(body) != _OBJECT.size:
        raise Malformed(why="a question of another size")
    space, address, size, offset = _OBJECT.unpack(body)
    made = Piece(space, address, size, offset, b"")
    if made.size or made.offset >= 2**47:
        raise Malformed(why="a question for no part of an attachment")
    return made


def pack_segments(given: Sequence[Segment]) -> bytes:
    """Segments one behind the other, each after its size."""
    packed = [segments.pack(one) for one in given]
    return b"".join([len(one).to_bytes(4, "big") + one for one in packed])


def read_segments(body: bytes, place: int, count: int) -> tuple[list[Segment], int]:
    """So many segments from `place` on, and where they end. Raises Malformed."""
    found = []
    for _ in range(count):
        size = int.from_bytes(body[place : place + 4], "big")
        end = place + 4 + size
        if place + 4 > len(body) or end > len(body):
            raise Malformed(why="events cut short")
        try:
            found.append(segments.unpack(body[place + 4 : end]))
        except segments.BadSegment as error:
            raise Malformed(why=f"malformed events: {error.why}") from error
        place = end
    return found, place


def read_receipt(data: bytes) -> Receipt:
    """A receipt, not yet verified. Raises Malformed."""
    try:
        return receipts.unpack(data)
    except receipts.BadReceipt as error:
        raise Malformed(why=error.why) from error
