"""`fund`, `release`, `refund`: what they move, what they refuse, and that a repeat moves nothing."""

from __future__ import annotations

import pytest

from tests.e2e.cast import Cast
from tests.e2e.hired import PARTS, events_of, fund, hired, kept_up, settle
from tests.e2e.people import Person, exchange


@pytest.fixture
def deal(cast: Cast, lisa: Person, james: Person, board: str) -> str:
    """Signed terms of two milestones, 600 and 1400 EUR."""
    return cast.at("hired", lisa, james, play=lambda: hired(lisa, james))


def test_a_script_must_say_how_much_it_moves_and_to_whom(lisa: Person, deal: str) -> None:
    missing = lisa.fails("fund", f"{deal}/1")
    assert (missing.exit, missing.code) == (2, "confirm.missing")
    wanted = missing.error["details"]["confirm"]
    assert wanted == "600.00 EUR held by @lisa"
    other = lisa.fails("fund", f"{deal}/1", "--confirm", "60.00 EUR held by @lisa")
    assert (other.exit, other.code, other.error["details"]["confirm"]) == (5, "confirm.mismatch", wanted)
    assert lisa.does("fund", f"{deal}/1", "--confirm", wanted)["state"] == "funding"


def test_the_full_id_may_stand_for_the_handle(lisa: Person, james: Person, deal: str) -> None:
    fund(lisa, f"{deal}/1")
    assert lisa.does("release", f"{deal}/1", "--confirm", f"600.00 EUR to {james.id}")["released"]["minor"] == 60_000


def test_funding_asks_and_the_agent_attests_that_the_money_came(lisa: Person, deal: str) -> None:
    asked = lisa.run("fund", f"{deal}/1", "--confirm", "600.00 EUR held by @lisa", "--json")
    op = asked.data["op"]
    assert (asked.data["state"], op["state"], op["kind"]) == ("funding", "authorized", "fund")
    assert any("not secured" in warning for warning in asked.json["warnings"])
    assert asked.json["next"][0] == {
        "who": "you",
        "command": f"chaise rail attest {op['id']} --ref TEXT",
        "until": None,
    }
    held = lisa.does("rail", "attest", op["id"], "--ref", "transfer 4711")
    assert (held["state"], held["held"]["text"]) == ("funded", "600.00 EUR")
    assert (held["op"]["state"], held["op"]["ref"]) == ("moved", "transfer 4711")


def test_with_a_reference_the_agents_own_device_attests_at_once(lisa: Person, deal: str) -> None:
    held = fund(lisa, f"{deal}/1")
    assert (held["state"], held["op"]["state"], held["op"]["ref"]) == ("funded", "moved", "transfer 4711")
    paid = lisa.does("release", f"{deal}/1", "--ref", "sepa 1", "--confirm", "600.00 EUR to @james")
    assert (paid["state"], paid["paid_out"]["minor"], paid["op"]["state"]) == ("released", 60_000, "moved")


def test_a_whole_deal_funds_every_planned_milestone(lisa: Person, deal: str) -> None:
    held = lisa.does("fund", deal, "--ref", "one transfer", "--confirm", "2000.00 EUR held by @lisa")
    assert [(one["n"], one["state"], one["op"]["state"]) for one in held] == [
        (1, "funded", "moved"),
        (2, "funded", "moved"),
    ]
    again = lisa.run("fund", deal, "--json")
    assert (again.exit, again.json["replayed"], len(again.data)) == (0, True, 2)


def test_money_goes_to_the_talent_in_parts_up_to_a_total(lisa: Person, deal: str) -> None:
    fund(lisa, f"{deal}/1")
    part = lisa.run("release", f"{deal}/1", "--total", "400EUR", "--confirm", "400.00 EUR to @james", "--json")
    assert (part.data["released"]["minor"], part.data["held"]["minor"]) == (40_000, 20_000)
    assert part.data["op"]["state"] == "released"
    before = events_of(lisa)
    again = lisa.run("release", f"{deal}/1", "--total", "400EUR", "--json")
    assert (again.exit, again.json["replayed"], again.json["events"]) == (0, True, [])
    assert events_of(lisa) == before
    rest = lisa.does("release", f"{deal}/1", "--confirm", "200.00 EUR to @james")
    assert (rest["state"], rest["released"]["minor"]) == ("released", 60_000)
    assert lisa.run("release", f"{deal}/1", "--json").json["replayed"] is True


