from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.people import Person, exchange

SETUP, RUN = "Setup=600EUR@2026-12-01", "Run=1400EUR@2026-12-15"


@pytest.fixture
def post(lisa: Person, james: Person, board: str) -> str:
    """Lisa's post, known to both."""
    terms = ["--budget", "1500..2500EUR", "--deadline", "2026-12-20"]
    made = lisa.does("post", "Holiday campaign", "--kind", "marketing", "--skill", "seo", *terms)
    exchange(lisa, james)
    return str(made["id"])


@pytest.fixture
def proposal(lisa: Person, james: Person, post: str) -> str:
    """The deal in which James has proposed, known to both."""
    made = james.does("propose", post, "--milestone", SETUP, "--milestone", RUN, "--cover", "Ten years of it")
    exchange(lisa, james)
    return str(made["id"])


def test_a_proposal_opens_one_deal_that_both_sides_see_alike(lisa: Person, james: Person, proposal: str) -> None:
    hers, his = lisa.does("show", proposal), james.does("show", proposal)
    assert hers["state"] == his["state"] == "proposed"
    assert [step["title"] for step in hers["milestones"]] == ["Setup", "Run"]
    assert [step["amount"]["text"] for step in hers["milestones"]] == ["600.00 EUR", "1400.00 EUR"]
    assert (hers["cover"], hers["title"], hers["currency"]) == ("Ten years of it", "Holiday campaign", "EUR")
    assert (hers["client"]["handle"], hers["talent"]["handle"]) == ("lisa", "james")
    assert hers["milestones"][0]["due"] == "2026-12-02T05:00:00Z"  # the end of that day in New York


def test_a_request_is_answered_again_after_its_proposal_ran_out(james: Person, post: str) -> None:
    call = ("propose", post, "--price", "900EUR", "--valid-until", "2026-11-30", "--request-id", "p1")
    first = james.does(*call)
    james.now = "2026-12-24T12:00:00Z"
    again = james.run(*call, "--json")
    assert (again.exit, again.json["replayed"], again.data["id"]) == (0, True, first["id"])


def test_a_second_proposal_revises_the_first_and_keeps_what_is_not_said(
    james: Person, post: str, proposal: str
) -> None:
    again = james.does("propose", post, "--price", "1900EUR", "--due", "2026-12-10")
    assert again["id"] == proposal
    assert [(step["title"], step["amount"]["minor"]) for step in again["milestones"]] == [("Holiday campaign", 190_000)]
    assert again["cover"] == "Ten years of it"
    by_deal = james.does("propose", proposal, "--cover", "Shorter")
    assert (by_deal["cover"], by_deal["milestones"][0]["amount"]["minor"]) == ("Shorter", 190_000)


def test_the_same_proposal_again_changes_nothing(james: Person, proposal: str) -> None:
    again = james.run("propose", proposal, "--milestone", SETUP, "--milestone", RUN, "--json")
    assert (again.exit, again.json["replayed"], again.json["events"]) == (0, True, [])


def test_a_request_id_makes_a_proposal_once(james: Person, post: str) -> None:
    call = ("propose", post, "--price", "900EUR", "--request-id", "r1", "--json")
    first, second = james.run(*call), james.run(*call)
    assert (first.data["id"], first.json["events"]) == (second.data["id"], second.json["events"])
    assert (first.json["replayed"], second.json["replayed"]) == (False, True)
    other = james.fails("propose", post, "--price", "901EUR", "--request-id", "r1")
    assert other.exit == 12


def test_a_rehearsal_shows_the_deal_and_keeps_nothing(james: Person, post: str) -> None:
    shown = james.does("propose", post, "--price", "900EUR", "--dry-run")
    assert shown["state"] == "proposed"
    assert james.does("deals") == []


def test_a_proposal_beyond_the_post_says_so(james: Person, post: str) -> None:
    said = james.run("propose", post, "--price", "2600EUR", "--due", "2026-12-22", "--json").json["warnings"]
    assert "100.00 EUR above the post's budget" in said
    assert "the last due date is 2d6h after the post's deadline" in said
    late = james.run("propose", post, "--price", "2400EUR", "--due", "2026-11-01", "--json").json["warnings"]
    assert late == ["the due date of 'Holiday campaign' is past"]


