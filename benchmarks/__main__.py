"""`make bench`: every figure in one run, as a table and as JSON (benchmarks/results/latest.json, not kept in git).

`python -m benchmarks [EVENTS] [PART …]`: EVENTS of the cold sync, 100,000 unless given; parts: `PARTS`.
"""

from __future__ import annotations

import gc
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from benchmarks import (
    acts,
    books,
    calendars,
    ci,
    cold_sync,
    escrow,
    lists,
    measure,
    rails,
    relay,
    replication,
    side_by_side,
    startup,
)
from chaise_cli import cli

SEED: Final = 1  # nothing measured here draws random numbers of its own
EVENTS: Final = 100_000
ROUNDS: Final = 20
PARTS: Final = (
    "start",
    "acts",
    "posts",
    "books",
    "sync",
    "relay",
    "replication",
    "rails",
    "escrow",
    "ci",
    "calendars",
    "beside",
)
RESULT: Final = Path(__file__).parent / "results" / "latest.json"


def main(argv: list[str]) -> int:
    """Print the table; 1 when a bar is missed."""
    total = int(argv.pop(0)) if argv and argv[0].isdigit() else EVENTS
    notes: list[str] = []
    figures = [figure for part in argv or PARTS for figure in _part(part, total, notes)]
    sys.stdout.write(measure.report(figures, SEED, notes))
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(measure.as_json(figures, SEED, notes), encoding="utf-8")
    return 1 if any(figure.holds() is False for figure in figures) else 0


def _part(part: str, total: int, notes: list[str]) -> list[measure.Figure]:
    """The figures of one part, in a folder of its own; remarks go to `notes`."""
    runs: dict[str, Callable[[Path], list[measure.Figure]]] = {
        "start": lambda folder: startup.figures(folder, ROUNDS, notes),
        "acts": acts.figures,
        "posts": lists.figures,
        "books": books.figures,
        "sync": lambda folder: cold_sync.figures(folder, total),
        "relay": lambda folder: relay.figures(folder, notes),
        "replication": lambda folder: replication.figures(folder, total, notes),
        "rails": rails.figures,
        "escrow": escrow.figures,
        "ci": ci.figures,
        "calendars": calendars.figures,
        "beside": lambda folder: side_by_side.figures(folder, notes),
    }
    gc.collect()
    cli.collect()  # from here on the garbage collector works as in a command
    with tempfile.TemporaryDirectory(prefix="chaise-bench-") as name:
        return runs[part](Path(name))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
