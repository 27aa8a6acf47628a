"""Reviews and reputations as JSON. docs/spec/results.md."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from chaise_cli.domain.reputation import Published, Reputation
from chaise_cli.domain.review import Content, Facts, Review, Reviews
from chaise_cli.domain.review_fold import withheld
from chaise_cli.domain.when import instant_text
from chaise_cli.ids import IdentityId, public

Person = Callable[[IdentityId], Mapping[str, object]]


def view(
    reviews: Reviews, review: Review, facts: Facts, person: Person, clock: int, own: Content | None = None
) -> dict[str, object]:
    """One side's review in a deal. clock: the deal's; own: what I sealed, to show it to me."""
    content = review.content or own
    return {
        "id": public("rev", review.id),
        "deal": public("deal", facts.space),
        "by": dict(person(review.by)),
        "about": dict(person(review.about)),
        **_said(content),
        "state": "open" if review.content else "sealed",
        "secured": review.secured,
        "at": instant_text(review.at),
        "agent": dict(person(facts.parties.agent)),
        "self_paid": not review.secured,
        "withheld": withheld(reviews, review, clock),
        "vouched": review.voucher is not None,
        "final": review.final,
    }


def published_view(review: Published, person: Person, at: int) -> dict[str, object]:
    """A review from a board; it does not say of which deal it is. at: its signed time, ms since 1970, UTC."""
    return {
        "id": public("rev", review.id),
        "deal": None,
        "by": dict(person(review.content.by)),
        "about": dict(person(review.content.about)),
        **_said(review.content),
        "state": "open",
        "secured": review.secured,
        "at": instant_text(at),
        "agent": dict(person(review.voucher.agent)),
        "self_paid": review.self_paid,
    }


def reputation_view(figures: Reputation) -> dict[str, object]:
    """The figures beside a profile; `stars` is the average as a text with two decimals, or None."""
    average = figures.stars_x100
    return {
        "reviews": figures.reviews,
        "stars_x100": average,
        "stars": None if average is None else f"{average // 100}.{average % 100:02d}",
        "recommended": figures.recommended,
        "paid_deals": figures.paid_deals,
        "secured_deals": figures.secured_deals,
        "self_paid_deals": figures.self_paid_deals,
    }


def _said(content: Content | None) -> dict[str, object]:
    if content is None:
        return {"stars": None, "recommend": None, "text": ""}
    return {"stars": content.stars, "recommend": content.recommend, "text": content.text}
