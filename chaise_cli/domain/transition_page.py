"""docs/spec/transitions.md, made from the transition table; a test compares the two.

To write it anew: `python -c "from chaise_cli.domain.transition_page import page; print(page(), end='')"`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from chaise_cli.domain.transitions import DEAL_STATES, MILESTONE_STATES, ROWS, Row

_HEAD: Final = """\
# Transitions

Made from the table in `chaise_cli/domain/transitions.py`, by which every replica folds; a test keeps the two alike.
The rules behind it are told in [money](money.md). An event that no row allows at its place in the deal's order is
**void**, alike everywhere: with the reason `deal.not_yours` when no row of its kind is for its writer,
`deal.wrong_state` when none of those fits the state, else with the code of the guard that failed. *either* is client
or talent; *own* and *other* are the side that said what the event answers, and the opposite one; *agent* is the
deal's agent device. `later` rows have no code yet.
"""
_DEAL: Final = """
A deal begins `talking`, with `deal.opened` by one of its two sides. It is `closed` as long as it is hired and no
milestone is planned, holds money or has an open operation; that follows by itself and takes no event.
"""
_CLOSING: Final = "    hired --> closed: nothing held, planned or open\n    closed --> hired: fund.requested\n"
_MILESTONE: Final = """
Milestones begin `planned`, when the terms are accepted. Rows whose number ends in `=` are repeats: recorded, and moving
nothing.
"""
_TABLE: Final = (
    "| # | from → to | event | who | command | guard | posting |\n| --- | --- | --- | --- | --- | --- | --- |\n"
)


def page() -> str:
    """The whole page."""
    return "".join(
        (
            _HEAD,
            "\n## A deal\n",
            _DEAL,
            *_section("deal", DEAL_STATES, _CLOSING),
            "\n## A milestone\n",
            _MILESTONE,
            *_section("milestone", MILESTONE_STATES),
        )
    )


def _section(scope: str, states: Sequence[str], more: str = "") -> Iterator[str]:
    rows = [row for row in ROWS if row.scope == scope]
    yield "\n```mermaid\nstateDiagram-v2\n"
    yield f"    [*] --> {states[0]}\n"
    yield from dict.fromkeys(arrow for row in rows for arrow in _arrows(row))
    yield more
    yield "```\n\n" + _TABLE
    yield from (_line(row) for row in rows)


def _arrows(row: Row) -> Iterator[str]:
    """The lines of the diagram; what leaves the state as it is would only hide the others."""
    if not row.later:
        for target in row.to.split(" or "):
            yield from (
                f"    {state} --> {target}: {row.kind}\n"
                for state in row.states
                if target not in {"same", state} and state not in {"released", "refunded", "cancelled"}
            )


def _line(row: Row) -> str:
    guard = f"later: {row.guard}".rstrip(": ") if row.later else row.guard
    verb = f"`{row.verb}`" if row.verb else "–"
    cells = (
        row.number,
        f"{', '.join(row.states)} → {row.to}",
        row.kind,
        row.who,
        verb,
        guard or "–",
        row.posting or "–",
    )
    return f"| {' | '.join(cells)} |\n"
