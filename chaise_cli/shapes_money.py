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
    reversed: Money  # clawed back by the payer's rail, and owed by the client


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
    reversed: Money  # clawed back by the payer's rail, and owed by the client


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


class RailLine(TypedDict):
    """A line of a rail's statement, or of a bank's."""

    at: str
    ref: str
    kind: str  # hold, payout, refund, chargeback, deposit; of a bank payment or reversal
    amount: Money  # what came in; negative: what went out
    cost: Money  # what the rail took besides
    text: str  # the key it was asked under, or a bank's words


class RailEntry(TypedDict):
    """A movement in the book that a statement has to show."""

    event: str
    deal: str
    at: str
    ref: str
    text: str
    amount: Money
    cost: Money


class Difference(TypedDict):
    """Lines and entries of one reference that do not come to the same."""

    ref: str
    lines: list[RailLine]
    entries: list[RailEntry]


class RailSum(TypedDict):
    """What a statement and the book come to in one currency, costs taken off."""

    currency: str
    statement: Money
    book: Money
    difference: Money


class Reconciliation(TypedDict):
    """A rail's statement against the book."""

    rail: str
    since: str | None
    until: str | None
    agreed: int  # references that both have alike
    unbooked: list[RailLine]  # lines without an entry
    unshown: list[RailEntry]  # entries without a line
    differing: list[Difference]
    own: list[RailLine]  # deposits, and late holds that went back whole: of no deal, and no difference
    sums: list[RailSum]
