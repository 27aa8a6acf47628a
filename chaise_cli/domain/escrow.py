"""Asking for money to be held, released and refunded. An authorisation moves nothing: `movements` does.

An authorisation names an end (a total, or all that was held when its writer looked) or, with a request id,
another step. What it would still move is reserved in the order of uptake. docs/spec/money.md.
"""

from __future__ import annotations

from typing import ClassVar, Final

from chaise_cli.domain.body import body
from chaise_cli.domain.deal import Deal, Milestone, Op, Request, considered, milestone, put
from chaise_cli.domain.light import NamedTuple
from chaise_cli.domain.money import Money
from chaise_cli.domain.recorded import By, Recorded
from chaise_cli.domain.shape import Body, Currency, Digest, Event, Minor, RequestId
from chaise_cli.domain.terms import Number, digest
from chaise_cli.domain.transitions import permit, roles
from chaise_cli.errors import Denied, Refused
from chaise_cli.errors import RequestReused as RequestReusedBase
from chaise_cli.ids import EventId, IdentityId


class OverFund(Refused):
    """More was asked to be held than the milestone costs."""

    code = "escrow.over_fund"
    message = "{milestone} costs {amount}, not {wanted}"
    hint = "leave the total out to fund all of it: chaise fund {milestone}"
    milestone: str
    amount: Money
    wanted: Money


class OverRelease(Refused):
    """More was asked of a milestone than it can still give."""

    code = "escrow.over_release"
    message = "{milestone} has {free} left to move, not {wanted}"
    hint = "see what is held and what is on its way: chaise show {milestone}"
    milestone: str
    free: Money
    wanted: Money


class NothingHeld(Refused):
    """Nothing is held that could be moved."""

    code = "escrow.nothing_held"
    message = "nothing is held for {milestone}"
    hint = "see its money: chaise show {milestone}"
    milestone: str


class OtherCurrency(Refused):
    """The deal is made in another currency."""

    code = "escrow.other_currency"
    message = "{milestone} is paid in {currency}"
    hint = "name the amount in {currency}"
    milestone: str
    currency: str


class UnclearAmount(Refused):
    """A total and a step at once, a step without its request id, or nothing at all."""

    code = "escrow.unclear_amount"
    message = "say either the total to reach, or another amount together with a request id"
    hint = "chaise release {milestone} --total 400EUR, or --amount 400EUR --request-id TEXT"
    milestone: str


class NoSuchRun(Denied, Refused):
    """A release rests on a run that lets nothing of the milestone go, or is not its author's."""

    code = "policy.no_run"
    message = "no run of yours lets money of {milestone} go"
    hint = "chaise release {milestone} --policy FILE judges and releases at once"
    milestone: str


class StaleRun(Denied, Refused):
    """What was judged is no longer the last delivery."""

    code = "policy.stale"
    message = "{milestone} was delivered again after it was judged"
    hint = "judge what was delivered last: chaise release {milestone} --policy FILE"
    milestone: str


class OverTotal(Denied, Refused):
    """More was asked for than the policy lets go."""

    code = "policy.over_total"
    message = "the policy lets {total} of {milestone} go in all, and a release under it has to name a total"
    hint = "leave --total out to release what it lets go: chaise release {milestone} --policy FILE"
    milestone: str
    total: Money


class RequestReused(RequestReusedBase, Refused):
    """This request id was used with other parameters."""

    code = "request.reused"
    message = "the request id {request_id!r} was used before, with other parameters"
    hint = "take a new request id for a new request, or repeat the old one unchanged"
    request_id: str


@body
class FundRequested:
    """The client means to have `total` held for a milestone in all."""

    KIND: ClassVar[str] = "fund.requested"
    milestone: Number
    total: Minor
    currency: Currency
    request_id: RequestId | None
    fingerprint: Digest


