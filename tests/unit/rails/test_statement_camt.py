from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaise_cli.domain.money import DIGITS, Money
from chaise_cli.domain.statement import BadStatement, Line
from chaise_cli.rails import statement_camt

DETAIL = """<NtryDtls><TxDtls><Refs><EndToEndId>op-1</EndToEndId></Refs>
<RltdPties><Dbtr><Nm>Lisa GmbH</Nm></Dbtr><Cdtr><Nm>Ada</Nm></Cdtr></RltdPties>
<RmtInf><Ustrd>first part</Ustrd><Ustrd> and second</Ustrd></RmtInf></TxDtls></NtryDtls>"""


def entry(
    amount: str = "600.00",
    way: str = "CRDT",
    *,
    currency: str = "EUR",
    status: str = "<Sts>BOOK</Sts>",
    ref: str = "<AcctSvcrRef>4711</AcctSvcrRef>",
    day: str = "<BookgDt><Dt>2026-12-01</Dt></BookgDt>",
    rest: str = DETAIL,
) -> str:
    return f'<Ntry><Amt Ccy="{currency}">{amount}</Amt><CdtDbtInd>{way}</CdtDbtInd>{status}{day}{ref}{rest}</Ntry>'


def document(*entries: str, version: str = "08", before: str = "") -> bytes:
    account = "<Acct><Id><IBAN>DE02120300000000202051</IBAN></Id></Acct>"
    space = f"urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version}"
    inside = f"<BkToCstmrStmt><Stmt>{account}{''.join(entries)}</Stmt></BkToCstmrStmt>"
    return f'<?xml version="1.0" encoding="UTF-8"?>{before}<Document xmlns="{space}">{inside}</Document>'.encode()


def refused(data: bytes) -> str:
    with pytest.raises(BadStatement) as caught:
        statement_camt.read(data)
    return f"{caught.value.where}: {caught.value.why}"


@pytest.mark.parametrize("version", ["02", "03", "04", "05", "06", "07", "08", "09", "10"])
def test_an_entry_is_read_in_every_version(version: str) -> None:
    assert statement_camt.read(document(entry(), version=version)) == [
        Line(
            1,
            "2026-12-01",
            Money(60_000, "EUR"),
            ("op-1", "first part", "and second"),
            "Lisa GmbH",
            "DE02120300000000202051 4711",
        )
    ]


@pytest.mark.parametrize("version", ["01", "11", "8", "02x"])
def test_other_documents_are_refused(version: str) -> None:
    assert "no camt.053" in refused(document(entry(), version=version))


def test_later_versions_put_names_and_states_elsewhere() -> None:
    rest = "<NtryDtls><TxDtls><RltdPties><Cdtr><Pty><Nm>James</Nm></Pty></Cdtr></RltdPties></TxDtls></NtryDtls>"
    (line,) = statement_camt.read(document(entry(way="DBIT", status="<Sts><Cd>BOOK</Cd></Sts>", rest=rest)))
    assert (line.party, line.amount.minor, line.unsettled) == ("James", -60_000, "")


@pytest.mark.parametrize(
    ("status", "unsettled"),
    [
        ("<Sts>PDNG</Sts>", "pending"),
        ("<Sts><Cd>INFO</Cd></Sts>", "pending"),
        ("", "pending"),
        ("<RvslInd>true</RvslInd><Sts>BOOK</Sts>", "reversal"),
        ("<RvslInd>false</RvslInd><Sts>BOOK</Sts>", ""),
    ],
)
def test_what_is_not_booked_or_undoes_something_is_told(status: str, unsettled: str) -> None:
    (line,) = statement_camt.read(document(entry(status=status)))
    assert line.unsettled == unsettled


def _batch(*parts: tuple[str, str, str]) -> str:
    inside = "".join(
        f'<TxDtls><Refs><EndToEndId>{ref}</EndToEndId></Refs><Amt Ccy="{currency}">{amount}</Amt></TxDtls>'
        for amount, currency, ref in parts
    )
    return f"<NtryDtls>{inside}</NtryDtls>"


def test_a_batch_that_adds_up_is_its_payments() -> None:
    batch = _batch(("400.00", "EUR", "op-1"), ("200.00", "EUR", "op-2"))
    found = statement_camt.read(document(entry(rest=batch), entry(ref="<NtryRef>9</NtryRef>")))
    assert [(line.n, line.amount.minor, line.texts[0], line.id[-6:]) for line in found] == [
        (1, 40_000, "op-1", "4711/1"),
        (2, 20_000, "op-2", "4711/2"),
        (3, 60_000, "op-1", "2051 9"),
    ]


