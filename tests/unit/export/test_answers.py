from __future__ import annotations

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaise_cli.domain.itip_answer import Said
from chaise_cli.domain.when import read_instant
from chaise_cli.errors import Usage
from chaise_cli.export.answers import BYTES_MOST, Unreadable, read
from chaise_cli.export.ical import Person, calendar
from chaise_cli.export.mail import NotMailable, letter
from tests.unit.export.calls import CALL, JAMES, LISA

EASTERN: Final = """BEGIN:VTIMEZONE
TZID:Eastern Standard Time
BEGIN:STANDARD
DTSTART:16010101T020000
TZOFFSETFROM:-0400
TZOFFSETTO:-0500
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=1SU;BYMONTH=11
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETFROM:-0500
TZOFFSETTO:-0400
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=2SU;BYMONTH=3
END:DAYLIGHT
END:VTIMEZONE
"""
OWN_ZONE: Final = """BEGIN:VTIMEZONE
TZID:Office
BEGIN:STANDARD
DTSTART:19700101T000000
TZOFFSETFROM:{0}
TZOFFSETTO:{0}
END:STANDARD
END:VTIMEZONE
"""


def file(*lines: str, method: str | None = "REPLY", before: str = "") -> bytes:
    """A message with these lines in its entry, beside what every one has."""
    head = ["BEGIN:VCALENDAR", "PRODID:-//Other//EN", "VERSION:2.0", *([f"METHOD:{method}"] if method else [])]
    usual = ["UID:abc", "SEQUENCE:2", "DTSTAMP:20261121T103000Z", "ORGANIZER;CN=Lisa:mailto:lisa@example.com"]
    body = [*head, *before.splitlines(), "BEGIN:VEVENT", *usual, *lines, "END:VEVENT", "END:VCALENDAR", ""]
    return "\r\n".join(body).encode()


YES: Final = "ATTENDEE;PARTSTAT=ACCEPTED;CN=James:MAILTO:james@example.com"
SAID: Final = Said(
    "REPLY", "abc", 2, read_instant("2026-11-21T10:30:00Z"), "lisa@example.com", (("james@example.com", "ACCEPTED"),),
    None, None, None, None,
)  # fmt: skip


def test_a_reply_says_who_answers_what() -> None:
    assert read(file(YES)) == SAID
    assert read(b"\xef\xbb\xbf" + file(YES).replace(b"\r\n", b"\n")) == SAID  # saved by hand
    folded = file(YES).replace(b"james@", b"ja\r\n mes@")
    assert read(folded) == SAID
    assert read(file(YES, method="reply")).method == "REPLY"
    assert read(file(YES, method=None)).method == ""
    assert read(file("ATTENDEE:mailto:o%27neil@example.com")).attendees == (("o'neil@example.com", ""),)


@pytest.mark.parametrize(
    ("lines", "before", "start", "end", "zone"),
    [
        (
            ["DTSTART;TZID=America/New_York:20261127T100000", "DTEND;TZID=America/New_York:20261127T103000"], "",
            "2026-11-27T15:00:00Z", "2026-11-27T15:30:00Z", "America/New_York",
        ),
        (
            ["DTSTART;TZID=Eastern Standard Time:20260701T100000", "DURATION:PT45M"], EASTERN,
            "2026-07-01T14:00:00Z", "2026-07-01T14:45:00Z", "America/New_York",
        ),
        (
            ["DTSTART;TZID=Office:20261127T100000", "DTEND;TZID=Office:20261127T110000"], OWN_ZONE.format("+0530"),
            "2026-11-27T04:30:00Z", "2026-11-27T05:30:00Z", None,
        ),
        (
            ["DTSTART:20261127T150000Z", "DTEND:20261127T153000Z"], "",
            "2026-11-27T15:00:00Z", "2026-11-27T15:30:00Z", None,
        ),
        (
            ["DTSTART;TZID=/vendor.org/Europe/Berlin:20261127T150000"], "",
            "2026-11-27T14:00:00Z", None, "Europe/Berlin",
        ),
        (["DTSTART:20261127T150000", "DTEND:20261127T153000"], "", None, None, None),
        (["DTSTART;VALUE=DATE:20261127", "DTEND;VALUE=DATE:20261128"], "", None, None, None),
        (["DTSTART;TZID=Nowhere:20261127T150000", "DTEND;TZID=Nowhere:20261127T153000"], "", None, None, None),
    ],
)  # fmt: skip
def test_times_are_read_in_the_zone_they_name(
    lines: list[str], before: str, start: str | None, end: str | None, zone: str | None
) -> None:
    """Expected instants are worked out by hand: New York is 5 hours behind in November and 4 in July."""
    found = read(file(*lines, YES, method="COUNTER", before=before))
    expected = [None if at is None else read_instant(at) for at in (start, end)]
    assert ([found.start, found.end], found.zone) == (expected, zone)


