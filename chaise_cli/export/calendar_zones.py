"""What a TZID in somebody's file means: the IANA zone of that name, else a Windows name, else the file's own words."""

from __future__ import annotations

import re
from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from chaise_cli.domain import when
from chaise_cli.export.calendar_rules import Span, Unusable, occurrences, written

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from chaise_cli.export.calendar_lines import Component

_WINDOWS: Final = "icalendar.timezone.windows_to_olson"  # the library's table; loaded for files that need it
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001  a wall clock
_SECOND: Final = timedelta(seconds=1)
_OFFSET: Final = re.compile(r"([+-])([0-9]{2})([0-9]{2})([0-9]{2})?", re.ASCII)
_UTC_NAMES: Final = frozenset({"Z", "GMT", "UTC", "ETC/UTC", "ETC/GMT", "ZULU"})


class Clock(Protocol):
    """The clocks of one zone."""

    def instant(self, wall: datetime) -> int:
        """Ms of a wall clock: the first pass of a repeated hour; in a gap, the offset before it (RFC 5545, 3.3.5)."""

    def wall(self, utc: datetime) -> datetime:
        """What these clocks show when those of UTC show `utc`."""


class Named:
    """A zone this machine has data for."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone

    def instant(self, wall: datetime) -> int:
        """As the protocol says."""
        return when.in_ms(wall.replace(tzinfo=self._zone, fold=0))

    def wall(self, utc: datetime) -> datetime:
        """As the protocol says."""
        return utc.replace(tzinfo=UTC).astimezone(self._zone).replace(tzinfo=None, fold=0)


class _Change(NamedTuple):
    """At the UTC second `at` the offset becomes `after` seconds; it was `before`."""

    at: int
    before: int
    after: int


class Listed:
    """A zone as a VTIMEZONE spells it out."""

    def __init__(self, changes: list[_Change]) -> None:
        """changes: at least one, in any order."""
        self._changes = sorted(changes)
        # A new offset is told by a wall clock once that is past both the old and the new reading of the change.
        self._walls = [one.at + max(one.before, one.after) for one in self._changes]
        self._instants = [one.at for one in self._changes]

    def instant(self, wall: datetime) -> int:
        """As the protocol says."""
        seconds = (wall - _EPOCH) // _SECOND
        return (seconds - self._offset(bisect_right(self._walls, seconds))) * when.SECOND

    def wall(self, utc: datetime) -> datetime:
        """As the protocol says."""
        seconds = (utc - _EPOCH) // _SECOND
        return utc + self._offset(bisect_right(self._instants, seconds)) * _SECOND

    def _offset(self, passed: int) -> int:
        return self._changes[passed - 1].after if passed else self._changes[0].before


class Zones:
    """The zones of one calendar. `floating` is for times that name none, `days` for entries of whole days."""

    def __init__(self, calendar: Component, own: str, years: Span) -> None:
        """own: the owner's zone. years: between these a VTIMEZONE is spelled out. Raises when.UnknownZone."""
        self._own_words = {part.value("TZID"): part for part in calendar.children if part.name == "VTIMEZONE"}
        self._years = years
        self._known: dict[str, Clock | Unusable] = {}
        self.utc: Clock = Named(when.zone("UTC"))
        self.days: Clock = Named(when.zone(own))
        told = calendar.value("X-WR-TIMEZONE")
        self.floating = (_named(told) if told else None) or self.days

    def of(self, tzid: str) -> Clock:
        """The clocks of a TZID. Raises Unusable."""
        if tzid not in self._known:
            try:
                self._known[tzid] = _named(tzid) or self._spelled_out(tzid)
            except Unusable as error:
                self._known[tzid] = error
        found = self._known[tzid]
        if isinstance(found, Unusable):
            raise found
        return found

    def _spelled_out(self, tzid: str) -> Clock:
        part = self._own_words.get(tzid)
        if part is None or part.broken:
            raise Unusable("its time zone is not known")
        changes = [
            change for child in part.children if child.name in ("STANDARD", "DAYLIGHT") for change in self._of(child)
        ]
        if not changes:
            raise Unusable("its time zone is not known")
        return Listed(changes)

    def _of(self, observance: Component) -> list[_Change]:
        """The changes with which one observance begins."""
        before, after = (_seconds(observance.value(name)) for name in ("TZOFFSETFROM", "TZOFFSETTO"))
        start = written(observance.value("DTSTART")).wall
        onsets = {start}
        for line in observance.all("RRULE"):
            onsets.update(occurrences(line.value, start, self._years, lambda utc: utc + before * _SECOND))
        for line in observance.all("RDATE"):
            onsets.update(written(one.partition("/")[0]).wall for one in line.value.split(","))
        return [_Change((onset - _EPOCH) // _SECOND - before, before, after) for onset in onsets]


def _seconds(text: str) -> int:
    found = _OFFSET.fullmatch(text)
    if found is None:
        raise Unusable("its time zone is malformed")
    hours, minutes, seconds = (int(part or 0) for part in found.groups()[1:])
    return (hours * 3600 + minutes * 60 + seconds) * (-1 if found[1] == "-" else 1)


def _named(tzid: str) -> Clock | None:
    """The zone of this IANA name, also where a registry stands before it, or of this Windows name."""
    if tzid.upper() in _UTC_NAMES:
        return Named(when.zone("UTC"))
    parts = tzid.strip().split("/")
    names = [tzid, *("/".join(parts[-count:]) for count in (3, 2) if tzid.startswith("/") and len(parts) > count)]
    for name in names:
        try:
            return Named(when.zone(name))
        except when.UnknownZone:
            continue
    windows: Any = import_module(_WINDOWS)
    olson = windows.WINDOWS_TO_OLSON.get(tzid)
    try:
        return Named(when.zone(olson)) if olson else None
    except when.UnknownZone:
        return None
