"""Decisions on calls: each refuses or returns the bodies to sign. docs/spec/bookings.md.

What is promised is no double booking from one device: the session gives, inside the transaction that
appends, every other slot to which the talent is committed in any deal.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from chaise_cli.domain import slots as free_times
from chaise_cli.domain import when
from chaise_cli.domain.booking import (
    HOUR,
    MINUTE,
    SLOTS_MOST,
    Booking,
    BookingAccepted,
    BookingBody,
    BookingCancelled,
    BookingDeclined,
    BookingMet,
    BookingMissed,
    BookingOffered,
    Bookings,
    BookingSeriesOffered,
    BookingWithdrawn,
    Offer,
    Series,
    Slot,
)
from chaise_cli.domain.booking_fold import CONTEST, MISSED_AFTER, NoSuchSlot, WrongState, find, permit, said
from chaise_cli.domain.light import NamedTuple
from chaise_cli.domain.recorded import By, Parties
from chaise_cli.domain.when import instant_text
from chaise_cli.errors import Refused, Usage
from chaise_cli.ids import EventId, IdentityId, public

if TYPE_CHECKING:
    from chaise_cli.domain.availability import SelfAvailability

GOOD_FOR: Final = 48 * HOUR  # an offer, unless it says otherwise
NOTICE: Final = 120  # minutes before the start after which a cancellation is late, unless the offer says otherwise
RESERVING: Final = 5  # open offers to one counterparty that reserve their slots


class Overlap(Refused):
    """The talent is committed elsewhere at that time."""

    code = "booking.overlap"
    message = "the talent is taken from {start} to {end}{by}{around}"
    hint = "take another time, or --allow-overlap"
    start: str
    end: str
    by: str  # empty, or that it is by another calendar
    around: str  # empty, or that the buffers are in the way
    booking: str


class Lapsed(Refused):
    """The offer was good until an instant that has passed."""

    code = "booking.lapsed"
    message = "the offer of {booking} was good until {until}"
    hint = "offer a time yourself: chaise book {booking} --at TIME"
    booking: str
    until: str


class Past(Refused):
    """The slot begins before a call could be agreed."""

    code = "booking.past"
    message = "{start} is past or too soon for a call"
    hint = "take a later time"
    start: str


class ShortNotice(Past):
    """The slot begins sooner than the talent's own notice allows."""

    code = "booking.short_notice"
    message = "{start} is sooner than the {notice} of notice you want"
    hint = "take a later time, or --beyond-limits"
    notice: str


class Full(Refused):
    """The talent has as many calls of that kind as they want in a day or a week."""

    code = "booking.full"
    message = "the {span} of {start} is full: you want at most {most} of such calls in one"
    hint = "take another {span}, or --beyond-limits"
    start: str
    span: str  # day or week
    most: int | None


class BadSlots(Usage):
    """An offer needs one to five different slots."""

    code = "booking.bad_slots"
    message = "an offer has 1 to {most} different times"
    hint = "give --at up to {most} times"
    most: int


class BadUntil(Usage):
    """The offer would end before it begins, or after its last slot has begun."""

    code = "booking.bad_until"
    message = "an offer cannot be good until {until}; the latest is {latest}"
    hint = "leave it out: an offer is good for 48 hours, at most until its last time begins"
    until: str
    latest: str


class TwoChoices(Usage):
    """A slot was named by its number and by its time."""

    code = "booking.two_choices"
    message = "name the slot by number or by time, not both"
    hint = "chaise accept BOOKING --slot 2, or --at TIME"


class TooEarly(Refused):
    """Nobody can say yet how the call went."""

    code = "booking.too_early"
    message = "how {booking} went can be said from {since} on"
    hint = "a call can be met from its start, missed from 15 minutes after it"
    booking: str
    since: str


class TooLate(Refused):
    """The other side's word can no longer be contested."""

    code = "booking.too_late"
    message = "what the other side said of {booking} could be contested until {until}"
    hint = "ask the other side to correct it"
    booking: str
    until: str


class Taken(NamedTuple):
    """A time that is not free, half-open, ms since 1970, UTC; `booking` is empty for what is no booking of ours.

    each: one of the times of a check-in, which all take place; else one of those of which one will.
    """

    start: int
    end: int
    booking: str
    each: bool = False


def slot_at(start: int, zone: str, minutes: int, tzdata: str) -> Slot:
    """The slot that begins at the instant `start`, with its wall clock in `zone`. tzdata: version of the zone data.

    Raises when.UnknownZone.
    """
    return Slot(when.wall_text(start, zone), zone, start, minutes, tzdata)