def test_another_amount_moves_once_per_request_id(lisa: Person, deal: str) -> None:
    fund(lisa, f"{deal}/1")
    refused = lisa.fails("release", f"{deal}/1", "--amount", "100EUR", "--confirm", "100.00 EUR to @james")
    assert (refused.exit, refused.code) == (2, "usage.request_id_wanted")
    step = ("release", f"{deal}/1", "--amount", "100EUR", "--confirm", "100.00 EUR to @james", "--request-id", "w1")
    first = lisa.run(*step, "--json")
    second = lisa.run(*step, "--json")
    assert (first.json["replayed"], second.json["replayed"]) == (False, True)
    assert second.data["op"]["id"] == first.data["op"]["id"]
    assert second.data["released"]["minor"] == 10_000
    other = ("--amount", "200EUR", "--confirm", "200.00 EUR to @james", "--request-id", "w1")
    assert lisa.fails("release", f"{deal}/1", *other).exit == 12
    assert lisa.does(*step[:-1], "w2")["released"]["minor"] == 20_000


def test_a_request_id_is_known_to_a_home_that_only_received_it(lisa: Person, james: Person, deal: str) -> None:
    fund(lisa, f"{deal}/1")
    settle(lisa, james)
    step = ("refund", f"{deal}/1", "--amount", "100EUR", "--confirm", "100.00 EUR to @lisa", "--request-id", "back 1")
    james.does(*step)
    with james.session() as session, session.writing():
        session.db.execute("DELETE FROM request")  # as on another device of his
    again = james.run(*step, "--json")
    assert (again.exit, again.json["replayed"]) == (0, True)
    settle(lisa, james)
    assert lisa.does("show", f"{deal}/1")["refunded"]["minor"] == 10_000


def test_the_talents_refund_waits_for_the_agent_and_says_so(lisa: Person, james: Person, deal: str) -> None:
    fund(lisa, f"{deal}/1")
    settle(lisa, james)
    asked = james.run("refund", f"{deal}/1", "--confirm", "600.00 EUR to @lisa", "--json")
    assert (asked.data["final"], asked.data["op"]["state"], asked.data["refunded"]["minor"]) == (False, "authorized", 0)
    assert any("provisional until Lisa's device" in warning for warning in asked.json["warnings"])
    settle(lisa, james)
    assert james.does("show", f"{deal}/1")["state"] == "refunded"
    assert [(one["kind"], one["to"]["handle"]) for one in lisa.does("rail", "due")] == [("refund", "lisa")]


def test_only_the_agents_device_takes_a_reference(lisa: Person, james: Person, deal: str) -> None:
    fund(lisa, f"{deal}/1")
    settle(lisa, james)
    refused = james.fails("refund", f"{deal}/1", "--ref", "x", "--confirm", "600.00 EUR to @lisa")
    assert (refused.exit, refused.code) == (2, "rail.not_agent_here")


def test_a_later_reference_does_not_swallow_an_older_payout(lisa: Person, deal: str) -> None:
    fund(lisa, f"{deal}/1")
    older = lisa.does("release", f"{deal}/1", "--total", "400EUR", "--confirm", "400.00 EUR to @james")
    refused = lisa.fails("release", f"{deal}/1", "--ref", "sepa 2", "--confirm", "200.00 EUR to @james")
    assert (refused.exit, refused.code, refused.error["details"]["op"]) == (5, "rail.earlier_due", older["op"]["id"])
    assert lisa.does("show", f"{deal}/1")["released"]["minor"] == 40_000, "nothing of a refused call is kept"


def test_a_rehearsal_shows_everything_and_signs_nothing(lisa: Person, deal: str) -> None:
    fund(lisa, f"{deal}/1")
    before = events_of(lisa)
    answer = lisa.run("release", f"{deal}/1", "--dry-run", "--json")
    would = answer.data["would"]
    assert (answer.exit, would["confirm"]) == (0, "600.00 EUR to @james")
    assert would["kinds"] == ["release.authorized", "money.released"]
    assert [sum(line["amount"]["minor"] for line in entry["postings"]) for entry in would["entries"]] == [0]
    assert "--confirm '600.00 EUR to @james'" in answer.json["next"][0]["command"]
    assert events_of(lisa) == before
    assert lisa.does("show", f"{deal}/1")["released"]["minor"] == 0


