"""Every writing command, killed or failed at each call that changes a file.

Nothing acknowledged is lost, the home opens, `verify` is clean, and the same command again does it once.
"""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from chaise_cli.ids import raw
from chaise_cli.store import own
from tests.e2e.people import Person
from tests.fakes import straced
from tests.fakes.straced import Syscall

Known = dict[str, str]  # ids that earlier commands made
KILLS, ERRORS = 3, 1  # how many calls of each command are tried in the suite; all of them in a soak
PARTS: Final = ("--milestone", "Setup=600EUR@2026-12-01", "--milestone", "Run=1400EUR@2026-12-15")
REF: Final = ("--ref", "transfer 4711")

# Who, the command with its request id, and the name under which what it made is known.
STORY: Final[dict[str, tuple[str, Callable[[Known], Sequence[str]], str]]] = {
    "board create": ("lisa", lambda k: ["board", "create", "more", "--at", k["stick"]], ""),
    "profile": ("james", lambda _: ["profile", "--headline", "Sites", "--skill", "python"], ""),
    "post": ("lisa", lambda k: ["post", "Campaign", "--kind", "marketing", "--board", k["board"]], "post"),
    "propose": ("james", lambda k: ["propose", k["post"], *PARTS], "deal"),
    "hire": ("lisa", lambda k: ["hire", k["deal"]], ""),
    "accept": ("james", lambda k: ["accept", k["deal"], "--terms", k["terms"]], ""),
    "fund": ("lisa", lambda k: ["fund", f"{k['deal']}/1", *REF, "--confirm", "600.00 EUR held by @lisa"], ""),
    "deliver": ("james", lambda k: ["deliver", f"{k['deal']}/1", "--note", "done", "--file", k["file"]], ""),
    "changes": ("lisa", lambda k: ["changes", f"{k['deal']}/1", "the pixel"], ""),
    "message": ("james", lambda k: ["message", k["deal"], "See there", "--file", k["file"]], ""),
    "release": ("lisa", lambda k: ["release", f"{k['deal']}/1", *REF, "--confirm", "600.00 EUR to @james"], ""),
    "book": ("james", lambda k: ["book", k["deal"], "--at", "2026-11-25T15:00:00Z"], "call"),
    "accept a call": ("lisa", lambda k: ["accept", k["call"], "--slot", "1"], ""),
    "device renew": ("lisa", lambda _: ["device", "renew"], ""),
    "sync": ("james", lambda _: ["sync"], ""),
}


class Play:
    """Lisa and James and a stick between them, as far as one command of the story."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "play"
        self.kept = folder / "kept"
        (self.folder / "stick").mkdir(parents=True)
        (folder / "plan.txt").write_text("a plan")
        self.people = {
            "lisa": Person(self.folder, "lisa", role="client", tz="UTC"),
            "james": Person(self.folder, "james", role="talent", tz="UTC"),
        }
        made = self.people["lisa"].does("board", "create", "market", "--at", str(self.folder / "stick"))
        self.people["james"].does("board", "join", "-", stdin=made["invite"])
        self.known = {"stick": str(self.folder / "stick"), "board": made["id"], "file": str(folder / "plan.txt")}

    def until(self, command: str) -> Person:
        """Play what comes before a command; who gives it."""
        for name, (who, argv, makes) in STORY.items():
            if name == command:
                shutil.copytree(self.folder, self.kept)
                return self.people[who]
            data = self.people[who].does(*argv(self.known), "--request-id", name) if name != "sync" else {}
            if makes:
                self.known[makes] = data["id"]
            if name == "hire":
                self.known["terms"] = data["terms_hash"]
            for person in self.people.values():
                person.does("sync")
        raise AssertionError("no such command")

    def back(self) -> None:
        """Everything as it was before the command."""
        shutil.rmtree(self.folder)
        shutil.copytree(self.kept, self.folder)


@contextmanager
def typed(play: Play, command: str) -> Iterator[tuple[Person, list[str]]]:
    """Whoever gives a command, about to give it, with the words typed."""
    straced.wanted()
    person = play.until(command)
    argv = [*STORY[command][1](play.known), "--json"]
    argv += ["--request-id", command] if command != "sync" else []
    with person._here({}):
        yield person, argv


def events(person: Person) -> dict[bytes, str]:
    """What a home has written with any of its keys."""
    with person.session() as session:
        keys = [raw(device) for device, _ in own.devices(session.db)]
        query = "SELECT e.id, e.kind FROM event e JOIN chain c ON c.no = e.chain WHERE c.device = ?"
        return {id_: kind for key in keys for id_, kind in session.db.execute(query, (key,)).fetchall()}


def some(calls: list[Syscall], count: int, config: pytest.Config) -> list[Syscall]:
    """A few calls at equal distances; all of them in a soak."""
    if config.option.markexpr != "not soak":
        return calls
    step = max(1, len(calls) // count)
    return calls[step // 2 :: step][:count]


def sound(person: Person, before: dict[bytes, str], about: object) -> None:
    """What was acknowledged before is there, and the home is whole."""
    found = person.run("verify", "--json")
    assert (found.exit, found.data["problems"]) == (0, []), about
    assert before.items() <= events(person).items(), about


def told(out: str) -> Any:
    """What a command that did not live to its end had answered already."""
    return json.loads(out) if out.endswith("\n") else None


@pytest.fixture
def play(tmp_path: Path) -> Play:
    return Play(tmp_path)


@pytest.mark.parametrize("command", STORY)
def test_a_command_killed_at_a_write_loses_nothing_and_can_be_given_again(
    play: Play, command: str, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    with typed(play, command) as (person, argv):
        before = events(person)
        whole, calls = straced.calls(argv, play.folder, tmp_path / "log")
        assert whole.status == 0, whole.err
        wanted = sorted(events(person).values())
        for call in some(calls, KILLS, pytestconfig):
            play.back()
            ended = straced.killed(argv, call)
            assert ended.status == -signal.SIGKILL, (call, ended)
            sound(person, before, call)
            answer = told(ended.out)
            again = person.run(*argv)
            assert again.exit == 0, (call, again.err)
            assert sorted(events(person).values()) == wanted, call
            assert answer is None or again.json["data"].get("id") == answer["data"].get("id"), call
            sound(person, before, call)


@pytest.mark.parametrize("error", ["ENOSPC", "EIO"])
@pytest.mark.parametrize("command", STORY)
def test_a_command_whose_write_fails_says_so_and_can_be_given_again(
    play: Play, command: str, error: str, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    with typed(play, command) as (person, argv):
        before = events(person)
        whole, calls = straced.calls(argv, play.folder, tmp_path / "log")
        wanted = sorted(events(person).values())
        assert whole.status == 0, whole.err
        for call in some(calls[len(error) % 2 :], ERRORS, pytestconfig):
            play.back()
            ended = straced.failing(argv, call, error)
            assert ended.status in {0, 4, 5, 11, 13}, (call, ended)
            assert "Traceback" not in ended.err, (call, ended)
            sound(person, before, call)
            again = person.run(*argv)
            assert again.exit == 0, (call, again.err)
            assert sorted(events(person).values()) == wanted, call
