"""What the agent device has to do: turn what was taken up into movements, run deadlines, attest what people moved.

All of it is decided from the state alone, so the agent may be stopped at any instant and started twice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final

from chaise_cli.domain.deal import Deal, Milestone, Op, checked
from chaise_cli.domain.light import NamedTuple
from chaise_cli.domain.movements import (
    MoneyHeld,
    MoneyPaidOut,
    MoneyRefunded,
    MoneyRefused,
    MoneyReleased,
    MoneyReversed,
    apply_reversed,
    client_fee,
    due,
    first_open,
    talent_fee,
)
from chaise_cli.domain.recorded import By
from chaise_cli.domain.shape import Body
from chaise_cli.domain.terms import DAY_MS
from chaise_cli.domain.transitions import NotYours
from chaise_cli.errors import NotFound, Refused
from chaise_cli.ids import EventId, IdentityId, public

AWAY_LEAST_MS: Final = 3_600_000  # a shorter gap between two full syncs is no absence
GRACE_MS: Final = DAY_MS


class NoSuchOp(NotFound):
    """The deal knows no such operation."""

    code = "op.unknown"
    message = "there is no operation {op} in {deal}"
    hint = "list what has to be moved: chaise rail due"
    op: str
    deal: str


class NothingDue(Refused):
    """Nobody has to move anything for this operation, or not yet."""

    code = "rail.nothing_due"
    message = "{op} waits for no payment: it is {state}"
    hint = "list what has to be moved: chaise rail due"
    op: str
    state: str


class NoReference(Refused):
    """An attestation says how the money moved."""

    code = "rail.no_reference"
    message = "say by which reference the money moved"
    hint = 'chaise rail attest {op} --ref "transfer 4711"'
    op: str


class Away(NamedTuple):
    """The agent's absence: ms of the last full sync before it, and of the first one after it."""

    since: int
    back: int

    def covers(self, deadline: int) -> bool:
        """Whether nobody could have been heard before the deadline."""
        return self.since < deadline <= self.back and self.back - self.since > AWAY_LEAST_MS


class Due(NamedTuple):
    """What a person has still to move: into escrow (`kind` fund, from the client) or out to a party. Minor units."""

    op: EventId
    n: int
    kind: str
    amount: int
    to: IdentityId


def op_state(deal: Deal, op: Op) -> str:
    """authorized, released (owed by the agent), moved (the rail has confirmed) or declined."""
    op = root(deal, op)
    if op.declined is not None:
        return "declined"
    if not op.moved:
        return "authorized"
    if op.kind == "fund":
        return "moved"
    ms = deal.milestones[op.n - 1]
    return "moved" if op.mark <= _paid(ms, op.kind) else "released"


def root(deal: Deal, op: Op) -> Op:
    """The operation that `op` repeats, or `op`."""
    while op.of is not None:
        op = deal.ops[op.of]
    return op


def run_at(deadline: int, away: Away | None) -> int:
    """When a deadline is run: on time, or a day after the agent is back from an absence across it."""
    return away.back + GRACE_MS if away and away.covers(deadline) else deadline


def agent_duties(
    deal: Deal, by: By, away: Away | None = None, at_rail: Collection[EventId] = frozenset()
) -> list[Body]:
    """The next movement that the rail need not confirm, or nothing; ask again after it was recorded.

    One at a time, since each names the one before it. Only what was taken up counts, and deadlines run only on
    milestones of which nothing waits to be taken up; the caller has synced all the deal's places before.
    at_rail: operations to hold that a rail may have carried out; they are refused only once that is settled.
    Raises NotYours off the agent device.
    """
    _agent_only(deal, by, "movements")
    return next(([body] for ms in deal.milestones if (body := duty(deal, ms, by, away, at_rail))), [])


def duty(deal: Deal, ms: Milestone, by: By, away: Away | None, at_rail: Collection[EventId]) -> Body | None:
    """As `agent_duties`, of one milestone alone; the caller has seen to it that `by` is the agent device."""
    return _asked(deal, ms) or _hopeless(deal, ms, at_rail) or _lapsed(deal, ms, by.now, away)


def _asked(deal: Deal, ms: Milestone) -> Body | None:
    op = first_open(deal, ms, "release")
    if op and op.final:
        return _release(deal, ms, op.id, due(ms, op))
    op = first_open(deal, ms, "refund")
    if op and op.final:
        return _refund(deal, ms, op.id, due(ms, op))
    return None


def _hopeless(deal: Deal, ms: Milestone, at_rail: Collection[EventId]) -> Body | None:
    op = first_open(deal, ms, "fund")
    if op and op.final and op.id not in at_rail and ms.state in {"cancelled", "refunded"}:
        return MoneyRefused(op.id, f"the milestone is {ms.state}", deal.last_movement)
    return None


def _lapsed(deal: Deal, ms: Milestone, now: int, away: Away | None) -> Body | None:
    if not ms.final or ms.held == 0 or ms.open["release"] or ms.open["refund"]:
        return None  # else nothing of what is held is reserved
    if ms.state == "delivered" and ms.review_deadline is not None and now >= run_at(ms.review_deadline, away):
        return _release(deal, ms, None, ms.held)
    request = ms.cancel
    if ms.state == "funded" and request and request.lapses_at is not None and now >= run_at(request.lapses_at, away):
        return _refund(deal, ms, request.id, ms.held)
    return None


