"""A home brought back or mended from a relay, over HTTP and by ssh: real processes, some of which go away half way."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from chaise_cli.crypto import boxes, recovery
from chaise_cli.domain import own as bodies
from chaise_cli.ids import raw
from chaise_cli.session import seeking, syncing
from chaise_cli.session.replica import HomeReplica
from chaise_cli.session.writing import Writer
from chaise_cli.store import events
from sync.engine import BATCH_EVENTS
from tests.e2e.cast import Ground
from tests.e2e.people import Answer, Person
from tests.e2e.relay_process import RelayProcess
from tests.e2e.running import serving
from tests.e2e.several import joins
from tests.fakes.proxy import NONE, Fault, Proxy

ROOT: Final = Path(__file__).parents[2]
BODY: Final = "UPDATE event SET body = zeroblob(9) WHERE kind IN ('message.sent', 'post.published')"
WAYS: Final = ("relay", "peer", "ssh")


class Scene:
    """Lisa and James in a deal that lies at a relay; Lisa's phone holds all of hers."""

    def __init__(self, ground: Ground, relay: RelayProcess) -> None:
        ground.empty()
        self.ground, self.folder, self.relay = ground, ground.folder, relay
        self.lisa, self.james = Person(self.folder, "lisa"), Person(self.folder, "james")
        self.post = ground.at("met", self._meet, relay)
        self.deal = ""

    def _meet(self) -> str:
        self.lisa.init(role="client", tz="Europe/Berlin")
        self.james.init(role="talent")
        self.lisa.does("peer", "add", self.relay.url, "--invite-file", "-", stdin=self.relay.invite())
        made = self.lisa.does("board", "create", "marketing", "--at", self.relay.url)
        self.james.does("board", "join", "-", stdin=made["invite"])
        return str(self.lisa.does("post", "Campaign", "--budget", "1500..2500EUR", "--sync")["id"])

    def talked(self) -> None:
        """The deal, with a message of each side, when nothing else has happened yet."""
        self.deal = self.ground.at("talked", self._talk, self.relay)

    def talk(self) -> None:
        """The same after whatever has happened."""
        self.deal = self._talk()

    def _talk(self) -> str:
        self.james.does("sync")
        deal = self.james.does("propose", self.post, "--milestone", "Setup=600EUR@2026-12-01", "--sync")
        self.lisa.does("sync")
        self.lisa.does("shortlist", deal["id"])
        self.lisa.does("message", deal["id"], "Hello James", "--sync")
        self.james.does("sync")
        return str(deal["id"])

    def phone(self) -> Person:
        """A second device of Lisa's, let in at a stick that stays between the two."""
        stick = self.folder / "stick"
        stick.mkdir()
        self.lisa.does("sync", str(stick))
        return joins(self.lisa, "phone", stick)

    def lists(self) -> list[Any]:
        """What Lisa sees, without what is of one machine: what was read."""
        verbs = (("deals",), ("posts",), ("boards",), ("talents",), ("messages", self.deal))
        found = [self.lisa.does(*verb) for verb in verbs]
        return [[{key: value for key, value in one.items() if key != "unread"} for one in each] for each in found]

    def lose(self) -> None:
        """Lisa's laptop falls into the sea."""
        shutil.rmtree(self.lisa.home)
        self.lisa.key_file.unlink()

    def recover(self, place: str, code: Path | None = None, **more: Any) -> Answer:
        keys = ("--key-file", str(self.lisa.key_file))
        file = str(code or self.lisa.recovery_file)
        return self.lisa.run("init", "--recover", "--from", place, "--recovery-file", file, *keys, "--json", **more)

    def nothing_is_left(self) -> None:
        assert not self.lisa.home.exists()
        assert not self.lisa.key_file.exists()
        assert [path for path in self.folder.iterdir() if path.name.startswith(".")] == []


@pytest.fixture
def scene(ground: Ground, relay: RelayProcess) -> Scene:
    return Scene(ground, relay)


@pytest.fixture
def ssh(tmp_path: Path) -> dict[str, str]:
    """An environment in which `ssh HOST COMMAND` runs the command here."""
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    (bin_ / "chaise").write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m chaise_cli "$@"\n')
    (bin_ / "ssh").write_text('#!/bin/sh\nshift 2\nexec sh -c "$*"\n')
    for program in bin_.iterdir():
        program.chmod(0o700)
    return {"PATH": f"{bin_}:{os.environ['PATH']}"}


