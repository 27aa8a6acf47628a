from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaise_cli.domain import slots
from chaise_cli.domain.availability import Hours, SelfAvailability
from chaise_cli.domain.body import replace
from chaise_cli.domain.booking import NONE
from chaise_cli.domain.booking_acts import Taken, accept, book, slot_at
from chaise_cli.domain.when import DAY, HOUR, MINUTE, UnknownZone, read_instant
from chaise_cli.export import zonedata
from tests.unit.domain.deal_cast import CLIENT, PARTIES, TALENT, Told, acting
from tests.unit.domain.hours_cast import CALL, NIGHT, availabilities, hours, taken

AHEAD = 2 * DAY
Drawn = tuple[SelfAvailability, int]  # and an instant


def wall(at: int, zone: str) -> datetime:
    return datetime.fromtimestamp(at / 1000, UTC).astimezone(ZoneInfo(zone))


def the_kind(own: SelfAvailability, minutes: int) -> int:
    return next((n for n, kind in enumerate(own.kinds) if minutes in kind.lengths), 0)


def range_at(own: SelfAvailability, minute: int) -> object:
    """The day and the range of hours that a minute lies in by the wall clock; None when it lies in none."""
    local = wall(minute * MINUTE, own.zone)
    dated = [one.hours for one in own.days if one.day == local.date().isoformat()]
    ranges = dated[0] if dated else own.week[local.weekday()]
    clock = local.hour * 60 + local.minute
    return next(((local.date(), one) for one in ranges if one.opens <= clock < one.closes), None)


