"""What published reviews say of somebody, and how far each can be trusted. docs/spec/reviews.md."""

from __future__ import annotations

from collections.abc import Iterable

from chaise_cli.domain.light import NamedTuple
from chaise_cli.domain.recorded import Recorded
from chaise_cli.domain.review import Content, Review, ReviewPublished, Voucher
from chaise_cli.domain.review_fold import Mismatch, WrongState, state
from chaise_cli.ids import EventId, IdentityId


class Published(NamedTuple):
    """A review as a board shows it, equal to what its voucher names; the caller has checked the signature."""

    id: EventId
    content: Content
    voucher: Voucher

    @property
    def self_paid(self) -> bool:
        """Whether one of the two sides held the money itself, so that nobody else saw it move."""
        return self.voucher.agent in {self.content.by, self.content.about}

    @property
    def secured(self) -> bool:
        """Whether a third party held the money."""
        return self.voucher.secured and not self.self_paid


class Reputation(NamedTuple):
    """The figures on one person. Deals are counted once, whether they or the other side reviewed."""

    reviews: int  # about them
    stars_x100: int | None  # average of the stars × 100, halves rounded up; None without reviews
    recommended: int
    paid_deals: int
    secured_deals: int
    self_paid_deals: int


def publish(review: Review, voucher: Voucher) -> ReviewPublished:
    """The board's copy of an open review. Raises WrongState while sealed, Mismatch when the voucher names another."""
    if review.content is None:
        raise WrongState(state=state(review), verb="publish")
    content = review.content
    if content.digest() != voucher.digest:
        raise Mismatch
    return ReviewPublished(content.about, content.stars, content.recommend, content.text, voucher)


def published(e: Recorded, body: ReviewPublished) -> Published:
    """A review from a board. Raises Mismatch unless its voucher names this author, subject and text."""
    content = Content(e.by, body.about, body.stars, body.recommend, body.text)
    voucher = body.voucher
    if e.by == body.about or (voucher.by, voucher.about, voucher.digest) != (e.by, body.about, content.digest()):
        raise Mismatch
    return Published(e.id, content, voucher)


def reputation(reviews: Iterable[Published], who: IdentityId) -> Reputation:
    """What the board's reviews with good vouchers say of `who`. A review published twice counts once."""
    once = {
        (_deal(review), review.content.by): review
        for review in sorted(reviews, key=lambda known: known.id, reverse=True)
    }
    mine = [review for review in once.values() if who in {review.content.by, review.content.about}]
    about = [review.content for review in mine if review.content.about == who]
    stars = sum(content.stars for content in about)
    return Reputation(
        reviews=len(about),
        stars_x100=(200 * stars + len(about)) // (2 * len(about)) if about else None,
        recommended=sum(content.recommend is True for content in about),
        paid_deals=len({_deal(review) for review in mine}),
        secured_deals=len({_deal(review) for review in mine if review.secured}),
        self_paid_deals=len({_deal(review) for review in mine if review.self_paid}),
    )


def _deal(review: Published) -> tuple[str, str]:
    """A deal as one agent vouches for it; another agent's token of the same text is another deal."""
    return review.voucher.agent, review.voucher.deal