@body
class ReleaseAuthorized:
    """The client lets held money go to the talent. run: the record of the policy's verdict that it rests on."""

    KIND: ClassVar[str] = "release.authorized"
    milestone: Number
    total: Minor | None
    amount: Minor | None
    hold: Event | None
    currency: Currency
    request_id: RequestId | None
    fingerprint: Digest
    run: Event | None


@body
class RefundAuthorized:
    """The talent lets held money go back to the client."""

    KIND: ClassVar[str] = "refund.authorized"
    milestone: Number
    total: Minor | None
    amount: Minor | None
    hold: Event | None
    currency: Currency
    request_id: RequestId | None
    fingerprint: Digest


Give = ReleaseAuthorized | RefundAuthorized
KIND_OF: Final = {ReleaseAuthorized.KIND: "release", RefundAuthorized.KIND: "refund"}
OTHER: Final = {"release": "refund", "refund": "release"}


class Ask(NamedTuple):
    """What an authorisation comes to: the total to reach, or the step; under a grant no more than `most`."""

    end: int | None
    step: int | None
    most: int | None = None

    def needs(self, reached: int) -> int:
        """What is still to move when so much has moved or is reserved."""
        left = self.step if self.step is not None else max(0, (self.end or 0) - reached)
        return left if self.most is None else min(left, self.most)


def reserved(deal: Deal, ms: Milestone, kind: str) -> int:
    """What the open operations of this kind would still move."""
    start = reached = ms.moved(kind)
    for op_id in ms.open[kind]:
        op = deal.ops[op_id]
        reached += Ask(op.end, op.step, op.most).needs(reached)
    return reached - start


def free(deal: Deal, ms: Milestone) -> int:
    """What is held and not reserved."""
    return ms.held - reserved(deal, ms, "release") - reserved(deal, ms, "refund")


def apply_fund(deal: Deal, e: Recorded, body: FundRequested) -> Deal:
    """The client asked for money to be held."""
    ms = milestone(deal, body.milestone)
    ask = Ask(body.total, None)
    repeats = _repeats(deal, ms, e, "fund", ask)
    variant = "repeat" if repeats else ""
    permit(body.KIND, ms.state, roles(deal.parties, e.by), deal.ref(ms.n), variant)
    _same_currency(deal, ms, body.currency)
    if body.total == 0:
        raise UnclearAmount(milestone=deal.ref(ms.n))
    if not repeats and body.total > ms.amount:
        currency = deal.agreed.currency
        raise OverFund(milestone=deal.ref(ms.n), amount=Money(ms.amount, currency), wanted=Money(body.total, currency))
    return _enter(deal, ms, e, "fund", ask, repeats)


def apply_give(deal: Deal, e: Recorded, body: Give) -> Deal:
    """The client authorised a release, or the talent a refund."""
    ms = milestone(deal, body.milestone)
    kind = KIND_OF[body.KIND]
    ask = _ask(deal, ms, kind, body)
    repeats = _repeats(deal, ms, e, kind, ask)
    permit(body.KIND, ms.state, roles(deal.parties, e.by), deal.ref(ms.n), "repeat" if repeats else "")
    _same_currency(deal, ms, body.currency)
    if not repeats:
        if isinstance(body, ReleaseAuthorized) and body.run is not None:
            _rests_on(deal, ms, e, body.run, ask)
        _fits(deal, ms, kind, ask)
    return _enter(deal, ms, e, kind, ask, repeats)


def _ask(deal: Deal, ms: Milestone, kind: str, body: Give) -> Ask:
    """Raises UnclearAmount, and NothingHeld when "all" names no hold that is known here."""
    if body.amount is not None:
        if body.total is not None or body.request_id is None or body.amount == 0:
            raise UnclearAmount(milestone=deal.ref(ms.n))
        return Ask(None, body.amount)
    if body.total is not None:
        if body.total == 0:
            raise UnclearAmount(milestone=deal.ref(ms.n))
        return Ask(body.total, None)
    if body.hold not in ms.holds:  # None, or a hold of another milestone or of a branch that did not stand
        return Ask(0, None)
    other = OTHER[kind]
    return Ask(max(0, ms.holds[body.hold] - ms.moved(other) - reserved(deal, ms, other)), None)


