"""The book: every movement is one journal entry whose postings add up to nothing. docs/spec/money.md, Postings.

Assets and expenses are positive, liabilities and income negative, as hledger and beancount write them.
"""

from __future__ import annotations

from chaise_cli.domain.light import NamedTuple
from chaise_cli.ids import EventId, IdentityId, public


class Posting(NamedTuple):
    """One line: minor units to an account."""

    account: str
    amount: int


class JournalEntry(NamedTuple):
    """The bookkeeping of one movement, which gives it its id. `at`: ms, the agent's clock."""

    id: EventId
    at: int
    text: str
    ref: str | None
    currency: str
    postings: tuple[Posting, ...]


class Book(NamedTuple):
    """Where a milestone's money is booked: the rail's name, the milestone as people see it, the currency."""

    rail: str
    of: str
    currency: str

    def liability(self, word: str) -> str:
        """A liability account of this milestone: escrow, disputed or fees."""
        return f"liabilities:{word}:{self.of.replace('/', ':')}"


def _payable(identity: IdentityId) -> str:
    return f"liabilities:payable:{public('id', identity)}"


def _entry(book: Book, event: EventId, at: int, text: str, ref: str | None, *postings: Posting) -> JournalEntry:
    assert sum(posting.amount for posting in postings) == 0, f"an entry that does not balance: {postings}"
    return JournalEntry(event, at, text, ref, book.currency, tuple(post for post in postings if post.amount))


def _rail(book: Book, amount: int, cost: int) -> tuple[Posting, ...]:
    """What moved on the rail, and what the rail took for it: the agent's expense, and never a party's."""
    account = f"assets:rail:{book.rail}"
    return Posting(account, amount), Posting(account, -cost), Posting("expenses:rail", cost)


def hold(book: Book, event: EventId, at: int, ref: str, amount: int, fee: int, cost: int) -> JournalEntry:
    """The rail confirms the client's money: `amount` into escrow, `fee` beside it."""
    return _entry(
        book,
        event,
        at,
        f"held for {book.of}",
        ref,
        *_rail(book, amount + fee, cost),
        Posting(book.liability("escrow"), -amount),
        Posting(book.liability("fees"), -fee),
    )


def release(
    book: Book, event: EventId, at: int, talent: IdentityId, amount: int, withheld: int, earned: int
) -> JournalEntry:
    """Held money goes to the talent, less what is `withheld`; with it the agent has `earned` of the client's fee."""
    return _entry(
        book,
        event,
        at,
        f"released of {book.of}",
        None,
        Posting(book.liability("escrow"), amount),
        Posting(book.liability("fees"), earned),
        Posting(_payable(talent), withheld - amount),
        Posting("income:fees", -withheld - earned),
    )


def refund(book: Book, event: EventId, at: int, client: IdentityId, amount: int, fee: int) -> JournalEntry:
    """Held money goes back to the client, and of the client's fee what it had cost."""
    return _entry(
        book,
        event,
        at,
        f"refunded of {book.of}",
        None,
        Posting(book.liability("escrow"), amount),
        Posting(book.liability("fees"), fee),
        Posting(_payable(client), -amount - fee),
    )


def payout(book: Book, event: EventId, at: int, ref: str, to: IdentityId, amount: int, cost: int) -> JournalEntry:
    """What was owed to a party has left through the rail."""
    return _entry(
        book,
        event,
        at,
        f"paid out for {book.of}",
        ref,
        Posting(_payable(to), amount),
        *_rail(book, -amount, cost),
    )


def reversal(book: Book, event: EventId, at: int, ref: str, client: IdentityId, amount: int, cost: int) -> JournalEntry:
    """The rail has clawed money back from the agent, who is owed it by the client."""
    return _entry(
        book,
        event,
        at,
        f"clawed back of {book.of}",
        ref,
        Posting(f"assets:receivable:{public('id', client)}", amount),
        *_rail(book, -amount, cost),
    )
