"""Figures and how they are taken: CPU time of children, best of several; rates of this process; a table and JSON."""

from __future__ import annotations

import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple


class Figure(NamedTuple):
    """One measured number and the bar it is held to; `better` says which side of the bar is good."""

    name: str
    value: float
    unit: str
    bar: float | None = None
    better: str = "less"

    def holds(self) -> bool | None:
        """Whether the bar is met; None when there is none."""
        if self.bar is None:
            return None
        return self.value <= self.bar if self.better == "less" else self.value >= self.bar


class Spent(NamedTuple):
    """CPU and wall seconds of a block; filled when it ends."""

    cpu: list[float]
    wall: list[float]


@contextmanager
def spent() -> Iterator[Spent]:
    """CPU (of this process) and wall time of the block."""
    result = Spent([], [])
    cpu, wall = time.process_time(), time.perf_counter()
    yield result
    result.cpu.append(time.process_time() - cpu)
    result.wall.append(time.perf_counter() - wall)


def child_cpu(argv: Sequence[str], environment: dict[str, str]) -> float:
    """CPU seconds of one run of a program. Raises CalledProcessError when it fails."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(argv, env=environment, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def interleaved(commands: dict[str, Callable[[], float]], rounds: int = 20) -> dict[str, float]:
    """The best of `rounds` runs of each command, taken in turn so that drift hits all alike."""
    best = dict.fromkeys(commands, float("inf"))
    for _ in range(rounds):
        for name, run in commands.items():
            best[name] = min(best[name], run())
    return best


def median(run: Callable[[], object], rounds: int) -> float:
    """Median wall seconds of a call."""
    times = []
    for _ in range(rounds):
        begun = time.perf_counter()
        run()
        times.append(time.perf_counter() - begun)
    return sorted(times)[rounds // 2]


def medians(one: Callable[[], object], other: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Median wall seconds of two calls, taken in turn."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for run, taken in zip((one, other), times, strict=True):
            taken.append(median(run, 1))
    return sorted(times[0])[rounds // 2], sorted(times[1])[rounds // 2]


def report(figures: Sequence[Figure], seed: int, notes: Sequence[str] = ()) -> str:
    """The figures as a table, with what they were taken on."""
    lines = [f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, seed {seed}", ""]
    width = max(len(figure.name) for figure in figures)
    for figure in figures:
        bar = "" if figure.bar is None else f"  bar {'≤' if figure.better == 'less' else '≥'} {figure.bar:g}"
        mark = {True: "  ok", False: "  MISSED", None: ""}[figure.holds()]
        lines.append(f"{figure.name:<{width}}  {figure.value:>12,.2f} {figure.unit}{bar}{mark}")
    return "\n".join([*lines, "", *notes] if notes else lines) + "\n"


def as_json(figures: Sequence[Figure], seed: int, notes: Sequence[str] = ()) -> str:
    """The same for machines."""
    machine = {"machine": platform.machine(), "cores": os.cpu_count(), "python": sys.version.split()[0], "seed": seed}
    return json.dumps(
        {**machine, "notes": list(notes), "figures": [{**f._asdict(), "holds": f.holds()} for f in figures]}, indent=1
    )
