from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaise_cli.domain import record, shape, when
from chaise_cli.domain.availability import Hours, SelfAvailability
from chaise_cli.domain.body import replace
from chaise_cli.domain.booking import (
    DAY,
    HOUR,
    MINUTE,
    NONE,
    BookingAccepted,
    BookingCancelled,
    BookingDeclined,
    BookingOffered,
    Bookings,
    BookingSeriesOffered,
    BookingSkipped,
    BookingWithdrawn,
    Series,
    Slot,
)
from chaise_cli.domain.booking_acts import (
    Full,
    Overlap,
    Past,
    Taken,
    TooEarly,
    accept,
    book,
    committed,
    outcome,
    slot_at,
)
from chaise_cli.domain.booking_fold import BadSeries, NoSuchTime
from chaise_cli.domain.booking_series import BadRepeat, Irregular, ended, reissued, series, shifted, skip
from chaise_cli.domain.booking_view import entry_facts, may, probably_met
from chaise_cli.ids import EventId
from tests.unit.domain import hours_cast
from tests.unit.domain.deal_cast import (
    CLIENT,
    NOW,
    PARTIES,
    TALENT,
    TOMORROW,
    Told,
    acting,
    checkin,
    in_state,
    offer,
    slot,
    started,
    verdict,
)

BERLIN: Final = "Europe/Berlin"
NINE: Final = when.moment(when.read_iso("2027-03-15T09:00"), BERLIN)  # a Monday; the clocks change on 28 March


def first(wall: str = "2027-03-15T09:00", zone: str = BERLIN, minutes: int = 60) -> Slot:
    return slot_at(when.moment(when.read_iso(wall), zone), zone, minutes, "2026b")


def agreed(*hours: float) -> tuple[Told, EventId]:
    """A check-in that the client offered and the talent took."""
    told = Told(NONE)
    call = told.tell(checkin(*hours), CLIENT)
    told.tell(BookingAccepted(call, call, 1, allow_overlap=False), TALENT)
    return told, call


# Which times


def test_a_weekly_checkin_keeps_its_wall_clock_over_a_change() -> None:
    """Worked out by hand: nine in Berlin is eight in UTC in winter, and seven in summer."""
    assert [when.instant_text(start) for start in series(first(), 7, 4).starts] == [
        "2027-03-15T08:00:00Z",
        "2027-03-22T08:00:00Z",
        "2027-03-29T07:00:00Z",
        "2027-04-05T07:00:00Z",
    ]


def test_a_daily_checkin_keeps_its_wall_clock_over_a_southern_change_of_half_an_hour() -> None:
    """Lord Howe sets its clocks back by half an hour on 4 April 2027, from +11:00 to +10:30."""
    assert [
        when.instant_text(start) for start in series(first("2027-04-03T12:00", "Australia/Lord_Howe"), 1, 3).starts
    ] == [
        "2027-04-03T01:00:00Z",
        "2027-04-04T01:30:00Z",
        "2027-04-05T01:30:00Z",
    ]


@pytest.mark.parametrize(
    ("wall", "days", "times", "day"),
    [
        ("2027-03-14T02:30", 7, 4, "28 Mar 2027"),  # the hour that is left out
        ("2027-10-24T02:30", 7, 2, "31 Oct 2027"),  # the hour that happens twice
        ("2027-03-27T01:30", 1, 2, "28 Mar 2027"),  # the clocks change while it lasts
    ],
)
def test_a_time_at_which_the_clocks_change_is_refused(wall: str, days: int, times: int, day: str) -> None:
    with pytest.raises(Irregular) as caught:
        series(first(wall), days, times)
    assert caught.value.day == day


@pytest.mark.parametrize(("days", "times"), [(0, 2), (367, 2), (7, 1), (7, 201)])
def test_a_step_or_a_count_beyond_the_limits_is_refused(days: int, times: int) -> None:
    with pytest.raises(BadRepeat):
        series(first(), days, times)


def test_a_checkin_ends_before_the_last_year() -> None:
    with pytest.raises(BadRepeat):
        series(first("9990-01-01T09:00"), 366, 200)


