"""`balance`, `journal`, `rail due` and `rail attest`: what the book says, on both sides alike."""

from __future__ import annotations

import csv
import io

import pytest

from chaise_cli.domain.terms import Part
from tests.e2e.cast import Cast
from tests.e2e.hired import events_of, fund, hired, settle
from tests.e2e.people import Person


@pytest.fixture
def deal(cast: Cast, lisa: Person, james: Person, board: str) -> str:
    """Signed terms of two milestones, 600 and 1400 EUR."""
    return cast.at("hired", lisa, james, play=lambda: hired(lisa, james))


def test_a_book_without_movements_is_empty(lisa: Person, board: str) -> None:
    for verb in ("balance", "journal"):
        answer = lisa.run(verb, "--json")
        assert (answer.exit, answer.data) == (0, [])
    assert lisa.does("rail", "due") == []


def test_every_entry_adds_up_to_nothing_and_both_sides_read_the_same_book(
    lisa: Person, james: Person, deal: str
) -> None:
    fund(lisa, f"{deal}/1")
    lisa.does("release", f"{deal}/1", "--total", "400EUR", "--confirm", "400.00 EUR to @james", "--ref", "sepa 1")
    settle(lisa, james)
    book = lisa.does("journal")
    assert [entry["text"].split()[0] for entry in book] == ["paid", "released", "held"]
    assert [entry["ref"] for entry in book] == ["sepa 1", None, "transfer 4711"]
    assert all(sum(line["amount"]["minor"] for line in entry["postings"]) == 0 for entry in book)
    assert james.does("journal") == book
    assert james.does("balance") == lisa.does("balance")
    assert {key: lisa.does("balance")[0][key]["minor"] for key in ("funded", "held", "released", "paid_out")} == {
        "funded": 60_000,
        "held": 20_000,
        "released": 40_000,
        "paid_out": 40_000,
    }


def test_money_that_the_client_holds_is_said_to_be_unsecured(lisa: Person, james: Person, deal: str) -> None:
    fund(lisa, f"{deal}/1")
    settle(lisa, james)
    for verb in ("balance", "journal"):
        assert f"held by the client, not secured: {deal}" in james.run(verb, "--json").json["warnings"]


def test_the_book_narrows_to_a_deal_a_person_and_a_day(lisa: Person, james: Person, deal: str) -> None:
    fund(lisa, f"{deal}/1")
    settle(lisa, james)
    lisa.now = "2026-11-25T12:00:00Z"
    lisa.does("release", f"{deal}/1", "--confirm", "600.00 EUR to @james")
    assert len(lisa.does("journal", deal)) == 2
    assert len(lisa.does("journal", "--since", "2026-11-25")) == 1
    assert len(lisa.does("journal", "--limit", "1")) == 1
    assert len(lisa.does("journal", "--with", "@james")) == 2
    other = lisa.does("journal", "--with", "@lisa")
    assert len(other) == 2, "oneself is in every deal"
    assert lisa.does("balance", deal)[0]["currency"] == "EUR"


def test_the_book_goes_into_a_spreadsheet(lisa: Person, deal: str) -> None:
    fund(lisa, f"{deal}/1")
    rows = list(csv.reader(io.StringIO(lisa.run("journal", "--csv").out)))
    assert rows[0] == ["at", "text", "ref", "postings"]
    assert len(rows) == 2


def test_currencies_are_summed_up_apart(lisa: Person, james: Person, board: str) -> None:
    euro = hired(lisa, james)
    yen = hired(lisa, james, (Part("Setup", 90_000, None, (), None),), money="JPY")
    fund(lisa, f"{euro}/1")
    fund(lisa, f"{yen}/1", "90000 JPY")
    assert [(one["currency"], one["held"]["text"]) for one in lisa.does("balance")] == [
        ("EUR", "600.00 EUR"),
        ("JPY", "90000 JPY"),
    ]


def test_what_is_due_says_in_words_what_to_do(lisa: Person, james: Person, deal: str) -> None:
    asked = lisa.does("fund", f"{deal}/1", "--confirm", "600.00 EUR held by @lisa")
    due = lisa.does("rail", "due")
    assert [(one["id"], one["milestone"]) for one in due] == [(asked["op"]["id"], f"{deal}/1")]
    assert due[0]["text"] == f"collect 600.00 EUR from @lisa for {deal}/1; reference {due[0]['id'][:15]}"
    lisa.does("rail", "attest", due[0]["id"], "--ref", "4711")
    lisa.does("release", f"{deal}/1", "--confirm", "600.00 EUR to @james")
    paid = lisa.does("rail", "due", "--with", "@james")
    assert [one["text"] for one in paid] == [f"pay 600.00 EUR to @james for {deal}/1; reference {paid[0]['id'][:15]}"]
    lisa.does("rail", "attest", paid[0]["id"], "--ref", "sepa 1")
    assert lisa.does("rail", "due") == []
    settle(lisa, james)
    assert james.does("rail", "due") == [], "only the agent's device has something to move"


def test_an_attestation_repeated_changes_nothing(lisa: Person, deal: str) -> None:
    op = lisa.does("fund", f"{deal}/1", "--confirm", "600.00 EUR held by @lisa")["op"]["id"]
    lisa.does("rail", "attest", op, "--ref", "4711")
    before = events_of(lisa)
    again = lisa.run("rail", "attest", op, "--ref", "another", "--json")
    assert (again.exit, again.json["replayed"], again.data["op"]["ref"]) == (0, True, "4711")
    assert events_of(lisa) == before


def test_money_that_never_came_is_declined_and_may_be_asked_for_again(lisa: Person, deal: str) -> None:
    op = lisa.does("fund", f"{deal}/1", "--confirm", "600.00 EUR held by @lisa")["op"]["id"]
    declined = lisa.does("rail", "attest", op, "--declined", "no cover")
    assert (declined["state"], declined["op"]["state"]) == ("planned", "declined")
    assert fund(lisa, f"{deal}/1")["state"] == "funded"


def test_an_attestation_says_one_thing_and_only_on_the_agents_device(lisa: Person, james: Person, deal: str) -> None:
    op = lisa.does("fund", f"{deal}/1", "--confirm", "600.00 EUR held by @lisa")["op"]["id"]
    settle(lisa, james)
    assert lisa.fails("rail", "attest", op).code == "rail.one_outcome"
    assert lisa.fails("rail", "attest", op, "--ref", "x", "--declined", "y").code == "rail.one_outcome"
    assert lisa.fails("rail", "attest", op, "--ref", "\n").code == "rail.bad_reference"
    assert lisa.fails("rail", "attest", "op-00000000000000000000000000", "--ref", "x").exit == 3
    assert lisa.fails("rail", "attest", deal, "--ref", "x").code == "usage.bad_id"
    assert james.fails("rail", "attest", op, "--ref", "x").code == "deal.not_yours"
    assert lisa.fails("rail", "attest", op[:11], "--ref", "x").code == "usage.full_id"


@pytest.mark.parametrize(
    ("words", "exit_"),
    [
        (("journal", "deal-0000"), 3),
        (("journal", "--with", "@nobody"), 3),
        (("journal", "--since", "yesterday"), 2),
        (("journal", "--limit", "0"), 2),
        (("balance", "post-0000"), 2),
        (("balance", "--with", "nobody"), 2),
        (("rail", "due", "--limit", "x"), 2),
    ],
)
def test_a_list_asked_for_wrongly_says_so(lisa: Person, board: str, words: tuple[str, ...], exit_: int) -> None:
    assert lisa.fails(*words).exit == exit_
