"""Recurrence rules of strangers, expanded on a wall clock: only inside a window, and only so far.

dateutil counts from DTSTART and, where a rule never matches, on to the year 9999; so rules finer than HOURLY are
refused, long-running ones begin near the window, and the caller stops what takes too long. RFC 5545 section 3.3.10.
"""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from dateutil.rrule import rrulestr

if TYPE_CHECKING:
    from collections.abc import Callable

MOST: Final = 4_000  # occurrences of one rule inside the window
_STEPS: Final = {"HOURLY": timedelta(hours=1), "DAILY": timedelta(days=1), "WEEKLY": timedelta(weeks=1)}
_FREQUENCIES: Final = frozenset({*_STEPS, "MONTHLY", "YEARLY"})
_PARTS: Final = frozenset(
    {
        *("FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYDAY"),
        *("BYHOUR", "BYMINUTE", "BYSECOND", "BYSETPOS"),
    }
)
_VALUE: Final = re.compile(r"[A-Z0-9,+-]{1,400}", re.ASCII)
_DATE: Final = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})(?:T([0-9]{2})([0-9]{2})([0-9]{2})(Z?))?", re.ASCII)


class Unusable(ValueError):
    """An entry, rule or zone that cannot be used, for the reason it carries."""


class Span(NamedTuple):
    """Wall clocks from `start` on, before `end`."""

    start: datetime
    end: datetime


class Written(NamedTuple):
    """A DATE or DATE-TIME as it is written: a day has the time 00:00."""

    wall: datetime
    is_day: bool
    utc: bool


def written(text: str) -> Written:
    """The value of a DATE or DATE-TIME. Raises Unusable."""
    found = _DATE.fullmatch(text.strip())
    if found is None:
        raise Unusable("a time in it is malformed")
    year, month, day, hour, minute, second, zulu = found.groups()
    try:
        wall = datetime(int(year), int(month), int(day))  # noqa: DTZ001  a wall clock
        if hour is not None:  # second 60 is a leap second, which no clock here shows
            wall = datetime.combine(wall, time(int(hour), int(minute), min(int(second), 59)))
    except ValueError as error:
        raise Unusable("a time in it does not exist") from error
    return Written(wall, hour is None, bool(zulu))


def occurrences(rule: str, start: datetime, span: Span, local: Callable[[datetime], datetime]) -> list[datetime]:
    """The wall clocks of a rule that lie in `span`, at most `MOST`; one more tells that there are others.

    start: DTSTART, which is not added where the rule does not give it. local: a UTC wall clock in the rule's zone.
    Raises Unusable, and what dateutil raises on nonsense.
    """
    parts = _parts(rule)
    if "UNTIL" in parts:
        parts["UNTIL"] = _until(parts["UNTIL"], local).strftime("%Y%m%dT%H%M%S").rjust(15, "0")
    text = ";".join(f"{name}={value}" for name, value in parts.items())
    found: list[datetime] = []
    for moment in rrulestr(text, dtstart=_nearer(start, parts, span.start)):
        if moment >= span.end or len(found) > MOST:
            break
        if moment >= span.start:
            found.append(moment)
    return found


def _parts(rule: str) -> dict[str, str]:
    parts: dict[str, str] = {}
    for part in rule.strip().upper().split(";"):
        name, _, value = part.partition("=")
        if not part:
            continue
        if name not in _PARTS or name in parts or _VALUE.fullmatch(value) is None:
            raise Unusable("its rule has a part that is not understood")
        parts[name] = value
    if parts.get("FREQ") not in _FREQUENCIES:
        raise Unusable("its rule is finer than hourly, or has no frequency")
    if not 1 <= _number(parts.get("INTERVAL", "1")) <= 100_000 or _number(parts.get("COUNT", "1")) < 1:
        raise Unusable("its rule has a number that makes no sense")
    return parts


def _number(text: str) -> int:
    if re.fullmatch(r"[0-9]{1,9}", text) is None:
        raise Unusable("its rule has a number that makes no sense")
    return int(text)


def _until(text: str, local: Callable[[datetime], datetime]) -> datetime:
    """The last wall clock of a rule: UNTIL is UTC, or a day, which counts to its end."""
    until = written(text)
    if until.is_day:
        return datetime.combine(until.wall, time(23, 59, 59))
    return local(until.wall) if until.utc else until.wall


def _nearer(start: datetime, parts: dict[str, str], wanted: datetime) -> datetime:
    """A later beginning of the same rule: whole steps on, so weekday, time and interval stay in phase."""
    step = _STEPS.get(parts["FREQ"])
    if step is None or "COUNT" in parts or "BYSETPOS" in parts or start >= wanted:
        return start
    step *= int(parts.get("INTERVAL", "1"))
    return start + max(0, (wanted - start) // step - 1) * step
