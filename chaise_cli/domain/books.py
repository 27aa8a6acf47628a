"""A book to hand over: the journal entries of one agent in one period, with what stood before it. docs/spec/books.md.

Also what the entries come to, month by month. A book's day is a day in UTC, by the clock of the agent who wrote it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Final

from chaise_cli.domain.journal import Posting
from chaise_cli.domain.light import NamedTuple
from chaise_cli.domain.when import DAY, utc
from chaise_cli.ids import EventId, IdentityId, public

EARNED_BEFORE: Final = "equity:earnings"  # income and expenses of the time before a book begins
_CLASSES_OF_A_PERIOD: Final = ("income:", "expenses:")


class Entry(NamedTuple):
    """One movement in a book: the event that made it, the deal and whose book it stands in. `at`: ms."""

    event: EventId
    deal: str  # public
    agent: IdentityId
    at: int
    text: str
    ref: str | None
    currency: str
    postings: tuple[Posting, ...]


class Opening(NamedTuple):
    """What the accounts stood at in one currency when the book begins; adds up to nothing, as every entry does."""

    currency: str
    postings: tuple[Posting, ...]


class Book(NamedTuple):
    """The book of one agent (public id; empty where there is none). `since`: ms, 0 from the beginning."""

    agent: str
    since: int
    openings: tuple[Opening, ...]
    entries: tuple[Entry, ...]


class Flow(NamedTuple):
    """What an entry does, in minor units: money that moved, and by how much what is kept grew."""

    funded: int
    held: int
    released: int
    refunded: int
    disputed: int
    payable: int
    paid_out: int
    reversed: int


def book(agent: IdentityId | None, entries: Sequence[Entry], since: int = 0, until: int | None = None) -> Book:
    """The entries in `[since, until)`, which are all of one agent and in order; those before become openings."""
    assert all(entry.agent == agent for entry in entries), "a book belongs to one agent"
    kept = tuple(entry for entry in entries if entry.at >= since and (until is None or entry.at < until))
    before = [entry for entry in entries if entry.at < since]
    return Book(public("id", agent) if agent else "", since, _openings(before), kept)


def _openings(before: Iterable[Entry]) -> tuple[Opening, ...]:
    sums: dict[str, dict[str, int]] = {}
    for entry in before:
        kept = sums.setdefault(entry.currency, {})
        for account, amount in entry.postings:
            name = EARNED_BEFORE if account.startswith(_CLASSES_OF_A_PERIOD) else account
            kept[name] = kept.get(name, 0) + amount
    found = []
    for currency in sorted(sums):
        postings = tuple(Posting(name, sums[currency][name]) for name in sorted(sums[currency]) if sums[currency][name])
        assert sum(posting.amount for posting in postings) == 0, "entries that balance add up to nothing"
        found.append(Opening(currency, postings))
    return tuple(opening for opening in found if opening.postings)


def accounts(of: Book) -> dict[str, list[str]]:
    """Every account of a book with the currencies in it, both in order."""
    found: dict[str, set[str]] = {}
    for part in parts(of):
        for account, _ in part.postings:
            found.setdefault(account, set()).add(part.currency)
    return {account: sorted(found[account]) for account in sorted(found)}


def currencies(of: Book) -> list[str]:
    """Every currency of a book."""
    return sorted({part.currency for part in parts(of)})


def parts(of: Book) -> list[Opening | Entry]:
    """All that has postings, in order."""
    return [*of.openings, *of.entries]


def day(at: int) -> str:
    """The day of an entry, in UTC: `2026-12-15`."""
    return utc(at).strftime("%Y-%m-%d")


def first_day(of: Book) -> str | None:
    """The day that a book begins on; None for an empty one."""
    if of.openings:
        return day(of.since)
    return day(of.entries[0].at) if of.entries else None


def flow_of(client: str, postings: Iterable[Sequence[Any]]) -> Flow:
    """What an entry's postings (account, amount) say of the deal of `client`, a public id.

    Money comes in and goes out by the rail, which may take something for it; what leaves escrow otherwise goes to the
    client where they are owed it by this entry, else to the talent.
    """
    rail = held = disputed = payable = clawed = 0
    refund = False
    for account, amount in postings:  # liabilities are negative in the book
        if account.startswith("liabilities:escrow:"):
            held -= amount
        elif account.startswith("assets:rail:") or account == "expenses:rail":
            rail += amount
        elif account.startswith("liabilities:payable:"):
            payable -= amount
            refund = refund or account.endswith(client)
        elif account.startswith("liabilities:disputed:"):
            disputed -= amount
        elif account.startswith("assets:receivable:"):
            clawed += amount
    if rail:
        return Flow(held, held, 0, 0, disputed, payable, -payable, clawed)  # one of them, by which account it met
    gone = -held - disputed
    return Flow(0, held, 0 if refund else gone, gone if refund else 0, disputed, payable, 0, clawed)


@lru_cache(maxsize=4096)
def _month(of_day: int) -> str:
    return day(of_day * DAY)[:7]


def month(at: int) -> str:
    """The month of an entry, in UTC: `2026-12`."""
    return _month(at // DAY)


def by_month(flows: Iterable[tuple[str, str, Flow]]) -> list[tuple[str, str, Flow]]:
    """(month, currency, flow) of entries → one of each: what moved in that month, and what was kept at its end.

    Months without an entry are left out; then what was kept stands as before.
    """
    each: dict[tuple[str, str], list[Flow]] = {}
    for when, currency, one in flows:
        each.setdefault((when, currency), []).append(one)
    kept: dict[str, Flow] = {}
    found = []
    for when, currency in sorted(each):
        moved = Flow(*map(sum, zip(*each[when, currency], strict=True)))
        at_end = kept[currency] = plus(kept[currency], moved) if currency in kept else moved
        found.append(
            (when, currency, moved._replace(held=at_end.held, disputed=at_end.disputed, payable=at_end.payable))
        )
    return found


def plus(one: Flow, other: Flow) -> Flow:
    """Both together."""
    return Flow(*[a + b for a, b in zip(one, other, strict=True)])
