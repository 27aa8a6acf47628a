"""Every writing command, killed or failed at each call that changes a file.

Nothing acknowledged is lost, the home opens, `verify` is clean, and the same command again does it once.
"""

from __future__ import annotations

import json
import shutil
import signal
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest

from chaise_cli.crypto import recovery, signing
from chaise_cli.ids import raw
from chaise_cli.ledger import certificate
from chaise_cli.store import own
from tests.e2e.people import Person
from tests.e2e.running import serving
from tests.fakes import straced
from tests.fakes.straced import Syscall

Known = dict[str, str]  # ids that earlier commands made
KILLS, ERRORS = 3, 1  # how many calls of each command are tried in the suite; all of them in a soak
FIRST_KILLS: Final = 6  # of commands that make a home
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
    """Lisa and James and a stick between them, played once to the end; `before` brings back how it stood then."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "play"
        self._kept = folder / "kept"
        self._whole: dict[str, tuple[list[Syscall], list[str]]] = {}
        (self.folder / "stick").mkdir(parents=True)
        (folder / "plan.txt").write_text("a plan")
        self.people = {
            "lisa": Person(self.folder, "lisa", role="client", tz="UTC"),
            "james": Person(self.folder, "james", role="talent", tz="UTC"),
        }
        made = self.people["lisa"].does("board", "create", "market", "--at", str(self.folder / "stick"))
        self.people["james"].does("board", "join", "-", stdin=made["invite"])
        self.known = {"stick": str(self.folder / "stick"), "board": made["id"], "file": str(folder / "plan.txt")}
        for name in STORY:
            shutil.copytree(self.folder, self._kept / name)
            self._play(name)

    def _play(self, name: str) -> None:
        who, argv, makes = STORY[name]
        data = self.people[who].does(*argv(self.known), "--request-id", name) if name != "sync" else {}
        if makes:
            self.known[makes] = data["id"]
        if name == "hire":
            self.known["terms"] = data["terms_hash"]
        for person in self.people.values():
            person.does("sync")

    def before(self, command: str) -> Person:
        """Everything as it was before a command; who gives it."""
        shutil.rmtree(self.folder)
        shutil.copytree(self._kept / command, self.folder)
        return self.people[STORY[command][0]]

    def whole(self, command: str) -> tuple[list[Syscall], list[str]]:
        """The calls with which a command that is left alone changes files; the kinds of all events it leaves."""
        if command not in self._whole:
            with typed(self, command) as (person, argv):
                ended, calls = straced.calls(argv, self.folder, self._kept / "log")
                assert ended.status == 0, ended.err
                self._whole[command] = calls, sorted(events(person).values())
        return self._whole[command]


@contextmanager
def typed(play: Play, command: str) -> Iterator[tuple[Person, list[str]]]:
    """Whoever gives a command, about to give it, with the words typed."""
    person = play.before(command)
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


@pytest.fixture(scope="module")
def play(tmp_path_factory: pytest.TempPathFactory) -> Play:
    straced.wanted()
    return Play(tmp_path_factory.mktemp("story"))


@pytest.mark.parametrize("command", STORY)
def test_a_command_killed_at_a_write_loses_nothing_and_can_be_given_again(
    play: Play, command: str, pytestconfig: pytest.Config
) -> None:
    calls, wanted = play.whole(command)
    with typed(play, command) as (person, argv):
        before = events(person)
        for call in some(calls, KILLS, pytestconfig):
            play.before(command)
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
    play: Play, command: str, error: str, pytestconfig: pytest.Config
) -> None:
    calls, wanted = play.whole(command)
    with typed(play, command) as (person, argv):
        before = events(person)
        for call in some(calls[len(error) % 2 :], ERRORS, pytestconfig):
            play.before(command)
            ended = straced.failing(argv, call, error)
            assert ended.status in {0, 4, 5, 11, 13}, (call, ended)
            assert "Traceback" not in ended.err, (call, ended)
            sound(person, before, call)
            again = person.run(*argv)
            assert again.exit == 0, (call, again.err)
            assert sorted(events(person).values()) == wanted, call


# Commands that make a home: what they leave when they are killed is no home, or a whole one.


def _private(folder: Path) -> None:
    """Nothing that was made may be read by others; neither a folder nor a file."""
    for path in folder.rglob("*"):
        if not path.is_symlink() and path.name != "log":
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def _init(folder: Path) -> tuple[Person, list[str]]:
    ann = Person(folder, "ann")
    files = ["--key-file", str(ann.key_file), "--recovery-out", str(ann.recovery_file)]
    return ann, ["init", "--name", "Ann", "--handle", "ann", "--role", "client", *files, "--json"]


def test_an_init_killed_at_a_write_leaves_no_home_or_a_whole_one_with_its_code(
    tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    straced.wanted()
    folder = tmp_path / "play"
    ann, argv = _init(folder)
    with ann._here({}):
        whole, calls = straced.calls(argv, folder, tmp_path / "log")
        assert whole.status == 0, whole.err
        assert any("recovery" in call.about for call in calls)
        for call in some(calls, FIRST_KILLS, pytestconfig):
            shutil.rmtree(folder)
            _init(folder)
            ended = straced.killed(argv, call)
            assert ended.status == -signal.SIGKILL, (call, ended)
            _private(folder)
            if not ann.home.exists():
                again = ann.run(*argv)
                if again.code == "home.recovery_file_exists":  # and says so; what was left there is of no home
                    assert "cut off" in again.error["hint"]
                    ann.recovery_file.unlink()
                    again = ann.run(*argv)
                assert again.exit == 0, (call, again.err)
            assert ann.run(*argv).code == "home.exists", call
            code = recovery.parse(ann.recovery_file.read_text())
            with ann.session() as session:
                root = signing.Ed25519Signer(recovery.root_signing_seed(code)).public
                assert session.me.identity == certificate.identity_of(root), call
            sound(ann, {}, call)


def test_a_join_killed_at_a_write_leaves_no_home_or_one_that_goes_on(
    tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    """The other device answers over HTTP, from a process that is not killed."""
    straced.wanted()
    folder = tmp_path / "play"
    lisa = Person(folder, "lisa", role="client", tz="UTC")
    lisa.does("board", "create", "market")
    shutil.copytree(folder, tmp_path / "kept")
    phone = Person(folder, "phone")

    def attempt(run: Callable[[list[str]], straced.Ended], about: object) -> None:
        with serving(lisa) as (url, _):
            code = folder / "code"
            code.unlink(missing_ok=True)
            lisa.does("device", "add", "--no-wait", "--code-out", str(code))
            argv = ["device", "join", "--at", url, "--code-file", str(code), "--key-file", str(phone.key_file)]
            with phone._here({}):
                ended = run([*argv, "--json"])
            if about is None:
                assert ended.status == 0, ended.err
                return
            assert ended.status == -signal.SIGKILL, (about, ended)
            _private(folder)
            if not phone.home.exists():
                again = phone.run(*argv, "--json")
                if again.exit:
                    assert again.code == "pairing.used", (about, again.err)
                    assert "chaise device add" in again.error["hint"], about
                    assert "revoke" in again.error["hint"], about
                    code.unlink()
                    lisa.does("device", "add", "--no-wait", "--code-out", str(code))
                    again = phone.run(*argv, "--json")
                assert again.exit == 0, (about, again.err)
            assert phone.does("sync")["peers"][0]["state"] == "done", about
        assert [one["name"] for one in phone.does("boards")] == ["market"], about
        sound(phone, {}, about)
        sound(lisa, {}, about)

    calls: list[Syscall] = []

    def traced(argv: list[str]) -> straced.Ended:
        whole, found = straced.calls(argv, folder, tmp_path / "log")
        calls.extend(found)
        return whole

    attempt(traced, None)
    for call in some(calls, FIRST_KILLS, pytestconfig):
        shutil.rmtree(folder)
        shutil.copytree(tmp_path / "kept", folder)
        attempt(partial(straced.killed, call=call), call)
