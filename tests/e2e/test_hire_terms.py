from __future__ import annotations

import pytest

from tests.e2e.cast import Cast
from tests.e2e.people import Person, exchange

STEPS = ("--milestone", "Setup=600EUR@2026-12-01", "--milestone", "Run=1400EUR@2026-12-15")


@pytest.fixture
def deal(cast: Cast, lisa: Person, james: Person, board: str) -> str:
    """James has proposed on Lisa's post; both know it."""

    def play() -> str:
        post = lisa.does("post", "Campaign", "--kind", "ads", "--budget", "1500..2500EUR", "--deadline", "2026-12-20")
        exchange(lisa, james)
        made = james.does("propose", post["id"], *STEPS)
        exchange(lisa, james)
        return str(made["id"])

    return cast.at("hire terms", lisa, james, play=play)


def hash_of(person: Person, deal: str) -> str:
    """What a script signs after it has read the terms."""
    found: str = person.does("show", deal, "--terms")["terms"]["hash"]
    return found


def agree(lisa: Person, james: Person, deal: str, *options: str) -> None:
    """Lisa sends the terms, James signs them."""
    lisa.does("hire", deal, *options)
    exchange(lisa, james)
    james.does("accept", deal, "--terms", hash_of(james, deal))
    exchange(lisa, james)


def test_terms_are_hired_by_two_signatures_under_one_hash(lisa: Person, james: Person, deal: str) -> None:
    sent = lisa.run("hire", deal, "--review-period", "7d", "--no-auto-release", "--json")
    assert sent.data["state"] == "offered"
    assert sent.json["next"][0]["command"] == f"chaise accept {deal}"
    assert any("held by the client, not secured" in warning for warning in sent.json["warnings"])
    exchange(lisa, james)
    terms = james.does("show", deal, "--terms")["terms"]
    assert (terms["review_ms"], terms["auto_release"], terms["total"]["text"]) == (7 * 86_400_000, False, "2000.00 EUR")
    assert (terms["state"], terms["hash"]) == ("offered", sent.data["terms_hash"])
    signed = james.does("accept", deal, "--terms", terms["hash"])
    assert (signed["state"], signed["final"]) == ("hired", False)
    exchange(lisa, james)
    found = lisa.does("show", deal)
    assert (found["state"], [step["state"] for step in found["milestones"]]) == ("hired", ["planned", "planned"])
    assert lisa.does("inbox")[0]["next"] == f"chaise fund {deal}/1"


def test_a_script_signs_only_the_terms_it_names(lisa: Person, james: Person, deal: str) -> None:
    lisa.does("hire", deal)
    exchange(lisa, james)
    read = hash_of(james, deal)
    missing = james.fails("accept", deal)
    assert (missing.code, missing.exit, missing.error["details"]["terms"]) == ("terms.hash_wanted", 2, read)
    lisa.does("hire", deal, "--revisions", "1")
    exchange(lisa, james)
    moved = james.fails("accept", deal, "--terms", read)
    assert (moved.code, moved.exit) == ("terms.moved", 6)
    assert james.does("show", deal)["state"] == "offered"


def test_a_person_reads_the_terms_and_says_yes(lisa: Person, james: Person, deal: str) -> None:
    lisa.does("hire", deal, "--criterion", "1=loads within two seconds")
    exchange(lisa, james)
    no = james.run("accept", deal, typed=["n"])
    assert (no.exit, "usage.not_confirmed" in no.err) == (2, True)
    assert "loads within two seconds" in no.err
    assert "2000.00 EUR" in no.err
    assert "held by the client, not secured" in no.err
    assert hash_of(james, deal) in no.err
    yes = james.run("accept", deal[:13], typed=["y"])
    assert yes.exit == 0, yes.err
    assert james.does("show", deal)["state"] == "hired"


def test_accepting_twice_is_a_repeat(lisa: Person, james: Person, deal: str) -> None:
    agree(lisa, james, deal)
    again = james.run("accept", deal, "--json")
    assert (again.exit, again.json["replayed"]) == (0, True)
    assert lisa.fails("hire", deal).code == "deal.wrong_state"


def test_nobody_accepts_their_own_terms(lisa: Person, deal: str) -> None:
    lisa.does("hire", deal)
    refused = lisa.fails("accept", deal)
    assert (refused.code, refused.exit) == ("deal.not_yours", 5)


def test_either_side_counters_and_sees_what_changes(lisa: Person, james: Person, deal: str) -> None:
    lisa.does("hire", deal)
    exchange(lisa, james)
    assert james.fails("hire", deal).code == "terms.same"
    james.does("hire", deal, "--milestone", "All=1900EUR@2026-12-15")
    exchange(lisa, james)
    changed = {row["field"]: row for row in lisa.does("show", deal, "--terms", "--diff")["terms_diff"]}
    assert changed["total"]["before"]["text"] == "2000.00 EUR"
    assert changed["total"]["after"]["text"] == "1900.00 EUR"
    assert changed["2.title"] == {"field": "2.title", "before": "Run", "after": None}
    assert "total" in lisa.run("show", deal, "--terms", "--diff").out
    lisa.does("accept", deal, "--terms", hash_of(lisa, deal))
    assert lisa.does("show", deal)["state"] == "hired"


