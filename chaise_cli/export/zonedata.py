"""When the offset of a zone changes, with the "is daylight" flag, read from the TZif files that `zoneinfo` uses.

`zoneinfo` tells the offset of a moment but neither its changes nor the yearly rule, and a VTIMEZONE is made of
those. Looking for them with `utcoffset` would have to guess the rule; the files state it.

Source of the format: RFC 8536 (TZif) and its section 3.3 (the footer, a POSIX TZ string).
"""

from __future__ import annotations

import re
import struct
import zoneinfo
from calendar import isleap, monthrange
from datetime import date
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Final, NamedTuple

from chaise_cli.errors import NotFound

EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
DAY_S: Final = 86_400
LAST_WEEK: Final = 5  # in a rule: the last such weekday of its month
_LAST_YEAR: Final = 9998  # a year more would not fit a datetime
_NAME: Final = re.compile(r"[A-Za-z][\w+-]*(/[A-Za-z0-9][\w+-]*)*", re.ASCII)
_NOT_IANA: Final = re.compile(r"(posix|right)/.*|localtime|posixrules|Factory")
_HEADER: Final = struct.Struct(">4sc15x6L")
_TYPE: Final = struct.Struct(">l?B")
_ABBREVIATION: Final = r"(<[^>]+>|[A-Za-z]+)"
_CLOCK: Final = r"([-+]?[\d:]+)"
_FOOTER: Final = re.compile(
    rf"{_ABBREVIATION}{_CLOCK}"
    rf"(?:{_ABBREVIATION}{_CLOCK}?,([MJ\d.]+)(?:/{_CLOCK})?,([MJ\d.]+)(?:/{_CLOCK})?)?"
)


class NoZoneData(NotFound):
    """The name is not a zone of the time zone data on this machine."""

    code = "export.no_zone_data"
    message = "no time zone data for {zone!r}"
    hint = "zones have IANA names such as Europe/Berlin; new ones need a newer tzdata package"
    zone: str


class Observance(NamedTuple):
    """What clocks show for a while: seconds east of UTC, the flag of the zone data, the abbreviation."""

    offset: int
    daylight: bool
    name: str


class Change(NamedTuple):
    """A moment, in seconds since 1970 UTC, at which one observance ends and another begins."""

    at: int
    before: Observance
    after: Observance


class Yearly(NamedTuple):
    """A day of every year and a time on it, in seconds from its midnight; may be negative or above a day.

    form "M": the `week`-th `weekday` (0 is Sunday) of `month`, LAST_WEEK included;
    form "J": day `day` from 1, 29 February never counted; form "n": day `day` from 0, leap days counted.
    """

    form: str
    seconds: int
    day: int = 0
    month: int = 0
    week: int = 0
    weekday: int = 0

    def wall(self, year: int) -> int:
        """This time in `year`, as seconds between 1970-01-01 00:00 and it on one and the same clock."""
        return (self._ordinal(year) - EPOCH_DAY) * DAY_S + self.seconds

    def _ordinal(self, year: int) -> int:
        if self.form == "n":
            return date(year, 1, 1).toordinal() + self.day
        if self.form == "J":
            january_to_february = 59
            leap_day_passed = isleap(year) and self.day > january_to_february
            return date(year, 1, 1).toordinal() + self.day - 1 + leap_day_passed
        first = date(year, self.month, 1)
        day = 1 + (self.weekday - first.isoweekday()) % 7 + 7 * (self.week - 1)
        if day > monthrange(year, self.month)[1]:
            day -= 7
        return first.toordinal() + day - 1


class Rule(NamedTuple):
    """Two changes a year, for ever; each time is on the clock in force before the change."""

    standard: Observance
    daylight: Observance
    starts: Yearly  # of daylight
    ends: Yearly

    def changes(self, year: int) -> list[Change]:
        """The two changes of `year`, earlier first."""
        start = Change(self.starts.wall(year) - self.standard.offset, self.standard, self.daylight)
        end = Change(self.ends.wall(year) - self.daylight.offset, self.daylight, self.standard)
        # At one instant the start goes last: daylight time all year is written as an end that is undone at once.
        return sorted([end, start], key=lambda change: change.at)


class Zone(NamedTuple):
    """The data of one zone: what it began with, its listed changes, and the rule that follows them."""

    opening: Observance
    listed: tuple[tuple[int, Observance], ...]  # moment, what begins; ascending
    rule: Rule | None

    def changes(self, until: int) -> list[Change]:
        """Every change up to the moment `until`, or up to the last listed one if that is later, ascending."""
        found: list[Change] = []
        before = self.opening
        for at, after in [*self.listed, *self._by_rule(until)]:
            if found and found[-1].at == at:
                before = found.pop().before
            if after != before:
                found.append(Change(at, before, after))
            before = after
        return found

    def _by_rule(self, until: int) -> list[tuple[int, Observance]]:
        if self.rule is None:
            return []
        listed_until = self.listed[-1][0] if self.listed else 0
        years = range(year_of(listed_until), year_of(until) + 2)
        changes = [change for year in years for change in self.rule.changes(year)]
        return [(change.at, change.after) for change in changes if listed_until < change.at <= until]


