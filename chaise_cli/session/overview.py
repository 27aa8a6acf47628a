"""Lists of deals."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from chaise_cli.session import showing_deals
from chaise_cli.store import deal_reads

if TYPE_CHECKING:
    from collections.abc import Callable

    from chaise_cli.domain.deal_state import DealState
    from chaise_cli.session.session import Session

_BY_SHAPE: Final[dict[str, Callable[[dict[str, Any]], Any]]] = {
    "total": lambda deal: (sum(step["amount"]["minor"] for step in deal["milestones"]), deal["id"]),
    "due": lambda deal: (min((step["due"] for step in deal["milestones"] if step["due"]), default="~"), deal["id"]),
}
DEAL_SORTS: Final = (*deal_reads.DEAL_SORTS, *_BY_SHAPE)
Wanted = deal_reads.Wanted
_LOOKING: Final = "chaise_cli.session.looking"  # only a comparison counts reviews


def deals(session: Session, wanted: deal_reads.Wanted) -> list[dict[str, Any]]:
    """The deals that fit, ordered; those about one post come with their comparison."""
    show = _compared if wanted.post is not None else showing_deals.deal
    key = _BY_SHAPE.get(wanted.sort)
    rows = wanted._replace(sort="at", limit=None) if key else wanted  # sorted by what only the whole object says
    with session.reading():
        found = [show(session, deal_reads.state(session.db, deal.no)) for deal in deal_reads.select(session.db, rows)]
    return sorted(found, key=key)[: wanted.limit] if key else found


def _compared(session: Session, state: DealState) -> dict[str, Any]:
    looking: Any = import_module(_LOOKING)
    return showing_deals.compared(session, state, looking.paid_reviews(session, state.deal.parties.talent))
