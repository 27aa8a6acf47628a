"""From a seed to a plan and its run, and from a plan that fails to the shortest that still does."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from collections.abc import Sequence
from typing import Final, NamedTuple

from tests.simulator.checks import Broken
from tests.simulator.fuse import fused_files
from tests.simulator.stage import PEOPLE, Stage
from tests.simulator.steps import STEPS
from tests.simulator.world import Step, World


class Profile(NamedTuple):
    """What kind of run: how many people, how many steps, and how often each kind of step comes."""

    people: tuple[int, int]
    steps: int
    weights: dict[str, int]
    liar: str | None = None
    relays: int = 0
    holder: str | None = None  # who holds money for others


_HONEST: Final = {"act": 40, "repeat": 4, "contact": 10, "stick": 8, "cloud": 5, "copy": 5, "verify": 1, "reopen": 2}
_FAULTS: Final = {
    "crash": 8, "cut": 5, "crash in contact": 5, "crash at stick": 5, "carry": 5, "split": 3, "hush": 2, "jump": 3,
}  # fmt: skip
_RELAYS: Final = {"act": 40, "repeat": 3, "contact": 6, "stick": 2, "verify": 1, "reopen": 2, "relay": 26}
PROFILES: Final = {
    "calm": Profile((2, 3), 400, _HONEST),
    "storm": Profile((3, 4), 250, _HONEST | _FAULTS),
    "copies": Profile(
        (2, 4), 200, _HONEST | {"back up": 6, "restore": 4, "clone": 2, "renew": 8, "crash": 3, "cut": 2}
    ),
    "liar": Profile((2, 4), 200, _HONEST | {"lie": 25, "raw": 8, "carry": 3, "rubbish": 1, "jump": 2}, "mallory"),
    "relays": Profile(
        (2, 4), 220, _RELAYS | {"weak relay": 12, "crash at relay": 6, "crash": 3, "cut": 3, "jump": 1}, relays=2
    ),
    "family": Profile(
        (2, 2),
        200,
        _HONEST
        | {
            "join": 6,
            "revoke": 2,
            "move": 6,
            "clone": 1,
            "back up": 2,
            "restore": 1,
            "renew": 4,
            "crash": 2,
            "cut": 2,
            "hush": 2,
            "relay": 8,
        },
        relays=1,
    ),
    "escrow": Profile(
        (2, 2),
        180,
        {
            "act": 10,
            "pay": 60,
            "repeat": 2,
            "contact": 24,
            "stick": 14,
            "relay": 8,
            "verify": 1,
            "agent": 30,
            "agent moves": 3,
            "join": 2,
            "clone": 1,
            "back up": 3,
            "restore": 1,
            "renew": 6,
            "crash": 4,
            "cut": 3,
            "crash in contact": 3,
            "carry": 2,
            "hush": 2,
            "jump": 1,
            "lie": 5,
            "raw": 5,
        },
        liar="clara",
        relays=1,
        holder="ada",
    ),
    "false relay": Profile((2, 4), 200, _RELAYS | {"relay lies": 12, "relay repents": 2, "weak relay": 2}, relays=2),
}


class Run(NamedTuple):
    """What a run came to. broken: the law that did not hold."""

    profile: str
    seed: int
    counts: Counter[str]
    trace: Sequence[str]
    digest: str
    broken: str | None

    def report(self) -> str:
        """For whoever has to find out why."""
        return (
            f"{self.profile} {self.seed} broke: {self.broken}\n"
            f"again: .venv/bin/python -m tests.simulator {self.profile} {self.seed} --shrink\n"
            + "\n".join(self.trace[-12:])
        )


def plan(profile: str, seed: int) -> list[Step]:
    """The steps of a seed."""
    chance = random.Random(f"{profile} {seed}")
    of = PROFILES[profile]
    names, weights = list(of.weights), list(of.weights.values())
    chosen = chance.choices(names, weights, k=of.steps)
    return [(name, chance.randrange(60), chance.getrandbits(32)) for name in chosen]


def run(stage: Stage, profile: str, seed: int, steps: Sequence[Step] | None = None) -> Run:
    """Play the plan of a seed, or some of its steps."""
    folder = stage.folder / "run-of"
    folder.mkdir(mode=0o700)
    of = PROFILES[profile]
    chance = random.Random(f"people {profile} {seed}")
    others = [name for name in PEOPLE if name not in ("lisa", "james", of.liar, of.holder)]
    honest = ["lisa", "james", *chance.sample(others, min(2, len(others)))]
    people = [*honest[: chance.randint(*of.people)], *(one for one in (of.holder, of.liar) if one)]
    world = World(stage, folder, seed, people, liar=of.liar, relays=of.relays, holder=of.holder)
    broken = None
    try:
        with fused_files(), world.net.up():
            world.play(plan(profile, seed) if steps is None else steps, STEPS)
    except Broken as error:
        broken = str(error)
    finally:
        world.close()
        shutil.rmtree(folder)
    return Run(profile, seed, world.counts, world.trace, world.digest(), broken)


def shrink(stage: Stage, profile: str, seed: int, tries: int = 400) -> tuple[list[Step], Run]:
    """Fewer steps of a seed that still break the same law, by leaving out ever smaller parts; and that run."""
    steps = plan(profile, seed)
    found = run(stage, profile, seed, steps)
    size = len(steps) // 2
    while size and tries > 0:
        at = 0
        while at < len(steps) and tries > 0:
            fewer = steps[:at] + steps[at + size :]
            tries -= 1
            again = run(stage, profile, seed, fewer)
            if again.broken is not None and _law(again.broken) == _law(found.broken or ""):
                steps, found = fewer, again
            else:
                at += size
        size //= 2
    return steps, found


def _law(broken: str) -> str:
    """What was broken, without who and when."""
    words = broken.partition(": ")[2] if broken.startswith("step ") else broken
    return " ".join(word for word in words.split()[:9] if word.isalpha())
