from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from icalendar import Timezone

from chaise_cli.export.vtimezone import vtimezone
from chaise_cli.export.zonedata import NoZoneData
from tests.unit.export.zone_cases import FIRST_PASS, HAND_WORKED, dense, each_zone, namesakes, twice, utc
from tests.unit.export.zone_reader import Reader, observances

A_DAY = timedelta(days=1)
A_MONTH = timedelta(days=30)
BERLIN_IN_2027 = """\
BEGIN:VTIMEZONE
TZID:Europe/Berlin
BEGIN:DAYLIGHT
DTSTART:20260329T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
TZNAME:CEST
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3
END:DAYLIGHT
BEGIN:STANDARD
DTSTART:20261025T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
TZNAME:CET
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10
END:STANDARD
END:VTIMEZONE
"""
# Outside every regular rule: midnight at the end of the day, the day before, decrees, rules that just ended.
LISTED = {"Africa/Cairo", "America/Santiago", "America/Nuuk", "Asia/Gaza", "Asia/Jerusalem", "Africa/Casablanca"}


def wrong_instants(zone_name: str, first: datetime, last: datetime, step: timedelta) -> list[str]:
    """The times of the window that a reader of our text, knowing no zones, gets wrong."""
    zone = ZoneInfo(zone_name)
    reader = Reader(vtimezone(zone_name, first, last), last.year + 1)
    walls = [(instant, instant.astimezone(zone)) for instant in dense(zone, first, last, step)]
    # The second pass of a repeated hour has no wall clock of its own; entries there are written in UTC.
    told = [(instant, wall.replace(tzinfo=None)) for instant, wall in walls if not wall.fold]
    return [f"{zone_name} {wall}" for instant, wall in told if reader.instant(wall) != instant]


@pytest.mark.parametrize(("first", "years"), [("2026-01-01T00:00Z", 3), ("2038-01-01T00:00Z", 2)])
def test_every_zone_is_right_around_every_change(first: str, years: int) -> None:
    start = utc(first)
    end = start.replace(year=start.year + years)
    assert not [wrong for name in each_zone() for wrong in wrong_instants(name, start, end, 7 * A_DAY)]


def test_every_zone_is_right_over_twenty_years() -> None:
    start, end = utc("2025-01-01T00:00Z"), utc("2045-12-31T00:00Z")
    assert not [wrong for name in each_zone() for wrong in wrong_instants(name, start, end, 90 * A_DAY)]


@pytest.mark.parametrize(
    "moment", ["2007-03-11T07:00Z", "2026-10-25T00:59:59Z", "2026-10-25T01:00Z", "2040-02-29T12:00Z"]
)
def test_every_zone_is_right_when_the_file_has_one_time_only(moment: str) -> None:
    at = utc(moment)
    assert not [wrong for name in each_zone() for wrong in wrong_instants(name, at, at, A_DAY)]


@pytest.mark.parametrize("margin", [timedelta(0), A_MONTH, 3000 * A_DAY])
def test_a_wall_clock_means_the_instant_worked_out_by_hand(margin: timedelta) -> None:
    for zone, wall, instant in HAND_WORKED + FIRST_PASS:
        expected = utc(instant)
        text = vtimezone(zone, expected - margin, expected + margin)
        assert Reader(text, 2060).instant(datetime.fromisoformat(wall)) == expected, (zone, wall)


def test_a_further_name_of_a_zone_changes_nothing_but_the_name() -> None:
    for name, first in namesakes().items():
        told = vtimezone(first, utc("2025-01-01T00:00Z"), utc("2045-12-31T00:00Z"))
        wanted = told.replace(f"TZID:{first}\r\n", f"TZID:{name}\r\n")
        assert name == first or vtimezone(name, utc("2025-01-01T00:00Z"), utc("2045-12-31T00:00Z")) == wanted


def test_a_regular_zone_has_two_rules_without_an_end() -> None:
    text = vtimezone("Europe/Berlin", utc("2027-01-01T00:00Z"), utc("2027-01-02T00:00Z"))
    assert text == BERLIN_IN_2027.replace("\n", "\r\n")


def test_a_regular_zone_stays_right_for_ever() -> None:
    at = utc("2026-06-01T00:00Z")
    reader = Reader(vtimezone("Europe/Berlin", at, at), 2200)
    assert reader.instant(datetime(2199, 7, 1, 12)) == datetime(2199, 7, 1, 10, tzinfo=UTC)  # noqa: DTZ001


