"""Calls and deadlines as one iCalendar file, the same bytes for the same values on every machine.

Values in, bytes out: nothing comes from a clock, the host or the environment but the time zone data.
Sources: RFC 5545, RFC 5546 (methods), RFC 7986 (feeds, CONFERENCE), RFC 6868; docs/spec/icalendar.md.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal, NamedTuple
from zoneinfo import ZoneInfo

from chaise_cli.export.icaltext import address, label, line, link, text, written
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
    lines = _head(BUSY if private and name is not None else name, head)
    for tz, (first, last) in sorted(zones.items()):
        lines += vtimezone(tz, first - _BEFORE_ALARMS, last).splitlines()
    for item, walls in placed:
        lines += _event(item, walls, method, private=private)
    return written([*lines, "END:VCALENDAR"])


def _publishable(items: Iterable[Entry | Deadline], *, private: bool) -> bool:
    """Whether RFC 5546 section 3.2.1 allows METHOD:PUBLISH: there are entries, and each has its ORGANIZER."""
    named = [not private and address(item.organizer.email) is not None for item in items]
    return bool(named) and all(named)


def refusal(entry: Entry) -> bytes:
    """DECLINECOUNTER: the entry stands as it was. RFC 2446 allowed it no times, texts or attendees."""
    stamped = [line("UID", entry.uid), line("SEQUENCE", str(entry.sequence)), line("DTSTAMP", _utc(entry.modified))]
    event = ["BEGIN:VEVENT", *stamped, *_people(entry, "PUBLISH"), "END:VEVENT"]  # the organizer alone
    return written([*_head(None, "DECLINECOUNTER"), *event, "END:VCALENDAR"])


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


def _head(name: str | None, method: Method | None) -> list[str]:
    head = ["BEGIN:VCALENDAR", "VERSION:2.0", line("PRODID", PRODID), "CALSCALE:GREGORIAN"]
    if method:
        head.append(line("METHOD", method))
    if name is None or method not in {None, "PUBLISH"}:
        return head
    called = text(label(name))
    return [
        *head,
        line("NAME", called),
        line("X-WR-CALNAME", called),
        line("REFRESH-INTERVAL", _REFRESH, VALUE="DURATION"),
        line("X-PUBLISHED-TTL", _REFRESH),
        line("COLOR", _COLOR),
    ]


def _event(item: Entry | Deadline, walls: list[datetime], method: Method | None, *, private: bool) -> list[str]:
    call = item if isinstance(item, Entry) else None
    cancelled = call is not None and call.status == "cancelled"
    summary = text(BUSY if private else label(item.summary))
    lines = [
        "BEGIN:VEVENT",
        line("UID", item.uid),
        line("SEQUENCE", str(item.sequence)),
        line("DTSTAMP", _utc(item.modified)),
        *([line("CREATED", _utc(call.created))] if call else []),
        line("LAST-MODIFIED", _utc(item.modified)),
        *_placed(item, walls),
        *(_series(call, walls) if call and call.starts else []),
        line("STATUS", call.status.upper() if call else "CONFIRMED"),
        # A deadline has no length and takes nobody's time.
        line("TRANSP", "TRANSPARENT" if cancelled or call is None else "OPAQUE"),
        line("SUMMARY", summary),
    ]
    if not private:
        lines += [*_texts(item), *_people(item, method)]
    if not cancelled:
        lines += _alarms(item, summary)
    return [*lines, "END:VEVENT"]


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _on_the_wall(name: str, wall: datetime, tz: str) -> str:
    return line(name, f"{wall:%Y%m%dT%H%M%S}", TZID=tz)


def _placed(item: Entry | Deadline, walls: list[datetime]) -> list[str]:
    names = ("DTSTART", "DTEND")
    if walls:
        return [_on_the_wall(name, wall, item.tz) for name, wall in zip(names, walls, strict=False)]
    return [line(name, _utc(time)) for name, time in zip(names, _times(item), strict=False)]


def _series(entry: Entry, walls: list[datetime]) -> list[str]:
    """The times of a check-in: as a rule with exceptions on the clock of the entry, else each on its own in UTC."""
    steps = [timedelta(days=entry.days * n) for n in range(len(entry.starts))]
    lines = []
    ruled = bool(walls) or list(entry.starts) == [entry.start + step for step in steps]
    if ruled:
        weekly = entry.days % _WEEK == 0
        rule = ("WEEKLY", entry.days // _WEEK) if weekly else ("DAILY", entry.days)
        lines.append(line("RRULE", f"FREQ={rule[0]};INTERVAL={rule[1]};COUNT={len(entry.starts)}"))
    # One property for each: ical.js reads the first value of a list alone.
    if not ruled:  # the first too: without a rule ical.js does not count DTSTART
        lines += [line("RDATE", _utc(start)) for start in entry.starts if start not in entry.skipped]
    for start in entry.skipped:
        if walls:
            lines.append(_on_the_wall("EXDATE", start.astimezone(ZoneInfo(entry.tz)), entry.tz))
        elif ruled or start == entry.start:  # the first time is one unless it is taken out
            lines.append(line("EXDATE", _utc(start)))
    return lines


def _texts(item: Entry | Deadline) -> list[str]:
    uri = link(item.url) if isinstance(item, Entry) else None
    description = "\n\n".join(part for part in (item.description, uri) if part)
    lines = [line("DESCRIPTION", text(description))] if description else []
    if isinstance(item, Entry) and item.comment:
        lines.append(line("COMMENT", text(item.comment)))
    if uri:  # Four times, since few readers show CONFERENCE.
        feature = tuple(_FEATURES[uri.partition(":")[0].lower()].split(","))
        conference = line("CONFERENCE", uri, VALUE="URI", FEATURE=feature, LABEL="Join the call")
        lines += [line("LOCATION", text(uri)), line("URL", uri), conference]
    return lines


def _people(item: Entry | Deadline, method: Method | None) -> list[str]:
    organizer = address(item.organizer.email)
    if not organizer:
        return []  # ATTENDEE needs an ORGANIZER, and we invent no address
    lines = [line("ORGANIZER", organizer, CN=label(item.organizer.name))]
    if method == "PUBLISH" or isinstance(item, Deadline):
        return lines  # PUBLISH carries no ATTENDEE: RFC 5546 section 3.2.1
    for person, partstat in item.attendees:
        if calendar_address := address(person.email):
            asks = partstat == "NEEDS-ACTION" and method in {None, "REQUEST"}
            asked = {"RSVP": "TRUE"} if asks else {}
            parameters = {"CN": label(person.name), "ROLE": "REQ-PARTICIPANT", "PARTSTAT": partstat, **asked}
            lines.append(line("ATTENDEE", calendar_address, **parameters))
    return lines


def _alarms(item: Entry | Deadline, summary: str) -> list[str]:
    if isinstance(item, Deadline):
        triggers: tuple[str, ...] = _DEADLINE_ALARMS
    else:
        triggers = () if item.alarm_minutes is None else (f"-PT{item.alarm_minutes}M",)
    shown = ["BEGIN:VALARM", "ACTION:DISPLAY", line("DESCRIPTION", summary)]
    return [part for one in triggers for part in (*shown, line("TRIGGER", one), "END:VALARM")]
