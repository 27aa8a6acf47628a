"""Answers to invitations (RFC 5546): what one that came back asks this side to sign. docs/spec/icalendar.md.

Nothing that was read changes a call. It becomes the draft of an act, which its side signs or does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from chaise_cli.domain.booking import MINUTE, MINUTES_MOST, Booking, Slot
from chaise_cli.domain.itip import NoAddress, open_of
from chaise_cli.domain.light import NamedTuple
from chaise_cli.domain.when import SECOND
from chaise_cli.errors import Conflict, Refused, Usage
from chaise_cli.ids import IdentityId, public

ANSWERS: Final = ("REPLY", "COUNTER", "DECLINECOUNTER", "CANCEL")  # what may come back
_OVER: Final = {"declined", "cancelled", "conflicted", "met", "no_show"}


class NotAnAnswer(Usage):
    """The file holds no answer to an invitation."""

    code = "calendar.not_an_answer"
    message = "a {method} is no answer to an invitation of ours"
    hint = "REPLY, COUNTER, DECLINECOUNTER and CANCEL are read; a calendar's own times: chaise help book"
    method: str


class OtherSender(Refused):
    """The message does not come from the side it speaks for."""

    code = "calendar.other_sender"
    message = "the {method} about {booking} does not come from the side it speaks for"
    hint = "compare its addresses with those of the call: chaise show {booking}"
    method: str
    booking: str


class OtherRevision(Conflict):
    """The message answers another revision of the call than the one that stands."""

    code = "calendar.other_revision"
    message = "the {method} answers revision {given} of {booking}, which is at {known}"
    hint = "an older one means nothing any more; a newer one may come with chaise sync"
    method: str
    booking: str
    given: int
    known: int


class Outdated(Conflict):
    """Since the message was written the call has changed, or its times are no longer on offer."""

    code = "calendar.outdated"
    message = "the {method} is older than what {booking} has become, or means another time"
    hint = "look again: chaise show {booking}"
    method: str
    booking: str


class NoTimes(Usage):
    """A counter-offer without a start and an end that a call could have."""

    code = "calendar.no_times"
    message = "the COUNTER does not say from when to when, in whole minutes of a known zone, at most a day"
    hint = "offer the time by hand: chaise book {booking} --at TIME"
    booking: str


class Said(NamedTuple):
    """An answer as it was read. Instants are ms since 1970, UTC; addresses are without `mailto:`."""

    method: str
    uid: str
    sequence: int
    stamp: int  # DTSTAMP
    organizer: str
    attendees: tuple[tuple[str, str], ...]  # address, PARTSTAT
    start: int | None  # None also where the zone is not known
    end: int | None
    zone: str | None  # the IANA name its start was written in
    sender: str | None  # of the mail that brought it


class Draft(NamedTuple):
    """The act that an answer asks for; without a verb there is nothing to sign, and `why` says so."""

    verb: str  # accept, decline, withdraw, cancel, book, or empty
    why: str = ""
    slot: int | None = None  # of accept, from 1
    start: int = 0  # of book
    minutes: int = 0
    zone: str | None = None


def draft(booking: Booking, me: IdentityId, said: Said, addresses: Mapping[IdentityId, str | None]) -> Draft:
    """The act of this side that an answer asks for.

    addresses: of both sides, as they gave them. The answer may be this side's own, from its calendar, or the other's.
    Raises NotAnAnswer, NoAddress, OtherSender, OtherRevision, Outdated, NoTimes.
    """
    if said.method not in ANSWERS:
        raise NotAnAnswer(method=said.method[:20])
    shown = public("book", booking.id)
    speaker = booking.invited if said.method in {"REPLY", "COUNTER"} else booking.organizer
    _from_its_side(booking, said, speaker, addresses)
    if booking.state in _OVER and _ends(said):
        return Draft("", f"{shown} is over already")
    if not (said.sequence == booking.sequence or (said.method == "CANCEL" and said.sequence > booking.sequence)):
        raise OtherRevision(method=said.method, booking=shown, given=said.sequence, known=booking.sequence)
    settled = _settled(booking, said)
    if settled:
        return settled
    if said.stamp < booking.modified // SECOND * SECOND or booking.state in _OVER:  # DTSTAMP has whole seconds
        raise Outdated(method=said.method, booking=shown)
    if said.method == "COUNTER":
        return _countered(booking, me, said)
    if said.method == "REPLY" and not _ends(said):
        return _accepted(booking, me, said)
    return _ended(booking, me, said)


def _from_its_side(
    booking: Booking, said: Said, speaker: IdentityId, addresses: Mapping[IdentityId, str | None]
) -> None:
    """Raise NoAddress or OtherSender unless organizer, attendee and the mail's sender are who they have to be."""
    organizer, invited, sender = (addresses[side] for side in (booking.organizer, booking.invited, speaker))
    if organizer is None or invited is None or sender is None:
        raise NoAddress(method=said.method, booking=public("book", booking.id), whose="each side")
    attending = [address for address, _ in said.attendees]
    named = said.method not in {"REPLY", "COUNTER"} or any(_same(address, invited) for address in attending)
    alone = said.method != "REPLY" or len(attending) == 1  # RFC 5546 section 3.2.3
    if not (
        named and alone and _same(said.organizer, organizer) and (said.sender is None or _same(said.sender, sender))
    ):
        raise OtherSender(method=said.method, booking=public("book", booking.id))


