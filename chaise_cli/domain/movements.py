"""What the agent device records: money held, released, refunded, paid out, clawed back, or an authorisation refused.

Each movement names the one before it, carries the very amounts that follow from the state, and makes one
journal entry. docs/spec/money.md, rows 2, 3, 7, 7b, 9, 10, 14 and Postings.
"""

from __future__ import annotations

from typing import ClassVar, Final

from chaise_cli.domain import journal
from chaise_cli.domain.body import body
from chaise_cli.domain.deal import Deal, Milestone, Op, milestone, put
from chaise_cli.domain.escrow import Ask, free
from chaise_cli.domain.money import Money, fee_step
from chaise_cli.domain.recorded import Recorded
from chaise_cli.domain.shape import Event, Identity, Line, Minor
from chaise_cli.domain.terms import Number
from chaise_cli.domain.transitions import NotYours, permit
from chaise_cli.errors import Refused
from chaise_cli.ids import EventId

AGENT: Final = frozenset({"agent"})


class OtherBefore(Refused):
    """The movement does not follow the last one: its writer knew another book."""

    code = "movement.other_before"
    message = "another movement of {deal} was recorded before this one"
    hint = "the agent device has to sync and decide again"
    deal: str


class NotAsked(Refused):
    """No open authorisation of that kind asks for this movement now."""

    code = "movement.not_asked"
    message = "nothing that is still open in {deal} asks for this movement"
    hint = "authorisations move once, one after the other: chaise show {deal}"
    deal: str


class OtherAmount(Refused):
    """The movement carries other amounts than its authorisation comes to."""

    code = "movement.other_amount"
    message = "{milestone}: {amount} and a fee of {fee} were to move, not what the agent recorded"
    hint = "the agent's software is broken or hostile; nothing of this movement counts"
    milestone: str
    amount: Money
    fee: Money


class NotDue(Refused):
    """The deadline that this movement rests on has not passed."""

    code = "movement.not_due"
    message = "the deadline of {milestone} has not passed at the agent's clock"
    hint = "see when it does: chaise show {milestone}"
    milestone: str


class OverPaid(Refused):
    """More was paid out than is owed, or nothing, or without saying how."""

    code = "movement.over_paid"
    message = "{milestone} owes {payable} to that party; a payout names its reference and no more than that"
    hint = "see what is due: chaise rail due"
    milestone: str
    payable: Money


class OverReversed(Refused):
    """More was clawed back than ever came in, or nothing, or what stands in the book already."""

    code = "movement.over_reversed"
    message = "{milestone}: at most {left} can still be clawed back, each time under a reference of its own"
    hint = "compare the book with the rail's statement: chaise rail reconcile"
    milestone: str
    left: Money


@body
class MoneyHeld:
    """The rail confirmed the client's money. `fee`: the client's, on top. `cost`: what the rail took for it."""

    KIND: ClassVar[str] = "money.held"
    op: Event
    milestone: Number
    amount: Minor
    fee: Minor
    cost: Minor
    prev: Event
    ref: Line


@body
class MoneyRefused:
    """An authorisation comes to nothing."""

    KIND: ClassVar[str] = "money.refused"
    op: Event
    reason: Line
    prev: Event


@body
class MoneyReleased:
    """Held money is now owed to the talent. `fee`: the talent's, withheld. Without `op` a deadline did it."""

    KIND: ClassVar[str] = "money.released"
    op: Event | None
    milestone: Number
    amount: Minor
    fee: Minor
    prev: Event


@body
class MoneyRefunded:
    """Held money is now owed to the client. `fee`: of the client's, given back."""

    KIND: ClassVar[str] = "money.refunded"
    op: Event
    milestone: Number
    amount: Minor
    fee: Minor
    prev: Event


@body
class MoneyPaidOut:
    """The rail paid what was owed to a party. `cost`: what it took for it besides."""

    KIND: ClassVar[str] = "money.paid_out"
    milestone: Number
    to: Identity
    amount: Minor
    cost: Minor
    prev: Event
    ref: Line


@body
class MoneyReversed:
    """The rail clawed back what the client had paid in; the client owes it to the agent from now on."""

    KIND: ClassVar[str] = "money.reversed"
    milestone: Number
    amount: Minor
    cost: Minor
    prev: Event
    ref: Line


