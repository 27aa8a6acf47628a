"""Whole deals of people with two devices each, through a folder: either acts, the agent device puts it in order."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from tests.e2e.cast import Ground
from tests.e2e.people import Person
from tests.e2e.several import joins


class Cast(NamedTuple):
    laptop: Person
    phone: Person
    desk: Person  # James's
    pocket: Person

    def sync(self, times: int = 2) -> None:
        """Everybody syncs, in turn."""
        for _ in range(times):
            for person in self:
                person.does("sync")


@pytest.fixture
def cast(ground: Ground) -> Cast:
    ground.empty()
    lisa, phone, james, pocket = (Person(ground.folder, name) for name in ("lisa", "phone", "james", "pocket"))

    def play() -> str:
        place = ground.folder / "shared"
        place.mkdir()
        lisa.init(role="client", tz="Europe/Berlin")
        james.init(role="talent", tz="America/New_York")
        made = lisa.does("board", "create", "marketing", "--at", str(place))
        james.does("board", "join", "-", stdin=made["invite"])
        lisa.does("sync")
        joins(lisa, "phone", place)
        joins(james, "pocket", place)
        people.sync()
        return ""

    people = Cast(lisa, phone, james, pocket)
    ground.at("people", play)
    return people


@pytest.fixture
def deal(ground: Ground, cast: Cast) -> str:
    """A deal that the phone posted."""
    return ground.at("hired", lambda: hired(cast))


def hired(cast: Cast, poster: Person | None = None) -> str:
    """A deal whose first milestone is held, each step taken on another device; who posted has the agent's role."""
    post = (poster or cast.phone).does("post", "Campaign", "--budget", "1500..2500EUR")
    cast.sync()
    asked = ("--milestone", "Setup=600EUR@2026-12-01", "--milestone", "Run=1400EUR@2026-12-15")
    deal = str(cast.pocket.does("propose", post["id"], *asked)["id"])
    cast.sync()
    cast.laptop.does("shortlist", deal)
    cast.phone.does("sync")
    terms = cast.phone.does("hire", deal)["terms_hash"]
    cast.sync()
    cast.desk.does("accept", deal, "--terms", terms)
    cast.sync()
    confirm = f"600.00 EUR held by {cast.laptop.at}"
    funded = cast.laptop.does("fund", f"{deal}/1", "--confirm", confirm)
    cast.sync()
    agent = cast.laptop if cast.laptop.does("rail", "due") else cast.phone
    agent.does("rail", "attest", funded["op"]["id"], "--ref", "transfer 4711")
    cast.sync()
    return deal


def alike(cast: Cast, deal: str) -> None:
    """All four devices show the same deal, and find nothing wrong."""
    shown = [person.does("show", deal) for person in cast]
    assert all({**one, "may": None} == {**shown[0], "may": None} for one in shown)
    assert all(person.does("verify")["problems"] == [] for person in cast)


def test_a_deal_is_done_on_two_devices_each_in_turn(cast: Cast, deal: str) -> None:
    assert cast.desk.does("show", deal)["totals"]["held"]["text"] == "600.00 EUR"
    cast.pocket.does("deliver", f"{deal}/1", "--note", "done")
    cast.sync()
    cast.laptop.does("release", f"{deal}/1", "--confirm", f"600.00 EUR to {cast.desk.at}")
    cast.sync()
    assert cast.pocket.does("show", deal)["totals"]["released"]["text"] == "600.00 EUR"
    cast.phone.does("review", deal, "--stars", "5", "--text", "Great")
    cast.desk.does("review", deal, "--stars", "4", "--text", "Clear")
    cast.sync(4)
    assert {one["stars"] for one in cast.laptop.does("reviews", deal)} == {4, 5}
    alike(cast, deal)


def test_money_moves_once_when_both_devices_release_at_once(cast: Cast, deal: str) -> None:
    for person in (cast.laptop, cast.phone):
        person.does("release", f"{deal}/1", "--confirm", f"600.00 EUR to {cast.desk.at}", "--no-sync")
    cast.sync()
    totals = cast.desk.does("show", deal)["totals"]
    assert (totals["released"]["text"], totals["held"]["text"]) == ("600.00 EUR", "0.00 EUR")
    alike(cast, deal)


def test_the_next_step_names_the_device_that_has_to_sync(cast: Cast, deal: str) -> None:
    agent = cast.laptop if cast.laptop.does("whoami")["device"]["id"] == _agent(cast, deal) else cast.phone
    other = cast.phone if agent is cast.laptop else cast.laptop
    answer = other.run("release", f"{deal}/1", "--confirm", f"600.00 EUR to {cast.desk.at}", "--no-sync", "--json")
    name = agent.does("whoami")["device"]["name"]
    assert {"who": f"your device {name}", "command": "chaise sync", "until": None} in answer.json["next"]
    assert other.does("show", deal)["final"] is False