@pytest.mark.parametrize(
    ("words", "exit_", "code"),
    [
        (("fund", "{deal}/1", "--total", "700EUR"), 5, "escrow.over_fund"),
        (("fund", "{deal}/1", "--total", "600USD"), 5, "escrow.other_currency"),
        (("fund", "{deal}/1", "--total", "0EUR"), 5, "escrow.unclear_amount"),
        (("fund", "{deal}", "--total", "600EUR"), 2, "usage.milestone_wanted"),
        (("fund", "{deal}/3"), 3, "milestone.unknown"),
        (("fund", "{deal}/0"), 2, "usage.bad_milestone_id"),
        (("fund", "{deal}/x"), 2, "usage.bad_milestone_id"),
        (("fund", "deal-0000"), 3, "id.unknown"),
        (("fund", "post-0000"), 2, "usage.bad_id"),
        (("release", "{deal}"), 2, "usage.milestone_wanted"),
        (("release", "{deal}/1"), 5, "deal.wrong_state"),
        (("release", "{deal}/1", "--total", "-5EUR"), 2, "money.unreadable"),
        (("release", "{deal}/1", "--total", "5"), 2, "money.currency_missing"),
        (("release", "{deal}/1", "--total", "5EUR", "--amount", "5EUR"), 2, "usage.two_amounts"),
        (("refund", "{deal}/1"), 5, "deal.not_yours"),
        (("fund", "{deal}/1", "--ref", " "), 2, "rail.bad_reference"),
        (("fund", "{deal}/1", "--ref", "x" * 201), 2, "rail.bad_reference"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_its_own_code(
    lisa: Person, deal: str, words: tuple[str, ...], exit_: int, code: str
) -> None:
    refused = lisa.fails(*(word.format(deal=deal) for word in words), "--confirm", "x")
    assert (refused.exit, refused.code) == (exit_, code), refused.error
    assert refused.error["hint"]


def test_over_what_is_held_nothing_is_released(lisa: Person, deal: str) -> None:
    fund(lisa, f"{deal}/1")
    refused = lisa.fails("release", f"{deal}/1", "--total", "601EUR", "--confirm", "601.00 EUR to @james")
    assert (refused.exit, refused.code) == (5, "escrow.over_release")


def test_a_script_writes_the_id_in_full(lisa: Person, deal: str) -> None:
    refused = lisa.fails("fund", f"{deal[:13]}/1", "--confirm", "600.00 EUR held by @lisa")
    assert (refused.exit, refused.code) == (2, "usage.full_id")


def test_the_other_side_cannot_act_for_one(lisa: Person, james: Person, deal: str) -> None:
    assert james.fails("fund", f"{deal}/1", "--confirm", "x").code == "deal.not_yours"
    assert james.fails("fund", deal, "--confirm", "x").code == "deal.not_yours"
    fund(lisa, f"{deal}/1")
    settle(lisa, james)
    assert james.fails("release", f"{deal}/1", "--confirm", "600.00 EUR to @james").code == "deal.not_yours"
    assert lisa.fails("refund", f"{deal}/1", "--confirm", "600.00 EUR to @lisa").code == "deal.not_yours"


def test_at_a_terminal_a_person_is_asked_instead(lisa: Person, deal: str) -> None:
    short = f"{deal[:13]}/1"
    no = lisa.run("fund", short, typed=["n"])
    assert "Have 600.00 EUR held by @lisa? [y/N]" in no.err
    assert no.exit == 2
    yes = lisa.run("fund", short, "--ref", "cash", typed=["y"])
    assert yes.exit == 0
    assert lisa.run("fund", short, "--ref", "cash", typed=[]).exit == 0, "a repeat asks nothing"


def test_nothing_is_said_of_money_before_the_hire(lisa: Person, james: Person, board: str) -> None:
    post = lisa.does("post", "Holiday campaign", "--budget", "1500..2500EUR")
    exchange(lisa, james)
    deal = james.does("propose", post["id"], "--price", "2000EUR")["id"]
    exchange(lisa, james)
    assert lisa.fails("fund", deal, "--confirm", "x").code == "deal.wrong_state"
    assert lisa.fails("fund", f"{deal}/1", "--confirm", "x").exit in {3, 5}


def test_upkeep_after_all_of_it_has_nothing_left_to_write(lisa: Person, james: Person, deal: str) -> None:
    fund(lisa, f"{deal}/1")
    settle(lisa, james)
    before = events_of(lisa), events_of(james)
    assert kept_up(lisa, james) == []
    assert (events_of(lisa), events_of(james)) == before
    assert len(PARTS) == 2