def year_of(moment: int) -> int:
    """The year, in UTC, of seconds since 1970; clamped to what a calendar can hold."""
    ordinal = min(max(moment // DAY_S + EPOCH_DAY, 1), date.max.toordinal())
    return min(date.fromordinal(ordinal).year, _LAST_YEAR)


def read_zone(tzid: str) -> Zone:
    """The zone of that IANA name. Raises NoZoneData, also for names that are not IANA's, such as `posix/…`."""
    try:
        return _read(tzid, zoneinfo.TZPATH)
    except (OSError, ValueError, LookupError, ImportError, struct.error) as error:
        raise NoZoneData(zone=tzid[:80]) from error


@lru_cache(maxsize=64)
def _read(tzid: str, search_path: tuple[str, ...]) -> Zone:
    return _parse(_file(tzid, search_path))


def _file(tzid: str, search_path: tuple[str, ...]) -> bytes:
    """The same file that `zoneinfo.ZoneInfo(tzid)` takes: from the search path, else from the tzdata package."""
    if not _NAME.fullmatch(tzid) or _NOT_IANA.fullmatch(tzid):
        raise ValueError(tzid)
    for folder in search_path:
        path = Path(folder, tzid)
        if path.is_file():
            return path.read_bytes()
    return files("tzdata").joinpath("zoneinfo", *tzid.split("/")).read_bytes()


def _parse(data: bytes) -> Zone:
    magic, version, *counts = _HEADER.unpack_from(data)
    if magic != b"TZif" or version < b"2":
        raise ValueError("not TZif of version 2 or later")
    # The first block repeats the second in 32 bits; RFC 8536 section 3 says to skip it.
    at = _HEADER.size + _block_size(counts, 4)
    *_, leaps, moments, types, chars = counts = list(_HEADER.unpack_from(data, at)[2:])
    if leaps:
        raise ValueError("counts leap seconds")
    body, end = at + _HEADER.size, at + _HEADER.size + _block_size(counts, 8)
    whens = struct.unpack_from(f">{moments}q", data, body)
    indices = data[body + 8 * moments : body + 9 * moments]
    type_at = body + 9 * moments
    names = data[type_at + 6 * types : type_at + 6 * types + chars].decode("ascii")
    kinds = [
        Observance(offset, daylight, names[name:].split("\0", 1)[0])
        for offset, daylight, name in _TYPE.iter_unpack(data[type_at : type_at + 6 * types])
    ]
    listed = tuple((when, kinds[index]) for when, index in zip(whens, indices, strict=True))
    return Zone(kinds[0], listed, _rule(data[end:].decode("ascii").strip("\n")))


def _block_size(counts: list[int], moment_size: int) -> int:
    ut_flags, wall_flags, leaps, moments, types, chars = counts
    return ut_flags + wall_flags + leaps * (moment_size + 4) + moments * (moment_size + 1) + types * 6 + chars


def _rule(footer: str) -> Rule | None:
    """The rule in a POSIX TZ string; None when it has no daylight time. Raises ValueError on any other text."""
    match = _FOOTER.fullmatch(footer)
    if footer and not match:
        raise ValueError(footer)
    if not match or match[3] is None:
        return None
    standard = Observance(-_seconds(match[2]), daylight=False, name=match[1].strip("<>"))
    offset = standard.offset + 3600 if match[4] is None else -_seconds(match[4])
    daylight = Observance(offset, daylight=True, name=match[3].strip("<>"))
    return Rule(standard, daylight, _yearly(match[5], match[6]), _yearly(match[7], match[8]))


def _yearly(day: str, clock: str | None) -> Yearly:
    seconds = _seconds(clock or "2")
    if day[0] == "M":
        month, week, weekday = (int(part) for part in day[1:].split("."))
        return Yearly("M", seconds, month=month, week=week, weekday=weekday)
    return Yearly("J", seconds, int(day[1:])) if day[0] == "J" else Yearly("n", seconds, int(day))


def _seconds(clock: str) -> int:
    hours, minutes, seconds, *_ = (*clock.lstrip("+-").split(":"), "0", "0")
    total = int(hours) * 3600 + int(minutes) * 60 + int(seconds)
    return -total if clock[0] == "-" else total
