from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaise_cli.domain.money import DIGITS, LARGEST, Money
from chaise_cli.domain.statement import BadStatement, Line
from chaise_cli.rails import statement_csv

HEAD = "date,amount,currency,reference,counterparty,id\n"


def read(text: str | bytes, columns: str | None = None) -> list[Line]:
    data = text.encode() if isinstance(text, str) else text
    return statement_csv.read(data, statement_csv.columns(columns))


def amounts(*written: str, currency: str = "EUR") -> list[int]:
    rows = "".join(f'2026-12-01;"{one}";{currency}\n' for one in written)
    return [line.amount.minor for line in read("date;amount;currency\n" + rows)]


def refused(text: str | bytes, columns: str | None = None) -> str:
    with pytest.raises(BadStatement) as caught:
        read(text, columns)
    return f"{caught.value.where}: {caught.value.why}"


def test_a_statement_with_our_own_columns() -> None:
    text = "\ufeff" + HEAD + '2026-12-01,600.00,EUR,"op-1, first",Lisa GmbH,4711\r\n\r\n2026-12-02,-5,EUR,,,4712\r\n'
    assert read(text) == [
        Line(2, "2026-12-01", Money(60_000, "EUR"), ("op-1, first",), "Lisa GmbH", "4711"),
        Line(4, "2026-12-02", Money(-500, "EUR"), ("",), "", "4712"),
    ]


def test_a_banks_own_columns_are_named() -> None:
    text = "Buchungstag;Betrag;Saldo;Verwendungszweck\n01.12.2026;-1.234,50;0;op-1\n"
    found = read(text, "date=Buchungstag,amount=Betrag,reference=Verwendungszweck,currency==EUR")
    assert [(one.booked, one.amount.text, one.texts) for one in found] == [("2026-12-01", "-1234.50 EUR", ("op-1",))]


def test_debit_and_credit_in_two_columns() -> None:
    head = "date,debit,credit,currency\n"
    found = read(head + "2026-12-01,6.00,,EUR\n2026-12-01,,7.00,EUR\n")
    assert [one.amount.minor for one in found] == [-600, 700]
    for row in ("6.00,7.00", ",", "-6.00,", ",+6.00"):
        assert refused(f"{head}2026-12-01,{row},EUR\n").startswith("line 2: one of debit and credit")


@pytest.mark.parametrize(
    ("currency", "written", "minor"),
    [
        ("EUR", ("1234.50",), [123_450]),
        ("EUR", ("1.234,50",), [123_450]),
        ("EUR", ("1 234,50", "1\u202f234,50", "1'234,50"), [123_450] * 3),
        ("EUR", ("1,234.50", "1,234"), [123_450, 123_400]),
        ("EUR", ("-5", "5-", "\u22125", "+5"), [-500, -500, -500, 500]),
        ("EUR", ("1.234",), [123_400]),  # three decimals are none of the euro
        ("JPY", ("1000", "1,000", "1.000"), None),
        ("JPY", ("1000", "1,000,000"), [1000, 1_000_000]),
        ("BHD", ("1.500",), None),
        ("BHD", ("1.500", "1,234.500"), [1_500, 1_234_500]),
        ("BHD", ("1500", "0.5"), [1_500_000, 500]),
        ("EUR", ("1,234.50", "1.234,50"), None),
        ("EUR", ("1,23,4",), None),
        ("EUR", ("1 2345",), None),
        ("EUR", ("5.0011",), None),
        ("EUR", ("5.",), None),
        ("EUR", ("1e3",), None),
        ("EUR", ("--5",), None),
        ("EUR", ("٥",), None),
        ("EUR", ("",), None),
        ("JPY", (str(LARGEST),), [LARGEST]),
        ("JPY", (str(LARGEST + 1),), None),
        ("JPY", ("9" * 5000,), None),
    ],
)
def test_an_amount_is_read_in_one_way_or_not_at_all(
    currency: str, written: tuple[str, ...], minor: list[int] | None
) -> None:
    if minor is not None:
        assert amounts(*written, currency=currency) == minor
        return
    with pytest.raises(BadStatement) as caught:
        amounts(*written, currency=currency)
    assert caught.value.where.startswith("line ")


@given(st.sampled_from(sorted(DIGITS)), st.lists(st.integers(-LARGEST, LARGEST), min_size=1), st.sampled_from(".,"))
def test_amounts_come_back_as_they_were_written(currency: str, minor: list[int], mark: str) -> None:
    written = [Money(one, currency).text.partition(" ")[0].replace(".", mark) for one in minor]
    if DIGITS[currency] == 3:  # an amount of its own that shows its mark: 1.500 alone can be read in two ways
        written, minor = [*written, f"0{mark}5"], [*minor, 500]
    assert amounts(*written, currency=currency) == minor


