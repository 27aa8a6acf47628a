"""Which events of a space's histories lie in a place: what packs say they hold, set against the heads held here.

A range of a pack says up to which event it goes, and with that of which history it is. Where a device wrote only
one, its seqs say it all; where it wrote several, a range counts for each as far as they share it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from .coverage import Coverage
from .engine import Tips
from .pack import Range
from .replica import Head, Replica


class Span(NamedTuple):
    """Events from `first` to `last` of the history that ends in `head`."""

    head: Head
    first: int
    last: int


class Histories:
    """The heads held of one space, and how histories of one device part."""

    def __init__(self, replica: Replica, space: bytes, heads: Tips) -> None:
        self._replica, self._space, self._heads = replica, space, heads

    def holds(self, row: Range, *, own: bool) -> bool:
        """Whether the events of a range that was admitted once are still held.

        own: they are this device's. After its store was set back it may have gone on with another history, so its seqs
        prove nothing; those of others do, without a look-up.
        """
        heads = self._heads.get(row.device, ())
        if len(heads) == 1 and not own:
            (head,) = heads
            return head.seq > row.last or (head.seq == row.last and head.id == row.last_id)
        return self._common(_end(row), _end(row)) >= 0

    def coverage(self, rows: Iterable[Range]) -> dict[Head, Coverage]:
        """What ranges cover of each history held. Their events have to be held."""
        held: dict[Head, Coverage] = {}
        for row in rows:
            heads = self._heads.get(row.device, ())
            for head in heads:
                last = row.last if len(heads) == 1 else min(row.last, self._common(head, _end(row)))
                if last >= row.first:
                    held.setdefault(head, Coverage()).add(row.first, last)
        return held

    def missing(self, there: dict[Head, Coverage], wanted: Iterable[Span] | None = None) -> list[Span]:
        """What `there` lacks of `wanted` (all that is held, when None), in order, nothing twice."""
        found: list[Span] = []
        for span in [Span(head, 0, head.seq) for head in self._all()] if wanted is None else wanted:
            held = there.setdefault(span.head, Coverage())
            gaps = list(held.missing(span.first, span.last))
            found += [Span(span.head, *gap) for gap in gaps]
            for gap in gaps:
                self._share(there, Span(span.head, *gap))
        return found

    def _share(self, there: dict[Head, Coverage], span: Span) -> None:
        """Count a span for every history it is a part of."""
        for head in self._heads.get(span.head.device, ()):
            last = span.last if head == span.head else min(span.last, self._common(head, span.head))
            if last >= span.first:
                there.setdefault(head, Coverage()).add(span.first, last)

    def _all(self) -> list[Head]:
        return sorted(head for heads in self._heads.values() for head in heads)

    def _common(self, one: Head, other: Head) -> int:
        found = self._replica.common(self._space, one, other)
        return -1 if found is None else found


def _end(row: Range) -> Head:
    return Head(row.device, row.last, row.last_id)
