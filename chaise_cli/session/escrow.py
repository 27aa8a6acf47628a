"""`fund`, `release`, `refund`: authorise, and on the agent device let follow what follows. Safe to run twice.

A call names an end, so a repeat finds it reached and writes nothing; a step wants a request id. Everything happens
in one transaction that holds the only write lock, so two calls at once move the money once. docs/spec/money.md.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any, Final

from chaise_cli.domain import agent, deal_view, escrow
from chaise_cli.domain import deal as deals
from chaise_cli.domain.light import NamedTuple
from chaise_cli.domain.money import Money
from chaise_cli.domain.transitions import NotYours, WrongState
from chaise_cli.errors import Refused, Usage
from chaise_cli.ids import EventId, IdentityId, SpaceId, public, raw, text
from chaise_cli.rails import manual
from chaise_cli.session import acting, agency, dealing, finding, showing, showing_deals, writing
from chaise_cli.session.acting import Done, Step
from chaise_cli.session.requests import Request
from chaise_cli.store import events, money_reads

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from chaise_cli.domain.agent import Due
    from chaise_cli.domain.deal import Deal, Milestone, Op
    from chaise_cli.domain.deal_state import DealState
    from chaise_cli.session.dealing import DealWriter
    from chaise_cli.session.session import Session

NOT_SECURED: Final = "the money of {deal} is held by the client, not secured"
PROVISIONAL: Final = "{of} is provisional until {agent}'s device takes it up"


class MilestoneWanted(Usage):
    """The deal alone does not say which money is meant."""

    code = "usage.milestone_wanted"
    message = "{verb} wants a milestone, not {given}"
    hint = "write {given}/1; chaise show {given} lists them"
    verb: str
    given: str


class RequestIdWanted(Usage):
    """Another amount could not be told from a repeat."""

    code = "usage.request_id_wanted"
    message = "off a terminal --amount needs --request-id, or a repeat would move the money twice"
    hint = "--total AMOUNT names the end to be reached and is safe to repeat"


class TwoAmounts(Usage):
    """An end and a step at once."""

    code = "usage.two_amounts"
    message = "--total and --amount exclude one another"
    hint = "--total 400EUR until 400.00 EUR are moved in all; --amount 400EUR for another 400.00 EUR"


class NotAgentHere(Usage):
    """`--ref` attests, which only the agent device can."""

    code = "rail.not_agent_here"
    message = "--ref says that the money moved, which is for the agent's device of {deal} to say: {agent}"
    hint = "leave --ref out; there: chaise rail due, chaise rail attest OP --ref TEXT"
    deal: str
    agent: str


class EarlierDue(Refused):
    """An older payout would be taken to be covered by the same reference."""

    code = "rail.earlier_due"
    message = "{amount} of an earlier operation are not recorded as paid, and a later payment covers them too"
    hint = "first: chaise rail attest {op} --ref TEXT; or leave --ref out and attest one payment of it all"
    op: str
    amount: Money


class ConfirmMissing(Usage):
    """A script moves money without saying how much and to whom."""

    code = "confirm.missing"
    message = "off a terminal {verb} needs --confirm"
    hint = "what would move: --confirm {confirm!r}"
    verb: str
    confirm: str


class ConfirmMismatch(Refused):
    """What was confirmed is not what would move."""

    code = "confirm.mismatch"
    message = "{given!r} was confirmed, but what would move is: {confirm}"
    hint = "look again: chaise show {of}; then --confirm {confirm!r}"
    given: str
    confirm: str
    of: str


class Order(NamedTuple):
    """What a call asks for. n None: every planned milestone. confirm: what its caller expects to move.

    judge: asked first, it gives the order back with the total that a policy lets go and the `run` that says so, or
    refuses. words: what is typed for it.
    """

    verb: str  # fund, release or refund
    deal: SpaceId
    n: int | None
    total: Money | None = None
    amount: Money | None = None
    ref: str | None = None
    confirm: str | None = None
    asked: Request | None = None
    judge: Callable[[DealWriter, Order], Order] | None = None
    run: EventId | None = None
    words: tuple[str, ...] = ()


def ordered(session: Session, order: Order, given: str, *, script: bool) -> Order:
    """The order, checked as a call. Raises MilestoneWanted, TwoAmounts, RequestIdWanted, BadReference."""
    if order.n is None and (order.verb != "fund" or order.total is not None):
        raise MilestoneWanted(verb=order.verb, given=given)
    if order.total is not None and order.amount is not None:
        raise TwoAmounts
    if order.amount is not None and order.asked is None:
        if script:
            raise RequestIdWanted
        # At a terminal every confirmed call is another request.
        order = order._replace(asked=Request(f"once {session.random(16).hex()}", text(session.random(32))))
    return order._replace(ref=manual.reference(order.ref)) if order.ref is not None else order


def preview(session: Session, order: Order) -> str | None:
    """What has to be confirmed, by a rehearsal that keeps nothing; None when nothing would move. Raises as `act`."""
    rehearsed, session.dry_run = session.dry_run, True
    try:
        done = act(session, order)
    finally:
        session.dry_run = rehearsed
    items: Sequence[Any] = [done.data] if order.n is not None else list(done.data)
    found: str | None = items[0]["would"]["confirm"] if items else None
    return found


def act(session: Session, order: Order) -> Done:
    """Authorise, take up and, with a reference, attest, in one transaction; what it came to.

    In a rehearsal each object carries `would`: the text to confirm, the kinds of events and the journal entries.
    Raises what the decision raises, and Reused, NotAgentHere, ConfirmMissing, ConfirmMismatch.
    """
    with session.writing():
        known = money_reads.count(session.db, finding.space_no(session, order.deal))
        deal, written, moved = acting.once(session, order.asked, order.deal, lambda deal: _carry_out(deal, order))
        done = _done(deal, order, written)
        if session.dry_run:
            entries = money_reads.of_deal(session.db, deal.space.no, known)
            would = {"confirm": moved or None, "kinds": _kinds(deal), "entries": entries}
            done = done._replace(data=_beside(done.data, would), next=_to_do(deal, order, moved))
    return done


def _carry_out(deal: DealWriter, order: Order) -> str:
    """Write everything; the text that names what moved, empty when nothing did."""
    if order.ref is not None and not deal.by.agent:
        raise NotAgentHere(deal=deal.state.deal.public, agent=deal.session.called(deal.state.deal.parties.agent))
    bodies = _decide(deal, order.judge(deal, order) if order.judge else order)
    before = _claimed(deal.state.deal, order)
    deal.write(bodies, order.asked if bodies else None)
    agency.tend(deal)
    minor = _claimed(deal.state.deal, order) - before
    attested = 0
    for n in _numbers(deal.state.deal, order) if order.ref is not None else ():
        attested += _attest(deal, order, n)
    if not (minor or attested):
        return ""
    return _confirmed(deal, order, minor or attested)


def _decide(deal: DealWriter, order: Order) -> Sequence[Any]:
    now, by, request_id = deal.state.deal, deal.by, order.asked.id if order.asked else None
    if order.verb != "fund":
        assert order.n is not None, "checked when it was ordered"
        total, amount = order.total, order.amount
        if order.verb == "refund":
            return escrow.refund(now, by, order.n, total=total, amount=amount, request_id=request_id)
        return escrow.release(now, by, order.n, total=total, amount=amount, request_id=request_id, run=order.run)
    if now.terms is None:
        raise WrongState(act="fund", of=now.public, state=now.state)
    if by.identity != now.parties.client:
        raise NotYours(act="fund", of=now.public, owner="client")
    return escrow.fund(now, by, order.n, total=order.total, request_id=request_id)


def _numbers(deal: Deal, order: Order) -> list[int]:
    """The milestones that are meant."""
    if order.n is not None:
        return [deals.milestone(deal, order.n).n]
    return [ms.n for ms in deal.milestones if not ms.cancelled]


def _claimed(deal: Deal, order: Order) -> int:
    """What was moved or will be by operations of this kind, in the milestones that are meant."""
    found = [deal.milestones[n - 1] for n in _numbers(deal, order)]
    return sum(ms.moved(order.verb) + escrow.reserved(deal, ms, order.verb) for ms in found)


def _attest(deal: DealWriter, order: Order, n: int) -> int:
    """Record that the money of the operation moved; how much by this, 0 when it was recorded before."""
    op = op_of(deal.state.deal, order, deal.by.identity, n)
    if op is None or order.ref is None:
        return 0
    earlier = earlier_due(deal.state.deal, op)
    if earlier is not None:
        raise EarlierDue(op=public("op", earlier.op), amount=Money(earlier.amount, deal.state.deal.agreed.currency))
    agency.keep_off(deal, op)
    bodies: list[Any] = agent.attest(deal.state.deal, deal.by, op.id, order.ref)
    deal.write(bodies)
    return sum(body.amount for body in bodies)


def earlier_due(deal: Deal, op: Op) -> Due | None:
    """An older payout to the same party that is still owed: the attestation of `op` would cover it as well."""
    ahead = [due for due in agent.rail_due(deal) if (due.n, due.kind) == (op.n, op.kind) and op.kind != "fund"]
    return ahead[0] if ahead and ahead[0].op != op.id else None


def op_of(deal: Deal, order: Order, by: IdentityId, n: int) -> Op | None:
    """The operation a call made or repeats: that of its request id, else the newest that came to something."""
    if order.asked is not None:
        known = deal.requests.get(f"{by} {order.asked.id}")
        if known and str(n) in known.ops:
            return deal.ops[known.ops[str(n)]]
    alike = [op for op in deal.ops.values() if (op.n, op.kind) == (n, order.verb)]
    live = [op for op in alike if op.of is None and op.declined is None]
    return next(reversed(live or alike), None)


def _receiver(deal: Deal, order: Order) -> IdentityId:
    return {"fund": deal.parties.agent, "release": deal.parties.talent, "refund": deal.parties.client}[order.verb]


def _said(deal: DealWriter, order: Order, minor: int, who: str) -> str:
    amount = Money(minor, deal.state.deal.agreed.currency).text
    return f"{amount} held by {who}" if order.verb == "fund" else f"{amount} to {who}"


def _confirmed(deal: DealWriter, order: Order, minor: int) -> str:
    """What moves, in words, if its caller expects just that; a rehearsal that expects nothing only looks."""
    receiver = _receiver(deal.state.deal, order)
    short = _said(deal, order, minor, deal.session.called(receiver))
    if order.confirm is None and not deal.session.dry_run and deal.session.me.grant is None:
        raise ConfirmMissing(verb=order.verb, confirm=short)
    if order.confirm is not None and order.confirm.strip() not in {
        short,
        _said(deal, order, minor, public("id", receiver)),
    }:
        of = deal.state.deal.public if order.n is None else deal.state.deal.ref(order.n)
        raise ConfirmMismatch(given=order.confirm[:120], confirm=short, of=of)
    return short


def _done(deal: DealWriter, order: Order, events: Sequence[str]) -> Done:
    session, state = deal.session, deal.state
    shown = [beside_op(session, state, n, op_of(state.deal, order, deal.by.identity, n)) for n in _shown(state, order)]
    about = state.deal.public if order.n is None else state.deal.ref(order.n)
    data: Any = shown if order.n is None else shown[0]
    return Done(
        data,
        "milestone",
        events,
        replayed=not deal.writer.written,
        next=acting.steps(session, state, about),
        warnings=notes(session, state, order.n),
    )


def look(session: Session, order: Order, done: Done) -> Done:
    """What an order came to as it stands now, some time after it was carried out."""
    with session.reading():
        space = session.space(finding.space_no(session, order.deal))
        deal = dealing.DealWriter(session, writing.Writer(session), space)
        return _done(deal, order, done.events)._replace(replayed=done.replayed)


def _shown(state: DealState, order: Order) -> list[int]:
    return [order.n] if order.n is not None else [ms.n for ms in state.deal.milestones]


def standing(session: Session, order: Order) -> Any:
    """The milestone that an order is about, or all of them, as they stand."""
    state = showing.state_of(session, order.deal)
    found = [showing_deals.milestone(session, state, n) for n in _shown(state, order)]
    return found if order.n is None else found[0]


def beside_op(session: Session, state: DealState, n: int, op: Op | None) -> dict[str, Any]:
    """The milestone object with an operation beside it."""
    shape = showing_deals.milestone(session, state, n)
    return shape if op is None else {**shape, "op": deal_view.op_shape(state.deal, op, showing.look(session))}


def notes(session: Session, state: DealState, n: int | None = None) -> list[str]:
    """What has to be said wherever money is shown: who holds it, and whether an act is still provisional."""
    deal, found = state.deal, []
    if deal.terms is not None and deal.parties.agent == deal.parties.client:
        found.append(NOT_SECURED.format(deal=deal.public))
    parts: Sequence[Milestone] = deal.milestones if n is None else [deals.milestone(deal, n)]
    if any(not ms.final for ms in parts):
        of = deal.public if n is None else deal.ref(n)
        found.append(PROVISIONAL.format(of=of, agent=session.name(deal.parties.agent)))
    return found


def _kinds(deal: DealWriter) -> list[str]:
    written = [events.find_event(deal.session.db, raw(event)) for event in deal.writer.written]
    return [stored.kind for stored in written if stored and stored.kind]


def _beside(data: Any, would: dict[str, Any]) -> Any:
    return {**data, "would": would} if isinstance(data, dict) else [{**item, "would": would} for item in data]


def _to_do(deal: DealWriter, order: Order, confirm: str | None) -> list[Step]:
    """The call that does what was rehearsed."""
    if not confirm:
        return []
    of = deal.state.deal.public if order.n is None else deal.state.deal.ref(order.n)
    words = ["chaise", order.verb, of]
    for flag, amount in (("--total", order.total), ("--amount", order.amount)):
        words += [flag, amount.text] if amount is not None else []
    words += order.words
    words += ["--ref", order.ref] if order.ref is not None else []
    words += ["--request-id", order.asked.id] if order.asked else []
    return [Step("nothing was signed; to do it", shlex.join([*words, "--confirm", confirm]))]
