"""`rail reconcile`: a statement against the book; a difference is a report and exit 11."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.cast import Cast
from tests.e2e.hired import fund, hired
from tests.e2e.people import Person
from tests.fakes.sim_process import SimProcess, Visitor

HEAD = "date,amount,currency,reference,counterparty,id\n"


@pytest.fixture
def deal(cast: Cast, lisa: Person, james: Person, board: str) -> str:
    """Signed terms of two milestones, 600 and 1400 EUR."""
    return cast.at("hired", lisa, james, play=lambda: hired(lisa, james))


def statement(lisa: Person, *rows: str) -> str:
    path = lisa.folder / "statement.csv"
    path.write_text(HEAD + "".join(f"{row}\n" for row in rows), encoding="utf-8")
    return str(path)


def test_a_bank_that_agrees_is_exit_0_whether_a_person_or_a_statement_attested(lisa: Person, deal: str) -> None:
    op = lisa.does("fund", f"{deal}/1", "--confirm", "600.00 EUR held by @lisa")["op"]["id"]
    second = lisa.does("fund", f"{deal}/2", "--confirm", "1400.00 EUR held by @lisa")["op"]["id"]
    lisa.does("rail", "attest", second, "--ref", "Transfer 4711")
    rows = (f"2026-11-20,600.00,EUR,{op},Lisa,1", "2026-11-20,1400.00,EUR,TRANSFER4711 deal,Lisa,2")
    lisa.does("rail", "attest", "--statement", statement(lisa, *rows))
    answer = lisa.run("rail", "reconcile", "--statement", statement(lisa, *rows), "--json")
    assert (answer.exit, answer.json["ok"], answer.data["agreed"]) == (0, True, 2)
    assert [one["difference"]["minor"] for one in answer.data["sums"]] == [0]


def test_a_difference_brings_its_result_and_exit_11(lisa: Person, deal: str) -> None:
    fund(lisa, f"{deal}/1")
    path = statement(lisa, "2026-11-20,599.99,EUR,Lisa,Lisa,1")
    answer = lisa.run(
        "rail", "reconcile", "--statement", path, "--since", "2026-11-01", "--until", "2026-12-01", "--json"
    )
    assert (answer.exit, answer.json["ok"], answer.json["error"]["code"]) == (11, False, "rail.differs")
    assert [one["amount"]["text"] for one in answer.data["unbooked"]] == ["599.99 EUR"]
    assert [one["amount"]["text"] for one in answer.data["unshown"]] == ["600.00 EUR"]
    shown = lisa.run("rail", "reconcile", "--statement", path, "--since", "2026-11-01")
    assert shown.exit == 11
    assert "not in the book" in shown.out


def test_the_sim_is_asked_and_a_sim_without_payments_agrees(lisa: Person, deal: str, tmp_path: Path) -> None:
    with SimProcess(tmp_path) as sim:
        here = {"CHAISE_RAIL_SIM_URL": sim.url}
        assert lisa.does("rail", "reconcile", env=here)["agreed"] == 0
        Visitor(sim.url).does("deposits", {"amount": {"minor": 5, "currency": "EUR"}})
        assert [one["kind"] for one in lisa.does("rail", "reconcile", "--rail", "sim", env=here)["own"]] == ["deposit"]
    assert lisa.fails("rail", "reconcile", env=here).code == "rail.no_statement"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ((), "rail.not_set_up"),
        (("--rail", "manual"), "rail.not_set_up"),
        (("--rail", "sim", "--statement", "x.csv"), "rail.not_set_up"),
        (("--format", "csv"), "rail.not_set_up"),
        (("--rail", "gold"), "usage.not_a_choice"),
        (("--statement", "nowhere.csv"), "statement.no_file"),
    ],
)
def test_a_call_that_names_no_statement_is_refused(lisa: Person, board: str, words: tuple[str, ...], code: str) -> None:
    assert lisa.fails("rail", "reconcile", *words).code == code