def by_the_minute(own: SelfAvailability, minutes: int, busy: Sequence[Taken], now: int, until: int) -> list[int]:
    """What `slots.free` gives, worked out by walking every minute with the wall clock."""
    number = the_kind(own, minutes)
    kind = own.kinds[number]
    shut = set[int]()
    days, weeks = defaultdict[object, set[str]](set), defaultdict[object, set[str]](set)
    for one in busy:
        theirs = own.kinds[the_kind(own, (one.end - one.start) // MINUTE)] if one.booking else None
        before, after = (theirs.before, theirs.after) if theirs else (0, 0)
        shut |= set(range(one.start // MINUTE - before, one.end // MINUTE + after))
        if one.booking and the_kind(own, (one.end - one.start) // MINUTE) == number:
            local = wall(one.start, own.zone)
            days[local.date()].add(one.booking)
            weeks[local.isocalendar()[:2]].add(one.booking)
    found = []
    first = now // MINUTE - 26 * 60  # before the longest range
    walk = [range_at(own, minute) for minute in range(first, until // MINUTE + minutes)]
    since = 0
    for at, where in enumerate(walk):
        if at and walk[at - 1] != where:
            since = at
        start = (first + at) * MINUTE
        if where is None or (at - since) % kind.step or start >= until or start >= now + kind.window * DAY:
            continue
        rest = walk[at : at + minutes]
        local = wall(start, own.zone)
        span = range(start // MINUTE - kind.before, start // MINUTE + minutes + kind.after)
        if (
            len(rest) == minutes
            and all(other == where for other in rest)
            and start > now + kind.notice * MINUTE
            and not shut.intersection(span)
            and (kind.per_day is None or len(days[local.date()]) < kind.per_day)
            and (kind.per_week is None or len(weeks[local.isocalendar()[:2]]) < kind.per_week)
        ):
            found.append(start)
    return found


@given(availabilities(), st.data())
def test_free_times_are_those_of_a_walk_minute_by_minute(drawn: Drawn, data: st.DataObject) -> None:
    own, now = drawn
    busy = data.draw(taken(now))
    minutes = data.draw(st.sampled_from([*own.kinds[0].lengths, 120, 25]))
    assert slots.free(own, minutes, busy, now, now + AHEAD) == by_the_minute(own, minutes, busy, now, now + AHEAD)


@given(availabilities(), st.data())
def test_a_call_lies_in_the_hours_when_every_minute_of_it_does(drawn: Drawn, data: st.DataObject) -> None:
    own, now = drawn
    edges = [edge for span in slots.openings(own, now, now + AHEAD) for edge in span]
    start = data.draw(st.sampled_from(edges or [now])) + data.draw(st.sampled_from([-5, 0, 0, 5])) * MINUTE
    end = start + data.draw(st.sampled_from([5, 30, 60, 360, 1440])) * MINUTE
    every = all(range_at(own, minute) for minute in range(start // MINUTE, end // MINUTE))
    assert slots.in_hours(own, start, end) == every


@given(availabilities(), st.data())
def test_what_is_free_can_be_offered_and_accepted(drawn: Drawn, data: st.DataObject) -> None:
    own, now = drawn
    busy = data.draw(taken(now))
    minutes = own.kinds[0].lengths[0]
    found = slots.free(own, minutes, busy, now, now + AHEAD)
    for start in found[:: max(1, len(found) // 5)]:
        slot = slot_at(start, own.zone, minutes, "2026b")
        assert book(NONE, acting(TALENT, now), PARTIES, None, [slot], taken=busy, own=own)
        told = Told(NONE)
        [offer] = book(NONE, acting(CLIENT, now), PARTIES, None, [slot])
        call = told.tell(offer, CLIENT, at=now)
        assert accept(told.bookings, acting(TALENT, now), PARTIES, call, taken=busy, own=own)


def starts(own: SelfAvailability, day: str, minutes: int = 30) -> list[str]:
    """The free starts of a day, on its wall clock with the offset."""
    now = read_instant(f"{day}T00:00:00Z") - DAY
    found = slots.free(own, minutes, [], now, now + 3 * DAY)
    walls = [wall(at, own.zone) for at in found]
    return [f"{local:%H:%M%z}" for local in walls if local.date().isoformat() == day]


def test_a_day_in_spring_has_23_hours_and_one_in_autumn_25() -> None:
    assert len(starts(hours(NIGHT), "2026-03-29")) == 46
    assert len(starts(hours(NIGHT), "2026-10-25")) == 50
    assert len(starts(hours(NIGHT, zone="Australia/Lord_Howe"), "2026-10-04")) == 47


def test_nothing_begins_in_a_gap_and_a_range_that_does_begins_behind_it() -> None:
    assert starts(hours(Hours(135, 210)), "2026-03-29") == ["03:00+0200"]
    assert starts(hours(Hours(120, 180)), "2026-03-29") == []


def test_both_passes_of_a_repeated_hour_are_offered_and_told_apart() -> None:
    assert starts(hours(Hours(120, 180)), "2026-10-25") == ["02:00+0200", "02:30+0200", "02:00+0100", "02:30+0100"]
    assert starts(hours(Hours(120, 150)), "2026-10-25") == ["02:00+0200", "02:00+0100"]
    assert starts(hours(Hours(105, 165), step=60), "2026-10-25", 45) == ["01:45+0200", "02:00+0100"]


def test_a_day_that_begins_at_one_ends_the_day_before_at_midnight() -> None:
    cairo = hours(Hours(1380, 1440), zone="Africa/Cairo")
    assert starts(cairo, "2026-04-23") == ["23:00+0200", "23:30+0200"]
    assert starts(hours(Hours(0, 90), zone="Africa/Cairo"), "2026-04-24") == ["01:00+0300"]


def test_a_day_that_a_zone_left_out_has_no_times() -> None:
    assert starts(hours(NIGHT, zone="Pacific/Apia"), "2011-12-30") == []
    assert len(starts(hours(NIGHT, zone="Pacific/Apia"), "2011-12-31")) == 48


def test_the_grid_begins_with_each_range_and_a_call_stays_in_one() -> None:
    two = hours(Hours(545, 615), Hours(615, 670), step=20)
    assert starts(two, "2026-11-25", 30) == ["09:05+0100", "09:25+0100", "09:45+0100", "10:15+0100", "10:35+0100"]


def test_the_gap_between_two_calls_is_the_after_of_one_and_the_before_of_the_next() -> None:
    own = hours(NIGHT, before=10, after=5)
    assert slots.padded(own, 30, Taken(0, 30 * MINUTE, "call")) == (-15 * MINUTE, 45 * MINUTE)
    assert slots.padded(own, 30, Taken(0, 30 * MINUTE, "")) == (-5 * MINUTE, 40 * MINUTE)
    assert slots.padded(None, 30, Taken(0, 30 * MINUTE, "call")) == (0, 30 * MINUTE)


def test_a_call_offered_at_several_times_of_a_day_counts_once() -> None:
    now = read_instant("2026-11-25T00:00:00Z")
    twice = [Taken(now + n * HOUR, now + n * HOUR + 30 * MINUTE, "a") for n in (9, 11)]
    why = slots.full(hours(NIGHT, per_day=2, per_week=3), 30, twice)
    assert why(now + 20 * HOUR) is None
    more = [*twice, Taken(now + 30 * HOUR, now + 30 * HOUR + 30 * MINUTE, "b")]
    assert slots.full(hours(NIGHT, per_day=2, per_week=2), 30, more)(now + 20 * HOUR) == "week"
    assert slots.full(hours(NIGHT, per_day=1, per_week=2), 30, more)(now + 20 * HOUR) == "day"
    assert slots.full(hours(NIGHT, per_day=1), 30, more)(now + 60 * HOUR) is None
    assert slots.full(hours(NIGHT, per_day=1), 30, [Taken(now, now + 30 * MINUTE, "")])(now) is None


def test_a_length_of_no_kind_is_of_the_first() -> None:
    own = hours(NIGHT)
    own = replace(own, kinds=(CALL, replace(CALL, name="long", lengths=(60,))))
    assert [slots.kind_of(own, minutes).name for minutes in (30, 60, 45)] == ["call", "long", "call"]


def test_who_has_no_hours_is_kept_by_calls_alone() -> None:
    busy = [Taken(30 * MINUTE, 60 * MINUTE, "")]
    asked = [0, MINUTE, 31 * MINUTE, 60 * MINUTE]
    assert slots.suiting(None, 30, busy, 0, asked) == [60 * MINUTE]
    assert slots.suiting(None, 29, busy, 0, asked) == [MINUTE, 60 * MINUTE]


def test_a_zone_that_is_not_known_here_is_refused() -> None:
    with pytest.raises(UnknownZone):
        slots.free(hours(NIGHT, zone="Mars/Olympus"), 30, [], 0, DAY)


def test_no_zone_changes_its_clocks_twice_between_two_looks() -> None:
    """`slots` looks every six hours; a change that is undone in between would be missed."""
    closest = DAY
    for name in sorted(available_timezones()):
        with suppress(zonedata.NoZoneData):
            changes = zonedata.read_zone(name).changes(2_145_916_800)
            moves = [one.at for one in changes if one.at > 0 and one.before.offset != one.after.offset]
            closest = min([closest, *((b - a) * 1000 for a, b in itertools.pairwise(moves))])
    assert closest > slots._LOOK
