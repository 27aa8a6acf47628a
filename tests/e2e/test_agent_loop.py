"""`agent run` as it stays: it consents, moves and pays out while others wait for it, and may be killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from chaise_cli import clock
from tests.e2e.people import NOON, Person
from tests.e2e.relay_process import RelayProcess
from tests.fakes import warm
from tests.fakes.sim_process import SimProcess, Visitor

WAIT = ("--wait", "90s")


@pytest.fixture
def sim(tmp_path: Path) -> Iterator[SimProcess]:
    with SimProcess(tmp_path) as made:
        yield made


@pytest.fixture
def relay(tmp_path: Path) -> Iterator[RelayProcess]:
    made = RelayProcess(tmp_path / "relay")
    yield made
    made.stop(signal.SIGKILL)


@pytest.fixture
def ada(tmp_path: Path) -> Person:
    return Person(tmp_path, "ada", role="talent", tz="UTC")


@pytest.fixture
def deal(lisa: Person, james: Person, ada: Person, relay: RelayProcess) -> str:
    """Signed terms that name Ada and the sim, at a relay."""
    lisa.does("peer", "add", relay.url, "--invite-file", "-", stdin=relay.invite())
    made = lisa.does("board", "create", "marketing", "--at", relay.url)
    for who in (james, ada):
        who.does("board", "join", "-", stdin=made["invite"])
    lisa.does("sync")
    post = lisa.does("post", "Campaign")
    james.does("sync")
    opened = str(james.does("propose", post["id"], "--milestone", "All=600EUR@2026-12-20")["id"])
    lisa.does("sync")
    lisa.does("hire", opened, "--agent", "@ada", "--rail", "sim", "--client-fee", "1%", "--talent-fee", "2.5%")
    james.does("sync")
    james.does("accept", opened, "--terms", james.does("show", opened)["terms_hash"])
    lisa.does("sync")
    return opened


@contextmanager
def agent_run(who: Person, sim: SimProcess) -> Iterator[warm.Command]:
    """Her loop, in a process of its own, killed at the end."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CHAISE_", "XDG_"))}
    more = {
        "CHAISE_HOME": str(who.home), "CHAISE_KEY_FILE": str(who.key_file), "CHAISE_RAIL_SIM_URL": sim.url,
        clock.VARIABLE: NOON, "XDG_RUNTIME_DIR": str(who.folder / "run"),
    }  # fmt: skip
    argv = ["agent", "run", "--interval", "1s", "--json"]
    with warm.Command(warm.Start(argv, kept | more, who.folder)) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def told(process: warm.Command) -> list[dict[str, Any]]:
    """What an ended loop said, round by round."""
    out, err = process.communicate()
    assert b"Traceback" not in err, err.decode()
    return [json.loads(line)["data"] for line in out.splitlines()]


def test_who_waits_is_answered_as_soon_as_the_money_has_moved(
    lisa: Person, james: Person, ada: Person, sim: SimProcess, deal: str
) -> None:
    first = f"{deal}/1"
    with agent_run(ada, sim) as loop:
        held = lisa.does("fund", first, "--confirm", "600.00 EUR held by @ada", *WAIT)
        assert (held["state"], held["held"]["minor"], held["op"]["state"]) == ("funded", 60_000, "moved")
        james.does("sync")
        james.does("deliver", first, "--note", "done")
        paid = lisa.does("release", first, "--total", "400EUR", "--confirm", "400.00 EUR to @james", *WAIT)
        assert (paid["released"]["minor"], paid["paid_out"]["minor"]) == (40_000, 39_000)
        again = lisa.run("release", first, "--total", "400EUR", *WAIT, "--json")
        assert (again.exit, again.json["replayed"]) == (0, True)
        loop.send_signal(signal.SIGTERM)
        rounds = told(loop)
    assert loop.returncode == 0
    assert sum(one["moved"] for one in rounds) == 2
    assert [one["consented"] for one in rounds if one["consented"]] == [[deal]]


def test_a_wait_that_ends_too_early_says_so_and_a_declined_hold_is_an_end(
    lisa: Person, ada: Person, sim: SimProcess, deal: str
) -> None:
    first = f"{deal}/1"
    early = lisa.run("fund", first, "--confirm", "600.00 EUR held by @ada", "--wait", "1s", "--json")
    assert (early.exit, early.code, early.data["op"]["state"]) == (8, "wait.not_yet", "authorized")
    Visitor(sim.url).does("faults", {"fault": "decline", "code": "no_funds"})
    with agent_run(ada, sim):
        declined = lisa.run("fund", first, *WAIT, "--json")
    assert (declined.exit, declined.code, declined.out) == (9, "op.declined", "")


def test_a_loop_that_is_killed_again_and_again_pays_once(
    lisa: Person, james: Person, ada: Person, sim: SimProcess, deal: str
) -> None:
    first = f"{deal}/1"
    lisa.does("fund", first, "--confirm", "600.00 EUR held by @ada")
    Visitor(sim.url).does("faults", {"fault": "drop_reply"})
    Visitor(sim.url).does("faults", {"fault": "delay", "seconds": 1})
    for patience in (0.7, 1.2, 1.6):
        with agent_run(ada, sim) as loop:
            try:
                loop.wait(patience)
            except subprocess.TimeoutExpired:
                loop.kill()
    with agent_run(ada, sim):
        lisa.does("wait", first, "--until", "funded", "--timeout", "90s", "--sync")
        james.does("sync")
        james.does("deliver", first, "--note", "done")
        lisa.does("release", first, "--confirm", "600.00 EUR to @james", *WAIT)
    (balance,) = Visitor(sim.url).ask("GET", "/v1/balances")[1]["balances"]
    assert balance["available"] == 60_600 - 58_500  # held with its fee, less what was paid
