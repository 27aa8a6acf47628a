"""Calls and deadlines as one iCalendar file, the same bytes for the same values on every machine.

Values in, bytes out: nothing comes from a clock, the host or the environment but the time zone data.
Sources: RFC 5545, RFC 5546 (methods), RFC 7986 (feeds, CONFERENCE), RFC 6868; docs/spec/icalendar.md.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal, NamedTuple
from zoneinfo import ZoneInfo

from icalendar import Alarm, Calendar, Event, Timezone

from chaise_cli.export.icaltext import Exact, address, label, link, text
from chaise_cli.export.vtimezone import vtimezone
from chaise_cli.export.zonedata import NoZoneData, read_zone

if TYPE_CHECKING:
    from collections.abc import Iterable

Status = Literal["tentative", "confirmed", "cancelled"]
Partstat = Literal["NEEDS-ACTION", "ACCEPTED", "DECLINED", "TENTATIVE"]
Method = Literal["PUBLISH", "REQUEST", "REPLY", "COUNTER", "DECLINECOUNTER", "CANCEL"]

PRODID: Final = "-//Chaise//Chaise//EN"  # without a version: an upgrade changes no byte
BUSY: Final = "Busy"
_REFRESH: Final = "PT1H"
_FOLDED: Final = 75  # octets, from which on a line may have to be folded
_COLOR: Final = "teal"  # a CSS3 name, as RFC 7986 wants
_DEADLINE_ALARMS: Final = ("-P7D", "-P3D", "-PT24H", "-PT2H")
_BEFORE_ALARMS: Final = timedelta(days=8)  # zones are spelled out from before the earliest alarm
_WEEK: Final = 7
_FEATURES: Final = {"https": "AUDIO,VIDEO", "sip": "AUDIO,VIDEO", "tel": "PHONE", "xmpp": "CHAT"}


class Person(NamedTuple):
    """A side of a booking as the profile names it."""

    name: str
    email: str | None


NOBODY: Final = Person("", None)


class Slot(NamedTuple):
    """A time that was offered: aware UTC, the end exclusive."""

    start: datetime
    end: datetime


class Entry(NamedTuple):
    """One call as it stands in the ledger. All times are aware UTC; `tz` is the agreed zone's IANA name."""

    uid: str
    sequence: int
    status: Status
    start: datetime
    end: datetime
    tz: str
    summary: str
    description: str
    url: str | None  # of the call itself; kept only if https, tel, sip or xmpp
    organizer: Person
    attendees: tuple[tuple[Person, Partstat], ...]
    created: datetime  # of the first offer
    modified: datetime  # of the event that made this revision: DTSTAMP and LAST-MODIFIED
    extra: tuple[Slot, ...] = ()  # further slots of an open offer, each a tentative entry of its own
    alarm_minutes: int | None = 15
    comment: str = ""  # of a message: why the call was declined or cancelled
    days: int = 0  # of a check-in: from one time to the next, all its times, and those that are off
    starts: tuple[datetime, ...] = ()
    skipped: tuple[datetime, ...] = ()


class Deadline(NamedTuple):
    """One date of a deal, an entry without length. Times are aware UTC.

    organizer: whose agenda it is, the publisher of its feed.
    """

    uid: str
    at: datetime
    tz: str
    summary: str
    description: str
    modified: datetime
    sequence: int = 0
    organizer: Person = NOBODY


def calendar(
    entries: Iterable[Entry],
    deadlines: Iterable[Deadline] = (),
    *,
    name: str | None,
    method: Method | None = None,
    private: bool = False,
) -> bytes:
    """A whole file: calls by (start, UID), each zone they use spelled out before them.

    name: what readers call the calendar; None for a piece of one, which a server keeps.
    method: PUBLISH for a feed, which names organizers and no attendees, and says METHOD only where each entry has an
    organizer; None for a plain file; else a message about one call, which is no calendar to follow and has no name,
    colour or refresh interval.
    private: "Busy" instead of titles, texts, people, links and the calendar's name; times, UIDs and states stay.
    Text of other people is cleaned and a person without a usable address is left out, so no value makes this fail.
    """
    calls = [shown for entry in entries for shown in apart(entry)]
    unsorted: list[Entry | Deadline] = [*calls, *deadlines]
    items = sorted(unsorted, key=lambda item: (_times(item)[0], item.uid))
    placed = [(item, _wall_clock(item)) for item in items]
    zones = _used_zones(item for item, walls in placed if walls)
    head = None if method == "PUBLISH" and not _publishable(items, private=private) else method
    result = _head(BUSY if private and name is not None else name, head)
    for tz, (first, last) in sorted(zones.items()):
        result.add_component(Timezone.from_ical(vtimezone(tz, first - _BEFORE_ALARMS, last)))
    for item, walls in placed:
        result.add_component(_event(item, walls, method, private=private))
    return _written(result)


