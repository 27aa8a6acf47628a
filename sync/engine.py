"""The plan of an exchange: which events go over, in which batches, and what became of them.

A receiver keeps only so many events that cite what it does not hold yet. So the chains of a space take
turns, a part each, and a batch carries parts of many chains, because every admission has a price of its
own. What was refused is offered again as long as anything else still moves. docs/spec/sync.md.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, runtime_checkable

from chaise_cli import ids
from chaise_cli.errors import ChaiseError
from chaise_cli.ledger.segment import Segment

from .replica import Head, Problem, Replica, Signer, SpaceInfo

if TYPE_CHECKING:
    from .handshake import Peer

PART_EVENTS: Final = 500
PART_BYTES: Final = 1024 * 1024
BATCH_EVENTS: Final = 5_000
BATCH_BYTES: Final = 4 * 1024 * 1024
SEGMENT_BYTES: Final = 4 * 1024 * 1024 - 1024  # a longer one fits into no message
COMPARED: Final = 64  # heads of one device that are compared; of more, too much may be sent and never too little
PROBLEMS: Final = 1_000  # more are not reported
_EVENT_BYTES: Final = 13
_SEGMENT_HEAD: Final = 172
_KINDS: Final = {"self": 0, "board": 1, "deal": 2}  # keys before what they open, profiles before deals

Progress = Callable[[str, int, int], None]  # phase ('receive', 'send', 'objects'), done, total


def silent(_phase: str, _done: int, _total: int) -> None:
    """Progress that nobody watches."""


class Exchange(NamedTuple):
    """What a sync with one peer or place did. `failure` is what ended it early; what was done stays done."""

    sent: int  # events the other side kept for the first time
    received: int  # events kept here for the first time
    rejected: int  # events refused here
    problems: Sequence[Problem]
    failure: ChaiseError | None = None
    shared: frozenset[bytes] = frozenset()  # spaces that both sides may see: without a failure, alike on both now,
    lacking: frozenset[tuple[bytes, bytes]] = frozenset()  # but for these, space and device: the other side lacks some
    alarm: ChaiseError | None = None  # the other side was caught at a lie; what could be exchanged was


class Tally:
    """The running count of an exchange."""

    def __init__(self, progress: Progress = silent) -> None:
        self.sent = 0
        self.received = 0
        self.progress = progress
        self.shared: frozenset[bytes] = frozenset()
        self.lacking: frozenset[tuple[bytes, bytes]] = frozenset()
        self.peer: Peer | None = None  # the other side of a conversation, once it has proved itself
        self.compared = b""  # stands for what the peer was shown in the last comparison
        self.alarm: ChaiseError | None = None
        self._problems: dict[Problem, None] = {}
        self._refusals: list[tuple[int, Problem | None]] = []

    def problem(self, code: str, text: str) -> None:
        """Report something that stays as it is for this exchange; a repeat counts once."""
        if len(self._problems) < PROBLEMS:
            self._problems[Problem(code, text)] = None

    def refuse(self, events: int, problems: Iterable[Problem]) -> None:
        """Count events refused here, and why."""
        self._refusals += [(events, None), *((0, problem) for problem in problems)]

    def mark(self) -> int:
        """Where the refusals of a pass begin, for `forget`."""
        return len(self._refusals)

    def forget(self, mark: int) -> None:
        """Drop the refusals counted since `mark`: what was refused is about to be offered again."""
        del self._refusals[mark:]

    def exchange(self, failure: ChaiseError | None = None) -> Exchange:
        """The count as it stands."""
        refused = dict.fromkeys(problem for _, problem in self._refusals if problem is not None)
        problems = tuple({**self._problems, **refused})[:PROBLEMS]
        rejected = sum(events for events, _ in self._refusals)
        return Exchange(self.sent, self.received, rejected, problems, failure, self.shared, self.lacking, self.alarm)


class Transport(Protocol):
    """A way to another replica, or to a place that many leave their packs in."""

    def exchange(self, replica: Replica, signer: Signer, tally: Tally) -> None:
        """Bring both sides to the same events, as far as they may see them; count in `tally`.

        Idempotent, and safe to be cut off anywhere. Raises a ChaiseError when it has to end early.
        """


@runtime_checkable
class Waits(Protocol):
    """What a transport may offer beside `exchange`: to wait for news, in a thread of the caller's."""

    def wait(self, replica: Replica, signer: Signer, timeout_s: float) -> bool:
        """Whether there may be news since the last exchange; at once, as soon as there are, or False after a while.

        Never much longer than `timeout_s`. The replica is one of the calling thread's own. An exchange over the same
        transport may go on meanwhile in another thread. Raises a ChaiseError when nothing can be told.
        """


def exchange(replica: Replica, signer: Signer, transport: Transport, progress: Progress = silent) -> Exchange:
    """Sync over `transport`, both ways. A failure on the way ends up in the result, with what was done before."""
    tally = Tally(progress)
    try:
        transport.exchange(replica, signer, tally)
    except ChaiseError as error:
        return tally.exchange(error)
    return tally.exchange()


def name_of(space: bytes, kind: str = "space") -> str:
    """The public id of a space, for problems."""
    return f"{kind}-{ids.base32(space)}"


def chain_of(space: bytes, device: bytes) -> str:
    """The public ids of a chain, for problems."""
    return f"dev-{ids.base32(device)} in {name_of(space)}"


def in_order(spaces: Iterable[SpaceInfo]) -> list[SpaceInfo]:
    """Spaces in the order they are exchanged: self, boards, deals, each by id."""
    return sorted(spaces, key=lambda info: (_KINDS.get(info.kind, len(_KINDS)), info.id))


