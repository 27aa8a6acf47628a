"""The objects of free times for calls, as `shapes` has all others; taken up there."""

from __future__ import annotations

from typing import Final, TypedDict


class DayHours(TypedDict):
    """The hours of a weekday (mon to sun) or of one day (2026-12-24); none: closed."""

    day: str
    hours: list[str]  # 09:00-12:30


class CallKind(TypedDict):
    """What calls of these lengths need. In minutes, `window` in days."""

    name: str
    lengths: list[int]
    step: int
    before: int
    after: int
    notice: int
    window: int
    per_day: int | None
    per_week: int | None
    place: str | None


class Availability(TypedDict):
    """When somebody takes calls."""

    zone: str
    hours: list[DayHours]
    days: list[DayHours]
    calls: list[CallKind]


class FreeSlot(TypedDict):
    """A time that is free for a call."""

    start: str
    end: str
    tz: str
    theirs: str | None  # the other side's zone


SHAPES: Final[dict[str, type]] = {"availability": Availability, "free_slot": FreeSlot}