def test_next_names_who_acts_and_the_whole_command(james: Person, post: str) -> None:
    answer = james.run("propose", post, "--price", "900EUR", "--json")
    first = answer.json["next"][0]
    assert first == {"who": "Lisa", "command": f"chaise shortlist {answer.data['id']}", "until": None}
    assert answer.json["next"][-1]["command"] == "chaise sync"


@pytest.mark.parametrize(
    ("options", "code", "exit_"),
    [
        ([], "proposal.no_price", 2),
        (["--cover", "hello"], "proposal.no_price", 2),
        (["--price", "900EUR", "--milestone", SETUP], "proposal.two_prices", 2),
        (["--milestone", SETUP, "--due", "2026-12-01"], "proposal.two_prices", 2),
        (["--milestone", SETUP, "--milestone", "Run=5USD"], "money.mixed_currency", 5),
        (["--milestone", "Setup"], "usage.bad_milestone", 2),
        (["--price", "0EUR"], "usage.bad_field", 2),
        (["--price", "900"], "money.currency_missing", 2),
        (["--price", "900EUR", "--valid-until", "2026-11-01"], "proposal.past", 2),
        (["--price", "900EUR", "--valid-until", "soon"], "time.unreadable", 2),
        (["--price", "900EUR", "--tz", "CET"], "time.unknown_zone", 2),
        (["--price", "900EUR", "--cover", "x", "--cover-file", "y"], "usage.two_texts", 2),
    ],
)
def test_a_wrong_proposal_is_refused_by_name(
    james: Person, post: str, options: list[str], code: str, exit_: int
) -> None:
    answer = james.fails("propose", post, *options)
    assert (answer.code, answer.exit) == (code, exit_)
    assert james.does("deals") == []


def test_nobody_proposes_on_their_own_post_nor_as_the_client(lisa: Person, post: str, proposal: str) -> None:
    assert lisa.fails("propose", post, "--price", "1EUR").code == "post.own"
    refused = lisa.fails("propose", proposal, "--price", "1EUR")
    assert (refused.code, refused.exit) == ("deal.not_yours", 5)


def test_a_closed_post_takes_no_new_proposals(lisa: Person, james: Person, post: str) -> None:
    lisa.does("close", post)
    exchange(lisa, james)
    refused = james.fails("propose", post, "--price", "900EUR")
    assert (refused.code, refused.exit) == ("post.ended", 5)


def test_an_invitation_opens_a_deal_that_the_proposal_goes_into(lisa: Person, james: Person, post: str) -> None:
    made = lisa.does("invite", post, "@james", "--note", "You come recommended")
    assert (made["state"], made["milestones"], made["currency"]) == ("invited", [], None)
    again = lisa.run("invite", post, "@james", "--json")
    assert again.json["replayed"]
    exchange(lisa, james)
    assert james.does("inbox")[0]["next"] == f"chaise propose {made['id']} --price AMOUNT"
    proposed = james.does("propose", post, "--price", "900EUR")
    assert (proposed["id"], proposed["state"]) == (made["id"], "proposed")


def test_an_invitation_wants_a_post_of_ones_own_and_somebody_known(lisa: Person, james: Person, post: str) -> None:
    assert james.fails("invite", post, "@lisa").code == "post.not_yours"
    assert lisa.fails("invite", post, "@me").code == "deal.yourself"
    nobody = lisa.fails("invite", post, "@nobody")
    assert (nobody.code, nobody.exit) == ("person.unknown", 3)


def test_proposals_for_a_post_are_set_against_it(lisa: Person, james: Person, post: str, proposal: str) -> None:
    james.does("propose", proposal, "--price", "2600EUR", "--due", "2026-12-22")
    exchange(lisa, james)
    (found,) = lisa.does("deals", post)
    compare = found["compare"]
    assert (compare["total"]["text"], compare["over_budget"]["text"]) == ("2600.00 EUR", "100.00 EUR")
    assert (compare["after_deadline"], compare["paid_reviews"]) == (True, 0)
    table = lisa.run("deals", post).out
    assert "over by 100.00 EUR" in table
    assert "@james" in table


