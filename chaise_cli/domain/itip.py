"""Scheduling messages (RFC 5546): which a side may send of a call, and what they say. docs/spec/icalendar.md."""

from __future__ import annotations

from typing import Final

from chaise_cli.domain.booking import Booking, Offer
from chaise_cli.domain.booking_view import EntryFacts, entry_facts
from chaise_cli.errors import Refused
from chaise_cli.ids import IdentityId, public

METHODS: Final = ("REQUEST", "REPLY", "COUNTER", "DECLINECOUNTER", "CANCEL", "PUBLISH")


class NotYoursToSend(Refused):
    """The message would speak in the other side's name, or of what has not happened."""

    code = "calendar.not_yours_to_send"
    message = "{method} of {booking} is not this side's to send as the call stands"
    hint = "yours: {yours}; what the ledger does not say yet is signed first: chaise show {booking}"
    method: str
    booking: str
    yours: str


class NoAddress(Refused):
    """A side of the call has no e-mail address, and none is invented."""

    code = "calendar.no_address"
    message = "{method} of {booking} needs the e-mail address of {whose}"
    hint = "--ics FILE alone needs none, --method publish the organizer's; your own: chaise profile --email ADDRESS"
    method: str
    booking: str
    whose: str


def sendable(booking: Booking, side: IdentityId) -> tuple[str, ...]:
    """The methods that this side may send of the call as it stands, the likeliest first."""
    if side == booking.organizer:
        return (*_of_organizer(booking), "PUBLISH")
    return (*_of_invited(booking), "PUBLISH") if side == booking.invited else ()


def _of_organizer(booking: Booking) -> tuple[str, ...]:
    if booking.state == "declined" and booking.ended_by == booking.invited:
        return ()  # its REPLY said so, and no revision followed
    if booking.state == "conflicted" or (booking.stance is None and not booking.outcome):
        return ("CANCEL",)
    if booking.outcome or (booking.state == "proposed" and booking.offer.by == booking.invited):
        return ()  # it took place; or a counter-offer waits to be accepted, declined or answered in the ledger
    refused = booking.open is None and booking.latest_by == booking.invited and booking.latest != booking.offer.id
    return ("DECLINECOUNTER", "REQUEST") if refused else ("REQUEST",)


def _of_invited(booking: Booking) -> tuple[str, ...]:
    if booking.open and booking.open.by == booking.invited:
        countered = ("COUNTER",) if booking.stance else ()  # a lost call has nothing to counter
        return (*countered, "REPLY") if booking.state == "confirmed" else countered
    if booking.state in {"proposed", "confirmed"}:
        return ("REPLY",)
    ended = booking.state == "declined" or (booking.state == "cancelled" and booking.commitment is not None)
    return ("REPLY",) if ended and booking.ended_by == booking.invited else ()


def permitted(booking: Booking, side: IdentityId, method: str | None) -> str:
    """`method`, or the likeliest where None is given. Raises NotYoursToSend."""
    yours = sendable(booking, side)
    if method is None and yours:
        return yours[0]
    if method not in yours:
        shown = ", ".join(one.lower() for one in yours) or "none"
        raise NotYoursToSend(method=method or "a message", booking=public("book", booking.id), yours=shown)
    return method


def message(booking: Booking, method: str) -> EntryFacts:
    """What the message says of the call. One slot alone, for a message has no way to offer several.

    REQUEST and the other side's REPLY are about the slot the organizer stands behind, COUNTER about the new one.
    """
    facts = entry_facts(booking)._replace(extra=(), comment=booking.why)
    asked = open_of(booking, booking.organizer)
    match method:
        case "REQUEST":
            partstat = "NEEDS-ACTION" if asked or booking.accepted_by == booking.organizer else "ACCEPTED"
            return _said_by(_at(facts, asked) if asked else facts, booking, partstat)
        case "REPLY":
            return _reply(_at(facts, asked) if asked else facts, booking, asked)
        case "COUNTER":
            offered = open_of(booking, booking.invited)
            assert offered, "only an open offer of the invited side is sent as COUNTER"
            return _at(facts, offered)._replace(partstats=((booking.invited, "TENTATIVE"),))
        case "CANCEL":
            return facts._replace(status="cancelled")
        case _:
            return facts


def _reply(facts: EntryFacts, booking: Booking, asked: Offer | None) -> EntryFacts:
    """The invited side's answer; until it has signed one that is a maybe."""
    ended = booking.ended_by == booking.invited
    partstat = "DECLINED" if ended else "TENTATIVE" if asked else "ACCEPTED"
    received = facts.sequence - (booking.state == "cancelled")  # cancelling raised it, and the organizer tells that
    return facts._replace(sequence=received, partstats=((booking.invited, partstat),))


def _said_by(facts: EntryFacts, booking: Booking, partstat: str) -> EntryFacts:
    return facts._replace(partstats=((booking.organizer, "ACCEPTED"), (booking.invited, partstat)))


def _at(facts: EntryFacts, offer: Offer) -> EntryFacts:
    """The same about an open offer: its first slot, or all its times if it is a check-in, its link and its words."""
    slot = offer.slots[0]
    return facts._replace(
        status="tentative",
        start=slot.start,
        end=slot.end,
        tz=slot.zone,
        url=offer.url,
        note=offer.note,
        series=offer.series,
        skipped=(),
    )


def open_of(booking: Booking, side: IdentityId) -> Offer | None:
    """The offer of that side that waits for an answer."""
    return booking.open if booking.open and booking.open.by == side else None
