from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaise_cli.domain import when
from chaise_cli.domain.when import DAY, HOUR, MINUTE, Written, deadline, instant_text, moment, read_iso
from chaise_cli.errors import ChaiseError

BERLIN = "Europe/Berlin"
ZONES = st.sampled_from([BERLIN, "America/New_York", "Asia/Kathmandu", "Pacific/Apia", "America/Havana", "UTC"])
INSTANTS = st.integers(DAY, 200 * 365 * DAY)


def refusal_of(read: Callable[[str], object], text: str) -> ChaiseError | None:
    try:
        read(text)
    except ChaiseError as refusal:
        return refusal
    return None


def ms(*parts: int) -> int:
    return when.in_ms(datetime(*parts, tzinfo=UTC))  # type: ignore[misc, arg-type]  # year to second


@given(INSTANTS)
def test_an_instant_comes_back_from_its_text(instant: int) -> None:
    assert when.read_instant(instant_text(instant)) == instant


def test_milliseconds_are_written_only_when_there_are_any() -> None:
    assert instant_text(ms(2026, 12, 15, 14)) == "2026-12-15T14:00:00Z"
    assert instant_text(ms(2026, 12, 15, 14) + 7) == "2026-12-15T14:00:00.007Z"


@pytest.mark.parametrize(
    "text",
    [
        "2026-12-15",
        "2026-12-15T14:00Z",
        "2026-12-15T14:00:00+00:00",
        "2026-12-15 14:00:00Z",
        "",
        "2026-12-15T14:00:00.000Z",
    ],
)
def test_an_instant_has_one_form_only(text: str) -> None:
    with pytest.raises(when.Unreadable):
        when.read_instant(text)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("2026-12-20", Written(date(2026, 12, 20))),
        ("2026-12-20T15:00", Written(date(2026, 12, 20), time(15))),
        ("2026-12-20 15:00:30", Written(date(2026, 12, 20), time(15, 0, 30))),
        ("2026-12-20T15:00:30.250", Written(date(2026, 12, 20), time(15, 0, 30, 250_000))),
        ("2026-12-20T15:00Z", Written(date(2026, 12, 20), time(15), timedelta())),
        ("2026-12-20T15:00+01:00", Written(date(2026, 12, 20), time(15), timedelta(hours=1))),
        ("2026-12-20T15:00 -0330", Written(date(2026, 12, 20), time(15), -timedelta(hours=3, minutes=30))),
        ("2026-12-20T15:00+05", Written(date(2026, 12, 20), time(15), timedelta(hours=5))),
    ],
)
def test_iso_says_a_day_a_clock_and_an_offset(text: str, written: Written) -> None:
    assert read_iso(text) == written


@pytest.mark.parametrize(
    "text",
    [
        "20.12.2026",
        "12/20/2026",
        "2026-12",
        "2026-W51-1",
        "20261220",
        "2026-02-30",
        "2026-12-20T25:00",
        "1066-10-14",
        "2026-12-20T24:00",
        "2026-12-20T15",
        "2026-12-20T15:00+99:00",
        "2026-12-20T15:00+01:75",
        "2026-12-20x15:00",
        "2026-12-20T15:00 CET",
        "2026-12-20T15:00:00.1234",
        "２０２６-12-20",
        "9999-12-31",
        "tomorrow",
        "",
        "2026-12-20\n",
    ],
)
def test_nothing_else_is_read(text: str) -> None:
    with pytest.raises(when.Unreadable):
        read_iso(text)


def test_a_wall_clock_takes_the_zone_given() -> None:
    assert moment(read_iso("2026-12-15T15:00"), BERLIN) == ms(2026, 12, 15, 14)


def test_an_offset_wins_over_the_zone() -> None:
    assert moment(read_iso("2026-12-15T15:00-05:00"), BERLIN) == ms(2026, 12, 15, 20)


def test_a_date_alone_is_no_moment() -> None:
    with pytest.raises(when.NeedsTime):
        moment(read_iso("2026-12-15"), BERLIN)


def test_a_time_the_clocks_jump_over_is_refused_with_both_readings() -> None:
    with pytest.raises(when.DoesNotExist) as refusal:
        moment(read_iso("2027-03-28T02:30"), BERLIN)
    assert refusal.value.readings == ["2027-03-28T01:30:00+01:00", "2027-03-28T03:30:00+02:00"]
    assert (refusal.value.code, refusal.value.tz) == ("time.does_not_exist", BERLIN)


