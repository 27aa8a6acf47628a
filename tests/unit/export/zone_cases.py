"""What foreign and own readers of a VTIMEZONE must find: instants worked out by hand, and dense ones for any zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from tests.volume import soaking

if TYPE_CHECKING:
    from collections.abc import Iterator

# (zone, wall clock, instant), worked out by hand from the rules as published; none is computed.
HAND_WORKED: Final = (
    # Berlin: last Sunday of March at 02:00 (+1), last Sunday of October at 03:00 (+2)
    ("Europe/Berlin", "2026-10-25T01:59:00", "2026-10-24T23:59:00Z"),
    ("Europe/Berlin", "2026-10-25T03:00:00", "2026-10-25T02:00:00Z"),
    ("Europe/Berlin", "2027-03-28T01:59:00", "2027-03-28T00:59:00Z"),
    ("Europe/Berlin", "2027-03-28T03:00:00", "2027-03-28T01:00:00Z"),
    ("Europe/Berlin", "2041-07-01T12:00:00", "2041-07-01T10:00:00Z"),
    # New York: second Sunday of March, first Sunday of November, at 02:00
    ("America/New_York", "2026-11-01T00:59:00", "2026-11-01T04:59:00Z"),
    ("America/New_York", "2026-11-01T02:00:00", "2026-11-01T07:00:00Z"),
    ("America/New_York", "2027-03-14T01:59:00", "2027-03-14T06:59:00Z"),
    ("America/New_York", "2027-03-14T03:00:00", "2027-03-14T07:00:00Z"),
    ("America/New_York", "2045-07-04T12:00:00", "2045-07-04T16:00:00Z"),
    # Lord Howe: +10:30 and +11, first Sundays of October and April at 02:00
    ("Australia/Lord_Howe", "2026-10-04T01:59:00", "2026-10-03T15:29:00Z"),
    ("Australia/Lord_Howe", "2026-10-04T02:30:00", "2026-10-03T15:30:00Z"),
    ("Australia/Lord_Howe", "2027-04-04T01:29:00", "2027-04-03T14:29:00Z"),
    ("Australia/Lord_Howe", "2027-04-04T02:00:00", "2027-04-03T15:30:00Z"),
    # Casablanca: +1, but +0 around Ramadan, here from 15 February to 22 March
    ("Africa/Casablanca", "2026-02-14T12:00:00", "2026-02-14T11:00:00Z"),
    ("Africa/Casablanca", "2026-02-15T12:00:00", "2026-02-15T12:00:00Z"),
    ("Africa/Casablanca", "2026-03-22T12:00:00", "2026-03-22T11:00:00Z"),
    # Dublin: the winter is the zone data's daylight time, with a saving of minus one hour
    ("Europe/Dublin", "2026-12-01T12:00:00", "2026-12-01T12:00:00Z"),
    ("Europe/Dublin", "2027-03-28T00:59:00", "2027-03-28T00:59:00Z"),
    ("Europe/Dublin", "2027-03-28T02:00:00", "2027-03-28T01:00:00Z"),
    ("Asia/Kathmandu", "2026-07-01T12:00:00", "2026-07-01T06:15:00Z"),
    # Nuuk: both changes at 01:00 UTC on a Sunday, which is Saturday there
    ("America/Nuuk", "2026-10-25T00:00:00", "2026-10-25T02:00:00Z"),
    ("America/Nuuk", "2027-03-27T22:59:00", "2027-03-28T00:59:00Z"),
    ("America/Nuuk", "2027-03-28T00:00:00", "2027-03-28T01:00:00Z"),
    ("America/Godthab", "2027-03-28T00:00:00", "2027-03-28T01:00:00Z"),
    # Santiago: first Saturdays of September and April at 24:00
    ("America/Santiago", "2026-09-05T23:59:00", "2026-09-06T03:59:00Z"),
    ("America/Santiago", "2026-09-06T01:00:00", "2026-09-06T04:00:00Z"),
    # Gaza: the Saturday after the fourth Thursday of March at 02:00, and so in October
    ("Asia/Gaza", "2026-10-23T12:00:00", "2026-10-23T09:00:00Z"),
    ("Asia/Gaza", "2026-10-24T12:00:00", "2026-10-24T10:00:00Z"),
    ("Asia/Gaza", "2027-03-27T12:00:00", "2027-03-27T09:00:00Z"),
    # Troll: +0 in winter, +2 in summer
    ("Antarctica/Troll", "2026-10-25T00:59:00", "2026-10-24T22:59:00Z"),
    ("Antarctica/Troll", "2026-10-25T03:00:00", "2026-10-25T03:00:00Z"),
    ("Antarctica/Troll", "2027-03-28T00:59:00", "2027-03-28T00:59:00Z"),
    ("Antarctica/Troll", "2027-03-28T03:00:00", "2027-03-28T01:00:00Z"),
)
# The first pass of a repeated hour, which is what its wall clock means to RFC 5545 (ical.js reads the second).
FIRST_PASS: Final = (
    ("Europe/Berlin", "2026-10-25T02:30:00", "2026-10-25T00:30:00Z"),
    ("America/New_York", "2026-11-01T01:30:00", "2026-11-01T05:30:00Z"),
    ("Australia/Lord_Howe", "2027-04-04T01:45:00", "2027-04-03T14:45:00Z"),
    ("America/Nuuk", "2026-10-24T23:30:00", "2026-10-25T00:30:00Z"),
    ("Antarctica/Troll", "2026-10-25T01:30:00", "2026-10-24T23:30:00Z"),
)
_STEPS_MIN: Final = (0, 1, 15, 29, 30, 31, 45, 59, 60, 61, 90, 119, 120, 121, 180, 181, 240, 720, 1440)
_AROUND: Final = (
    *(timedelta(minutes=sign * minutes) for minutes in _STEPS_MIN for sign in (-1, 1)),
    timedelta(seconds=-1),
    timedelta(seconds=1),
)


def every_zone() -> list[str]:
    """All names of the tzdata package, links included, without the placeholder that is no zone."""
    return [name for name in files("tzdata").joinpath("zones").read_text().split() if name != "Factory"]


@cache
def namesakes() -> dict[str, str]:
    """For every name the first one whose data is the same to the byte; most often itself."""
    firsts: dict[bytes, str] = {}
    folder = files("tzdata").joinpath("zoneinfo")
    return {name: firsts.setdefault(folder.joinpath(name).read_bytes(), name) for name in every_zone()}


def each_zone() -> list[str]:
    """Every zone by one name; by all its names in a soak. That a name adds nothing is a test of its own."""
    return every_zone() if soaking() else list(dict.fromkeys(namesakes().values()))


def changes(zone: ZoneInfo, first: datetime, last: datetime) -> list[datetime]:
    """The instants at which the offset changes, found by asking `zoneinfo` alone."""
    found, step = [], 7 * 86_400
    early, end = int(first.timestamp()), last.timestamp()
    before = _offset(zone, early)
    while early < end:
        after = _offset(zone, early + step)
        if before != after:
            found.append(datetime.fromtimestamp(_bisect(zone, early, early + step, before), UTC))
        early, before = early + step, after
    return found


def _bisect(zone: ZoneInfo, early: int, late: int, before: timedelta | None) -> int:
    while late - early > 1:
        middle = (early + late) // 2
        early, late = (middle, late) if _offset(zone, middle) == before else (early, middle)
    return late


def _offset(zone: ZoneInfo, at: int) -> timedelta | None:
    return datetime.fromtimestamp(at, zone).utcoffset()


def dense(zone: ZoneInfo, first: datetime, last: datetime, step: timedelta) -> Iterator[datetime]:
    """Instants of the window: every `step`, and close around every change."""
    regular = (first + n * step for n in range((last - first) // step + 1))
    around = (change + delta for change in changes(zone, first, last) for delta in _AROUND)
    yield from (instant for instant in (*regular, *around) if first <= instant <= last)


def twice(wall: datetime) -> bool:
    """Whether an aware wall clock lies in an hour that happens twice."""
    return wall.replace(fold=0).utcoffset() != wall.replace(fold=1).utcoffset()


def utc(text: str) -> datetime:
    """An instant written as `2026-11-25T14:00:00Z`, also without the seconds."""
    return datetime.fromisoformat(text).astimezone(UTC)
