"""The exchange between two proven peers on one channel, in turns: compare, events, attachments.

Compare goes from one digest over everything both may see, to one a space, to the heads of those spaces
that differ; nothing new ends after one round trip. Then each side's turn carries what became of the
other's last events and a batch of its own. docs/spec/sync.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from typing import Final, NamedTuple

from chaise_cli.ledger import segment as segments
from chaise_cli.ledger.segment import BadSegment, Segment

from . import engine, wire
from .engine import Offer, Tally
from .handshake import Peer
from .replica import Head, Replica

PASSES: Final = 50  # compare and exchange again at most so often; two are the rule
FRUITLESS: Final = 100  # turns in a row of which nothing was kept, before the peer is held to be broken
SPACES_LIMIT: Final = 100_000
EVENTS_LIMIT: Final = 20_000  # of one turn; an honest batch ends at about 5,000
OBJECTS_LIMIT: Final = 1 << 40  # bytes of attachments in one turn; how large one may be is the store's to say
PIECE: Final = 1024 * 1024

Heads = dict[bytes, Head]


class View(NamedTuple):
    """What of this replica the peer may see: heads by device, by space, in the order of exchange."""

    spaces: dict[bytes, Heads]

    def digests(self) -> list[tuple[bytes, bytes]]:
        """One digest a space."""
        return [(space, _digest(sorted(held.values()))) for space, held in self.spaces.items()]


def _digest(held: Iterable[Head]) -> bytes:
    return sha256(b"".join([device + seq.to_bytes(8, "big") + event for device, seq, event in held])).digest()


def _whole(digests: Sequence[tuple[bytes, bytes]]) -> bytes:
    return sha256(b"".join([space + digest for space, digest in sorted(digests)])).digest()


def view(replica: Replica, peer: Peer) -> View:
    """The spaces the peer may see as they stand now."""
    shown = engine.in_order(info for info in replica.spaces() if peer.may_see(info))
    return View({info.id: engine.fingerprints(replica, info.id) for info in shown})


class Dialogue:
    """One exchange with a proven peer."""

    def __init__(self, channel: wire.Channel, replica: Replica, peer: Peer, tally: Tally) -> None:
        self._channel = channel
        self._replica = replica
        self._peer = peer
        self._tally = tally
        self._moved = 0  # events kept on either side in this pass
        self._offered: dict[bytes, int] = {}  # events of the last batch, by space
        self._reached: dict[tuple[bytes, bytes], int] = {}  # the last seq of each chain in the last batch
        self._wanted: set[bytes] = set()  # attachments asked for and not yet come
        self._start = tally.mark()

    def lead(self) -> None:
        """Take both sides to the same events and attachments; ends when nothing moves any more."""
        wanted = False
        for _ in range(PASSES):
            mine = view(self._replica, self._peer)
            self._tally.shared = frozenset(mine.spaces)
            differing, wanted = self._lead_compare(mine)
            if not differing:
                break
            for space in differing:
                self._send_heads(mine, space)
            self._channel.end()
            self._exchange(mine, self._read_heads(), leads=True)
            if not self._moved:
                break
        if wanted:
            self._lead_objects()
        self._channel.send(wire.BYE)
        self._channel.flush()

    def follow(self) -> None:
        """Answer a peer that leads, until it says goodbye."""
        while (frame := self._channel.receive()).kind != wire.BYE:
            if frame.kind == wire.WANT:
                self._follow_objects(frame)
            elif frame.kind == wire.SUMMARY:
                self._channel.over()
                self._follow_pass(wire.read_summary(frame.payload)[0])
            else:
                raise wire.PeerProtocol(why=f"message {frame.kind} where a comparison begins")

    def _lead_compare(self, mine: View) -> tuple[list[bytes], bool]:
        """The spaces in which the sides differ, and whether either wants attachments."""
        own = mine.digests()
        digest, wants = self._send_summary(own)
        self._channel.end()
        theirs, they_want = wire.read_summary(self._channel.expect(wire.SUMMARY))
        turn = self._channel.turn((wire.SPACES,))
        known = dict(pair for frame in turn for pair in wire.read_spaces(frame.payload))
        if theirs == digest:
            return [], wants or they_want
        differing = [space for space, digest in own if known.get(space) != digest]
        return differing + [space for space in known if space not in mine.spaces], wants or they_want

    def _send_summary(self, digests: Sequence[tuple[bytes, bytes]]) -> tuple[bytes, bool]:
        digest, wants = _whole(digests), bool(self._replica.objects_wanted())
        self._channel.send(wire.SUMMARY, wire.summary(digest, wants=wants))
        return digest, wants

    def _follow_pass(self, theirs: bytes) -> None:
        mine = view(self._replica, self._peer)
        self._tally.shared = frozenset(mine.spaces)
        digests = mine.digests()
        digest, _ = self._send_summary(digests)
        if digest == theirs:
            self._channel.end()
            return
        for payload in wire.spaces(digests):
            self._channel.send(wire.SPACES, payload)
        self._channel.end()
        asked = self._read_heads()
        for space in asked:
            self._send_heads(mine, space)
        self._channel.end()
        self._exchange(mine, asked, leads=False)

    def _send_heads(self, mine: View, space: bytes) -> None:
        for payload in wire.heads(space, mine.spaces.get(space, {}).values()):
            self._channel.send(wire.HEADS, payload)

    def _read_heads(self) -> dict[bytes, Heads]:
        theirs: dict[bytes, Heads] = {}
        for frame in self._channel.turn((wire.HEADS,)):
            space, held = wire.read_heads(frame.payload)
            theirs.setdefault(space, {}).update({head.device: head for head in held})
            if len(theirs) > SPACES_LIMIT:
                raise wire.PeerProtocol(why="heads of more than 100,000 spaces")
        return theirs

    def _exchange(self, mine: View, theirs: dict[bytes, Heads], *, leads: bool) -> None:
        """Batches in turns, until a turn of each side in a row brings no event."""
        self._tally.forget(self._start)
        offer = Offer(self._replica, [(s, h) for s, h in mine.spaces.items() if s in theirs], theirs, self._tally)
        coming = _Count(self._tally, "receive", _ahead(theirs, mine))
        going = _Count(self._tally, "send", offer.total)
        self._moved = fruitless = 0
        quiet = self._give_batch(offer) if leads else False
        while True:
            arrived = self._read_batch(offer, going)
            if quiet and not arrived:
                return
            kept = sum([self._keep(space, group) for space, group in engine.by_space(arrived)])
            coming.add(kept)
            fruitless = 0 if kept or not arrived else fruitless + 1
            if fruitless > FRUITLESS:
                raise wire.PeerProtocol(why="events without end, none of which holds")
            quiet = self._give_batch(offer)
            if quiet and not arrived:
                return

    def _give_batch(self, offer: Offer) -> bool:
        """End this side's turn with a batch; whether there was nothing to give."""
        self._offered, self._reached = {}, {}
        for segment in offer.batch():
            self._channel.send(wire.SEGMENT, segments.pack(segment))
            self._offered[segment.space] = self._offered.get(segment.space, 0) + len(segment.events)
            self._reached[segment.space, segment.device] = segment.last_seq
        self._channel.end()
        return not self._offered

    def _read_batch(self, offer: Offer, going: _Count) -> list[Segment]:
        """The peer's turn: it says what became of this side's last batch, and brings its own."""
        arrived: list[Segment] = []
        events = 0
        for frame in self._channel.turn((wire.RESULT, wire.SEGMENT)):
            if frame.kind == wire.RESULT:
                going.add(self._told(offer, frame.payload))
                continue
            arrived.append(_segment(frame.payload))
            events += len(arrived[-1].events)
            if events > EVENTS_LIMIT:
                raise wire.PeerProtocol(why="more than 20,000 events in one turn")
        return arrived

    def _keep(self, space: bytes, group: list[Segment]) -> int:
        """Admit the peer's events of one space and put the answer into this side's turn. How many were kept."""
        accepted, rejected = engine.admit(self._replica, group, self._tally)
        self._moved += accepted
        if any(info.id == space and self._peer.may_see(info) for info in self._replica.spaces()):
            devices = {segment.device for segment in group}
            held = [head for head in self._replica.heads(space) if head.device in devices]
            answer = wire.result(space, accepted, rejected, held)
        else:  # whether a space that the peer may not see is held here stays unsaid
            answer = wire.result(space, 0, sum([len(segment.events) for segment in group]), ())
        self._channel.send(wire.RESULT, answer)
        return accepted

    def _told(self, offer: Offer, payload: bytes) -> int:
        """What the peer kept of the last batch; chains of which it did not take all are offered no more."""
        space, accepted, _, held = wire.read_result(payload)
        kept = min(accepted, self._offered.pop(space, 0))
        self._tally.sent += kept
        self._moved += kept
        now = {head.device: head.seq for head in held}
        for (of, device), seq in self._reached.items():
            if of == space and now.get(device, -1) < seq:
                offer.refuse(space, device)
        return kept

    def _lead_objects(self) -> None:
        self._want()
        self._channel.end()
        theirs = self._take_objects()
        self._give(theirs)
        self._channel.end()

    def _follow_objects(self, first: wire.Frame) -> None:
        theirs = wire.read_wants(first.payload)
        for frame in self._channel.turn((wire.WANT,)):
            theirs += wire.read_wants(frame.payload)
        self._give(theirs)
        self._want()
        self._channel.end()
        self._take_objects()

    def _want(self) -> None:
        wanted = list(self._replica.objects_wanted())
        self._wanted = set(wanted)
        for payload in wire.pages(wanted):
            self._channel.send(wire.WANT, payload)

    def _give(self, wanted: Sequence[bytes]) -> None:
        """Send the attachments asked for that are held and that a space the peer may see names."""
        shown = [info.id for info in self._replica.spaces() if self._peer.may_see(info)] if wanted else []
        open_to_peer = {address for space in shown for address in self._replica.objects_of(space)}
        allowed = [address for address in dict.fromkeys(wanted) if address in open_to_peer]
        for done, address in enumerate(allowed, 1):
            self._give_object(address)
            self._tally.progress("objects", done, len(allowed))

    def _give_object(self, address: bytes) -> None:
        pieces = self._replica.read_object(address)
        if pieces is None:
            return
        for piece in pieces:
            self._channel.send(wire.OBJECT, address + piece)
        self._channel.send(wire.OBJECT_END, address)

    def _take_objects(self) -> list[bytes]:
        """Keep the attachments in the peer's turn. What the peer wants itself."""
        theirs: list[bytes] = []
        turn = self._channel.turn((wire.OBJECT, wire.OBJECT_END, wire.WANT), limit=OBJECTS_LIMIT)
        for frame in turn:
            if frame.kind == wire.WANT:
                theirs += wire.read_wants(frame.payload)
            else:
                self._take_object(frame, turn)
        return theirs

    def _take_object(self, frame: wire.Frame, turn: Iterator[wire.Frame]) -> None:
        address = frame.payload[:32]
        if address not in self._wanted:
            raise wire.PeerProtocol(why="an attachment nobody asked for")
        self._wanted.discard(address)
        pieces = _pieces(address, frame, turn)
        if not self._replica.keep_object(address, pieces):
            self._tally.problem("object.damaged", f"attachment {address.hex()} does not have the hash it is named by")
        for _ in pieces:  # whatever the store did not read
            pass