@pytest.mark.parametrize(
    ("dates", "found"),
    [
        (("15/12/2026", "01/12/2026"), ["2026-12-15", "2026-12-01"]),
        (("12/15/2026", "12/01/2026"), ["2026-12-15", "2026-12-01"]),
        (("05/05/2026",), ["2026-05-05"]),
        (("1.2.2026",), ["2026-02-01"]),
        (("12/11/2026",), None),
        (("15/12/2026", "12/15/2026"), None),
        (("2026-12-15", "15.12.2026"), None),
        (("2026-02-30",), None),
        (("15.12.26",), None),
        (("",), None),
    ],
)
def test_a_date_is_read_in_one_way_or_not_at_all(dates: tuple[str, ...], found: list[str] | None) -> None:
    text = "date,amount,currency\n" + "".join(f"{one},5,EUR\n" for one in dates)
    if found is not None:
        assert [line.booked for line in read(text)] == found
        return
    assert refused(text).startswith("line ")


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (b"", "line 1"),
        (b"\n", "line 1"),
        (b"a,b\n1,2\n", "line 1"),
        (b"date,amount\n2026-12-01,5\n", "line 1"),  # no currency
        (b"date,amount,amount,currency\n", "line 1"),
        (b"date,amount,debit,credit,currency\n", "line 1"),
        (HEAD.encode() + b"2026-12-01,5,EUR,\xff,,\n", "line 2"),
        (HEAD.encode() + b"2026-12-01,5,EUR\n", "line 2"),
        (HEAD.encode() + b"2026-12-01,5,EUR,a,b,c,d\n", "line 2"),
        (HEAD.encode() + b'2026-12-01,5,EUR,"open\n', "line 2"),
        (HEAD.encode() + b'2026-12-01,5,EUR,"a"b,,\n', "line 2"),
        (HEAD.encode() + b"2026-12-01,5,XXX,,,\n", "line 2"),
        (HEAD.encode() + b"2026-12-01,5,\xd0\x95UR,,,\n", "line 2"),  # a Cyrillic E
        (HEAD.encode() + b"2026-12-01,5,EUR,,,a\x00b\n", "line 2"),
        (HEAD.encode() + b"2026-12-01,5,EUR,,," + b"9" * 121 + b"\n", "line 2"),
        (HEAD.encode() + b"2026-12-01,5,EUR," + b"x" * 4001 + b",,\n", "line 2"),
        (HEAD.encode() + b"2026-12-01,5,EUR," + b"x" * 200_000 + b",,\n", "line 2"),
        (b"x" * (statement_csv.MOST_BYTES + 1), "the file"),
    ],
)
def test_what_is_no_statement_is_refused_with_the_line(text: bytes, where: str) -> None:
    assert refused(text).startswith(f"{where}: ")


def test_a_line_is_named_by_where_it_begins() -> None:
    text = HEAD + '2026-12-01,5,EUR,"two\nlines",,1\n2026-12-01,x,EUR,,,2\n'
    assert refused(text).startswith("line 4: ")


def test_too_many_lines_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statement_csv, "MOST_LINES", 2)
    assert len(read(HEAD + "2026-12-01,5,EUR,,,\n" * 2)) == 2
    assert refused(HEAD + "2026-12-01,5,EUR,,,\n" * 3).startswith("line 4: ")


@pytest.mark.parametrize("given_", ["date", "date=", "day=Tag", "=Tag", "date=Tag,,"])
def test_a_mapping_that_names_no_column_is_refused(given_: str) -> None:
    with pytest.raises(BadStatement) as caught:
        statement_csv.columns(given_)
    assert caught.value.where == "--columns"


def test_a_line_without_an_id_gets_one_that_is_the_same_in_every_export() -> None:
    row, other = "2026-12-01,5,EUR,rent,Lisa,\n", "2026-12-02,5,EUR,rent,Lisa,\n"
    first = [line.id for line in read(HEAD + row + row + other)]
    assert len(set(first)) == 3
    assert [line.id for line in read(HEAD + row + row)] == first[:2]
    assert [line.id for line in read(HEAD + other)] == first[2:]


@given(
    st.one_of(st.binary(max_size=200), st.text(max_size=200).map(lambda text: (HEAD + text).encode(errors="replace")))
)
def test_whatever_comes_is_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(BadStatement):
        for line in read(data):
            assert line.amount.currency in DIGITS
            assert line.ref.isprintable()
