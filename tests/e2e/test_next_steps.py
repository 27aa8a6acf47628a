"""`next:` speaks of what was acted on first."""

from __future__ import annotations

from tests.e2e.hired import hired, settle
from tests.e2e.people import Person


def test_money_verbs_go_on_with_the_deal_before_an_old_call(lisa: Person, james: Person, board: str) -> None:
    deal = hired(lisa, james)
    call = lisa.does("book", deal, "--at", "2026-11-21 15:00")["id"]
    settle(lisa, james)
    james.does("accept", call)
    settle(lisa, james)
    lisa.now = james.now = "2026-11-22T12:00:00Z"
    told = james.run("update", deal, "Tracking is in", "--json").json["next"]
    assert [step["command"] for step in told[:2]] == [f"chaise fund {deal}/1", f"chaise book {call} --met"]
    funded = lisa.run("fund", f"{deal}/2", "--ref", "x", "--confirm", "1400.00 EUR held by @lisa", "--json").json
    assert funded["next"][0]["command"] == f"chaise deliver {deal}/2 --note TEXT"


def test_a_milestone_shows_its_day_to_both_sides(lisa: Person, james: Person, board: str) -> None:
    deal = lisa.does("invite", lisa.does("post", "Campaign")["id"], "@james")["id"]
    settle(lisa, james)
    james.does("propose", deal, "--milestone", "Setup=600EUR@2026-12-01")
    settle(lisa, james)
    assert lisa.does("show", f"{deal}/1")["tz"] == "America/New_York"
    assert "1 Dec 2026, end of day New York" in lisa.run("show", f"{deal}/1").out