@contextmanager
def copy_of(scene: Scene, way: str) -> Iterator[str]:
    """Where a copy of Lisa's events can be had: the relay, or her phone."""
    if way == "relay":
        yield scene.relay.url
        return
    phone = scene.phone()
    with ExitStack() as stack:
        yield f"ssh://far{phone.home}" if way == "ssh" else stack.enter_context(serving(phone))[0]


@pytest.mark.parametrize("way", WAYS)
def test_everything_comes_back_from_every_kind_of_place(scene: Scene, ssh: dict[str, str], way: str) -> None:
    scene.talked()
    with copy_of(scene, way) as place:
        before, old = scene.lists(), scene.lisa.does("whoami")
        scene.lose()
        answer = scene.recover(place, env=ssh)
        assert answer.exit == 0, answer.err
        assert len(answer.json["warnings"]) == 1, "that lost devices can still act, and nothing else"
        assert answer.data["id"] == old["id"]
        assert answer.data["device"]["id"] != old["device"]["id"]
        assert scene.lists() == before
        assert scene.lisa.does("verify")["problems"] == []
    scene.lisa.does("message", scene.deal, "It is me again")
    (met,) = [one for one in scene.lisa.run("sync", "--json").data["peers"] if one["peer"] == scene.relay.url]
    assert (met["state"], met["problems"]) == ("done", [])
    scene.james.does("sync")
    assert scene.james.does("messages", scene.deal)[0]["text"] == "It is me again"
    assert scene.james.does("verify")["problems"] == []


@pytest.mark.parametrize("way", WAYS)
def test_damaged_events_come_back_from_every_kind_of_place(scene: Scene, ssh: dict[str, str], way: str) -> None:
    scene.talked()
    with copy_of(scene, way) as place:
        before, peers = scene.lists(), scene.lisa.does("peers")
        with scene.lisa.session() as session:
            assert session.db.execute(BODY).rowcount == 2
        assert scene.lisa.fails("verify").exit == 11
        done = scene.lisa.run("verify", "--repair", "--from", place, "--json", env=ssh)
        assert done.exit == 0, done.out
        assert done.json["warnings"] == ["the store was built anew from its events"]
        assert scene.lists() == before
        assert [one["peer"] for one in scene.lisa.does("peers")] == [one["peer"] for one in peers]
    scene.lisa.does("message", scene.deal, "Mended", "--sync")
    scene.james.does("sync")
    assert scene.james.does("messages", scene.deal)[0]["text"] == "Mended"
    assert all(one["caught"] == [] for one in scene.lisa.does("peers"))


def test_a_relay_that_was_never_named_mends_and_is_not_remembered(scene: Scene, tmp_path: Path) -> None:
    """A second address of the relay is another place to the home."""
    scene.talked()
    with scene.lisa.session() as session:
        assert session.db.execute(BODY).rowcount == 2
    other = scene.relay.url.replace("127.0.0.1", "localhost")
    assert scene.lisa.does("verify", "--repair", "--from", other)["problems"] == []
    assert [one["peer"] for one in scene.lisa.does("peers")] == [scene.relay.url]


def test_a_relay_knows_nobody_by_another_code_and_nothing_when_it_is_empty(scene: Scene, tmp_path: Path) -> None:
    ada = Person(tmp_path, "ada", role="client")
    scene.lose()
    answer = scene.recover(scene.relay.url, ada.recovery_file)
    assert (answer.exit, answer.code) == (3, "recover.nothing_found")
    scene.nothing_is_left()
    scene.relay.wipe()
    answer = scene.recover(scene.relay.url)
    assert (answer.exit, answer.code) == (3, "recover.nothing_found")
    scene.nothing_is_left()


def test_a_peer_of_somebody_else_holds_nothing_to_recover(scene: Scene) -> None:
    scene.talked()
    scene.lose()
    with serving(scene.james) as (url, _):
        answer = scene.recover(url)
    assert (answer.exit, answer.code) == (3, "recover.nothing_found")
    scene.nothing_is_left()


def test_a_relay_that_is_down_is_said(scene: Scene) -> None:
    scene.lose()
    scene.relay.stop()
    answer = scene.recover(scene.relay.url)
    scene.relay.start()
    assert (answer.exit, answer.code) == (13, "peer.no_answer")
    scene.nothing_is_left()


def goes_down(monkeypatch: pytest.MonkeyPatch, name: str, at: int, proxy: Proxy, after: int) -> None:
    """Connections begun from the `at`-th call of a function of `syncing` on are cut after so many bytes."""
    real: Callable[..., Any] = getattr(syncing, name)
    calls = []

    def run(*given: Any, **more: Any) -> Any:
        calls.append(1)
        if len(calls) == at:
            proxy.up, proxy.down = NONE, Fault(cut=after)
        return real(*given, **more)

    monkeypatch.setattr(syncing, name, run)


