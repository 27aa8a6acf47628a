"""Calls as commands answer with them: one, and lists of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from chaise_cli.domain import booking_fold, booking_view
from chaise_cli.session import finding, showing, zones
from chaise_cli.store import deal_reads, people

if TYPE_CHECKING:
    from chaise_cli.domain.deal_state import DealState
    from chaise_cli.ids import EventId, IdentityId
    from chaise_cli.session.finding import Named
    from chaise_cli.session.session import Session
    from chaise_cli.session.showing import Shown

SORTS: Final = deal_reads.CALL_SORTS
STATES: Final = ("proposed", "confirmed", "conflicted", "met", "no_show", "declined", "cancelled")
Wanted = deal_reads.Wanted


def calls(session: Session, wanted: deal_reads.Wanted) -> list[dict[str, Any]]:
    """The calls that fit, ordered; each deal is read once."""
    with session.reading():
        rows = deal_reads.select_calls(session.db, wanted)
        states = {space: deal_reads.state(session.db, space) for space in {row.deal.no for row in rows}}
        return [booking(session, states[row.deal.no], row.id) for row in rows]


def call_rows(session: Session, wanted: deal_reads.Wanted) -> list[tuple[EventId, int]]:
    """The calls that fit with the rows of their spaces, for a calendar, which has no limit."""
    unlimited = wanted._replace(limit=None)
    return [(call.id, call.deal.no) for call in deal_reads.select_calls(session.db, unlimited)]


def named(session: Session, what: Named) -> Shown:
    """The shape and the object of a call."""
    return "booking", booking(session, showing.state_of(session, finding.deal_of(session, what)), what.event)


def booking(session: Session, state: DealState, id_: EventId) -> dict[str, Any]:
    """The booking object; its people carry the zones they told."""
    call = booking_fold.find(state.bookings, id_)
    person = showing.look(session)

    def with_zone(identity: IdentityId) -> dict[str, object]:
        zone = zone_of(session, identity)
        return {**person(identity), "tz": zone} if zone else person(identity)

    now = session.clock.now()
    return booking_view.view(call, state.deal.space, state.deal.parties, with_zone, now) | zones.shift(call, now)


def zone_of(session: Session, identity: IdentityId) -> str | None:
    """The zone somebody lives in, as far as they told."""
    if identity == session.me.identity:
        return session.me.settings.tz
    known = people.find(session.db, identity)
    return known.tz if known else None
