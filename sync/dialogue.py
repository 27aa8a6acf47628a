"""The exchange between two proven peers on one channel, in turns: compare, events, attachments.

Compare goes from one digest over everything both may see and those of 32 ranges, to parts of ranges, to the
heads of those spaces that differ; nothing new ends after one round trip. Then each side's turn carries what
became of the other's last events and a batch of its own. docs/spec/sync.md.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Final, NamedTuple

from chaise_cli.ledger import segment as segments
from chaise_cli.ledger.segment import BadSegment, Segment

from . import engine, ranges, wire
from .engine import Offer, Tally, Tips
from .handshake import Peer
from .replica import Head, Replica, position
from .witness import Witness

PASSES: Final = 50  # compare and exchange again at most so often; two are the rule
FRUITLESS: Final = 100  # turns in a row of which nothing was kept, before the peer is held to be broken
SPACES_LIMIT: Final = 100_000
EVENTS_LIMIT: Final = 20_000  # of one turn; an honest batch ends at about 5,000
OBJECTS_LIMIT: Final = 1 << 40  # bytes of attachments in one turn; how large one may be is the store's to say
PIECE: Final = 1024 * 1024


class View(NamedTuple):
    """What of this replica the peer may see, in the order of exchange, for one comparison.

    A *mark* stands for a space as it is held. It differs in every comparison, so no two spaces, nor two digests
    cut short, look alike for good.
    """

    marks: dict[bytes, bytes]

    def summary(self, *, wants: bool, leads: bool) -> wire.Summary:
        """What a comparison begins with."""
        return wire.Summary(ranges.whole(self.marks), wants, ranges.ranges(self.marks) if leads else b"")

    def differing_ranges(self, theirs: bytes) -> list[tuple[int, bytes]]:
        """The ranges whose digests differ from those a peer sent, with the digests of their parts."""
        own = ranges.ranges(self.marks)
        return [(number, ranges.parts(self.marks, number)) for number in ranges.differing(own, theirs)]

    def differing_parts(self, theirs: Mapping[int, bytes]) -> list[int]:
        """The parts that differ in the ranges of which a peer sent them."""
        return [
            number * ranges.FAN + part
            for number, digests in sorted(theirs.items())
            for part in ranges.differing(ranges.parts(self.marks, number), digests)
        ]


def shown(replica: Replica, peer: Peer) -> dict[bytes, bytes]:
    """The positions of the spaces the peer may see, as they stand now, in the order of exchange."""
    spaces = engine.in_order(info for info in replica.spaces() if peer.may_see(info))
    held, empty = replica.positions(), position(())
    return {info.id: held.get(info.id, empty) for info in spaces}


def view(positions: Mapping[bytes, bytes], peer: Peer, number: int, signed: Mapping[bytes, bytes]) -> View:
    """What stands for these spaces in the comparison of this number, from 0 in each conversation.

    signed: by space, what relays that both use have signed last. So two sides that hold the same events and were told
    of two orders do not look alike, and show one another their receipts.
    """
    salt = peer.transcript + number.to_bytes(4, "big")
    return View({space: mark(salt, space, at, signed.get(space, b"")) for space, at in positions.items()})


def mark(salt: bytes, space: bytes, at: bytes, signed: bytes = b"") -> bytes:
    """8 bytes that stand for a space at a position, in one comparison alone."""
    return sha256(salt + space + at + signed).digest()[: ranges.POSITION]


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
        self._witness = Witness(replica, peer, tally)
        channel.aside = self._witness.hear

    def lead(self) -> None:
        """Take both sides to the same events and attachments; ends when nothing moves any more."""
        wanted = False
        for number in range(PASSES):
            mine = self._look(number)
            theirs, alike, wanted = self._lead_compare(mine)
            if alike:
                break
            ours = self._own_heads(mine, theirs)
            self._tally.lacking = _lacking(ours, theirs)
            for space in theirs:
                self._send_heads(space, ours.get(space, {}))
            self._exchange(ours, theirs)
            if theirs and not self._moved:  # when no space explains the difference, two digests looked alike by chance
                break
        if wanted:
            self._lead_objects()
        self._channel.send(wire.BYE)
        self._channel.flush()

    def follow(self) -> None:
        """Answer a peer that leads, until it says goodbye."""
        number = 0
        while (frame := self._channel.receive()).kind != wire.BYE:
            if frame.kind == wire.WANT:
                self._follow_objects(frame)
            elif frame.kind == wire.SUMMARY:
                self._channel.over()
                self._follow_pass(self._look(number), wire.read_summary(frame.payload, leads=True))
                number += 1
            else:
                raise wire.PeerProtocol(why=f"message {frame.kind} where a comparison begins")

    def _look(self, number: int) -> View:
        positions = shown(self._replica, self._peer)
        self._tally.shared, self._tally.lacking = frozenset(positions), frozenset()
        self._tally.compared = ranges.whole(positions)
        return view(positions, self._peer, number, self._replica.signed(self._peer.relays))

    def _lead_compare(self, mine: View) -> tuple[dict[bytes, Tips], bool, bool]:
        """The peer's heads of the spaces that differ, whether all is alike, and whether either wants attachments."""
        said = self._send_summary(mine, leads=True)
        self._channel.end()
        heard = wire.read_summary(self._channel.expect(wire.SUMMARY), leads=False)
        wanted = said.wants or heard.wants
        rows = [row for frame in self._channel.turn((wire.RANGES,)) for row in wire.read_ranges(frame.payload)]
        if heard.digest == said.digest:
            return {}, True, wanted
        chosen = mine.differing_parts(dict(rows))
        self._send_all(wire.PARTS, wire.parts(chosen))
        self._send_all(wire.SPACES, wire.spaces(ranges.within(mine.marks, chosen).items()))
        self._channel.end()
        theirs: dict[bytes, Tips] = {}
        for frame in self._channel.turn((wire.HEADS,)):
            _note_heads(theirs, frame)
        return theirs, False, wanted

    def _send_summary(self, mine: View, *, leads: bool) -> wire.Summary:
        said = mine.summary(wants=bool(self._replica.objects_wanted()), leads=leads)
        self._channel.send(wire.SUMMARY, wire.summary(said))
        return said

    def _send_all(self, kind: int, payloads: Iterable[bytes]) -> None:
        for payload in payloads:
            self._channel.send(kind, payload)

    def _follow_pass(self, mine: View, heard: wire.Summary) -> None:
        said = self._send_summary(mine, leads=False)
        if said.digest == heard.digest:
            self._channel.end()
            return
        self._send_all(wire.RANGES, wire.ranges(mine.differing_ranges(heard.ranges)))
        self._channel.end()
        asked = self._asked(mine)
        ours = self._own_heads(mine, asked)
        for space in asked:
            self._send_heads(space, ours.get(space, {}))
        self._channel.end()
        theirs: dict[bytes, Tips] = {}
        arrived = self._read_first_batch(theirs)
        self._tally.lacking = _lacking(ours, theirs)
        self._exchange({space: ours[space] for space in ours if space in theirs}, theirs, arrived)

    def _asked(self, mine: View) -> list[bytes]:
        """The spaces that differ, or that one side does not hold, among those in the parts that the peer names."""
        chosen: set[int] = set()
        theirs: dict[bytes, bytes] = {}
        for frame in self._channel.turn((wire.PARTS, wire.SPACES)):
            if frame.kind == wire.PARTS:
                chosen.update(wire.read_parts(frame.payload))
            else:
                theirs |= dict(wire.read_spaces(frame.payload))
        if len(theirs) > SPACES_LIMIT:
            raise wire.PeerProtocol(why="more than 100,000 spaces")
        if any(ranges.part_of(space) not in chosen for space in theirs):
            raise wire.PeerProtocol(why="a space outside the parts that differ")
        own = ranges.within(mine.marks, chosen)
        return [space for space in own if theirs.get(space) != own[space]] + [s for s in theirs if s not in own]

    def _own_heads(self, mine: View, asked: Container[bytes]) -> dict[bytes, Tips]:
        """This side's heads of the spaces in question that the peer may see, in the order of exchange."""
        return {space: engine.tips(self._replica, space) for space in mine.marks if space in asked}

    def _send_heads(self, space: bytes, held: Tips) -> None:
        self._send_all(wire.HEADS, wire.heads(space, _sorted(held)))
        self._send_all(wire.RECEIPTS, self._witness.shown(space))

    def _read_first_batch(self, theirs: dict[bytes, Tips]) -> list[Segment]:
        """The leader's first turn of events: its heads of the spaces in question, then the first batch."""
        arrived = _Arrived()
        for frame in self._channel.turn((wire.HEADS, wire.SEGMENT)):
            if frame.kind == wire.SEGMENT:
                arrived.add(frame)
            elif arrived.segments:
                raise wire.PeerProtocol(why="heads after events")
            else:
                _note_heads(theirs, frame)
        return arrived.segments

    def _exchange(
        self, ours: dict[bytes, Tips], theirs: dict[bytes, Tips], arrived: list[Segment] | None = None
    ) -> None:
        """Batches in turns, until a turn of each side in a row brings no event.

        arrived: what the peer's first turn brought; None when the first turn is this side's.
        """
        self._tally.forget(self._start)
        offer = Offer(self._replica, list(ours.items()), theirs, self._tally)
        coming = _Count(self._tally, "receive", _ahead(theirs, ours))
        going = _Count(self._tally, "send", offer.total)
        self._moved = fruitless = 0
        quiet = False
        if arrived is None:
            quiet = self._give_batch(offer)
            arrived = self._read_batch(offer, going)
        while arrived or not quiet:
            kept = sum([self._keep(space, group) for space, group in engine.by_space(arrived)])
            coming.add(kept)
            fruitless = 0 if kept or not arrived else fruitless + 1
            if fruitless > FRUITLESS:
                raise wire.PeerProtocol(why="events without end, none of which holds")
            quiet = self._give_batch(offer)
            if quiet and not arrived:
                return
            arrived = self._read_batch(offer, going)

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
        arrived = _Arrived()
        for frame in self._channel.turn((wire.RESULT, wire.SEGMENT)):
            if frame.kind == wire.RESULT:
                going.add(self._told(offer, frame.payload))
            else:
                arrived.add(frame)
        return arrived.segments

    def _keep(self, space: bytes, group: list[Segment]) -> int:
        """Admit the peer's events of one space and put the answer into this side's turn. How many were kept."""
        accepted, rejected = engine.admit(self._replica, group, self._tally)
        self._moved += accepted
        if self._shows(space):
            devices = {segment.device for segment in group}
            held = [head for head in self._replica.heads(space) if head.device in devices]
            answer = wire.result(space, accepted, rejected, held)
        else:  # whether a space that the peer may not see is held here stays unsaid
            answer = wire.result(space, 0, sum([len(segment.events) for segment in group]), ())
        self._channel.send(wire.RESULT, answer)
        return accepted

    def _shows(self, space: bytes) -> bool:
        """Whether the peer may see the space; a deal may name it only since its last events came."""
        if space in self._tally.shared:
            return True
        return any(info.id == space and self._peer.may_see(info) for info in self._replica.spaces())

    def _told(self, offer: Offer, payload: bytes) -> int:
        """What the peer kept of the last batch; chains of which it did not take all are offered no more."""
        space, accepted, _, held = wire.read_result(payload)
        kept = min(accepted, self._offered.pop(space, 0))
        self._tally.sent += kept
        self._moved += kept
        now = {device: max(head.seq for head in heads) for device, heads in engine.by_device(held).items()}
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


