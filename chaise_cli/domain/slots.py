"""Free times for calls: worked out from hours, buffers, limits and what is taken. docs/spec/bookings.md, Free times.

All of it happens on the UTC line: a range of hours becomes the instants at which the wall clock shows it, so a day
has 23 or 25 hours where the zone says so, no slot begins in a gap, and both passes of a repeated hour count. All
lengths and instants are ms (since 1970, UTC); the result follows from the arguments alone.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from chaise_cli.domain import when
from chaise_cli.domain.light import NamedTuple
from chaise_cli.domain.when import DAY, HOUR, MINUTE, SECOND

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from zoneinfo import ZoneInfo

    from chaise_cli.domain.availability import CallKind, SelfAvailability
    from chaise_cli.domain.booking_acts import Taken

_LOOK: Final = 6 * HOUR  # no zone changes its offset twice within this time; a test looks at all of them
_FIRST_DAY: Final = date(1970, 1, 1)  # a Thursday
_THURSDAY: Final = 3


class Span(NamedTuple):
    """A half-open interval."""

    start: int
    end: int


class _Piece(NamedTuple):
    """A part of the UTC line over which a zone keeps one offset, in ms east of UTC."""

    start: int
    end: int
    offset: int


def kind_of(own: SelfAvailability, minutes: int) -> CallKind:
    """The kind whose lengths hold this one; else the first kind."""
    return next((kind for kind in own.kinds if minutes in kind.lengths), own.kinds[0])


def openings(own: SelfAvailability, begin: int, end: int) -> list[Span]:
    """Each range of hours that shares an instant with [begin, end), whole, in order. Raises when.UnknownZone."""
    pieces = _pieces(when.zone(own.zone), begin - 2 * DAY, end + 2 * DAY)
    dated = {one.day: one.hours for one in own.days}
    found = set()
    for day in range((begin - DAY) // DAY - 1, (end + DAY) // DAY + 1):
        name = (_FIRST_DAY + timedelta(day)).isoformat()
        for hours in dated.get(name, own.week[(day + _THURSDAY) % 7]):
            midnight = day * DAY  # on a clock that shows UTC
            found.update(_on_the_line(midnight + hours.opens * MINUTE, midnight + hours.closes * MINUTE, pieces))
    return sorted(span for span in found if span.start < end and begin < span.end)


def _on_the_line(opens: int, closes: int, pieces: Sequence[_Piece]) -> list[Span]:
    """The instants at which the wall clock shows [opens, closes): one span, or one for each pass of a repeated hour."""
    found: list[Span] = []
    for piece in pieces:
        start, end = max(opens - piece.offset, piece.start), min(closes - piece.offset, piece.end)
        if start >= end:
            continue
        if found and found[-1].end == start:
            start = found.pop().start
        found.append(Span(start, end))
    return found


def _pieces(zone: ZoneInfo, begin: int, end: int) -> list[_Piece]:
    begin -= begin % SECOND
    found: list[_Piece] = []
    since, offset = begin, _offset(zone, begin)
    for at in range(begin + _LOOK, end + _LOOK, _LOOK):
        after = _offset(zone, at)
        if after != offset:
            change = _change(zone, at - _LOOK, at, after)
            found.append(_Piece(since, change, offset))
            since, offset = change, after
    return [*found, _Piece(since, end, offset)]


def _change(zone: ZoneInfo, low: int, high: int, after: int) -> int:
    """The instant in (low, high] from which the offset is `after`; zone data is in whole seconds."""
    while high - low > SECOND:
        middle = (low + high) // (2 * SECOND) * SECOND
        low, high = (low, middle) if _offset(zone, middle) == after else (middle, high)
    return high


def _offset(zone: ZoneInfo, at: int) -> int:
    offset = when.utc(at).astimezone(zone).utcoffset()
    return (offset or timedelta()) // timedelta(milliseconds=1)


def padded(own: SelfAvailability | None, minutes: int, other: Taken) -> Span:
    """When no instant of a call of `minutes` may lie, because of `other`.

    The gap between two calls is the earlier one's buffer after and the later one's buffer before; what is no
    booking has none of its own. own: None knows no buffers.
    """
    if own is None:
        return Span(other.start, other.end)
    kind = kind_of(own, minutes)
    before, after = kind.before, kind.after
    if other.booking:
        theirs = kind_of(own, (other.end - other.start) // MINUTE)
        before, after = before + theirs.after, after + theirs.before
    return Span(other.start - after * MINUTE, other.end + before * MINUTE)


def full(own: SelfAvailability, minutes: int, taken: Iterable[Taken]) -> Callable[[int], str | None]:
    """What tells of a start whether its `day` or `week` in the zone has as many calls of that kind as it may have.

    A call that is offered at several times counts once a day and once a week, a check-in with each of its times.
    Raises when.UnknownZone.
    """
    kind = kind_of(own, minutes)
    if kind.per_day is None and kind.per_week is None:
        return lambda _start: None
    zone = when.zone(own.zone)
    calls = [one for one in taken if one.booking and _is_of(own, kind, one)]
    alike = [((one.booking, one.start if one.each else None), _day(zone, one.start)) for one in calls]
    days = Counter(day for _, day in set(alike))
    weeks = Counter(week for _, week in {(call, _week(day)) for call, day in alike})

    def why(start: int) -> str | None:
        day = _day(zone, start)
        if kind.per_day is not None and days[day] >= kind.per_day:
            return "day"
        return "week" if kind.per_week is not None and weeks[_week(day)] >= kind.per_week else None

    return why


def _is_of(own: SelfAvailability, kind: CallKind, one: Taken) -> bool:
    return kind_of(own, (one.end - one.start) // MINUTE).name == kind.name


def _day(zone: ZoneInfo, at: int) -> date:
    return when.utc(at).astimezone(zone).date()


def _week(day: date) -> tuple[int, int]:
    year, week, _ = day.isocalendar()
    return year, week


def free(own: SelfAvailability, minutes: int, taken: Sequence[Taken], now: int, until: int) -> list[int]:
    """When calls of `minutes` may begin before `until`, in order: on the grid that begins with each range of hours.

    Notice, window and limits of the kind count. Raises when.UnknownZone.
    """
    kind = kind_of(own, minutes)
    until = min(until, now + kind.window * DAY)
    step = kind.step * MINUTE
    found = {start for span in openings(own, now, max(now, until)) for start in range(span.start, span.end, step)}
    return suiting(own, minutes, taken, now, sorted(start for start in found if start < until))


def suiting(
    own: SelfAvailability | None, minutes: int, taken: Sequence[Taken], now: int, starts: Sequence[int]
) -> list[int]:
    """Those of `starts` (in order) at which a call of `minutes` lies in one's hours and comes too close to nothing.

    own: None has no hours, buffers, notice or limits. Raises when.UnknownZone.
    """
    if not starts:
        return []
    begin, end = starts[0] - DAY, starts[-1] + 2 * DAY  # no two buffers, and no call, are as long as a day
    closed = _merged(padded(own, minutes, one) for one in taken if one.start < end and begin < one.end)
    ends = [span.end for span in closed]

    def clear(start: int) -> bool:
        at = bisect_right(ends, start)
        return at == len(closed) or closed[at].start >= start + minutes * MINUTE

    if own is None:
        return [start for start in starts if start > now and clear(start)]
    hours = openings(own, starts[0], starts[-1] + 1)
    begins = [span.start for span in hours]
    least = now + kind_of(own, minutes).notice * MINUTE
    is_full = full(own, minutes, taken)

    def lies_in_hours(start: int) -> bool:
        at = bisect_right(begins, start)
        return at > 0 and start + minutes * MINUTE <= hours[at - 1].end

    return [s for s in starts if s > least and lies_in_hours(s) and clear(s) and is_full(s) is None]


def in_hours(own: SelfAvailability, start: int, end: int) -> bool:
    """Whether all of [start, end) lies in one's hours; ranges that touch are one. Raises when.UnknownZone."""
    return any(span.start <= start and end <= span.end for span in _merged(openings(own, start, end)))


def _merged(spans: Iterable[Span]) -> list[Span]:
    """The same instants as disjoint spans, in order."""
    found: list[Span] = []
    for span in sorted(spans):
        if found and span.start <= found[-1].end:
            found[-1] = Span(found[-1].start, max(found[-1].end, span.end))
        else:
            found.append(span)
    return found
