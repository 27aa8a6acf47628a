"""What other people's calendars say, against instants worked out by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import pytest

from chaise_cli.export.calendar_busy import Found, Wanted, read
from chaise_cli.export.calendar_lines import NotACalendar, calendars
from chaise_cli.export.calendar_rules import Span
from chaise_cli.export.calendar_zones import Zones
from chaise_cli.export.vtimezone import vtimezone

WINDOW: Final = Wanted(
    int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()) * 1000,
    int(datetime(2027, 2, 5, tzinfo=UTC).timestamp()) * 1000,
    "Europe/Berlin",
    ("me@example.org",),
    tentative=True,
)
NINE: Final = ("DTSTART:20261130T090000Z", "DTEND:20261130T100000Z")
AT_NINE: Final = ["2026-11-30T09:00 2026-11-30T10:00"]


def calendar(*lines: str) -> bytes:
    return "".join(f"{line}\r\n" for line in ("BEGIN:VCALENDAR", "VERSION:2.0", *lines, "END:VCALENDAR")).encode()


def event(*lines: str, uid: str = "one") -> list[str]:
    return ["BEGIN:VEVENT", f"UID:{uid}", "SUMMARY:Dentist", *lines, "END:VEVENT"]


def shown(found: Found) -> list[str]:
    """Intervals in UTC, to the minute."""
    return [f"{_utc(start)} {_utc(end)}" for start, end, _ in found.busy]


def _utc(ms: int) -> str:
    text = datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds").removesuffix("+00:00")
    return text.removesuffix(":00")


def busy(*lines: str, wanted: Wanted = WINDOW) -> list[str]:
    found = read([calendar(*lines)], wanted)
    assert found.skipped == []
    return shown(found)


def skipped(*lines: str) -> list[str]:
    found = read([calendar(*lines)], WINDOW)
    return [why for _, _, why in found.skipped]


def test_an_entry_is_busy_from_its_beginning_to_its_end() -> None:
    assert busy(*event(*NINE)) == AT_NINE
    assert busy(*event("DTSTART;TZID=Europe/Berlin:20261130T100000", "DURATION:PT1H")) == AT_NINE


@pytest.mark.parametrize(
    "free",
    [
        ("TRANSP:TRANSPARENT",),
        ("STATUS:CANCELLED",),
        ("X-MICROSOFT-CDO-BUSYSTATUS:FREE",),
        ("ATTENDEE;PARTSTAT=ACCEPTED:mailto:you@example.org", "ATTENDEE;PARTSTAT=DECLINED:MAILTO:Me@example.org"),
    ],
)
def test_what_leaves_the_owner_free_is_not_busy(free: tuple[str, ...]) -> None:
    assert busy(*event(*NINE, *free)) == []


def test_somebody_elses_answer_is_not_the_owners() -> None:
    assert busy(*event(*NINE, "ATTENDEE;PARTSTAT=DECLINED:mailto:you@example.org")) == AT_NINE


@pytest.mark.parametrize(
    "maybe",
    ["STATUS:TENTATIVE", "X-MICROSOFT-CDO-BUSYSTATUS:TENTATIVE", "ATTENDEE;PARTSTAT=TENTATIVE:mailto:me@example.org"],
)
def test_what_is_pencilled_in_is_busy_unless_the_owner_says_otherwise(maybe: str) -> None:
    assert busy(*event(*NINE, maybe)) == AT_NINE
    assert busy(*event(*NINE, maybe), wanted=WINDOW._replace(tentative=False)) == []


def test_a_time_without_an_end_has_no_length_and_a_day_without_one_is_a_day() -> None:
    assert busy(*event("DTSTART:20261130T090000Z")) == []
    assert busy(*event("DTSTART;VALUE=DATE:20261130")) == ["2026-11-29T23:00 2026-11-30T23:00"]


@pytest.mark.parametrize(
    ("day", "instants"),
    [
        ("20260329", "2026-03-28T23:00 2026-03-29T22:00"),  # 23 hours
        ("20261025", "2026-10-24T22:00 2026-10-25T23:00"),  # 25 hours
    ],
)
def test_a_whole_day_is_the_owners_local_day(day: str, instants: str) -> None:
    assert busy("X-WR-TIMEZONE:Asia/Tokyo", *event(f"DTSTART;VALUE=DATE:{day}")) == [instants]


def test_a_day_begins_with_its_first_instant_where_midnight_is_skipped() -> None:
    cairo = WINDOW._replace(tz="Africa/Cairo")  # on 24 April 2026 the clocks jump from 00:00 to 01:00
    assert busy(*event("DTSTART;VALUE=DATE:20260424"), wanted=cairo) == ["2026-04-23T22:00 2026-04-24T21:00"]


def test_floating_times_are_the_owners_unless_the_calendar_names_a_zone() -> None:
    floating = event("DTSTART:20261130T100000", "DTEND:20261130T110000")
    assert busy(*floating) == AT_NINE
    assert busy("X-WR-TIMEZONE:Asia/Tokyo", *floating) == ["2026-11-30T01:00 2026-11-30T02:00"]


def test_a_repeated_hour_means_its_first_pass_and_a_skipped_one_the_offset_before() -> None:
    assert busy(*event("DTSTART;TZID=Europe/Berlin:20261025T023000", "DURATION:PT15M")) == [
        "2026-10-25T00:30 2026-10-25T00:45"
    ]
    assert busy(*event("DTSTART;TZID=Europe/Berlin:20260329T023000", "DURATION:PT15M")) == [
        "2026-03-29T01:30 2026-03-29T01:45"
    ]


def test_a_series_keeps_its_wall_clock_over_a_change() -> None:
    weekly = ("DTSTART;TZID=Europe/Berlin:20261019T100000", "DTEND;TZID=Europe/Berlin:20261019T110000")
    assert busy(*event(*weekly, "RRULE:FREQ=WEEKLY;COUNT=3")) == [
        "2026-10-19T08:00 2026-10-19T09:00",
        "2026-10-26T09:00 2026-10-26T10:00",
        "2026-11-02T09:00 2026-11-02T10:00",
    ]


def test_a_length_by_end_is_exact_and_one_in_days_is_nominal() -> None:
    start = "DTSTART;TZID=Europe/Berlin:20261024T120000"
    assert busy(*event(start, "DTEND;TZID=Europe/Berlin:20261025T120000")) == ["2026-10-24T10:00 2026-10-25T11:00"]
    assert busy(*event(start, "DURATION:P1D")) == ["2026-10-24T10:00 2026-10-25T11:00"]
    assert busy(*event(start, "DURATION:PT24H")) == ["2026-10-24T10:00 2026-10-25T10:00"]


def test_until_is_read_on_the_clock_of_the_entry() -> None:
    daily = ("DTSTART;TZID=America/New_York:20261130T200000", "DURATION:PT1H")
    for until in ("20261202T010000Z", "20261201", "20261201T200000"):  # the last is what RFC 2445 allowed
        assert busy(*event(*daily, f"RRULE:FREQ=DAILY;UNTIL={until}")) == [
            "2026-12-01T01:00 2026-12-01T02:00",
            "2026-12-02T01:00 2026-12-02T02:00",
        ]


def test_what_is_left_out_moved_and_added_counts() -> None:
    series = event(
        "DTSTART;TZID=Europe/Berlin:20261102T100000",
        "DURATION:PT1H",
        "RRULE:FREQ=WEEKLY;COUNT=5",
        "EXDATE;TZID=Europe/Berlin:20261109T100000",
        "EXDATE;VALUE=DATE:20261130",
        "RDATE;TZID=Europe/Berlin:20261111T080000",
        "RDATE;VALUE=PERIOD:20261112T080000Z/PT2H,20261113T080000Z/20261113T083000Z",
    )
    moved = event("RECURRENCE-ID:20261116T090000Z", "DTSTART:20261117T140000Z", "DTEND:20261117T150000Z")
    gone = event("RECURRENCE-ID;TZID=Europe/Berlin:20261123T100000", *NINE, "STATUS:CANCELLED")
    assert busy(*moved, *series, *gone) == [
        "2026-11-02T09:00 2026-11-02T10:00",
        "2026-11-11T07:00 2026-11-11T08:00",
        "2026-11-12T08:00 2026-11-12T10:00",
        "2026-11-13T08:00 2026-11-13T08:30",
        "2026-11-17T14:00 2026-11-17T15:00",
    ]


def test_of_two_revisions_the_later_counts_and_of_two_alike_both() -> None:
    later = event("DTSTART:20261201T090000Z", "DURATION:PT1H", "SEQUENCE:2")
    series = event(*NINE, "RRULE:FREQ=DAILY;COUNT=2")
    moved = event("RECURRENCE-ID:20261201T090000Z", "DTSTART:20261201T110000Z", "DURATION:PT1H", "SEQUENCE:1")
    assert busy(*event(*NINE, "SEQUENCE:1"), *later) == ["2026-12-01T09:00 2026-12-01T10:00"]
    assert busy(*later, *event(*NINE, "SEQUENCE:two")) == ["2026-12-01T09:00 2026-12-01T10:00"]
    assert busy(*event(*NINE, "SEQUENCE:2"), *later) == [*AT_NINE, "2026-12-01T09:00 2026-12-01T10:00"]
    older = event("RECURRENCE-ID:20261201T090000Z", "DTSTART:20261201T130000Z", "DURATION:PT1H")
    assert busy(*series, *moved, *older) == [*AT_NINE, "2026-12-01T11:00 2026-12-01T12:00"]


def test_an_old_series_is_told_in_the_window_alone() -> None:
    every_third = event("DTSTART:19700101T060000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;INTERVAL=3")
    found = busy(*every_third)
    # 20,454 days lie between 1970 and 2026, which three divides: a third day falls on 1 January.
    assert found[:2] == ["2026-01-01T06:00 2026-01-01T07:00", "2026-01-04T06:00 2026-01-04T07:00"]
    assert len(found) == 134


def test_the_day_of_the_week_stays_in_phase_however_old_the_series() -> None:
    """Every second week from Monday 4 January 1999: 14 December 2026 is 10,206 days or 2 × 729 weeks later."""
    found = busy(*event("DTSTART:19990104T060000Z", "DURATION:PT1H", "RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR"))
    december = [one for one in found if one.startswith("2026-12")]
    assert [one[8:10] for one in december] == ["04", "14", "18", "28"]


def test_what_began_before_the_window_lasts_into_it() -> None:
    found = busy(*event("DTSTART:20240105T000000Z", "DURATION:P30D", "RRULE:FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=20"))
    assert found[0] == "2025-12-20T00:00 2026-01-19T00:00"


def test_free_busy_answers_are_read() -> None:
    lines = [
        *("BEGIN:VFREEBUSY", "FREEBUSY:20261130T090000Z/PT1H,20261201T090000Z/20261201T093000Z"),
        *("FREEBUSY;FBTYPE=FREE:20261202T090000Z/PT1H", "FREEBUSY;FBTYPE=BUSY-TENTATIVE:20261203T090000Z/PT1H"),
        "END:VFREEBUSY",
    ]
    first = [*AT_NINE, "2026-12-01T09:00 2026-12-01T09:30"]
    assert busy(*lines) == [*first, "2026-12-03T09:00 2026-12-03T10:00"]
    assert busy(*lines, wanted=WINDOW._replace(tentative=False)) == first


def test_entries_that_touch_become_one() -> None:
    later = event("DTSTART:20261130T100000Z", "DURATION:PT30M", uid="two")
    assert busy(*event(*NINE), *later) == ["2026-11-30T09:00 2026-11-30T10:30"]


def test_a_copy_of_a_call_of_ours_is_told_apart() -> None:
    uid = "0123456789abcdefghjkmnpqrstvwxyz"
    found = read([calendar(*event(*NINE, uid=uid), *event(*NINE, uid=f"{uid}-2"), *event(*NINE))], WINDOW)
    assert [copy for _, _, copy in found.busy] == ["", uid]


ODD_ZONE = [
    *("BEGIN:VTIMEZONE", "TZID:Customized Time Zone"),
    *("BEGIN:STANDARD", "DTSTART:16011104T020000", "RRULE:FREQ=YEARLY;BYDAY=1SU;BYMONTH=11"),
    *("TZOFFSETFROM:-0400", "TZOFFSETTO:-0500", "END:STANDARD"),
    *("BEGIN:DAYLIGHT", "DTSTART:16010311T020000", "RRULE:FREQ=YEARLY;BYDAY=2SU;BYMONTH=3"),
    *("TZOFFSETFROM:-0500", "TZOFFSETTO:-0400", "END:DAYLIGHT", "END:VTIMEZONE"),
]


@pytest.mark.parametrize(
    ("tzid", "instant"),
    [
        ("Europe/Berlin", "2026-06-01T08:00"),
        ('"/mozilla.org/20050126_1/America/Argentina/Ushuaia"', "2026-06-01T13:00"),
        ("/freeassociation.sourceforge.net/Europe/Berlin", "2026-06-01T08:00"),
        ("W. Europe Standard Time", "2026-06-01T08:00"),
        ("Customized Time Zone", "2026-06-01T14:00"),
        ("UTC", "2026-06-01T10:00"),
    ],
)
def test_a_zone_is_known_by_its_name_its_windows_name_or_its_own_words(tzid: str, instant: str) -> None:
    found = busy(*event(f"DTSTART;TZID={tzid}:20260601T100000", "DURATION:PT1H"), *ODD_ZONE)
    assert [one.partition(" ")[0] for one in found] == [instant]


@pytest.mark.parametrize(
    ("wall", "instant"),
    [
        ("20260308T015900", "2026-03-08T06:59"),
        ("20260308T023000", "2026-03-08T07:30"),  # in the gap: the offset before it
        ("20260308T030000", "2026-03-08T07:00"),
        ("20261101T013000", "2026-11-01T05:30"),  # the first pass
        ("20261101T020000", "2026-11-01T07:00"),
    ],
)
def test_the_words_of_a_zone_hold_around_its_changes(wall: str, instant: str) -> None:
    found = busy(*event(f"DTSTART;TZID=Customized Time Zone:{wall}", "DURATION:PT1H"), *ODD_ZONE)
    assert [one.partition(" ")[0] for one in found] == [instant]


def test_a_series_in_a_zone_of_its_own_words_ends_where_until_says() -> None:
    daily = ("DTSTART;TZID=Customized Time Zone:20261031T200000", "DURATION:PT1H")
    assert busy(*event(*daily, "RRULE:FREQ=DAILY;UNTIL=20261102T010000Z"), *ODD_ZONE) == [
        "2026-11-01T00:00 2026-11-01T01:00",
        "2026-11-02T01:00 2026-11-02T02:00",
    ]


def test_lines_may_be_folded_anywhere_and_end_in_any_way() -> None:
    whole = calendar(*event(*NINE, "X-LONG:ä"))
    for data in (
        whole.replace(b"DTSTART:2026", b"DTST\r\n ART:20\r\n\t26"),
        whole.replace("ä".encode(), "ä".encode()[:1] + b"\r\n " + "ä".encode()[1:]),
        whole.replace(b"\r\n", b"\n"),
        whole.replace(b"\r\n", b"\r"),
        b"\xef\xbb\xbf" + whole,
        whole.replace(b"Dentist", b"\xff\xfe\x00 bad"),
        whole.replace(b"Dentist", b"Dentist\r\nwho speaks: without folding\r\n\r\n"),
    ):
        assert shown(read([data], WINDOW)) == AT_NINE


BROKEN = {
    "no beginning": ["DTEND:20261130T100000Z"],
    "no such day": ["DTSTART:20260230T090000Z"],
    "words for a time": ["DTSTART:tomorrow", "DTEND:later"],
    "a malformed line": ["DTSTART;TZID=:;:20261130T090000"],
    "a zone that nobody knows": ["DTSTART;TZID=Middle-earth:20261130T090000", "DURATION:PT1H"],
    "a rule by the second": [*NINE, "RRULE:FREQ=SECONDLY"],
    "a rule by the minute": [*NINE, "RRULE:FREQ=MINUTELY;INTERVAL=1440"],
    "a rule without steps": [*NINE, "RRULE:FREQ=DAILY;INTERVAL=0"],
    "a rule of another calendar": [*NINE, "RRULE:RSCALE=CHINESE;FREQ=YEARLY"],
    "two rules smuggled into one": [*NINE, "RRULE:FREQ=DAILY;COUNT=2 RDATE:20261201T090000Z"],
    "nonsense in a rule": [*NINE, "RRULE:FREQ=DAILY;BYDAY=9XX"],
    "a rule that never matches": [*NINE, "RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"],
    "a negative length": ["DTSTART:20261130T090000Z", "DURATION:-PT1H"],
    "the end of time": ["DTSTART:99991231T235959", "DURATION:P9W"],
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_entry_is_skipped_and_hides_no_other(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chaise_cli.export.calendar_busy.PATIENCE_S", 0.2)
    found = read([calendar(*event(*BROKEN[what], uid="bad"), *event(*NINE))], WINDOW)
    assert shown(found) == AT_NINE
    ((file, line, why),) = found.skipped
    assert (file, line) == (0, 3)
    assert why
    assert "Dentist" not in why


def test_an_entry_without_an_end_takes_no_other_with_it() -> None:
    open_ended = event(*NINE, uid="bad")[:-1]
    assert skipped("BEGIN:VTODO", "END:VTODO", *event(*NINE), *open_ended) == ["it has no end"]
    assert shown(read([calendar(*event(*NINE), *open_ended)], WINDOW)) == AT_NINE


def test_a_series_that_goes_on_for_ever_is_cut_and_says_so() -> None:
    found = read([calendar(*event(*NINE[:1], "DURATION:PT1M", "RRULE:FREQ=HOURLY"))], WINDOW._replace(end=1 << 42))
    assert len(found.busy) == 4000
    assert [why for _, _, why in found.skipped] == ["it recurs more than 4000 times; the later ones were left out"]


def test_a_giant_list_of_dates_is_cut() -> None:
    dates = ",".join(f"202611{day:02d}T{hour:02d}{minute:02d}00Z" for day in range(1, 31) for hour in range(24)
                     for minute in range(0, 60, 6))  # fmt: skip
    found = read([calendar(*event(*NINE[:1], "DURATION:PT1M", f"RDATE:{dates}"))], WINDOW)
    assert len(found.busy) <= 4000


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "there is no calendar in it"),
        (b"<html>Log in</html>", "there is no calendar in it"),
        (calendar().decode().encode("utf-16"), "there is no calendar in it"),
        (calendar(*event(*NINE))[:-20], "its end is missing"),
        (b"BEGIN:VCALENDAR\n" + b"BEGIN:VEVENT\n" * 50, "its parts are nested deeper than 6"),
        (b"X" * (5 * 1024 * 1024 + 1), "it has more than 5242880 bytes"),
        (calendar(*["BEGIN:VEVENT", "END:VEVENT"] * 10_001), "it has more than 10000 entries"),
    ],
)
def test_what_is_no_calendar_or_too_much_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(NotACalendar, match=why):
        read([data], WINDOW)


def test_one_bad_file_of_a_folder_is_skipped() -> None:
    found = read([b"nothing", calendar(*event(*NINE))], WINDOW)
    assert shown(found) == AT_NINE
    assert found.skipped == [(0, 1, "there is no calendar in it")]


def test_an_empty_calendar_is_a_free_one() -> None:
    assert busy() == []


@pytest.mark.parametrize(
    "tz", ["Europe/Dublin", "Australia/Lord_Howe", "America/Nuuk", "Africa/Casablanca", "Asia/Tehran"]
)
def test_a_zone_spelled_out_is_read_like_the_zone_itself(tz: str) -> None:
    """Every quarter of an hour around each change of two years, against the zone data that `zoneinfo` has."""
    first, last = datetime(2026, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)
    words = vtimezone(tz, first, last).replace(f"TZID:{tz}", "TZID:somewhere").encode()
    (held,) = calendars(b"BEGIN:VCALENDAR\r\n" + words + b"END:VCALENDAR\r\n")
    naive = Span(first.replace(tzinfo=None), last.replace(tzinfo=None))
    clock, zone = Zones(held, "UTC", naive).of("somewhere"), ZoneInfo(tz)
    days = [first + timedelta(days=n) for n in range(1, 729)]
    changes = [day for day in days if zone.utcoffset(day) != zone.utcoffset(day + timedelta(days=1))]
    assert changes or tz == "Asia/Tehran"
    for day in changes or days[::90]:
        for quarter in range(-48, 192):
            utc = day + timedelta(minutes=15 * quarter)
            wall = utc.astimezone(zone).replace(tzinfo=None, fold=0)
            assert clock.wall(utc.replace(tzinfo=None)) == wall
            assert clock.instant(wall) == int(wall.replace(tzinfo=zone).timestamp()) * 1000
