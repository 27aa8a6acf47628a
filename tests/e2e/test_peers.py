"""Homes that reach one another over HTTP, and stay in touch: served, watched and waited on by real processes."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.hired import hired, settle
from tests.e2e.people import Person, exchange
from tests.e2e.running import running, serving


def titles(person: Person) -> set[str]:
    return {post["title"] for post in person.does("posts")}


def shared(person: Person) -> str:
    """A folder that the person's home goes to."""
    place = person.folder / "shared"
    place.mkdir(exist_ok=True)
    return str(place)


@pytest.fixture
def silent() -> Iterator[str]:
    """A place that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as held:
        yield f"http://127.0.0.1:{held.getsockname()[1]}"


def test_two_homes_meet_over_http(lisa: Person, james: Person, board: str) -> None:
    lisa.does("post", "Campaign", "--board", board)
    with serving(lisa) as (url, server):
        (met,) = james.does("sync", url)["peers"]
        assert (met["peer"], met["state"]) == (url, "done")
        assert "Campaign" in titles(james)
        assert server.peer() | {"peer": james.id, "received": 0} == server_said(james.id, met["received"])
        james.does("profile", "--headline", "Fast")
        assert james.does("sync")["peers"][0]["sent"] == 1
        assert server.peer()["received"] == 1
        assert server.told() == 0
    assert lisa.does("profile", "@james")["headline"] == "Fast"
    assert james.fails("sync").code == "peer.no_answer"


def server_said(peer: str, sent: int) -> dict[str, Any]:
    return {"peer": peer, "sent": sent, "received": 0, "rejected": 0, "state": "done", "problems": []}


def test_many_peers_at_once_all_come_to_hold_the_same(tmp_path: Path, lisa: Person, james: Person, board: str) -> None:
    ada = Person(tmp_path, "ada", role="talent")
    ada.does("board", "join", "-", stdin=lisa.does("board", "invite")["invite"])
    exchange(lisa, ada)
    hosts = [james, ada]
    with serving(lisa) as (url, server):
        for round_ in range(3):
            for one in hosts:
                one.does("profile", "--headline", f"{one.handle} {round_}")
            with ExitStack() as stack:
                processes = [stack.enter_context(running(one, "sync", url, "--json")) for one in hosts]
                lisa.does("post", f"Post {round_}", "--board", board)
                assert [process.ended() for process in processes] == [0, 0]
        for one in hosts:
            one.does("sync", url)
        assert server.told() == 0
    for one in hosts:
        assert titles(one) == {"Post 0", "Post 1", "Post 2"}
        assert lisa.does("profile", one.at)["headline"] == f"{one.handle} 2"
    for one in (lisa, *hosts):
        assert one.does("verify")["problems"] == []


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_a_watch_brings_news_from_there_and_takes_what_is_written_here(
    lisa: Person, james: Person, board: str, stop: int
) -> None:
    with serving(lisa) as (url, server):
        james.does("sync", url)
        with running(james, "sync", "--watch", "--json") as watch:
            lisa.does("post", "Campaign", "--board", board)
            assert watch.peer()["received"] == 1
            assert "Campaign" in titles(james)
            assert server.peer()["sent"] == 1
            james.does("profile", "--headline", "Fast")
            assert watch.peer()["sent"] == 1
            assert server.peer()["received"] == 1
            assert lisa.does("profile", "@james")["headline"] == "Fast"
            assert watch.told(stop) == 0
        assert server.told(stop) == 0


def test_a_watch_of_a_folder_notices_what_another_machine_leaves_there(lisa: Person, james: Person, board: str) -> None:
    place = shared(lisa)
    lisa.does("sync", place)
    with running(james, "sync", place, "--watch", "--json") as watch:
        watch.line()
        lisa.does("post", "Campaign", "--board", board, "--sync")
        assert watch.peer()["received"] == 1
        assert watch.told() == 0
    assert "Campaign" in titles(james)


def test_a_dead_place_holds_up_no_other(lisa: Person, james: Person, board: str, silent: str) -> None:
    place = shared(lisa)
    lisa.does("sync", place)
    james.does("sync", place)
    _remember(james, silent)
    with running(james, "sync", "--watch", "--json") as watch:
        lisa.does("post", "Campaign", "--board", board, "--sync")
        told = watch.peer()
        assert (told["peer"], told["received"]) == (place, 1)
        assert watch.told() == 0


def _remember(person: Person, url: str) -> None:
    with person.session() as session, session.writing():
        session.db.execute("INSERT INTO place(url, auto) VALUES (?, 0)", (url,))


def test_a_place_that_goes_and_comes_is_told_of_once_each(lisa: Person, james: Person, board: str) -> None:
    place = Path(shared(lisa))
    lisa.does("sync", str(place))
    james.does("sync", str(place))
    with running(james, "sync", "--watch", "--json") as watch:
        place.rename(place.with_name("elsewhere"))
        gone = watch.line()
        assert (gone["ok"], gone["error"]["exit"], gone["data"]["peers"][0]["state"]) == (False, 13, "failed")
        place.with_name("elsewhere").rename(place)
        assert watch.line()["ok"]
        assert watch.told() == 0


def test_a_watch_ends_when_its_time_is_over_and_needs_a_place(lisa: Person, james: Person, board: str) -> None:
    assert lisa.fails("sync", "--watch", "--for", "0").code == "sync.no_places"
    place = shared(lisa)
    lisa.does("sync", place)
    quiet = lisa.run("sync", "--watch", "--for", "1s")
    assert (quiet.exit, quiet.out) == (0, "")
    told = james.run("sync", place, "--watch", "--for", "1s")
    assert told.exit == 0
    assert told.out.startswith(f"{place}: sent ")


def test_who_waits_with_sync_is_woken_by_the_places(lisa: Person, james: Person, board: str) -> None:
    post = lisa.does("post", "Campaign", "--board", board)["id"]
    with serving(lisa) as (url, server):
        james.does("sync", url)
        with running(james, "wait", post, "--until", "closed", "--sync", "--json") as wait:
            lisa.does("close", post)
            assert wait.line()["data"]["state"] == "closed"
            assert wait.ended() == 0
        assert server.told() == 0


def test_a_glance_with_sync_asks_the_places_once(lisa: Person, james: Person, board: str) -> None:
    place = shared(lisa)
    post = lisa.does("post", "Campaign", "--board", board)["id"]
    lisa.does("sync", place)
    james.does("sync", place)
    lisa.does("close", post, "--sync")
    assert james.fails("wait", post, "--until", "closed", "--timeout", "0").code == "wait.not_yet"
    assert james.does("wait", post, "--until", "closed", "--timeout", "0", "--sync")["state"] == "closed"


@pytest.mark.parametrize(
    ("argv", "code"),
    [
        (["peer", "serve", "--listen", "0.0.0.0:0"], "usage.needs_tls"),
        (["peer", "serve", "--listen", "example.org:1"], "usage.needs_tls"),
        (["peer", "serve", "--listen", ":1"], "usage.bad_listen"),
        (["peer", "serve", "--listen", "here"], "usage.bad_listen"),
        (["peer", "serve", "--listen", "127.0.0.1:99999"], "usage.bad_listen"),
        (["peer", "serve", "--listen", "::1:5"], "usage.bad_listen"),
        (["peer", "serve", "--tls-key", "x"], "usage.tls_key_alone"),
        (["peer", "serve", "--tls-cert", "nothing.pem"], "usage.bad_tls"),
        (["sync", "--status", "--watch"], "usage.status_alone"),
        (["sync", "--all"], "usage.status_alone"),
        (["sync", "--for", "1m"], "usage.watch_alone"),
        (["sync", "--stdio", "--watch"], "usage.watch_alone"),
        (["sync", "http://relay.example"], "place.insecure"),
        (["sync", "https://a:b@relay.example"], "place.bad_address"),
    ],
)
def test_what_does_not_go_together_is_refused(lisa: Person, argv: list[str], code: str) -> None:
    refused = lisa.fails(*argv)
    assert (refused.code, refused.exit) == (code, 2)


def test_an_address_that_is_taken_is_said(lisa: Person) -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        taken = lisa.run("peer", "serve", "--listen", f"127.0.0.1:{held.getsockname()[1]}", "--json")
    assert taken.exit == 13
    assert "peer.cannot_listen" in taken.err


def test_serving_ends_after_one_exchange_when_told_so(lisa: Person, james: Person, board: str) -> None:
    with serving(lisa, "--once") as (url, server):
        james.does("sync", url)
        assert server.ended() == 0
    human = lisa.run("peer", "serve", "--listen", "127.0.0.1:0", "--for", "0")
    assert (human.exit, human.out) == (0, "")
    assert human.err.startswith("serving at http://127.0.0.1:")


# Status


def test_where_an_event_is_is_told_as_far_as_it_is_known(lisa: Person, james: Person, board: str) -> None:
    deal = hired(lisa, james)
    settle(lisa, james)
    lisa.does("sync", shared(lisa))
    lisa.does("message", deal, "One more thing")
    here = status_of(lisa, deal)
    assert (here["delivery"], here["places"], here["seen"]) == ("local", [], False)
    counts = spaces(lisa)[deal]
    assert (counts["local"], counts["oldest"]["id"]) == (1, here["id"])
    assert lisa.run("messages", deal, "--json").exit == 0

    place = shared(lisa)
    lisa.does("sync", place)
    there = status_of(lisa, deal)
    assert (there["delivery"], there["places"]) == ("folder", [{"place": place, "how": "folder"}])
    assert spaces(lisa)[deal]["local"] == 0
    assert spaces(lisa)[deal]["oldest"] is None

    with serving(james) as (url, _):
        lisa.does("sync", url)
    met = status_of(lisa, deal)
    assert (met["delivery"], met["seen"]) == ("peer", False)
    assert met["places"] == [{"place": place, "how": "folder"}, {"place": url, "how": "peer"}]
    assert {entry["delivery"] for entry in lisa.does("log", deal) if entry["id"] == met["id"]} == {"peer"}

    james.does("message", deal, "Seen")
    exchange(lisa, james)
    seen = status_of(lisa, deal)
    assert (seen["delivery"], seen["seen"], len(seen["places"])) == ("seen", True, 2)
    assert spaces(lisa)[deal]["seen"] >= 1


def status_of(person: Person, deal: str) -> dict[str, Any]:
    """Of the newest message of the person in the deal."""
    found = person.does("sync", "--status")["events"]
    assert {event["by"]["id"] for event in found if event["by"]} == {person.id}
    return next(event for event in found if event["space"] == deal and event["kind"] == "message.sent")


def spaces(person: Person) -> dict[str, Any]:
    return {space["space"]: space for space in person.does("sync", "--status")["spaces"]}


def test_status_asks_nobody_and_writes_nothing(lisa: Person, james: Person, board: str, silent: str) -> None:
    _remember(lisa, silent)
    before = (lisa.home / "anchor").read_bytes()
    events = lisa.does("sync", "--status", "--all")["events"]
    assert {event["by"]["handle"] for event in events if event["by"]} == {"lisa", "james"}
    assert all(event["seen"] for event in events if event["by"] and event["by"]["handle"] == "james")
    page = lisa.run("sync", "--status")
    assert page.exit == 0
    assert "ONLY HERE" in page.out
    assert (lisa.home / "anchor").read_bytes() == before
