"""`rail reconcile`: a rail's own statement, or that of the bank it went through, against the book of this agent."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, Final

from chaise_cli.domain import reconciliation
from chaise_cli.domain.light import NamedTuple
from chaise_cli.domain.money import Money
from chaise_cli.domain.reconciliation import Booked, Period, Reconciled, Shown
from chaise_cli.domain.terms import DAY_MS
from chaise_cli.domain.when import first_instant, instant_text
from chaise_cli.errors import ChaiseError, Corrupt, Usage
from chaise_cli.ids import base32, public, raw
from chaise_cli.rails import manual, rail
from chaise_cli.session.chargebacks import ALWAYS
from chaise_cli.store import attempts, money_reads

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chaise_cli.domain import statement
    from chaise_cli.rails.rail import Rail
    from chaise_cli.session.session import Session


NOTHING: Final = Reconciled(0, (), (), (), (), ())


class Differs(Corrupt):
    """The statement of a rail and the book do not say the same."""

    code = "rail.differs"
    message = "the statement of {rail} and the book differ in {count} places"
    hint = (
        "look at each before anything more moves; what a rail still has to answer is asked by: chaise agent run --once"
    )
    rail: str
    count: int


class NoSuchRail(Usage):
    """A rail that this home was not told where to find, or a bank without its statement."""

    code = "rail.not_set_up"
    message = "the rail {rail} cannot be asked from here"
    hint = "the sim wants rail.sim.url in config.toml, the manual rail --statement FILE"
    rail: str


class Compared(NamedTuple):
    """The `reconciliation` object, and the failure that goes with differences, or with a rail that says nothing."""

    data: dict[str, Any]
    error: ChaiseError | None


def with_rail(session: Session, adapter: Rail, since: int | None, until: int | None) -> Compared:
    """Compare with what a rail says of itself, in `[since, until)`; nothing where it is silent. Raises NotOffered."""
    period = Period(since or 0, until or ALWAYS)
    try:
        told = adapter.statement(0, ALWAYS)
    except rail.NoStatement as error:
        return Compared(_shape(adapter.name, period, NOTHING), error)
    lines = [Shown(one.at, one.ref, one.kind, one.amount, one.fee, one.reference) for one in told]
    return _compared(session, adapter.name, lines, period, _own(session, lines))


def with_bank(session: Session, found: Sequence[statement.Line], since: int | None, until: int | None) -> Compared:
    """Compare the manual rail with a bank's statement: of all its days, unless a period is given."""
    lines = [_of_bank(line) for line in dict.fromkeys(found) if line.unsettled != "pending"]
    days = [line.at for line in lines] or [0]
    first = min(days) if since is None else since
    return _compared(session, manual.NAME, lines, Period(first, until or max(days) + DAY_MS), [])


def _of_bank(line: statement.Line) -> Shown:
    cost = Money(0, line.amount.currency)
    texts = (line.id, line.party, *line.texts, " ".join(line.texts))
    return Shown(
        first_instant(date.fromisoformat(line.booked), "UTC"),
        line.ref,
        line.unsettled or "payment",
        line.amount,
        cost,
        None,
        texts,
    )


def _own(session: Session, lines: Sequence[Shown]) -> list[Shown]:
    """Deposits, and holds that came too late for anything and went back whole."""
    by_key: dict[str | None, list[Shown]] = {}
    for line in lines:
        by_key.setdefault(line.key, []).append(line)
    found = [line for line in lines if line.kind == "deposit"]
    for deal, one in attempts.returned(session.db):
        pair = [
            line
            for step in ("hold", one.step)
            for line in by_key.get(rail.key(deal, one.op, step), ())
            if line.kind != "chargeback"
        ]
        if not any(line.cost for line in pair) and sum(line.amount.minor for line in pair) == 0:
            found += pair
    return found


def _compared(session: Session, name: str, lines: Sequence[Shown], period: Period, own: Sequence[Shown]) -> Compared:
    done = reconciliation.compare(lines, money_reads.moved_on(session.db, session.me.identity, name), period, own)
    shown = _shape(name, period, done)
    return Compared(shown, Differs(rail=name, count=done.differences) if done.differences else None)


def _shape(name: str, period: Period, done: Reconciled) -> dict[str, Any]:
    return {
        "rail": name,
        "since": instant_text(period.since) if period.since else None,
        "until": instant_text(period.until) if period.until < ALWAYS else None,
        "agreed": done.agreed,
        "unbooked": [_line(one) for one in done.unbooked],
        "unshown": [_entry(one) for one in done.unshown],
        "differing": [
            {"ref": one.ref, "lines": [*map(_line, one.lines)], "entries": [*map(_entry, one.entries)]}
            for one in done.differing
        ],
        "own": [_line(one) for one in done.own],
        "sums": [
            {
                "currency": one.currency,
                "statement": Money(one.statement, one.currency).shape(),
                "book": Money(one.book, one.currency).shape(),
                "difference": Money(one.statement - one.book, one.currency).shape(),
            }
            for one in done.sums
        ],
    }


def _line(one: Shown) -> dict[str, Any]:
    return {
        "at": instant_text(one.at),
        "ref": one.ref,
        "kind": one.kind,
        "amount": one.amount.shape(),
        "cost": one.cost.shape(),
        "text": one.texts[-1] if one.texts else one.key or "",
    }


def _entry(one: Booked) -> dict[str, Any]:
    return {
        "event": base32(raw(one.event)),
        "deal": public("deal", one.deal),
        "at": instant_text(one.at),
        "ref": one.ref,
        "text": one.text,
        "amount": one.amount.shape(),
        "cost": one.cost.shape(),
    }
