"""Grants as commands answer with them: one, and lists of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chaise_cli.domain import grant_view, grants
from chaise_cli.ids import DeviceId, EventId, SpaceId, public
from chaise_cli.session import finding, showing
from chaise_cli.store import deal_reads, deal_states

if TYPE_CHECKING:
    from chaise_cli.session.finding import Named
    from chaise_cli.session.session import Session
    from chaise_cli.session.showing import Shown


def named(session: Session, what: Named) -> Shown:
    """The shape and the object of a grant."""
    return "grant", grant(session, finding.deal_of(session, what), what.event)


def grant(session: Session, space: SpaceId, id_: EventId) -> dict[str, Any]:
    """The grant object, as things stand by this machine's clock. Raises NoSuchGrant."""
    found = deal_states.load(session.db, finding.space_no(session, space))
    if found is None:
        raise showing.NotOpenYet(deal=public("deal", space))
    now = found.now
    one = grants.find(now.deal, id_)
    state = grants.state_of(now.deal, one, now.revoked, max(session.clock.now(), now.deal.clock))
    final = id_ in found.taken.deal.grants
    return dict(grant_view.grant_shape(now.deal, one, state, showing.look(session), final=final))


def granted(session: Session, deal: SpaceId | None) -> list[dict[str, Any]]:
    """The grants of one deal or of all, the newest first."""
    made = deal_reads.granted(session.db, deal)
    return [grant(session, space, id_) for space, id_ in made if id_ in showing.state_of(session, space).deal.grants]


def grant_of(session: Session, space: SpaceId, key: DeviceId) -> str | None:
    """The id of the grant whose key this is, as people see it; None when the deal knows none of it."""
    found = deal_states.load(session.db, finding.space_no(session, space))
    made = found.now.deal.grants.values() if found else ()
    return next((one.public for one in made if one.key == key), None)