def _rests_on(deal: Deal, ms: Milestone, e: Recorded, named: EventId, ask: Ask) -> None:
    """Raise NoSuchRun, StaleRun or OverTotal unless the run lets this go."""
    run = deal.runs.get(named)
    if run is None or (run.facts.n, run.by, run.device, run.verdict) != (ms.n, e.by, e.device, "allow"):
        raise NoSuchRun(milestone=deal.ref(ms.n))
    if run.facts.delivery != ms.delivered_by:
        raise StaleRun(milestone=deal.ref(ms.n))
    if ask.end is None or ask.end > (run.total or 0):
        currency = deal.agreed.currency
        raise OverTotal(milestone=deal.ref(ms.n), total=Money(run.total or 0, currency))


def _fits(deal: Deal, ms: Milestone, kind: str, ask: Ask) -> None:
    left = free(deal, ms)
    wanted = ask.needs(ms.moved(kind) + reserved(deal, ms, kind))
    if ask == Ask(0, None) or left <= 0:
        raise NothingHeld(milestone=deal.ref(ms.n))
    assert wanted > 0, "an end that is reached is a repeat"
    if wanted > left:
        currency = deal.agreed.currency
        raise OverRelease(milestone=deal.ref(ms.n), free=Money(left, currency), wanted=Money(wanted, currency))


def _same_currency(deal: Deal, ms: Milestone, currency: str) -> None:
    if currency != deal.agreed.currency:
        raise OtherCurrency(milestone=deal.ref(ms.n), currency=deal.agreed.currency)


def _request_key(by: IdentityId, request_id: str) -> str:
    return f"{by} {request_id}"  # a side cannot use up the other side's ids


def _repeats(deal: Deal, ms: Milestone, e: Recorded, kind: str, ask: Ask) -> EventId | None:
    """The operation that this one only repeats. Raises RequestReused."""
    body = e.body
    assert isinstance(body, FundRequested | ReleaseAuthorized | RefundAuthorized)
    if body.request_id is not None:
        known = deal.requests.get(_request_key(e.by, body.request_id))
        if known and known.fingerprint != body.fingerprint:
            raise RequestReused(request_id=body.request_id)
        if known and str(ms.n) in known.ops:
            return known.ops[str(ms.n)]
    if ask.end and ask.end <= ms.moved(kind) + reserved(deal, ms, kind):
        return _last(deal, ms, kind)
    return None


def _last(deal: Deal, ms: Milestone, kind: str) -> EventId:
    """The newest operation of this kind that has moved or will."""
    done = (op.id for op in reversed(deal.ops.values()) if (op.n, op.kind) == (ms.n, kind) and op.moved)
    return ms.open[kind][-1] if ms.open[kind] else next(done)


def _enter(deal: Deal, ms: Milestone, e: Recorded, kind: str, ask: Ask, repeats: EventId | None) -> Deal:
    body = e.body
    assert isinstance(body, FundRequested | ReleaseAuthorized | RefundAuthorized)
    run = body.run if isinstance(body, ReleaseAuthorized) else None
    op = Op(e.id, kind, ms.n, e.by, e.at, e.final, body.request_id, ask.end, ask.step, of=repeats, run=run)
    deal = deal._replace(ops={**deal.ops, e.id: op})
    if body.request_id is not None:
        key = _request_key(e.by, body.request_id)
        known = deal.requests.get(key, Request(body.fingerprint, {}))
        ops = {str(ms.n): e.id, **known.ops}  # the first operation keeps the id
        deal = deal._replace(requests={**deal.requests, key: known._replace(ops=ops)})
    if repeats:
        return deal
    return put(deal, ms._replace(open={**ms.open, kind: (*ms.open[kind], e.id)}), e)


