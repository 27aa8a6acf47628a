"""Calls as resources of a calendar server, one for each UID, and what such a resource says when it comes back.

Only the lines of one entry are read, none of its time zones: a hostile VTIMEZONE has nobody to speak to.
Source: RFC 4791 section 4.1; docs/spec/caldav.md.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from icalendar.parser import Contentline, Contentlines
from icalendar.prop import vDuration
from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from chaise_cli.domain import when
from chaise_cli.domain.copies import Read, Span, Wanted
from chaise_cli.domain.when import UnknownZone
from chaise_cli.export import ical
from chaise_cli.export.calls import entry as entry_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from chaise_cli.export.calls import Call
    from chaise_cli.ids import EventId

_SAID_ANYWAY: Final = {"INTERVAL=1", "WKST=MO", ""}  # in a rule, these change nothing
_LONGEST: Final = timedelta(days=366)
_NUMBER: Final = re.compile(r"[0-9]{1,9}", re.ASCII)
_LINES: Final[Any] = Contentlines  # the library types neither
_DURATION: Final[Any] = vDuration
UNREADABLE: Final = Read(None, cancelled=False)


def wanted(calls: Iterable[tuple[EventId, Call]], *, private: bool) -> list[Wanted]:
    """What these calls are on a server: no METHOD, which RFC 4791 forbids there, and nobody who would get mail."""
    entries = [(booking, one) for booking, call in calls for one in ical.apart(entry_of(call))]
    return [_wanted(booking, one, private=private) for booking, one in entries]


def _wanted(booking: EventId, entry: ical.Entry, *, private: bool) -> Wanted:
    data = ical.calendar([entry._replace(organizer=ical.NOBODY, attendees=())], name=None, private=private)
    start, end, modified = when.in_ms(entry.start), when.in_ms(entry.end), when.in_ms(entry.modified)
    over = entry.status == "cancelled"
    again = read(data).again if entry.starts else ""
    return Wanted(entry.uid, booking, data, sha256(data).digest(), start, end, over, modified, again)


def read(data: bytes) -> Read:
    """What a resource says of its one entry; times that no call has, or that cannot be told, are no span."""
    try:
        found = _entry(_LINES.from_ical(data.decode("utf-8")))
        if found is None:
            return UNREADABLE
        number = _text(found, "SEQUENCE")
        sequence = int(number) if _NUMBER.fullmatch(number) else 0
        return Read(_span(found), _text(found, "STATUS").upper() == "CANCELLED", _again(found), sequence)
    except (ValueError, OverflowError):  # no text, no line of a calendar, no time, or one beyond what can be told
        return UNREADABLE


_Lines = dict[str, "list[tuple[Mapping[str, str], str]]"]


def _entry(lines: Iterable[Contentline]) -> _Lines | None:
    """The properties of the only entry by name, without those of its alarms; None of none or several."""
    inside: list[str] = []
    entries: list[_Lines] = []
    for line in filter(None, lines):
        name, parameters, value = line.parts()
        mark = name.lower()
        if mark == "begin":
            inside.append(value.upper())
            if inside[1:] == ["VEVENT"]:
                entries.append({})
        elif mark == "end":
            inside = inside[:-1]
        elif inside[1:] == ["VEVENT"]:
            entries[-1].setdefault(name.upper(), []).append((parameters, value))
    return entries[0] if len(entries) == 1 else None


def _text(entry: _Lines, name: str) -> str:
    return entry[name][0][1].strip() if name in entry else ""


def _again(entry: _Lines) -> str:
    """How an entry repeats, whoever wrote it down: its rules, then the instants added and left out.

    Raises ValueError, OverflowError on what is no time.
    """
    rules = sorted(
        ";".join(sorted({part.strip() for part in value.upper().split(";")} - _SAID_ANYWAY))
        for name in ("RRULE", "EXRULE")
        for _, value in entry.get(name, ())
    )
    added, out = (
        sorted(
            {
                when.in_ms(_time(parameters, one)[0])
                for parameters, value in entry.get(name, ())
                for one in value.split(",")
            }
        )
        for name in ("RDATE", "EXDATE")
    )
    return f"{rules}{added}{out}" if rules or added or out else ""


def _span(entry: _Lines) -> Span | None:
    """When the entry is. Raises ValueError, OverflowError on what is no time."""
    if "DTSTART" not in entry or "RECURRENCE-ID" in entry:
        return None
    start, tz = _time(*entry["DTSTART"][0])
    if "DTEND" in entry:
        end, _ = _time(*entry["DTEND"][0])
    else:
        end = start + _DURATION.from_ical(_text(entry, "DURATION") or "PT0S")
    return Span(when.in_ms(start), when.in_ms(end), tz) if timedelta() < end - start <= _LONGEST else None


def _time(parameters: Mapping[str, str], value: str) -> tuple[datetime, str]:
    """A date with a time as an instant, and its zone. Raises ValueError, also for a floating time and a whole day."""
    if value.endswith("Z"):
        return datetime.strptime(value, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC), "UTC"
    wall = datetime.strptime(value, "%Y%m%dT%H%M%S")  # noqa: DTZ007  its zone follows
    tz = _zone(str(parameters.get("TZID", "")))
    return wall.replace(tzinfo=when.zone(tz)).astimezone(UTC), tz


def _zone(tzid: str) -> str:
    """The IANA zone that a TZID names, perhaps behind a vendor's path, or as Windows calls it. Raises ValueError."""
    parts = tzid.split("/")
    for name in (WINDOWS_TO_OLSON.get(tzid, ""), *("/".join(parts[at:]) for at in range(len(parts)))):
        try:
            return when.zone(name).key
        except UnknownZone:
            continue
    raise ValueError(tzid)
