"""A book as CSV, one row a posting, for spreadsheets and whatever imports columns. docs/spec/books.md."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Final

from chaise_cli.domain import books
from chaise_cli.domain.books import Book
from chaise_cli.domain.money import Money
from chaise_cli.domain.when import instant_text
from chaise_cli.ids import base32, raw

COLUMNS: Final = ("date", "at", "event", "deal", "text", "ref", "account", "amount", "currency")


def text(book: Book, guarded: Callable[[str], str]) -> str:
    """A header and the rows, an opening's first. guarded: makes a text one that no spreadsheet computes."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for opening in book.openings:
        head = (books.day(book.since), "", "", "", "opening balances", "")
        writer.writerows((*head, name, *_amount(minor, opening.currency)) for name, minor in opening.postings)
    for entry in book.entries:
        said = (guarded(entry.text), guarded(entry.ref or ""))
        head = (books.day(entry.at), instant_text(entry.at), base32(raw(entry.event)), entry.deal, *said)
        writer.writerows((*head, name, *_amount(minor, entry.currency)) for name, minor in entry.postings)
    return out.getvalue()


def _amount(minor: int, currency: str) -> list[str]:
    return Money(minor, currency).text.split(" ")