def size_of(segment: Segment) -> int:
    """Bytes of the packed segment."""
    return _SEGMENT_HEAD + sum([len(body) for _, _, body in segment.events]) + _EVENT_BYTES * len(segment.events)


def read_part(replica: Replica, space: bytes, head: Head, from_seq: int, tally: Tally) -> Segment | None:
    """The next part of a history, about 500 events or 1 MiB; None at its end, or when no part fits a message."""
    limit = PART_EVENTS
    while (segment := replica.read(space, head, from_seq, limit)) is not None:
        size = size_of(segment)
        if size <= PART_BYTES or (limit == 1 and size <= SEGMENT_BYTES):
            return segment
        if limit == 1:
            chain = chain_of(space, head.device)
            tally.problem("sync.too_large", f"event {from_seq} of {chain}: no signature within 4 MiB")
            return None
        limit = max(1, min(limit // 2, len(segment.events) * PART_BYTES // size))
    return None


def admit(replica: Replica, segments: Sequence[Segment], tally: Tally) -> tuple[int, int]:
    """Have segments of one space kept: one transaction. Events accepted and rejected."""
    admission = replica.admit(segments[0].space, segments)
    tally.received += admission.accepted
    tally.refuse(admission.rejected, admission.problems)
    return admission.accepted, admission.rejected


def by_space(segments: Iterable[Segment]) -> Iterator[tuple[bytes, list[Segment]]]:
    """Runs of segments of one space, in the order they came."""
    for space, group in groupby(segments, key=lambda segment: segment.space):
        yield space, list(group)


Tips = dict[bytes, list[Head]]  # heads by device: one each, but for devices that wrote several histories


def by_device(heads: Iterable[Head]) -> Tips:
    """Heads by device, those of a device in order."""
    held: Tips = {}
    for head in sorted(set(heads)):
        held.setdefault(head.device, []).append(head)
    return held


def tips(replica: Replica, space: bytes) -> Tips:
    """The heads held of a space, by device."""
    return by_device(replica.heads(space))


class _Span(NamedTuple):
    """What the other side lacks of the history that ends in `head`."""

    head: Head
    next_seq: int


class _Chain(NamedTuple):
    """One device's histories, of which the first is sent whole before the second begins."""

    space: bytes
    spans: tuple[_Span, ...]


class Offer:
    """What this side holds and the other lacks, in batches; a chain that is refused is not offered again."""

    def __init__(
        self,
        replica: Replica,
        spaces: Iterable[tuple[bytes, Mapping[bytes, Sequence[Head]]]],
        theirs: Mapping[bytes, Mapping[bytes, Sequence[Head]]],
        tally: Tally,
    ) -> None:
        """`spaces`: in order, each with this side's heads by device. `theirs`: the other side's heads."""
        self._replica = replica
        self._tally = tally
        self._refused: set[tuple[bytes, bytes]] = set()
        self._queues: deque[deque[_Chain]] = deque()
        self.total = 0
        for space, ours in spaces:
            chains = deque(self._lacking(space, ours, theirs.get(space, {})))
            if chains:
                self._queues.append(chains)

    def _lacking(
        self, space: bytes, ours: Mapping[bytes, Sequence[Head]], theirs: Mapping[bytes, Sequence[Head]]
    ) -> Iterator[_Chain]:
        for device in sorted(ours):
            there = theirs.get(device, ())
            known, sent = list(there[-COMPARED:]), deque[Head](maxlen=COMPARED)
            spans: list[_Span] = []
            for head in sorted(set(ours[device]).difference(there)):
                first = self._first(space, head, [*known, *sent])
                if first <= head.seq:
                    spans.append(_Span(head, first))
                    self.total += head.seq + 1 - first
                    sent.append(head)  # what is sent with this history need not be sent with the next
            if spans:
                yield _Chain(space, tuple(spans))

    def _first(self, space: bytes, head: Head, theirs: Sequence[Head]) -> int:
        """From where on the other side lacks a history, judged by its heads; its own seq + 1 for nothing.

        Where they part is known once both histories are held here. Before that, a head that is further on may well
        continue ours: its holder can tell, and sends it. Any other means that ours goes over whole.
        """
        shared = -1
        for other in theirs:
            at = self._replica.common(space, head, other)
            if at is None and other.seq > head.seq:
                return head.seq + 1
            shared = max(shared, -1 if at is None else at)
        return shared + 1

    def batch(self) -> list[Segment]:
        """The next segments, up to 5,000 events and about 4 MiB; empty when there is nothing left to offer."""
        made: list[Segment] = []
        events = size = 0
        while self._queues and events < BATCH_EVENTS and size < BATCH_BYTES:
            segment = self._next(self._queues[0])
            if segment is not None:
                made.append(segment)
                events += len(segment.events)
                size += size_of(segment)
            if not self._queues[0]:
                self._queues.popleft()
        return made

    def _next(self, chains: deque[_Chain]) -> Segment | None:
        """The next part of the chain whose turn it is, which then goes to the end of the row."""
        chain = chains.popleft()
        span, later = chain.spans[0], chain.spans[1:]
        if (chain.space, span.head.device) in self._refused:
            return None
        segment = read_part(self._replica, chain.space, span.head, span.next_seq, self._tally)
        if segment is not None and segment.last_seq < span.head.seq:
            later = (span._replace(next_seq=segment.last_seq + 1), *later)
        if later:
            chains.append(chain._replace(spans=later))
        return segment

    def refuse(self, space: bytes, device: bytes) -> None:
        """Offer nothing more of this chain: the other side did not take what came before."""
        self._refused.add((space, device))