def overlaps(slot: Slot, taken: Iterable[Taken], own: SelfAvailability | None = None) -> tuple[Taken, ...]:
    """What of `taken` shares an instant with `slot`, or comes closer than the buffers of `own`; earliest first."""
    around = [(other, free_times.padded(own, slot.minutes, other)) for other in taken]
    return tuple(sorted(other for other, span in around if slot.start < span.end and span.start < slot.end))


def committed(bookings: Bookings, parties: Parties, *, reserved: bool = True) -> tuple[Taken, ...]:
    """The talent's time in this deal: what is confirmed and, with `reserved`, what the talent's open offers keep free.

    The oldest five open offers alone reserve, so that nobody's time can be blocked by offers.
    """
    calls = bookings.by_id.values()
    kept = {
        Taken(*time, booking.id, booking.offer.series is not None)
        for booking in calls
        if booking.held
        for time in booking.times
    }
    for id_, offer in _open_offers(bookings, parties.talent)[:RESERVING] if reserved else []:
        kept |= {Taken(slot.start, slot.end, id_, offer.series is not None) for slot in offer.every}
    return tuple(sorted(kept))


def book(
    bookings: Bookings,
    by: By,
    parties: Parties,
    booking: EventId | None,
    slots: Sequence[Slot],
    *,
    taken: Sequence[Taken] = (),
    until: int | None = None,
    url: str | None = None,
    note: str | None = None,
    notice: int | None = None,
    own: SelfAvailability | None = None,
    allow_overlap: bool = False,
    beyond_limits: bool = False,
    series: Series | None = None,
) -> list[BookingBody]:
    """An offer of one to five slots: of a new call (`booking` None), a counter-offer, or a move of a confirmed one.

    series: the times of a check-in, whose first is the only slot.

    taken: every slot the talent is committed to, in all deals; what belongs to this booking is left out here.
    own: the talent's availability, if the talent acts: its buffers count, and its notice and limits unless
    `beyond_limits`. until: the offer is good before this instant; None is 48 hours, at most until that notice before
    the last slot. url, note, notice (minutes): None keeps what the booking had.
    Nothing when this side's open offer, or the agreed slot, says the same already.
    Raises BadSlots, Past, ShortNotice, BadUntil, Overlap, Full and what `permit` raises.
    """
    assert series is None or len(slots) == 1, "a check-in is offered at one time"
    known = find(bookings, booking) if booking else None
    before = (known.open or known.offer) if known else None
    limits = None if beyond_limits else own
    last, least_notice = _future(by, slots, limits)
    said: dict[str, Any] = {
        "booking": booking,
        "answers": known.latest if known else None,
        "until": _until(by, last - least_notice, until),
        "url": url if url is not None or before is None else before.url,
        "note": note if note is not None else before.note if before else "",
        "notice": notice if notice is not None else before.notice if before else NOTICE,
        "allow_overlap": allow_overlap,
    }
    body: BookingOffered | BookingSeriesOffered = BookingOffered(slots=tuple(slots), **said)
    if series is not None:
        body = BookingSeriesOffered(slot=slots[0], days=series.days, starts=series.starts, **said)
    permit(bookings, parties, by.identity, body)
    if known and _repeats(known, by, body, until):
        return []
    others = _elsewhere(bookings, by, parties, taken, booking)
    every = series.slots(slots[0]) if series else slots
    for slot in every:
        _free(slot, () if allow_overlap else others, own)
    _within(every, others, limits, each=series is not None)
    return [body]


def accept(
    bookings: Bookings,
    by: By,
    parties: Parties,
    booking: EventId,
    *,
    slot: int | None = None,
    at: int | None = None,
    taken: Sequence[Taken] = (),
    own: SelfAvailability | None = None,
    allow_overlap: bool = False,
    beyond_limits: bool = False,
) -> list[BookingBody]:
    """This side takes a slot of the open offer: by number from 1, by its start, or else the first one.

    taken, own, beyond_limits: as for `book`. Nothing when this side has accepted that slot already.
    Raises TwoChoices, NoSuchSlot, Lapsed, Past, ShortNotice, Overlap, Full and what `permit` raises.
    """
    known = find(bookings, booking)
    if slot is not None and at is not None:
        raise TwoChoices
    if known.open is None and known.state == "confirmed" and known.accepted_by == by.identity:
        if (slot is None and at is None) or _number(known, known.offer, slot, at) == known.picked + 1:
            return []
        raise WrongState(booking=public("book", known.id), state=known.state, verb="accept of another time")
    offer = _open(known, "accept")
    body = BookingAccepted(booking, offer.id, _number(known, offer, slot, at), allow_overlap)
    permit(bookings, parties, by.identity, body)
    chosen = offer.slots[body.slot - 1]
    if by.now >= offer.until:
        raise Lapsed(booking=public("book", known.id), until=instant_text(offer.until))
    limits = None if beyond_limits else own
    _future(by, [chosen], limits)
    others = _elsewhere(bookings, by, parties, taken, booking)
    allowed = allow_overlap or (offer.by == parties.talent and offer.allow_overlap)
    every = offer.every if offer.series else (chosen,)
    for one in every:
        _free(one, () if allowed else others, own)
    _within(every, others, limits, each=offer.series is not None)
    return [body]


