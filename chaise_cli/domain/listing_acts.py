"""What the author of a post or service may do with it, decided before it is signed; the fold keeps the same rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chaise_cli.domain import directory
from chaise_cli.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chaise_cli.ids import EventId, IdentityId


class DeadlinePassed(Refused):
    """A post whose deadline lies in the past would be over as it is published."""

    code = "post.deadline_passed"
    message = "the deadline has passed already"
    hint = "name a later day, or leave it out: chaise post --deadline 2026-12-20"


def publish(content: directory.Listed, now: int) -> list[directory.Listed]:
    """A new post or service. now: in ms. Raises DeadlinePassed."""
    _in_time(content, now)
    return [content]


def revise(
    id_: EventId, listing: directory.Listing, by: IdentityId, content: directory.Listed, now: int
) -> Sequence[directory.Revision]:
    """The next version; nothing when it says the same. Raises NotTheAuthor, AlreadyClosed, DeadlinePassed."""
    if listing.author == by and content == listing.content:
        return []
    body = directory.revision(id_, content)
    directory.change(listing, by, body)
    if _deadline(content) != _deadline(listing.content):
        _in_time(content, now)
    return [body]


def close(id_: EventId, listing: directory.Listing, by: IdentityId) -> Sequence[directory.Closing]:
    """The end of a post or service; nothing when it has ended, however that was. Raises NotTheAuthor."""
    if listing.author == by and listing.ended:
        return []
    is_post = isinstance(listing.content, directory.PostPublished)
    body: directory.Closing = directory.PostClosed(id_, "closed") if is_post else directory.ServiceClosed(id_)
    directory.change(listing, by, body)
    return [body]


def _in_time(content: directory.Listed, now: int) -> None:
    deadline = _deadline(content)
    if deadline is not None and deadline <= now:
        raise DeadlinePassed


def _deadline(content: directory.Listed) -> int | None:
    return content.deadline if isinstance(content, directory.PostPublished) else None
