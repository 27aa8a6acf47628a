"""Calendar files in the hands of well-known programs, with the busy time in them worked out by hand.

Where another reader says something else, `apart` tells what RFC 5545 has to say on it.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Found(NamedTuple):
    """What stands in VCALENDAR, when its owner in Berlin is busy (UTC), and why the other reader differs if it does."""

    lines: str
    busy: tuple[str, ...]
    apart: str = ""


OUTLOOK_ZONE: Final = """\
BEGIN:VTIMEZONE
TZID:W. Europe Standard Time
BEGIN:STANDARD
DTSTART:16010101T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3
END:DAYLIGHT
END:VTIMEZONE
"""
OWN_ZONE: Final = OUTLOOK_ZONE.replace("W. Europe Standard Time", "Our office")

FOUND: Final = {
    "Outlook: a Windows zone, a time called off, one moved": Found(
        f"""\
METHOD:PUBLISH
PRODID:Microsoft Exchange Server 2010
{OUTLOOK_ZONE}BEGIN:VEVENT
UID:040000008200E00074C5B7101A82E008
DTSTART;TZID=W. Europe Standard Time:20261012T090000
DTEND;TZID=W. Europe Standard Time:20261012T100000
RRULE:FREQ=WEEKLY;UNTIL=20261109T080000Z;INTERVAL=1;BYDAY=MO;WKST=MO
EXDATE;TZID=W. Europe Standard Time:20261019T090000
X-MICROSOFT-CDO-BUSYSTATUS:BUSY
END:VEVENT
BEGIN:VEVENT
UID:040000008200E00074C5B7101A82E008
RECURRENCE-ID;TZID=W. Europe Standard Time:20261026T090000
DTSTART;TZID=W. Europe Standard Time:20261027T140000
DTEND;TZID=W. Europe Standard Time:20261027T150000
END:VEVENT
""",
        (
            "2026-10-12T07:00 2026-10-12T08:00",
            "2026-10-27T13:00 2026-10-27T14:00",
            "2026-11-02T08:00 2026-11-02T09:00",
            "2026-11-09T08:00 2026-11-09T09:00",
        ),
    ),
    "Google: a calendar's own zone, changes named in UTC": Found(
        """\
X-WR-CALNAME:lisa@example.org
X-WR-TIMEZONE:America/New_York
BEGIN:VEVENT
UID:6h1k@google.com
DTSTART;TZID=America/New_York:20261026T100000
DTEND;TZID=America/New_York:20261026T103000
RRULE:FREQ=DAILY;COUNT=10;BYDAY=MO,TU,WE,TH,FR
EXDATE;TZID=America/New_York:20261028T100000
END:VEVENT
BEGIN:VEVENT
UID:6h1k@google.com
RECURRENCE-ID:20261103T150000Z
DTSTART:20261103T170000Z
DTEND:20261103T173000Z
END:VEVENT
BEGIN:VEVENT
UID:6h1k@google.com
RECURRENCE-ID:20261027T140000Z
DTSTART:20261027T140000Z
DTEND:20261027T143000Z
STATUS:CANCELLED
END:VEVENT
""",
        (
            "2026-10-26T14:00 2026-10-26T14:30",
            "2026-10-29T14:00 2026-10-29T14:30",
            "2026-10-30T14:00 2026-10-30T14:30",
            "2026-11-02T15:00 2026-11-02T15:30",
            "2026-11-03T17:00 2026-11-03T17:30",
            "2026-11-04T15:00 2026-11-04T15:30",
            "2026-11-05T15:00 2026-11-05T15:30",
            "2026-11-06T15:00 2026-11-06T15:30",
        ),
    ),
    "Google: a floating time is in the calendar's zone": Found(
        "X-WR-TIMEZONE:Asia/Tokyo\nBEGIN:VEVENT\nUID:a\nDTSTART:20261130T100000\nDTEND:20261130T110000\nEND:VEVENT\n",
        ("2026-11-30T01:00 2026-11-30T02:00",),
    ),
    "Apple: days, each left out on a line of its own": Found(
        """\
