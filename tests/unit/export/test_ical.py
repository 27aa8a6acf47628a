from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaise_cli.export.ical import NOBODY, Person, Slot, calendar
from chaise_cli.export.icaltext import clean, label, text
from chaise_cli.export.vtimezone import vtimezone
from tests.unit.export.calls import CALL, DAILY, DUE, JAMES, LISA, OFFER, SHIFTED, START, WEEKLY
from tests.unit.export.ical_lines import Component, read
from tests.unit.export.zone_cases import FIRST_PASS, every_zone, utc
from tests.volume import costly

ROOT = Path(__file__).parents[3]


def entries(data: bytes) -> list[Component]:
    return read(data).kinds("VEVENT")


def test_a_confirmed_call_is_written_as_the_specification_says() -> None:
    (entry,) = entries(calendar([CALL], name="Calls"))
    assert entry.lines == [
        "UID:4tq8xm2kcall",
        "SEQUENCE:1",
        "DTSTAMP:20261121T103000Z",
        "CREATED:20261120T090000Z",
        "LAST-MODIFIED:20261121T103000Z",
        "DTSTART;TZID=Europe/Berlin:20261125T150000",
        "DTEND;TZID=Europe/Berlin:20261125T153000",
        "STATUS:CONFIRMED",
        "TRANSP:OPAQUE",
        "SUMMARY:Call with James",
        r"DESCRIPTION:About the milestones\n\nhttps://meet.example/x",
        "LOCATION:https://meet.example/x",
        "URL:https://meet.example/x",
        "CONFERENCE;VALUE=URI;FEATURE=AUDIO,VIDEO;LABEL=Join the call:https://meet.example/x",
        "ORGANIZER;CN=Lisa:mailto:lisa@example.com",
        "ATTENDEE;CN=James;ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED:mailto:james@example.com",
    ]
    assert [alarm.lines for alarm in entry.children] == [
        ["ACTION:DISPLAY", "DESCRIPTION:Call with James", "TRIGGER:-PT15M"]
    ]


def test_a_file_carries_what_feeds_need_and_no_version() -> None:
    assert read(calendar([], name="Calls, mine")).lines == [
        "VERSION:2.0",
        "PRODID:-//Chaise//Chaise//EN",
        "CALSCALE:GREGORIAN",
        r"NAME:Calls\, mine",
        r"X-WR-CALNAME:Calls\, mine",
        "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
        "X-PUBLISHED-TTL:PT1H",
        "COLOR:teal",
    ]


def test_a_published_file_names_the_organizer_and_no_attendee() -> None:
    data = calendar([CALL], name="Calls", method="PUBLISH")
    assert read(data).value("METHOD") == "PUBLISH"
    (entry,) = entries(data)
    assert entry.value("ORGANIZER") == "mailto:lisa@example.com"
    assert entry.values("ATTENDEE") == []


def test_a_feed_is_published_only_where_every_entry_has_its_organizer() -> None:
    """RFC 5546 section 3.2.1 wants one in each; who is invited is left out of a feed in any case."""
    due, nameless = DUE._replace(organizer=LISA), CALL._replace(uid="nameless", organizer=NOBODY)
    published = calendar([CALL, OFFER], [due], name="Calls", method="PUBLISH")
    assert read(published).value("METHOD") == "PUBLISH"
    assert [entry.values("ORGANIZER") for entry in entries(published)] == [["mailto:lisa@example.com"]] * 5
    for calls, dates in (([CALL, nameless], [due]), ([CALL], [DUE]), ([], [])):
        feed = calendar(calls, dates, name="Calls", method="PUBLISH")
        assert read(feed).values("METHOD") == []
        assert [entry.values("ATTENDEE") for entry in entries(feed)] == [[]] * (len(calls) + len(dates))
    assert read(calendar([CALL], name="Calls", method="PUBLISH", private=True)).values("METHOD") == []


def test_a_plain_file_has_no_method() -> None:
    assert read(calendar([CALL], name="Calls")).values("METHOD") == []


def test_an_offer_is_tentative_and_asks_for_an_answer() -> None:
    entry = entries(calendar([OFFER._replace(extra=())], name="Calls"))[0]
    assert entry.value("STATUS") == "TENTATIVE"
    assert entry.line("ATTENDEE").startswith("ATTENDEE;CN=James;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:")


def test_other_slots_of_an_offer_are_tentative_entries_with_uids_of_their_own() -> None:
    found = entries(calendar([OFFER], name="Calls"))
    assert [(each.value("UID"), each.value("DTSTART"), each.value("STATUS")) for each in found] == [
        ("7k3moffer-2", "20261124T150000", "TENTATIVE"),
        ("7k3moffer", "20261125T150000", "TENTATIVE"),
        ("7k3moffer-1", "20261126T150000", "TENTATIVE"),
    ]
    assert [len(each.kinds("VALARM")) for each in found] == [0, 1, 0]