@pytest.mark.parametrize("after", [0, 700, 1500, 4000])
def test_a_relay_that_goes_down_while_it_is_looked_at_leaves_nothing_and_is_asked_again(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    scene.talked()
    before = scene.lists()
    scene.lose()
    with Proxy(("127.0.0.1", scene.relay.port)) as proxy:
        place = f"http://127.0.0.1:{proxy.port}"
        goes_down(monkeypatch, "look_at", 1, proxy, after)
        answer = scene.recover(place)
        assert (answer.exit, answer.code) == (13, "peer.no_answer")
        scene.nothing_is_left()
        proxy.heal()
        assert scene.recover(place).exit == 0
        assert scene.lists() == before


@pytest.mark.parametrize("after", [0, 700, 4000])
def test_a_relay_that_goes_down_while_all_is_fetched_leaves_a_home_that_goes_on(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    scene.talked()
    before = scene.lists()
    scene.lose()
    with Proxy(("127.0.0.1", scene.relay.port)) as proxy:
        place = f"http://127.0.0.1:{proxy.port}"
        goes_down(monkeypatch, "sync_once", 1, proxy, after)
        answer = scene.recover(place)
        assert answer.exit == 0
        assert any("not all could be fetched" in warning for warning in answer.json["warnings"])
        assert scene.lisa.does("verify")["problems"] == []
        proxy.heal()
        peers = scene.lisa.does("sync")["peers"]
        assert all(one["state"] == "done" for one in peers), peers
        assert scene.lists() == before


def test_a_phone_that_holds_only_a_part_gives_that_and_the_rest_comes_by_and_by(scene: Scene) -> None:
    phone = scene.phone()
    scene.talk()  # of which the phone hears nothing
    before = scene.lists()
    scene.lose()
    with serving(phone) as (url, _):
        assert scene.recover(url).exit == 0
    assert scene.lisa.does("deals") == []
    assert [one["title"] for one in scene.lisa.does("posts")] == ["Campaign"]
    assert scene.lisa.does("verify")["problems"] == []
    assert scene.lisa.run("sync", "--json").exit == 13, "the phone is away"
    assert scene.lists() == before


def test_newer_keys_than_the_copy_had_are_opened_by_the_code(scene: Scene) -> None:
    """The copy is from before a device was revoked, which changed all keys; only the root can read what came then."""
    phone = scene.phone()
    tablet = joins(scene.lisa, "tablet", scene.folder / "stick")
    gone = tablet.does("whoami")["device"]["id"]
    scene.lisa.does("device", "revoke", gone, "--sync")
    scene.talk()
    before = scene.lists()
    scene.lose()
    away = (scene.folder / "stick").rename(scene.folder / "elsewhere")
    with serving(phone) as (url, _):
        assert scene.recover(url).exit == 0
    told = scene.lisa.run("sync", "--json").json["warnings"]
    assert "self has a new key that this device cannot open yet" in " ".join(told)
    assert scene.lisa.does("deals") == []
    away.rename(scene.folder / "stick")
    scene.lisa.does("device", "renew", "--recovery-file", str(scene.lisa.recovery_file))
    scene.lisa.run("sync", "--json")
    assert scene.lists() == before
    assert scene.lisa.does("verify")["problems"] == []
    scene.lisa.does("profile", "--headline", "Back")


def test_a_self_space_longer_than_a_batch_is_found_whole(scene: Scene) -> None:
    """A peer gives the next part of a chain once it is told that the one before was kept."""
    with scene.lisa.session() as session, session.writing():
        space = events.spaces(session.db, "self")[0]
        names = [bodies.SelfDeviceNamed(session.me.device, f"laptop {number}") for number in range(BATCH_EVENTS + 500)]
        Writer(session).write(session.space(space.no), list(names))
    with copy_of(scene, "peer") as place, scene.lisa.session() as session:
        seeker = seeking.Seeker(session.me.identity)
        done = syncing.look_at(session, place, seeker, lambda *_: None)
        assert done.failure is None
        code = recovery.parse(scene.lisa.recovery_file.read_text())
        (found,) = seeker.ours(boxes.BoxKey(recovery.root_box_seed(code)))
        assert found.space == raw(space.id)
        held = {head for head in HomeReplica(session).heads(found.space) if head.seq > BATCH_EVENTS}
        assert held
        assert held <= found.heads