def test_a_time_that_comes_twice_is_refused_with_both_readings() -> None:
    with pytest.raises(when.ExistsTwice) as refusal:
        moment(read_iso("2027-10-31T02:30"), BERLIN)
    assert refusal.value.readings == ["2027-10-31T02:30:00+02:00", "2027-10-31T02:30:00+01:00"]
    assert refusal.value.code == "time.exists_twice"


def test_each_reading_of_a_refused_time_can_be_typed() -> None:
    settled = [moment(read_iso(text), BERLIN) for text in ("2027-10-31T02:30+02:00", "2027-10-31T02:30+01:00")]
    assert settled[1] - settled[0] == HOUR


@given(INSTANTS, ZONES)
def test_a_wall_clock_is_settled_as_itself_or_refused(instant: int, tz: str) -> None:
    instant -= instant % 1_000
    wall = read_iso(when.wall_text(instant, tz))
    try:
        readings = [moment(wall, tz)]
    except when.ExistsTwice as refusal:
        readings = [moment(read_iso(reading), tz) for reading in refusal.readings]
    assert instant in readings


def test_a_date_alone_as_a_deadline_covers_that_whole_day() -> None:
    end = deadline(read_iso("2026-12-20"), BERLIN)
    assert end == ms(2026, 12, 20, 23)
    assert when.day_ended(end, BERLIN) == date(2026, 12, 20)
    assert when.deadline_text(end, BERLIN) == "20 Dec 2026, end of day Berlin (+01:00)"


def test_a_deadline_with_a_time_is_that_time() -> None:
    assert deadline(read_iso("2026-12-20T12:00"), BERLIN) == ms(2026, 12, 20, 11)
    assert when.deadline_text(ms(2026, 12, 20, 11), BERLIN) == "20 Dec 2026 12:00 Berlin (+01:00)"


@pytest.mark.parametrize(
    ("day", "tz", "first"),
    [
        ("2026-12-20", BERLIN, ms(2026, 12, 19, 23)),
        ("2018-11-04", "America/Sao_Paulo", ms(2018, 11, 4, 3)),  # midnight does not exist, the day begins at 01:00
        ("2011-12-31", "Pacific/Apia", ms(2011, 12, 30, 10)),  # the day before does not exist
        ("2026-11-01", "America/Havana", ms(2026, 11, 1, 4)),  # midnight comes twice
        ("1970-03-29", "UTC", ms(1970, 3, 29)),
    ],
)
def test_a_day_begins_with_its_first_instant(day: str, tz: str, first: int) -> None:
    assert when.first_instant(date.fromisoformat(day), tz) == first
    assert when.since(read_iso(day), tz) == first


def test_a_jump_that_begins_before_midnight_ends_the_day_at_the_jump() -> None:
    # Toronto, 1919-03-30: 23:30 became 00:30 of the 31st.
    assert when.first_instant(date(1919, 3, 31), "America/Toronto") == ms(1919, 3, 31, 4, 30)


@given(st.dates(date(1971, 1, 1), date(2100, 1, 1)), ZONES)
def test_days_follow_each_other_without_gap_or_overlap(day: date, tz: str) -> None:
    start = when.first_instant(day, tz)
    zone = when.zone(tz)
    assert when.utc(start).astimezone(zone).date() >= day
    assert when.utc(start - 1).astimezone(zone).date() < day
    assert start < when.first_instant(day + timedelta(days=2), tz)


def test_a_list_since_a_time_starts_there() -> None:
    assert when.since(read_iso("2026-12-20T12:00Z"), BERLIN) == ms(2026, 12, 20, 12)


@pytest.mark.parametrize(
    "name",
    [
        "posix/Europe/Berlin",
        "right/Europe/Berlin",
        "localtime",
        "Factory",
        "posixrules",
        "CET",
        "EST",
        "EST5EDT",
        "GMT",
        "europe/berlin",
        "Europe/Nowhere",
        "Europe",
        "America/Argentina",
        "/etc/localtime",
        "../Europe/Berlin",
        "+01:00",
        "Europe/Berlin\n",
        "Europe/../Berlin",
        "",
        "UTC+1",
    ],
)
def test_only_iana_names_are_zones(name: str) -> None:
    with pytest.raises(when.UnknownZone):
        when.zone(name)


