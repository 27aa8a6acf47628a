"""What payers claw back: read from a rail's statement in every round, and booked once. docs/spec/rails.md, Chargebacks.

Where reading goes on is told by the rail's own dates, so that no clock of ours leaves out a line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from chaise_cli.domain import agent
from chaise_cli.domain.contest import Contested
from chaise_cli.domain.light import NamedTuple
from chaise_cli.domain.terms import DAY_MS
from chaise_cli.errors import ChaiseError, Refused
from chaise_cli.rails import rail
from chaise_cli.session import agency, dealing, writing
from chaise_cli.store import duties, money_reads, own

if TYPE_CHECKING:
    from chaise_cli.rails.rail import Line, Rail
    from chaise_cli.session.session import Session
    from chaise_cli.store.duties import Asked

OVERLAP_MS: Final = DAY_MS  # what is read again each time: a rail may be late with a line
ALWAYS: Final = 253_370_764_800_000  # no line is dated so late


class Unplaced(Refused):
    """A rail clawed back a hold that no deal of this agent device asked for, or in another currency."""

    code = "rail.unplaced"
    message = "no money held here was paid in under the reference {reference}"
    hint = "compare the book with the rail's statement: chaise rail reconcile"
    reference: str


class Followed(NamedTuple):
    """How many chargebacks were booked, and what a person should know."""

    booked: int
    problems: list[str]


def follow(session: Session, adapter: Rail) -> Followed:
    """Book the chargebacks on a rail's statement that are not in the book yet."""
    if not adapter.caps().statement or not money_reads.has_moved(session.db, session.me.device, adapter.name):
        return Followed(0, [])
    mark = f"statement {adapter.name}"
    read = int.from_bytes(own.get(session.db, mark) or b"", "big")
    try:
        lines = adapter.statement(max(0, read - OVERLAP_MS), ALWAYS)
    except rail.NoStatement as error:
        return Followed(0, [error.sentence()])
    clawed = [line for line in lines if line.kind == "chargeback"]
    asked = _holds(session) if clawed else {}
    booked, problems, until = 0, [], max((line.at for line in lines), default=read)
    for line in clawed:
        try:
            booked += _book(session, asked.get(line.reference or ""), line)
        except ChaiseError as error:
            problems.append(f"clawed back on the rail {adapter.name} as {line.ref}, {-line.amount}: {error.sentence()}")
            if isinstance(error, Contested):  # to be read again once the sides have settled it
                until = min(until, line.at)
    if until != read:
        try:
            with session.writing():
                own.put(session.db, mark, until.to_bytes(8, "big"))
        except ChaiseError as error:  # a home that must not write: read again, once it may
            problems.append(error.sentence())
    return Followed(booked, problems)


def _holds(session: Session) -> dict[str, Asked]:
    """Everything that deals of this agent device ever asked for, by the key of a hold of it."""
    return {rail.key(one.deal, one.op, "hold"): one for one in duties.asked(session.db, session.me.device)}


def _book(session: Session, asked: Asked | None, line: Line) -> int:
    """Write the movement of one line; 1, or 0 when it is in the book. Raises Unplaced and what deciding raises."""
    if asked is None:
        raise Unplaced(reference=line.reference or "")
    with session.writing():
        deal = dealing.DealWriter(session, writing.Writer(session), session.space(asked.space))
        agency.tend(deal)
        state = deal.state.deal
        if state.contested:
            raise Contested(deal=state.public)
        if line.amount.currency != state.agreed.currency:
            raise Unplaced(reference=line.reference or "")
        bodies = agent.reverse(state, deal.by, asked.op, -line.amount.minor, line.fee.minor, line.ref)
        return len(deal.write(bodies))
