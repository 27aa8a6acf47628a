from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.hired import fund
from tests.e2e.people import Person
from tests.e2e.relay_process import RelayProcess


@pytest.fixture
def relay(tmp_path: Path) -> Iterator[RelayProcess]:
    made = RelayProcess(tmp_path / "relay")
    yield made
    made.stop(signal.SIGKILL)


def add(person: Person, relay: RelayProcess) -> Any:
    return person.does("peer", "add", relay.url, "--invite-file", "-", stdin=relay.invite())


def meet(lisa: Person, james: Person, relay: RelayProcess) -> None:
    """Lisa has the relay's invite, James only that of her board."""
    add(lisa, relay)
    made = lisa.does("board", "create", "marketing", "--at", relay.url)
    joined = james.run("board", "join", "-", "--json", stdin=made["invite"])
    assert (joined.exit, joined.json["warnings"], joined.data["at"]) == (0, [], [relay.url])


def proposed(lisa: Person, james: Person) -> str:
    lisa.does("post", "Holiday campaign", "--budget", "500..900EUR", "--deadline", "2026-12-20")
    james.does("sync")
    (post,) = james.does("posts")
    return str(james.does("propose", post["id"], "--milestone", "Setup=600EUR@2026-12-01")["id"])


def synced(person: Person) -> Any:
    (peer,) = person.does("sync")["peers"]
    assert (peer["state"], peer["problems"]) == ("done", []), peer
    return peer


def test_a_deal_goes_through_a_relay_that_is_restarted_again_and_again(
    lisa: Person, james: Person, relay: RelayProcess
) -> None:
    meet(lisa, james, relay)
    deal = proposed(lisa, james)
    relay.restart()
    synced(lisa)
    lisa.does("hire", deal)
    synced(james)
    terms = james.does("show", deal)["terms_hash"]
    james.does("accept", deal, "--terms", terms)
    relay.restart()
    synced(lisa)
    fund(lisa, f"{deal}/1")
    synced(james)
    (james.folder / "site.tar").write_bytes(b"site" * 400_000)
    james.does("deliver", f"{deal}/1", "--file", str(james.folder / "site.tar"), "--note", "all met")
    relay.stop(signal.SIGKILL)
    relay.start()
    synced(lisa)
    lisa.does("files", deal, "--fetch", str(lisa.folder / "got"))
    assert (lisa.folder / "got" / "site.tar").read_bytes() == b"site" * 400_000
    lisa.does("release", f"{deal}/1", "--confirm", f"600.00 EUR to {james.at}")
    synced(james)
    assert james.does("show", deal)["totals"]["released"]["text"] == "600.00 EUR"
    for one in (lisa, james):
        synced(one)
        (place,) = one.does("peers")
        assert (place["kind"], place["unsent"], place["problem"], place["caught"]) == ("relay", 0, None, [])
        assert one.does("verify")["problems"] == []


def test_the_log_tells_what_lies_at_a_relay(lisa: Person, james: Person, relay: RelayProcess) -> None:
    meet(lisa, james, relay)
    deal = proposed(lisa, james)
    synced(lisa)
    relay.stop()
    answer = lisa.run("message", deal, "Hello", "--json")
    assert answer.exit == 0
    assert "not synced" in answer.json["warnings"][0]
    assert "not sent yet" in str(answer.json["next"])
    said = lisa.does("log", deal)
    assert said[0]["delivery"] == "local"
    assert {entry["delivery"] for entry in said[1:]} <= {"relay", "seen"}
    assert lisa.fails("sync").exit == 13
    (place,) = lisa.does("peers")
    assert (place["unsent"], "does not answer" in place["problem"]) == (1, True)
    relay.start()
    synced(lisa)
    assert lisa.does("log", deal)[0]["delivery"] == "relay"
    assert lisa.does("peers")[0]["problem"] is None