@pytest.mark.parametrize(
    "name", [BERLIN, "America/Argentina/Buenos_Aires", "America/Port-au-Prince", "Etc/GMT+5", "UTC"]
)
def test_iana_names_are_zones(name: str) -> None:
    assert when.zone(name).key == name


def test_two_people_read_one_instant_on_their_own_clocks() -> None:
    instant = ms(2026, 12, 15, 14)
    both = "15 Dec 2026 15:00 Berlin (+01:00) · 09:00 New York (-05:00)"
    assert when.both_zones(instant, BERLIN, "America/New_York") == both
    assert when.both_zones(instant, BERLIN, BERLIN) == "15 Dec 2026 15:00 Berlin (+01:00)"


def test_the_second_day_is_named_where_it_differs() -> None:
    text = when.both_zones(ms(2026, 12, 15, 20), BERLIN, "Asia/Kathmandu")
    assert text == "15 Dec 2026 21:00 Berlin (+01:00) · 16 Dec 2026 01:45 Kathmandu (+05:45)"


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("30m", 30 * MINUTE),
        ("2h", 2 * HOUR),
        ("1h30m", 90 * MINUTE),
        ("14d", 14 * DAY),
        ("1w", 7 * DAY),
        ("45s", 45_000),
        ("P14D", 14 * DAY),
        ("PT30M", 30 * MINUTE),
        ("P1W", 7 * DAY),
        ("P1DT12H", 36 * HOUR),
        ("PT1H30M", 90 * MINUTE),
        ("1w2d", 9 * DAY),
    ],
)
def test_durations_are_read_in_both_forms(text: str, length: int) -> None:
    assert when.read_duration(text) == length


@pytest.mark.parametrize(
    "text",
    [
        "",
        "30",
        "m",
        "0m",
        "P",
        "PT",
        "P1M",
        "P1Y",
        "1.5h",
        "-1h",
        "+1h",
        "1h 30m",
        "30m1h",
        "1H",
        "٣m",
        "3661d",
        "P1DT",
        "1h1h",
    ],
)
def test_other_durations_are_refused(text: str) -> None:
    with pytest.raises(when.NotADuration):
        when.read_duration(text)


@given(st.integers(1, when.LONGEST // 1_000))
def test_a_duration_can_be_typed_back(seconds: int) -> None:
    assert when.read_duration(when.duration_text(seconds * 1_000)) == seconds * 1_000


def test_no_length_is_zero_seconds() -> None:
    assert when.duration_text(0) == "0s"


@given(st.text(max_size=40))
def test_no_text_brings_down_the_readers(text: str) -> None:
    for read in (read_iso, when.read_duration, when.zone, when.read_instant):
        refusal = refusal_of(read, text)
        assert refusal is None or (refusal.code.startswith("time.") and refusal.sentence() and refusal.advice())


def test_an_instant_is_counted_from_any_zone() -> None:
    assert when.in_ms(datetime(2026, 12, 15, 15, tzinfo=timezone(timedelta(hours=1)))) == ms(2026, 12, 15, 14)


@pytest.mark.parametrize("tz", ["Bad/Zone", "posix/Europe/Berlin", "localtime"])
def test_a_zone_that_this_machine_does_not_know_is_shown_in_utc(tz: str) -> None:
    """Others wrote it; one such post or call must not keep the list of all of them from being shown."""
    ms = 1_797_343_200_000
    assert when.one_zone(ms, tz) == when.one_zone(ms, "UTC")
    assert when.both_zones(ms, tz, "UTC") == when.one_zone(ms, "UTC")
    assert when.deadline_text(ms, tz) == when.deadline_text(ms, "UTC")
    assert when.day_ended(ms, tz) is None


def test_the_last_instant_of_a_body_can_be_shown_everywhere() -> None:
    last = 253_370_764_799_999
    assert when.read_instant(when.instant_text(last)) == last
    assert when.deadline_text(last, "Pacific/Kiritimati").startswith("1 Jan 9999 13:59")
