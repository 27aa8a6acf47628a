"""A run of one chain, without what can be derived: how events travel and how they are verified.

Headers are not sent: each is rebuilt from the one before, so the signature of the newest event proves
the whole run. docs/spec/envelope.md, docs/spec/sync.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from struct import Struct
from typing import Final, NamedTuple

from chaise_cli.crypto import signing
from chaise_cli.errors import Corrupt
from chaise_cli.ledger import header

LONGEST: Final = 1000  # events of a segment
_HEAD: Final = Struct(">32s32sQ32sI")
_EVENT: Final = Struct(">B8sI")
EVENT_SIZE: Final = _EVENT.size  # of an event besides its body


class BadSegment(Corrupt):
    """A run of events that does not hang together or is not signed by its device."""

    code = "envelope.bad_segment"
    message = "events of one device do not verify: {why}"
    hint = "the sender's software is broken or hostile; nothing of this run was kept"
    why: str


class Sealed(NamedTuple):
    """One event as it travels, less what its chain tells: `suite`, `epoch` and the body's bytes."""

    suite: int
    epoch: bytes
    body: bytes


class Segment(NamedTuple):
    """Consecutive events of one device in one space; `signature` is that of the last.

    `prev` is the id of the event before the first one, zeros at seq 0.
    """

    space: bytes
    device: bytes
    first_seq: int
    prev: bytes
    events: Sequence[Sealed]
    signature: bytes

    @property
    def last_seq(self) -> int:
        """The seq of the newest event."""
        return self.first_seq + len(self.events) - 1


class Link(NamedTuple):
    """An event's derived part: packed header and id."""

    header: bytes
    id: bytes


def links(segment: Segment) -> list[Link]:
    """Header and id of each event, rebuilt in order; says nothing of signatures. Raises BadSegment."""
    made: list[Link] = []
    prev = segment.prev
    for seq, (suite, epoch, body) in enumerate(segment.events, segment.first_seq):
        space = header.ZERO if suite == header.CLEAR and seq == 0 else segment.space
        packed = header.make(suite, space, segment.device, seq, prev, epoch, body)
        prev = header.event_id(packed)
        made.append(Link(packed, prev))
    return made


def verify(segment: Segment) -> list[Link]:
    """The links of a segment whose form, size and newest signature are right.

    Raises BadSegment, BadHeader, NewerEnvelope. Whether `prev` is known is the caller's to check.
    """
    if not 0 < len(segment.events) <= LONGEST:
        raise BadSegment(why="no events, or more than 1,000")
    made = links(segment)
    for link in made:
        header.unpack(link.header)
    if segment.first_seq == 0 and segment.events[0].suite == header.CLEAR and made[0].id != segment.space:
        raise BadSegment(why="the genesis is of another space")
    if not signing.verify(segment.device, signing.TAGS.event, made[-1].header, segment.signature):
        raise BadSegment(why="wrong signature")
    return made


def pack(segment: Segment) -> bytes:
    """The bytes of a segment, for packs and wire messages."""
    space, device, first_seq, prev, events, signature = segment
    return frame(space, device, first_seq, prev, len(events), pack_events(events), signature)


def pack_events(events: Sequence[Sealed]) -> bytes:
    """The events of a segment without what goes before and after them; such bytes of runs in a row may be joined."""
    parts: list[bytes] = []
    for suite, epoch, body in events:
        parts += (_EVENT.pack(suite, epoch, len(body)), body)
    return b"".join(parts)


def frame(
    space: bytes, device: bytes, first_seq: int, prev: bytes, count: int, packed: bytes, signature: bytes
) -> bytes:
    """The bytes of a segment of `count` events that `pack_events` packed."""
    return _HEAD.pack(space, device, first_seq, prev, count) + packed + signature


def unpack(data: bytes) -> Segment:
    """The segment in exactly these bytes; not yet verified. Raises BadSegment."""
    if len(data) < _HEAD.size + 64:
        raise BadSegment(why="cut short")
    space, device, first_seq, prev, count = _HEAD.unpack_from(data)
    if count > LONGEST or first_seq + count >= 2**63:
        raise BadSegment(why="too many events")
    events, place = _events(data, count)
    if place + 64 != len(data):
        raise BadSegment(why="cut short, or bytes left over")
    return Segment(space, device, first_seq, prev, events, data[place:])


def _events(data: bytes, count: int) -> tuple[list[Sealed], int]:
    events = []
    place, end = _HEAD.size, len(data) - 64
    for _ in range(count):
        if place + _EVENT.size > end:
            raise BadSegment(why="cut short")
        suite, epoch, size = _EVENT.unpack_from(data, place)
        place += _EVENT.size
        if size > header.BODY_LIMIT or place + size > end:
            raise BadSegment(why="cut short, or a body over 64 KiB")
        events.append(Sealed(suite, epoch, data[place : place + size]))
        place += size
    return events, place
