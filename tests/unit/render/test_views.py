"""What people read of an object: that it says what is so, to this reader, and nothing that is not."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest

from chaise_cli.render import human, views
from chaise_cli.render.emit import OutputOptions
from chaise_cli.render.eye import Eye, shortener
from chaise_cli.render.plain import text_of
from chaise_cli.result import Next, Result
from tests.unit.render.samples import DEAL, JAMES, LISA, SAMPLES, eur

BERLIN = Eye("Europe/Berlin", shortener(""))
FIGURES = {
    "reviews": 3, "stars_x100": 485, "recommended": 2, "paid_deals": 4, "secured_deals": 1, "self_paid_deals": 3,
}  # fmt: skip


def page(shape: str, item: dict[str, Any], eye: Eye = BERLIN) -> str:
    return text_of(views.page_of(shape, item, eye), None)


def table(shape: str, *items: dict[str, Any], eye: Eye = BERLIN) -> list[str]:
    return text_of([views.table_of(shape, items, eye)], None).splitlines()


def test_talents_are_listed_with_their_stars_and_paid_deals() -> None:
    heads, reviewed, unknown = table(
        "profile", SAMPLES["profile"] | {"reputation": FIGURES}, SAMPLES["profile"] | {"reputation": None}
    )
    assert heads.split()[4:7] == ["STARS", "PAID", "DEALS"]
    assert "4.9 of 5 (3)           4" in reviewed
    assert "of 5" not in unknown


def test_a_profile_says_how_much_of_its_standing_nobody_else_saw() -> None:
    shown = page("profile", SAMPLES["profile"] | {"reputation": FIGURES})
    assert "4.9 of 5 in 3 reviews" in shown
    assert "2 of 3 would again" in shown
    assert "1 secured by a third party" in shown
    assert "3 self-paid: a side held the money itself" in shown
    assert "stars" not in page("profile", SAMPLES["profile"])
    only_reviewed = FIGURES | {"reviews": 0, "stars_x100": None, "recommended": 0}
    assert "stars" not in page("profile", SAMPLES["profile"] | {"reputation": only_reviewed})


def test_a_profile_says_how_somebody_keeps_to_calls_as_far_as_that_is_known() -> None:
    kept = {"met": 5, "missed": 1, "late": 2}
    shown = [page("profile", SAMPLES["profile"] | {"reliability": kept | other}) for other in ({}, {"missed": 0})]
    assert "5 met, 1 missed, 2 cancelled late or lost" in shown[0]
    assert "5 met, 2 cancelled late or lost" in shown[1]
    assert "calls" not in page("profile", SAMPLES["profile"] | {"reliability": None})


def proposal(total: str, budget: str | None, over: str | None = None) -> dict[str, Any]:
    nothing = {"minor": 0, "currency": "", "text": ""}
    compare = {
        "total": eur(total) if total else nothing, "over_budget": eur(over) if over else None,
        "last_due": "2026-12-16T05:00:00Z" if total else None, "after_deadline": False, "paid_reviews": 0,
        "budget": eur(budget) if budget else None,
    }  # fmt: skip
    step = SAMPLES["milestone"] | {"due": "2026-12-16T05:00:00Z", "tz": "America/New_York"}
    return SAMPLES["deal"] | {"compare": compare, "milestones": [step] if total else []}


@pytest.mark.parametrize(
    ("deal", "words"),
    [
        (proposal("2000", "2500"), "within"),
        (proposal("2600", "2500", "100"), "over by 100.00 EUR"),
        (proposal("2000", None), ""),
        (proposal("", "2500"), ""),
    ],
)
def test_a_proposal_is_set_against_the_budget_only_where_there_are_both(deal: dict[str, Any], words: str) -> None:
    row = table("deal", deal)[1]
    assert ("within" in row, "over" in row) == ("within" in words, "over" in words)
    assert words in row


def test_a_proposal_in_another_currency_is_not_called_within() -> None:
    deal = proposal("2000", None)
    deal["compare"]["budget"] = {"minor": 250_000, "currency": "USD", "text": "2500.00 USD"}
    assert "is in USD" in table("deal", deal)[1]


def test_a_last_due_date_is_a_day_where_it_was_meant() -> None:
    assert "15 Dec 2026 " in table("deal", proposal("2000", "2500"))[1]


def test_nobody_is_told_that_they_have_a_call_with_themselves() -> None:
    call = SAMPLES["booking"] | {"attendees": [LISA, JAMES]}
    for reader, other in ((LISA, "@james"), (JAMES, "@lisa")):
        eye = BERLIN._replace(me=str(reader["id"]))
        assert f"@{reader['handle']}" not in table("booking", call, eye=eye)[1]
        assert other in table("booking", call, eye=eye)[1]
    shown = page("booking", call, BERLIN._replace(me=str(LISA["id"])))
    assert (shown.count("@lisa"), shown.count("@james")) == (1, 1)
    shown = page("booking", call, BERLIN._replace(me=str(JAMES["id"])))
    assert (shown.count("@lisa"), shown.count("@james")) == (1, 0)


def test_what_is_due_on_a_rail_says_for_which_milestone_and_what_to_do() -> None:
    op = SAMPLES["op"] | {"milestone": f"{DEAL}/1", "text": f"pay 600.00 EUR to @james for {DEAL}/1"}
    assert table("op", op)[1].endswith("release  deal-7k3m9q2x/1  pay 600.00 EUR to @james for deal-7k3m9q2x/1")


@pytest.mark.parametrize(
    ("again", "kind", "to", "line"),
    [
        (False, "fund", LISA, "this call:    fund 600.00 EUR held by @lisa: authorized"),
        (False, "release", JAMES, "this call:    release 600.00 EUR to @james: authorized"),
        (True, "release", JAMES, "before:       release 600.00 EUR to @james: authorized"),
    ],
)
def test_a_milestone_says_what_this_call_moved(again: bool, kind: str, to: dict[str, Any], line: str) -> None:
    shown = page(
        "milestone",
        SAMPLES["milestone"] | {"op": SAMPLES["op"] | {"kind": kind, "to": to}},
        BERLIN._replace(again=again),
    )
    assert line in shown.splitlines()


def test_a_rehearsal_says_what_would_be_signed_and_booked() -> None:
    would = {"confirm": "600.00 EUR to @james", "kinds": ["release.authorized"], "entries": [SAMPLES["journal_entry"]]}
    step = SAMPLES["milestone"] | {"would": would, "op": SAMPLES["op"]}
    shown = page("milestone", step)
    assert "would move:   600.00 EUR to @james\nwould sign:   release.authorized\nwould book:   600.00 EUR" in shown
    assert "this call" not in shown
    assert "would sign" in printed(Result("fund", [step]))


def test_a_locked_home_tells_no_name() -> None:
    nobody: dict[str, Any] = dict.fromkeys(("id", "handle", "name", "role", "tz"), "")
    locked = nobody | {"currency": None, "device": {"id": "", "name": ""}, "home": "/h", "unlocked_until": None}
    assert page("identity", locked) == "home: /h\n"


def test_a_deadline_on_the_agenda_is_a_day_and_a_call_an_instant() -> None:
    item = SAMPLES["agenda_item"] | {"at": "2026-12-15T23:00:00Z", "kind": "due"}
    assert "15 Dec 2026, end of day Berlin" in table("agenda_item", item)[1]
    assert "16 Dec 2026 00:00 Berlin" in table("agenda_item", item | {"kind": "call"})[1]


def printed(result: Result) -> str:
    stream = StringIO()
    human.write(result, OutputOptions(), stream, None)
    return stream.getvalue()


def test_at_most_three_next_steps_are_told_and_always_what_was_not_sent() -> None:
    steps = [Next(f"P{n}", f"chaise show {n}") for n in range(4)]
    for given, told in (
        (steps, ["P0", "P1", "P2"]),
        ([*steps, Next("not sent yet (1 event)", "chaise sync")], ["P0", "P1", "not sent yet (1 event)"]),
        (steps[:1], ["P0"]),
    ):
        stream = StringIO()
        human.write_next(Result("hire", {"id": DEAL}, next=given), OutputOptions(), stream, None)
        assert [line.split(": ")[1] for line in stream.getvalue().splitlines()] == told


def test_warnings_name_things_as_the_data_beside_them_does() -> None:
    stream = StringIO()
    result = Result("show", {"id": DEAL}, warnings=[f"{DEAL} is not secured \x1b[31m"])
    human.write_warnings(result, OutputOptions(), stream, None)
    assert stream.getvalue() == "warning: deal-7k3m9q2x is not secured <U+001B>[31m\n"


def test_the_inbox_keeps_to_one_line_an_item_and_shows_the_command_whole() -> None:
    """Bare `chaise` is at most ten lines at eighty columns, each ending in what to type."""
    command = "chaise rail attest op-4tq8xm2k --ref TEXT"
    long = SAMPLES["inbox_item"] | {"text": "a very long text " * 8, "next": command}
    shown = text_of([views.table_of("inbox_item", [long] * 9, BERLIN)], 80).splitlines()
    assert len(shown) == 10
    assert all(line.endswith(command) and len(line) <= 80 for line in shown[1:])
