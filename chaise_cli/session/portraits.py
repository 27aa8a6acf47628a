"""Profiles read: what somebody says of themselves, what others say of them after paid deals, how they keep to calls."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from chaise_cli.errors import NotFound
from chaise_cli.ids import public
from chaise_cli.store import listings, opinions, people
from chaise_cli.store.own import settings as settings_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chaise_cli.ids import IdentityId
    from chaise_cli.session.session import Session
    from chaise_cli.shapes import Profile

_STANDING: Final = "chaise_cli.session.standing"
_RELIABILITY: Final = "chaise_cli.domain.reliability"
_DEALS: Final = "chaise_cli.store.deal_reads"
_EMPTY: Final[dict[str, Any]] = {"headline": "", "bio": "", "skills": [], "rates": [], "location": "", "links": []}


class NoProfile(NotFound):
    """The person's profile has not arrived here."""

    code = "person.nothing_published"
    message = "{who} has published no profile that arrived here"
    hint = "chaise sync; profiles come with boards: chaise boards"
    who: str


def own(session: Session) -> Profile:
    """What we say of ourselves; our e-mail address is told to us and in deals, never on a board."""
    settings = settings_of(session.db)
    shown = listings.profile(session.db, session.me.identity, session.person)
    if shown is None:
        shown = listings.profile_of(session.me.identity, {**_EMPTY, "tz": settings.tz}, None, session.person)
    person = {**session.person(session.me.identity), "handle": settings.handle, "name": settings.name}
    return {**shown, "person": person, "tz": settings.tz, "email": settings.email}  # type: ignore[typeddict-item]


def of(session: Session, identity: IdentityId) -> dict[str, Any]:
    """What somebody says of themselves, what others say after paid deals, and figures of calls. Raises NoProfile."""
    mine = identity == session.me.identity
    found = own(session) if mine else listings.profile(session.db, identity, session.person)
    if found is None:
        raise NoProfile(who=public("id", identity))
    return with_reputation(session, {identity: found})[0] | {"reliability": _reliability(session, identity)}


def _reliability(session: Session, identity: IdentityId) -> dict[str, Any] | None:
    """How they keep to calls, by all deals that this home holds; None where no call says anything of that."""
    spaces = people.with_calls(session.db, identity)
    if not spaces:
        return None
    reads: Any = import_module(_DEALS)  # few people have had calls
    states = [reads.state(session.db, space) for space in spaces]
    calls = [(state.deal.parties, call) for state in states for call in state.bookings.by_id.values()]
    rules: Any = import_module(_RELIABILITY)
    figures = rules.reliability(calls, identity)
    return dict(figures._asdict()) if any(figures) else None


def with_reputation(session: Session, profiles: Mapping[IdentityId, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The profiles with their `reputation`: None where no review on our boards is about them or by them.

    One query for all of them; only where it finds something are the rules of reviews loaded.
    """
    said = opinions.concerning(session.db, profiles)
    standing: Any = import_module(_STANDING) if said else None
    figures: Mapping[str, Any] = standing.figures(said, profiles) if said else {}
    return [{**profile, "reputation": figures.get(who)} for who, profile in profiles.items()]
