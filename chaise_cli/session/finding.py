"""From what people type to what is meant: ids by unique prefix, handles, milestones as `DEAL/N`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from chaise_cli import ids
from chaise_cli.domain.light import NamedTuple
from chaise_cli.errors import NotFound, Usage
from chaise_cli.ids import EventId, IdentityId, SpaceId, public
from chaise_cli.store import events, people, public_ids

if TYPE_CHECKING:
    from chaise_cli.session.session import Session

SHOWN_MOST: Final = 10  # candidates named by an ambiguous id


class Unknown(NotFound):
    """Nothing answers to the id."""

    code = "id.unknown"
    message = "nothing here is called {given}"
    hint = "if it is new elsewhere: chaise sync; lists print what is here"
    given: str


class Ambiguous(NotFound):
    """Several things answer to the shortened id."""

    code = "id.ambiguous"
    message = "{given} may mean: {candidates}"
    hint = "type more of the id"
    given: str
    candidates: str


class UnknownPerson(NotFound):
    """No person of this name is known here."""

    code = "person.unknown"
    message = "nobody here is called {given}"
    hint = "chaise talents lists people; a handle is written @james, an id id-…"
    given: str


class TwoOfAName(NotFound):
    """Several people use the handle."""

    code = "person.ambiguous"
    message = "several people are called {given}: {candidates}"
    hint = "use one of these"
    given: str
    candidates: str


class FullIdWanted(Usage):
    """A shortened id where a script signs or moves money."""

    code = "usage.full_id"
    message = "off a terminal this verb takes full ids only, not {given}"
    hint = "the full id is {full}"
    given: str
    full: str


class BadMilestoneId(Usage):
    """The part behind the slash is not a milestone's number."""

    code = "usage.bad_milestone_id"
    message = "{given} is not a milestone; they are written DEAL/1"
    hint = "chaise show DEAL lists them"
    given: str


class Named(NamedTuple):
    """What an argument means: its kind, its 32-byte id as text, and a milestone's number where one was given."""

    kind: str
    id: str
    n: int | None = None

    @property
    def space(self) -> SpaceId:
        """The id as a space's, for boards and deals."""
        return SpaceId(self.id)

    @property
    def event(self) -> EventId:
        """The id as an event's."""
        return EventId(self.id)


def find(session: Session, given: str, *kinds: str, exact: bool = False) -> Named:
    """What `given` names, of one of `kinds` (none: of any). A deal may carry a milestone, `deal-…/2`.

    exact: refuse a shortened id. Raises BadId, Unknown, Ambiguous, FullIdWanted, BadMilestoneId.
    """
    body, slash, number = given.strip().partition("/")
    if body.startswith("@") and (not kinds or "id" in kinds):
        return Named("id", person(session, body))
    kind, chars = ids.read_public(body, *kinds)
    found = public_ids.beginning(session.db, kind, chars, SHOWN_MOST + 1)
    if not found:
        raise Unknown(given=given[:60])
    if len(found) > 1:
        shown = ", ".join(public(kind, one)[: len(kind) + 1 + max(8, len(chars) + 4)] for one in found[:SHOWN_MOST])
        raise Ambiguous(given=given[:60], candidates=shown)
    if exact and len(chars) < ids.LENGTH:
        raise FullIdWanted(given=given[:60], full=public(kind, found[0]) + slash + number)
    return Named(kind, found[0], _number(given, number) if slash else None)


def _number(given: str, number: str) -> int:
    if not (number.isascii() and number.isdigit() and 0 < len(number) <= 3 and int(number)):
        raise BadMilestoneId(given=given[:60])
    return int(number)


def person(session: Session, given: str) -> IdentityId:
    """The identity meant by `@handle`, `@me` or `id-…`. Raises UnknownPerson, TwoOfAName, and what `find` raises."""
    if given in ("@me", "me"):
        return session.me.identity
    if not given.startswith("@"):
        return IdentityId(find(session, given, "id").id)
    handle = given[1:]
    if handle == session.me.settings.handle:
        others = [one for one in people.named(session.db, handle) if one != session.me.identity]
        if not others:
            return session.me.identity
    found = people.named(session.db, handle)
    if not found:
        raise UnknownPerson(given=given[:60])
    if len(found) > 1:
        shown = ", ".join(f"@{handle}.{ids.base32(ids.raw(one), 4)}" for one in found[:SHOWN_MOST])
        raise TwoOfAName(given=given[:60], candidates=shown)
    return found[0]


def space_no(session: Session, space: SpaceId) -> int:
    """The row number of a space that `find` named."""
    found = events.find_space(session.db, space)
    assert found, "an id was found in the table of spaces"
    return found.no


def deal_of(session: Session, named: Named) -> SpaceId:
    """The deal that a booking, review, op or message belongs to, or the deal itself."""
    if named.kind == "deal":
        return named.space
    space = public_ids.deal_of(session.db, named.kind, named.id)
    if space is None:
        raise Unknown(given=public(named.kind, named.id))
    return events.space_numbered(session.db, space).id
