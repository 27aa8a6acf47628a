"""VTIMEZONE: a zone spelled out so that a reader which trusts only the file gets every instant right.

The calendar library's generator writes onsets on the wrong clock and stops at 2038 (docs/spec/icalendar.md),
hence a writer of our own. Source: RFC 5545 section 3.6.5; docs/spec/icalendar.md, Time zones.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from chaise_cli.export.zonedata import DAY_S, LAST_WEEK, Change, Observance, Yearly, Zone, read_zone, year_of

if TYPE_CHECKING:
    from collections.abc import Iterable

_ORIGIN: Final = datetime(1970, 1, 1)  # noqa: DTZ001  (a wall clock)
_HORIZON_S: Final = 366 * DAY_S  # listed onsets go on for a year past the last time in the file
_WEEKDAYS: Final = ("SU", "MO", "TU", "WE", "TH", "FR", "SA")


def vtimezone(tzid: str, first: datetime, last: datetime) -> str:
    """The VTIMEZONE of a zone, right for every time from `first` to `last` (aware), as lines ending in CRLF.

    A zone whose two changes a year follow a rule gets that rule without an end and is right for ever after;
    any other is listed change by change until a year past `last`.
    Raises NoZoneData.
    """
    zone = read_zone(tzid)
    start, end = int(first.timestamp() // 1), int(last.timestamp() // 1) + _HORIZON_S
    observances = _regular(zone, start) or _listed(zone, start, end)
    lines = ["BEGIN:VTIMEZONE", f"TZID:{tzid}", *observances, "END:VTIMEZONE"]
    return "".join(line + "\r\n" for line in lines)


def _regular(zone: Zone, start: int) -> list[str]:
    """Two observances, each with a yearly rule; empty when rules cannot tell this zone from `start` on."""
    rule = zone.rule
    if rule is None or not (_as_rrule(rule.starts) and _as_rrule(rule.ends)):
        return []
    changes = zone.changes(start + 2 * _HORIZON_S)
    since = sum(change.at <= start for change in changes) - 2
    if since < 0:
        return []
    # The last change of each kind before the first entry, and all that follow, must be the rule's and nothing else.
    told = changes[since:]
    years = range(year_of(told[0].at) - 1, year_of(told[-1].at) + 2)
    ruled = [change for year in years for change in rule.changes(year)]
    if told != [change for change in ruled if told[0].at <= change.at <= told[-1].at]:
        return []
    onsets = [(change, rule.starts if change.after.daylight else rule.ends) for change in told[:2]]
    return [line for change, when in onsets for line in _observance(change, f"RRULE:{_as_rrule(when)}")]


def _as_rrule(when: Yearly) -> str:
    """The recurrence of `when`; empty if it is not a weekday of a month or its hour lies on a neighbouring day."""
    if when.form != "M" or not 0 <= when.seconds < DAY_S:
        return ""
    week = -1 if when.week == LAST_WEEK else when.week
    return f"FREQ=YEARLY;BYDAY={week}{_WEEKDAYS[when.weekday]};BYMONTH={when.month}"


def _listed(zone: Zone, start: int, end: int) -> Iterable[str]:
    """One observance per onset: the one in force at `start`, then each until `end`."""
    changes = zone.changes(end)
    past = [change for change in changes if change.at <= start]
    coming = [change for change in changes if start < change.at <= end]
    # Where nothing changes, or nothing came before, one offset holds since a time before every entry.
    in_force = past[-1].after if past else zone.opening
    opening = past[-1] if past and coming else _since_ever(in_force, start)
    return [line for change in (opening, *coming) for line in _observance(change)]


def _since_ever(observance: Observance, start: int) -> Change:
    midnight = min(0, start // DAY_S * DAY_S - DAY_S)
    return Change(midnight - observance.offset, observance, observance)


def _observance(change: Change, *recurrence: str) -> list[str]:
    # "Daylight" is what the zone data calls so: in Dublin that is the winter, with the smaller offset.
    kind = "DAYLIGHT" if change.after.daylight else "STANDARD"
    return [
        f"BEGIN:{kind}",
        f"DTSTART:{_wall(change):%Y%m%dT%H%M%S}",
        f"TZOFFSETFROM:{_offset(change.before)}",
        f"TZOFFSETTO:{_offset(change.after)}",
        f"TZNAME:{change.after.name}",
        *recurrence,
        f"END:{kind}",
    ]


def _wall(change: Change) -> datetime:
    """The change on the clock in force before it, which is what RFC 5545 wants as an onset."""
    return _ORIGIN + timedelta(seconds=change.at + change.before.offset)


def _offset(observance: Observance) -> str:
    minutes, seconds = divmod(abs(observance.offset), 60)
    sign = "-" if observance.offset < 0 else "+"
    return f"{sign}{minutes // 60:02}{minutes % 60:02}" + (f"{seconds:02}" if seconds else "")
