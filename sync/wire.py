"""Messages between two replicas on one stream: frames `kind u8 · size u32 · payload`, and their payloads.

Sides speak in turns; a turn is any number of frames and one END, so neither side ever writes while the
other does too. Everything that arrives is checked here; what is not exactly a message raises PeerProtocol.
docs/spec/sync.md.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from struct import Struct
from typing import Any, Final, NamedTuple, Protocol

from chaise_cli.errors import ChaiseError, Newer, Unreachable
from chaise_cli.ledger import canonical, receipt

from . import ranges as spans
from .replica import Head

VERSION: Final = 1
FRAME_LIMIT: Final = 4 * 1024 * 1024
TURN_LIMIT: Final = 32 * 1024 * 1024  # bytes of one turn, attachments aside; no honest one comes near
BUFFER: Final = 256 * 1024
CODE_LIMIT: Final = 64
MAILBOX: Final = 32  # bytes of a mailbox's name
PAIR_MOST: Final = 16 * 1024  # bytes of a message in a pairing
TEXT_LIMIT: Final = 500

HELLO: Final = 1
PROOF: Final = 2
SUMMARY: Final = 3
SPACES: Final = 4
HEADS: Final = 5
SEGMENT: Final = 6
RESULT: Final = 7
WANT: Final = 8
OBJECT: Final = 9
OBJECT_END: Final = 10
END: Final = 11
BYE: Final = 12
ERROR: Final = 13
RANGES: Final = 14
PARTS: Final = 15
RECEIPTS: Final = 16
PAIR: Final = 17

_FRAME: Final = Struct(">BI")
_SUMMARY: Final = Struct(">32sB")
_SPACE: Final = Struct(f">32s{spans.POSITION}s")
_RANGE: Final = Struct(f">B{spans.WIDTH}s")
_PART: Final = Struct(">H")
_HEAD: Final = Struct(">32sQ32s")
_RESULT: Final = Struct(">32sII")


class PeerProtocol(Unreachable):
    """The peer said something that is no message, or none that belongs here."""

    code = "peer.protocol"
    message = "the other side does not speak the sync protocol: {why}"
    hint = "check that Chaise runs there and that nothing else (a login banner) writes to its output"
    why: str


class PeerClosed(Unreachable):
    """The peer's stream ended before the exchange did."""

    code = "peer.closed"
    message = "the other side ended in the middle of the exchange"
    hint = "what was received is kept; sync again"


class PeerNewer(Newer):
    """The peer speaks a version of the protocol this Chaise does not know."""

    code = "peer.newer"
    message = "the other side speaks version {version} of the sync protocol"
    hint = "upgrade Chaise here"
    version: int


class PeerFailed(Unreachable):
    """The peer met an error of its own and said so."""

    code = "peer.failed"
    message = "the other side stopped: {reason} ({peer_code})"
    hint = "mend it there, then sync again; what was received is kept"
    peer_code: str
    reason: str


class Stream(Protocol):
    """Bytes to and from a peer."""

    def read(self, size: int) -> bytes:
        """At least one and at most `size` bytes; none at the end of the stream."""

    def write(self, data: bytes) -> None:
        """Hand all of `data` to the peer."""


class Frame(NamedTuple):
    """One message: its kind and what it carries, not yet read."""

    kind: int
    payload: bytes


