"""Several devices of one person at a relay, and over HTTP: let in there, and struck off."""

from __future__ import annotations

import signal
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from chaise_cli.session import doors, pairing
from tests.e2e.cast import Ground
from tests.e2e.people import Person
from tests.e2e.relay_process import RelayProcess
from tests.e2e.running import Running, running, serving
from tests.e2e.several import code_of, knocks


@pytest.fixture
def laptop(ground: Ground, relay: RelayProcess) -> Person:
    ground.empty()
    lisa = Person(ground.folder, "lisa")

    def play() -> str:
        lisa.init(role="client", tz="Europe/Berlin")
        lisa.does("peer", "add", relay.url, "--invite-file", "-", stdin=relay.invite())
        lisa.does("board", "create", "marketing", "--at", relay.url)
        lisa.does("post", "Campaign", "--budget", "100EUR")
        return ""

    ground.at("laptop", play, relay)
    return lisa


def never() -> None:
    raise AssertionError("nobody was to be waited for")


def joins(laptop: Person, name: str, relay: RelayProcess, *options: str) -> Person:
    """A further device, let in at the relay by a sync while it waits."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(doors, "ASK_S", 0)
        phone, answer = knocks(laptop, name, relay.url, code_of(laptop, *options), lambda: laptop.run("sync"))
    assert answer.exit == 0, answer.err
    assert answer.json["warnings"] == []
    return phone


def synced(person: Person) -> Any:
    (peer,) = person.does("sync")["peers"]
    assert (peer["state"], peer["problems"]) == ("done", []), peer
    return peer


def test_a_device_joins_through_a_relay_whose_invite_it_does_not_have(laptop: Person, relay: RelayProcess) -> None:
    phone = joins(laptop, "phone", relay)
    assert phone.does("whoami")["id"] == laptop.does("whoami")["id"]
    assert [one["title"] for one in phone.does("posts")] == ["Campaign"]
    assert [(one["kind"], one["unsent"], one["problem"]) for one in phone.does("peers")] == [("relay", 0, None)]
    phone.does("post", "Second campaign", "--budget", "100EUR")
    synced(phone)
    synced(laptop)
    assert {one["title"] for one in laptop.does("posts")} == {"Campaign", "Second campaign"}
    assert laptop.does("verify")["problems"] == phone.does("verify")["problems"] == []


def test_whoever_waits_is_told_by_the_relay_at_once(laptop: Person, relay: RelayProcess) -> None:
    """The device that joins is a process of its own, begun when the other one begins to wait."""
    phone, file = Person(laptop.folder, "phone", now=laptop.now or ""), laptop.folder / "code"
    original, waits = doors.wait, ExitStack()
    begun: list[Running] = []

    def wait(session: Any, urls: Any, sync: Any, patience: doors.Patience) -> bool:
        way = ("device", "join", "--code-file", str(file), "--at", relay.url, "--name", "phone", "--json")
        begun.append(waits.enter_context(running(phone, *way)))
        return original(session, urls, sync, patience._replace(sleep=lambda _: None))

    with waits, pytest.MonkeyPatch.context() as patch:
        patch.setattr(doors, "wait", wait)
        made = laptop.does("device", "add", "--code-out", str(file), "--via", relay.url)
        assert begun[0].ended() == 0
    assert made["device"]["name"] == "phone"
    assert [one["title"] for one in phone.does("posts")] == ["Campaign"]


def test_a_wrong_code_a_used_one_and_one_for_another_place_say_so(laptop: Person, relay: RelayProcess) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(doors, "ASK_S", 0)
        wrong, answer = knocks(laptop, "wrong", relay.url, pairing.write_code(bytes(20)), never)
        assert answer.code == "pairing.no_mailbox"
        assert not wrong.home.exists()
        code = code_of(laptop)
        knocks(laptop, "first", relay.url, code, never)
        assert knocks(laptop, "second", relay.url, code, never)[1].code == "pairing.used"


def test_a_code_is_left_at_a_relay_that_this_device_never_met(laptop: Person, tmp_path: Path) -> None:
    """It registers there first, or says what it lacks for that."""
    other = RelayProcess(tmp_path / "other relay")
    try:
        file = laptop.folder / "code"
        add = ("device", "add", "--no-wait", "--code-out", str(file), "--via", other.url)
        assert laptop.fails(*add).code == "relay.not_admitted"
        assert not file.exists()
        laptop.does("peer", "add", other.url, "--invite-file", "-", stdin=other.invite())
        assert laptop.does(*add)["via"] == [other.url]
    finally:
        other.stop(signal.SIGKILL)


def test_a_device_joins_at_a_home_that_is_served(laptop: Person) -> None:
    with serving(laptop) as (url, _):
        stranger, refused = knocks(laptop, "tablet", url, pairing.write_code(bytes(20)), never)
        assert (refused.exit, refused.code) == (3, "pairing.no_mailbox")
        assert not stranger.home.exists()
        phone, answer = knocks(laptop, "phone", url, code_of(laptop), never)
        assert (answer.exit, answer.json["warnings"]) == (0, []), answer.err
        assert [one["title"] for one in phone.does("posts")] == ["Campaign"]
        phone.does("post", "Second campaign", "--budget", "100EUR")
        assert phone.run("sync", url).exit == 0
    assert {one["title"] for one in laptop.does("posts")} == {"Campaign", "Second campaign"}
    assert {one["name"] for one in laptop.does("devices")} == {"laptop", "phone"}


def test_a_revoked_device_is_struck_off_at_the_relay(laptop: Person, relay: RelayProcess) -> None:
    phone, limited = joins(laptop, "phone", relay), joins(laptop, "tablet", relay, "--limited")
    (gone,) = (one["id"] for one in laptop.does("devices") if one["name"] == "phone")
    relay.stop()
    revoked = laptop.run("device", "revoke", gone, "--json")
    assert revoked.exit == 0, revoked.err
    relay.start()
    synced(phone)  # the relay was not told yet; the phone learns nothing of it, and nobody takes its word
    synced(laptop)
    answer = phone.fails("sync")
    assert (answer.exit, answer.code) == (5, "relay.struck")
    assert f"struck off at {relay.url}" in answer.error["message"]
    synced(limited)
    assert {one["name"]: one["state"] for one in limited.does("devices")}["phone"] == "revoked"
    laptop.does("post", "Third campaign", "--budget", "100EUR")
    synced(laptop)
    synced(limited)
    assert "Third campaign" in {one["title"] for one in limited.does("posts")}
    add = ("device", "add", "--no-wait", "--code-out", str(phone.folder / "more"), "--via", relay.url)
    assert phone.fails(*add).code == "relay.struck"


@pytest.mark.parametrize("where", ["relay", "folder"])
def test_a_watch_lets_a_device_in_that_asks_meanwhile(laptop: Person, relay: RelayProcess, where: str) -> None:
    place = relay.url if where == "relay" else str(laptop.folder / "stick")
    if where == "folder":
        Path(place).mkdir()
        laptop.does("sync", place)
    phone = Person(laptop.folder, "phone")
    with running(laptop, "sync", "--watch", "--json"):
        file = laptop.folder / "code"
        laptop.does("device", "add", "--no-wait", "--via", place, "--code-out", str(file))
        with running(phone, "device", "join", "--at", place, "--code-file", str(file), "--json") as join:
            answer = join.line()
            assert (answer["ok"], answer["warnings"]) == (True, [])
            assert join.ended() == 0
    assert [one["title"] for one in phone.does("posts")] == ["Campaign"]
    assert len(laptop.does("devices")) == 2
