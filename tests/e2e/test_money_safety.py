"""Two processes at once, and one killed in the middle: money moves once, and nothing is half done."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.hired import events_of
from tests.e2e.people import Person
from tests.fakes import warm

_KILLED = """
import os, signal, sys
from importlib import import_module
module, _, name = sys.argv[1].rpartition(".")
owner = import_module(module)
real = getattr(owner, name)
def killed(*given, **named):
    when = sys.argv[2]
    if when == "after":
        real(*given, **named)
    os.kill(os.getpid(), signal.SIGKILL)
setattr(owner, name, killed)
from chaise_cli import cli
sys.exit(cli.run(sys.argv[3:]))
"""


@pytest.fixture
def deal(funded: str) -> str:
    """A deal whose first milestone is funded."""
    return funded


def environment(who: Person) -> dict[str, str]:
    """What a process in somebody's home finds."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("CHAISE_")}
    env |= {"CHAISE_HOME": str(who.home), "XDG_RUNTIME_DIR": str(who.folder / "run"), "CHAISE_NOW": str(who.now)}
    return env | {"PYTHONPATH": str(Path(__file__).parents[2])}


def start(who: Person, *argv: str) -> warm.Command:
    """A process of its own in somebody's home."""
    return warm.Command(warm.Start(argv, environment(who), who.folder))


def test_two_releases_at_once_move_the_money_once(lisa: Person, deal: str) -> None:
    call = ("release", f"{deal}/1", "--confirm", "600.00 EUR to @james", "--json")
    both = [start(lisa, *call), start(lisa, *call)]
    said = [process.communicate()[0].decode() for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sorted('"replayed":true' in one for one in said) == [False, True]
    assert lisa.does("balance")[0]["released"]["minor"] == 60_000


def test_two_steps_at_once_under_one_request_id_move_one_step(lisa: Person, deal: str) -> None:
    step = ("--amount", "100EUR", "--request-id", "w1", "--confirm", "100.00 EUR to @james", "--json")
    both = [start(lisa, "release", f"{deal}/1", *step) for _ in range(2)]
    for process in both:
        process.communicate()
    assert [process.returncode for process in both] == [0, 0]
    assert lisa.does("balance")[0]["released"]["minor"] == 10_000


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    "point",
    [
        "chaise_cli.store.events.append",  # the authorisation is signed, and kept or not
        "chaise_cli.session.agency.tend",  # the authorisation is in, the movement is or is not
        "chaise_cli.session.requests.remember",  # all is in but the commit
        "chaise_cli.session.home.write_anchor",  # committed, and the anchor does not know
    ],
)
def test_a_release_killed_anywhere_is_done_whole_or_not_at_all(lisa: Person, deal: str, point: str, when: str) -> None:
    before = events_of(lisa)
    call = ("release", f"{deal}/1", "--confirm", "600.00 EUR to @james", "--request-id", "r1", "--json")
    argv = [sys.executable, "-c", _KILLED, point, when, *call]
    process = subprocess.run(argv, env=environment(lisa), capture_output=True, check=False)
    assert process.returncode == -signal.SIGKILL
    committed = point.endswith("write_anchor")
    assert events_of(lisa) == before + (2 if committed else 0)
    again = lisa.run(*call)
    assert (again.exit, again.json["replayed"]) == (0, committed)
    assert (again.data["released"]["minor"], again.data["payable"]["minor"]) == (60_000, 60_000)
    assert events_of(lisa) == before + 2
    assert lisa.does("verify")["problems"] == []
