"""Runs of the simulator in fixed seeds. A law that breaks prints the seed and how to play it again, shortened."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest

from tests.simulator import acts, plan
from tests.simulator.hostile import HANDS, LIES
from tests.simulator.relays import LIES as RELAY_LIES
from tests.simulator.relays import NET_FAULTS
from tests.simulator.stage import Stage

ROOT: Final = Path(__file__).parents[2]
RARE: Final = {f"act {name}: done" for name in ("let go", "hold on", "take back", "cancel call", "decline call")}
ACTS_DONE: Final = {f"act {name}: done" for name in acts.ACTS} - RARE
# Of each profile: seeds in which together everything has happened that should.
SEEDS: Final[dict[str, Sequence[int]]] = {
    "calm": (4,),
    "storm": (2, 7),
    "copies": (11, 330126404),
    "liar": (9, 12),
    "relays": (8, 12),
    "family": (7,),
    "escrow": (3, 5),
    "false relay": (1, 9),
}
"""The standard seeds: a minute of them. `make soak` plays the first dozen of each, and fresh ones."""
HAPPENED: Final = {
    "calm": ACTS_DONE | {"repeat: replayed", "contact: moved", "stick: moved", "cloud: moved", "copy: copied"},
    "storm": {
        "crash: died", "cut: cut", "crash in contact: died", "crash at stick: died", "carry: carried", "split: split",
        "hush: quiet", "jump: jumped", "failure: peer.closed", "repeat: replayed",
    },
    "copies": {"restore: restored", "clone: cloned", "renew: renewed", "noticed: fork", "renewed"},
    "liar": {f"lie: {name}" for name in (*LIES, *HANDS, "fork")} | {"raw: signed", "rubbish: damaged", "noticed: fork"},
    "relays": {f"net: {fault}" for fault in NET_FAULTS} | {"crash at relay: died", "relay: moved"},
    "family": {"join: joined", "revoke: revoked", "move: moved"},
    "escrow": {f"act {verb}: done" for verb in ("fund", "deliver", "release", "refund")} | {
        "rail: moved", "agent: worked", "agent: consented", "compared: rail and book",
    },
    "false relay": {f"relay: {lie}" for lie in RELAY_LIES} | {"noticed: lying relay"},
}  # fmt: skip


def played(on: Stage, profile: str, seeds: Sequence[int]) -> Counter[str]:
    """What happened in the runs of some seeds; fails with the first that breaks a law."""
    counts = Counter[str]()
    for seed in seeds:
        done = plan.run(on, profile, seed)
        if done.broken:
            pytest.fail(done.report(), pytrace=False)
        counts += done.counts
    return counts


def standard(on: Stage, profile: str) -> Counter[str]:
    """What happened in the standard seeds of a profile, which is all that should."""
    counts = played(on, profile, SEEDS[profile])
    assert {what for what in HAPPENED[profile] if not counts[what]} == set()
    return counts


def test_honest_devices_converge_and_raise_no_alarm(on: Stage) -> None:
    assert len(RARE & standard(on, "calm").keys()) >= 2


def test_crashes_and_cuts_lose_nothing(on: Stage) -> None:
    standard(on, "storm")


def test_restored_and_copied_homes_are_noticed_and_lose_nothing(on: Stage) -> None:
    standard(on, "copies")


def test_a_liar_changes_nothing_that_stands_and_every_fork_is_noticed(on: Stage) -> None:
    standard(on, "liar")


def test_through_relays_honest_devices_converge_and_no_relay_is_blamed(on: Stage) -> None:
    standard(on, "relays")


def test_several_devices_of_one_person_converge_whoever_is_revoked(on: Stage) -> None:
    standard(on, "family")


def test_what_a_third_party_holds_is_what_its_book_says_whatever_breaks(on: Stage) -> None:
    standard(on, "escrow")


def test_a_relay_that_lies_is_caught_and_what_it_lost_is_filled_up_again(on: Stage) -> None:
    standard(on, "false relay")


def test_the_same_seed_gives_the_same_trace_in_another_process() -> None:
    """The trace holds a hash of all event ids at each step; sets are iterated in another order over there."""
    script = """
from tests.simulator import plan
from tests.simulator.stage import stage
with stage() as on:
    for profile in plan.PROFILES:
        print(profile, plan.run(on, profile, 3, plan.plan(profile, 3)[:30]).digest)
"""
    runs = []
    for order in ("7", "11"):
        env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": order}
        runs.append(subprocess.Popen([sys.executable, "-c", script], env=env, stdout=subprocess.PIPE, text=True))
    one, other = (run.communicate()[0].splitlines() for run in runs)
    assert [run.returncode for run in runs] == [0, 0]
    assert len(one) == len(plan.PROFILES)
    assert one == other


def test_another_seed_gives_another_trace(on: Stage) -> None:
    traces = [plan.run(on, "storm", seed, plan.plan("storm", seed)[:60]).digest for seed in (1, 2)]
    assert traces[0] != traces[1]


@pytest.mark.soak
@pytest.mark.parametrize("profile", plan.PROFILES)
def test_the_seeds_after_the_standard_ones_hold_too(on: Stage, profile: str) -> None:
    played(on, profile, range(12))


@pytest.mark.soak
@pytest.mark.parametrize("profile", plan.PROFILES)
def test_fresh_seeds_hold_too(on: Stage, profile: str) -> None:
    first = random.SystemRandom().randrange(10**6)
    played(on, profile, range(first, first + 40))
