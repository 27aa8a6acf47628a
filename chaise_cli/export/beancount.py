"""A book as a beancount file. Source: beancount's language syntax; docs/spec/books.md."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from chaise_cli.domain import books
from chaise_cli.domain.books import Book, Entry
from chaise_cli.domain.journal import Posting
from chaise_cli.domain.money import Money
from chaise_cli.domain.when import instant_text
from chaise_cli.ids import base32, raw

_PART: Final = re.compile(r"[a-z0-9][a-z0-9-]*")


def account(name: str) -> str:
    """An account as beancount wants it: each part begins with a capital or a digit.

    Parts of ours have small letters, digits and `-`, so the first letter made small again gives the name back.

    >>> account("liabilities:escrow:deal-7k3m:1")
    'Liabilities:Escrow:Deal-7k3m:1'
    """
    parts = name.split(":")
    assert all(_PART.fullmatch(part) for part in parts), f"no account of ours: {name}"
    return ":".join(part[0].upper() + part[1:] for part in parts)


def text(book: Book, visible: Callable[[str], str]) -> str:
    """The whole file. visible: shows what nobody could see in a text, on one line."""
    first = f'{books.day(book.since)} * "opening balances"\n'
    parts = [_head(book), *(first + _lines(opening.currency, opening.postings) for opening in book.openings)]
    parts += [_entry(entry, visible) for entry in book.entries]
    return "\n".join(parts)


def _head(book: Book) -> str:
    lines = [
        f"; Chaise: the book of {book.agent or 'nobody yet'}. Its days are in UTC, by the writer's clock.",
        f'option "title" "Chaise {book.agent}"',
        *(f'option "operating_currency" "{currency}"' for currency in books.currencies(book)),
    ]
    first = books.first_day(book)
    lines += [f"{first} open {account(name)} {','.join(used)}" for name, used in books.accounts(book).items()]
    return "".join(f"{line}\n" for line in lines)


def _entry(entry: Entry, visible: Callable[[str], str]) -> str:
    told: Mapping[str, str | None] = {
        "event": base32(raw(entry.event)),
        "deal": entry.deal,
        "at": instant_text(entry.at),
        "ref": entry.ref,
    }
    meta = "".join(f"  {key}: {_quoted(value, visible)}\n" for key, value in told.items() if value)
    return f"{books.day(entry.at)} * {_quoted(entry.text, visible)}\n" + meta + _lines(entry.currency, entry.postings)


def _lines(currency: str, postings: Iterable[Posting]) -> str:
    amounts = [(account(name), Money(minor, currency).text) for name, minor in postings]
    wide = max(len(name) for name, _ in amounts)
    long = max(len(amount) for _, amount in amounts)
    return "".join(f"  {name:{wide}}  {amount:>{long}}\n" for name, amount in amounts)


def _quoted(foreign: str, visible: Callable[[str], str]) -> str:
    shown = " ".join(visible(foreign).split()).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{shown}"'
