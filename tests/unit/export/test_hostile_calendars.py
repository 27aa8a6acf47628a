"""Calendar files that mean harm, or badly written ones, before both of our readers: of busy time, and of answers.

What neither does: take somebody's words for a property, expand without end, trust a depth, a character or a zone.
"""

from __future__ import annotations

import time
from typing import Final

import pytest

from chaise_cli.domain.itip_answer import Said
from chaise_cli.domain.when import read_instant
from chaise_cli.export import answers
from chaise_cli.export.answers import Unreadable
from chaise_cli.export.calendar_busy import read
from chaise_cli.export.calendar_lines import NotACalendar
from tests.unit.export.test_answers import EASTERN, OWN_ZONE, SAID, YES, file
from tests.unit.export.test_calendar_busy import AT_NINE, NINE, WINDOW, busy, calendar, event, shown, skipped

LINE_ENDS: Final = ("\r", "\x0b", "\x0c", "\x1c", "\x1e", "\x85", "\u2028", "\u2029", "\\n", "\\r\\n", "^n", "%0D%0A")
TRANSPARENT: Final = "TRANSP:TRANSPARENT"
DECLINED: Final = "ATTENDEE;PARTSTAT=DECLINED:mailto:james@example.com"
GIANT: Final = ",".join(
    f"2026{month:02d}{day:02d}T{hour:02d}0000" for month in range(1, 13) for day in range(1, 29) for hour in range(24)
)
SECOND: Final = "RRULE:FREQ=SECONDLY"


def said(*lines: str, before: str = "") -> Said:
    return answers.read(file(*lines, before=before))


def refused(*lines: str, before: str = "") -> bool:
    with pytest.raises(Unreadable):
        said(*lines, before=before)
    return True


@pytest.mark.parametrize("end", LINE_ENDS)
def test_words_become_no_property_of_a_busy_time(end: str) -> None:
    assert busy(*event(f"SUMMARY:x{end}{TRANSPARENT}", *NINE)) == AT_NINE
    assert busy(*event(f'X-NOTE;X="a{end}{TRANSPARENT}{end}":b', *NINE)) == AT_NINE
    assert busy(*event(f"SUMMARY:x{end}END:VEVENT{end}BEGIN:VEVENT{end}DTSTART;VALUE=DATE:20261201", *NINE)) == AT_NINE


@pytest.mark.parametrize("end", LINE_ENDS)
def test_words_become_no_property_of_an_answer(end: str) -> None:
    assert said(f"SUMMARY:x{end}{DECLINED}", YES) == SAID
    assert said(f"COMMENT:x{end}END:VEVENT{end}BEGIN:VEVENT", YES) == SAID
    try:  # a parameter that holds a control character is none at all
        assert said(YES.replace("CN=James", f'CN="J{end}{DECLINED[:25]}"')) == SAID
    except Unreadable:
        assert end < " "


def test_a_name_that_breaks_its_line_breaks_the_entry_alone() -> None:
    torn = f'X-NOTE;X="a\r\n{TRANSPARENT}\r\n":b'
    assert shown(read([calendar(*event(torn, *NINE, uid="bad"), *event(*NINE))], WINDOW)) == AT_NINE


def test_a_name_that_breaks_its_line_is_no_answer() -> None:
    assert refused(YES.replace("CN=James", f'CN="J\r\n{DECLINED}\r\n"'))


def test_a_uid_with_line_ends_is_no_copy_of_a_call_of_ours() -> None:
    uid = "0123456789abcdefghjkmnpqrstvwxyz"
    for odd in (f"{uid}\\n", f"{uid}\x00", f"{uid}-1\\nX", f"{uid}-12"):
        assert [copy for _, _, copy in read([calendar(*event(*NINE, uid=odd))], WINDOW).busy] == [""]


def test_a_uid_with_line_ends_is_kept_as_it_is_by_an_answer() -> None:
    """It is looked up, and names no call."""
    assert answers.read(file(YES).replace(b"UID:abc", b"UID:abc\\nSEQUENCE:9")).uid == "abc\nSEQUENCE:9"


@pytest.mark.parametrize(
    "rule", [SECOND, "RRULE:FREQ=MINUTELY", "RRULE:FREQ=DAILY;BYSECOND=0;FREQ=SECONDLY", "rrule:freq=secondly"]
)
def test_a_rule_by_the_second_makes_nobody_busy(rule: str) -> None:
    assert skipped(*event(*NINE, rule))
    zone = OWN_ZONE.format("+0100").replace("END:STANDARD", f"{rule}\nEND:STANDARD").splitlines()
    assert skipped(*zone, *event("DTSTART;TZID=Office:20261130T100000", "DURATION:PT1H"))


@pytest.mark.parametrize(
    "rule", [SECOND, "RRULE:FREQ=MINUTELY", "RRULE:FREQ=YEARLY;BYSECOND=0;FREQ=SECONDLY", "rrule:freq=secondly"]
)
def test_a_rule_by_the_second_is_no_answer(rule: str) -> None:
    assert refused(rule, YES)
    assert refused(YES, before=OWN_ZONE.format("+0100").replace("END:STANDARD", f"{rule}\nEND:STANDARD"))


def test_a_giant_list_of_times_is_cut_for_busy_time() -> None:
    found = read([calendar(*event(NINE[0], "DURATION:PT1M", f"RDATE:{GIANT}", f"EXDATE:{GIANT[:4000]}0000"))], WINDOW)
    assert len(found.busy) <= 4_000


