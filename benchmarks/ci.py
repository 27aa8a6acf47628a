"""`release` by a grant: an empty home, one deal whose money an agent holds, a relay and the sim on this machine."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from benchmarks.measure import Figure
from benchmarks.tap import Tap
from tests.e2e.people import NOON, Person
from tests.e2e.relay_process import RelayProcess
from tests.fakes.sim_process import SimProcess

RUNS: Final = 9
WALL_S: Final = 1.5
TRIPS: Final = 20


def figures(folder: Path) -> list[Figure]:
    """Wall time of the whole process, and its round trips to the relay; each run releases one euro more."""
    relay, sim = RelayProcess(folder / "relay"), SimProcess(folder, control=False)
    try:
        with Tap(("127.0.0.1", relay.port)) as tap:
            deal, key, ada = _ready(folder, relay, tap.url, sim.url)
            took, trips = [], []
            for euros in range(1, RUNS + 1):
                tap.take()
                took.append(_release(folder, deal, key, euros))
                trips.append(tap.take().trips)
            moved = ada.does("agent", "run", "--once", env={"CHAISE_RAIL_SIM_URL": sim.url})["moved"]
            assert moved == RUNS, moved
    finally:
        relay.stop()
        sim.kill()
    return [
        Figure("release from CI, the whole process", sorted(took)[RUNS // 2], "s p50", WALL_S),
        Figure("release from CI, slowest", max(took), "s"),
        Figure("release from CI, round trips", max(trips), "most", TRIPS),
    ]


def _ready(folder: Path, relay: RelayProcess, url: str, sim: str) -> tuple[str, Path, Person]:
    """The deal, hired and funded with Ada holding, and the key file of a grant for it."""
    lisa, james, ada = (
        Person(folder, name, role=role, tz="UTC")
        for name, role in (("lisa", "client"), ("james", "talent"), ("ada", "talent"))
    )
    lisa.does("peer", "add", url, "--invite-file", "-", stdin=relay.invite())
    made = lisa.does("board", "create", "marketing", "--at", url)
    for who in (james, ada):
        who.does("board", "join", "-", stdin=made["invite"])
    for who in (lisa, james):
        who.does("sync")
    post = lisa.does("post", "Campaign")
    james.does("sync")
    deal = str(james.does("propose", post["id"], "--milestone", "All=600EUR@2026-12-20")["id"])
    lisa.does("sync")
    lisa.does("hire", deal, "--agent", "@ada", "--rail", "sim")
    james.does("sync")
    james.does("accept", deal, "--terms", james.does("show", deal)["terms_hash"])
    lisa.does("sync")
    drive = {"CHAISE_RAIL_SIM_URL": sim}
    ada.does("agent", "run", "--once", env=drive)
    lisa.does("fund", f"{deal}/1", "--confirm", "600.00 EUR held by @ada")
    ada.does("agent", "run", "--once", env=drive)
    lisa.does("sync")
    key = folder / "ci.key"
    lisa.does(
        "grant",
        "create",
        "--can",
        "release",
        "--deal",
        deal,
        "--max",
        "600EUR",
        "--until",
        "2026-12-31",
        "-o",
        str(key),
    )
    ada.does("agent", "run", "--once", env=drive)
    return deal, key, ada


def _release(folder: Path, deal: str, key: Path, euros: int) -> float:
    """Seconds of one run."""
    empty = folder / f"run {euros}"
    empty.mkdir()
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
    environment = kept | {
        "HOME": str(empty),
        "CHAISE_HOME": str(empty / "home"),
        "CHAISE_GRANT": str(key),
        "CHAISE_NOW": NOON,
    }
    argv = [sys.executable, "-m", "chaise_cli", "release", f"{deal}/1", "--total", f"{euros}EUR", "--json"]
    begun = time.perf_counter()
    done = subprocess.run(argv, env=environment, cwd=Path(__file__).parents[1], capture_output=True, check=False)
    took = time.perf_counter() - begun
    assert done.returncode == 0, done.stderr.decode() + done.stdout.decode()
    return took