BEGIN:VEVENT
UID:2B8A-7C
DTSTART;VALUE=DATE:20261023
DTEND;VALUE=DATE:20261025
RRULE:FREQ=WEEKLY;INTERVAL=1;UNTIL=20261120
EXDATE;VALUE=DATE:20261106
EXDATE;VALUE=DATE:20261113
X-APPLE-TRAVEL-ADVISORY-BEHAVIOR:AUTOMATIC
SEQUENCE:3
END:VEVENT
BEGIN:VEVENT
UID:2B8A-7C
RECURRENCE-ID;VALUE=DATE:20261030
DTSTART;VALUE=DATE:20261031
DTEND;VALUE=DATE:20261101
END:VEVENT
BEGIN:VEVENT
UID:2B8A-7C
RECURRENCE-ID;VALUE=DATE:20261120
DTSTART;VALUE=DATE:20261120
DTEND;VALUE=DATE:20261122
STATUS:CANCELLED
END:VEVENT
""",
        ("2026-10-22T22:00 2026-10-24T22:00", "2026-10-30T23:00 2026-10-31T23:00"),
    ),
    "Thunderbird: a zone behind a path, a task and an alarm": Found(
        f"""\
{OUTLOOK_ZONE.replace("W. Europe Standard Time", "/mozilla.org/20050126_1/Europe/Berlin")}BEGIN:VTODO
UID:t
DUE;TZID=/mozilla.org/20050126_1/Europe/Berlin:20260601T100000
END:VTODO
BEGIN:VEVENT
UID:e
DTSTART;TZID=/mozilla.org/20050126_1/Europe/Berlin:20260601T100000
DURATION:PT1H30M
BEGIN:VALARM
ACTION:DISPLAY
TRIGGER:-PT15M
DURATION:PT5M
REPEAT:2
DESCRIPTION:soon
END:VALARM
END:VEVENT
""",
        ("2026-06-01T08:00 2026-06-01T09:30",),
    ),
    "a rule until a day, whose last day counts": Found(
        "BEGIN:VEVENT\nUID:a\nDTSTART;TZID=Europe/Berlin:20261129T230000\nDURATION:PT30M\n"
        "RRULE:FREQ=DAILY;UNTIL=20261130\nEND:VEVENT\n",
        ("2026-11-29T22:00 2026-11-29T22:30", "2026-11-30T22:00 2026-11-30T22:30"),
        "section 3.3.10 wants a time there; the day a program wrote as the last is one",
    ),
    "leap days, and the last workday of a month": Found(
        "BEGIN:VEVENT\nUID:a\nDTSTART:20240229T120000Z\nDURATION:PT1H\nRRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1\n"
        "END:VEVENT\nBEGIN:VEVENT\nUID:b\nDTSTART:20261030T120000Z\nDURATION:PT1H\n"
        "RRULE:FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=3\nEND:VEVENT\n",
        (
            "2026-02-28T12:00 2026-02-28T13:00",
            "2026-10-30T12:00 2026-10-30T13:00",
            "2026-11-30T12:00 2026-11-30T13:00",
            "2026-12-31T12:00 2026-12-31T13:00",
        ),
    ),
    "an occurrence of a series that stands in another file": Found(
        "BEGIN:VEVENT\nUID:a\nRECURRENCE-ID:20261130T090000Z\nDTSTART:20261130T100000Z\nDURATION:PT1H\nEND:VEVENT\n",
        ("2026-11-30T10:00 2026-11-30T11:00",),
    ),
    "two rules": Found(
        "BEGIN:VEVENT\nUID:a\nDTSTART:20261130T090000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=2\n"
        "RRULE:FREQ=WEEKLY;COUNT=2\nEND:VEVENT\n",
        (
            "2026-11-30T09:00 2026-11-30T10:00",
            "2026-12-01T09:00 2026-12-01T10:00",
            "2026-12-07T09:00 2026-12-07T10:00",
        ),
    ),
    "a day that stands for a time that is left out": Found(
        "BEGIN:VEVENT\nUID:a\nDTSTART;TZID=Europe/Berlin:20261130T090000\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=3\n"
        "EXDATE;VALUE=DATE:20261201\nEND:VEVENT\n",
        ("2026-11-30T08:00 2026-11-30T09:00", "2026-12-02T08:00 2026-12-02T09:00"),
    ),
    "a length by its end is exact over a change": Found(
        "BEGIN:VEVENT\nUID:a\nDTSTART;TZID=America/New_York:20260307T010000\nDTEND;TZID=America/New_York:20260307T033000\n"
        "RRULE:FREQ=DAILY;COUNT=3\nEND:VEVENT\n",
        (
            "2026-03-07T06:00 2026-03-07T08:30",
            "2026-03-08T06:00 2026-03-08T08:30",
            "2026-03-09T05:00 2026-03-09T07:30",
        ),
        "section 3.8.5.3: the same exact duration will apply to all members of the recurrence set",
    ),
    "hours of a length are exact over a change": Found(
        "BEGIN:VEVENT\nUID:a\nDTSTART;TZID=Europe/Berlin:20261025T010000\nDURATION:PT3H\nEND:VEVENT\n",
        ("2026-10-24T23:00 2026-10-25T02:00",),
        "section 3.3.6: only days and weeks of a duration are nominal",
    ),
    "an hour that is skipped, in a zone of the file's own words": Found(
        f"{OWN_ZONE}BEGIN:VEVENT\nUID:a\nDTSTART;TZID=Our office:20260329T023000\nDURATION:PT15M\nEND:VEVENT\n",
        ("2026-03-29T01:30 2026-03-29T01:45",),
        "section 3.3.5: a time that does not exist has the offset before the gap",
    ),
    "a period at a time of the rule": Found(
        "BEGIN:VEVENT\nUID:a\nDTSTART;TZID=Europe/Dublin:20260612T130000\nDURATION:PT30M\nRRULE:FREQ=DAILY;COUNT=2\n"
        "RDATE;VALUE=PERIOD;TZID=Europe/Dublin:20260612T140000/PT20M\nEND:VEVENT\n",
        (
            "2026-06-12T12:00 2026-06-12T12:30",
            "2026-06-12T13:00 2026-06-12T13:20",
            "2026-06-13T12:00 2026-06-13T12:30",
        ),
        "section 3.8.5.2: the period's length is that of its own occurrence, not of one so many hours before",
    ),
    "a change of an occurrence that is left out": Found(
        "BEGIN:VEVENT\nUID:a\nDTSTART:20261130T090000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=2\n"
        "EXDATE:20261201T090000Z\nEND:VEVENT\nBEGIN:VEVENT\nUID:a\nRECURRENCE-ID:20261201T090000Z\n"
        "DTSTART:20261203T090000Z\nDURATION:PT1H\nEND:VEVENT\n",
        ("2026-11-30T09:00 2026-11-30T10:00", "2026-12-03T09:00 2026-12-03T10:00"),
        "it contradicts itself: whoever may be busy counts as busy",
    ),
    "all later ones moved": Found(
        "BEGIN:VEVENT\nUID:a\nDTSTART:20261130T090000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=3\nEND:VEVENT\n"
        "BEGIN:VEVENT\nUID:a\nRECURRENCE-ID;RANGE=THISANDFUTURE:20261201T090000Z\nDTSTART:20261201T100000Z\n"
        "DURATION:PT30M\nEND:VEVENT\n",
        (
            "2026-11-30T09:00 2026-11-30T10:00",
            "2026-12-01T10:00 2026-12-01T10:30",
            "2026-12-02T09:00 2026-12-02T10:00",
        ),
        "section 3.8.4.4 wants them moved; we tell that we left that out (docs/open-points.md)",
    ),
    "a first time that is not of the rule": Found(
        "BEGIN:VEVENT\nUID:a\nDTSTART:20261130T090000Z\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;BYDAY=WE;COUNT=2\nEND:VEVENT\n",
        (
            "2026-11-30T09:00 2026-11-30T10:00",
            "2026-12-02T09:00 2026-12-02T10:00",
            "2026-12-09T09:00 2026-12-09T10:00",
        ),
    ),
    "an old revision beside the new one": Found(
        "BEGIN:VEVENT\nUID:a\nSEQUENCE:0\nDTSTART:20261130T090000Z\nDURATION:PT1H\nEND:VEVENT\n"
        "BEGIN:VEVENT\nUID:a\nSEQUENCE:1\nDTSTART:20261201T090000Z\nDURATION:PT1H\nEND:VEVENT\n",
        ("2026-12-01T09:00 2026-12-01T10:00",),
    ),
}  # fmt: skip