def _publishable(items: Iterable[Entry | Deadline], *, private: bool) -> bool:
    """Whether RFC 5546 section 3.2.1 allows METHOD:PUBLISH: there are entries, and each has its ORGANIZER."""
    named = [not private and address(item.organizer.email) is not None for item in items]
    return bool(named) and all(named)


def refusal(entry: Entry) -> bytes:
    """DECLINECOUNTER: the entry stands as it was. RFC 2446 allowed it no times, texts or attendees."""
    event = Event()
    event.add("UID", entry.uid)
    event.add("SEQUENCE", entry.sequence)
    event.add("DTSTAMP", entry.modified)
    _add_people(event, entry, "PUBLISH")  # the organizer alone
    result = _head(None, "DECLINECOUNTER")
    result.add_component(event)
    return _written(result)


def _written(calendar: Calendar) -> bytes:
    """As the library writes it; only lines that may have to be folded are walked character by character."""
    lines = [line for line in calendar.content_lines(sorted=False) if line]
    folded = [line.encode() if len(line) < _FOLDED and line.isascii() else line.to_ical() for line in lines]
    return b"\r\n".join(folded) + b"\r\n"


def apart(entry: Entry) -> list[Entry]:
    """The entry, and the other slots of its open offer under UIDs of their own and without an alarm."""
    offered = [
        entry._replace(
            uid=f"{entry.uid}-{n}",
            status="tentative",
            start=slot.start,
            end=slot.end,
            extra=(),
            alarm_minutes=None,
            days=0,
            starts=(),
            skipped=(),
        )
        for n, slot in enumerate(entry.extra, 1)
    ]
    return [entry._replace(extra=()), *offered]


def _times(item: Entry | Deadline) -> tuple[datetime, ...]:
    return (item.at,) if isinstance(item, Deadline) else (item.start, item.end)


def _span(item: Entry | Deadline) -> tuple[datetime, ...]:
    """All that a reader has to place: the last time of a check-in too, with its end."""
    if isinstance(item, Entry) and item.starts:
        return (*_times(item), item.starts[-1], item.starts[-1] + (item.end - item.start))
    return _times(item)


def _used_zones(items: Iterable[Entry | Deadline]) -> dict[str, tuple[datetime, datetime]]:
    """The zones of `items`, with the earliest and the latest time in each."""
    times: dict[str, list[datetime]] = {}
    for item in items:
        times.setdefault(item.tz, []).extend(_span(item))
    return {tz: (min(found), max(found)) for tz, found in times.items()}


def _wall_clock(item: Entry | Deadline) -> list[datetime]:
    """The item's times on its zone's clock, without offset; empty when they must be written in UTC.

    That is so in zones this machine has no data for, and when a time lies in an hour that happens twice: a wall
    clock would mean the first pass to RFC 5545, and ical.js, which trusts the file, reads the second. So are check-ins
    whose times no rule tells on that clock.
    """
    if item.tz == "UTC" or not _known(item.tz):
        return []
    walls = _walls(_times(item), item.tz)
    if isinstance(item, Entry) and item.starts and not _by_rule(item, walls):
        return []
    return walls


def _walls(times: Iterable[datetime], tz: str) -> list[datetime]:
    """These times on the clock of `tz`; empty when one lies in an hour that happens twice."""
    walls = [time.astimezone(ZoneInfo(tz)) for time in times]
    twice = any(wall.replace(fold=0).utcoffset() != wall.replace(fold=1).utcoffset() for wall in walls)
    return [] if twice else [wall.replace(tzinfo=None) for wall in walls]


def _by_rule(entry: Entry, walls: list[datetime]) -> bool:
    """Whether every time is so many days after the one before, on the clock that `walls` show, start and end alike."""
    length = entry.end - entry.start
    starts = _walls(entry.starts, entry.tz)
    ends = _walls((start + length for start in entry.starts), entry.tz)
    steps = [timedelta(days=entry.days * n) for n in range(len(entry.starts))]
    return bool(walls) and all(
        times == [first + step for step in steps] for times, first in zip((starts, ends), walls, strict=True)
    )


def _known(tz: str) -> bool:
    try:
        read_zone(tz)
    except NoZoneData:
        return False
    return True


def _head(name: str | None, method: Method | None) -> Calendar:
    head = Calendar()
    head.add("VERSION", "2.0")
    head.add("PRODID", PRODID)
    head.add("CALSCALE", "GREGORIAN")
    if method:
        head.add("METHOD", method)
    if name is None or method not in {None, "PUBLISH"}:
        return head
    head["NAME"] = head["X-WR-CALNAME"] = Exact(text(label(name)))
    head["REFRESH-INTERVAL"] = Exact(_REFRESH, VALUE="DURATION")
    head["X-PUBLISHED-TTL"] = Exact(_REFRESH)
    head.add("COLOR", _COLOR)
    return head


