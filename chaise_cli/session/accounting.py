"""`balance` and `journal`: what all deals come to, or those that were asked for, and the book of an agent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from chaise_cli.domain import books
from chaise_cli.domain.light import NamedTuple
from chaise_cli.errors import NotFound
from chaise_cli.ids import public
from chaise_cli.session import finding
from chaise_cli.store import money_reads

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from chaise_cli.domain.books import Book, Flow
    from chaise_cli.ids import IdentityId
    from chaise_cli.session.session import Session

REVERSED: Final = "clawed back by payers' banks, and owed by the clients: {amounts}"
NOT_SECURED: Final = "held by the client, not secured: {deals}"
SHOWN_MOST: Final = 5  # deals named in one warning
BY: Final = ("deal", "person", "month")


class SeveralBooks(NotFound):
    """Movements of several agents; each keeps a book of their own."""

    code = "journal.several_books"
    message = "several agents keep a book of these deals: {agents}"
    hint = "name one of them: --agent ID"
    agents: str


class Scope(NamedTuple):
    """Which deals: those with a person, one by its row number, or all."""

    person: IdentityId | None
    deal: int | None


class Found(NamedTuple):
    """The objects asked for, and what has to be said beside them."""

    objects: Sequence[dict[str, Any]]
    warnings: Sequence[str]


def scope(session: Session, deal: str | None, person: str | None) -> Scope:
    """What a call means by its deal and `--with`. Raises what finding them raises."""
    named = finding.find(session, deal, "deal") if deal is not None else None
    who = finding.person(session, person) if person is not None else None
    return Scope(who, finding.space_no(session, named.space) if named else None)


def balances(session: Session, of: Scope, by: str | None = None) -> Found:
    """One `balance` object per currency; by one of `BY`, a `balance_by` object per deal, person or month besides."""
    if by is None:
        balances = money_reads.balances(session.db, *of)
        clawed = ", ".join(one["reversed"]["text"] for one in balances if one["reversed"]["minor"])
        warnings = [REVERSED.format(amounts=clawed)] if clawed else []
        return Found(balances, [*warnings, *not_secured(session, of)])
    if by == "month":
        found = books.by_month(money_reads.flows(session.db, *of))
        shares = [_share(currency, flow, month=month) for month, currency, flow in found]
    else:
        shares = list(_by_deal(session, of) if by == "deal" else _by_person(session, of))
    return Found(shares, not_secured(session, of))


def _by_deal(session: Session, of: Scope) -> Iterator[dict[str, Any]]:
    known = money_reads.sides(session.db, *of)
    found = money_reads.sums_of_deals(session.db, *of)
    for space, currency, flow in sorted(found, key=lambda one: (known[one[0]].deal, one[1])):
        yield _share(currency, flow, deal=public("deal", known[space].deal))


def _by_person(session: Session, of: Scope) -> Iterator[dict[str, Any]]:
    """Each deal counts for its sides other than oneself: for both of them where this home is only its agent."""
    known = money_reads.sides(session.db, *of)
    sums: dict[tuple[IdentityId, str], Flow] = {}
    for space, currency, flow in money_reads.sums_of_deals(session.db, *of):
        for side in {known[space].client, known[space].talent} - {session.me.identity}:
            kept = sums.get((side, currency))
            sums[side, currency] = books.plus(kept, flow) if kept else flow
    for side, currency in sorted(sums):
        yield _share(currency, sums[side, currency], person=session.person(side))


def _share(currency: str, flow: Flow, **of: Any) -> dict[str, Any]:
    return {"deal": None, "person": None, "month": None} | of | money_reads.balance(currency, flow)


def journal(session: Session, of: Scope, since: int, until: int | None, limit: int | None) -> Found:
    """`journal_entry` objects, the newest first."""
    most = -1 if limit is None else limit
    found = money_reads.entries(session.db, *of, since=since, until=until, limit=most)
    return Found(found, not_secured(session, of))


def book(session: Session, of: Scope, agent: str | None, since: int, until: int | None) -> Book:
    """The book of one agent: of the one that is named, else of the only one there is.

    Raises SeveralBooks, and what finding a person raises.
    """
    found = money_reads.book(session.db, *of)
    if agent is not None:
        named = finding.person(session, agent)
        return books.book(named, [entry for entry in found if entry.agent == named], since, until)
    agents = sorted({entry.agent for entry in found})
    if len(agents) > 1:
        raise SeveralBooks(agents=", ".join(public("id", one) for one in agents))
    return books.book(agents[0] if agents else None, found, since, until)


def not_secured(session: Session, of: Scope) -> list[str]:
    """The warning that names deals whose money the client holds."""
    found = money_reads.held_by_client(session.db, *of)
    if not found:
        return []
    rest = [f"and {len(found) - SHOWN_MOST} more"] if len(found) > SHOWN_MOST else []
    return [NOT_SECURED.format(deals=", ".join([*found[:SHOWN_MOST], *rest]))]
