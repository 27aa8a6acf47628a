"""Events of one space out of many packs, in an order in which a replica can take them.

Packs come in any order and overlap. Chains take turns and go up by seq; what is refused is tried again as
long as anything else moves. A pack is *good* when all of its events are held here and proved to be the
same: only then does it count as a copy that lies in the place. Where a device wrote several histories, a seq
says little: then the ids of what was read are looked up.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from chaise_cli.errors import ChaiseError, Corrupt, Newer
from chaise_cli.ledger import segment as segments
from chaise_cli.ledger.segment import Segment

from . import engine
from .coverage import Coverage
from .engine import Tally, Tips
from .pack import Entry
from .replica import Head, Replica


class Placed(NamedTuple):
    """A segment in a pack, ordered by chain and seq."""

    device: bytes
    first: int
    last: int
    pack: str
    entry: Entry


Load = Callable[[str, Entry], Segment]


class Intake:
    """The events of one space found in a place."""

    def __init__(
        self, replica: Replica, space: bytes, packs: Mapping[str, Iterable[Entry]], load: Load, tally: Tally
    ) -> None:
        """`load` gives the segment of an entry of a pack; raises Corrupt when it cannot."""
        self._replica = replica
        self._space = space
        self._load = load
        self._tally = tally
        self._names = set(packs)
        placed = [Placed(e.device, e.first, e.last, name, e) for name, entries in packs.items() for e in entries]
        self._chains: dict[bytes, list[Placed]] = {}
        for segment in sorted(placed):
            self._chains.setdefault(segment.device, []).append(segment)
        self._held: set[Placed] = set()  # proved to be held here
        self._bad: set[Placed] = set()  # never to be tried again
        self._parting: set[Placed] = set()  # of another history than the one that was held first
        self._batch: list[tuple[Placed, Segment]] = []
        self._events = 0
        self._size = 0
        self._heads: Tips = {}
        self._next: dict[bytes, int] = {}  # seq up to which each chain is held, by its longest history
        self._expected: dict[bytes, int] = {}  # the same, should the batch be accepted

    def take(self) -> set[str]:
        """Admit what can be admitted. The names of the packs that are good."""
        self._refresh()
        mark = self._tally.mark()
        while self._round() and self._open():
            self._tally.forget(mark)
        for placed in self._open():
            held = self._next.get(placed.device, 0)
            if held < placed.first and any(self._offered(placed.device).missing(held, placed.first - 1)):
                chain = engine.chain_of(self._space, placed.device)
                self._tally.problem("pack.incomplete", f"events of {chain} are here, but not those before them")
        return self._names - {placed.pack for placed in (*self._open(), *self._bad)}

    def _offered(self, device: bytes) -> Coverage:
        """What of a chain lies in the packs: what came before may be there and be refused, which is told by itself."""
        found = Coverage()
        for placed in self._chains[device]:
            found.add(placed.first, placed.last)
        return found

    def _open(self) -> list[Placed]:
        """Segments that may still be accepted."""
        return [p for chain in self._chains.values() for p in chain if p not in self._held and p not in self._bad]

    def _round(self) -> bool:
        """One turn through all chains; whether anything was kept."""
        before = self._tally.received
        row = deque((device, 0) for device in self._chains)
        while row:
            device, at = row.popleft()
            following = self._step(device, at)
            if following is not None:
                row.append((device, following))
            if self._events >= engine.BATCH_EVENTS or self._size >= engine.BATCH_BYTES:
                self._admit()
        self._admit()
        return self._tally.received > before

    def _step(self, device: bytes, at: int) -> int | None:
        """Deal with one segment of a chain; where to go on in it, None when this round is over for it."""
        if at == len(self._chains[device]):
            return None
        placed = self._chains[device][at]
        held, expected = self._next.get(device, 0), self._expected.get(device, 0)
        if placed in self._held or placed in self._bad:
            return at + 1
        if placed.last < held and self._settled(placed):
            return at + 1
        if placed.first > expected:
            return None
        if placed.first < expected != held:  # overlaps the batch: whether this one is good is only seen alone
            self._admit()
            return at
        self._put(placed)
        return at + 1

    def _put(self, placed: Placed) -> None:
        """Into the batch."""
        try:
            segment = self._load(placed.pack, placed.entry)
        except Corrupt as error:
            self._blame(placed, error)
            return
        self._batch.append((placed, segment))
        self._events += len(segment.events)
        self._size += placed.entry.size
        self._expected[placed.device] = placed.last + 1

    def _admit(self) -> None:
        batch, self._batch, self._events, self._size = self._batch, [], 0, 0
        if batch:
            engine.admit(self._replica, [segment for _, segment in batch], self._tally)
            self._refresh()
            self._held.update(placed for placed, segment in batch if self._is_held(placed, segment))

    def _refresh(self) -> None:
        self._heads = engine.tips(self._replica, self._space)
        self._next = {device: heads[-1].seq + 1 for device, heads in self._heads.items()}
        self._expected = dict(self._next)

    def _is_held(self, placed: Placed, segment: Segment) -> bool:
        """Whether a segment that was just offered was taken."""
        if placed.last >= self._next.get(placed.device, 0):
            return False
        straight = len(self._heads[placed.device]) == 1 and placed not in self._parting
        return straight or self._holds(placed, segments.links(segment)[-1].id)

    def _holds(self, placed: Placed, last: bytes) -> bool:
        head = Head(placed.device, placed.last, last)
        return self._replica.common(self._space, head, head) is not None

    def _settled(self, placed: Placed) -> bool:
        """Compare a segment whose seqs are held already: a copy counts only if it is one.

        False when it is of another history, which is still to be taken.
        """
        try:
            last = segments.verify(self._load(placed.pack, placed.entry))[-1].id
        except (Corrupt, Newer) as error:
            self._blame(placed, error)
            return True
        if not self._holds(placed, last):
            self._parting.add(placed)
            return False
        self._held.add(placed)
        return True

    def _blame(self, placed: Placed, error: ChaiseError) -> None:
        self._bad.add(placed)
        self._tally.problem(error.code, f"pack {placed.pack[:16]}: {error.sentence()}")