def _same(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()


def _ends(said: Said) -> bool:
    return said.method == "CANCEL" or (said.method == "REPLY" and said.attendees[0][1] == "DECLINED")


def _settled(booking: Booking, said: Said) -> Draft | None:
    """Nothing to sign, since it is so already or binds nobody; asked before its time stamp, so a repeat is harmless."""
    shown = public("book", booking.id)
    if said.method == "REPLY" and said.attendees[0][1] not in {"ACCEPTED", "DECLINED"}:
        return Draft("", "a maybe binds nobody, so there is nothing to sign")
    agreed = booking.state == "confirmed" and booking.open is None
    wanted = said.method == "COUNTER" or (said.method == "REPLY" and not _ends(said))
    if agreed and wanted and _means(said, booking.slot):
        return Draft("", f"{shown} is agreed for that time already")
    if said.method == "DECLINECOUNTER" and open_of(booking, booking.invited) is None:
        return Draft("", f"no counter-offer of {shown} is open")
    return None


def _means(said: Said, slot: Slot) -> bool:
    """Whether the answer's time is that slot; where it does not say, it means what it answers."""
    return said.start in {None, slot.start} and said.end in {None, slot.end}


def _accepted(booking: Booking, me: IdentityId, said: Said) -> Draft:
    """The organizer's open offer is taken, which the invited side alone can sign."""
    offer = open_of(booking, booking.organizer)
    number = next((n for n, slot in enumerate(offer.slots if offer else (), 1) if _means(said, slot)), None)
    if number is None:
        raise Outdated(method=said.method, booking=public("book", booking.id))
    if me != booking.invited:
        return Draft("", "the other side accepts; the call is confirmed once their own signature has come: chaise sync")
    return Draft("accept", slot=number)


def _countered(booking: Booking, me: IdentityId, said: Said) -> Draft:
    """Another time: taken where the other side has offered it in the ledger, else offered by this side."""
    if booking.offer.series or (booking.open and booking.open.series):  # one time would take the place of all
        return Draft("", "it names one time, and a check-in has several: chaise help book")
    if said.start is None or said.end is None:
        raise NoTimes(booking=public("book", booking.id))
    minutes, rest = divmod(said.end - said.start, MINUTE)
    if rest or not 1 <= minutes <= MINUTES_MOST:
        raise NoTimes(booking=public("book", booking.id))
    for n, slot in enumerate(booking.open.slots if booking.open else (), 1):
        if booking.open and _means(said, slot):
            own = booking.open.by == me
            return Draft("", "that time is offered already") if own else Draft("accept", slot=n)
    return Draft("book", start=said.start, minutes=minutes, zone=said.zone)


def _ended(booking: Booking, me: IdentityId, said: Said) -> Draft:
    """A no: to the open offer it answers, by whichever side signs, else to the agreed call."""
    about_offer = said.method == "DECLINECOUNTER" or (said.method == "REPLY" and open_of(booking, booking.organizer))
    if booking.open and (booking.state == "proposed" or about_offer):
        return Draft("withdraw" if booking.open.by == me else "decline")
    return Draft("cancel")
