"""Which events of one chain a place holds: ranges of seq."""

from __future__ import annotations

from collections.abc import Iterator


class Coverage:
    """A set of seqs, kept as ranges.

    >>> held = Coverage()
    >>> held.add(0, 4)
    >>> held.add(7, 9)
    >>> list(held.missing(0, 12))
    [(5, 6), (10, 12)]
    """

    def __init__(self) -> None:
        self._ranges: list[tuple[int, int]] = []

    def add(self, first: int, last: int) -> None:
        """Seqs from first to last, both included, are held."""
        kept = []
        for low, high in self._ranges:
            if high + 1 < first or last + 1 < low:
                kept.append((low, high))
            else:
                first, last = min(low, first), max(high, last)
        self._ranges = sorted([*kept, (first, last)])

    def missing(self, first: int, last: int) -> Iterator[tuple[int, int]]:
        """The ranges between first and last, both included, that are not held."""
        for low, high in self._ranges:
            if first < low:
                yield first, min(low - 1, last)
            first = max(first, high + 1)
            if first > last:
                return
        if first <= last:
            yield first, last

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return iter(self._ranges)
