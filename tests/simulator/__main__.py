"""Runs of the simulator by hand: `PROFILE SEED [--shrink] [--trace]` plays one, `--seconds N` plays fresh ones."""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter

from tests.simulator import plan
from tests.simulator.stage import Stage, stage


def main(argv: list[str]) -> int:
    """0 when no law was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulator", description=__doc__)
    parser.add_argument("profile", nargs="?", choices=plan.PROFILES)
    parser.add_argument("seed", nargs="?", type=int)
    parser.add_argument("--shrink", action="store_true", help="leave out steps as long as the same law is broken")
    parser.add_argument("--trace", action="store_true", help="print every step")
    parser.add_argument("--seconds", type=float, default=0, help="play fresh seeds for so long, from SEED on")
    given = parser.parse_args(argv)
    with stage() as on:
        if given.seconds:
            first = random.SystemRandom().randrange(10**9) if given.seed is None else given.seed
            return _soak(on, [given.profile] if given.profile else list(plan.PROFILES), first, given.seconds)
        done = plan.run(on, given.profile or "calm", given.seed or 0)
        if done.broken and given.shrink:
            steps, done = plan.shrink(on, done.profile, done.seed)
            print(f"{len(steps)} steps: {steps}")
            print("\n".join(done.trace))
        elif given.trace:
            print("\n".join(done.trace))
        print("\n".join(f"{count:6} {what}" for what, count in sorted(done.counts.items())))
        print(done.report() if done.broken else f"{done.profile} {done.seed} holds: {done.digest}")
        return 1 if done.broken else 0


def _soak(on: Stage, profiles: list[str], first: int, seconds: float) -> int:
    end, seed, counts, broken = time.monotonic() + seconds, first, Counter[str](), 0
    while time.monotonic() < end:
        for profile in profiles:
            done = plan.run(on, profile, seed)
            counts += done.counts
            if done.broken:
                broken += 1
                print(done.report(), flush=True)
        seed += 1
    print("\n".join(f"{count:8} {what}" for what, count in sorted(counts.items())))
    print(f"{(seed - first) * len(profiles)} runs from seed {first} on, {broken} broken")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
