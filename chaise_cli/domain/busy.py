"""Busy time of other calendars: intervals, and nothing of what fills them. docs/spec/busy.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chaise_cli.domain.light import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable


class Busy(NamedTuple):
    """A time that is not free, half-open, ms since 1970, UTC."""

    start: int
    end: int


def merged(intervals: Iterable[tuple[int, int]]) -> list[Busy]:
    """The same instants in as few intervals as can be, in order; what has no length is left out.

    >>> merged([(5, 9), (1, 3), (3, 4), (8, 12), (20, 20)])
    [Busy(start=1, end=4), Busy(start=5, end=12)]
    """
    found: list[Busy] = []
    for start, end in sorted(intervals):
        if start >= end:
            continue
        if found and start <= found[-1].end:
            found[-1] = Busy(found[-1].start, max(end, found[-1].end))
        else:
            found.append(Busy(start, end))
    return found