def test_a_relay_begun_anew_is_named_and_filled_up_from_here(lisa: Person, james: Person, relay: RelayProcess) -> None:
    meet(lisa, james, relay)
    deal = proposed(lisa, james)
    synced(lisa)
    relay.wipe()
    assert lisa.fails("sync").code == "relay.not_admitted"
    added = lisa.run("peer", "add", relay.url, "--invite-file", "-", "--json", stdin=relay.invite())
    assert added.exit == 0, added.err
    (place,) = lisa.does("peers")
    assert [one["code"] for one in place["caught"]] == ["relay.replaced"]
    assert "relay.stranger" in str(added.json["warnings"])  # the deal waits until James is there again
    assert place["unsent"] > 0
    answer = james.run("sync", "--json")
    assert answer.exit == 0
    assert any("another relay answers" in text for text in answer.json["warnings"])
    ada = Person(lisa.folder, "ada", role="talent")
    ada.does("board", "join", "-", stdin=lisa.does("board", "invite")["invite"])
    assert {one["person"]["handle"] for one in ada.does("talents")} >= {"james"}
    lisa.does("message", deal, "Still there?")
    synced(lisa)
    assert lisa.does("peers")[0]["unsent"] == 0
    synced(james)
    assert [one["text"] for one in james.does("messages", deal)] == ["Still there?"]


def test_a_relay_put_back_to_an_old_state_is_reported_by_its_address(
    lisa: Person, james: Person, relay: RelayProcess
) -> None:
    meet(lisa, james, relay)
    old = relay.saved("monday")
    deal = proposed(lisa, james)
    synced(lisa)
    relay.put_back(old)
    answer = lisa.fails("sync")
    assert (answer.exit, answer.code) == (11, "relay.rolled_back")
    assert relay.url in answer.error["message"]
    assert answer.data["peers"][0]["state"] == "partial"
    (place,) = lisa.does("peers")
    assert {one["code"] for one in place["caught"]} == {"relay.rolled_back", "relay.wiped"}  # the board, and the deal
    assert place["unsent"] == 0
    synced(lisa)
    assert lisa.does("peers")[0]["problem"] is None
    james.run("sync")
    synced(james)
    james.does("message", deal, "All is there")
    synced(lisa)
    assert lisa.does("messages", deal)


def test_peers_are_added_and_forgotten(lisa: Person, james: Person, relay: RelayProcess, tmp_path: Path) -> None:
    assert lisa.does("peers") == []
    assert lisa.fails("peer", "add", relay.url).code == "relay.not_admitted"
    assert lisa.fails("peer", "add", relay.url, "--invite-file", "-", stdin="XXXX").code == "relay.not_admitted"
    place = add(lisa, relay)
    assert (place["peer"], place["kind"], place["auto"], place["boards"]) == (relay.url, "relay", False, [])
    lisa.does("board", "create", "marketing")
    lisa.does("board", "create", "design")
    assert lisa.does("peer", "add", f"{relay.url}/", "--auto", "--board", "design")["boards"] == ["design"]
    (stick := tmp_path / "stick").mkdir()
    assert lisa.does("peer", "add", str(stick))["boards"] == ["marketing", "design"]
    assert [one["kind"] for one in lisa.does("peers")] == ["relay", "folder"]
    assert lisa.fails("peer", "add", str(stick), "--invite-file", "-", stdin="XXXX").code == "place.takes_no_invite"
    answer = lisa.run("peer", "remove", str(stick), "--json")
    assert "of yours lie at no other place" in answer.json["warnings"][0]
    assert lisa.fails("peer", "remove", str(stick)).code == "place.unknown"
    assert "no place is left" in str(lisa.run("peer", "remove", relay.url, "--json").json["warnings"])
    assert lisa.does("peers") == []
    assert lisa.fails("peer", "add", "http://relay.example").code == "place.insecure"
    assert lisa.does("peers") == []


def test_a_place_that_does_not_answer_is_remembered_all_the_same(lisa: Person, relay: RelayProcess) -> None:
    invite = relay.invite()
    relay.stop()
    answer = lisa.fails("peer", "add", relay.url, "--invite-file", "-", stdin=invite)
    assert (answer.exit, answer.code, answer.data["kind"]) == (13, "peer.no_answer", "web")
    relay.start()
    synced(lisa)
    assert lisa.does("peers")[0]["kind"] == "relay"


def test_a_person_types_the_relays_invite_unseen(lisa: Person, relay: RelayProcess) -> None:
    answer = lisa.run("peer", "add", relay.url, typed=[relay.invite()])
    assert answer.exit == 0
    assert lisa.does("peers")[0]["kind"] == "relay"


def test_nothing_readable_and_no_invite_lies_at_the_relay(lisa: Person, james: Person, relay: RelayProcess) -> None:
    meet(lisa, james, relay)
    lisa.does("post", "Holiday campaign", "--brief", "Seven secret chairs")
    synced(james)
    relay.stop()
    for path in (relay.folder / "store").rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert b"Holiday" not in data
            assert b"secret chairs" not in data
    relay.start()
