"""One call between two sides, told step by step, and the messages each side may send of it."""

from __future__ import annotations

from chaise_cli import ids
from chaise_cli.domain.booking import HOUR, NONE, Booking, BookingAccepted, BookingBody, BookingDeclined
from chaise_cli.domain.itip import message, permitted, sendable
from tests.unit.domain.deal_cast import CLIENT, TALENT, TOMORROW, Told, offer, slot

ORGANIZER, INVITED = CLIENT, TALENT


class Call:
    """A call that the client proposed, told step by step."""

    def __init__(self) -> None:
        self.told = Told(NONE)
        self.id = self.told.tell(offer(slot(0), slot(1)), ORGANIZER)

    @property
    def now(self) -> Booking:
        return self.told.bookings.by_id[self.id]

    def tell(self, body: BookingBody, by: ids.IdentityId) -> ids.EventId:
        return self.told.tell(body, by)

    def offers(self, hours: float, by: ids.IdentityId) -> ids.EventId:
        return self.tell(offer(slot(hours), booking=self.id, answers=self.now.latest), by)

    def accepts(self, by: ids.IdentityId, number: int = 1) -> None:
        assert self.now.open
        self.tell(BookingAccepted(self.id, self.now.open.id, number, allow_overlap=False), by)

    def declines(self, by: ids.IdentityId) -> None:
        assert self.now.open
        self.tell(BookingDeclined(self.id, self.now.open.id, "no time"), by)

    def sends(self, by: ids.IdentityId, method: str) -> tuple[int, str, str, int]:
        """SEQUENCE, PARTSTAT of the invited side, status, and the hours from tomorrow at which the call begins."""
        facts = message(self.now, permitted(self.now, by, method))
        partstat = dict(facts.partstats)[INVITED]
        assert not facts.extra
        return facts.sequence, partstat, facts.status, (facts.start - TOMORROW) // HOUR

    def may(self, by: ids.IdentityId) -> tuple[str, ...]:
        return sendable(self.now, by)
