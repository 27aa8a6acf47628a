"""Check-ins: calls at one wall clock every so many days, and what new time zone data does to them.

What was agreed is wall clock, zone and rule; the event lists the instants they gave when it was signed, and these alone
decide. docs/spec/bookings.md, Check-ins.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from chaise_cli.domain import booking_acts, when
from chaise_cli.domain.booking import (
    DAY,
    DAYS_MOST,
    MINUTE,
    TIMES_MOST,
    Booking,
    BookingBody,
    BookingCancelled,
    Bookings,
    BookingSkipped,
    BookingWithdrawn,
    Series,
    Slot,
)
from chaise_cli.domain.booking_acts import Past, Taken
from chaise_cli.domain.booking_fold import find, permit
from chaise_cli.domain.light import NamedTuple
from chaise_cli.domain.recorded import By, Parties
from chaise_cli.errors import Refused, Usage
from chaise_cli.ids import EventId, IdentityId

OVER: Final = "the deal is over"


class BadRepeat(Usage):
    """A check-in comes too often, too rarely, or ends too late."""

    code = "booking.bad_repeat"
    message = "a check-in comes 2 to {times} times, every 1 to {days} days, before the year 9999"
    hint = "chaise book DEAL --at TIME --every week --times 8"
    times: int
    days: int


class Irregular(Refused):
    """Some time of a check-in falls on a change of clocks, where calendars do not agree what it means."""

    code = "booking.irregular"
    message = "on {day} the clocks of {tz} change at the time of this call"
    hint = "take another time of day, or fewer times"
    day: str
    tz: str


class SeriesOver(Refused):
    """A check-in ends with its deal."""

    code = "booking.deal_over"
    message = "{deal} is over, and check-ins end with their deal"
    hint = "offer single calls: chaise book {deal} --at TIME"
    deal: str


def series(first: Slot, days: int, times: int) -> Series:
    """The check-in that begins with a slot and comes `times` times in all. Raises BadRepeat, Irregular."""
    if not (1 <= days <= DAYS_MOST and 2 <= times <= TIMES_MOST):
        raise BadRepeat(times=TIMES_MOST, days=DAYS_MOST)
    wall = when.utc(first.start).astimezone(when.zone(first.zone)).replace(tzinfo=None)
    try:
        walls = [wall + timedelta(days=days * n) for n in range(times)]
        return Series(days, tuple(_instant(each, first) for each in walls))
    except OverflowError as error:
        raise BadRepeat(times=TIMES_MOST, days=DAYS_MOST) from error


def _instant(wall: datetime, first: Slot) -> int:
    """When a time of the check-in begins.

    Raises Irregular where the clock shows that time twice or never, or changes while the call lasts.
    """
    place = when.zone(first.zone)
    readings = [when.in_ms(wall.replace(tzinfo=place, fold=fold)) for fold in (0, 1)]
    ends = when.utc(readings[0] + first.minutes * MINUTE).astimezone(place)
    if readings[0] != readings[1] or ends.replace(tzinfo=None) != wall + timedelta(minutes=first.minutes):
        raise Irregular(day=when.day_text(wall.date()), tz=first.zone)
    return readings[0]


class Shift(NamedTuple):
    """A coming time as it was agreed, and what its wall clock means by the zone data here; ms since 1970, UTC."""

    start: int
    by_wall: int


def shifted(call: Booking, now: int) -> Shift | None:
    """Where new zone data parts the next time of an open or agreed call from its wall clock; else None."""
    coming = [start for start, _ in call.times if start > now]
    if call.state not in {"proposed", "confirmed"} or not coming:
        return None
    try:
        place, wall = when.zone(call.slot.zone), _wall(call, coming[0])
        readings = [when.in_ms(wall.replace(tzinfo=place, fold=fold)) for fold in (0, 1)]
    except (when.UnknownZone, ValueError, OverflowError):  # what other software signed may be no time at all
        return None
    near = abs(readings[0] - coming[0]) < DAY  # else what was signed never went together
    return Shift(coming[0], readings[0]) if near and coming[0] not in readings else None


def _wall(call: Booking, start: int) -> datetime:
    """The wall clock that was agreed for one of a call's times.

    Zone data moves a clock by hours, never by half a day: so the days between two times can still be told.
    """
    return datetime.fromisoformat(call.slot.wall) + timedelta(days=round((start - call.slot.start) / DAY))


def skip(bookings: Bookings, by: By, parties: Parties, booking: EventId, at: Sequence[int]) -> list[BookingBody]:
    """Some times of an agreed check-in are off, named by their starts. Nothing when they are already.

    Raises Past and what `permit` raises.
    """
    known = find(bookings, booking)
    left = set(at) - set(known.skipped)
    if known.state == "confirmed" and known.offer.series and not left:
        return []
    body = BookingSkipped(booking, tuple(sorted(left)))
    permit(bookings, parties, by.identity, body)
    for start in body.starts:
        if start <= by.now:
            raise Past(start=when.instant_text(start))
    return [body]


def ended(bookings: Bookings, by: IdentityId, now: int) -> list[BookingBody]:
    """What ends the check-ins of a deal that is over, this side's offers first; for the devices of either side."""
    calls = bookings.by_id.values()
    open_ = [(call.id, call.open) for call in calls if call.open and call.open.by == by and call.open.series]
    found: list[BookingBody] = [BookingWithdrawn(call, offer.id, "withdrawn") for call, offer in open_]
    for call in calls:
        if call.state != "confirmed" or call.offer.series is None:
            continue
        left = tuple(start for start, _ in call.times if start > now)
        if left:
            all_left = len(left) == len(call.times)
            found.append(BookingCancelled(call.id, OVER) if all_left else BookingSkipped(call.id, left))
    return found


def reissued(bookings: Bookings, by: By, parties: Parties, taken: Sequence[Taken], tzdata: str) -> list[BookingBody]:
    """Moves of agreed check-ins whose coming times new zone data has shifted; for the talent's devices to write.

    tzdata: version of the zone data here; what was signed with the same one is not looked at.
    One that the other side did not take is not offered again, nor one that cannot be: the list of calls warns.
    """
    found: list[BookingBody] = []
    for call in bookings.by_id.values():
        adopted = call.latest == call.offer.id  # else somebody's newer offer came to nothing, or is open
        if call.state != "confirmed" or call.offer.series is None or not adopted or call.slot.tzdata == tzdata:
            continue
        with suppress(Refused, Usage, ValueError, OverflowError):  # what other software signed may be no time at all
            found += _moved(bookings, by, parties, call, taken, tzdata)
    return found


def _moved(
    bookings: Bookings, by: By, parties: Parties, call: Booking, taken: Sequence[Taken], tzdata: str
) -> list[BookingBody]:
    assert call.offer.series, "a check-in"
    assert call.commitment, "which is agreed"
    coming = [start for start, _ in call.times if start > by.now]
    new = [_instant(_wall(call, start), call.slot) for start in coming]
    if new == coming:
        return []
    first = booking_acts.slot_at(new[0], call.slot.zone, call.slot.minutes, tzdata)
    again = Series(call.offer.series.days, tuple(new)) if len(new) > 1 else None
    return booking_acts.book(
        bookings, by, parties, call.id, [first], taken=taken, until=first.start,
        allow_overlap=call.commitment.allow_overlap, series=again,
    )  # fmt: skip
