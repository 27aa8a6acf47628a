"""What commands load and what they write to a pipe, read off real processes in an unlocked home."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from chaise_cli import cli, clock
from tests.e2e.hired import fund, hired, settle
from tests.e2e.people import NOON, Person, exchange

ROOT: Final = Path(cli.__file__).parents[1]
HEAVY: Final = (
    *("rich", "pydantic", "sqlite_utils", "icalendar", "httpx", "keyring", "asyncio", "platformdirs"),
    *("importlib.metadata", "dateutil.parser", "subprocess"),
)
CIPHERS: Final = "cryptography"
COLORFUL: Final = {
    "GITHUB_ACTIONS": "1", "FORCE_COLOR": "1", "PY_COLORS": "1", "CLICOLOR_FORCE": "1", "TERM": "xterm-256color",
}  # fmt: skip
READS: Final = {  # verb → the ways to call it; words in braces are ids of the world below
    "whoami": ("",),
    "boards": ("",),
    "profile": ("", "@james"),
    "services": ("", "--skill seo --max 900EUR"),
    "talents": ("", "--skill seo"),
    "posts": ("", "--state open --sort deadline --with @me"),
    "deals": ("", "{post}", "--state hired"),
    "messages": ("{deal}", "--state sent --since 2026-11-01"),
    "bookings": ("", "--with @james"),
    "files": ("{deal}", "{deal}/1"),
    "balance": ("", "{deal}", "--by deal", "--by person", "--by month"),
    "journal": ("", "{deal}"),
    "rail": ("due",),
    "grants": ("", "{deal}"),
    "reviews": ("@james", "{deal}"),
    "inbox": ("",),
    "devices": ("",),
    "show": ("{deal}", "{deal}/1", "{post}", "{service}", "{message}", "{booking}", "{board}", "{review}", "@james"),
    "log": ("{deal}", "{board}"),
    "agenda": ("",),
    "availability": ("",),
    "calendars": ("",),
    "peers": ("",),
    "wait": ("{deal} --until hired --timeout 0",),
}
# Where there are reviews, their vouchers are verified.
VOUCHED: Final = {"reviews", "talents", "profile", "deals {post}", "show {review}", "show @james"}
WITH_THEIR_ACT: Final = {"files", "rail", "availability"}  # one module with fetching, attesting and setting
TAKES_CIPHERS: Final = VOUCHED | WITH_THEIR_ACT
WRITES: Final = {
    *("init", "unlock", "lock", "board", "service", "post", "close", "invite", "propose", "shortlist", "decline"),
    *("withdraw", "message", "book", "hire", "accept", "cancel", "update", "deliver", "changes", "fund", "release"),
    *("refund", "review", "sync", "peer", "device", "agent", "batch", "grant", "calendar"),
}
TEXTS: Final = {"help", "schema", "completion"}  # they open no home
SERVERS: Final = {"relay"}  # likewise
CHECKS: Final = {"doctor", "verify", "backup", "restore", "policy"}  # they load what they check
# What is stored folded is read without its rules, and what one kind of object needs is not loaded for the others.
SIGNING: Final = tuple(f"chaise_cli.domain.{name}" for name in ("fold", "booking_acts", "slots", "order", "contest"))
UNFOLDED: Final = {
    "whoami": ("chaise_cli.domain.deal", "chaise_cli.session.showing"),
    "posts": ("chaise_cli.domain.deal", "chaise_cli.session.showing"),
    "log {deal}": ("chaise_cli.domain.deal", "chaise_cli.session.showing"),
    "messages {deal}": ("chaise_cli.domain.deal", "chaise_cli.session.showing"),
    "deals": ("chaise_cli.store.deals", "chaise_cli.store.content", "chaise_cli.session.looking"),
    "show {deal}": ("chaise_cli.store.deals", "chaise_cli.store.content", "chaise_cli.domain.grants"),
    "bookings": ("chaise_cli.store.deals", "chaise_cli.store.content", "chaise_cli.domain.deal_view"),
    "inbox": ("chaise_cli.store.deals", "chaise_cli.domain.grants", "chaise_cli.session.showing"),
}
CALLS: Final = [f"{verb} {rest}".strip() for verb, ways in READS.items() for rest in ways]
CHILD: Final = """
import json, os, sys
from chaise_cli import cli
status = cli.run(sys.argv[2:])
sys.stdout.flush()
with open(sys.argv[1], "w") as file:
    json.dump(sorted(sys.modules), file)
