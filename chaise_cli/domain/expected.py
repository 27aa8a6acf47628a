"""What a deal waits for: who is expected to do what next, by which command. The source of `next:` and the inbox.

`may` says all that is allowed; of that, this picks what moves the deal on.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from chaise_cli.domain.agent import rail_due
from chaise_cli.domain.escrow import free
from chaise_cli.domain.light import NamedTuple
from chaise_cli.ids import public

if TYPE_CHECKING:
    from chaise_cli.domain.booking import Booking
    from chaise_cli.domain.deal import Deal, Milestone
    from chaise_cli.domain.deal_state import DealState
    from chaise_cli.domain.recorded import Parties
    from chaise_cli.ids import IdentityId


class Expected(NamedTuple):
    """One thing that is waited for. `until` is ms since 1970, UTC, or None when there is no hurry."""

    who: str  # client, talent or agent
    kind: str  # one of KINDS
    of: str  # the id, as people type it, of what it is about
    command: str
    until: int | None = None


KINDS: Final = (
    *(
        "contested",
        "consent",
        "terms",
        "cancel",
        "delivery",
        "call",
        "call_lapsed",
        "call_lost",
        "call_outcome",
        "proposal",
        "shortlisted",
    ),
    *("invitation", "changes", "funded", "planned", "hold", "payout", "review", "talk"),
)
"""What may be expected, the most pressing first."""

# Every act tells the next steps; most deals have no agreed call and are not closed, and load no rules of either.
_CALLS: Final = "chaise_cli.domain.booking_fold"
_CALL_VIEW: Final = "chaise_cli.domain.booking_view"
_REVIEWS: Final = "chaise_cli.domain.review_fold"
_REVIEW_ACTS: Final = "chaise_cli.domain.review_acts"

_DEAL: Final = {  # state → who, kind, command
    "talking": ("talent", "talk", "chaise propose {deal} --price AMOUNT"),
    "invited": ("talent", "invitation", "chaise propose {deal} --price AMOUNT"),
    "proposed": ("client", "proposal", "chaise shortlist {deal}"),
    "shortlisted": ("client", "shortlisted", "chaise hire {deal}"),
}
_MILESTONE: Final = {
    "funded": ("talent", "funded", "chaise deliver {milestone} --note TEXT"),
    "delivered": ("client", "delivery", "chaise release {milestone}"),
    "changes": ("talent", "changes", "chaise deliver {milestone} --note TEXT"),
}


def of(state: DealState, now: int) -> list[Expected]:
    """All that the deal waits for, the most pressing first."""
    if state.deal.contested:
        shown = state.deal.public
        return [Expected(who, "contested", shown, f"chaise agent settle {shown}") for who in ("client", "talent")]
    found = [*of_deal(state.deal), *of_reviews(state)]
    found += [one for booking in state.bookings.by_id.values() for one in of_booking(booking, state.deal.parties, now)]
    return sorted(found, key=lambda one: KINDS.index(one.kind))


def of_deal(deal: Deal) -> list[Expected]:
    """What hiring, work and money wait for."""
    if deal.awaits_agent:
        return [Expected("agent", "consent", deal.public, f"chaise accept {deal.public}")]
    if deal.terms is not None:
        return list(_of_work(deal))
    if deal.state == "offered" and deal.offer:
        side = side_of(deal.parties, deal.parties.other(deal.offer.by))
        return [Expected(side, "terms", deal.public, f"chaise accept {deal.public}")]
    if deal.state not in _DEAL or (deal.state == "talking" and deal.post is None):
        return []
    who, kind, command = _DEAL[deal.state]
    return [Expected(who, kind, deal.public, command.format(deal=deal.public))]


def _of_work(deal: Deal) -> Iterator[Expected]:
    for ms in deal.milestones:
        yield from of_milestone(deal, ms)
    for item in rail_due(deal):
        by_hand = deal.agreed.rail == "manual"
        command = f"chaise rail attest {public('op', item.op)} --ref TEXT" if by_hand else "chaise agent run"
        yield Expected("agent", "hold" if item.kind == "fund" else "payout", deal.ref(item.n), command)
    planned = next((ms for ms in deal.milestones if ms.state == "planned"), None)
    if planned and not any(ms.state in {"funding", *_MILESTONE} for ms in deal.milestones):
        yield Expected("client", "planned", deal.ref(planned.n), f"chaise fund {deal.ref(planned.n)}")


def of_milestone(deal: Deal, ms: Milestone) -> list[Expected]:
    """What one milestone waits for from its two sides; its first funding is not pressed."""
    shown = deal.ref(ms.n)
    if ms.cancel is not None and not ms.cancelled:
        side = side_of(deal.parties, deal.parties.other(ms.cancel.by))
        return [Expected(side, "cancel", shown, f"chaise accept {shown}", ms.cancel.lapses_at)]
    if ms.state not in _MILESTONE or (ms.state == "delivered" and free(deal, ms) == 0):  # else all of it is on its way
        return []
    who, kind, command = _MILESTONE[ms.state]
    until = ms.review_deadline if ms.state == "delivered" else None
    return [Expected(who, kind, shown, command.format(milestone=shown), until)]


def of_booking(booking: Booking, parties: Parties, now: int) -> list[Expected]:
    """What one call waits for at `now`."""
    shown, offer = public("book", booking.id), booking.open
    if offer and now < offer.until:
        side = side_of(parties, parties.other(offer.by))
        return [Expected(side, "call", shown, f"chaise accept {shown}", offer.until)]
    if offer and booking.state == "proposed":
        return [Expected(side_of(parties, offer.by), "call_lapsed", shown, f"chaise book {shown} --at TIME")]
    if booking.state == "conflicted":
        return [Expected(side, "call_lost", shown, f"chaise book {shown} --at TIME") for side in ("talent", "client")]
    rules: Any = import_module(_CALLS)
    if import_module(_CALL_VIEW).probably_met(booking, now):
        sides = [who for who in (parties.client, parties.talent) if rules.said(booking, who) is None]
        return [Expected(side_of(parties, who), "call_outcome", shown, f"chaise book {shown} --met") for who in sides]
    return []


def of_reviews(state: DealState) -> list[Expected]:
    """Reviews that may still be written, once the deal is closed."""
    deal = state.deal
    if deal.state != "closed":
        return []
    rows = import_module(_REVIEW_ACTS).may(state.reviews, import_module(_REVIEWS).facts_of(deal), deal.clock)
    command = f"chaise review {deal.public} --stars N"
    return [Expected(row.who, "review", deal.public, command, row.until) for row in rows]


def side_of(parties: Parties, who: IdentityId) -> str:
    """Which side somebody is: client or talent."""
    return "client" if who == parties.client else "talent"