@pytest.mark.parametrize(
    "parts",
    [
        (("400.00", "EUR", "op-1"), ("100.00", "EUR", "op-2")),
        (("400.00", "USD", "op-1"), ("200.00", "USD", "op-2")),
    ],
)
def test_a_batch_that_does_not_add_up_is_one_payment(parts: tuple[tuple[str, str, str], ...]) -> None:
    (line,) = statement_camt.read(document(entry(rest=_batch(*parts))))
    assert (line.amount.minor, line.texts[:2]) == (60_000, ("op-1", "op-2"))


@pytest.mark.parametrize(
    ("currency", "amount", "minor"),
    [
        ("JPY", "600", 600),
        ("JPY", "600.00", 600),
        ("BHD", "600.001", 600_001),
        ("EUR", "600.5", 60_050),
        ("EUR", "600.501", None),
        ("EUR", "-600", None),
        ("EUR", "6e2", None),
        ("EUR", "", None),
        ("EUR", "٦", None),
        ("XXX", "600", None),
        ("JPY", "9007199254740992", None),
        ("EUR", "9" * 400, None),
    ],
)
def test_an_amount_is_exact_or_refused(currency: str, amount: str, minor: int | None) -> None:
    data = document(entry(amount, currency=currency))
    if minor is None:
        assert "no amount" in refused(data)
        return
    assert statement_camt.read(data)[0].amount == Money(minor, currency)


@pytest.mark.parametrize(
    "bad",
    [
        entry(way="BOTH"),
        entry(ref=""),
        entry(ref=f"<AcctSvcrRef>{'9' * 121}</AcctSvcrRef>"),
        entry(ref="<AcctSvcrRef>a\u202eb</AcctSvcrRef>"),
        entry(day=""),
        entry(day="<BookgDt><Dt>2026-02-30</Dt></BookgDt>"),
        entry(day="<BookgDt><Dt>01.12.2026</Dt></BookgDt>"),
        "<Ntry></Ntry>",
    ],
)
def test_an_entry_that_lacks_something_is_refused_with_its_line(bad: str) -> None:
    assert refused(document(entry(), bad)).startswith("line ")


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
OUTSIDE = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (document(entry(rest="<AddtlNtryInf>&b;</AddtlNtryInf>"), before=BOMB), "document type"),
        (document(entry(rest="<AddtlNtryInf>&a;</AddtlNtryInf>"), before=OUTSIDE), "document type"),
        (document(before='<!DOCTYPE x SYSTEM "http://example.org/x.dtd">'), "document type"),
        (document(entry(rest="<AddtlNtryInf>&undefined;</AddtlNtryInf>")), "undefined entity"),
        (document(entry(rest=f"<AddtlNtryInf>{'x' * 4001}</AddtlNtryInf>")), "too long"),
        (document("<a>" * 50 + "</a>" * 50), "too deep"),
        (document(), ""),
        (b"", "no element"),
        (b"<", ""),
        (b"<html/>", "no camt.053"),
        (b"<Document/>", "no camt.053"),
        (document(entry())[:-20], ""),
        (document(entry()) + b"<more/>", "junk"),
        (document(entry()).replace(b"UTF-8", b"nobody-knows"), "encoding"),
        (document(entry()).replace(b"op-1", b"\xff\xfe"), "not well-formed"),
        (b" " * (statement_camt.MOST_BYTES + 1), "bytes"),
    ],
)
def test_a_hostile_document_is_refused(data: bytes, why: str) -> None:
    if data == document():
        assert statement_camt.read(data) == []
        return
    assert why in refused(data)


def test_a_document_without_a_statement_is_refused() -> None:
    assert "no statement" in refused(document().replace(b"<Stmt>", b"<Rpt>").replace(b"</Stmt>", b"</Rpt>"))


def test_too_many_elements_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statement_camt, "MOST_ELEMENTS", 40)
    assert "too many" in refused(document(*[entry()] * 10))


def test_white_space_between_many_entries_is_no_text() -> None:
    assert len(statement_camt.read(document(*[entry() + "\n" + " " * 50] * 200))) == 200


def test_other_encodings_are_read_as_declared() -> None:
    data = document(entry(rest="<AddtlNtryInf>Grüße</AddtlNtryInf>")).decode()
    for encoding in ("iso-8859-1", "utf-16"):
        (line,) = statement_camt.read(data.replace("UTF-8", encoding).encode(encoding))
        assert line.texts == ("Grüße",)


def test_elements_of_another_namespace_say_nothing() -> None:
    foreign = '<x:AcctSvcrRef xmlns:x="urn:other">1</x:AcctSvcrRef>'
    assert "no reference" in refused(document(entry(ref=foreign)))


@given(st.binary(max_size=200), st.integers(0, 900))
def test_whatever_comes_is_read_or_refused(noise: bytes, at: int) -> None:
    data = document(entry())
    for tried in (noise, data[:at] + noise + data[at:], data[:at] + data[at + len(noise) :]):
        with contextlib.suppress(BadStatement):
            for line in statement_camt.read(tried):
                assert line.amount.currency in DIGITS
                assert line.ref.isprintable()