def test_both_rules_begin_before_the_first_entry() -> None:
    for name in each_zone():
        for moment in (utc("2026-03-29T01:00Z"), utc("2030-11-03T09:00Z")):
            starts = [
                each.dtstart - each.offset_from for each in observances(vtimezone(name, moment, moment)) if each.rrule
            ]
            assert len(starts) in {0, 2}
            assert all(start.replace(tzinfo=UTC) <= moment for start in starts)


def test_zones_that_no_rule_tells_are_listed_onset_by_onset() -> None:
    at = utc("2026-01-15T00:00Z")
    for name in LISTED:
        found = observances(vtimezone(name, at, at))
        assert not any(each.rrule for each in found)
        assert len(found) >= 3


def test_a_rule_that_changes_inside_the_window_is_listed_until_it_has_settled() -> None:
    before, after = utc("2006-06-01T00:00Z"), utc("2008-06-01T00:00Z")  # the United States moved both dates in 2007
    assert not any(each.rrule for each in observances(vtimezone("America/New_York", before, before)))
    assert all(each.rrule for each in observances(vtimezone("America/New_York", after, after)))


def test_listed_onsets_go_on_for_a_year_past_the_last_time() -> None:
    last = utc("2030-06-01T00:00Z")
    found = observances(vtimezone("Asia/Gaza", utc("2029-06-01T00:00Z"), last))
    onsets = [(each.dtstart - each.offset_from).replace(tzinfo=UTC) for each in found]
    assert onsets[0] <= utc("2029-06-01T00:00Z") < onsets[1]
    assert onsets[-1] > last + 180 * A_DAY


def test_a_zone_without_changes_is_one_standard_with_equal_offsets() -> None:
    (only,) = observances(vtimezone("Asia/Kathmandu", utc("2026-01-01T00:00Z"), utc("2046-01-01T00:00Z")))
    assert (only.kind, only.offset_from, only.offset_to) == ("STANDARD", timedelta(hours=5.75), timedelta(hours=5.75))
    assert only.name == "+0545"


def test_the_kind_follows_the_zone_data_and_not_the_size_of_the_offset() -> None:
    at = utc("2027-01-01T00:00Z")
    dublin = {each.kind: each.offset_to for each in observances(vtimezone("Europe/Dublin", at, at))}
    assert dublin == {"DAYLIGHT": timedelta(0), "STANDARD": timedelta(hours=1)}
    for name in each_zone():
        for each in observances(vtimezone(name, at, at)):
            inside = (each.dtstart - each.offset_from).replace(tzinfo=UTC) + A_DAY
            if inside.year >= 2026:  # the opening of a zone without changes is no real onset
                assert (each.kind == "DAYLIGHT") == bool(inside.astimezone(ZoneInfo(name)).dst()), name


def test_the_calendar_library_hands_our_text_on_unchanged() -> None:
    at = utc("2027-01-01T00:00Z")
    for name in each_zone():
        text = vtimezone(name, at, at + 400 * A_DAY)
        zone = Timezone.from_ical(text)
        assert zone.to_ical(sorted=False) == text.encode()
        assert not zone.errors


def test_times_before_the_first_change_of_a_zone_have_what_it_began_with() -> None:
    at = utc("1890-01-01T00:00Z")
    (only,) = observances(vtimezone("Europe/Berlin", at, at))
    assert (only.name, only.offset_to) == ("LMT", timedelta(minutes=53, seconds=28))
    assert not wrong_instants("Europe/Berlin", at, utc("1900-01-01T00:00Z"), 30 * A_DAY)


def test_a_time_at_an_onset_belongs_to_what_begins() -> None:
    zone = ZoneInfo("Europe/Berlin")
    onset = utc("2027-10-31T01:00Z")
    assert twice(onset.astimezone(zone))
    assert not wrong_instants("Europe/Berlin", onset, onset, A_DAY)


def test_a_name_that_is_no_zone_is_a_named_error() -> None:
    at = utc("2027-01-01T00:00Z")
    with pytest.raises(NoZoneData, match="Europe/Nowhere"):
        vtimezone("Europe/Nowhere", at, at)