def test_a_cancelled_call_is_transparent_and_rings_no_more() -> None:
    (entry,) = entries(calendar([CALL._replace(status="cancelled", sequence=2)], name="Calls"))
    assert (entry.value("STATUS"), entry.value("TRANSP"), entry.value("SEQUENCE")) == ("CANCELLED", "TRANSPARENT", "2")
    assert entry.children == []


def test_the_alarm_can_be_moved_and_left_out() -> None:
    early, silent = entries(
        calendar([CALL._replace(uid="a", alarm_minutes=90), CALL._replace(uid="b", alarm_minutes=None)], name="Calls")
    )
    assert early.children[0].value("TRIGGER") == "-PT90M"
    assert silent.children == []


def test_a_deadline_has_no_length_takes_no_time_and_rings_four_times() -> None:
    (entry,) = entries(calendar([], [DUE], name="Deadlines"))
    assert entry.line("DTSTART") == "DTSTART;TZID=Europe/Berlin:20261215T235959"
    assert entry.values("DTEND") == []
    assert entry.value("TRANSP") == "TRANSPARENT"
    assert [alarm.value("TRIGGER") for alarm in entry.children] == ["-P7D", "-P3D", "-PT24H", "-PT2H"]


def test_private_says_busy_and_names_nobody() -> None:
    data = calendar([CALL, OFFER], [DUE], name="Calls of Lisa", method="PUBLISH", private=True)
    for word in (b"Lisa", b"lisa", b"James", b"james", b"meet.example", b"milestone", b"due", b"1400"):
        assert word not in data.replace(b"9wz2due", b"")
    assert [entry.value("SUMMARY") for entry in entries(data)] == ["Busy"] * 5
    assert read(data).value("NAME") == "Busy"
    assert [entry.value("UID") for entry in entries(data)][1:3] == ["4tq8xm2kcall", "7k3moffer"]


@pytest.mark.parametrize("email", [None, "", "nobody", "a@b\r\nX-EVIL:1"])
def test_no_address_is_invented(email: str | None) -> None:
    lisa, james = Person("Lisa", email), Person("James", email)
    (entry,) = entries(calendar([CALL._replace(organizer=lisa, attendees=((james, "ACCEPTED"),))], name="Calls"))
    assert entry.values("ORGANIZER") == entry.values("ATTENDEE") == []
    (entry,) = entries(calendar([CALL._replace(attendees=((james, "ACCEPTED"),))], name="Calls"))
    assert (entry.values("ORGANIZER"), entry.values("ATTENDEE")) == (["mailto:lisa@example.com"], [])


@pytest.mark.parametrize(
    ("url", "feature"),
    [("tel:+4930123", "PHONE"), ("SIP:j@example.com", "AUDIO,VIDEO"), ("xmpp:r@example.com", "CHAT")],
)
def test_a_link_says_what_kind_of_call_it_is(url: str, feature: str) -> None:
    (entry,) = entries(calendar([CALL._replace(url=url)], name="Calls"))
    assert entry.line("CONFERENCE") == f"CONFERENCE;VALUE=URI;FEATURE={feature};LABEL=Join the call:{url}"


def test_any_other_link_is_left_out_everywhere() -> None:
    for url in ("javascript:alert(1)", "http://meet.example/x", "https://a b", None):
        (entry,) = entries(calendar([CALL._replace(url=url)], name="Calls"))
        assert entry.value("DESCRIPTION") == "About the milestones"
        assert [entry.values(name) for name in ("URL", "LOCATION", "CONFERENCE")] == [[], [], []]


def test_entries_are_in_the_order_of_time_and_uid_and_zones_in_that_of_names() -> None:
    later = CALL._replace(uid="a", start=START + timedelta(hours=1), end=START + timedelta(hours=2), tz="Asia/Tokyo")
    twin = CALL._replace(uid="b", tz="America/New_York")
    data = calendar([later, CALL, twin], name="Calls")
    assert [each.value("UID") for each in entries(data)] == ["4tq8xm2kcall", "b", "a"]
    assert [each.value("TZID") for each in read(data).kinds("VTIMEZONE")] == [
        "America/New_York",
        "Asia/Tokyo",
        "Europe/Berlin",
    ]
    kinds = [child.name for child in read(data).children]
    assert kinds == sorted(kinds, reverse=True), "zones stand before the entries"


def test_a_zone_is_spelled_out_once_from_before_the_first_alarm_to_after_the_last_entry() -> None:
    late = CALL._replace(uid="late", start=START + timedelta(days=900), end=START + timedelta(days=900, hours=1))
    data = calendar([late, CALL], name="Calls")
    expected = vtimezone("Europe/Berlin", START - timedelta(days=8), late.end)
    assert data.count(b"BEGIN:VTIMEZONE") == data.count(expected.encode()) == 1


