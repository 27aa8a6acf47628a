"""The fold of a deal: hiring and money, bookings, reviews. Pure and total; what is not allowed becomes void."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chaise_cli.domain import booking, booking_fold, deal, deal_fold, hiring, review, review_fold
from chaise_cli.domain.light import NamedTuple
from chaise_cli.domain.order import AgentDevice
from chaise_cli.errors import ChaiseError, Refused

if TYPE_CHECKING:
    from chaise_cli.domain.recorded import Recorded
    from chaise_cli.ids import SpaceId


class NotAMember(Refused):
    """Somebody who is not of the deal wrote into it."""

    code = "deal.not_a_member"
    message = "only the client and the talent of a deal act in it"
    hint = "open a deal of your own: chaise message @HANDLE"


class OpenedTwice(Refused):
    """A deal is opened once, by the first sealed event of whoever made its space."""

    code = "deal.opened_twice"
    message = "the deal is open already"
    hint = "chaise show DEAL"


class DealState(NamedTuple):
    """Everything guarded in a deal."""

    deal: deal.Deal
    bookings: booking.Bookings
    reviews: review.Reviews


def opened(space: SpaceId, e: Recorded) -> DealState:
    """The state right after `deal.opened`. Raises Refused."""
    return DealState(hiring.open_deal(space, e), booking.NONE, review.NONE)


def step(state: DealState, e: Recorded) -> DealState:
    """The state after one guarded event. Raises the refusal that makes it void."""
    parties = state.deal.parties
    if e.by not in (parties.client, parties.talent, parties.agent):
        raise NotAMember
    kind = e.body.KIND
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


def _moved(state: DealState, e: Recorded) -> DealState:
    """`taken` only moves the clock; `agent.device` counts where it stands on the agent's line (`e.agent`)."""
    state = state._replace(deal=deal.tick(state.deal, e.clock))
    if not isinstance(e.body, AgentDevice) or not e.agent:
        return state
    parties = state.deal.parties._replace(agent_device=e.body.device)
    return state._replace(deal=state.deal._replace(parties=parties))
