from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chaise_cli.domain import when
from chaise_cli.domain.copies import Read, Span
from chaise_cli.export import copies

MINE = """BEGIN:VCALENDAR
VERSION:2.0
BEGIN:VTIMEZONE
TZID:Europe/Berlin
BEGIN:STANDARD
DTSTART:19701025T030000
RRULE:FREQ=SECONDLY
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
END:STANDARD
END:VTIMEZONE
BEGIN:VEVENT
UID:x
DTSTART;TZID=Europe/Berlin:20261125T150000
DTEND;TZID=Europe/Berlin:20261125T153000
BEGIN:VALARM
TRIGGER:-PT15M
DTSTART:20000101T000000Z
STATUS:CANCELLED
END:VALARM
END:VEVENT
END:VCALENDAR
"""
START = int(datetime(2026, 11, 25, 14, 0, tzinfo=UTC).timestamp()) * 1000
SPAN = Span(START, START + 30 * when.MINUTE, "Europe/Berlin")


def ical(old: str = "", new: str = "") -> bytes:
    assert old in MINE
    return MINE.replace(old, new).replace("\n", "\r\n").encode()


@pytest.mark.parametrize(
    ("old", "new", "tz"),
    [
        ("", "", "Europe/Berlin"),
        ("DTEND;TZID=Europe/Berlin:20261125T153000", "DURATION:PT30M", "Europe/Berlin"),
        ("DTEND;TZID=Europe/Berlin:20261125T153000", "DTEND:20261125T143000Z", "Europe/Berlin"),
        ("DTSTART;TZID=Europe/Berlin:20261125T150000", "DTSTART:20261125T140000Z", "UTC"),
        ("DTSTART;TZID=Europe/Berlin:", 'dtstart;X-A="b:c";tzid="W. Europe Standard Time":', "Europe/Berlin"),
        ("DTSTART;TZID=Europe/Berlin:", "DTSTART;TZID=/vendor.example/Tz/Europe/Berlin:", "Europe/Berlin"),
    ],
)
def test_the_times_of_an_entry_are_read_whoever_wrote_them(old: str, new: str, tz: str) -> None:
    """14:00 in UTC is 15:00 in Berlin: worked out by hand. Neither the alarm nor the false zone is looked at."""
    assert copies.read(ical(old, new)) == Read(SPAN._replace(tz=tz), cancelled=False)


def test_a_cancelled_entry_is_told() -> None:
    assert copies.read(ical("UID:x", "STATUS:cancelled")) == Read(SPAN, cancelled=True)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("DTSTART;TZID=Europe/Berlin:20261125T150000\n", ""),
        ("DTSTART;TZID=Europe/Berlin:20261125T150000", "DTSTART;VALUE=DATE:20261125"),
        ("DTSTART;TZID=Europe/Berlin:20261125T150000", "DTSTART:20261125T150000"),
        ("DTSTART;TZID=Europe/Berlin", "DTSTART;TZID=Mars/Base"),
        ("DTEND;TZID=Europe/Berlin:20261125T153000\n", ""),
        ("20261125T153000", "20261125T150000"),
        ("20261125T153000", "20281125T150000"),
        ("20261125T153000", "99991231T235959"),
        ("20261125T150000", "00010101T000000"),
        ("DTEND;TZID=Europe/Berlin:20261125T153000", "DURATION:P99999999999999999999W"),
        ("UID:x", "RRULE:FREQ=DAILY\nRDATE:nonsense"),
        ("UID:x", "RRULE:FREQ=DAILY\nEXDATE;VALUE=DATE:20261202"),
        ("UID:x", "RECURRENCE-ID:20261125T140000Z"),
        ("END:VEVENT", "END:VEVENT\nBEGIN:VEVENT\nUID:y\nEND:VEVENT"),
        ("BEGIN:VEVENT", "BEGIN:VTODO"),
        ("UID:x", "no line of a calendar"),
    ],
)
def test_what_no_call_can_be_has_no_times(old: str, new: str) -> None:
    assert copies.read(ical(old, new)).span is None


@settings(max_examples=60)
@given(st.data())
def test_whatever_a_server_sends_is_read_or_is_no_call(data: st.DataObject) -> None:
    mine = ical()
    at = data.draw(st.integers(0, len(mine)))
    junk = data.draw(
        st.binary(max_size=12) | st.sampled_from([b"\r\n", b";", b":", b'"', b"\r\n ", b"BEGIN:X\r\n", b"="])
    )
    cut = data.draw(st.integers(0, 20))
    copies.read(mine[:at] + junk + mine[at + cut :])


RULE = "RRULE:FREQ=WEEKLY;INTERVAL=1;COUNT=4"
OUT = "EXDATE;TZID=Europe/Berlin:20261202T150000"


@pytest.mark.parametrize(
    "other",
    [
        f"{OUT}\nRRULE:COUNT=4;FREQ=WEEKLY;WKST=MO",
        f"rrule:freq=weekly;interval=1;count=4\n{OUT}\n{OUT}",
        f"{RULE}\nEXDATE:20261202T140000Z",
    ],
)
def test_what_repeats_alike_is_read_alike(other: str) -> None:
    mine = copies.read(ical("UID:x", f"{RULE}\n{OUT}"))
    assert mine.again
    assert copies.read(ical("UID:x", other)) == mine


@pytest.mark.parametrize(
    "other",
    [
        "X-A:b",
        RULE,
        f"{RULE}\n{OUT},20261209T150000",
        f"{RULE.replace('4', '5')}\n{OUT}",
        f"{RULE}\n{OUT}\nRDATE:20300101T000000Z",
    ],
)
def test_what_repeats_otherwise_is_read_otherwise(other: str) -> None:
    mine = copies.read(ical("UID:x", f"{RULE}\n{OUT}"))
    found = copies.read(ical("UID:x", other))
    assert (found.span, found.again == mine.again) == (mine.span, False)
