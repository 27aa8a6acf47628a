"""Posts and services: publishing, revising and closing them, each one transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from chaise_cli.domain import directory, listing_acts
from chaise_cli.domain.body import replace
from chaise_cli.domain.light import NamedTuple
from chaise_cli.domain.money import Money, Range
from chaise_cli.ids import EventId, public
from chaise_cli.session import browsing, finding, requests, which, writing
from chaise_cli.store import boards

if TYPE_CHECKING:
    from chaise_cli.session.requests import Request
    from chaise_cli.session.session import Session

_KINDS = {directory.PostPublished: "post", directory.ServicePublished: "svc"}
Decide = Callable[[EventId, directory.Listing], Sequence[Any]]


class Done(NamedTuple):
    """The post or service as it now stands, and what was written."""

    object: Mapping[str, Any]
    events: Sequence[str]
    replayed: bool


def publish(session: Session, content: directory.Listed, board: str | None, asked: Request | None) -> Done:
    """A new post or service on the board named, or the only one. Raises DeadlinePassed, BadField, NoBoard, Reused."""
    with session.writing():
        before = requests.replayed(session, asked)
        if before is not None:
            return _done(session, before.subject, before.events, replayed=True)
        bodies = listing_acts.publish(content, session.clock.now())
        space = session.space(which.board(session, board).no)
        writer = writing.Writer(session)
        (event,) = writer.write(space, bodies, asked)
        subject = public(_KINDS[type(content)], event)
        return _done(session, subject, requests.remember(session, asked, subject, writer.written), replayed=False)


def revise(session: Session, named: finding.Named, changes: Mapping[str, Any], asked: Request | None) -> Done:
    """The next version of a post or service; fields not in `changes` stay.

    Raises NotTheAuthor, AlreadyClosed, DeadlinePassed, BadField, Reused.
    """

    def decide(id_: EventId, listing: directory.Listing) -> Sequence[Any]:
        content = replace(listing.content, **changes)
        return listing_acts.revise(id_, listing, session.me.identity, content, session.clock.now())

    return _change(session, named, decide, asked)


def close(session: Session, named: finding.Named, asked: Request | None) -> Done:
    """End a post or service; one that has ended stays as it is. Raises NotTheAuthor, Reused."""
    return _change(session, named, lambda id_, listing: listing_acts.close(id_, listing, session.me.identity), asked)


def _change(session: Session, named: finding.Named, decide: Decide, asked: Request | None) -> Done:
    subject = public(named.kind, named.id)
    with session.writing():
        before = requests.replayed(session, asked)
        if before is not None:
            return _done(session, before.subject, before.events, replayed=True)
        found = boards.find(session.db, named.id)
        assert found, "a listing that was found by its id"
        bodies = decide(named.event, found.listing)
        space = session.space(found.space)
        writer = writing.Writer(session)
        if bodies:
            writer.write(space, bodies, asked)
        made = requests.remember(session, asked, subject, writer.written)
        return _done(session, subject, made, replayed=not bodies)


def budget(given: Range | None) -> directory.Budget | None:
    """A budget as events say it."""
    return directory.Budget(given.least.minor, given.most.minor, given.least.currency) if given is not None else None


def price(given: Money | None) -> directory.Price | None:
    """A price as events say it."""
    return directory.Price(given.minor, given.currency) if given is not None else None


def _done(session: Session, subject: str, events: Sequence[str], *, replayed: bool) -> Done:
    named = finding.find(session, subject, "post", "svc")
    shown: Any = browsing.post(session, named.id) if named.kind == "post" else browsing.service(session, named.id)
    return Done(shown, events, replayed)
