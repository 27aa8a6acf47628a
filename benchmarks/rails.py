"""The sim over HTTP on this machine, every payment durable: what an agent that drives one after the other gets done."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from benchmarks.measure import Figure
from chaise_cli.rails.rail import Key, Succeeded
from chaise_cli.rails.sim import Sim
from tests.fakes.rails import JAMES, LISA, eur, intent
from tests.fakes.sim_process import SimProcess

PAIRS: Final = 400  # a hold and its payout
CLIENTS: Final = 4
PAID: Final = eur("600.00")


def figures(folder: Path) -> list[Figure]:
    """One client, then several; each on one connection, without sending two payments at once."""
    with SimProcess(folder, control=False) as sim:
        alone = _pairs(sim.url, "alone", PAIRS)
        begun = time.perf_counter()
        with ThreadPoolExecutor(CLIENTS) as pool:
            list(pool.map(lambda number: _pairs(sim.url, str(number), PAIRS // CLIENTS), range(CLIENTS)))
        together = time.perf_counter() - begun
    return [
        Figure("rail sim, holds and payouts, one client", 2 * PAIRS / sum(alone), "payments/s", 100, "more"),
        Figure("rail sim, p99 of a payment", 1000 * sorted(alone)[len(alone) * 99 // 100], "ms"),
        Figure(f"rail sim, holds and payouts, {CLIENTS} clients", 2 * PAIRS / together, "payments/s", 100, "more"),
    ]


def _pairs(url: str, name: str, count: int) -> list[float]:
    """Seconds of each payment."""
    rail, taken, found = Sim(url), intent(LISA, PAID), list[float]()
    for number in range(count):
        for kind, send in (("hold", rail.hold), ("payout", rail.payout)):
            begun = time.perf_counter()
            told = send(taken if kind == "hold" else intent(JAMES, PAID), Key(f"{kind}-{name}-{number}"))
            found.append(time.perf_counter() - begun)
            assert isinstance(told, Succeeded), told
    rail.close()
    return found