@pytest.mark.parametrize(("zone", "instant"), [(zone, instant) for zone, _, instant in FIRST_PASS])
@pytest.mark.parametrize("touching", ["start", "end"])
@pytest.mark.parametrize("second", [False, True])
def test_a_call_that_touches_a_repeated_hour_is_in_utc(zone: str, instant: str, touching: str, *, second: bool) -> None:
    repeated = timedelta(minutes=30 if zone == "Australia/Lord_Howe" else 120 if zone == "Antarctica/Troll" else 60)
    at = utc(instant) + (repeated if second else timedelta(0))
    start, end = (at, at + timedelta(hours=5)) if touching == "start" else (at - timedelta(hours=5), at)
    data = calendar([CALL._replace(start=start, end=end, tz=zone)], name="Calls")
    (entry,) = entries(data)
    assert entry.line("DTSTART") == f"DTSTART:{start:%Y%m%dT%H%M%SZ}"
    assert entry.line("DTEND") == f"DTEND:{end:%Y%m%dT%H%M%SZ}"
    assert b"VTIMEZONE" not in data, "a zone that nothing is written in"


@pytest.mark.parametrize("zone", ["UTC", "Mars/Olympus", "posix/Europe/Berlin", "Factory", "", "a\r\nX-EVIL:1"])
def test_utc_and_zones_unknown_here_are_written_in_utc(zone: str) -> None:
    data = calendar([CALL._replace(tz=zone)], [DUE._replace(tz=zone)], name="Calls")
    assert [entry.line("DTSTART") for entry in entries(data)] == [
        "DTSTART:20261125T140000Z",
        "DTSTART:20261215T225959Z",
    ]
    assert b"VTIMEZONE" not in data
    assert b"EVIL" not in data


def test_a_call_can_be_written_in_every_zone() -> None:
    calls = [CALL._replace(uid=f"u{n}", tz=zone) for n, zone in enumerate(every_zone())]
    data = calendar(calls, name="Calls")
    assert {each.value("TZID") for each in read(data).kinds("VTIMEZONE")} == set(every_zone()) - {"UTC"}


@costly(150)
@given(st.text(), st.text(), st.text(), st.one_of(st.none(), st.text()), st.one_of(st.none(), st.text()))
def test_no_text_of_others_breaks_the_file(
    title: str, body: str, person: str, url: str | None, email: str | None
) -> None:
    call = CALL._replace(
        summary=title,
        description=body,
        url=url,
        organizer=Person(person, "lisa@example.com"),
        attendees=((Person(person, email), "TENTATIVE"), (JAMES, "DECLINED")),
    )
    data = calendar([call], [DUE._replace(summary=title, description=body)], name=person)
    assert [child.name for child in read(data).children] == ["VTIMEZONE", "VEVENT", "VEVENT"]
    call_entry, deadline = entries(data)
    assert call_entry.value("SUMMARY") == deadline.value("SUMMARY") == text(label(title))
    assert "".join(deadline.values("DESCRIPTION")) == text(body) or not clean(body)


def test_a_name_is_encoded_in_its_parameter() -> None:
    (entry,) = entries(calendar([CALL._replace(organizer=Person('L"isa; ^n\r\n: x', "l@example.com"))], name="Calls"))
    assert entry.line("ORGANIZER") == 'ORGANIZER;CN="L^\'isa; ^^n : x":mailto:l@example.com'


def test_a_windows_path_in_a_title_survives() -> None:
    (entry,) = entries(calendar([CALL._replace(summary="C:\\New; a, b")], name="Calls"))
    assert entry.value("SUMMARY") == r"C:\\New\; a\, b"


PROGRAM = """
import sys
from chaise_cli.export.ical import calendar
from tests.unit.export.calls import CALL, DUE, LISA, OFFER
due = DUE._replace(organizer=LISA)
calls = [CALL._replace(uid=zone, tz=zone) for zone in ("Asia/Gaza", "America/Nuuk", "Europe/Dublin", "UTC")]
sys.stdout.buffer.write(calendar([OFFER, *calls, CALL], [due], name="Calls \\u00fc", method="PUBLISH"))
"""


