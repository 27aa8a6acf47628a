"""Two sides, an agent and a short way to write down what they did."""

from __future__ import annotations

from hashlib import sha256
from typing import Final

from chaise_cli import ids
from chaise_cli.domain.booking import (
    HOUR,
    NONE,
    BookingAccepted,
    BookingCancelled,
    BookingDeclined,
    BookingLost,
    BookingMet,
    BookingMissed,
    BookingOffered,
    Bookings,
    BookingSeriesOffered,
    Slot,
)
from chaise_cli.domain.booking_fold import step
from chaise_cli.domain.recorded import By, Parties, Recorded
from chaise_cli.domain.shape import Body
from chaise_cli.ids import EventId

NOW: Final = 1_796_000_000_000  # a Monday in November 2026
TOMORROW: Final = NOW + 24 * HOUR


def id_of(name: str) -> str:
    """32 bytes made of a name, as base64url text."""
    return ids.text(sha256(name.encode()).digest())


CLIENT: Final = ids.IdentityId(id_of("lisa"))
TALENT: Final = ids.IdentityId(id_of("james"))
STRANGER: Final = ids.IdentityId(id_of("mallory"))
LAPTOP: Final = ids.DeviceId(id_of("laptop"))
SPACE: Final = ids.SpaceId(id_of("space"))
PARTIES: Final = Parties(CLIENT, TALENT, CLIENT, LAPTOP)
NAMES: Final = {CLIENT: "lisa", TALENT: "james", STRANGER: "mallory"}


def event(name: str) -> ids.EventId:
    """An event's id."""
    return ids.EventId(id_of(f"event {name}"))


def recorded(
    body: Body,
    by: ids.IdentityId,
    name: str,
    *,
    at: int = NOW,
    clock: int = NOW,
    final: bool = True,
    agent: bool = False,
) -> Recorded:
    """`body` as the fold sees it."""
    return Recorded(event(name), by, LAPTOP, at, clock, final, agent, body)


def acting(who: ids.IdentityId, now: int = NOW) -> By:
    """Who decides, and when."""
    return By(who, LAPTOP, now, agent=False)


def person(who: ids.IdentityId) -> dict[str, object]:
    """A person as views show them."""
    return {"id": ids.public("id", who), "handle": NAMES[who], "name": NAMES[who].title()}


def slot(hours: float, minutes: int = 60) -> Slot:
    """A call so many hours after tomorrow's."""
    return Slot("2026-12-01T15:00:00", "Europe/Berlin", TOMORROW + int(hours * HOUR), minutes, "2026b")


def offer(*slots: Slot, booking: EventId | None = None, answers: ids.EventId | None = None) -> BookingOffered:
    """An offer without frills, good until tomorrow's call."""
    return BookingOffered(booking, answers, slots or (slot(0),), TOMORROW, None, "", 120, allow_overlap=False)


def checkin(*hours: float, booking: EventId | None = None, answers: ids.EventId | None = None) -> BookingSeriesOffered:
    """A check-in of an hour at each of these times, in hours after tomorrow's call."""
    starts = tuple(slot(each).start for each in hours)
    return BookingSeriesOffered(
        booking, answers, slot(hours[0]), 1, starts, TOMORROW, None, "", 120, allow_overlap=False
    )


class Told:
    """Events told one after the other; each act gives the id of its event."""

    def __init__(self, bookings: Bookings) -> None:
        self.bookings = bookings
        self.count = 0

    def tell(self, body: Body, by: ids.IdentityId, *, at: int = NOW, final: bool = True) -> ids.EventId:
        """Fold one event in and give its id."""
        self.count += 1
        e = recorded(body, by, str(self.count), at=at, final=final)
        self.bookings = step(self.bookings, PARTIES, e)
        return e.id

    def agree(self, by: ids.IdentityId, *slots: Slot, pick: int = 1) -> ids.EventId:
        """A call that `by` offers and the other side accepts at once."""
        booking = self.tell(offer(*slots), by)
        self.tell(BookingAccepted(booking, booking, pick, allow_overlap=False), PARTIES.other(by))
        return booking


def started() -> Told:
    return Told(NONE)


def in_state(state: str) -> tuple[Told, EventId]:
    """A call that the client offered, in this state.

    `moving` has an open move of the client's besides, `check-in` several times, and `lost` is conflicted by a verdict.
    """
    told = started()
    if state == "proposed":
        return told, told.tell(offer(), CLIENT)
    if state == "declined":
        call = told.tell(offer(), CLIENT)
        told.tell(BookingDeclined(call, call, ""), TALENT)
        return told, call
    if state == "conflicted":
        told.agree(CLIENT)
        return told, told.agree(CLIENT)
    if state == "check-in":
        call = told.tell(checkin(0, 24, 48), CLIENT)
        told.tell(BookingAccepted(call, call, 1, allow_overlap=False), TALENT)
        return told, call
    call = told.agree(CLIENT)
    match state:
        case "lost":
            told.tell(verdict(told, call), TALENT)
        case "moving":
            told.tell(offer(slot(5), booking=call, answers=call), CLIENT)
        case "cancelled":
            told.tell(BookingCancelled(call, ""), CLIENT)
        case "met":
            told.tell(BookingMet(call), CLIENT)
        case "no_show":
            told.tell(BookingMissed(call, TALENT), CLIENT)
    return told, call


def verdict(told: Told, call: EventId) -> BookingLost:
    """That the call lost its time."""
    bound = told.bookings.by_id[call].commitment
    return BookingLost(call, bound.id if bound else event("nothing"))
