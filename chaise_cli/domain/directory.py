"""What a board shows: profiles, services and posts, each changed by its author alone. docs/spec/kinds.md."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final

from chaise_cli.domain.body import body
from chaise_cli.domain.box_key import BoxKey
from chaise_cli.domain.light import NamedTuple
from chaise_cli.domain.shape import (
    Currency,
    Event,
    Form,
    Instant,
    Line,
    Link,
    Many,
    Minor,
    Name,
    OneOf,
    Prose,
    Skill,
    Title,
    Whole,
    Zone,
)
from chaise_cli.errors import Refused

SKILLS_MOST: Final = 30
Skills = Annotated[tuple[Skill, ...], Many(SKILLS_MOST)]
Role = Annotated[str, OneOf("client", "talent")]
Category = Annotated[str, Form(r"[^\x00-\x1f\x7f\ud800-\udfff]{0,40}", "must be at most 40 characters on one line")]


class NotTheAuthor(Refused):
    """Only the author of a post, service or board name may change it."""

    code = "board.not_the_author"
    message = "only its author may change this"
    hint = "publish one of your own: chaise post, chaise service"


class NothingThere(Refused):
    """The object an event changes was never published by its author."""

    code = "board.nothing_there"
    message = "there is no such post or service"
    hint = "list them: chaise posts, chaise services"


class AlreadyClosed(Refused):
    """A closed post or service stays closed."""

    code = "board.closed"
    message = "it is closed and stays closed"
    hint = "publish a new one: chaise post, chaise service"


@body
class Rate:
    """A price for a unit of work."""

    amount: Minor
    currency: Currency
    per: Annotated[str, OneOf("hour", "day", "project")]


@body
class Price:
    """A fixed price."""

    amount: Minor
    currency: Currency


@body
class Budget:
    """What a client means to spend, from `least` to `most`."""

    least: Minor
    most: Minor
    currency: Currency


@body
class BoardNamed:
    """The board's name; its creator's word alone counts."""

    KIND: ClassVar[str] = "board.named"
    name: Title


@body
class ProfilePublished:
    """Who somebody says they are, and the key that others wrap to."""

    KIND: ClassVar[str] = "profile.published"
    handle: Name
    name: Name
    role: Role
    headline: Line
    bio: Prose
    skills: Skills
    rates: Annotated[tuple[Rate, ...], Many(10)]
    location: Line
    links: Annotated[tuple[Link, ...], Many(20)]
    tz: Zone
    box_key: BoxKey


@body
class ServicePublished:
    """Something a talent offers at a price."""

    KIND: ClassVar[str] = "service.published"
    title: Title
    category: Category
    description: Prose
    price: Price | None
    days: Annotated[int, Whole(1, 3650)] | None
    skills: Skills


@body
class ServiceRevised:
    """A service as it now stands."""

    KIND: ClassVar[str] = "service.revised"
    service: Event
    title: Title
    category: Category
    description: Prose
    price: Price | None
    days: Annotated[int, Whole(1, 3650)] | None
    skills: Skills


@body
class ServiceClosed:
    """A service that is no longer offered."""

    KIND: ClassVar[str] = "service.closed"
    service: Event


@body
class PostPublished:
    """A project that looks for a talent. `deadline` is a UTC instant; `tz` says how to show it."""

    KIND: ClassVar[str] = "post.published"
    title: Title
    category: Category
    skills: Skills
    budget: Budget | None
    deadline: Instant | None
    tz: Zone
    location: Line
    brief: Prose


@body
class PostRevised:
    """A post as it now stands."""

    KIND: ClassVar[str] = "post.revised"
    post: Event
    title: Title
    category: Category
    skills: Skills
    budget: Budget | None
    deadline: Instant | None
    tz: Zone
    location: Line
    brief: Prose


@body
class PostClosed:
    """A post that takes no more proposals: closed by its client, or filled by a hire."""

    KIND: ClassVar[str] = "post.closed"
    post: Event
    reason: Annotated[str, OneOf("closed", "filled")]


Revision = PostRevised | ServiceRevised
Closing = PostClosed | ServiceClosed
Listed = PostPublished | ServicePublished


class Listing(NamedTuple):
    """A post or service: its author, content as last revised, and how it ended ('' while it stands)."""

    author: str
    content: Listed
    version: int
    ended: str
    at: int


def publish(author: str, body: Listed, at: int) -> Listing:
    """A new post or service. `at` is its author's clock, in ms."""
    return Listing(author, body, 1, "", at)


def change(listing: Listing | None, author: str, body: Revision | Closing) -> Listing:
    """The listing after its author's revision or closing. Raises NothingThere, NotTheAuthor, AlreadyClosed."""
    if listing is None:
        raise NothingThere
    if listing.author != author:
        raise NotTheAuthor
    if isinstance(body, PostRevised | PostClosed) != isinstance(listing.content, PostPublished):
        raise NothingThere
    if listing.ended:
        raise AlreadyClosed
    if isinstance(body, PostClosed):
        return listing._replace(ended=body.reason)
    if isinstance(body, ServiceClosed):
        return listing._replace(ended="closed")
    return listing._replace(content=_content(body), version=listing.version + 1)


def _content(body: Revision) -> Listed:
    if isinstance(body, PostRevised):
        return PostPublished(
            body.title, body.category, body.skills, body.budget, body.deadline, body.tz, body.location, body.brief
        )
    return ServicePublished(body.title, body.category, body.description, body.price, body.days, body.skills)


def revision(listing_id: str, content: Listed) -> Revision:
    """The event body that makes `content` the new version of the listing with this id."""
    if isinstance(content, PostPublished):
        return PostRevised(
            listing_id,  # type: ignore[arg-type]
            content.title,
            content.category,
            content.skills,
            content.budget,
            content.deadline,
            content.tz,
            content.location,
            content.brief,
        )
    return ServiceRevised(
        listing_id,  # type: ignore[arg-type]
        content.title,
        content.category,
        content.description,
        content.price,
        content.days,
        content.skills,
    )