def test_a_giant_list_of_changes_of_a_zone_is_read_in_time() -> None:
    """Ours looks at each once; the library, which answers are read by, at no more than a message can hold."""
    zone = OWN_ZONE.format("+0530").replace("END:STANDARD", f"RDATE:{GIANT[: 16 * 1_500 - 1]}\nEND:STANDARD")
    began = time.process_time()
    assert busy(*zone.splitlines(), *event("DTSTART;TZID=Office:20261130T143000", "DURATION:PT1H")) == AT_NINE
    assert said("DTSTART;TZID=Office:20261130T143000", YES, before=zone).start == read_instant("2026-11-30T09:00:00Z")
    assert time.process_time() - began < 5


def test_a_giant_list_of_times_is_no_answer() -> None:
    assert refused(f"RDATE:{GIANT}", YES)
    assert said(f"EXDATE:{GIANT}", YES) == SAID  # which takes nothing away from one time


@pytest.mark.parametrize("part", ["VEVENT", "VALARM", "X-BOX", "VTIMEZONE"])
def test_what_is_nested_deeply_is_no_calendar(part: str) -> None:
    with pytest.raises(NotACalendar, match="deeper"):
        read([calendar(*event(*NINE, *[f"BEGIN:{part}"] * 4_000, *[f"END:{part}"] * 4_000))], WINDOW)


@pytest.mark.parametrize("part", ["VEVENT", "VALARM", "X-BOX", "VTIMEZONE"])
def test_what_is_nested_deeply_is_no_answer(part: str) -> None:
    assert refused(YES, *[f"BEGIN:{part}"] * 4_000, *[f"END:{part}"] * 4_000)


def test_bad_utf8_spoils_words_alone_of_busy_time() -> None:
    whole = calendar(*event(*NINE, "ATTENDEE;CN=Me;PARTSTAT=ACCEPTED:mailto:me@example.org"))
    for bad in (
        b"\xff\xfe\x00",
        b"\xc3",
        b"\xed\xa0\x80",
        b"\xf8\x88\x80\x80\x80",
        b"\xc0\x8a",
    ):  # the last: LF, overlong
        for words in (b"Dentist", b"CN=Me"):
            assert shown(read([whole.replace(words, words + bad)], WINDOW)) == AT_NINE
    assert skipped_bytes(calendar(*event(*NINE)).replace(b"DTSTART:2026", b"DTSTART:2\xff026"))


def skipped_bytes(data: bytes) -> bool:
    return bool(read([data], WINDOW).skipped)


def test_bad_utf8_spoils_words_alone_of_an_answer() -> None:
    whole = file("SUMMARY:Call", YES)
    for bad in (b"\xff\xfe\x00", b"\xc3", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80", b"\xc0\x8a"):
        assert answers.read(whole.replace(b"SUMMARY:Call", b"SUMMARY:Call" + bad)) == SAID
    assert answers.read(whole.replace(b"CN=James", b"CN=J\xff\xc3mes")) == SAID
    assert answers.read(whole.replace(b"UID:abc", b"UID:abc\xff")).uid != "abc"
    with pytest.raises(Unreadable):
        answers.read(whole.replace(b"DTSTAMP:2026", b"DTSTAMP:2\xff026"))


@pytest.mark.parametrize("zone", ["Mars/Base", "../../etc/passwd", "/etc/localtime", "posixrules", "x" * 9_000, ""])
def test_a_calendars_own_zone_that_nobody_knows_is_as_none_for_busy_time(zone: str) -> None:
    floating = event("DTSTART:20261130T100000", "DTEND:20261130T110000")
    assert busy(f"X-WR-TIMEZONE:{zone}", *floating) == AT_NINE
    assert busy("X-WR-TIMEZONE:Eastern Standard Time", *floating) == ["2026-11-30T15:00 2026-11-30T16:00"]


def test_a_calendars_own_zone_lends_an_answer_no_time() -> None:
    """RFC 5546 knows no such property: who floats says no time."""
    assert said("DTSTART:20261127T150000", YES, before="X-WR-TIMEZONE:Asia/Tokyo").start is None


@pytest.mark.parametrize(
    ("name", "hour"),
    [
        ("W. Europe Standard Time", 9),
        ("Eastern Standard Time", 15),
        ("Tokyo Standard Time", 1),
        ("Mars Standard Time", None),
    ],
)
def test_a_windows_zone_is_known_by_its_name(name: str, hour: int | None) -> None:
    """With a VTIMEZONE that says otherwise, which old Outlooks write for the wrong year, and without one."""
    lines = event(f"DTSTART;TZID={name}:20261130T100000", "DURATION:PT1H")
    expected = [] if hour is None else [f"2026-11-30T{hour:02d}:00 2026-11-30T{hour + 1:02d}:00"]
    other = OWN_ZONE.format("+0330").replace("Office", name).splitlines()
    assert shown(read([calendar(*lines)], WINDOW)) == expected
    if hour is not None:
        assert busy(*other, *lines) == expected
        instant = read_instant(f"2026-11-30T{hour:02d}:00:00Z")
        for before in ("", OWN_ZONE.format("+0330").replace("Office", name)):
            assert said(f"DTSTART;TZID={name}:20261130T100000", YES, before=before).start == instant
    else:
        assert said(f"DTSTART;TZID={name}:20261130T100000", YES).start is None


def test_floating_times_are_the_owners_and_of_an_answer_nobodys() -> None:
    assert busy(*event("DTSTART:20261130T100000", "DTEND:20261130T110000"), *EASTERN.splitlines()) == AT_NINE
    told = said("DTSTART:20261127T150000", "DTEND:20261127T153000", YES, before=EASTERN)
    assert (told.start, told.end, told.zone) == (None, None, None)
