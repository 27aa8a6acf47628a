"""Bank statements as CSV: strictly read, nothing guessed that could be read in two ways. docs/spec/books.md.

Delimiter, decimal mark and the order of day and month are taken from the file where only one reading of the whole
file is possible; else the statement is refused, naming the line.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, Final

from chaise_cli.domain.money import DIGITS, LARGEST, Money
from chaise_cli.domain.statement import ID_MOST, BadStatement, Line

MOST_BYTES: Final = 16 * 1024 * 1024
MOST_LINES: Final = 100_000
MOST_CELL: Final = 4_000  # characters
FIELDS: Final = ("date", "amount", "debit", "credit", "currency", "reference", "counterparty", "id")
_DELIMITERS: Final = (",", ";", "\t")
_SPACES: Final = " \u00a0\u202f'"  # between thousands
_DATES: Final = {  # the order of the parts → how it is written
    "ymd": re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})"),
    "dmy": re.compile(r"([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})|([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})"),
    "mdy": re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})"),
}

Row = Mapping[str, str]


def columns(given: str | None) -> dict[str, str]:
    """The heads of a statement's columns: those named as `date=Buchungstag,amount=Betrag`, the others by their field.

    A currency written as `currency==EUR` is that of every line. Raises BadStatement.
    """
    named = {field: field for field in FIELDS}
    for part in given.split(",") if given else ():
        field, equals, head = part.partition("=")
        if field.strip() not in FIELDS or not equals or not head.strip():
            raise BadStatement(
                where="--columns", why=f"{part[:60]!r} is not FIELD=HEAD with one of {', '.join(FIELDS)}"
            )
        named[field.strip()] = head.strip()
    return named


def read(data: bytes, named: Mapping[str, str]) -> list[Line]:
    """The payments of a CSV statement, in the file's order. named: field → head, see `columns`. Raises BadStatement."""
    numbered = _rows(_decoded(data), named)
    known = {field for _, row in numbered for field in row}
    read_date = _one_reading(numbered, "date", tuple(_DATES), _date)
    amounts = _amounts(numbered, split="amount" not in known)
    lines = []
    seen: Counter[str] = Counter()
    for (n, row), amount in zip(numbered, amounts, strict=True):
        day = _date(read_date, row["date"], "")
        assert day, "every date was read"
        own = row.get("id", "") or _made_id(seen, day, amount, row)
        if len(own) > ID_MOST or not own.isprintable():
            raise BadStatement(where=f"line {n}", why="the bank's id is too long or no plain text")
        lines.append(Line(n, day, amount, (row.get("reference", ""),), row.get("counterparty", ""), own))
    return lines


def _decoded(data: bytes) -> str:
    if len(data) > MOST_BYTES:
        raise BadStatement(where="the file", why=f"it has more than {MOST_BYTES} bytes")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BadStatement(where=f"line {line}", why="it is not UTF-8; convert it first") from error


def _rows(text: str, named: Mapping[str, str]) -> list[tuple[int, Row]]:
    """Line numbers and rows by field, from the one delimiter under which the first line has all that is needed."""
    fitting = [found for mark in _DELIMITERS if (found := _head(text, mark, named)) is not None]
    if len(fitting) != 1:
        wanted = "date, amount (or debit and credit) and currency"
        why = f"its first line does not name the columns {wanted} under one of `,` `;` tab: name them with --columns"
        raise BadStatement(where="line 1", why=why)
    delimiter, places, wide = fitting[0]
    rows: list[tuple[int, Row]] = []
    reader = _reader(text, delimiter)
    start = 1
    try:
        for cells in reader:
            n, start = start, reader.line_num + 1
            if n == 1 or not any(cell.strip() for cell in cells):
                continue
            if len(cells) != wide:
                raise BadStatement(where=f"line {n}", why=f"it has {len(cells)} columns, the first line has {wide}")
            if any(len(cell) > MOST_CELL for cell in cells):
                raise BadStatement(where=f"line {n}", why=f"a cell has more than {MOST_CELL} characters")
            fixed = named["currency"].removeprefix("=")
            row = {field: cells[place].strip() for field, place in places.items()}
            rows.append((n, row if "currency" in places else {**row, "currency": fixed}))
            if len(rows) > MOST_LINES:
                raise BadStatement(where=f"line {n}", why=f"it has more than {MOST_LINES} lines")
    except csv.Error as error:
        raise BadStatement(where=f"line {start}", why=str(error)) from error
    return rows


def _reader(text: str, delimiter: str) -> Any:
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)