def talent_fee(deal: Deal, ms: Milestone, amount: int) -> int:
    """What is withheld of the next `amount` released: the step of the fee on all that is released."""
    return _step(deal, ms.released, ms.released + amount, deal.agreed.talent_fee)


def client_fee(deal: Deal, ms: Milestone, amount: int) -> int:
    """What the client pays on top of the next `amount` held, or (negative amount) gets back with a refund.

    The step of the fee on what is funded and not refunded; so what has been collected, earned and given back
    always adds up, in whatever parts.
    """
    net = ms.funded - ms.refunded
    return _step(deal, net, net + amount, deal.agreed.client_fee)


def _step(deal: Deal, before: int, after: int, points: int) -> int:
    currency = deal.agreed.currency
    return fee_step(Money(before, currency), Money(after, currency), points).minor


def first_open(deal: Deal, ms: Milestone, kind: str) -> Op | None:
    """The operation whose turn it is."""
    return deal.ops[ms.open[kind][0]] if ms.open[kind] else None


def due(ms: Milestone, op: Op) -> int:
    """What this operation moves when its turn comes; 0 when others have reached its end."""
    return Ask(op.end, op.step, op.most).needs(ms.moved(op.kind))


def apply_held(deal: Deal, e: Recorded, body: MoneyHeld) -> Deal:
    """The rail has confirmed money for a milestone."""
    op, ms = _turn(deal, e, body.op, "fund", body.milestone)
    permit(body.KIND, ms.state, AGENT, deal.ref(ms.n))
    fee = client_fee(deal, ms, due(ms, op))
    _exactly(deal, ms, (body.amount, body.fee), (due(ms, op), fee))
    ms = ms._replace(
        funded=ms.funded + body.amount,
        held=ms.held + body.amount,
        fees_held=ms.fees_held + fee,
        holds={**ms.holds, e.id: ms.funded + body.amount},
        last_hold=e.id,
    )
    entry = journal.hold(book(deal, ms), e.id, e.at, body.ref, body.amount, fee, body.cost)
    op = op._replace(moved=body.amount, mark=ms.funded, ref=body.ref)
    return _moved(deal, _close(ms, op), e, entry, op)


def apply_refused(deal: Deal, e: Recorded, body: MoneyRefused) -> Deal:
    """An open fund request, or one whose end others have reached, comes to nothing."""
    op, ms = _turn(deal, e, body.op, "fund", None)
    permit(body.KIND, ms.state, AGENT, deal.ref(ms.n))
    ops = {**deal.ops, op.id: op._replace(declined=body.reason)}
    return put(deal._replace(ops=ops, last_movement=e.id), _close(ms, op), e)


def apply_released(deal: Deal, e: Recorded, body: MoneyReleased) -> Deal:
    """Held money is the talent's: as authorised, or because the review period passed in silence."""
    if body.op is None:
        op, ms = _by_deadline(deal, e, body.milestone)
    else:
        op, ms = _turn(deal, e, body.op, "release", body.milestone)
        permit(body.KIND, ms.state, AGENT, deal.ref(ms.n))
    amount = due(ms, op)
    withheld = talent_fee(deal, ms, amount)
    _exactly(deal, ms, (body.amount, body.fee), (amount, withheld))
    earned = _step(deal, ms.released, ms.released + amount, deal.agreed.client_fee)
    ms = ms._replace(
        released=ms.released + amount,
        held=ms.held - amount,
        fees_held=ms.fees_held - earned,
        talent_credit=ms.talent_credit + amount - withheld,
    )
    entry = journal.release(book(deal, ms), e.id, e.at, deal.parties.talent, amount, withheld, earned)
    return _moved(deal, _close(ms, op), e, entry, op._replace(moved=amount, mark=ms.talent_credit))


