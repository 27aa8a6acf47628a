"""`show`: whatever an id names, as its object."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from chaise_cli.ids import KINDS, IdentityId, SpaceId, public
from chaise_cli.session import finding, showing
from chaise_cli.store import board_reads, opinions

if TYPE_CHECKING:
    from chaise_cli.session.finding import Named
    from chaise_cli.session.session import Session
    from chaise_cli.session.showing import Shown


# What an id may name is one of many things, and what shows the others is not loaded for it.
_HISTORY: Final = "chaise_cli.session.history"
_LISTINGS: Final = "chaise_cli.store.listings"
_PORTRAITS: Final = "chaise_cli.session.portraits"
_POLICING: Final = "chaise_cli.session.policing"  # policies and what they read
_TRUST: Final = "chaise_cli.session.trust"  # ciphers are behind this door


def anything(session: Session, given: str) -> tuple[Shown, Named | None]:
    """The shape and object of an id of any kind, a handle, or an event of the log; and what it named.

    Raises what `finding.find` raises, and SeveralEvents.
    """
    if given.strip() == "me":
        given = "@me"
    if not given.startswith("@") and given.partition("-")[0].lower() not in KINDS and "-" not in given:
        history: Any = import_module(_HISTORY)
        return ("log_entry", history.event(session, given)), None
    named = finding.find(session, given)
    with session.reading():
        return _ELSEWHERE.get(named.kind, showing.named)(session, named), named


def _post(session: Session, what: Named) -> Shown:
    listings: Any = import_module(_LISTINGS)
    return "post", dict(listings.post(session.db, what.id, session.clock.now(), _who(session)))


def _service(session: Session, what: Named) -> Shown:
    listings: Any = import_module(_LISTINGS)
    return "service", dict(listings.service(session.db, what.id, _who(session)))


def _profile(session: Session, what: Named) -> Shown:
    portraits: Any = import_module(_PORTRAITS)
    return "profile", portraits.of(session, IdentityId(what.id))


def _board(session: Session, what: Named) -> Shown:
    found = board_reads.find(session.db, SpaceId(what.id))
    assert found, "a board that was found by its id"
    return "board", dict(board_reads.view(session.db, found))


def _review(session: Session, what: Named) -> Shown:
    trust: Any = import_module(_TRUST)
    about = opinions.subject(session.db, what.event)
    if about is not None:
        for shape in _published(session, about):
            if shape["id"] == public("rev", what.id):
                return "review", shape
    state = showing.state_of(session, finding.deal_of(session, what))
    found = next(each for each in state.reviews.by_author.values() if each.id == what.id)
    return "review", trust.shown(session, state, found)


def _run(session: Session, what: Named) -> Shown:
    policing: Any = import_module(_POLICING)
    return "run", policing.shown(session, what)


def _published(session: Session, about: IdentityId) -> list[dict[str, Any]]:
    """The open reviews of a person whose vouchers hold."""
    trust: Any = import_module(_TRUST)
    found: list[dict[str, Any]] = trust.listed(session, trust.Ask(public("id", about), "open", None, None, "at"))
    return found


def paid_reviews(session: Session, about: IdentityId) -> int:
    """How many open reviews of a person there are whose vouchers hold."""
    return len(_published(session, about)) if opinions.is_reviewed(session.db, about) else 0


def _who(session: Session) -> Callable[[str], Any]:
    person: Callable[[Any], Any] = showing.look(session)
    return person


_ELSEWHERE: Final[dict[str, Callable[[Any, Any], Shown]]] = {
    "post": _post,
    "svc": _service,
    "id": _profile,
    "board": _board,
    "rev": _review,
    "run": _run,
}
