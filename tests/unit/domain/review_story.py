"""Reviews of one deal, told one after the other, and what a board carries of them."""

from __future__ import annotations

from typing import Final

from chaise_cli import ids
from chaise_cli.domain.body import replace
from chaise_cli.domain.recorded import By
from chaise_cli.domain.reputation import Published, published
from chaise_cli.domain.review import (
    NONE,
    Content,
    Facts,
    ReviewBody,
    ReviewOpened,
    ReviewPublished,
    ReviewSealed,
    Voucher,
)
from chaise_cli.domain.review_acts import to_open
from chaise_cli.domain.review_fold import step, vouch
from tests.unit.domain.deal_cast import CLIENT, LAPTOP, NOW, PARTIES, SPACE, STRANGER, TALENT, id_of, recorded

PAID: Final = Facts(SPACE, PARTIES, moved=True, secured=False)
UNPAID: Final = PAID._replace(moved=False)
KEY: Final = id_of("key")
OTHER_KEY: Final = id_of("other key")
BOX: Final = "A" * 60
AGENT_BOX: Final = ids.text(bytes(1168))
SECURED: Final = PAID._replace(parties=PARTIES._replace(agent=STRANGER), secured=True)
SIGNATURE: Final = ids.text(bytes(64))
PRAISE: Final = Content(CLIENT, TALENT, 5, recommend=True, text="Äußerst “good”\n\tDeliver’d")
THANKS: Final = Content(TALENT, CLIENT, 4, recommend=None, text="Paid in time")


def sealed(content: Content, key: str = KEY, agent_box: str | None = None) -> ReviewSealed:
    """A seal of these words."""
    return ReviewSealed(content.commitment(key), BOX, agent_box)


def opening(content: Content, review: ids.EventId, key: str = KEY) -> ReviewOpened:
    """The opening of a review."""
    return ReviewOpened(review, key, content.stars, content.recommend, content.text)


class Story:
    """Reviews told one after the other."""

    def __init__(self, facts: Facts = PAID) -> None:
        self.reviews, self.facts, self.count = NONE, facts, 0

    def tell(self, body: ReviewBody, by: ids.IdentityId, *, clock: int = NOW, agent: bool = False) -> ids.EventId:
        """Fold one event in and give its id."""
        self.count += 1
        e = recorded(body, by, f"review {self.count}", clock=clock, agent=agent)
        self.reviews = step(self.reviews, self.facts, e)
        return e.id


def both_sealed() -> tuple[Story, ids.EventId, ids.EventId]:
    """The client has praised, the talent thanked; nothing is open."""
    story = Story()
    return story, story.tell(sealed(PRAISE), CLIENT), story.tell(sealed(THANKS, OTHER_KEY), TALENT)


def both_open() -> tuple[Story, ids.EventId, ids.EventId]:
    """Both are open."""
    story, praise, thanks = both_sealed()
    story.tell(opening(PRAISE, praise), CLIENT)
    story.tell(opening(THANKS, thanks, OTHER_KEY), TALENT)
    return story, praise, thanks


def voucher(story: Story, review: ids.EventId) -> Voucher:
    """What the agent device signed for a review."""
    made = vouch(story.reviews, story.facts, review, LAPTOP)
    return replace(made, certificates=("{}",), signature=SIGNATURE)


def opens(story: Story, by: By, clock: int) -> list[ids.EventId]:
    """What this device may open now."""
    return [one.id for one in to_open(story.reviews, by, story.facts, clock)]


def published_of(
    content: Content, deal: str = "deal", agent: ids.IdentityId = CLIENT, *, secured: bool = False
) -> ReviewPublished:
    """A review on a board, under a voucher."""
    role = "client" if content.by == CLIENT else "talent"
    made = Voucher(
        deal=id_of(deal), digest=content.digest(), by=content.by, about=content.about, role=role, secured=secured,
        agent=agent, device=LAPTOP, certificates=("{}",), signature=SIGNATURE,
    )  # fmt: skip
    return ReviewPublished(content.about, content.stars, content.recommend, content.text, made)


def on_board(body: ReviewPublished, by: ids.IdentityId, name: str = "p") -> Published:
    """As a board shows it."""
    return published(recorded(body, by, name), body)
