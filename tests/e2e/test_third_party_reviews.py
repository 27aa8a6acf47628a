"""Reviews of a deal whose money Ada holds, with real commands in three homes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.e2e.hired import kept_up
from tests.e2e.people import Person, exchange


@pytest.fixture
def ada(lisa: Person, board: str, tmp_path: Path) -> Person:
    """Who holds the money, on the same board."""
    made = Person(tmp_path, "ada", role="client", tz="Europe/Paris")
    made.does("board", "join", "-", stdin=lisa.does("board", "invite", board)["invite"])
    return made


@pytest.fixture
def deal(lisa: Person, james: Person, ada: Person) -> str:
    """A deal of which Ada released money, by hand."""
    exchange(lisa, james, ada)
    post = lisa.does("post", "Holiday campaign", "--kind", "marketing", "--budget", "1500..2500EUR")["id"]
    exchange(lisa, james)
    made = james.does("propose", post, "--milestone", "Setup=600EUR@2026-12-02", "--cover", "Hello")["id"]
    exchange(lisa, james)
    lisa.does("hire", made, "--agent", "@ada", "--rail", "manual")
    exchange(lisa, james)
    james.does("accept", made, "--terms", james.does("show", made, "--terms")["terms"]["hash"])
    settled(lisa, james, ada)
    agent(ada)
    settled(lisa, james, ada)
    lisa.does("fund", f"{made}/1", "--confirm", "600.00 EUR held by @ada")
    attested(lisa, james, ada)
    lisa.does("release", f"{made}/1", "--confirm", "600.00 EUR to @james")
    settled(lisa, james, ada)
    agent(ada)
    settled(lisa, james, ada)
    return str(made)


def settled(*people: Person) -> None:
    exchange(*people)
    assert kept_up(*people) == []
    exchange(*people)


def agent(ada: Person) -> Any:
    """A round of the loop; in a home without places it does not sync, so what falls due is looked after beside it."""
    done = ada.run("agent", "run", "--once", "--json")
    assert done.exit == 0, done.err
    assert kept_up(ada) == []
    return done.data


def attested(lisa: Person, james: Person, ada: Person) -> None:
    settled(lisa, james, ada)
    agent(ada)
    for due in ada.does("rail", "due"):
        ada.does("rail", "attest", due["id"], "--ref", "transfer 4711")
    settled(lisa, james, ada)


def both_reviewed(lisa: Person, james: Person, ada: Person, deal: str) -> None:
    lisa.does("review", deal, "--stars", "5", "--recommend", "--text", "Great work")
    james.does("review", deal, "--stars", "4", "--text", "Clear brief")
    settled(lisa, james, ada)
    agent(ada)
    for _ in range(2):
        settled(lisa, james, ada)


def test_the_agent_opens_both_and_the_board_says_who_held_the_money(
    lisa: Person, james: Person, ada: Person, board: str, deal: str, tmp_path: Path
) -> None:
    both_reviewed(lisa, james, ada, deal)
    for who in (lisa, james, ada):
        found = {one["by"]["handle"]: one for one in who.does("reviews", deal)}
        assert {handle: (one["state"], one["stars"], one["vouched"]) for handle, one in found.items()} == {
            "lisa": ("open", 5, True),
            "james": ("open", 4, True),
        }
        assert {(one["secured"], one["self_paid"], one["agent"]["handle"]) for one in found.values()} == {
            (True, False, "ada")
        }
    stranger = Person(tmp_path, "max", role="client", tz="UTC")
    stranger.does("board", "join", "-", stdin=lisa.does("board", "invite", board)["invite"])
    exchange(lisa, james, ada, stranger)
    [read] = stranger.does("reviews", "@james")
    assert (read["stars"], read["deal"], read["secured"], read["self_paid"]) == (5, None, True, False)
    assert read["agent"]["handle"] == "ada"
    assert "held by @ada, secured" in stranger.run("reviews", "@james").out
    assert "held by @ada, secured" in stranger.run("show", read["id"]).out
    figures = stranger.does("profile", "@james")["reputation"]
    assert (figures["secured_deals"], figures["self_paid_deals"]) == (1, 0)


def test_the_agent_alone_opens_what_both_left_behind(lisa: Person, james: Person, ada: Person, deal: str) -> None:
    lisa.does("review", deal, "--stars", "5", "--text", "Great work")
    james.does("review", deal, "--stars", "4", "--text", "Clear brief")
    exchange(lisa, james, ada)
    agent(ada)
    assert {one["stars"] for one in ada.does("reviews", deal)} == {4, 5}


def test_nobody_reads_a_review_early_and_the_agents_device_opens_one_alone_in_time(
    lisa: Person, james: Person, ada: Person, deal: str
) -> None:
    lisa.does("review", deal, "--stars", "5", "--text", "Great work")
    settled(lisa, james, ada)
    for now, stars in (("2026-12-04T11:59:59Z", None), ("2026-12-04T12:00:00Z", 5)):
        lisa.now = james.now = ada.now = now
        agent(ada)
        exchange(lisa, james, ada)
        assert [one["stars"] for one in james.does("reviews", deal)] == [stars]
    assert james.fails("review", deal, "--stars", "1", "--text", "late").code == "review.too_late"


def test_the_agents_agenda_has_the_deals_deadlines_and_nobodys_calls(
    lisa: Person, james: Person, ada: Person, deal: str, tmp_path: Path
) -> None:
    call = lisa.does("book", deal, "--at", "2026-11-24 10:00")["id"]
    exchange(lisa, james)
    james.does("accept", call)
    lisa.does("review", deal, "--stars", "5", "--text", "Great work")
    settled(lisa, james, ada)
    assert [one["kind"] for one in lisa.does("agenda")] == ["call", "opinion"]
    file = tmp_path / "agenda.ics"
    assert [one["kind"] for one in ada.does("agenda", "--ics", str(file))] == ["opinion"]
    assert file.read_bytes().count(b"BEGIN:VEVENT") == 1
