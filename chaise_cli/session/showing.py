"""Whatever stands in a deal as commands answer with it: its state, its people, and the way to each kind of object."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from chaise_cli.errors import NotFound
from chaise_cli.ids import IdentityId, SpaceId, public
from chaise_cli.session import finding
from chaise_cli.store import deal_states

if TYPE_CHECKING:
    from chaise_cli.domain.deal_state import DealState
    from chaise_cli.session.finding import Named
    from chaise_cli.session.session import Session

Shown = tuple[str, dict[str, Any]]  # the name of a shape, and the object
_KINDS: Final = {  # kind → the module whose `named` shows it, loaded for it alone
    "deal": "chaise_cli.session.showing_deals",
    "op": "chaise_cli.session.showing_deals",
    "book": "chaise_cli.session.showing_calls",
    "msg": "chaise_cli.session.conversations",
    "grant": "chaise_cli.session.showing_grants",
}


class NotOpenYet(NotFound):
    """The deal's first event has not arrived."""

    code = "deal.not_arrived"
    message = "{deal} has not arrived in full"
    hint = "chaise sync"
    deal: str


def state_of(session: Session, deal: SpaceId) -> DealState:
    """The deal as it now stands, provisional acts included. Raises NotOpenYet."""
    found = deal_states.load(session.db, finding.space_no(session, deal))
    if found is None:
        raise NotOpenYet(deal=public("deal", deal))
    return found.now


def look(session: Session) -> Callable[[IdentityId], Any]:
    """What is known of somebody, each asked of the store once."""
    known: dict[str, dict[str, object]] = {}

    def person(identity: IdentityId) -> dict[str, object]:
        if identity not in known:
            known[identity] = session.person(identity)
        return dict(known[identity])

    return person


def named(session: Session, what: Named) -> Shown:
    """The shape and the object of something in a deal that an id names."""
    module: Any = import_module(_KINDS[what.kind])
    shown: Shown = module.named(session, what)
    return shown