def apply_refunded(deal: Deal, e: Recorded, body: MoneyRefunded) -> Deal:
    """Held money is the client's again: as authorised, as both agreed, or because a cancel request went unanswered."""
    ms = milestone(deal, body.milestone)
    if ms.cancel and ms.cancel.id == body.op:
        op, ms = _by_silence(deal, e, ms)
    else:
        op, ms = _turn(deal, e, body.op, "refund", body.milestone)
        permit(body.KIND, ms.state, AGENT, deal.ref(ms.n))
    amount = due(ms, op)
    fee = -client_fee(deal, ms, -amount)
    _exactly(deal, ms, (body.amount, body.fee), (amount, fee))
    ms = ms._replace(
        refunded=ms.refunded + amount,
        held=ms.held - amount,
        fees_held=ms.fees_held - fee,
        client_credit=ms.client_credit + amount + fee,
    )
    entry = journal.refund(book(deal, ms), e.id, e.at, deal.parties.client, amount, fee)
    return _moved(deal, _close(ms, op), e, entry, op._replace(moved=amount, mark=ms.client_credit))


def apply_paid_out(deal: Deal, e: Recorded, body: MoneyPaidOut) -> Deal:
    """The rail has paid what was owed; the operations that are covered by it have moved."""
    ms = milestone(deal, body.milestone)
    _agent_only(deal, e)
    permit(body.KIND, ms.state, AGENT, deal.ref(ms.n))
    kind, owed = _owed(deal, ms, body.to)
    if not 0 < body.amount <= owed or not body.ref.strip():
        raise OverPaid(milestone=deal.ref(ms.n), payable=Money(owed, deal.agreed.currency))
    paid = (ms.talent_paid if kind == "release" else ms.client_paid) + body.amount
    ms = ms._replace(talent_paid=paid) if kind == "release" else ms._replace(client_paid=paid)
    covered = [
        op._replace(ref=body.ref)
        for op in deal.ops.values()
        if op.n == ms.n and op.kind == kind and op.moved and paid - body.amount < op.mark <= paid
    ]
    entry = journal.payout(book(deal, ms), e.id, e.at, body.ref, body.to, body.amount, body.cost)
    return _moved(deal, ms, e, entry, *covered)


def apply_reversed(deal: Deal, e: Recorded, body: MoneyReversed) -> Deal:
    """The rail has clawed money back, wherever it is by now; what was held, released and owed stays as it was."""
    ms = milestone(deal, body.milestone)
    _agent_only(deal, e)
    permit(body.KIND, ms.state, AGENT, deal.ref(ms.n))
    left = paid_in(deal, ms) - ms.reversed
    if not 0 < body.amount <= left or not body.ref.strip() or body.ref in ms.reversals:
        raise OverReversed(milestone=deal.ref(ms.n), left=Money(left, deal.agreed.currency))
    ms = ms._replace(reversed=ms.reversed + body.amount, reversals=(*ms.reversals, body.ref))
    entry = journal.reversal(book(deal, ms), e.id, e.at, body.ref, deal.parties.client, body.amount, body.cost)
    return _moved(deal, ms, e, entry)


def paid_in(deal: Deal, ms: Milestone) -> int:
    """What the client has ever paid in for a milestone, the fees on it included."""
    earned = fee_step(Money(0, deal.agreed.currency), Money(ms.released, deal.agreed.currency), deal.agreed.client_fee)
    return ms.funded - ms.refunded + ms.client_credit + ms.fees_held + earned.minor


def _owed(deal: Deal, ms: Milestone, to: str) -> tuple[str, int]:
    """Which kind of operation made the debt to this party, and how much of it is left."""
    if to == deal.parties.talent:
        return "release", ms.talent_credit - ms.talent_paid
    return "refund", ms.client_credit - ms.client_paid if to == deal.parties.client else 0


def _turn(deal: Deal, e: Recorded, op_id: EventId, kind: str, n: int | None) -> tuple[Op, Milestone]:
    """The named operation, whose turn it must be. Raises NotYours, OtherBefore, NotAsked."""
    _agent_only(deal, e)
    op = deal.ops.get(op_id)
    if op is None or op.kind != kind or n not in {None, op.n}:
        raise NotAsked(deal=deal.public)
    ms = milestone(deal, op.n)
    if first_open(deal, ms, kind) != op:
        raise NotAsked(deal=deal.ref(op.n))
    return op, ms