os._exit(status)
"""


# A process that has loaded no more than `CHILD` has before it runs anything; each command is a fork of it.
NURSERY: Final = """
import json, os, sys
from chaise_cli import cli
for line in sys.stdin:
    argv, env = json.loads(line)
    ends = [os.pipe() for _ in range(3)]
    child = os.fork()
    if child == 0:
        os.environ.clear()
        os.environ.update(env)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(ends[0][1], 1)
        os.dup2(ends[1][1], 2)
        status = cli.run(argv)
        sys.stdout.flush()
        with os.fdopen(ends[2][1], "w") as report:
            json.dump(sorted(sys.modules), report)
        os._exit(status)
    said = []
    for read, write in ends:
        os.close(write)
        with os.fdopen(read, "rb") as stream:
            said.append(stream.read().decode("latin-1"))
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print(json.dumps([status, *said]), flush=True)
"""


class Done(NamedTuple):
    """What a process left."""

    status: int
    out: bytes
    err: bytes
    modules: frozenset[str]


class World(NamedTuple):
    """A home with something of everything in it, and the ids to name it by."""

    lisa: Person
    ids: dict[str, str]
    nursery: subprocess.Popen[bytes]

    def run(self, call: str, *more: str, **env: str) -> Done:
        """Run a command in a process that was started for it, its streams being pipes."""
        report = self.lisa.folder / "modules.json"
        report.unlink(missing_ok=True)
        argv = [sys.executable, "-c", CHILD, str(report), *call.format(**self.ids).split(), *more]
        done = subprocess.run(argv, env=self._clean() | env, capture_output=True, check=False, stdin=subprocess.DEVNULL)
        assert report.exists(), done.stderr.decode()
        return Done(done.returncode, done.stdout, done.stderr, frozenset(json.loads(report.read_text())))

    def fork(self, call: str, *more: str, **env: str) -> Done:
        """The same in a fork of a process that has not run anything yet."""
        assert self.nursery.stdin is not None
        assert self.nursery.stdout is not None
        asked = [[*call.format(**self.ids).split(), *more], self._clean() | env]
        self.nursery.stdin.write(json.dumps(asked).encode() + b"\n")
        self.nursery.stdin.flush()
        status, out, err, modules = json.loads(self.nursery.stdout.readline())
        assert modules, err
        return Done(status, out.encode("latin-1"), err.encode("latin-1"), frozenset(json.loads(modules)))

    def _clean(self) -> dict[str, str]:
        clean = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "TMPDIR")}
        clean |= {
            "HOME": str(self.lisa.folder),
            "XDG_RUNTIME_DIR": str(self.lisa.folder / "run"),
            "CHAISE_HOME": str(self.lisa.home),
            "PYTHONPATH": str(ROOT),
            clock.VARIABLE: NOON,
        }
        return clean


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Lisa's home: a board, a deal that was paid and reviewed, a service, a message with a file, a call."""
    folder = tmp_path_factory.mktemp("startup")
    lisa = Person(folder, "lisa", role="client", tz="Europe/Berlin", email="lisa@example.org")
    james = Person(folder, "james", role="talent", tz="America/New_York")
    made = lisa.does("board", "create", "marketing")
    james.does("board", "join", "-", stdin=made["invite"])
    lisa.does("post", "Another campaign", "--kind", "ads", "--skill", "seo", "--budget", "1000..2000EUR")
    service = james.does(
        "service", "Landing page", "--price", "600EUR", "--days", "5", "--kind", "web", "--skill", "seo"
    )
    exchange(lisa, james)
    deal = hired(lisa, james)
    fund(lisa, f"{deal}/1")
    (folder / "brief.txt").write_text("all of it")
    message = lisa.does("message", deal, "Hello\nJames · ✓", "--file", str(folder / "brief.txt"))
    lisa.does("availability", "--set", "-", stdin=lisa.run("availability", "--toml").out)
    booking = lisa.does("book", deal, "--at", "2026-11-25 09:00", "--at", "2026-11-26 09:00", "--for", "30m")
    settle(lisa, james)
    james.does("deliver", f"{deal}/1", "--note", "done")
    settle(lisa, james)
    lisa.does("release", f"{deal}/1", "--confirm", "600.00 EUR to @james")
    settle(lisa, james)
    lisa.does("review", deal, "--stars", "5", "--recommend", "--text", "Great work")
    review = james.does("review", deal, "--stars", "4", "--text", "Clear brief")
    for _ in range(4):
        settle(lisa, james)
    shown = lisa.does("show", deal)
    ids = {"board": made["id"], "deal": deal, "post": shown["post"], "service": service["id"]}
    ids |= {"message": message["id"], "booking": booking["id"], "review": review["id"]}
    begin = [sys.executable, "-c", NURSERY]
    with subprocess.Popen(begin, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as nursery:
        yield World(lisa, ids, nursery)


def loaded(done: Done, names: Sequence[str]) -> list[str]:
    """Which of these packages or modules a process loaded."""
    return [name for name in names if any(f"{module}.".startswith(f"{name}.") for module in done.modules)]


def test_every_verb_is_a_read_or_is_known_to_be_none() -> None:
    known = [*READS, *WRITES, *TEXTS, *SERVERS, *CHECKS]
    assert sorted(known) == sorted(cli.VERBS)


@pytest.mark.parametrize("call", CALLS)
def test_a_read_for_a_script_loads_no_heavy_library_and_no_cipher(world: World, call: str) -> None:
    done = world.fork(call, "--json")
    assert done.status == 0, done.err.decode()
    assert json.loads(done.out)["data"] is not None
    assert loaded(done, HEAVY) == []
    if not TAKES_CIPHERS & {call, call.split(maxsplit=1)[0]}:
        assert loaded(done, [CIPHERS]) == []


@pytest.mark.parametrize("call", UNFOLDED)
def test_a_read_loads_no_rules_of_signing_and_nothing_for_other_kinds(world: World, call: str) -> None:
    done = world.run(call, "--json")
    assert done.status == 0, done.err.decode()
    assert loaded(done, [*SIGNING, *UNFOLDED[call], "getpass", "chaise_cli.store.requests"]) == []


@pytest.mark.parametrize("call", CALLS)
def test_a_read_into_a_pipe_loads_no_heavy_library_and_writes_no_escape(world: World, call: str) -> None:
    done = world.fork(call, **COLORFUL)
    assert done.status == 0, done.err.decode()
    assert loaded(done, HEAVY) == []
    assert b"\x1b" not in done.out + done.err


@pytest.mark.parametrize("wanted", ["--jsonl", "--csv", "--ids"])
def test_so_do_the_other_formats(world: World, wanted: str) -> None:
    done = world.run("posts", wanted, **COLORFUL)
    assert done.status == 0, done.err.decode()
    assert done.out
    assert loaded(done, [*HEAVY, CIPHERS]) == []
    assert b"\x1b" not in done.out + done.err


@pytest.mark.parametrize(
    ("call", "status"),
    [
        ("--help", 0), ("help", 0), ("help money", 0), ("posts --help", 0), ("message --help", 0), ("rail --help", 0),
        ("psots", 2), ("posts --no-such-option", 2), ("posts --limit many", 2), ("show deal-00000000", 3),
        ("message", 2), ("--version", 0),
    ],
)  # fmt: skip
def test_help_and_failures_write_no_escape_into_a_pipe(world: World, call: str, status: int) -> None:
    done = world.run(call, **COLORFUL)
    assert done.status == status, done.err.decode()
    assert done.out + done.err
    assert loaded(done, HEAVY) == []
    assert b"\x1b" not in done.out + done.err


def test_writing_a_message_loads_ciphers_and_nothing_else_that_is_heavy(world: World) -> None:
    done = world.run("message {deal} hello", **COLORFUL)
    assert done.status == 0, done.err.decode()
    assert loaded(done, [*HEAVY, CIPHERS]) == [CIPHERS]
    assert (
        loaded(done, ["chaise_cli.domain.fold", "chaise_cli.domain.booking_acts", "chaise_cli.domain.deal_view"]) == []
    )
    views = [name for name in done.modules if name.startswith("chaise_cli.render.views_")]
    assert views == ["chaise_cli.render.views_hire"]
    assert b"\x1b" not in done.out + done.err


def test_the_command_itself_ends_with_its_status_and_all_its_output(world: World) -> None:
    """It leaves without taking the interpreter apart, so nothing may still be in a buffer."""
    env = {**os.environ, "CHAISE_HOME": str(world.lisa.home), clock.VARIABLE: NOON}
    env |= {"XDG_RUNTIME_DIR": str(world.lisa.folder / "run"), "PYTHONPATH": str(Path(cli.__file__).parents[1])}
    said = subprocess.run(
        [sys.executable, "-m", "chaise_cli", "log", world.ids["deal"], "--json"],
        env=env,
        capture_output=True,
        check=True,
    )
    assert json.loads(said.stdout)["ok"] is True
    failed = subprocess.run(
        [sys.executable, "-m", "chaise_cli", "show", "deal-00000000", "--json"],
        env=env,
        capture_output=True,
        check=False,
    )
    assert (failed.returncode, failed.stdout) == (3, b"")
    assert json.loads(failed.stderr)["error"]["exit"] == 3