def decline(bookings: Bookings, by: By, parties: Parties, booking: EventId, reason: str = "") -> list[BookingBody]:
    """This side takes none of the offered slots. Nothing when it has declined already. Raises what `permit` raises."""
    known = find(bookings, booking)
    if known.reason == "declined" and known.ended_by == by.identity:
        return []
    body = BookingDeclined(booking, _open(known, "decline").id, reason)
    permit(bookings, parties, by.identity, body)
    return [body]


def withdraw(bookings: Bookings, by: By, parties: Parties, booking: EventId) -> list[BookingBody]:
    """This side takes its open offer back. Nothing when it has done so already. Raises what `permit` raises."""
    known = find(bookings, booking)
    if known.state == "declined" and known.reason != "declined" and known.ended_by == by.identity:
        return []
    body = BookingWithdrawn(booking, _open(known, "withdraw").id, "withdrawn")
    permit(bookings, parties, by.identity, body)
    return [body]


def cancel(bookings: Bookings, by: By, parties: Parties, booking: EventId, reason: str = "") -> list[BookingBody]:
    """An agreed call is off. Nothing when it is already, by whomever. Raises what `permit` raises."""
    if find(bookings, booking).state == "cancelled":
        return []
    body = BookingCancelled(booking, reason)
    permit(bookings, parties, by.identity, body)
    return [body]


def outcome(
    bookings: Bookings, by: By, parties: Parties, booking: EventId, missing: IdentityId | None
) -> list[BookingBody]:
    """How the call went: it took place (`missing` None), or this side was not there.

    A check-in is spoken of as a whole, from its last time on.
    Nothing when this side has said the same. Raises TooEarly, TooLate and what `permit` raises.
    """
    known = find(bookings, booking)
    own = said(known, by.identity)
    if known.outcome and own and own.missing == missing:
        return []
    body = BookingMet(booking) if missing is None else BookingMissed(booking, missing)
    permit(bookings, parties, by.identity, body)
    if missing is not None and known.state == "conflicted":  # a call that is known to be lost is missed by nobody
        raise WrongState(booking=public("book", known.id), state=known.state, verb="book --no-show")
    since = known.last[0] + (MISSED_AFTER if missing is not None else 0)
    if by.now < since:
        raise TooEarly(booking=public("book", known.id), since=instant_text(since))
    other = said(known, parties.other(by.identity))
    if other and other.missing != missing and by.now >= other.at + CONTEST:
        raise TooLate(booking=public("book", known.id), until=instant_text(other.at + CONTEST))
    return [body]


def lapsed(bookings: Bookings, by: IdentityId, now: int) -> list[BookingBody]:
    """Withdrawals of this side's offers whose time has run out; its devices write them whenever they run."""
    return [
        BookingWithdrawn(id_, offer.id, "expired") for id_, offer in _open_offers(bookings, by) if now >= offer.until
    ]


def yielding(bookings: Bookings, parties: Parties, confirmed: Iterable[Taken]) -> list[BookingBody]:
    """Withdrawals of the talent's open offers that a confirmed call has overtaken; for the talent's devices to write.

    confirmed: the talent's confirmed calls in all deals. Offers made with allowed overlap stay.
    """
    busy = tuple(confirmed)
    return [
        BookingWithdrawn(id_, offer.id, "withdrawn")
        for id_, offer in _open_offers(bookings, parties.talent)
        if not offer.allow_overlap and any(overlaps(slot, _but(busy, id_)) for slot in offer.every)
    ]


def _open_offers(bookings: Bookings, by: IdentityId) -> list[tuple[EventId, Offer]]:
    """This side's open offers with their bookings, oldest first."""
    calls = bookings.by_id.values()
    own = [(booking.id, booking.open) for booking in calls if booking.open and booking.open.by == by]
    return sorted(own, key=lambda pair: pair[1].place)


