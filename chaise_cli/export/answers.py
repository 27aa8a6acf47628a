"""Answers to invitations as other calendars and mail programs write them, read with suspicion.

Sources: RFC 5546, RFC 6047; the library's traps: a broken value does not raise, and zones that one file defines are
remembered for the next.
"""

from __future__ import annotations

import email
import re
import warnings
from datetime import datetime
from email.errors import MessageError
from email.message import EmailMessage
from email.policy import default
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from icalendar import Calendar
from icalendar.timezone import tzp
from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from chaise_cli.domain import when
from chaise_cli.domain.itip_answer import Said
from chaise_cli.errors import Usage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from zoneinfo import ZoneInfo

BYTES_MOST: Final = 256 * 1024
_COMPONENTS_MOST: Final = 500  # a message has one entry; a zone that is listed onset by onset has dozens
_FOLD: Final = re.compile(rb"(?:\r?\n)+[ \t]")  # as the library unfolds, which must not find rules that we do not
# In a message only zones recur, every year; a finer rule that never matches would spin for minutes.
_NAMED: Final = re.compile(rb"\s*(?:RRULE|EXRULE)", re.IGNORECASE)
_RULE: Final = re.compile(
    rb"RRULE:(FREQ=YEARLY|BYMONTH=[0-9]+|BYDAY=[+-]?[0-9]?[A-Z]{2}|BYMONTHDAY=[0-9,-]+|UNTIL=[0-9TZ]+|WKST=[A-Z]{2}"
    rb"|COUNT=[0-9]+|INTERVAL=[0-9]+|;)+"
)


class Unreadable(Usage):
    """The file is no scheduling message about one call."""

    code = "calendar.unreadable"
    message = "the file is no message about a call: {why}"
    hint = "save the mail, or the calendar file in it, as it came"
    why: str


def read(data: bytes) -> Said:
    """What an answer says: a calendar file, or a mail with one in it. Raises Unreadable."""
    if len(data) > BYTES_MOST:
        raise Unreadable(why=f"it has more than {BYTES_MOST} bytes")
    start = data.removeprefix(b"\xef\xbb\xbf").lstrip()
    if start[:15].upper() == b"BEGIN:VCALENDAR":
        return _said(start, None, None)
    return _said(*_of_mail(data))


def _of_mail(data: bytes) -> tuple[bytes, str, str]:
    """The calendar in a mail, the method its type names, and the address it comes from."""
    try:
        mail = email.message_from_bytes(data, policy=default)
        assert isinstance(mail, EmailMessage), "the policy makes these"
        parts = [part for part in mail.walk() if part.get_content_type() == "text/calendar"]
        senders = [one for line in mail.get_all("From", ()) for one in line.addresses]
        found = [(part.get_payload(decode=True), part.get_param("method")) for part in parts]
    except (MessageError, ValueError, LookupError, RecursionError, AttributeError, TypeError) as error:  # a hostile one
        raise Unreadable(why="the mail is malformed") from error
    if not found or len(senders) != 1:
        raise Unreadable(why="the mail has no sender, or no part text/calendar")
    payload, method = found[0]
    if not isinstance(payload, bytes) or not isinstance(method, str):
        raise Unreadable(why="its part text/calendar names no method")
    return payload, method, senders[0].addr_spec


def _said(data: bytes, method: str | None, sender: str | None) -> Said:
    """The message in calendar text; `method` is what the mail says, which has to be the same (RFC 6047 section 2.4)."""
    root, event = _components(data)
    try:
        return _of(root, event, method, sender)
    except (ValueError, TypeError, AttributeError, OverflowError) as error:  # VALUE= makes anything of a property
        raise Unreadable(why="a value in it is of a kind that it cannot be") from error


def _of(root: Any, event: Any, method: str | None, sender: str | None) -> Said:
    inside = str(root.get("METHOD", "")).upper()
    if method is not None and method.upper() != inside:
        raise Unreadable(why="the mail and the calendar in it name different methods")
    if any(name in event for name in ("RRULE", "RDATE", "RECURRENCE-ID")):
        raise Unreadable(why="it is about a series, and only single calls are read")
    (stamp, _), (start, zone), (end, _) = (_time(event, name) for name in ("DTSTAMP", "DTSTART", "DTEND"))
    duration = event.get("DURATION")
    if end is None and duration is not None and start is not None:
        end = start + round(duration.dt.total_seconds() * 1_000)
    if stamp is None or not _one(event, "UID"):
        raise Unreadable(why="it lacks UID or DTSTAMP")
    attendees = tuple((_mailbox(one), str(one.params.get("PARTSTAT", "")).upper()) for one in _all(event, "ATTENDEE"))
    organizer = _mailbox(event["ORGANIZER"]) if "ORGANIZER" in event else ""
    return Said(
        inside, str(event["UID"]), int(event.get("SEQUENCE", 0)), stamp, organizer, attendees, start, end, zone,
        sender,
    )  # fmt: skip


def _components(data: bytes) -> tuple[Any, Any]:
    """The calendar and its one entry, whose values are all whole. Raises Unreadable."""
    lines = _FOLD.sub(b"", data).splitlines()
    if sum(line[:6].upper() == b"BEGIN:" for line in lines) > _COMPONENTS_MOST:
        raise Unreadable(why="it has too many parts")
    if any(_NAMED.match(line) and not _RULE.fullmatch(line.strip()) for line in lines):
        raise Unreadable(why="it has a rule that no zone has")
    tzp.use_default()  # forgets the zones of files read before, which would lend their names to this one
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a guess at a zone's name is a guess we would make as well
            root = Calendar.from_ical(data)
            events = root.walk("VEVENT")
    except (ValueError, LookupError, RecursionError, TypeError, OverflowError, AttributeError, OSError) as error:
        raise Unreadable(why="it is not iCalendar") from error
    if root.name != "VCALENDAR" or len(events) != 1 or root.errors or events[0].errors:
        raise Unreadable(why="it is broken, or about more than one thing")
    names = ("UID", "DTSTAMP", "DTSTART", "DTEND", "DURATION", "SEQUENCE", "ORGANIZER")
    if not all(_one(events[0], name) for name in names if name in events[0]) or isinstance(root.get("METHOD"), list):
        raise Unreadable(why="it says something twice that can be said once")
    return root, events[0]


def _one(event: Any, name: str) -> bool:
    return name in event and not isinstance(event[name], list)


def _all(event: Any, name: str) -> Iterator[Any]:
    found = event.get(name, [])
    yield from found if isinstance(found, list) else [found]


def _mailbox(value: Any) -> str:
    """The address of a `mailto:` URI, else the value as it stands."""
    scheme, _, rest = str(value).partition(":")
    return unquote(rest) if scheme.lower() == "mailto" else str(value)


def _time(event: Any, name: str) -> tuple[int | None, str | None]:
    """The instant of a time and its zone's IANA name; None for a day, a floating time and in an unknown zone.

    A zone is the one of that name, else of that Windows name, else what the file itself says it is.
    """
    value = event.get(name)
    moment = value.dt if value is not None else None
    if not isinstance(moment, datetime) or moment.tzinfo is None:
        return None, None
    named = str(value.params.get("TZID", ""))  # a time in UTC names none
    try:
        known = _zone(named) or _zone(WINDOWS_TO_OLSON.get(named, "")) or _zone(str(moment.tzinfo) if named else "")
        return when.in_ms(moment.replace(tzinfo=known) if known else moment), known.key if known else None
    except OverflowError:
        return None, None


def _zone(name: str) -> ZoneInfo | None:
    try:
        return when.zone(name)
    except when.UnknownZone:
        return None
