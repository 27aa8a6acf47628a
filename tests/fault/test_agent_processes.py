"""Real processes on the real sim: eight at once ask for one movement, and agents are started twice and killed."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.e2e.people import _OURS, Person
from tests.fakes import warm
from tests.fakes.sim_process import SimProcess, Visitor

RACERS: Final = 8
KILLS: Final = 6
FAULTS: Final = ("drop_request", "drop_reply", "error_before", "error_after", "garble", "duplicate")
TIMEOUT_S: Final = 120


class Table:
    """Lisa, James and Ada with a folder between them; Ada holds the money of a deal of two milestones, on a sim."""

    def __init__(self, folder: Path, sim: SimProcess) -> None:
        (folder / "stick").mkdir()
        self.sim, self.visitor = sim, Visitor(sim.url)
        roles = {"lisa": "client", "james": "talent", "ada": "client"}
        self.lisa, self.james, self.ada = [Person(folder, name, role=role, tz="UTC") for name, role in roles.items()]
        self.lisa.does("board", "create", "market", "--at", str(folder / "stick"))
        invite = self.lisa.does("board", "invite")["invite"]
        for one in (self.james, self.ada):
            one.does("board", "join", "-", stdin=invite)
        self.sync()
        self.visitor.does("deposits", {"amount": {"minor": 100_000, "currency": "EUR"}})  # for what the rail takes
        self.before, self.deal = Counter[tuple[str, int]](), ""

    def hire(self) -> None:
        """Another deal; what moves from now on is its own."""
        self.before = self._statement()
        post = self.lisa.does("post", "Campaign", "--kind", "marketing")["id"]
        self.james.does("sync")
        parts = ("--milestone", "Setup=600EUR@2026-12-01", "--milestone", "Run=1400EUR@2026-12-15")
        self.deal = str(self.james.does("propose", post, *parts)["id"])
        self.lisa.does("sync")
        terms = self.lisa.does("hire", self.deal, "--agent", self.ada.id, "--rail", "sim")["terms_hash"]
        self.james.does("sync")
        self.james.does("accept", self.deal, "--terms", terms)
        self.sync()
        self.agent_runs()
        self.sync()

    def sync(self) -> None:
        """Everybody exchanges with the folder, twice."""
        for _ in range(2):
            for one in (self.lisa, self.james, self.ada):
                one.does("sync")

    def agent_runs(self) -> Any:
        """One round of the agent, in this process."""
        return self.ada.does("agent", "run", "--once", env={"CHAISE_RAIL_SIM_URL": self.sim.url})

    def start(self, who: Person, *argv: str) -> warm.Command:
        """A command in a process of its own."""
        env = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
        env |= {"CHAISE_HOME": str(who.home), "XDG_RUNTIME_DIR": str(who.folder / "run"), "CHAISE_NOW": str(who.now)}
        env |= {"HOME": str(who.folder), "CHAISE_RAIL_SIM_URL": self.sim.url}
        return warm.Command(warm.Start([*argv, "--json", "--key-file", str(who.key_file)], env, who.folder))

    def moved(self) -> Counter[tuple[str, int]]:
        """What the sim has moved for this deal: kind and minor units, each as often as it did."""
        return self._statement() - self.before

    def _statement(self) -> Counter[tuple[str, int]]:
        status, told = self.visitor.ask("GET", f"/v1/statement?since=0&until={2**53 - 1}&after=0")
        assert status == 200
        return Counter((line["kind"], line["amount"]["minor"]) for line in told["lines"])

    def agree(self) -> None:
        """Statement, book and every replica say the same, and nothing is damaged."""
        self.sync()
        self.agent_runs()
        self.sync()
        told = self.ada.does("rail", "reconcile", env={"CHAISE_RAIL_SIM_URL": self.sim.url})
        assert all(one["difference"]["minor"] == 0 for one in told["sums"])
        views = [one.does("balance") for one in (self.lisa, self.james, self.ada)]
        assert views[0] == views[1] == views[2]
        journals = [one.does("journal", self.deal) for one in (self.lisa, self.james, self.ada)]
        assert journals[0] == journals[1] == journals[2]
        for one in (self.lisa, self.james, self.ada):
            assert one.does("verify")["problems"] == []


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Table]:
    folder = tmp_path_factory.mktemp("market")
    with SimProcess(folder, "--fee-bp", "20") as sim:
        yield Table(folder, sim)


@pytest.fixture
def table(market: Table) -> Table:
    market.hire()
    return market


def test_eight_processes_that_ask_at_once_move_each_sum_once(table: Table) -> None:
    calls = {
        "fund": ("fund", f"{table.deal}/1", "--confirm", "600.00 EUR held by @ada"),
        "release": ("release", f"{table.deal}/1", "--confirm", "600.00 EUR to @james"),
    }
    for call in calls.values():
        racing = [table.start(table.lisa, *call, "--no-sync") for _ in range(RACERS)]
        said = [json.loads(process.communicate(timeout=TIMEOUT_S)[0] or b"{}") for process in racing]
        assert [process.returncode for process in racing] == [0] * RACERS
        assert sorted(one["replayed"] for one in said) == [False] + [True] * (RACERS - 1)
        table.lisa.does("sync")
        table.agent_runs()
        table.lisa.does("sync")
    assert table.moved() == {("hold", 60_000): 1, ("payout", -60_000): 1}
    table.agree()


def test_agents_started_twice_and_killed_pay_once_and_book_what_the_rail_moved(table: Table) -> None:
    """Faults wait at the sim all the while; then one agent runs in peace, and all that was asked has moved once."""
    chance = random.Random(1)
    acts = [
        ("fund", f"{table.deal}/1", "--confirm", "600.00 EUR held by @ada"),
        ("release", f"{table.deal}/1", "--total", "400EUR", "--confirm", "400.00 EUR to @james"),
        ("release", f"{table.deal}/1", "--confirm", "200.00 EUR to @james"),
    ]
    killed = 0
    for number in range(KILLS):
        if number % 2 == 0:
            table.lisa.does(*acts[number // 2])
        table.visitor.does("faults", {"fault": chance.choice(FAULTS)})
        for process in [table.start(table.ada, "agent", "run", "--once") for _ in range(2)]:
            try:
                process.communicate(timeout=chance.uniform(0, 0.1))
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate(timeout=TIMEOUT_S)
            assert process.returncode in {0, 6, 13, -signal.SIGKILL}
            killed += process.returncode == -signal.SIGKILL
        if number % 2:
            table.visitor.does("faults", method="DELETE")
            table.agent_runs()
            table.lisa.does("sync")
    assert killed, "nothing was ever interrupted"
    table.visitor.does("faults", method="DELETE")
    table.sync()
    for _ in range(3):
        table.agent_runs()
    assert table.moved() == {("hold", 60_000): 1, ("payout", -40_000): 1, ("payout", -20_000): 1}
    table.agree()


def test_a_reply_that_was_lost_and_a_key_that_was_forgotten_move_nothing_twice(table: Table) -> None:
    """The rail would take the same payment again under the key it no longer knows; the agent looks first."""
    acts = [
        ("fund", f"{table.deal}/1", "--confirm", "600.00 EUR held by @ada"),
        ("release", f"{table.deal}/1", "--confirm", "600.00 EUR to @james"),
    ]
    for act in acts:
        table.lisa.does(*act)
        table.visitor.does("faults", {"fault": "drop_reply"})
        assert "nobody knows yet what moved" in table.agent_runs()["problems"][0]
        table.visitor.does("keys/forget")
        assert table.agent_runs()["moved"] == 1
        table.lisa.does("sync")
    assert table.moved() == {("hold", 60_000): 1, ("payout", -60_000): 1}
    table.agree()


def test_a_chargeback_at_the_sim_after_the_release_is_in_every_book(table: Table) -> None:
    for act in (
        ("fund", f"{table.deal}/1", "--confirm", "600.00 EUR held by @ada"),
        ("release", f"{table.deal}/1", "--confirm", "600.00 EUR to @james"),
    ):
        table.lisa.does(*act)
        table.agent_runs()
        table.lisa.does("sync")
    status, told = table.visitor.ask("GET", f"/v1/statement?since=0&until={2**53 - 1}&after=0")
    assert status == 200
    hold = [line["ref"] for line in told["lines"] if line["kind"] == "hold"][-1]
    table.visitor.does("clock", {"ahead_ms": 30 * 86_400_000})
    table.visitor.does("chargebacks", {"hold": hold, "amount": {"minor": 59_999, "currency": "EUR"}})
    missing = table.ada.run("rail", "reconcile", "--json", env={"CHAISE_RAIL_SIM_URL": table.sim.url})
    assert (missing.exit, [line["kind"] for line in missing.data["unbooked"]]) == (11, ["chargeback"])
    assert [table.agent_runs()["reversed"] for _ in range(2)] == [1, 0]
    table.agree()
    for one in (table.lisa, table.james):
        shown = one.does("show", f"{table.deal}/1")
        assert (shown["reversed"]["minor"], shown["state"]) == (59_999, "released")
