"""What paid deals did for people: figures of the reviews on our boards whose vouchers hold. docs/spec/reviews.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chaise_cli.domain import reputation, shape
from chaise_cli.domain.recorded import Recorded
from chaise_cli.domain.review import ReviewPublished
from chaise_cli.domain.review_fold import Mismatch
from chaise_cli.ids import DeviceId
from chaise_cli.session import vouchers

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chaise_cli.domain.reputation import Published
    from chaise_cli.ids import IdentityId
    from chaise_cli.store.opinions import Opinion


def figures(opinions: Iterable[Opinion], people: Iterable[IdentityId]) -> dict[IdentityId, dict[str, Any]]:
    """The `reputation` of each of the people that an opinion is about or by.

    An opinion whose voucher does not hold counts nothing; whoever only has such ones is left out.
    """
    about: dict[IdentityId, list[Published]] = {}
    for opinion in opinions:
        found = published(opinion)
        if found is not None:
            for side in (found.content.by, found.content.about):
                about.setdefault(side, []).append(found)
    return {who: reputation.reputation(about[who], who)._asdict() for who in people if who in about}


def published(opinion: Opinion) -> Published | None:
    """The review, None when its voucher names another one or does not hold."""
    said: ReviewPublished = shape.from_data(ReviewPublished, opinion.body)
    at = opinion.at
    recorded = Recorded(opinion.id, opinion.author, DeviceId(""), at, at, final=True, agent=False, body=said)
    try:
        found = reputation.published(recorded, said)
    except Mismatch:
        return None
    return found if vouchers.holds(found.voucher) else None
