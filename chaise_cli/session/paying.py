"""`rail due` and `rail attest`: what people must still move on the manual rail, and that they moved it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chaise_cli.domain import agent, deal_view, statement
from chaise_cli.domain.money import Money
from chaise_cli.errors import Usage
from chaise_cli.ids import EventId, IdentityId, public
from chaise_cli.rails import manual
from chaise_cli.session import acting, agency, escrow, finding, showing
from chaise_cli.session.acting import Done
from chaise_cli.store import deal_states, duties

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chaise_cli.domain.agent import Due
    from chaise_cli.domain.deal import Deal
    from chaise_cli.session.dealing import DealWriter
    from chaise_cli.session.requests import Request
    from chaise_cli.session.session import Session


class OneOutcome(Usage):
    """An attestation says that the money moved, or that it will not."""

    code = "rail.one_outcome"
    message = "say how it ended: --ref TEXT when the money moved, or --declined REASON when it will not come"
    hint = 'chaise rail attest {op} --ref "transfer 4711"'
    op: str


def due(session: Session, person: IdentityId | None = None) -> list[dict[str, Any]]:
    """The operations whose money a person must still move, newest deal first, where this device is the agent's.

    person: only deals with this identity. Each says of which milestone it is, and what to do in words.
    """
    found = []
    for space in duties.paying(session.db, session.me.device, person):
        state = deal_states.load(session.db, space)
        if state is not None:
            found += [_shown(session, state.now.deal, item) for item in agent.rail_due(state.now.deal)]
    return found


def _shown(session: Session, deal: Deal, item: Due) -> dict[str, Any]:
    shape: Any = deal_view.op_shape(deal, deal.ops[item.op], showing.look(session))
    amount = Money(item.amount, deal.agreed.currency)
    payer = deal.parties.client if item.kind == "fund" else item.to
    what = manual.instruction(item.kind, amount, session.called(payer), deal.ref(item.n))
    what = f"{what}; reference {statement.reference(item.op)}"
    return {**shape, "amount": amount.shape(), "milestone": deal.ref(item.n), "text": what}


def attest(session: Session, op: EventId, ref: str | None, declined: str | None, asked: Request | None) -> Done:
    """Record how an operation ended on the rail: moved under a reference, or declined. A repeat changes nothing.

    Raises OneOutcome, BadReference, NotYours off the agent device, NothingDue, AtRail, Reused.
    """
    given = finding.Named("op", op)
    outcome = _outcome(given.id, ref, declined)

    def record(deal: DealWriter) -> None:
        if known := deal.state.deal.ops.get(op):
            agency.keep_off(deal, known)
        agency.tend(deal)
        deal.write(_decide(deal, op, *outcome), asked)
        agency.tend(deal)

    with session.writing():
        deal, events, _ = acting.once(session, asked, finding.deal_of(session, given), record)
        found = deal.state.deal.ops[op]
        shape = escrow.beside_op(session, deal.state, found.n, found)
        return Done(
            shape,
            "milestone",
            events,
            replayed=not deal.writer.written,
            next=acting.steps(session, deal.state, deal.state.deal.ref(found.n)),
            warnings=escrow.notes(session, deal.state, found.n),
        )


def _outcome(op: str, ref: str | None, declined: str | None) -> tuple[bool, str]:
    """Whether the money moved, and by which reference or why not."""
    if (ref is None) == (declined is None):
        raise OneOutcome(op=public("op", op))
    return (True, manual.reference(ref)) if ref is not None else (False, manual.reference(declined or ""))


def _decide(deal: DealWriter, op: EventId, moved: bool, said: str) -> Sequence[Any]:  # noqa: FBT001  unpacked
    state = deal.state.deal
    return agent.attest(state, deal.by, op, said) if moved else agent.refuse(state, deal.by, op, said)