def test_a_request_done_on_one_device_is_a_repeat_on_the_other(cast: Cast, deal: str) -> None:
    asks = (
        ("message", deal, "Hello", "--request-id", "m1"),
        ("post", "Banner", "--budget", "10EUR", "--request-id", "p1"),
        ("book", deal, "--at", "2026-11-25 15:00", "--request-id", "b1"),
        ("board", "create", "second", "--at", str(cast.laptop.folder / "shared"), "--request-id", "c1"),
        ("profile", "--headline", "Buyer", "--request-id", "h1"),
        ("release", f"{deal}/1", "--confirm", f"600.00 EUR to {cast.desk.at}", "--request-id", "r1"),
    )
    first = [cast.laptop.run(*ask, *_board(ask, cast), "--json") for ask in asks]
    assert [one.exit for one in first] == [0] * 6, [one.err for one in first]
    cast.sync()
    for ask, before in zip(asks, first, strict=True):
        again = cast.phone.run(*ask, *_board(ask, cast), "--json")
        assert (again.exit, again.json["replayed"]) == (0, True), (ask, again.err)
        assert again.data["id"] == before.data["id"]
    other = cast.phone.fails("message", deal, "Other", "--request-id", "m1")
    assert (other.exit, other.code) == (12, "request.reused_elsewhere")
    alike(cast, deal)


def _board(ask: tuple[str, ...], cast: Cast) -> tuple[str, ...]:
    return ("--board", "marketing") if ask[0] == "post" else ()


def _agent(cast: Cast, deal: str) -> str:
    return str(cast.laptop.does("show", deal)["agent_device"])


def test_a_stolen_laptop_is_revoked_and_the_deal_goes_on_from_the_phone(cast: Cast, tmp_path: Path) -> None:
    deal = hired(cast, cast.laptop)
    assert _is_agent(cast.laptop, deal)
    laptop = next(one for one in cast.phone.does("devices") if one["name"] == "laptop")
    assert cast.phone.fails("device", "revoke", laptop["id"]).code == "device.may_not_revoke"
    refused = cast.phone.fails("device", "revoke", laptop["id"][:12], "--recovery-file", str(tmp_path / "nothing"))
    assert refused.exit == 2
    code = ("--recovery-file", str(cast.laptop.recovery_file))
    revoked = cast.phone.run("device", "revoke", laptop["id"], *code, "--json")
    assert (revoked.exit, revoked.data["state"]) == (0, "revoked"), revoked.err
    assert any(f"agent device now of {deal}" in warning for warning in revoked.json["warnings"])
    assert revoked.data["agent_of"] == 0
    assert cast.phone.run("device", "revoke", laptop["id"], *code, "--json").json["replayed"]
    for person in (cast.desk, cast.phone, cast.pocket):
        person.does("sync")
    assert _is_agent(cast.phone, deal)
    cast.phone.does("release", f"{deal}/1", "--confirm", f"600.00 EUR to {cast.desk.at}")
    for person in (cast.desk, cast.pocket, cast.phone):
        person.does("sync")
    assert cast.desk.does("show", deal)["totals"]["released"]["text"] == "600.00 EUR"
    cast.desk.does("message", deal, "only for you")
    cast.desk.does("sync")
    told = cast.laptop.run("sync", "--json")
    assert any("revoked" in problem for peer in told.data["peers"] for problem in peer["problems"])
    assert "only for you" not in cast.laptop.run("messages", deal, "--json").out
    assert cast.laptop.fails("message", deal, "me").code == "device.this_revoked"
    assert cast.laptop.fails("message", deal, "me").exit == 4
    failed = [one["name"] for one in cast.laptop.run("doctor", "--json").data["checks"] if not one["ok"]]
    assert failed == ["device"]
    cast.phone.does("sync")
    assert "only for you" in cast.phone.run("messages", deal, "--json").out


def _is_agent(person: Person, deal: str) -> bool:
    return bool(person.does("show", deal)["agent_device"] == person.does("whoami")["device"]["id"])


def test_the_role_moves_by_hand(cast: Cast, deal: str) -> None:
    agent, other = (cast.laptop, cast.phone) if _is_agent(cast.laptop, deal) else (cast.phone, cast.laptop)
    moved = agent.run("agent", "move", deal, "--to", other.does("whoami")["device"]["id"], "--json")
    assert (moved.exit, moved.json["replayed"]) == (0, False), moved.err
    cast.sync()
    assert _is_agent(other, deal)
    assert other.run("agent", "move", deal, "--json").json["replayed"]
    assert agent.fails("agent", "move", deal).code == "agent.had_before"
    assert agent.fails("agent", "move").code == "usage.which_deals"
    assert cast.desk.fails("agent", "move", deal).exit == 5
    alike(cast, deal)
