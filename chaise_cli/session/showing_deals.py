"""Deals, milestones and operations as commands answer with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chaise_cli.domain import deal as deals
from chaise_cli.domain import deal_view, terms
from chaise_cli.session import finding, showing
from chaise_cli.store import deal_reads

if TYPE_CHECKING:
    from chaise_cli import shapes
    from chaise_cli.domain.deal_state import DealState
    from chaise_cli.session.finding import Named
    from chaise_cli.session.session import Session
    from chaise_cli.session.showing import Shown


def named(session: Session, what: Named) -> Shown:
    """The shape and the object of a deal, a milestone or an operation."""
    return _op(session, what) if what.kind == "op" else _deal(session, what)


def deal(session: Session, state: DealState) -> dict[str, Any]:
    """The deal object."""
    shape: Any = deal_view.deal_shape(state.deal, showing.look(session), session.fetched)
    post = deal_reads.post(session.db, state.deal.post) if state.deal.post else None
    zone = _due_zone(state, post)
    if zone:
        shape["milestones"] = [{**step, "tz": zone} for step in shape["milestones"]]
    return {**shape, "title": post.title} if post else dict(shape)


def _due_zone(state: DealState, post: deal_reads.Post | None) -> str | None:
    """The zone in which due dates are days: the proposal's, else the post's."""
    return state.deal.proposal.body.tz if state.deal.proposal else post.tz if post else None


def compared(session: Session, state: DealState, paid_reviews: int) -> dict[str, Any]:
    """The deal object with its amounts and dates set against the post, and the reviews of its talent counted."""
    shape = deal(session, state)
    assert state.deal.post, "proposals of a post are compared"
    post = deal_reads.post(session.db, state.deal.post)
    steps = deal_view.milestones_of(state.deal)
    currency = deal_view.currency_of(state.deal)
    total: Any = deal_view.NO_CURRENCY
    over = None
    if steps and currency:
        minor = sum(step.amount for step in steps)
        total = deal_view.money(minor, currency)
        if post and post.currency == currency and post.most is not None and minor > post.most:
            over = deal_view.money(minor - post.most, currency)
    last = max((step.due for step in steps if step.due is not None), default=None)
    late = bool(post and post.deadline is not None and last is not None and last > post.deadline)
    compare: shapes.Comparison = {
        "total": total,
        "over_budget": over,
        "last_due": deal_view.instant(last),
        "after_deadline": late,
        "paid_reviews": paid_reviews,
        "budget": deal_view.money(post.most, post.currency)
        if post and post.currency and post.most is not None
        else None,
    }
    return {**shape, "compare": compare}


def milestone(session: Session, state: DealState, n: int) -> dict[str, Any]:
    """The milestone object. Raises NoSuchMilestone."""
    steps = deal_view.milestones_of(state.deal)  # before the hire, those offered or proposed
    ms = steps[n - 1] if 1 <= n <= len(steps) else deals.milestone(state.deal, n)
    shape: Any = deal_view.milestone_shape(state.deal, ms, session.fetched)
    zone = _due_zone(state, deal_reads.post(session.db, state.deal.post) if state.deal.post else None)
    return {**shape, "tz": zone} if zone else dict(shape)


def terms_of(session: Session, state: DealState) -> dict[str, Any] | None:
    """The terms on the table or signed, with their hash and how they stand; None when there are none."""
    now = state.deal
    current = now.terms or (now.offer.terms if now.offer else None)
    if current is None:
        return None
    person = showing.look(session)
    shape: dict[str, Any] = dict(deal_view.terms_shape(current, person))
    if now.proposal:  # terms name instants; the proposal knows which days were meant
        shape["milestones"] = [{**step, "tz": now.proposal.body.tz} for step in shape["milestones"]]
    state_now = "signed" if now.terms else "offered" if now.state == "offered" else now.state
    by = person(now.offer.by) if now.offer else None
    return {**shape, "hash": terms.digest(current), "state": state_now, "by": by}


def _deal(session: Session, what: Named) -> Shown:
    state = showing.state_of(session, what.space)
    if what.n is None:
        return "deal", deal(session, state)
    return "milestone", milestone(session, state, what.n)


def _op(session: Session, what: Named) -> Shown:
    state = showing.state_of(session, finding.deal_of(session, what))
    shape: Any = deal_view.op_shape(state.deal, state.deal.ops[what.id], showing.look(session))
    return "op", {**shape, "milestone": state.deal.ref(state.deal.ops[what.id].n)}