def test_a_zone_that_one_file_defines_means_nothing_in_the_next() -> None:
    times = "DTSTART;TZID=Office:20261127T100000"
    for offset, expected in (("+0530", "2026-11-27T04:30:00Z"), ("-0300", "2026-11-27T13:00:00Z")):
        assert read(file(times, before=OWN_ZONE.format(offset))).start == read_instant(expected)
    assert read(file(times)).start is None


def test_a_mail_is_read_with_its_sender() -> None:
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"], mail["Subject"] = "James <james@example.com>", "lisa@example.com", "Accepted: Call"
    mail.set_content("James has accepted.")
    mail.add_alternative(
        file(YES), maintype="text", subtype="calendar", cte="quoted-printable", params={"method": "REPLY"}
    )
    assert read(mail.as_bytes()) == SAID._replace(sender="james@example.com")
    other = mail.as_bytes().replace(b'method="REPLY"', b'method="COUNTER"')
    assert other != mail.as_bytes()
    with pytest.raises(Unreadable, match="different methods"):
        read(other)
    with pytest.raises(Unreadable, match="no sender"):
        read(mail.as_bytes().replace(b"From:", b"X-From:"))


def test_our_own_mail_is_read_as_it_was_meant() -> None:
    for method in ("REPLY", "CANCEL", "COUNTER"):
        file = calendar([CALL], name="", method=method)
        found = read(letter(file, method, CALL.summary, JAMES, LISA))
        assert (found.method, found.uid, found.sequence) == (method, CALL.uid, CALL.sequence)
        assert (found.sender, found.organizer) == (JAMES.email, LISA.email)
        assert (found.start, found.end) == (read_instant("2026-11-25T14:00:00Z"), read_instant("2026-11-25T14:30:00Z"))
        assert found.zone == "Europe/Berlin"


NESTED: Final = "BEGIN:VEVENT\r\n" * 600 + "END:VEVENT\r\n" * 600


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe\x00",
        b"BEGIN:VCALENDAR",
        b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n",
        b"BEGIN:VCALENDAR\r\n\xff\xff\r\nEND:VCALENDAR\r\n",
        file(YES) + file(YES),
        file(YES, "END:VEVENT", "BEGIN:VEVENT"),
        file(YES, "SEQUENCE:3"),
        file(YES, "SEQUENCE:x"),
        file(YES, "UID:other"),
        file(YES, "DTSTART:2026"),
        file(YES, "RRULE:FREQ=DAILY"),
        file(YES, "RRULE:FREQ=SECONDLY"),
        file(YES, "RDATE:20261127T150000Z"),
        file(YES, "RECURRENCE-ID:20261127T150000Z"),
        file(YES, before=EASTERN.replace("FREQ=YEARLY", "FREQ=SECONDLY")),
        file(YES, before=EASTERN.replace("FREQ=YEARLY;", "FREQ=YEARLY;\n BYSECOND=61;")),
        file(YES, before=EASTERN.replace("RRULE:FREQ=YEARLY;", "RR\n\n ULE:FREQ=SECONDLY;")),
        file(YES, before=EASTERN.replace("TZOFFSETTO:-0500", "TZOFFSETTO:-0500\nEXRULE:FREQ=SECONDLY")),
        file(YES, before=EASTERN.replace("RRULE:", "rrule;x=y:")),
        file(YES, before=NESTED),
        file(YES).replace(b"DTSTAMP", b"X-STAMP"),
        file(YES).replace(b"UID:abc\r\n", b""),
        file(YES, "X-PAD:" + "x" * BYTES_MOST),
        file(YES).replace(b"VCALENDAR", b"VEVENT"),
        b"From: a@example.com\r\nContent-Type: text/calendar; method=REPLY\r\n\r\nnothing",
        b"From: a@example.com, b@example.com\r\nContent-Type: text/calendar; method=REPLY\r\n\r\n" + file(YES),
        b"From: a@example.com\r\nContent-Type: text/calendar\r\n\r\n" + file(YES),
        b"From: a@example.com\r\n" + b"Content-Type: message/rfc822\r\n\r\n" * 3_000,
    ],
)  # fmt: skip
def test_what_is_broken_hostile_or_about_more_than_one_call_is_refused(data: bytes) -> None:
    with pytest.raises(Unreadable):
        read(data)