def _but(taken: Iterable[Taken], booking: EventId | None) -> list[Taken]:
    """What is not the booking's own: a move leaves its old slot out."""
    return [other for other in taken if other.booking != booking]


def _open(booking: Booking, verb: str) -> Offer:
    if booking.open is None:
        raise WrongState(booking=public("book", booking.id), state=booking.state, verb=verb)
    return booking.open


def _future(by: By, slots: Sequence[Slot], own: SelfAvailability | None) -> tuple[int, int]:
    """When the last of the slots begins, and the notice (ms) that `own` wants.

    Raises BadSlots, and Past or ShortNotice when one begins too soon.
    """
    if not slots or len(set(_times(slots))) != len(slots) or len(slots) > SLOTS_MOST:
        raise BadSlots(most=SLOTS_MOST)
    notice = max(free_times.kind_of(own, slot.minutes).notice * MINUTE for slot in slots) if own else 0
    for slot in slots:
        if slot.start <= by.now:
            raise Past(start=instant_text(slot.start))
        if slot.start <= by.now + notice:
            raise ShortNotice(start=instant_text(slot.start), notice=when.duration_text(notice))
    return max(slot.start for slot in slots), notice


def _until(by: By, latest: int, until: int | None) -> int:
    if until is None:
        return min(by.now + GOOD_FOR, latest)
    if not by.now < until <= latest:
        raise BadUntil(until=instant_text(until), latest=instant_text(latest))
    return until


def _repeats(booking: Booking, by: By, body: BookingOffered | BookingSeriesOffered, until: int | None) -> bool:
    """Whether the side's open offer, or the call as agreed, says the same; `until` None asks for no end."""
    offer = booking.open or booking.offer
    if (body.url, body.note, body.notice) != (offer.url, offer.note, offer.notice):
        return False
    slots, series = (body.slots, None) if isinstance(body, BookingOffered) else ((body.slot,), (body.days, body.starts))
    if series != offer.series or (series and booking.skipped):
        return False
    if booking.open is None:
        return booking.state == "confirmed" and _times(slots) == _times([booking.slot])
    same = _times(slots) == _times(offer.slots) and body.allow_overlap == offer.allow_overlap
    return offer.by == by.identity and same and until in {None, offer.until}


def _times(slots: Sequence[Slot]) -> list[tuple[int, int]]:
    return [(slot.start, slot.minutes) for slot in slots]


def _number(booking: Booking, offer: Offer, slot: int | None, at: int | None) -> int:
    """The number of the chosen slot, from 1. Raises NoSuchSlot."""
    starts = [known.start for known in offer.slots]
    if at is not None and at in starts:
        return starts.index(at) + 1
    if at is not None or (slot is not None and not 1 <= slot <= len(starts)):
        raise NoSuchSlot(booking=public("book", booking.id))
    return slot or 1


def _elsewhere(
    bookings: Bookings, by: By, parties: Parties, taken: Sequence[Taken], booking: EventId | None
) -> list[Taken]:
    """What keeps this side from a time: all of the talent's, but only the agreed calls of this deal for the client."""
    talent = by.identity == parties.talent
    return _but({*committed(bookings, parties, reserved=talent), *(taken if talent else ())}, booking)


def _free(slot: Slot, others: Sequence[Taken], own: SelfAvailability | None) -> None:
    """Raise Overlap unless the talent is free then, with room for the buffers of `own`."""
    busy = overlaps(slot, others, own)
    if busy:
        first = (overlaps(slot, busy) or busy)[0]
        around = "" if overlaps(slot, [first]) else ", and keeps time free around it"
        shown = public("book", first.booking) if first.booking else ""
        times = instant_text(first.start), instant_text(first.end)
        by = "" if shown else ", by another calendar"
        raise Overlap(start=times[0], end=times[1], by=by, around=around, booking=shown)


def _within(slots: Sequence[Slot], others: Sequence[Taken], own: SelfAvailability | None, *, each: bool) -> None:
    """Raise Full when the day or the week of a slot has as many calls of its kind as `own` allows.

    each: all of the slots take place, so those before count too.
    """
    if own is None:
        return
    counted = list(others)
    for slot in slots:
        span = free_times.full(own, slot.minutes, counted)(slot.start)
        if span:
            kind = free_times.kind_of(own, slot.minutes)
            most = kind.per_day if span == "day" else kind.per_week
            raise Full(start=instant_text(slot.start), span=span, most=most)
        if each:
            counted.append(Taken(slot.start, slot.end, "this", each))