class _Count:
    """Progress of one direction."""

    def __init__(self, tally: Tally, phase: str, total: int) -> None:
        self._tally = tally
        self._phase = phase
        self._total = total
        self._done = 0

    def add(self, events: int) -> None:
        """So many more went over."""
        self._done += events
        if events:
            self._tally.progress(self._phase, self._done, max(self._total, self._done))


def _pieces(address: bytes, frame: wire.Frame | None, turn: Iterator[wire.Frame]) -> Iterator[bytes]:
    """The bytes of one attachment out of the peer's turn."""
    while frame is not None and frame.kind == wire.OBJECT:
        if frame.payload[:32] != address or len(frame.payload) > 32 + PIECE:
            raise wire.PeerProtocol(why="a piece of another attachment, or one over 1 MiB")
        yield frame.payload[32:]
        frame = next(turn, None)
    if frame is None or frame.kind != wire.OBJECT_END or frame.payload != address:
        raise wire.PeerProtocol(why="an attachment without its end")


def _segment(payload: bytes) -> Segment:
    try:
        return segments.unpack(payload)
    except BadSegment as error:
        raise wire.PeerProtocol(why=f"malformed events: {error.why}") from error


def _ahead(theirs: dict[bytes, Heads], mine: View) -> int:
    """Events the peer holds and this side lacks, as far as heads tell."""
    total = 0
    for space, held in theirs.items():
        own = mine.spaces.get(space, {})
        total += sum([max(0, head.seq - own[d].seq) if d in own else head.seq + 1 for d, head in held.items()])
    return total