def fund(
    deal: Deal, by: By, n: int | None = None, *, total: Money | None = None, request_id: str | None = None
) -> list[Body]:
    """Ask for `total` to be held for milestone `n` in all; None is all it costs, no `n` every planned one.

    Nothing when that is held or asked for. Raises NotYours, WrongState, OverFund, OtherCurrency, RequestReused.
    """
    fingerprint = digest(["fund", n or 0, *_amount(total)])
    if _known(deal, by, request_id, fingerprint):
        return []
    planned = [ms for ms in deal.milestones if ms.state == "planned"]
    bodies: list[Body] = []
    for ms in [milestone(deal, n)] if n is not None else planned:
        minor, currency = _amount(total) if total is not None else (ms.amount, deal.agreed.currency)
        body = FundRequested(ms.n, minor, currency, request_id, fingerprint)
        bodies += _unless_repeat(deal, by, body)
    return bodies


def release(
    deal: Deal,
    by: By,
    n: int,
    *,
    total: Money | None = None,
    amount: Money | None = None,
    request_id: str | None = None,
    run: EventId | None = None,
) -> list[Body]:
    """Let held money go to the talent: all, until `total` is released, or another `amount` under a request id.

    run: the recorded verdict that lets it go. Nothing when that was done. Raises NotYours, WrongState, OverRelease,
    NothingHeld, OtherCurrency, UnclearAmount, RequestReused, NoSuchRun, StaleRun, OverTotal.
    """
    known, ends = _ends(deal, by, "release", n, total, amount, request_id)
    return [] if known else _unless_repeat(deal, by, ReleaseAuthorized(n, *ends, run))


def refund(
    deal: Deal,
    by: By,
    n: int,
    *,
    total: Money | None = None,
    amount: Money | None = None,
    request_id: str | None = None,
) -> list[Body]:
    """Let held money go back to the client; as `release`, from the talent."""
    known, ends = _ends(deal, by, "refund", n, total, amount, request_id)
    return [] if known else _unless_repeat(deal, by, RefundAuthorized(n, *ends))


_Ends = tuple[int | None, int | None, EventId | None, str, str | None, str]


def _ends(
    deal: Deal, by: By, kind: str, n: int, total: Money | None, amount: Money | None, request_id: str | None
) -> tuple[bool, _Ends]:
    """Whether this very request was made before; and the fields of its body from `total` to `fingerprint`."""
    ms = milestone(deal, n)
    fingerprint = digest([f"{kind}.authorized", n, *_amount(total), *_amount(amount)])
    currency = next((money.currency for money in (total, amount) if money is not None), deal.agreed.currency)
    hold = ms.last_hold if total is None and amount is None else None
    reached, step = (money.minor if money is not None else None for money in (total, amount))
    ends = (reached, step, hold, currency, request_id, fingerprint)
    return _known(deal, by, request_id, fingerprint), ends


def _amount(money: Money | None) -> tuple[int, str]:
    return (money.minor, money.currency) if money is not None else (0, "")


def _known(deal: Deal, by: By, request_id: str | None, fingerprint: str) -> bool:
    """Whether this very request was made before. Raises RequestReused."""
    if request_id is None:
        return False
    known = deal.requests.get(_request_key(by.identity, request_id))
    if known and known.fingerprint != fingerprint:
        raise RequestReused(request_id=request_id)
    return known is not None


def _unless_repeat(deal: Deal, by: By, body: FundRequested | Give) -> list[Body]:
    """The body, checked by its rule; nothing when it would be recorded as a repeat and change nothing."""
    trial, e = considered(deal, by, body)
    after = apply_fund(trial, e, body) if isinstance(body, FundRequested) else apply_give(trial, e, body)
    return [] if after.ops[e.id].of else [body]
