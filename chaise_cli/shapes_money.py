"""The shapes of the book and of what moves; taken from `shapes`, like all others."""

from __future__ import annotations

from typing import NotRequired, TypedDict

from chaise_cli.shapes_people import Money, Person


class Op(TypedDict):
    """A movement of money that was asked for."""

    id: str
    request_id: str | None
    kind: str  # fund, release, refund
    amount: Money
    total: Money | None
    to: Person | None
    state: str  # authorized, released, moved, declined, unknown
    ref: str | None
    grant: str | None  # under which a run asked for it
    run: NotRequired[str]  # release: the recorded verdict of a policy that it rests on
    milestone: NotRequired[str]  # where the operation stands alone
    text: NotRequired[str]  # rail due: what to do, in words


class Posting(TypedDict):
    """One line of a journal entry."""

    account: str
    amount: Money


class JournalEntry(TypedDict):
    """One movement in the book; its postings are zero in each currency."""

    at: str
    text: str
    ref: str | None
    postings: list[Posting]


class Balance(TypedDict):
    """All deals of this home in one currency."""

    currency: str
    funded: Money
    held: Money
    released: Money
    refunded: Money
    disputed: Money
    payable: Money
    paid_out: Money


class BalanceBy(TypedDict):
    """A share of a balance: that of one deal, of the deals with one person, or of one month (UTC), in one currency."""

    deal: str | None
    person: Person | None
    month: str | None  # 2026-12; what is kept (held, disputed, payable) stands as at its end
    currency: str
    funded: Money
    held: Money
    released: Money
    refunded: Money
    disputed: Money
    payable: Money
    paid_out: Money


class Payment(TypedDict):
    """One payment of a bank statement, and what became of it."""

    line: int  # of a CSV file; of camt.053 the payment's number in the file
    booked: str  # the bank's day
    amount: Money  # what came in; negative: what went out
    text: str
    party: str
    ref: str  # what an attestation of it is known by
    ops: list[str]  # the operations it names
    why: str | None  # unmatched: why it attests nothing


class Statement(TypedDict):
    """A bank statement against what is due."""

    lines: int
    attested: list[Payment]
    known: list[Payment]  # attested by an earlier run
    unmatched: list[Payment]
    due: list[Op]  # what still waits to be moved
