"""Bookings: calls agreed between the two sides of a deal. What the events say, and what is known of one call.

The rules stand in `booking_fold`, the decisions in `booking_acts`. docs/spec/bookings.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import Annotated, ClassVar, Final

from chaise_cli.domain.body import body, replace
from chaise_cli.domain.light import NamedTuple
from chaise_cli.domain.shape import Event, Form, Identity, Instant, Many, OneOf, Prose, Text, Whole, Zone
from chaise_cli.ids import EventId, IdentityId, base32, raw

MINUTE: Final = 60_000  # ms
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
SLOTS_MOST: Final = 5  # of one offer
MINUTES_MOST: Final = 24 * 60  # of one call
TIMES_MOST: Final = 200  # of a check-in
DAYS_MOST: Final = 366  # from one time of a check-in to the next
UID_LENGTH: Final = 32
_UID_TAG: Final = b"chaise/1 booking uid\0"

Wall = Annotated[str, Form(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}", "must be a wall clock time")]
CallLink = Annotated[str, Form(r"(https|tel|sip|xmpp):[!-~]{1,500}", "must be a link: https:, tel:, sip:, xmpp:")]
Start = Annotated[int, Whole(0, 253_370_764_799_999 - DAY)]  # every call ends within year 9998


@body
class Slot:
    """A time for a call: what was agreed in words, and the instant these words meant when they were signed."""

    wall: Wall
    zone: Zone
    start: Start  # ms since 1970, UTC; all that the fold looks at
    minutes: Annotated[int, Whole(1, MINUTES_MOST)]
    tzdata: Annotated[str, Text(40, 1)]  # version of the time zone data that turned `wall` into `start`

    @property
    def end(self) -> int:
        """The first instant after the call, ms since 1970, UTC."""
        return self.start + self.minutes * MINUTE

    def same_time(self, other: Slot) -> bool:
        """Whether both begin and end at the same instants."""
        return (self.start, self.minutes) == (other.start, other.minutes)

    def overlaps(self, other: Slot) -> bool:
        """Whether the half-open intervals share an instant."""
        return self.start < other.end and other.start < self.end


@body
class BookingOffered:
    """Times for a call. `booking` None makes a new booking; else it is a counter-offer or a move."""

    KIND: ClassVar[str] = "booking.offered"
    booking: Event | None
    answers: Event | None  # the booking's newest offer known to the writer
    slots: Annotated[tuple[Slot, ...], Many(SLOTS_MOST, 1)]
    until: Instant  # the offer is good before this instant
    url: CallLink | None
    note: Prose
    notice: Annotated[int, Whole(0, 30 * 24 * 60)]  # minutes; who cancels later than this before the start is late
    allow_overlap: bool


@body
class BookingSeriesOffered:
    """A check-in: a call at the same wall clock every so many days. `booking` is as in `booking.offered`."""

    KIND: ClassVar[str] = "booking.series_offered"
    booking: Event | None
    answers: Event | None
    slot: Slot  # the first time
    days: Annotated[int, Whole(1, DAYS_MOST)]  # from one time to the next, by the calendar of the slot's zone
    starts: Annotated[tuple[Start, ...], Many(TIMES_MOST, 2)]  # every time as it was when signed, the first included
    until: Instant
    url: CallLink | None
    note: Prose
    notice: Annotated[int, Whole(0, 30 * 24 * 60)]
    allow_overlap: bool


@body
class BookingSkipped:
    """Some times of an agreed check-in are off; the others stand."""

    KIND: ClassVar[str] = "booking.skipped"
    booking: Event
    starts: Annotated[tuple[Start, ...], Many(TIMES_MOST, 1)]


@body
class BookingAccepted:
    """One slot of the other side's offer is agreed."""

    KIND: ClassVar[str] = "booking.accepted"
    booking: Event
    offer: Event
    slot: Annotated[int, Whole(1, SLOTS_MOST)]  # from 1, in the order of the offer
    allow_overlap: bool


@body
class BookingDeclined:
    """None of the other side's slots suits."""

    KIND: ClassVar[str] = "booking.declined"
    booking: Event
    offer: Event
    reason: Prose


@body
class BookingWithdrawn:
    """An offer is taken back by its side, or its time has run out."""

    KIND: ClassVar[str] = "booking.withdrawn"
    booking: Event
    offer: Event
    reason: Annotated[str, OneOf("withdrawn", "expired")]


@body
class BookingCancelled:
    """An agreed call will not take place."""

    KIND: ClassVar[str] = "booking.cancelled"
    booking: Event
    reason: Prose


@body
class BookingMet:
    """The call took place, says this side."""

    KIND: ClassVar[str] = "booking.met"
    booking: Event


@body
class BookingMissed:
    """The call did not take place, says this side, since `missing` was not there."""

    KIND: ClassVar[str] = "booking.missed"
    booking: Event
    missing: Identity


@body
class BookingLost:
    """A verdict: the agreed call lost its time to one that the talent was committed to before, in another deal."""

    KIND: ClassVar[str] = "booking.lost"
    booking: Event
    commitment: Event  # the event that bound the talent's time, and binds it no more