class Channel:
    """A stream as frames. Writing is buffered until the turn ends."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._out: list[bytes] = []
        self._size = 0
        self.aside: Callable[[bytes], None] | None = None  # takes what stands between other messages: RECEIPTS
        self._peeked: Frame | None = None

    def send(self, kind: int, payload: bytes = b"") -> None:
        """Put one frame into this side's turn."""
        assert len(payload) <= FRAME_LIMIT, "a frame over 4 MiB"
        self._out += (_FRAME.pack(kind, len(payload)), payload)
        self._size += len(payload)
        if self._size >= BUFFER:
            self.flush()

    def end(self) -> None:
        """End this side's turn."""
        self.send(END)
        self.flush()

    def flush(self) -> None:
        """Hand what was sent so far to the peer."""
        data, self._out, self._size = b"".join(self._out), [], 0
        self._stream.write(data)

    def peek(self) -> Frame:
        """The next frame, which `receive` gives once more. Raises as it does."""
        self._peeked = self.receive()
        return self._peeked

    def receive(self) -> Frame:
        """The next frame. Raises PeerProtocol, PeerClosed, and PeerFailed when the peer reports an error."""
        while (frame := self._frame()).kind == RECEIPTS and self.aside is not None:
            self.aside(frame.payload)
        return frame

    def _frame(self) -> Frame:
        if self._peeked is not None:
            frame, self._peeked = self._peeked, None
            return frame
        kind, size = _FRAME.unpack(self._read(_FRAME.size))
        if not HELLO <= kind <= PAIR:
            raise PeerProtocol(why=f"unknown message {kind}")
        if size > FRAME_LIMIT:
            raise PeerProtocol(why="a message over 4 MiB")
        frame = Frame(kind, self._read(size))
        if kind == ERROR:
            raise read_error(frame.payload)
        return frame

    def expect(self, kind: int) -> bytes:
        """The payload of the next frame, which has to be of this kind."""
        frame = self.receive()
        if frame.kind != kind:
            raise PeerProtocol(why=f"message {frame.kind} where {kind} belongs")
        return frame.payload

    def turn(self, allowed: Container[int], *, limit: int = TURN_LIMIT) -> Iterator[Frame]:
        """The frames of the peer's turn up to its END, each of an allowed kind."""
        size = 0
        while (frame := self.receive()).kind != END:
            size += len(frame.payload) + _FRAME.size
            if frame.kind not in allowed:
                raise PeerProtocol(why=f"message {frame.kind} out of turn")
            if size > limit:
                raise PeerProtocol(why="a turn that does not end")
            yield frame
        if frame.payload:
            raise PeerProtocol(why="an END that carries something")

    def over(self) -> None:
        """The peer's turn has to end here."""
        if self.expect(END):
            raise PeerProtocol(why="an END that carries something")

    def fail(self, failure: ChaiseError) -> None:
        """Tell the peer why this side stops, in place of whatever waits to be sent."""
        text = failure.sentence().encode("utf-8", "replace").decode()
        self._out, self._size = [], 0
        self.send(ERROR, canonical.encode({"code": failure.code, "text": text[:TEXT_LIMIT]}))
        self.flush()

    def _read(self, size: int) -> bytes:
        parts = []
        while size:
            part = self._stream.read(min(size, 1 << 20))
            if not part:
                raise PeerClosed
            parts.append(part)
            size -= len(part)
        return b"".join(parts)


def read_json(payload: bytes, keys: dict[str, type]) -> dict[str, object]:
    """The object in a control message: canonical JSON with exactly these keys of these types."""
    try:
        value = canonical.decode(payload)
    except canonical.NotCanonical as error:
        raise PeerProtocol(why="a control message that is not canonical JSON") from error
    if not isinstance(value, dict):
        raise PeerProtocol(why="a control message that is no object")
    version = value.get("version", VERSION)
    if type(version) is int and version > VERSION:
        raise PeerNewer(version=version)
    if set(value) != set(keys) or any(type(value[key]) is not kind for key, kind in keys.items()):
        raise PeerProtocol(why="a control message with other keys or types")
    return value


def read_error(payload: bytes) -> PeerFailed:
    """What the peer says stopped it, made printable."""
    value = read_json(payload, {"code": str, "text": str})
    code, text = str(value["code"]), str(value["text"])
    return PeerFailed(peer_code=printable(code, CODE_LIMIT), reason=printable(text, TEXT_LIMIT))