def _release(deal: Deal, ms: Milestone, op: EventId | None, amount: int) -> Body:
    return MoneyReleased(op, ms.n, amount, talent_fee(deal, ms, amount), deal.last_movement)


def _refund(deal: Deal, ms: Milestone, op: EventId, amount: int) -> Body:
    return MoneyRefunded(op, ms.n, amount, -client_fee(deal, ms, -amount), deal.last_movement)


def rail_due(deal: Deal) -> list[Due]:
    """What a person must still move: money into escrow, client's fee included, and payouts, oldest first."""
    return list(dues(deal))


def dues(deal: Deal) -> Iterator[Due]:
    """As `rail_due`, each worked out when it is asked for."""
    for ms in deal.milestones:
        if (hold := _to_hold(deal, ms)) is not None:
            yield hold
        yield from _to_pay(deal, ms, "release")
        yield from _to_pay(deal, ms, "refund")


def open_holds(deal: Deal) -> list[Due]:
    """What each milestone's next fund request is about, of those that have ended too; what was not taken up is left."""
    return [item for ms in deal.milestones if (item := _next_hold(deal, ms)) and deal.ops[item.op].final]


def _to_hold(deal: Deal, ms: Milestone) -> Due | None:
    return None if ms.state in {"cancelled", "refunded"} else _next_hold(deal, ms)


def _next_hold(deal: Deal, ms: Milestone) -> Due | None:
    op = first_open(deal, ms, "fund")
    if op is None:
        return None
    amount = due(ms, op)
    return Due(op.id, ms.n, "fund", amount + client_fee(deal, ms, amount), deal.parties.agent)


def _to_pay(deal: Deal, ms: Milestone, kind: str) -> list[Due]:
    to = deal.parties.talent if kind == "release" else deal.parties.client
    paid = _paid(ms, kind)
    found = []
    for op in sorted(_owing(deal, ms, kind), key=lambda op: op.mark):
        found.append(Due(op.id, ms.n, kind, op.mark - paid, to))
        paid = op.mark
    return found


def _owing(deal: Deal, ms: Milestone, kind: str) -> list[Op]:
    paid = _paid(ms, kind)
    if paid == (ms.talent_credit if kind == "release" else ms.client_credit):  # which no mark is above
        return []
    return [op for op in deal.ops.values() if (op.n, op.kind) == (ms.n, kind) and op.moved and op.mark > paid]


def _paid(ms: Milestone, kind: str) -> int:
    return ms.talent_paid if kind == "release" else ms.client_paid


def attest(deal: Deal, by: By, op_id: EventId, ref: str, cost: int = 0) -> list[Body]:
    """That the money of an operation has moved; nothing when that was recorded. cost: what the rail took for it.

    A payout covers everything owed to that party for the milestone up to this operation.
    Raises NoSuchOp, NotYours off the agent device, NothingDue, NoReference.
    """
    op, name = _op(deal, by, op_id)
    ms = deal.milestones[op.n - 1]
    state = op_state(deal, op)
    if state == "moved":
        return []
    if not ref.strip():
        raise NoReference(op=name)
    if op.kind != "fund" and state == "released":
        to = deal.parties.talent if op.kind == "release" else deal.parties.client
        return [MoneyPaidOut(ms.n, to, op.mark - _paid(ms, op.kind), cost, deal.last_movement, ref)]
    if (
        op.kind == "fund"
        and op.final
        and first_open(deal, ms, "fund") == op
        and ms.state not in {"cancelled", "refunded"}
    ):
        amount = due(ms, op)
        return [MoneyHeld(op.id, ms.n, amount, client_fee(deal, ms, amount), cost, deal.last_movement, ref)]
    raise NothingDue(op=name, state=state)


def reverse(deal: Deal, by: By, op_id: EventId, amount: int, cost: int, ref: str) -> list[Body]:
    """That the rail clawed back so much of the hold of an operation; nothing when that is recorded under `ref`.

    Raises NoSuchOp, NotYours off the agent device, OverReversed.
    """
    op, _ = _op(deal, by, op_id)
    if ref in deal.milestones[op.n - 1].reversals:
        return []
    return checked(deal, by, apply_reversed, MoneyReversed(op.n, amount, cost, deal.last_movement, ref))


def refuse(deal: Deal, by: By, op_id: EventId, reason: str) -> list[Body]:
    """That the rail declined to hold the client's money, or that it never came; nothing when that was recorded.

    Raises NoSuchOp, NotYours off the agent device, NothingDue.
    """
    op, name = _op(deal, by, op_id)
    state = op_state(deal, op)
    if state == "declined":
        return []
    if op.kind != "fund" or not op.final or first_open(deal, deal.milestones[op.n - 1], "fund") != op:
        raise NothingDue(op=name, state=state)
    return [MoneyRefused(op.id, reason, deal.last_movement)]


def _op(deal: Deal, by: By, op_id: EventId) -> tuple[Op, str]:
    name = public("op", op_id)
    if op_id not in deal.ops:
        raise NoSuchOp(op=name, deal=deal.public)
    _agent_only(deal, by, "rail attest")
    return root(deal, deal.ops[op_id]), name


def _agent_only(deal: Deal, by: By, act: str) -> None:
    if not by.agent:
        raise NotYours(act=act, of=deal.public, owner="the agent's device")