def _event(item: Entry | Deadline, walls: list[datetime], method: Method | None, *, private: bool) -> Event:
    event = Event()
    event["UID"] = Exact(item.uid)
    event.add("SEQUENCE", item.sequence)
    event["DTSTAMP"] = Exact(_utc(item.modified))
    if isinstance(item, Entry):
        event["CREATED"] = Exact(_utc(item.created))
    event["LAST-MODIFIED"] = Exact(_utc(item.modified))
    _add_times(event, item, walls)
    if isinstance(item, Entry) and item.starts:
        _add_series(event, item, walls)
    cancelled = isinstance(item, Entry) and item.status == "cancelled"
    event.add("STATUS", item.status.upper() if isinstance(item, Entry) else "CONFIRMED")
    # A deadline has no length and takes nobody's time.
    event.add("TRANSP", "TRANSPARENT" if cancelled or isinstance(item, Deadline) else "OPAQUE")
    event["SUMMARY"] = Exact(text(BUSY if private else label(item.summary)))
    if not private:
        _add_texts(event, item)
        _add_people(event, item, method)
    if not cancelled:
        _add_alarms(event, item)
    return event


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _add_times(event: Event, item: Entry | Deadline, walls: list[datetime]) -> None:
    for name, moment in zip(("DTSTART", "DTEND"), walls or _times(item), strict=False):
        if walls:
            event.add(name, moment, parameters={"TZID": item.tz})
        else:
            event.add(name, moment.astimezone(UTC))


def _add_series(event: Event, entry: Entry, walls: list[datetime]) -> None:
    """The times of a check-in: as a rule with exceptions on the clock of the entry, else each on its own in UTC."""
    steps = [timedelta(days=entry.days * n) for n in range(len(entry.starts))]
    ruled = bool(walls) or list(entry.starts) == [entry.start + step for step in steps]
    if ruled:
        weekly = entry.days % _WEEK == 0
        rule = ("WEEKLY", entry.days // _WEEK) if weekly else ("DAILY", entry.days)
        event["RRULE"] = Exact(f"FREQ={rule[0]};INTERVAL={rule[1]};COUNT={len(entry.starts)}")
    # One property for each: ical.js reads the first value of a list alone.
    for start in () if ruled else entry.starts:  # the first too: without a rule ical.js does not count DTSTART
        if start not in entry.skipped:
            event.add("RDATE", start.astimezone(UTC))
    for start in entry.skipped:
        if walls:
            wall = start.astimezone(ZoneInfo(entry.tz)).replace(tzinfo=None)
            event.add("EXDATE", wall, parameters={"TZID": entry.tz})
        elif ruled or start == entry.start:  # the first time is one unless it is taken out
            event.add("EXDATE", start.astimezone(UTC))


def _add_texts(event: Event, item: Entry | Deadline) -> None:
    uri = link(item.url) if isinstance(item, Entry) else None
    description = "\n\n".join(part for part in (item.description, uri) if part)
    if description:
        event["DESCRIPTION"] = Exact(text(description))
    if isinstance(item, Entry) and item.comment:
        event["COMMENT"] = Exact(text(item.comment))
    if uri:  # Four times, since few readers show CONFERENCE.
        event["LOCATION"] = Exact(text(uri))
        event["URL"] = Exact(uri)
        feature = _FEATURES[uri.partition(":")[0].lower()].split(",")
        event["CONFERENCE"] = Exact(uri, VALUE="URI", FEATURE=feature, LABEL="Join the call")


def _add_people(event: Event, item: Entry | Deadline, method: Method | None) -> None:
    organizer = address(item.organizer.email)
    if not organizer:
        return  # ATTENDEE needs an ORGANIZER, and we invent no address
    event["ORGANIZER"] = Exact(organizer, CN=label(item.organizer.name))
    if method == "PUBLISH" or isinstance(item, Deadline):
        return  # PUBLISH carries no ATTENDEE: RFC 5546 section 3.2.1
    attendees = []
    for person, partstat in item.attendees:
        if calendar_address := address(person.email):
            asks = partstat == "NEEDS-ACTION" and method in {None, "REQUEST"}
            asked = {"RSVP": "TRUE"} if asks else {}
            parameters = {"CN": label(person.name), "ROLE": "REQ-PARTICIPANT", "PARTSTAT": partstat, **asked}
            attendees.append(Exact(calendar_address, **parameters))
    if attendees:
        event["ATTENDEE"] = attendees


def _add_alarms(event: Event, item: Entry | Deadline) -> None:
    if isinstance(item, Deadline):
        triggers: tuple[str, ...] = _DEADLINE_ALARMS
    else:
        triggers = () if item.alarm_minutes is None else (f"-PT{item.alarm_minutes}M",)
    for trigger in triggers:
        alarm = Alarm()
        alarm.add("ACTION", "DISPLAY")
        alarm["DESCRIPTION"] = event["SUMMARY"]
        alarm["TRIGGER"] = Exact(trigger)
        event.add_component(alarm)