def printable(text: str, limit: int) -> str:
    """`text` on one line without any character a terminal would obey or hide, cut to `limit`."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text[:limit])


class Summary(NamedTuple):
    """One digest over all a peer may see, and whether attachments are wanted; a leader adds the digests of ranges."""

    digest: bytes
    wants: bool
    ranges: bytes = b""


def summary(said: Summary) -> bytes:
    """The payload of SUMMARY."""
    return _SUMMARY.pack(said.digest, said.wants) + said.ranges


def read_summary(payload: bytes, *, leads: bool) -> Summary:
    """What `summary` was given by a side that leads, or by one that follows."""
    size = _SUMMARY.size + (spans.WIDTH if leads else 0)
    if len(payload) != size or payload[_SUMMARY.size - 1] > 1:
        raise PeerProtocol(why="a malformed summary")
    digest, wants = _SUMMARY.unpack_from(payload)
    return Summary(digest, bool(wants), payload[_SUMMARY.size :])


def ranges(rows: Iterable[tuple[int, bytes]]) -> Iterator[bytes]:
    """Payloads of RANGES: numbers of ranges, each with the digests of its parts."""
    return pages([_RANGE.pack(*row) for row in rows])


def read_ranges(payload: bytes) -> list[tuple[int, bytes]]:
    """Numbers of ranges, each with the digests of its parts."""
    rows = [(number, digests) for number, digests in _rows(_RANGE, payload, "malformed ranges")]
    if any(number >= spans.FAN for number, _ in rows):
        raise PeerProtocol(why="a range that does not exist")
    return rows


def parts(numbers: Iterable[int]) -> Iterator[bytes]:
    """Payloads of PARTS: numbers of parts."""
    return pages([_PART.pack(number) for number in numbers])


def read_parts(payload: bytes) -> list[int]:
    """Numbers of parts."""
    numbers = [number for (number,) in _rows(_PART, payload, "malformed parts")]
    if any(number >= spans.PARTS for number in numbers):
        raise PeerProtocol(why="a part that does not exist")
    return numbers


def pages(rows: Sequence[bytes], head: bytes = b"") -> Iterator[bytes]:
    """Payloads that carry `rows` of one size, as many to a frame as fit; at least one payload."""
    per_page = (FRAME_LIMIT - len(head)) // len(rows[0]) if rows else 1
    for start in range(0, max(len(rows), 1), per_page):
        yield head + b"".join(rows[start : start + per_page])


def spaces(marks: Iterable[tuple[bytes, bytes]]) -> Iterator[bytes]:
    """Payloads of SPACES: pairs of space and mark."""
    return pages([_SPACE.pack(space, mark) for space, mark in marks])


def read_spaces(payload: bytes) -> list[tuple[bytes, bytes]]:
    """Pairs of space and mark."""
    return [(space, mark) for space, mark in _rows(_SPACE, payload, "a malformed list of spaces")]


def heads(space: bytes, held: Iterable[Head]) -> Iterator[bytes]:
    """Payloads of HEADS: a space and the heads held of it."""
    return pages([_HEAD.pack(*head) for head in held], space)


def read_heads(payload: bytes) -> tuple[bytes, list[Head]]:
    """A space and the peer's heads of it."""
    if len(payload) < 32:
        raise PeerProtocol(why="malformed heads")
    return payload[:32], _read_heads(payload[32:])


def result(space: bytes, accepted: int, rejected: int, now: Iterable[Head]) -> bytes:
    """The payload of RESULT: what became of the segments of one space, and the heads of their chains now."""
    return _RESULT.pack(space, accepted, rejected) + b"".join(_HEAD.pack(*head) for head in now)


def read_result(payload: bytes) -> tuple[bytes, int, int, list[Head]]:
    """Space, events accepted and rejected, heads of the chains the segments were of."""
    if len(payload) < _RESULT.size:
        raise PeerProtocol(why="a malformed result")
    return *_RESULT.unpack_from(payload), _read_heads(payload[_RESULT.size :])


def read_pair(payload: bytes) -> tuple[bytes, bytes]:
    """The mailbox and the message of a device that asks to be let in. Raises PeerProtocol."""
    if not MAILBOX < len(payload) <= MAILBOX + PAIR_MOST:
        raise PeerProtocol(why="a malformed pairing")
    return payload[:MAILBOX], payload[MAILBOX:]


def read_receipts(payload: bytes) -> list[bytes]:
    """The receipts in a RECEIPTS frame, packed and not looked at yet. Raises PeerProtocol."""
    if len(payload) % receipt.SIZE:
        raise PeerProtocol(why="receipts of another size")
    return [payload[at : at + receipt.SIZE] for at in range(0, len(payload), receipt.SIZE)]


def read_wants(payload: bytes) -> list[bytes]:
    """Addresses of attachments."""
    if len(payload) % 32:
        raise PeerProtocol(why="a malformed list of attachments")
    return [payload[at : at + 32] for at in range(0, len(payload), 32)]


def _read_heads(rows: bytes) -> list[Head]:
    made = [Head(device, seq, event) for device, seq, event in _rows(_HEAD, rows, "malformed heads")]
    if any(head.seq >= 2**63 for head in made):
        raise PeerProtocol(why="a head out of range")
    return made


def _rows(form: Struct, payload: bytes, why: str) -> Iterator[tuple[Any, ...]]:
    if len(payload) % form.size:
        raise PeerProtocol(why=why)
    return form.iter_unpack(payload)