def _head(text: str, delimiter: str, named: Mapping[str, str]) -> tuple[str, dict[str, int], int] | None:
    """The delimiter, where each field stands and how many columns there are; None where it does not fit."""
    try:
        heads = [head.strip() for head in next(_reader(text, delimiter), [])]
    except csv.Error:
        return None
    places = {field: heads.index(head) for field, head in named.items() if heads.count(head) == 1}
    amounts = ("amount" in places) != ("debit" in places and "credit" in places)
    fits = "date" in places and amounts and ("currency" in places or named["currency"].startswith("="))
    return (delimiter, places, len(heads)) if fits else None


def _one_reading(
    rows: Sequence[tuple[int, Row]], field: str, ways: Sequence[str], read: Callable[[str, str, str], object]
) -> str:
    """The one way in which every line's field can be read; of several that say the same, the first."""
    left = list(ways)
    for n, row in rows:
        fits = [way for way in left if read(way, row[field], row["currency"]) is not None]
        if not fits:
            raise BadStatement(
                where=f"line {n}", why=f"{row[field][:40]!r} is no {field}, or not as in the lines above"
            )
        left = fits
    for n, row in rows:
        if len({read(way, row[field], row["currency"]) for way in left}) > 1:
            raise BadStatement(where=f"line {n}", why=f"{row[field][:40]!r} can be read in two ways as {field}")
    return left[0]


def _date(way: str, written: str, _currency: str) -> str | None:
    found = _DATES[way].fullmatch(written)
    if found is None:
        return None
    parts = dict(zip(way, (part for part in found.groups() if part is not None), strict=True))
    try:
        return date(int(parts["y"]), int(parts["m"]), int(parts["d"])).isoformat()
    except ValueError:
        return None


def _amounts(rows: Sequence[tuple[int, Row]], *, split: bool) -> list[Money]:
    """What came in or, negative, went out by each line; in two columns, exactly one of them is filled."""
    signed = []
    for n, row in rows:
        if row["currency"].upper() not in DIGITS:
            raise BadStatement(where=f"line {n}", why=f"{row['currency'][:8]!r} is not a currency in use")
        sign, written = 1, row.get("amount", "")
        if split:
            filled = [field for field in ("debit", "credit") if row[field]]
            if len(filled) != 1 or row[filled[0]][0] in "+-\u2212":
                raise BadStatement(where=f"line {n}", why="one of debit and credit is wanted, without a sign")
            sign, written = (1 if filled == ["credit"] else -1), row[filled[0]]
        signed.append((n, sign, {"amount": written, "currency": row["currency"].upper()}))
    way = _one_reading([(n, row) for n, _, row in signed], "amount", (".", ","), _minor)
    found = []
    for _, sign, row in signed:
        minor = _minor(way, row["amount"], row["currency"])
        assert minor is not None, "every amount was read"
        found.append(Money(sign * minor, row["currency"]))
    return found


def _sign(written: str) -> tuple[int, str]:
    plain = written.replace("\u2212", "-")
    if plain.endswith("-"):
        plain = f"-{plain[:-1]}"
    return (-1 if plain.startswith("-") else 1), plain.removeprefix("-").removeprefix("+")


def _minor(mark: str, written: str, currency: str) -> int | None:
    """Minor units, `mark` standing before the decimals; None where the text cannot be read so."""
    sign, plain = _sign(written)
    whole, _, decimals = plain.partition(mark)
    thousands = re.escape(("," if mark == "." else ".") + _SPACES)
    if not re.fullmatch(rf"[0-9]+|[0-9]{{1,3}}(?:([{thousands}])[0-9]{{3}}(?:\1[0-9]{{3}})*)", whole, re.ASCII):
        return None
    digits = DIGITS[currency]
    if (mark in plain and not decimals) or not re.fullmatch(r"[0-9]*", decimals) or decimals[digits:].strip("0"):
        return None
    minor = re.sub(r"[^0-9]", "", whole) + decimals[:digits].ljust(digits, "0")
    if len(minor.lstrip("0")) > len(str(LARGEST)) or int(minor) > LARGEST:
        return None
    return sign * int(minor)


def _made_id(seen: Counter[str], day: str, amount: Money, row: Row) -> str:
    """An id for a line whose bank gives none: of what it says, and how often it was said above."""
    said = "\0".join((day, amount.text, row.get("reference", ""), row.get("counterparty", "")))
    seen[said] += 1
    return f"{hashlib.sha256(said.encode()).hexdigest()[:24]}.{seen[said]}"