BookingBody = (
    BookingOffered
    | BookingSeriesOffered
    | BookingSkipped
    | BookingAccepted
    | BookingDeclined
    | BookingWithdrawn
    | BookingCancelled
    | BookingMet
    | BookingMissed
    | BookingLost
)


class Series(NamedTuple):
    """How a check-in comes again: every so many days, at these instants."""

    days: int
    starts: tuple[int, ...]

    def slots(self, first: Slot) -> tuple[Slot, ...]:
        """Each time as a slot; of all but the first the wall clock is not told."""
        return tuple(replace(first, start=start) for start in self.starts)


class Offer(NamedTuple):
    """An offer as it was taken in; `place` is its place in the deal's order of booking events."""

    id: EventId
    by: IdentityId
    place: int
    slots: tuple[Slot, ...]
    until: int
    url: str | None
    note: str
    notice: int
    allow_overlap: bool
    series: Series | None = None  # of a check-in, which has one slot

    @property
    def every(self) -> tuple[Slot, ...]:
        """All the times it would take."""
        return self.series.slots(self.slots[0]) if self.series else self.slots


class Commitment(NamedTuple):
    """The event on the talent's own chain that binds the talent's time: its place, and whether overlap was allowed."""

    place: int
    allow_overlap: bool
    id: EventId


class Word(NamedTuple):
    """What one side last said of the outcome; `missing` None means that the call took place."""

    by: IdentityId
    missing: IdentityId | None
    at: int  # signed, ms since 1970, UTC


class Booking(NamedTuple):
    """One call. Instants are ms since 1970, UTC."""

    id: EventId  # of the first offer
    organizer: IdentityId  # made the first offer
    invited: IdentityId
    state: str  # proposed, confirmed, conflicted, met, no_show, declined, cancelled
    offer: Offer  # the offer that stands: the open one while proposed, then the agreed or the last one
    picked: int  # index of the slot that stands
    move: Offer | None  # an open offer to move a confirmed call
    latest: EventId  # the newest offer, whatever became of it
    latest_by: IdentityId
    offers: int  # how often the offer changed hands; 1 is the first offer
    accepted_by: IdentityId | None
    commitment: Commitment | None  # only while a slot is agreed
    words: tuple[Word, ...]  # at most one of each side
    missing: IdentityId | None  # who was not there, by the word that stands
    contested: bool
    reason: str | None  # why no call was agreed: declined, withdrawn, expired
    why: str  # the words of who declined or cancelled
    ended_by: IdentityId | None
    late: bool  # cancelled later than the agreed notice
    stance: Slot | None  # what the organizer stands behind
    entry: Slot  # what calendars show
    sequence: int  # how often `stance` changed
    created: int  # signed time of the first offer
    modified: int  # signed time of the newest revision, never earlier than the one before
    final: bool
    lost: Commitment | None = None  # what a verdict ended; the client's word that the call took place brings it back
    skipped: tuple[int, ...] = ()  # starts of a check-in's times that are off, ascending
    stance_series: Series | None = None  # goes with `stance`
    entry_series: Series | None = None  # goes with `entry`
    losses: int = 0  # how often its time was lost to another call, whatever became of it then

    @property
    def slot(self) -> Slot:
        """The slot that stands; before agreement the first one offered, after the end the last that stood."""
        return self.offer.slots[self.picked]

    @property
    def open(self) -> Offer | None:
        """The offer that waits for an answer."""
        return self.offer if self.state == "proposed" else self.move

    @property
    def held(self) -> bool:
        """Whether its slot takes the talent's time: agreed, or by somebody's word past."""
        return self.state == "confirmed" or self.outcome

    @property
    def times(self) -> tuple[tuple[int, int], ...]:
        """When the call takes place, half-open, ascending; before agreement as it was offered first."""
        every = self.offer.every if self.offer.series else (self.slot,)
        return tuple((slot.start, slot.end) for slot in every if slot.start not in self.skipped)

    @property
    def last(self) -> tuple[int, int]:
        """The last of its times."""
        return self.times[-1]

    @property
    def outcome(self) -> bool:
        """Whether somebody has said how the call went."""
        return self.state in {"met", "no_show"}


class Bookings(NamedTuple):
    """All calls of a deal, by id, and how many booking events made them."""

    by_id: dict[str, Booking]
    places: int


NONE: Final = Bookings({}, 0)


def meet(one: Iterable[tuple[int, int]], other: Iterable[tuple[int, int]]) -> bool:
    """Whether two ascending runs of half-open times share an instant."""
    ahead, behind = iter(one), iter(other)
    first, second = next(ahead, None), next(behind, None)
    while first and second:
        if first[0] < second[1] and second[0] < first[1]:
            return True
        if first[1] <= second[0]:
            first = next(ahead, None)
        else:
            second = next(behind, None)
    return False


def uid(space: str, booking: str) -> str:
    """The UID of a booking in calendars: 32 lower-case letters and digits, the same on all devices, for life.

    space, booking: ids as base64url text. 160 bits of SHA-256 over a tag and both raw ids, in Crockford's base32.
    """
    return base32(sha256(_UID_TAG + raw(space) + raw(booking)).digest(), UID_LENGTH)
