"""Decisions on reviews: each refuses or returns the bodies to sign. docs/spec/reviews.md."""

from __future__ import annotations

from chaise_cli.domain.recorded import By, May, Parties
from chaise_cli.domain.review import (
    STARS,
    WORDS,
    Content,
    Facts,
    Review,
    ReviewBody,
    ReviewOpened,
    Reviews,
    ReviewSealed,
)
from chaise_cli.domain.review_fold import (
    OPENING,
    NotASide,
    NotTheAuthor,
    check_opening,
    check_seal,
    deadline,
    openable,
    state,
    turn_over,
)
from chaise_cli.domain.shape import BadField
from chaise_cli.errors import Refused
from chaise_cli.ids import EventId, IdentityId


class NotSealed(Refused):
    """This side has sealed no review."""

    code = "review.not_sealed"
    message = "there is no review of yours to open"
    hint = "write one: chaise review DEAL --stars 5 --text TEXT"


def written(by: IdentityId, parties: Parties, stars: int, recommend: bool | None, words: str) -> Content:  # noqa: FBT001  # three values: yes, no, not said
    """The review that a side writes of the other. Raises NotASide; BadField outside the limits."""
    if by not in {parties.client, parties.talent}:
        raise NotASide
    for name, marker, value in (("stars", STARS, stars), ("text", WORDS, words)):
        try:
            marker.check(value)
        except ValueError as error:
            raise BadField(field=name, why=str(error)) from error
    return Content(by, parties.other(by), stars, recommend, words)


def seal_review(reviews: Reviews, by: By, facts: Facts, clock: int, sealed: ReviewSealed) -> list[ReviewBody]:
    """This side's review, sealed by the caller.

    clock: the deal's; on the agent device itself, now. Nothing when the same commitment stands already.
    Raises NotASide, NotYet, Twice, TooLate.
    """
    own = reviews.by_author.get(by.identity)
    if own and own.commitment == sealed.commitment:
        return []
    check_seal(reviews, facts, by.identity, clock)
    return [sealed]


def to_open(reviews: Reviews, by: By, facts: Facts, clock: int) -> tuple[Review, ...]:
    """The sealed reviews for this device to open at the deal's `clock`, by id: my own; those with a key for the agent.

    The clock is the deal's, not this device's: what is opened too early is read and yet void. The agent device
    gives the instant up to which it heard all places, since its own event moves the clock past that.
    """
    if not openable(reviews, clock):
        return ()
    agent = by.agent and facts.secured and by.identity == facts.parties.agent
    sealed = [one for one in reviews.by_author.values() if one.content is None]
    mine = [one for one in sealed if one.by == by.identity or (agent and one.agent_box is not None)]
    return tuple(sorted(mine, key=lambda one: one.id))


def opening(review: Review, key: str, content: Content) -> ReviewOpened:
    """The body that opens a review with these words."""
    return ReviewOpened(review.id, key, content.stars, content.recommend, content.text)


def open_review(reviews: Reviews, by: By, clock: int, key: str, content: Content) -> list[ReviewBody]:
    """The opening of the sealed review of `content.by`. Nothing when it is open.

    Raises NotSealed, NotTheAuthor on any device but the author's and the agent's, TooEarly, Mismatch.
    """
    known = reviews.by_author.get(content.by)
    if known is None:
        raise NotSealed
    if by.identity != known.by and not by.agent:
        raise NotTheAuthor
    if known.content is not None:
        return []
    body = opening(known, key, content)
    check_opening(reviews, known, body, clock)
    return [body]


def clock_waits(reviews: Reviews, clock: int, heard: int) -> bool:
    """Whether something sealed opens or is withheld from an instant on that the deal's `clock` has not reached.

    The agent device, which heard all places up to `heard`, then takes up that the time has passed: in a deal where
    nothing else happens no other event would say so.
    """
    if all(one.content is not None for one in reviews.by_author.values()):
        return False
    end = deadline(reviews)
    dates = [end] if end is not None and not openable(reviews, clock) else []
    dates += [one.opened_clock + OPENING for one in reviews.by_author.values() if one.opened_clock]
    return any(clock < at <= heard for at in dates)


def to_vouch(reviews: Reviews) -> tuple[EventId, ...]:
    """Open reviews that wait for the agent device's voucher."""
    return tuple(sorted(known.id for known in reviews.by_author.values() if state(known) == "open"))


def may(reviews: Reviews, facts: Facts, clock: int) -> list[May]:
    """Which side may still review, and until when by the deal's clock (ms; None before a first review)."""
    free = facts.moved and not turn_over(reviews, clock)
    sides = (("client", facts.parties.client), ("talent", facts.parties.talent))
    open_to = [side for side, who in sides if free and who not in reviews.by_author]
    return [May(side, "review", deadline(reviews)) for side in open_to]