@given(
    st.sampled_from([BERLIN, "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "UTC", "Asia/Kolkata"]),
    st.integers(0, 700),
    st.integers(0, 23),
    st.integers(1, 20),
    st.integers(2, 30),
)
def test_every_time_shows_the_same_clock_so_many_days_later(
    zone: str, day: int, hour: int, days: int, times: int
) -> None:
    start = when.in_ms(when.utc(NINE) + timedelta(days=day, hours=hour))
    begins = slot_at(start, zone, 30, "2026b")
    try:
        found = series(begins, days, times)
    except Irregular:
        return
    walls = [datetime.fromisoformat(when.wall_text(each, zone)) for each in found.starts]
    assert walls == [walls[0] + timedelta(days=days * n) for n in range(times)]
    assert found.starts[0] == start
    body = BookingSeriesOffered(None, None, begins, days, found.starts, start, None, "", 0, allow_overlap=False)
    shape.check(body)


# Offering and taking


def test_an_offer_of_a_checkin_is_what_the_fold_takes() -> None:
    told = Told(NONE)
    made = Series(1, (TOMORROW, TOMORROW + DAY))
    [body] = book(told.bookings, acting(CLIENT), PARTIES, None, [slot(0)], series=made)
    call = told.tell(body, CLIENT)
    assert told.bookings.by_id[call].offer.series == made
    assert book(told.bookings, acting(CLIENT), PARTIES, call, [slot(0)], series=made) == [], "it says the same"
    [other] = book(told.bookings, acting(CLIENT), PARTIES, call, [slot(0)])
    assert isinstance(other, BookingOffered)
    [taken] = accept(told.bookings, acting(TALENT), PARTIES, call)
    told.tell(taken, TALENT)
    assert book(told.bookings, acting(CLIENT), PARTIES, call, [slot(0)], series=made) == [], "it is agreed already"
    assert len(committed(told.bookings, PARTIES)) == 2


@pytest.mark.parametrize("hours", [0, 24, 48])
def test_every_time_of_a_checkin_has_to_be_free(hours: int) -> None:
    told = Told(NONE)
    busy = [Taken(TOMORROW + hours * HOUR + 30 * MINUTE, TOMORROW + hours * HOUR + 40 * MINUTE, "")]
    made = Series(1, tuple(TOMORROW + n * DAY for n in range(3)))
    with pytest.raises(Overlap):
        book(told.bookings, acting(TALENT), PARTIES, None, [slot(0)], taken=busy, series=made)
    call = told.tell(checkin(0, 24, 48), CLIENT)
    with pytest.raises(Overlap):
        accept(told.bookings, acting(TALENT), PARTIES, call, taken=busy)
    assert accept(told.bookings, acting(TALENT), PARTIES, call, taken=busy, allow_overlap=True)


def test_an_open_offer_of_the_talents_reserves_every_time() -> None:
    told = Told(NONE)
    told.tell(checkin(0, 24), TALENT)
    assert [each.start for each in committed(told.bookings, PARTIES)] == [TOMORROW, TOMORROW + DAY]


# Leaving out


def test_a_time_to_come_is_left_out_once() -> None:
    told, call = agreed(0, 24, 48)
    [body] = skip(told.bookings, acting(CLIENT), PARTIES, call, [TOMORROW + DAY])
    told.tell(body, CLIENT)
    assert skip(told.bookings, acting(TALENT), PARTIES, call, [TOMORROW + DAY]) == []
    assert len(committed(told.bookings, PARTIES)) == 2
    with pytest.raises(NoSuchTime):
        skip(told.bookings, acting(TALENT), PARTIES, call, [TOMORROW, TOMORROW + 2 * DAY])
    with pytest.raises(Past):
        skip(told.bookings, acting(TALENT, TOMORROW), PARTIES, call, [TOMORROW])


def test_only_a_checkin_may_have_a_time_left_out() -> None:
    told = Told(NONE)
    single = told.agree(CLIENT)
    with pytest.raises(NoSuchTime):
        skip(told.bookings, acting(CLIENT), PARTIES, single, [TOMORROW])
    assert "cancel --on" not in {row.verb for row in may(told.bookings.by_id[single], PARTIES, NOW)}
    told, call = agreed(0, 24)
    assert "cancel --on" in {row.verb for row in may(told.bookings.by_id[call], PARTIES, NOW)}
    assert "sync" not in {row.verb for row in may(told.bookings.by_id[call], PARTIES, NOW)}


def test_how_a_checkin_went_is_said_after_its_last_time() -> None:
    told, call = agreed(0, 24)
    with pytest.raises(TooEarly):
        outcome(told.bookings, acting(CLIENT, TOMORROW + HOUR), PARTIES, call, None)
    assert outcome(told.bookings, acting(CLIENT, TOMORROW + DAY), PARTIES, call, None)
    booking = told.bookings.by_id[call]
    assert not probably_met(booking, TOMORROW + 3 * HOUR)
    assert probably_met(booking, TOMORROW + DAY + 2 * HOUR)


# Ending with the deal


def test_a_checkin_ends_with_its_deal_and_what_was_stays() -> None:
    told, call = agreed(0, 24, 48)
    assert ended(told.bookings, TALENT, NOW) == [BookingCancelled(call, "the deal is over")]
    later = ended(told.bookings, TALENT, TOMORROW + HOUR)
    assert later == [BookingSkipped(call, (TOMORROW + DAY, TOMORROW + 2 * DAY))]
    told.tell(later[0], TALENT)
    assert ended(told.bookings, TALENT, TOMORROW + HOUR) == []
    assert told.bookings.by_id[call].state == "confirmed"


def test_single_calls_outlive_the_deal() -> None:
    told = Told(NONE)
    told.agree(CLIENT)
    assert ended(told.bookings, TALENT, NOW) == []


# New zone data


def signed_earlier(days: int = 7, times: int = 3, *, off: int = HOUR) -> tuple[Told, EventId]:
    """A check-in at nine in Berlin, agreed when zone data gave other instants than it gives here."""
    told = Told(NONE)
    starts = tuple(start + off for start in series(first(), days, times).starts)
    was = replace(first(), start=starts[0], tzdata="2020a")
    call = told.tell(
        BookingSeriesOffered(None, None, was, days, starts, NOW, None, "", 120, allow_overlap=False), CLIENT
    )
    told.tell(BookingAccepted(call, call, 1, allow_overlap=False), TALENT)
    return told, call


@pytest.mark.parametrize("off", [-3 * HOUR, -30 * MINUTE, HOUR, 2 * HOUR])
def test_a_checkin_that_new_zone_data_shifts_is_offered_anew_at_its_wall_clock(off: int) -> None:
    told, call = signed_earlier(off=off)
    [body] = reissued(told.bookings, acting(TALENT), PARTIES, (), "2026b")
    assert isinstance(body, BookingSeriesOffered)
    assert body.starts == series(first(), 7, 3).starts
    assert body.slot == first()
    assert body.booking == call
    told.tell(body, TALENT)
    assert reissued(told.bookings, acting(TALENT), PARTIES, (), "2026b") == [], "it waits for an answer"
    assert told.bookings.by_id[call].times[0][0] == NINE + off, "what was signed stands until then"
    told.tell(accept(told.bookings, acting(CLIENT), PARTIES, call)[0], CLIENT)
    assert told.bookings.by_id[call].times[0][0] == NINE
    assert reissued(told.bookings, acting(TALENT), PARTIES, (), "2026b") == []


def test_only_what_is_to_come_is_offered_anew() -> None:
    told, call = signed_earlier()
    told.tell(BookingSkipped(call, (told.bookings.by_id[call].times[1][0],)), CLIENT)
    now = acting(TALENT, NINE + 2 * HOUR)
    [body] = reissued(told.bookings, now, PARTIES, (), "2026b")
    assert isinstance(body, BookingOffered)
    assert [each.start for each in body.slots] == [series(first(), 7, 3).starts[2]]
    assert reissued(told.bookings, acting(TALENT, NINE + 30 * DAY), PARTIES, (), "2026b") == []


def test_a_move_that_was_declined_is_not_offered_again() -> None:
    told, call = signed_earlier()
    made = told.tell(reissued(told.bookings, acting(TALENT), PARTIES, (), "2026b")[0], TALENT)
    told.tell(BookingDeclined(call, made, "no"), CLIENT)
    assert reissued(told.bookings, acting(TALENT), PARTIES, (), "2026b") == []


def test_a_time_that_is_taken_or_on_a_change_of_clocks_is_not_offered() -> None:
    told, _ = signed_earlier()
    busy = [Taken(NINE, NINE + HOUR, "")]
    assert reissued(told.bookings, acting(TALENT), PARTIES, busy, "2026b") == []
    told = Told(NONE)
    wrong = replace(first("2027-03-14T01:30", minutes=10), wall="2027-03-14T02:30:00", tzdata="2020a")
    starts = tuple(wrong.start + n * 7 * DAY for n in range(3))
    call = told.tell(BookingSeriesOffered(None, None, wrong, 7, starts, NOW, None, "", 0, allow_overlap=False), CLIENT)
    told.tell(BookingAccepted(call, call, 1, allow_overlap=False), TALENT)
    assert reissued(told.bookings, acting(TALENT), PARTIES, (), "2026b") == []


def test_what_was_signed_with_the_same_data_is_not_looked_at() -> None:
    told, _ = signed_earlier()
    assert reissued(told.bookings, acting(TALENT), PARTIES, (), "2020a") == []


def test_a_single_call_stays_at_its_instant_and_both_readings_are_told() -> None:
    told = Told(NONE)
    was = replace(first(), start=NINE + HOUR, tzdata="2020a")
    call = told.agree(CLIENT, was)
    assert shifted(told.bookings.by_id[call], NOW) == (NINE + HOUR, NINE)
    assert shifted(told.bookings.by_id[call], NINE + HOUR) is None, "it has begun"
    assert reissued(told.bookings, acting(TALENT), PARTIES, (), "2026b") == []


@pytest.mark.parametrize(
    "odd",
    [
        {"zone": "Mars/Olympus"},
        {"wall": "2027-99-99T99:99:99"},
        {"wall": "0001-01-01T00:00:00", "zone": "Pacific/Kiritimati"},
    ],
)
def test_what_cannot_be_read_shifts_nothing(odd: dict[str, str]) -> None:
    told = Told(NONE)
    call = told.agree(CLIENT, replace(first(), **odd))
    assert shifted(told.bookings.by_id[call], NOW) is None
    series_call = told.tell(
        BookingSeriesOffered(
            None, None, replace(first(), **odd), 7, (NINE, NINE + 7 * DAY), NOW, None, "", 0, allow_overlap=True
        ),
        CLIENT,
    )
    told.tell(BookingAccepted(series_call, series_call, 1, allow_overlap=True), TALENT)
    assert reissued(told.bookings, acting(TALENT), PARTIES, (), "2026b") == []


@pytest.mark.parametrize("second", [False, True])
def test_a_clock_that_shows_the_time_twice_is_no_shift_in_either_pass(*, second: bool) -> None:
    start = when.moment(when.read_iso(f"2027-10-31T02:30+0{1 if second else 2}:00"), BERLIN)
    told = Told(NONE)
    call = told.agree(CLIENT, slot_at(start, BERLIN, 10, "2020a"))
    assert shifted(told.bookings.by_id[call], NOW) is None


# Calendars


def test_an_entry_tells_all_times_and_those_that_are_off() -> None:
    told, call = agreed(0, 24, 48)
    told.tell(BookingSkipped(call, (TOMORROW + DAY,)), TALENT)
    facts = entry_facts(told.bookings.by_id[call])
    assert facts.series == Series(1, (TOMORROW, TOMORROW + DAY, TOMORROW + 2 * DAY))
    assert facts.skipped == (TOMORROW + DAY,)
    assert facts.sequence == 1
    told.tell(BookingCancelled(call, ""), CLIENT)
    facts = entry_facts(told.bookings.by_id[call])
    assert (facts.status, facts.sequence) == ("cancelled", 2)
    assert facts.series is not None, "what is cancelled is the whole check-in"


# In the fold


def test_the_times_of_a_checkin_are_in_order_and_do_not_overlap() -> None:
    told = started()
    for hours in ((0, 0), (24, 0), (0, 0.5)):
        with pytest.raises(BadSeries):
            told.tell(checkin(*hours), CLIENT)
    with pytest.raises(BadSeries):
        told.tell(replace(checkin(0, 24), slot=slot(1)), CLIENT)
    call = told.tell(checkin(0, 1), CLIENT)
    assert told.bookings.by_id[call].times == ((TOMORROW, TOMORROW + HOUR), (TOMORROW + HOUR, TOMORROW + 2 * HOUR))


def test_a_checkin_competes_with_each_of_its_times() -> None:
    told, call = in_state("check-in")
    for hours, state in ((47.5, "conflicted"), (47, "confirmed"), (49, "confirmed"), (24.5, "conflicted")):
        other = told.agree(CLIENT, slot(hours))
        assert told.bookings.by_id[other].state == state, hours
    assert told.bookings.by_id[call].state == "confirmed"


def test_a_time_that_is_left_out_is_free_again_and_raises_the_sequence() -> None:
    told, call = in_state("check-in")
    before = told.bookings.by_id[call].sequence
    told.tell(BookingSkipped(call, (TOMORROW + 24 * HOUR,)), TALENT)
    after = told.bookings.by_id[call]
    assert [start for start, _ in after.times] == [TOMORROW, TOMORROW + 48 * HOUR]
    assert after.sequence == before + 1
    other = told.agree(CLIENT, slot(24))
    assert told.bookings.by_id[other].state == "confirmed"
    for starts in ((TOMORROW + 24 * HOUR,), (TOMORROW, TOMORROW + 48 * HOUR), (TOMORROW + HOUR,)):
        with pytest.raises(NoSuchTime):
            told.tell(BookingSkipped(call, starts), TALENT)


def test_a_moved_checkin_is_what_the_move_lists() -> None:
    told, call = in_state("check-in")
    told.tell(BookingSkipped(call, (TOMORROW,)), TALENT)
    made = told.tell(checkin(5, 29, booking=call, answers=call), CLIENT)
    told.tell(BookingAccepted(call, made, 1, allow_overlap=False), TALENT)
    moved = told.bookings.by_id[call]
    assert [start for start, _ in moved.times] == [TOMORROW + 5 * HOUR, TOMORROW + 29 * HOUR]
    assert moved.entry_series == moved.offer.series
    single = told.tell(offer(slot(80), booking=call, answers=made), CLIENT)
    told.tell(BookingAccepted(call, single, 1, allow_overlap=False), TALENT)
    assert len(told.bookings.by_id[call].times) == 1
    assert told.bookings.by_id[call].entry_series is None


def test_a_checkin_is_cancelled_late_when_its_next_time_is_near() -> None:
    for hours, late in ((-3, False), (-1, True), (2, False), (22.5, True), (48.5, True)):
        told, call = in_state("check-in")
        told.tell(BookingCancelled(call, ""), CLIENT, at=int(TOMORROW + hours * HOUR))
        assert told.bookings.by_id[call].late is late, hours


def test_a_folded_checkin_survives_being_stored() -> None:
    told, call = in_state("check-in")
    told.tell(BookingSkipped(call, (TOMORROW,)), TALENT)
    told.tell(verdict(told, call), TALENT)
    assert record.load(Bookings, json.loads(record.dump(told.bookings))) == told.bookings


def test_what_was_offered_is_taken_back_when_the_deal_is_over() -> None:
    told, call = agreed(0, 24)
    other = told.tell(checkin(48, 72), CLIENT)
    moved = told.tell(checkin(96, 120, booking=call, answers=call), CLIENT)
    back = [BookingWithdrawn(call, moved, "withdrawn"), BookingWithdrawn(other, other, "withdrawn")]
    assert ended(told.bookings, CLIENT, NOW) == [*back, BookingCancelled(call, "the deal is over")]
    assert ended(told.bookings, TALENT, NOW) == [BookingCancelled(call, "the deal is over")]
    for body in ended(told.bookings, CLIENT, NOW):
        told.tell(body, CLIENT)
    assert ended(told.bookings, CLIENT, NOW) == []


def test_two_sides_that_leave_out_the_same_time_at_once_leave_out_all_they_named() -> None:
    told, call = agreed(0, 24, 48, 72)
    both, one, other = (slot(hours).start for hours in (24, 0, 48))
    told.tell(BookingSkipped(call, (one, both)), CLIENT)
    told.tell(BookingSkipped(call, (both, other)), TALENT)  # not knowing of the first
    assert told.bookings.by_id[call].skipped == (one, both, other)
    for again in ((both,), (both, slot(72).start), (both, slot(96).start)):
        with pytest.raises(NoSuchTime):
            told.tell(BookingSkipped(call, again), TALENT)


# Limits of the talent

ALL_DAY: Final = Hours(0, 24 * 60)


def a_week(most: int) -> SelfAvailability:
    return hours_cast.hours(ALL_DAY, per_week=most, lengths=(60,))


def test_each_time_of_a_checkin_counts_for_the_limits_of_the_talent_who_offers_or_takes_it() -> None:
    daily = series(first(), 1, 5)  # from Monday to Friday
    for times, fits in ((4, False), (5, True)):
        own = a_week(times)
        told = Told(NONE)
        call = told.tell(checkin(0, 24, 48, 72, 96), CLIENT)  # from Tuesday to Saturday
        if fits:
            assert book(NONE, acting(TALENT), PARTIES, None, [first()], own=own, series=daily)
            assert accept(told.bookings, acting(TALENT), PARTIES, call, own=own)
            continue
        with pytest.raises(Full, match="the week of"):
            book(NONE, acting(TALENT), PARTIES, None, [first()], own=own, series=daily)
        with pytest.raises(Full, match="the week of"):
            accept(told.bookings, acting(TALENT), PARTIES, call, own=own)
        assert accept(told.bookings, acting(TALENT), PARTIES, call, own=own, beyond_limits=True)


def test_an_agreed_checkin_fills_its_week_with_each_of_its_times_and_its_own_move_does_not() -> None:
    told, call = agreed(0, 24)
    with pytest.raises(Full, match="the week of"):
        book(
            told.bookings,
            acting(TALENT),
            PARTIES,
            None,
            [slot(48)],
            own=a_week(2),
        )
    assert book(
        told.bookings,
        acting(TALENT),
        PARTIES,
        None,
        [slot(48)],
        own=a_week(3),
    )
    moved = [slot(48)]
    assert book(told.bookings, acting(TALENT), PARTIES, call, moved, own=a_week(1))
