"""A home that was copied, at the command line: told, renewed, and a contested deal settled."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from tests.e2e.hired import fund, hired, settle
from tests.e2e.people import Answer, Person


def copied(person: Person, folder: Path) -> Person:
    """Another home that is the same, key file and anchor included."""
    other = Person(folder, person.handle)
    shutil.copytree(person.home, other.home)
    return other


def together(place: Path, *people: Person) -> dict[str, Answer]:
    """Everybody visits a shared folder, often enough for all to come round."""
    answers: dict[str, Answer] = {}
    for _ in range(3):
        answers |= {str(one.folder): one.run("sync", str(place), "--json") for one in people}
    return answers


def release(person: Person, deal: str) -> Any:
    return person.does("release", f"{deal}/1", "--confirm", "600.00 EUR to @james", "--no-sync")


def test_two_copies_of_the_agents_home_release_money_and_the_sides_settle_it(tmp_path: Path) -> None:
    lisa, james = Person(tmp_path, "lisa", role="client"), Person(tmp_path, "james", role="talent")
    lisa.does("board", "create", "marketing")
    james.does("board", "join", "-", stdin=lisa.does("board", "invite")["invite"])
    settle(lisa, james)
    deal = hired(lisa, james)
    fund(lisa, f"{deal}/1")
    settle(lisa, james)
    james.does("deliver", f"{deal}/1", "--note", "done")
    settle(lisa, james)
    place = tmp_path / "shared"
    place.mkdir()
    together(place, lisa, james)
    other = copied(lisa, tmp_path / "elsewhere")
    other.does("message", deal, "From the copy", "--no-sync")
    for one in (lisa, other):
        release(one, deal)
    together(place, lisa, james, other)

    told = james.run("doctor", "--json").data["checks"]
    assert [one["hint"] for one in told if one["name"] == "contested"] == [f"chaise agent settle {deal}"]
    found = james.does("verify")
    assert (len(found["forks"]), found["problems"]) == (1, [])
    assert james.does("show", deal)["contested"]
    assert "(contested)" in james.run("show", deal).out
    assert james.does("inbox")[0]["kind"] == "contested"
    refused = james.run("deliver", f"{deal}/1", "--note", "more", "--json", "--no-sync")
    assert (refused.exit, refused.code) == (6, "deal.contested")

    behind = lisa.run("message", deal, "Hello?", "--json", "--no-sync")
    assert (behind.exit, behind.code) == (11, "store.behind_anchor")
    assert lisa.run("verify", "--json").exit == 11
    for one in (lisa, other):
        one.does("device", "renew")
    assert "From the copy" in james.run("messages", deal).out
    assert "(other history)" in james.run("messages", deal).out

    shown = james.run("agent", "settle", deal)
    assert shown.exit == 0
    assert shown.out.count("money.released") == 2
    last = james.does("agent", "settle", deal)["histories"][0]["last"]
    assert james.does("agent", "settle", deal, "--last", last)["contested"]
    together(place, lisa, james, other)
    assert not lisa.does("agent", "settle", deal, "--last", last)["contested"]
    together(place, lisa, james, other)
    for one in (lisa, james, other):
        seen = one.does("show", deal)
        assert not seen["contested"]
        assert seen["milestones"][0]["released"]["minor"] == 60_000
        assert one.does("verify")["problems"] == []
    assert other.run("agent", "settle", deal, "--last", last, "--json").code == "deal.not_contested"
