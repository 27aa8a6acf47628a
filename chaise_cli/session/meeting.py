"""Whom an act reaches: a deal by its id, or the one with a post's client or a person, opened when there is none."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from chaise_cli.errors import NotFound, Refused
from chaise_cli.ids import EventId, IdentityId, SpaceId, public
from chaise_cli.session import acting, finding
from chaise_cli.store import deal_reads, profiles

if TYPE_CHECKING:
    from chaise_cli.session.acting import Enter
    from chaise_cli.session.finding import Named
    from chaise_cli.session.session import Session
    from chaise_cli.session.writing import Writer
    from chaise_cli.store.deal_reads import Post
    from chaise_cli.store.events import Space


class SeveralDeals(NotFound):
    """More than one deal with a person goes on."""

    code = "deal.several"
    message = "several deals with {who} go on: {candidates}"
    hint = "name the one you mean"
    who: str
    candidates: str


class PostEnded(Refused):
    """The post takes no more proposals."""

    code = "post.ended"
    message = "{post} is {state} and takes no more proposals"
    hint = "look for others: chaise posts"
    post: str
    state: str


class OwnPost(Refused):
    """The post is one's own, so it does not say who is meant."""

    code = "post.own"
    message = "{post} is your own post, so the other side has to be named"
    hint = "name the deal or the person: chaise deals {post} lists them"
    post: str


class NotYourPost(Refused):
    """Only the client of a post invites to it."""

    code = "post.not_yours"
    message = "{post} is somebody else's post"
    hint = "invite to a post of your own: chaise posts --with me"
    post: str


def reach(session: Session, what: Named) -> Enter:
    """The way into the deal that a deal, a post or a person names. Raises OwnPost; entering raises SeveralDeals."""
    if what.kind == "deal":
        return acting.in_deal(session, what.space)
    if what.kind == "post":
        return for_post(session, what.event)
    return _with(session, IdentityId(what.id))


def anew(session: Session, other: IdentityId, board: SpaceId) -> Enter:
    """The way into a new deal with a person, as their client, on a board; whatever goes on with them besides."""
    return lambda writer: _opened(session, writer, other, None, client=True, board=board)


def _with(session: Session, other: IdentityId) -> Enter:
    """The way into the one deal with a person. Looked for on entering: a repeated request never enters again."""

    def enter(writer: Writer) -> Space:
        going = deal_reads.between(session.db, session.me.identity, other)
        if len(going) > 1:
            shown = ", ".join(public("deal", one) for one in going[: finding.SHOWN_MOST])
            raise SeveralDeals(who=session.called(other), candidates=shown)
        if going:
            return acting.in_deal(session, going[0])(writer)
        return _opened(session, writer, other, None, client=_is_client(session, other))

    return enter


def for_post(session: Session, post: EventId) -> Enter:
    """The way into one's deal with the client of a post. Raises OwnPost, and PostEnded where there is no deal yet."""
    found = _post(session, post)
    if found.author == session.me.identity:
        raise OwnPost(post=public("post", post))
    return _through(session, found, post, found.author, client=False)


def invited_to(session: Session, post: EventId, other: IdentityId) -> Enter:
    """The way into the deal with somebody about one's own post. Raises NotYourPost, PostEnded."""
    found = _post(session, post)
    if found.author != session.me.identity:
        raise NotYourPost(post=public("post", post))
    return _through(session, found, post, other, client=True)


def _through(session: Session, found: Post, post: EventId, other: IdentityId, *, client: bool) -> Enter:
    def enter(writer: Writer) -> Space:
        known = deal_reads.existing(session.db, other, post)
        if known is not None:
            return acting.in_deal(session, known)(writer)
        if found.ended:
            raise PostEnded(post=public("post", post), state=found.ended)
        return _opened(session, writer, other, post, client=client)

    return enter


def _opened(
    session: Session,
    writer: Writer,
    other: IdentityId,
    post: str | None,
    *,
    client: bool,
    board: SpaceId | None = None,
) -> Space:
    opening: Any = import_module("chaise_cli.session.opening")  # and HPKE, which a deal that goes on does not need
    them, met = opening.counterpart(session, post, other)
    space: Space = opening.open_deal(session, writer, them, board or met, post, client=client)
    return space


def _post(session: Session, post: EventId) -> Post:
    found = deal_reads.post(session.db, post)
    assert found, "a post that was found by its id"
    return found


def _is_client(session: Session, other: IdentityId) -> bool:
    """Whether we are the client of a deal opened with a person: of a talent's always, else by our own role."""
    profile = profiles.newest(session.db, other)
    return session.me.settings.role == "client" or (profile is not None and profile.body["role"] == "talent")
