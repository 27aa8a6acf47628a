"""What hledger and beancount make of our books: they accept every one, and their balances are ours to the unit."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest

from chaise_cli.domain import books
from chaise_cli.domain.books import Book
from chaise_cli.domain.money import DIGITS
from chaise_cli.export import beancount as to_beancount
from chaise_cli.export import hledger as to_hledger
from chaise_cli.export import ledger_csv
from chaise_cli.ids import base32, raw
from chaise_cli.render.rows import guarded
from chaise_cli.render.terminal import safe
from tests.interop.books.ledgers import CURRENCIES, balances, some_book

SEEDS: Final = range(60)
# Run by the Python of beancount's own environment: paths as arguments, JSON of what was read of each comes out.
READER: Final = """
import json, sys
from beancount import loader
from beancount.core import data, realization
found = {}
for path in sys.argv[1:]:
    entries, errors, options = loader.load_file(path)
    root = realization.realize(entries)
    found[path] = {
        "errors": [error.message for error in errors],
        "balances": [
            [account.account, str(position.units.number), position.units.currency]
            for account in realization.iter_children(root)
            for position in account.balance
        ],
        "entries": [
            [entry.narration, entry.meta.get("ref"), entry.meta.get("event")]
            for entry in entries if isinstance(entry, data.Transaction)
        ],
        "currencies": options["operating_currency"],
    }
json.dump(found, sys.stdout)
"""
STRICT: Final = ("accounts", "commodities", "balancednoautoconversion", "ordereddates", "parseable", "assertions")


@pytest.fixture(scope="module")
def some() -> list[Book]:
    """Books of random movements."""
    return [some_book(seed) for seed in SEEDS]


def test_the_books_hold_what_the_foreign_readers_are_asked_about(some: list[Book]) -> None:
    assert {currency for book in some for currency in books.currencies(book)} == set(CURRENCIES)
    assert any(book.openings and book.entries for book in some)
    assert any(account == books.EARNED_BEFORE for book in some for account in books.accounts(book))
    assert any(not book.openings and not book.entries for book in some)
    for book in some:
        for currency in books.currencies(book):
            assert sum(minor for (_, other), minor in balances(book).items() if other == currency) == 0


def test_hledger_accepts_every_book_and_agrees_to_the_unit(hledger: str, some: list[Book], tmp_path: Path) -> None:
    # All in one call: deals are each in one book alone, and what the books share is compared as the sum.
    files: list[str] = []
    ours: dict[tuple[str, str], int] = {}
    for number, book in enumerate(some):
        path = tmp_path / f"{number}.journal"
        path.write_text(to_hledger.text(book, safe), encoding="utf-8")
        files += ["-f", str(path)]
        ours = {key: ours.get(key, 0) + balances(book).get(key, 0) for key in ours | balances(book)}
    checked = _run(hledger, "check", *STRICT, *files)
    assert (checked.returncode, checked.stderr) == (0, "")
    said = _run(hledger, "bal", *files, "-O", "csv", "--flat", "--no-total", "--layout=bare")
    assert said.returncode == 0, said.stderr
    assert _minor(list(csv.reader(io.StringIO(said.stdout)))[1:], (0, 2, 1)) == {k: v for k, v in ours.items() if v}


@pytest.mark.parametrize("spoil", ["amount", "account", "commodity", "date"])
def test_a_spoilt_book_is_refused_so_the_checks_do_look(
    hledger: str, some: list[Book], tmp_path: Path, spoil: str
) -> None:
    good = to_hledger.text(max(some, key=lambda book: len(book.entries)), safe)
    drop = {"account": "account assets:rail:manual\n", "commodity": good[good.index("commodity") :].partition("\n")[0]}
    last = re.findall(r"^[0-9-]{10}(?= )", good, re.MULTILINE)[-1]
    bad = {
        "amount": f"{good[:-6]}{(int(good[-6]) + 1) % 10}{good[-5:]}",  # the last digit of the last posting
        "account": good.replace(drop["account"], ""),
        "commodity": good.replace(drop["commodity"], ""),
        "date": good.replace(f"{last} *", "1999-01-01 *"),
    }[spoil]
    path = tmp_path / "spoilt.journal"
    path.write_text(bad, encoding="utf-8")
    assert _run(hledger, "check", *STRICT, "-f", str(path)).returncode != 0


def test_beancount_accepts_every_book_and_agrees_to_the_unit(beancount: Path, some: list[Book], tmp_path: Path) -> None:
    files = []
    for number, book in enumerate(some):
        path = tmp_path / f"{number}.beancount"
        path.write_text(to_beancount.text(book, safe), encoding="utf-8")
        files.append(str(path))
    read: dict[str, Any] = json.loads(_run(str(beancount / "python"), "-c", READER, *files).stdout)
    for file, book in zip(files, some, strict=True):
        found = read[file]
        assert found["errors"] == []
        ours = {(to_beancount.account(name), currency): minor for (name, currency), minor in balances(book).items()}
        assert _minor(found["balances"], (0, 1, 2)) == ours
        events = [base32(raw(entry.event)) for entry in book.entries]
        assert [event for *_, event in found["entries"] if event] == events
        refs = [" ".join(safe(entry.ref).split()) for entry in book.entries if entry.ref]
        assert [ref for _, ref, _ in found["entries"] if ref is not None] == refs
        assert found["currencies"] == books.currencies(book)
    checked = _run(str(beancount / "bean-check"), files[1])
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_hledger_reads_no_tag_date_or_note_out_of_a_hostile_reference(
    hledger: str, some: list[Book], tmp_path: Path
) -> None:
    path = tmp_path / "all.journal"
    book = max(some, key=lambda book: len(book.entries))
    path.write_text(to_hledger.text(book, safe), encoding="utf-8")
    said = json.loads(_run(hledger, "print", "-f", str(path), "-O", "json").stdout)
    moved = [one for one in said if one["tdescription"] != "opening balances"]
    assert [one["tdescription"] for one in moved] == [entry.text for entry in book.entries]
    for one, entry in zip(moved, book.entries, strict=True):
        tags = dict(one["ttags"])
        assert set(tags) == {"event", "deal", "at"} | ({"ref"} if entry.ref else set())
        assert tags["event"] == base32(raw(entry.event))
        assert one["tdate"] == books.day(entry.at)
        assert one["tcode"] == ""
        assert len(one["tpostings"]) == len(entry.postings)
        assert all(posting["pdate"] is None for posting in one["tpostings"])


def test_the_csv_book_has_a_row_for_each_posting_and_adds_up_to_the_same(some: list[Book]) -> None:
    for book in some:
        rows = list(csv.DictReader(io.StringIO(ledger_csv.text(book, guarded))))
        found = [[row["account"], row["amount"], row["currency"]] for row in rows]
        assert _minor(found, (0, 1, 2)) == balances(book)


def _run(*argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(argv, capture_output=True, text=True, check=False)


def _minor(rows: list[list[str]], places: tuple[int, int, int]) -> dict[tuple[str, str], int]:
    """Rows of (account, number, currency) → minor units, without what is nothing."""
    sums: dict[tuple[str, str], int] = {}
    for row in rows:
        account, number, currency = (row[place] for place in places)
        minor = Decimal(number).scaleb(DIGITS[currency]) if currency else Decimal(0)
        assert minor == int(minor), f"{number} {currency} is finer than the unit"
        sums[account, currency] = sums.get((account, currency), 0) + int(minor)
    return {key: minor for key, minor in sums.items() if minor}
