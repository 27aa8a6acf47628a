"""`posts` in one process: a board of 10,000 posts, asked in the ways people ask."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Final

from benchmarks import world
from benchmarks.measure import Figure, median
from chaise_cli.domain.money import Money
from chaise_cli.session import browsing
from chaise_cli.session.browsing import Ask

POSTS: Final = 10_000
ROUNDS: Final = 21
BAR_MS: Final = 20.0
ASKED: Final = {
    "no filter": Ask(state="open"),
    "--skill": Ask(skills=("seo",), state="open"),
    "two skills": Ask(skills=("seo", "react"), state="open"),
    "a skill nobody has": Ask(skills=("cobol",), state="open"),
    "--kind, --budget": Ask(kind="marketing", least=Money(300_000, "EUR"), most=Money(310_000, "EUR"), state="open"),
    "--skill, --budget, --sort price": Ask(
        skills=("python",), least=Money(380_000, "EUR"), most=Money(400_000, "EUR"), sort="price", state="open"
    ),
    "--sort deadline": Ask(sort="deadline", state="open"),
    "--with @me": Ask(person="@me"),
}


def figures(folder: Path) -> list[Figure]:
    """The median of each list, and the slowest of them against the bar."""
    lisa = world.person(folder, "Lisa", "client")
    world.posts(lisa, world.board(lisa), POSTS)
    found = {name: median(partial(browsing.posts, lisa, ask), ROUNDS) * 1000 for name, ask in ASKED.items()}
    each = [Figure(f"posts of {POSTS:,}: {name}", value, "ms p50") for name, value in found.items()]
    return [*each, Figure(f"posts of {POSTS:,}: the slowest", max(found.values()), "ms p50", BAR_MS)]
