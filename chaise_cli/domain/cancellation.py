"""Ending a milestone before anything was delivered. docs/spec/money.md, row 11."""

from __future__ import annotations

from typing import ClassVar

from chaise_cli.domain.body import body
from chaise_cli.domain.deal import CancelRequest, Deal, Milestone, Op, checked, milestone, put
from chaise_cli.domain.escrow import free
from chaise_cli.domain.recorded import By, Recorded
from chaise_cli.domain.shape import Body, Event, Prose
from chaise_cli.domain.terms import Number
from chaise_cli.domain.transitions import permit, roles
from chaise_cli.errors import Refused


class CancelPending(Refused):
    """A request to cancel awaits its answer already."""

    code = "cancel.pending"
    message = "{milestone} has a request to cancel it that awaits its answer"
    hint = "the other side: chaise accept {milestone}, or chaise decline {milestone}"
    milestone: str


class NoCancelRequest(Refused):
    """No such request awaits an answer."""

    code = "cancel.none_pending"
    message = "no such request to cancel {milestone} awaits an answer"
    hint = "ask for it: chaise cancel {milestone}"
    milestone: str


@body
class CancelRequested:
    """One side wants a milestone to end."""

    KIND: ClassVar[str] = "cancel.requested"
    milestone: Number
    reason: Prose


@body
class CancelAccepted:
    """The other side agrees; what is held goes back to the client."""

    KIND: ClassVar[str] = "cancel.accepted"
    request: Event


@body
class CancelDeclined:
    """The other side wants to go on."""

    KIND: ClassVar[str] = "cancel.declined"
    request: Event


@body
class CancelWithdrawn:
    """Who asked wants to go on after all."""

    KIND: ClassVar[str] = "cancel.withdrawn"
    request: Event


Answer = CancelAccepted | CancelDeclined | CancelWithdrawn


def apply_requested(deal: Deal, e: Recorded, body: CancelRequested) -> Deal:
    """One side asked to end a milestone; one without money ends at once, for nothing is taken from anybody."""
    ms = milestone(deal, body.milestone)
    permit(body.KIND, ms.state, roles(deal.parties, e.by), deal.ref(ms.n))
    if ms.cancel is not None:
        raise CancelPending(milestone=deal.ref(ms.n))
    if ms.held == 0:
        return put(deal, ms._replace(cancelled=True), e)
    lapses_at = e.clock + deal.agreed.cancel_ms if e.final else None  # a deadline begins with its uptake
    return put(deal, ms._replace(cancel=CancelRequest(e.id, e.by, body.reason, lapses_at)), e)


def apply_answer(deal: Deal, e: Recorded, body: Answer) -> Deal:
    """The request was accepted, declined or withdrawn. Accepted: what is not on its way elsewhere is to be refunded."""
    ms = next((ms for ms in deal.milestones if ms.cancel and ms.cancel.id == body.request), None)
    if ms is None or ms.cancel is None:
        raise NoCancelRequest(milestone=deal.public)
    permit(body.KIND, ms.state, roles(deal.parties, e.by, ms.cancel.by), deal.ref(ms.n))
    if not isinstance(body, CancelAccepted):
        return put(deal, ms._replace(cancel=None), e)
    left = free(deal, ms)
    ms = ms._replace(cancelled=True, cancel=None)
    if left == 0:
        return put(deal, ms, e)
    op = Op(e.id, "refund", ms.n, e.by, e.at, e.final, None, end=None, step=left)
    ms = ms._replace(open={**ms.open, "refund": (*ms.open["refund"], e.id)})
    return put(deal._replace(ops={**deal.ops, e.id: op}), ms, e)


def cancel(deal: Deal, by: By, n: int, reason: str = "") -> list[Body]:
    """End milestone `n`, or ask the other side to; nothing when that was done.

    Raises NotYours, WrongState (something was delivered), CancelPending (the other side asks: answer it).
    """
    ms = milestone(deal, n)
    if (ms.cancelled or (ms.cancel and ms.cancel.by == by.identity)) and by.identity in deal.parties[:2]:
        return []
    return checked(deal, by, apply_requested, CancelRequested(n, reason))


def accept_cancel(deal: Deal, by: By, n: int) -> list[Body]:
    """Agree to the other side's request; nothing when the milestone is cancelled. Raises NoCancelRequest, NotYours."""
    ms = milestone(deal, n)
    if ms.cancelled and by.identity in deal.parties[:2]:
        return []
    return checked(deal, by, apply_answer, CancelAccepted(_pending(deal, ms).id))


def decline_cancel(deal: Deal, by: By, n: int) -> list[Body]:
    """Refuse the other side's request. Raises NoCancelRequest, NotYours."""
    return checked(deal, by, apply_answer, CancelDeclined(_pending(deal, milestone(deal, n)).id))


def withdraw_cancel(deal: Deal, by: By, n: int) -> list[Body]:
    """Take one's own request back. Raises NoCancelRequest, NotYours."""
    return checked(deal, by, apply_answer, CancelWithdrawn(_pending(deal, milestone(deal, n)).id))


def _pending(deal: Deal, ms: Milestone) -> CancelRequest:
    if ms.cancel is None:
        raise NoCancelRequest(milestone=deal.ref(ms.n))
    return ms.cancel