def test_deals_are_filtered_sorted_and_cut(lisa: Person, james: Person, post: str, proposal: str) -> None:
    james.now = "2026-11-21T12:00:00Z"
    talk = james.does("message", "@lisa", "About something else")["deal"]
    assert talk == proposal, "the only deal with Lisa that goes on is meant"
    second = lisa.does("post", "Second", "--kind", "web")["id"]
    exchange(lisa, james)
    james.now = "2026-11-21T12:30:00Z"
    other = james.does("propose", second, "--price", "100EUR")["id"]
    assert ids(james.does("deals")) == [other, proposal]
    assert ids(james.does("deals", "--limit", "1")) == [other]
    assert ids(james.does("deals", "--sort", "total")) == [other, proposal]
    assert ids(james.does("deals", "--sort", "due")) == [proposal, other]
    assert ids(james.does("deals", "--state", "hired")) == []
    assert ids(james.does("deals", "--with", "@lisa", "--state", "proposed", "--state", "hired")) == [other, proposal]
    assert ids(james.does("deals", second)) == [other]
    assert ids(james.does("deals", "--since", "2026-11-22")) == []
    assert james.run("deals", "--ids").out.split() == [other, proposal]


def ids(found: list[dict[str, Any]]) -> list[str]:
    return [each["id"] for each in found]


@pytest.mark.parametrize(
    ("call", "code", "exit_"),
    [
        (["deals", "--state", "lost"], "usage.not_a_choice", 2),
        (["deals", "--sort", "size"], "usage.not_a_choice", 2),
        (["deals", "--limit", "0"], "usage.out_of_range", 2),
        (["deals", "--with", "@who"], "person.unknown", 3),
        (["deals", "deal-0000"], "usage.bad_id", 2),
        (["deals", "post-zzzz"], "id.unknown", 3),
        (["shortlist", "post-zzzz"], "usage.bad_id", 2),
        (["shortlist", "deal-zzzz"], "id.unknown", 3),
        (["decline", "msg-zzzz"], "usage.bad_id", 2),
        (["show", "zzzzzzzz"], "id.unknown", 3),
        (["show", "nonsense-zzzz"], "usage.bad_id", 2),
    ],
)
def test_wrong_ids_and_words_are_refused_by_name(
    lisa: Person, board: str, call: list[str], code: str, exit_: int
) -> None:
    answer = lisa.fails(*call)
    assert (answer.code, answer.exit) == (code, exit_)


def test_only_the_client_shortlists_and_once(lisa: Person, james: Person, proposal: str) -> None:
    assert james.fails("shortlist", proposal).code == "deal.not_yours"
    assert lisa.does("shortlist", proposal)["state"] == "shortlisted"
    assert lisa.run("shortlist", proposal, "--json").json["replayed"]
    milestone = lisa.fails("shortlist", f"{proposal}/1")
    assert milestone.code == "usage.milestone_unwanted"


def test_a_declined_proposal_can_be_made_again(lisa: Person, james: Person, proposal: str) -> None:
    assert james.fails("decline", proposal).code == "deal.not_yours"
    assert lisa.does("decline", proposal, "--reason", "too late")["state"] == "declined"
    assert lisa.run("decline", proposal, "--json").json["replayed"]
    exchange(lisa, james)
    assert james.does("propose", proposal, "--price", "900EUR")["state"] == "proposed"


def test_a_proposal_is_withdrawn_by_its_own_side(lisa: Person, james: Person, proposal: str) -> None:
    assert lisa.fails("withdraw", proposal).code == "deal.not_yours"
    assert james.does("withdraw", proposal)["state"] == "withdrawn"
    exchange(lisa, james)
    refused = lisa.fails("shortlist", proposal)
    assert (refused.code, refused.exit) == ("deal.wrong_state", 5)


def test_options_that_do_not_belong_to_the_thing_named_are_refused(lisa: Person, proposal: str) -> None:
    for call in (
        ["accept", proposal, "--slot", "1"],
        ["cancel", proposal],
        ["accept", f"{proposal}/1", "--terms", "x"],
    ):
        answer = lisa.fails(*call)
        assert (answer.code, answer.exit) == ("usage.not_for_this", 2)
