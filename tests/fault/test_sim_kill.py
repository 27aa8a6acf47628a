"""A sim is killed in the middle of load: what it acknowledged is there, once, and its book adds up."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Condition
from typing import Final

from chaise_cli.rails.rail import Key, Outcome, Succeeded, drive
from chaise_cli.rails.sim import Sim
from tests.fakes.rails import FOR_EVER, JAMES, LISA, eur, intent
from tests.fakes.sim_process import SimProcess, Visitor

AGENTS: Final = 4
ROUNDS: Final = 25  # of a hold and a payout
KILLS: Final = (20, 70, 130)  # after so many acknowledged payments
PAID: Final = eur("7.00")


class Load:
    """Agents that drive payments on whichever sim runs, as the outbox does, and remember what was acknowledged."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.heard: dict[Key, Succeeded] = {}
        self.changed = Condition()

    def work(self, agent: int) -> None:
        """All payments of one agent, each until it has succeeded."""
        for number in range(ROUNDS):
            self._until(Key(f"hold-{agent}-{number}"), hold=True)
            self._until(Key(f"payout-{agent}-{number}"), hold=False)

    def _until(self, key: Key, *, hold: bool) -> None:
        tried = False
        while True:
            with self.changed:
                url = self.url
            rail = Sim(url)
            told = drive(rail, key, lambda rail=rail: self._send(rail, key, hold=hold), tried=tried)  # type: ignore[misc]
            rail.close()
            tried = True
            if isinstance(told, Succeeded):
                break
            with self.changed:  # a sim that was killed comes back elsewhere; nobody asks faster than that
                self.changed.wait_for(lambda url=url: self.url != url, 0.2)  # type: ignore[misc]
        with self.changed:
            self.heard[key] = told
            self.changed.notify_all()

    @staticmethod
    def _send(rail: Sim, key: Key, *, hold: bool) -> Outcome:
        return rail.hold(intent(LISA, PAID), key) if hold else rail.payout(intent(JAMES, PAID), key)

    def reaches(self, count: int) -> None:
        """Go on when so many payments were acknowledged."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.heard) >= count, 120)

    def moves(self, url: str) -> None:
        """The sim is there from now on."""
        with self.changed:
            self.url = url
            self.changed.notify_all()


def test_nothing_acknowledged_is_lost_and_nothing_moves_twice(tmp_path: Path) -> None:
    sim = SimProcess(tmp_path)
    load = Load(sim.url)
    try:
        with ThreadPoolExecutor(AGENTS) as pool:
            running = [pool.submit(load.work, agent) for agent in range(AGENTS)]
            for count in KILLS:
                load.reaches(count)
                sim.kill()
                sim = SimProcess(tmp_path)
                load.moves(sim.url)
            for one in running:
                one.result(120)
        rail = Sim(sim.url)
        assert len(load.heard) == 2 * AGENTS * ROUNDS
        assert {key: rail.find(key) for key in load.heard} == load.heard
        lines = rail.statement(0, FOR_EVER)
        assert sorted(str(line.reference) for line in lines) == sorted(load.heard)
        _, found = Visitor(sim.url).ask("GET", "/v1/balances")
        assert found["balances"] == [{"currency": "EUR", "available": 0, "transit": 0, "owed": 0}]
        rail.close()
    finally:
        sim.kill()
