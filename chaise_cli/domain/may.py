"""Who may do what now, and until when: the transition table, asked with its guards. Also the source of `next:`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Final

from chaise_cli.domain.deal import Deal, Milestone
from chaise_cli.domain.escrow import free, reserved
from chaise_cli.domain.hiring import standing
from chaise_cli.domain.recorded import May
from chaise_cli.domain.transitions import ROWS, Row
from chaise_cli.ids import IdentityId

SETTLE: Final = "agent settle"  # all that may be done in a contested deal
READY: Final[dict[str, Callable[[Deal, Milestone], bool]]] = {
    "": lambda deal, ms: True,  # noqa: ARG005
    "topup": lambda deal, ms: ms.funded + reserved(deal, ms, "fund") < ms.amount,
    "free": lambda deal, ms: free(deal, ms) > 0,
    "revisions": lambda deal, ms: ms.revisions is None or ms.revised < ms.revisions,  # noqa: ARG005
    "calm": lambda deal, ms: ms.cancel is None,  # noqa: ARG005
    "pending": lambda deal, ms: ms.cancel is not None,  # noqa: ARG005
    "held": lambda deal, ms: bool(ms.open["fund"]),  # noqa: ARG005
    "payable": lambda deal, ms: ms.payable > 0,  # noqa: ARG005
}
"""The guards that do not depend on what the event says, by the name the table gives them."""


def may_deal(deal: Deal) -> list[May]:
    """What may be done to the deal as a whole."""
    if deal.contested:
        return [May("client", SETTLE, None), May("talent", SETTLE, None)]
    subject = standing(deal)
    if deal.awaits_agent:
        return [May("agent", "accept", None), May("agent", "decline", None)]
    author = subject[1] if subject else None
    return _unique(May(who, row.verb, None) for row in _rows("deal", deal.state) for who in _who(deal, row, author))


def may_milestone(deal: Deal, ms: Milestone) -> list[May]:
    """What may be done to one milestone; nothing before the deal is hired, nor while it is contested."""
    if deal.terms is None or deal.contested:
        return []
    author = ms.cancel.by if ms.cancel else None
    return _unique(
        May(who, row.verb, _until(ms, row))
        for row in _rows("milestone", ms.state)
        if READY[row.ready](deal, ms)
        for who in _who(deal, row, author)
    )


@cache
def _rows(scope: str, state: str) -> tuple[Row, ...]:
    """What a verb may do to something in a state."""
    return tuple(row for row in ROWS if row.scope == scope and row.verb and state in row.states)


def _until(ms: Milestone, row: Row) -> int | None:
    if row.verb == "changes":
        return ms.review_deadline
    return ms.cancel.lapses_at if row.ready == "pending" and ms.cancel else None


def _who(deal: Deal, row: Row, author: IdentityId | None) -> tuple[str, ...]:
    if row.who == "either":
        return ("client", "talent")
    if row.who in {"own", "other"}:
        if author is None:
            return ()
        side = author if row.who == "own" else deal.parties.other(author)
        return ("client" if side == deal.parties.client else "talent",)
    return (row.who,)


def _unique(found: Iterator[May]) -> list[May]:
    return list(dict.fromkeys(found))
