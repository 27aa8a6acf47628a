"""The fold of a deal: hiring and money, bookings, reviews. Pure and total; what is not allowed becomes void."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chaise_cli.domain import (
    booking,
    booking_fold,
    consent,
    deal,
    deal_fold,
    grants,
    hiring,
    order,
    review,
    review_fold,
    revocation,
)
from chaise_cli.domain.deal_state import DealState
from chaise_cli.errors import ChaiseError, Refused

if TYPE_CHECKING:
    from chaise_cli.domain.recorded import Recorded
    from chaise_cli.ids import SpaceId


class NotAMember(Refused):
    """Somebody who is not of the deal wrote into it."""

    code = "deal.not_a_member"
    message = "only the client and the talent of a deal act in it, and the agent that their terms name"
    hint = "open a deal of your own: chaise message @HANDLE"


class OpenedTwice(Refused):
    """A deal is opened once, by the first sealed event of whoever made its space."""

    code = "deal.opened_twice"
    message = "the deal is open already"
    hint = "chaise show DEAL"


def opened(space: SpaceId, e: Recorded) -> DealState:
    """The state right after `deal.opened`. Raises Refused."""
    return DealState(hiring.open_deal(space, e), booking.NONE, review.NONE)


def step(state: DealState, e: Recorded) -> DealState:
    """The state after one guarded event. Raises the refusal that makes it void."""
    parties = state.deal.parties
    if e.by not in (parties.client, parties.talent, parties.agent):
        raise NotAMember
    kind = e.body.KIND
    if kind == revocation.DealDeviceRevoked.KIND:
        return _revoked(state, e, e.body)
    if state.revoked and _is_cut(state, e):
        raise revocation.DeviceRevoked
    if e.grant is not None:
        grant = grants.allow(state.deal, state.revoked, e)  # which names no kind that is not folded by the next line
        return state._replace(deal=grants.charge(state.deal, deal_fold.step(state.deal, e), grant, e))
    if kind in deal_fold.STEPS:
        return state._replace(deal=deal_fold.step(state.deal, e))
    if kind.startswith("booking."):
        return state._replace(bookings=booking_fold.step(state.bookings, parties, e))
    if kind.startswith("review."):
        return state._replace(reviews=review_fold.step(state.reviews, review_fold.facts_of(state.deal), e))
    if kind == "deal.opened":
        raise OpenedTwice
    return _moved(state, e)


def apply(state: DealState, e: Recorded) -> tuple[DealState, str | None]:
    """The state after one guarded event, and why it counted for nothing if it did not."""
    try:
        return step(state, e), None
    except ChaiseError as refusal:
        return state, refusal.code


def _is_cut(state: DealState, e: Recorded) -> bool:
    own = [one for one in state.revoked if one.by == e.by]  # nobody revokes a device of the other side
    if e.grant is not None:  # a revocation may keep devices and never a run
        own = [one._replace(keeps=()) for one in own]
    cut = revocation.limit(e.above or (e.device,), own, e.beside)
    return cut is not None and e.seq > cut


def _revoked(state: DealState, e: Recorded, body: Any) -> DealState:
    """One more device is cut off, unless it was; what the root signed needs no standing of its writer."""
    if body.certificates and _is_cut(state, e):
        raise revocation.DeviceRevoked
    if not revocation.may_say(e.above or (e.device,), body):
        raise revocation.MayNotRevoke
    state = state._replace(deal=deal.tick(state.deal, e.clock))
    return state._replace(revoked=(*state.revoked, revocation.revoked(body)._replace(by=e.by)))


def _moved(state: DealState, e: Recorded) -> DealState:
    """`taken`, `agent.device` and `agent.settled` move the clock; what else they come to, the agent's line tells."""
    moved = deal.tick(state.deal, e.clock)
    return state._replace(deal=consent.apply_consent(moved, e) if e.body.KIND == order.AgentDevice.KIND else moved)
