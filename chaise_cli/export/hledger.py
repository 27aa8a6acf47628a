"""A book as an hledger journal. Source: hledger's manual, journal format; docs/spec/books.md.

Every account and commodity is declared, so that `hledger check --strict` accepts it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from chaise_cli.domain import books
from chaise_cli.domain.books import Book, Entry
from chaise_cli.domain.journal import Posting
from chaise_cli.domain.money import Money
from chaise_cli.domain.when import instant_text
from chaise_cli.ids import base32, raw

# In a description `;` begins a comment, `|` a note and a parenthesis a code; in a tag's value a comma ends it.
_SPECIAL: Final = re.compile(r"[;|(),]")


def text(book: Book, visible: Callable[[str], str]) -> str:
    """The whole journal. visible: shows what nobody could see in a text, on one line."""
    parts = [_head(book)]
    parts += [_opening(book, opening.currency, opening.postings) for opening in book.openings]
    parts += [_entry(entry, visible) for entry in book.entries]
    return "\n".join(parts)


def _head(book: Book) -> str:
    lines = [f"; Chaise: the book of {book.agent or 'nobody yet'}. Its days are in UTC, by the writer's clock."]
    lines += [f"commodity {_sample(currency)}" for currency in books.currencies(book)]
    lines += [f"account {account}" for account in books.accounts(book)]
    return "".join(f"{line}\n" for line in lines)


def _sample(currency: str) -> str:
    """A commodity's style: hledger wants a decimal mark here, also where there are no decimals."""
    number = Money(0, currency).text.partition(" ")[0]
    return f"{number.replace('0', '1000', 1)}{'' if '.' in number else '.'} {currency}"


def _opening(book: Book, currency: str, postings: Sequence[Posting]) -> str:
    return f"{books.day(book.since)} * opening balances\n" + _lines(currency, postings)


def _entry(entry: Entry, visible: Callable[[str], str]) -> str:
    tags = [
        f"event:{base32(raw(entry.event))}",
        f"deal:{entry.deal}",
        f"at:{instant_text(entry.at)}",
        *([f"ref:{_plain(entry.ref, visible)}"] if entry.ref else []),
    ]
    head = f"{books.day(entry.at)} * {_plain(entry.text, visible)}\n    ; {', '.join(tags)}\n"
    return head + _lines(entry.currency, entry.postings)


def _lines(currency: str, postings: Iterable[Posting]) -> str:
    amounts = [(account, Money(minor, currency).text) for account, minor in postings]
    wide = max(len(account) for account, _ in amounts)
    long = max(len(amount) for _, amount in amounts)
    return "".join(f"    {account:{wide}}  {amount:>{long}}\n" for account, amount in amounts)


def _plain(foreign: str, visible: Callable[[str], str]) -> str:
    return _SPECIAL.sub(lambda found: f"<U+{ord(found[0]):04X}>", " ".join(visible(foreign).split()))
