"""The objects of calls and of free times for them, as `shapes` has all others; taken up there."""

from __future__ import annotations

from typing import Final, NotRequired, TypedDict

from chaise_cli.shapes_people import May, Person


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


class Attendee(Person):
    """Somebody in a call, with the zone they see it in."""

    tz: NotRequired[str]


class Slot(TypedDict):
    """One time offered for a call."""

    n: int
    start: str
    end: str
    tz: str


class Repeats(TypedDict):
    """How a check-in comes again."""

    days: int
    starts: list[str]  # all its times
    skipped: list[str]  # of those, what is off


class Shifted(TypedDict):
    """The next time of a call that newer time zone data parts from its wall clock: as agreed, and by the clock."""

    start: str
    by_wall: str


class Booking(TypedDict):
    """A call of the two sides of a deal."""

    id: str
    deal: str
    organizer: Attendee
    attendees: list[Attendee]
    final: bool
    start: str | None
    end: str | None
    tz: str
    url: str | None
    uid: str
    sequence: int
    turn: str | None  # client or talent: who must answer
    offers: int
    slots: list[Slot]
    state: str  # proposed, confirmed, conflicted, met, no_show, declined, cancelled
    note: NotRequired[str]
    until: NotRequired[str | None]  # of the open offer
    lapsed: NotRequired[bool]  # nobody answered the open offer in time
    may: NotRequired[list[May]]
    move: NotRequired[list[Slot]]  # an open offer to move a confirmed call
    repeats: NotRequired[Repeats]  # there for a check-in
    move_repeats: NotRequired[Repeats]  # there where it is to be moved to a check-in
    shifted: NotRequired[Shifted]  # there where newer time zone data reads it otherwise
    reason: NotRequired[str | None]  # declined: declined, withdrawn or expired; cancelled: the words of who did it
    why: NotRequired[str]  # declined: the words of who did it
    ended_by: NotRequired[Attendee | None]  # declined, cancelled
    late: NotRequired[bool]  # cancelled within the notice
    lost: NotRequired[int]  # how often its time was lost to another call; there where that happened
    contested: NotRequired[bool]  # met, no_show: the two sides say different things
    missing: NotRequired[Attendee | None]  # met, no_show: who was not there


SHAPES: Final[dict[str, type]] = {"availability": Availability, "free_slot": FreeSlot}
