"""When somebody takes calls: weekly hours, dated exceptions, kinds of calls; and the free times told to others.

What follows from them is worked out in `slots`; how a file says them stands in `availability_file`.
docs/spec/bookings.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Final

from chaise_cli.domain import slots
from chaise_cli.domain.body import body
from chaise_cli.domain.booking import MINUTES_MOST, CallLink
from chaise_cli.domain.shape import Form, Instant, Many, Whole, Zone
from chaise_cli.domain.when import DAY, HOUR, MINUTE
from chaise_cli.errors import NotFound, Refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chaise_cli.domain.booking_acts import Taken

MIDNIGHT: Final = 24 * 60  # of the next day, in minutes
RANGES_MOST: Final = 8  # of a day
DAYS_MOST: Final = 366
KINDS_MOST: Final = 5
LENGTHS_MOST: Final = 4  # of a kind
RUNS_MOST: Final = 1_000  # in all that is told at once; a sealed body holds 64 KiB
NOTICE_MOST: Final = 30 * 24 * 60  # minutes
BUFFER_MOST: Final = 180
STEP_LEAST: Final = 5
STEP_MOST: Final = 720
WINDOW_MOST: Final = 366  # days
TOLD_DAYS: Final = 30  # ahead, at most
TOLD_ANEW: Final = 7 * DAY  # by itself, so that far enough ahead is told
TOLD_LEAST: Final = HOUR  # from one telling to the next by itself: a busy calendar changes all day
COUNT_MOST: Final = 100  # calls of a day or a week

Length = Annotated[int, Whole(1, MINUTES_MOST)]
Step = Annotated[int, Whole(STEP_LEAST, STEP_MOST)]
Buffer = Annotated[int, Whole(0, BUFFER_MOST)]
LeastNotice = Annotated[int, Whole(0, NOTICE_MOST)]
KindName = Annotated[str, Form(r"[a-z0-9_-]{1,40}", "must be 1 to 40 of a-z, 0-9, _ and -")]
Day = Annotated[str, Form(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", "must be a day, as 2026-12-24")]


@body
class Hours:
    """A part of a day on the wall clock, half-open, in minutes after midnight; 1440 is the end of the day."""

    opens: Annotated[int, Whole(0, MIDNIGHT - 1)]
    closes: Annotated[int, Whole(1, MIDNIGHT)]


DayHours = Annotated[tuple[Hours, ...], Many(RANGES_MOST)]


@body
class DatedHours:
    """The hours of one day, in the place of those of its weekday; none: closed."""

    day: Day
    hours: DayHours


@body
class CallKind:
    """What calls of these lengths need: a grid, time kept free around them, notice, limits. `window` is in days."""

    name: KindName
    lengths: Annotated[tuple[Length, ...], Many(LENGTHS_MOST, 1)]
    step: Step
    before: Buffer
    after: Buffer
    notice: LeastNotice
    window: Annotated[int, Whole(1, WINDOW_MOST)]
    per_day: Annotated[int, Whole(1, COUNT_MOST)] | None
    per_week: Annotated[int, Whole(1, COUNT_MOST)] | None
    place: CallLink | None


@body
class SelfAvailability:
    """When I take calls. `week` begins on Monday."""

    KIND: ClassVar[str] = "self.availability"
    zone: Zone
    week: Annotated[tuple[DayHours, ...], Many(7, 7)]
    days: Annotated[tuple[DatedHours, ...], Many(DAYS_MOST)]
    kinds: Annotated[tuple[CallKind, ...], Many(KINDS_MOST, 1)]


@body
class Run:
    """Starts one step apart, `count` of them; the runs of a length are in order."""

    first: Instant
    count: Annotated[int, Whole(1, 10_000)]


@body
class FreeLength:
    """When a call of so many minutes may begin; not sooner than `notice` minutes from when it is looked at."""

    minutes: Length
    step: Step
    notice: LeastNotice
    place: CallLink | None
    runs: Annotated[tuple[Run, ...], Many(RUNS_MOST)]

    def starts(self, begin: int, end: int) -> list[int]:
        """The instants in [begin, end), ms since 1970, UTC, in order.

        A run that does not begin after the one before is left out: whatever somebody writes, there are no more
        instants than steps between `begin` and `end`.
        """
        step, found, last = self.step * MINUTE, list[int](), -1
        for run in self.runs:
            if run.first > last:
                last = run.first + (run.count - 1) * step
                first = max(0, -((run.first - begin) // step))
                found += range(run.first + first * step, min(last + 1, end), step)
        return found


@body
class SlotsShared:
    """The times at which its author takes calls, as they were free when it was written. The newest counts."""

    KIND: ClassVar[str] = "slots.shared"
    tz: Zone
    lengths: Annotated[tuple[FreeLength, ...], Many(KINDS_MOST * LENGTHS_MOST)]

    def of(self, minutes: int) -> FreeLength | None:
        """The times for calls of this length."""
        return next((one for one in self.lengths if one.minutes == minutes), None)


class NoAvailability(NotFound):
    """Nothing was said yet of when one takes calls."""

    code = "availability.none"
    message = "you have not said when you take calls"
    hint = "chaise availability --toml > hours.toml, change it, then: chaise availability --set hours.toml"


class NotTold(NotFound):
    """Neither side has said when it is free."""

    code = "availability.not_told"
    message = "{who} has told you no free times"
    hint = "offer times of your own: chaise book {what} --at TIME; or let them run: chaise availability --share DEAL"
    who: str
    what: str


class NoSuchLength(Refused):
    """Free times were told for calls of other lengths."""

    code = "availability.no_such_length"
    message = "{who} tells no free times for calls of {given}"
    hint = "--for takes one of: {lengths}; or offer a time of your own with --at"
    who: str
    given: str
    lengths: str


def told(own: SelfAvailability, taken: Sequence[Taken], now: int) -> SlotsShared:
    """What others may know: when calls of each length may begin, in the next 30 days at most.

    Fewer days where that would be more than 1,000 runs. taken: all that keeps the author from a time. Of that nothing
    is told but that a call cannot begin then. Raises when.UnknownZone.
    """
    days = TOLD_DAYS
    while True:
        lengths = tuple(
            FreeLength(minutes, kind.step, kind.notice, kind.place, _runs(own, minutes, taken, now, days))
            for kind in own.kinds
            for minutes in kind.lengths
        )
        if days == 1 or sum(len(one.runs) for one in lengths) <= RUNS_MOST:
            return SlotsShared(own.zone, lengths)
        days = days // 2


def is_outdated(before: SlotsShared, at: int, times: SlotsShared, now: int) -> bool:
    """Whether what was told at `at` ought to be told anew, `times` being so now.

    That is when something else is true of a time that it speaks of, though not within an hour; and after a week.
    """
    if now - at < TOLD_LEAST or before == times:
        return False
    if now - at >= TOLD_ANEW or _terms(before) != _terms(times):
        return True
    return any(_differ(one, other, now) for one, other in zip(before.lengths, times.lengths, strict=True))


def _terms(times: SlotsShared) -> tuple[object, ...]:
    return times.tz, *((one.minutes, one.step, one.notice, one.place) for one in times.lengths)


def _differ(before: FreeLength, after: FreeLength, now: int) -> bool:
    begin, end = now + before.notice * MINUTE + 1, max([run.first for run in before.runs], default=0)
    return before.starts(begin, end) != after.starts(begin, end)


def _runs(own: SelfAvailability, minutes: int, taken: Sequence[Taken], now: int, days: int) -> tuple[Run, ...]:
    step = slots.kind_of(own, minutes).step * MINUTE
    found: list[Run] = []
    for start in slots.free(own, minutes, taken, now, now + days * DAY):
        if found and start == found[-1].first + found[-1].count * step:
            found[-1] = Run(found[-1].first, found[-1].count + 1)
        else:
            found.append(Run(start, 1))
    return tuple(found)