def test_the_same_values_give_the_same_bytes_everywhere() -> None:
    settings = [
        {"TZ": "UTC", "LC_ALL": "C", "PYTHONHASHSEED": "0", "PYTHONUTF8": "0"},
        {"TZ": "Pacific/Chatham", "LC_ALL": "tr_TR.UTF-8", "PYTHONHASHSEED": "1", "USER": "lisa", "HOSTNAME": "box"},
        {"TZ": "America/St_Johns", "LANG": "de_DE", "PYTHONHASHSEED": "4711", "HOME": "/nowhere"},
    ]
    outputs = {
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env={"PATH": os.environ["PATH"], "PYTHONTZPATH": "", "PYTHONPATH": str(ROOT), **setting},
            stdout=subprocess.PIPE,
            check=True,
        ).stdout
        for setting in settings
    }
    (data,) = outputs
    assert (read(data).value("METHOD"), read(data).value("NAME")) == ("PUBLISH", "Calls ü")


def test_the_order_of_the_input_changes_no_byte() -> None:
    other = CALL._replace(uid="other", tz="Asia/Tokyo", extra=(Slot(START, START + timedelta(hours=1)),))
    assert calendar([CALL, OFFER, other], [DUE], name="x") == calendar([other, CALL, OFFER], [DUE], name="x")


# Check-ins


def lines(entry: Component, *names: str) -> list[str]:
    return [line for line in entry.lines if line.partition(":")[0].partition(";")[0] in names]


def test_a_checkin_is_a_rule_on_the_clock_of_its_zone_with_exceptions() -> None:
    (entry,) = entries(calendar([WEEKLY], name="Calls"))
    assert lines(entry, "DTSTART", "DTEND", "RRULE", "EXDATE", "RDATE") == [
        "DTSTART;TZID=Europe/Berlin:20270315T090000",
        "DTEND;TZID=Europe/Berlin:20270315T093000",
        "RRULE:FREQ=WEEKLY;INTERVAL=1;COUNT=4",
        "EXDATE;TZID=Europe/Berlin:20270322T090000",
    ]
    (entry,) = entries(calendar([DAILY], name="Calls"))
    assert lines(entry, "RRULE", "EXDATE") == ["RRULE:FREQ=DAILY;INTERVAL=1;COUNT=3"]


def test_each_time_that_is_off_is_a_property_of_its_own() -> None:
    (entry,) = entries(calendar([WEEKLY._replace(skipped=WEEKLY.starts[1:3])], name="Calls"))
    assert entry.values("EXDATE") == ["20270322T090000", "20270329T090000"]


def test_a_checkin_that_no_rule_tells_lists_its_instants_in_utc() -> None:
    (entry,) = entries(calendar([SHIFTED], name="Calls"))
    assert lines(entry, "DTSTART", "DTEND", "RRULE", "RDATE", "EXDATE") == [
        "DTSTART:20270315T080000Z",
        "DTEND:20270315T083000Z",
        "RDATE:20270315T080000Z",
        "RDATE:20270329T080000Z",
        "RDATE:20270405T070000Z",
    ]
    (entry,) = entries(calendar([SHIFTED._replace(skipped=SHIFTED.starts[:1])], name="Calls"))
    assert entry.values("EXDATE") == ["20270315T080000Z"], "the first is one unless it is taken out"
    assert len(entry.values("RDATE")) == 3


def test_a_checkin_in_utc_has_a_rule_in_utc() -> None:
    starts = tuple(START + timedelta(days=7 * n) for n in range(4))
    utc_clock = CALL._replace(tz="UTC", days=7, starts=starts, skipped=starts[1:2])
    (entry,) = entries(calendar([utc_clock], name="Calls"))
    assert lines(entry, "DTSTART", "RRULE", "EXDATE") == [
        "DTSTART:20261125T140000Z",
        "RRULE:FREQ=WEEKLY;INTERVAL=1;COUNT=4",
        "EXDATE:20261202T140000Z",
    ]


def test_a_checkin_with_a_time_that_happens_twice_is_in_utc() -> None:
    """The second Sunday at half past two is the night in which Berlin's clocks go back."""
    first = utc("2027-10-24T00:30Z")
    again = WEEKLY._replace(start=first, end=first + timedelta(minutes=30), starts=(first, utc("2027-10-31T00:30Z")))
    (entry,) = entries(calendar([again._replace(skipped=())], name="Calls"))
    assert lines(entry, "DTSTART", "RRULE") == ["DTSTART:20271024T003000Z", "RRULE:FREQ=WEEKLY;INTERVAL=1;COUNT=2"]


def test_the_zone_is_spelled_out_to_the_last_time_of_a_checkin() -> None:
    """Cairo's changes at midnight are listed one by one; to the first time alone, there would be none of 2030."""
    first = utc("2027-06-01T09:00Z")
    starts = tuple(first + timedelta(days=366 * n) for n in range(4))
    zone = read(
        calendar([CALL._replace(tz="Africa/Cairo", start=first, end=first, days=366, starts=starts)], name="Calls")
    ).kinds("VTIMEZONE")[0]
    onsets = [child.value("DTSTART")[:4] for child in zone.children]
    assert {"2027", "2030"} <= set(onsets)