def test_terms_beyond_the_post_have_to_be_meant(lisa: Person, james: Person, deal: str) -> None:
    beyond = ("--milestone", "All=2600EUR@2026-12-22")
    refused = lisa.fails("hire", deal, *beyond)
    assert (refused.code, refused.exit) == ("hire.beyond_post", 5)
    assert "100.00 EUR above" in refused.error["message"]
    assert lisa.run("hire", deal, *beyond, typed=["n"]).exit == 2
    assert lisa.does("show", deal)["state"] == "proposed"
    assert lisa.run("hire", deal, *beyond, typed=["y"]).exit == 0
    withdrawn = lisa.does("withdraw", deal)
    assert withdrawn["state"] == "withdrawn"
    meant = lisa.run("hire", deal, *beyond, "--over-budget", "--json")
    assert meant.exit == 0
    assert "100.00 EUR above the post's budget" in meant.json["warnings"]


def test_the_talent_is_warned_and_not_stopped(james: Person, deal: str) -> None:
    answer = james.run("hire", deal, "--milestone", "All=2600EUR", "--json")
    assert answer.exit == 0
    assert "100.00 EUR above the post's budget" in answer.json["warnings"]


@pytest.mark.parametrize(
    ("options", "code", "exit_"),
    [
        (["--criterion", "3=x"], "hire.no_such_part", 2),
        (["--criterion", "loads"], "usage.bad_criterion", 2),
        (["--revisions", "-1"], "usage.bad_call", 2),
        (["--review-period", "soon"], "time.not_a_duration", 2),
        (["--milestone", "A=1EUR", "--milestone", "B=1USD"], "money.mixed_currency", 5),
        (["--milestone", "A=0EUR"], "usage.bad_field", 2),
    ],
)
def test_wrong_terms_are_refused_by_name(lisa: Person, deal: str, options: list[str], code: str, exit_: int) -> None:
    answer = lisa.fails("hire", deal, *options)
    assert (answer.code, answer.exit) == (code, exit_)
    assert lisa.does("show", deal)["state"] == "proposed"


def test_a_script_gives_full_ids_where_it_signs(lisa: Person, deal: str) -> None:
    for call in (["hire", deal[:13]], ["accept", deal[:13]]):
        refused = lisa.fails(*call)
        assert (refused.code, refused.error["details"]["full"]) == ("usage.full_id", deal)


def test_terms_need_milestones(lisa: Person, james: Person, board: str) -> None:
    talk = lisa.does("message", "@james", "Hello")["deal"]
    assert lisa.fails("hire", talk).code == "terms.no_milestones"
    assert lisa.fails("show", talk, "--terms").code == "deal.wrong_state"
    assert lisa.does("hire", talk, "--milestone", "All=100EUR")["state"] == "offered"


def test_terms_are_shown_of_deals_only(lisa: Person, board: str) -> None:
    assert lisa.fails("show", board, "--terms").code == "usage.not_for_this"
    assert lisa.fails("show", board, "--diff").code == "usage.diff_of_terms"


def test_a_planned_milestone_is_cancelled_at_once(lisa: Person, james: Person, deal: str) -> None:
    agree(lisa, james, deal)
    gone = lisa.does("cancel", f"{deal}/2", "--reason", "not needed")
    assert (gone["state"], gone["id"]) == ("cancelled", f"{deal}/2")
    assert lisa.run("cancel", f"{deal}/2", "--json").json["replayed"]
    assert lisa.fails("cancel", f"{deal}/3").code == "milestone.unknown"
    assert lisa.fails("accept", f"{deal}/1").code == "cancel.none_pending"


def test_a_funded_milestone_is_cancelled_by_both_sides(lisa: Person, james: Person, deal: str) -> None:
    agree(lisa, james, deal)
    lisa.does("fund", f"{deal}/1", "--ref", "transfer 1", "--confirm", "600.00 EUR held by @lisa")
    exchange(lisa, james)
    asked = james.run("cancel", f"{deal}/1", "--json")
    assert (asked.data["state"], asked.json["next"][0]["command"]) == ("funded", f"chaise accept {deal}/1")
    exchange(lisa, james)
    assert lisa.does("inbox")[0]["text"] == f"@james asks to cancel {deal}/1"
    assert lisa.fails("withdraw", f"{deal}/1").code == "deal.not_yours"
    assert lisa.does("decline", f"{deal}/1")["state"] == "funded"
    exchange(lisa, james)
    james.does("cancel", f"{deal}/1")
    exchange(lisa, james)
    ended = lisa.does("accept", f"{deal}/1")
    assert (ended["state"], ended["refunded"]["text"], ended["held"]["text"]) == ("cancelled", "600.00 EUR", "0.00 EUR")