class _Arrived:
    """The segments of one turn."""

    def __init__(self) -> None:
        self.segments: list[Segment] = []
        self._events = 0

    def add(self, frame: wire.Frame) -> None:
        """One more segment. Raises PeerProtocol."""
        try:
            self.segments.append(segments.unpack(frame.payload))
        except BadSegment as error:
            raise wire.PeerProtocol(why=f"malformed events: {error.why}") from error
        self._events += len(self.segments[-1].events)
        if self._events > EVENTS_LIMIT:
            raise wire.PeerProtocol(why="more than 20,000 events in one turn")


def _sorted(held: Tips) -> list[Head]:
    return sorted(head for heads in held.values() for head in heads)


def _note_heads(theirs: dict[bytes, Tips], frame: wire.Frame) -> None:
    space, held = wire.read_heads(frame.payload)
    known = [head for heads in theirs.get(space, {}).values() for head in heads]
    theirs[space] = engine.by_device([*known, *held])
    if len(theirs) > SPACES_LIMIT:
        raise wire.PeerProtocol(why="heads of more than 100,000 spaces")


def _lacking(ours: dict[bytes, Tips], theirs: dict[bytes, Tips]) -> frozenset[tuple[bytes, bytes]]:
    """The chains that the peer does not hold as they are held here; after a pass that moved nothing, so it stays."""
    return frozenset(
        (space, device)
        for space, held in ours.items()
        for device, heads in held.items()
        if set(heads) - set(theirs.get(space, {}).get(device, ()))
    )


def _ahead(theirs: dict[bytes, Tips], ours: dict[bytes, Tips]) -> int:
    """Events the peer holds and this side lacks, as far as heads tell."""
    total = 0
    for space, held in theirs.items():
        own = ours.get(space, {})
        for device, heads in held.items():
            here = max((head.seq for head in own.get(device, ())), default=-1)
            total += max(0, heads[-1].seq - here)
    return total