def _agent_only(deal: Deal, e: Recorded) -> None:
    body = e.body
    assert isinstance(body, MoneyHeld | MoneyRefused | MoneyReleased | MoneyRefunded | MoneyPaidOut | MoneyReversed)
    if not e.agent:
        raise NotYours(act=body.KIND, of=deal.public, owner="the agent's device")
    if body.prev != deal.last_movement:
        raise OtherBefore(deal=deal.public)


def _by_deadline(deal: Deal, e: Recorded, n: int) -> tuple[Op, Milestone]:
    _agent_only(deal, e)
    ms = milestone(deal, n)
    permit(MoneyReleased.KIND, ms.state, AGENT, deal.ref(n), "deadline")
    if ms.review_deadline is None or e.clock < ms.review_deadline:
        raise NotDue(milestone=deal.ref(n))
    return _at_once(deal, e.id, e, ms, "release")


def _by_silence(deal: Deal, e: Recorded, ms: Milestone) -> tuple[Op, Milestone]:
    _agent_only(deal, e)
    permit(MoneyRefunded.KIND, ms.state, AGENT, deal.ref(ms.n), "silence")
    request = ms.cancel
    if request is None or request.lapses_at is None or e.clock < request.lapses_at:
        raise NotDue(milestone=deal.ref(ms.n))
    return _at_once(deal, request.id, e, ms._replace(cancelled=True, cancel=None), "refund")


def _at_once(deal: Deal, op_id: EventId, e: Recorded, ms: Milestone, kind: str) -> tuple[Op, Milestone]:
    """An operation for all that is free, whose movement is its own authorisation.

    Open ones come first: by their ends they would otherwise take this one's amount for their own.
    """
    left = free(deal, ms)
    if left == 0 or ms.open[kind]:
        raise NotAsked(deal=deal.ref(ms.n))
    return Op(op_id, kind, ms.n, e.by, e.at, e.final, None, end=None, step=left), ms


def _exactly(deal: Deal, ms: Milestone, given: tuple[int, int], wanted: tuple[int, int]) -> None:
    if given != wanted or wanted[0] == 0:
        currency = deal.agreed.currency
        raise OtherAmount(milestone=deal.ref(ms.n), amount=Money(wanted[0], currency), fee=Money(wanted[1], currency))


def book(deal: Deal, ms: Milestone) -> journal.Book:
    """Where this milestone's money is booked."""
    return journal.Book(deal.agreed.rail, deal.ref(ms.n), deal.agreed.currency)


def _moved(deal: Deal, ms: Milestone, e: Recorded, entry: journal.JournalEntry, *ops: Op) -> Deal:
    """The deal after money has moved: its milestone and the operations as that left them, and the journal entry."""
    changed: dict[str, Op] = {op.id: op for op in ops}
    deal = deal._replace(ops={**deal.ops, **changed}, entries=(*deal.entries, entry), last_movement=e.id)
    return _sound(put(deal, ms, e), ms)


def _close(ms: Milestone, op: Op) -> Milestone:
    return ms._replace(open={**ms.open, op.kind: tuple(other for other in ms.open[op.kind] if other != op.id)})


def _sound(deal: Deal, ms: Milestone) -> Deal:
    """The deal, after asserting what must hold of its money whatever happened."""
    assert ms.held + ms.disputed == ms.funded - ms.released - ms.refunded, f"money appeared or vanished: {ms}"
    assert min(ms.held, ms.disputed, ms.fees_held) >= 0, f"a liability below zero: {ms}"
    assert ms.talent_paid <= ms.talent_credit, f"the talent was paid too much: {ms}"
    assert ms.client_paid <= ms.client_credit, f"the client was paid too much: {ms}"
    assert ms.funded <= ms.amount, f"more funded than agreed: {ms}"
    net = Money(ms.funded - ms.refunded, deal.agreed.currency)
    earned = Money(ms.released, deal.agreed.currency)
    assert ms.fees_held == fee_step(earned, net, deal.agreed.client_fee).minor, f"the client's fee drifted: {ms}"
    assert ms.reversed <= paid_in(deal, ms), f"more clawed back than came in: {ms}"
    assert free(deal, ms) >= 0, f"more authorised than held: {ms}"
    return deal
