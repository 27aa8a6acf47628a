"""`rail attest --statement`: what a bank statement shows for certain is attested once, everything else is listed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.e2e.cast import Cast
from tests.e2e.hired import events_of, fund, hired, settle
from tests.e2e.people import Person

HEAD = "date,amount,currency,reference,counterparty,id\n"


@pytest.fixture
def deal(cast: Cast, lisa: Person, james: Person, board: str) -> str:
    """Signed terms of two milestones, 600 and 1400 EUR."""
    return cast.at("hired", lisa, james, play=lambda: hired(lisa, james))


def asked(lisa: Person, milestone: str, amount: str = "600.00 EUR") -> str:
    """The operation of a fund request that waits for its money."""
    op = lisa.does("fund", milestone, "--confirm", f"{amount} held by @lisa")["op"]["id"]
    return str(op)


def statement(lisa: Person, *rows: str) -> str:
    path = lisa.folder / "statement.csv"
    path.write_text(HEAD + "".join(f"{row}\n" for row in rows), encoding="utf-8")
    return str(path)


def attested(lisa: Person, *rows: str) -> Any:
    return lisa.does("rail", "attest", "--statement", statement(lisa, *rows))


def why(data: Any) -> list[tuple[int, str]]:
    return [(line["line"], line["why"]) for line in data["unmatched"]]


def test_a_statement_attests_what_is_due_and_is_known_when_read_again(lisa: Person, deal: str) -> None:
    first, second = asked(lisa, f"{deal}/1"), asked(lisa, f"{deal}/2", "1400.00 EUR")
    rows = (
        f"2026-12-01,600.00,EUR,Setup {first[:15].upper()},Lisa GmbH,4711",
        f"2026-12-01,1400.00,EUR,{second},Lisa GmbH,4712",
        "2026-12-01,-9.90,EUR,account fee,Bank,4713",
    )
    data = attested(lisa, *rows)
    assert [(line["line"], line["ops"]) for line in data["attested"]] == [(2, [first]), (3, [second])]
    assert (data["lines"], why(data), data["due"]) == (3, [(4, "unnamed")], [])
    assert [part["held"]["minor"] for part in lisa.does("show", deal)["milestones"]] == [60_000, 140_000]
    assert {entry["ref"] for entry in lisa.does("journal")} == {"bank 2026-12-01 4711", "bank 2026-12-01 4712"}
    before = events_of(lisa)
    again = lisa.run("rail", "attest", "--statement", statement(lisa, *rows), "--json")
    assert ([line["line"] for line in again.data["known"]], again.json["replayed"]) == ([2, 3], True)
    assert (again.exit, events_of(lisa)) == (0, before)


def test_payouts_are_attested_by_what_went_out(lisa: Person, deal: str) -> None:
    fund(lisa, f"{deal}/1")
    ops = [
        lisa.does("release", f"{deal}/1", "--total", total, "--confirm", f"{amount} to @james")["op"]["id"]
        for total, amount in (("400EUR", "400.00 EUR"), ("600EUR", "200.00 EUR"))
    ]
    data = attested(lisa, f"2026-12-01,-200.00,EUR,{ops[1]},James,1")
    assert (why(data), len(data["due"])) == ([(2, "earlier_due")], 2)
    data = attested(lisa, f"2026-12-01,-600.00,EUR,{ops[1]},James,1", f"2026-12-01,600.00,EUR,{ops[0]},James,2")
    assert (why(data), data["due"]) == ([(3, "other_direction")], [])
    assert lisa.does("show", f"{deal}/1")["paid_out"]["minor"] == 60_000


def test_what_is_not_certain_is_listed_and_never_booked(lisa: Person, deal: str) -> None:
    op = asked(lisa, f"{deal}/1")
    before = events_of(lisa)
    answer = lisa.run(
        *("rail", "attest", "--json", "--statement"),
        statement(
            lisa,
            f"2026-12-01,599.99,EUR,{op},Lisa,1",
            f"2026-12-01,600.00,USD,{op},Lisa,2",
            f"2026-12-01,600.00,EUR,{op[:14]},Lisa,3",
            f"2026-12-01,600.00,EUR,{op},Lisa,4",
            f"2026-12-01,600.00,EUR,{op},Lisa,5",
        ),
    )
    told = [(2, "other_amount"), (3, "other_currency"), (4, "unnamed"), (5, "ambiguous"), (6, "ambiguous")]
    assert (answer.exit, why(answer.data), answer.data["attested"]) == (0, told, [])
    assert [one["id"] for one in answer.data["due"]] == [op]
    assert answer.json["warnings"][0].startswith("5 of 5 payments attest nothing")
    assert events_of(lisa) == before


def test_a_second_payment_of_what_has_moved_is_not_due(lisa: Person, deal: str) -> None:
    op = asked(lisa, f"{deal}/1")
    attested(lisa, f"2026-12-01,600.00,EUR,{op},Lisa,1")
    data = attested(lisa, f"2026-12-02,600.00,EUR,{op},Lisa,2")
    assert [(line["why"], line["ops"]) for line in data["unmatched"]] == [("not_due", [op])]
    assert lisa.does("show", f"{deal}/1")["held"]["minor"] == 60_000


def test_only_the_agents_device_attests(lisa: Person, james: Person, deal: str) -> None:
    op = asked(lisa, f"{deal}/1")
    settle(lisa, james)
    before = events_of(james)
    data = james.does("rail", "attest", "--statement", statement(lisa, f"2026-12-01,600.00,EUR,{op},Lisa,1"))
    assert (why(data), data["due"]) == ([(2, "not_due")], [])
    assert events_of(james) == before


def test_a_rehearsal_attests_nothing(lisa: Person, deal: str) -> None:
    op = asked(lisa, f"{deal}/1")
    path = statement(lisa, f"2026-12-01,600.00,EUR,{op},Lisa,1")
    data = lisa.does("rail", "attest", "--statement", path, "--dry-run")
    assert [line["ops"] for line in data["attested"]] == [[op]]
    assert lisa.does("show", f"{deal}/1")["held"]["minor"] == 0
    assert lisa.does("rail", "attest", "--statement", path, "--request-id", "s1")["attested"]
    assert lisa.does("rail", "attest", "--statement", path, "--request-id", "s1")["known"]
    other = statement(lisa, f"2026-12-02,600.00,EUR,{op},Lisa,1")
    assert lisa.fails("rail", "attest", "--statement", other, "--request-id", "s1").exit == 12


def test_camt_is_known_by_its_looks_and_people_read_a_table(lisa: Person, deal: str) -> None:
    op = asked(lisa, f"{deal}/1")
    path = lisa.folder / "statement.xml"
    path.write_text(
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"><BkToCstmrStmt><Stmt><Ntry>'
        '<Amt Ccy="EUR">600.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts><BookgDt><Dt>2026-12-01</Dt></BookgDt>'
        f"<AcctSvcrRef>4711</AcctSvcrRef><NtryDtls><TxDtls><RmtInf><Ustrd>{op}</Ustrd></RmtInf></TxDtls></NtryDtls>"
        "</Ntry></Stmt></BkToCstmrStmt></Document>"
    )
    shown = lisa.run("rail", "attest", "--statement", str(path)).out
    assert "attested:" in shown
    assert "600.00 EUR" in shown
    assert lisa.does("show", f"{deal}/1")["held"]["minor"] == 60_000


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--statement", "nowhere.csv"), "statement.no_file"),
        (("--statement", "."), "statement.no_file"),
        (("--statement", "bad.csv"), "statement.unreadable"),
        (("--statement", "bad.csv", "--format", "camt053"), "statement.unreadable"),
        (("--statement", "bad.csv", "--columns", "x=y"), "statement.unreadable"),
        (("--statement", "bad.csv", "--format", "mt940"), "usage.not_a_choice"),
        (("--statement", "bad.csv", "--ref", "x"), "usage.not_for_this"),
        (("op-00000000000000000000000000", "--statement", "bad.csv"), "usage.not_for_this"),
        (("op-00000000000000000000000000", "--ref", "x", "--format", "csv"), "rail.op_or_statement"),
        (("--ref", "x"), "rail.op_or_statement"),
    ],
)
def test_a_call_that_says_no_one_thing_is_refused(
    lisa: Person, board: str, words: tuple[str, ...], code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(lisa.folder)
    Path("bad.csv").write_text("what\n")
    assert lisa.fails("rail", "attest", *words).code == code
