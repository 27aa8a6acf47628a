"""Books for the foreign readers: made of random movements of deals, in four currencies, by our own rules of posting."""

from __future__ import annotations

import random
from typing import Final

from chaise_cli.domain import books, journal
from chaise_cli.domain.books import Book, Entry
from chaise_cli.domain.journal import JournalEntry
from chaise_cli.domain.money import LARGEST
from chaise_cli.ids import EventId, IdentityId, public, text

CURRENCIES: Final = ("USD", "EUR", "JPY", "BHD")
DAY_MS: Final = 86_400_000
START: Final = 1_767_139_200_000  # 2025-12-31T00:00:00Z
HOSTILE: Final = (
    "plain 4711",
    'quote " and \\ backslash \\" end',
    "; comment | note, date:2020-01-01 [2020-01-02]",
    "(code) * ! = @ {1} 100 EUR",
    "line\u2028break \u202eright to left\u2066",
    "  two  spaces  ",
    "include other.journal",
    "tag:value, event:forged",
    "é ß 漢字 😀",
)


def identity(number: int) -> IdentityId:
    return IdentityId(text(number.to_bytes(32, "big")))


def entries(rng: random.Random, count: int, agent: IdentityId) -> list[Entry]:
    """Random movements of some deals with what the rail took, in order of time; no liability is ever below zero."""
    deals = [_Deal(rng, number) for number in range(rng.randint(1, 4))]
    at, found = START, []
    for number in range(count):
        at += rng.choice((0, 1, 1000, DAY_MS // 3, DAY_MS))
        deal = rng.choice(deals)
        made = deal.move(rng, EventId(text(rng.randbytes(32))), at)
        found.append(Entry(made.id, deal.public, agent, made.at, made.text, made.ref, made.currency, made.postings))
        assert number < count
    return found


class _Deal:
    """What a deal has of its money, so that only what is there moves."""

    def __init__(self, rng: random.Random, number: int) -> None:
        self.public = public("deal", text(rng.randbytes(32)))
        self.book = journal.Book("manual", f"{self.public}/{number + 1}", rng.choice(CURRENCIES))
        self.client, self.talent = identity(1000 + number), identity(2000 + number)
        self.held = self.fees = self.reversible = 0
        self.owed = {self.client: 0, self.talent: 0}

    def move(self, rng: random.Random, event: EventId, at: int) -> JournalEntry:
        """The next movement."""
        ways = ["hold"] + ["release", "refund"] * bool(self.held) + ["payout"] * any(self.owed.values())
        ways += ["reversal"] * bool(self.reversible)
        way, cost = rng.choice(ways), rng.choice((0, 0, 1, 29))
        if way == "hold":
            amount, fee = rng.choice((1, 7, 999, 60_000, 10**11)), rng.choice((0, 1, 33))
            amount = min(amount, LARGEST)
            self.held, self.fees = self.held + amount, self.fees + fee
            self.reversible += amount + fee
            return journal.hold(self.book, event, at, rng.choice(HOSTILE), amount, fee, cost)
        if way == "reversal":
            amount = rng.randint(1, self.reversible)
            self.reversible -= amount
            return journal.reversal(self.book, event, at, rng.choice(HOSTILE), self.client, amount, cost)
        if way == "payout":
            to = rng.choice([party for party, owed in self.owed.items() if owed])
            amount = rng.randint(1, self.owed[to])
            self.owed[to] -= amount
            return journal.payout(self.book, event, at, rng.choice(HOSTILE), to, amount, cost)
        amount, fee = rng.randint(1, self.held), rng.randint(0, self.fees)
        self.held, self.fees = self.held - amount, self.fees - fee
        if way == "refund":
            self.owed[self.client] += amount + fee
            return journal.refund(self.book, event, at, self.client, amount, fee)
        withheld = rng.randint(0, amount)
        self.owed[self.talent] += amount - withheld
        return journal.release(self.book, event, at, self.talent, amount, withheld, fee)


def some_book(seed: int) -> Book:
    """A book of up to 40 movements; every third begins in the middle of them, every fifth ends before the last."""
    rng = random.Random(seed)
    agent = identity(1)
    made = entries(rng, rng.randint(0, 40), agent)
    times = [entry.at for entry in made] or [0]
    since = rng.choice(times) if seed % 3 == 0 else 0
    until = rng.choice(times) if seed % 5 == 0 else None
    return books.book(agent, made, since, until)


def balances(of: Book) -> dict[tuple[str, str], int]:
    """What the postings of a book add up to, by account and currency, in minor units; without what is nothing."""
    sums: dict[tuple[str, str], int] = {}
    for part in books.parts(of):
        for account, minor in part.postings:
            sums[account, part.currency] = sums.get((account, part.currency), 0) + minor
    return {key: minor for key, minor in sums.items() if minor}