@given(st.binary(max_size=300) | st.tuples(st.integers(0, 400), st.binary(max_size=12)).map(lambda cut: torn(*cut)))
def test_no_bytes_do_more_harm_than_to_be_refused(data: bytes) -> None:
    try:
        found = read(data)
    except Usage:
        return
    assert isinstance(found, Said)


def torn(at: int, put: bytes) -> bytes:
    """An answer with a few bytes replaced."""
    whole = file(YES, "DTSTART;TZID=Eastern Standard Time:20260701T100000", before=EASTERN)
    return whole[:at] + put + whole[at + len(put) :]


def test_a_mail_has_the_method_in_its_type_and_the_calendar_as_it_was() -> None:
    file = calendar([CALL], name="", method="REQUEST")
    data = letter(file, "REQUEST", "Call: Lisa\r\nBcc: x@example.com", Person("Lí;sa <x>", LISA.email), JAMES)
    head = data.partition(b"\r\n\r\n")[0].decode("ascii").replace("\r\n ", " ").split("\r\n")
    assert 'Content-Type: text/calendar; method="REQUEST"; charset="UTF-8"' in head
    assert "To: James <james@example.com>" in head
    assert "Subject: Invitation: Call: Lisa Bcc: x@example.com" in head
    assert not [line for line in head if line.startswith(("Bcc", "Date", "Message-ID"))]
    assert all(len(line) <= 78 for line in data.decode("ascii").split("\r\n"))
    assert data == letter(file, "REQUEST", "Call: Lisa\r\nBcc: x@example.com", Person("Lí;sa <x>", LISA.email), JAMES)


HIDDEN: Final = "=?utf-8?b?SGkNCkJjYzogZXZpbEBleGFtcGxlLmNvbQ==?="  # Hi, a line break, Bcc: evil@example.com


@pytest.mark.parametrize(
    "words", [HIDDEN, "=?utf-8?q?Hi=0D=0ABcc:_evil=40example.com?=", f"=={HIDDEN}", f"=\u200b?{HIDDEN[2:]}"]
)
def test_an_encoded_word_in_a_name_or_title_is_only_text(words: str) -> None:
    data = letter(b"", "REQUEST", f"Call: {words}", Person(words, LISA.email), Person(f"J {words}", JAMES.email))
    mail = message_from_bytes(data, policy=SMTP)
    assert [name for name, _ in mail.items()] == [
        *("From", "To", "Subject", "X-Unsent", "Content-Transfer-Encoding", "Content-Type", "MIME-Version")
    ]
    assert [mail[name].addresses[0].addr_spec for name in ("From", "To")] == [LISA.email, JAMES.email]
    assert "= ?utf-8?" in mail["Subject"]


@pytest.mark.parametrize(
    "address",
    [
        "a,b@c.d",
        "a<b@c.d",
        "a@b,c@d.e",
        "a(c)@b.d",
        '"x@c.d',
        "a..b@c.d",
        "@a@b",
        "a@[1.2.3",
        "a:b@c.d",
        "=?utf-8?b?YQ==?=@c.d",
    ],
)
def test_an_address_that_mail_programs_read_in_different_ways_gets_no_mail(address: str) -> None:
    with pytest.raises(NotMailable):
        letter(b"", "REQUEST", "Call", LISA, Person("James", address))


@pytest.mark.parametrize(
    "line",
    [
        "DURATION;VALUE=DATE-TIME:20261125T110000Z", "DURATION;VALUE=TEXT:PT1H", "DTEND;VALUE=TEXT:x",
        "DTEND;VALUE=RECUR:FREQ=DAILY", "DURATION;VALUE=URI:http://x.example",
    ],
)  # fmt: skip
def test_a_value_of_another_kind_is_told(line: str) -> None:
    with pytest.raises(Unreadable):
        read(file("DTSTART:20261125T100000Z", line, YES))


@pytest.mark.parametrize("kind", ["TEXT:abc", "DATE:20261125"])
def test_a_revision_that_is_no_number_is_told(kind: str) -> None:
    with pytest.raises(Unreadable):
        read(file(YES).replace(b"SEQUENCE:2", f"SEQUENCE;VALUE={kind}".encode()))
