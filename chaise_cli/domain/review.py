"""Reviews: sealed by both sides of a paid deal, opened together, vouched for and published. docs/spec/reviews.md.

A side first signs a commitment to its review, so that neither can answer the other's words: both open
when both are in, or 14 days after the first one. The rules stand in `review_fold`, what a board makes of
published reviews in `reputation`.
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Annotated, ClassVar, Final

from chaise_cli.domain.body import body
from chaise_cli.domain.light import NamedTuple
from chaise_cli.domain.recorded import Parties
from chaise_cli.domain.shape import (
    Device,
    Digest,
    Event,
    Form,
    Identity,
    Key,
    Many,
    OneOf,
    Secret,
    Signature,
    Text,
    Whole,
)
from chaise_cli.ids import EventId, IdentityId, SpaceId, raw, text

DAY: Final = 24 * 3_600_000  # ms
WORDS_MOST: Final = 6_000  # characters of a review, so that it fits into an event when it is sealed
_SEAL_TAG: Final = b"chaise/1 sealed review\0"
_REVIEW_TAG: Final = b"chaise/1 review\0"
_DEAL_TAG: Final = b"chaise/1 reviewed deal\0"

STARS: Final = Whole(1, 5)
WORDS: Final = Text(WORDS_MOST, line=False)
Stars = Annotated[int, STARS]
Words = Annotated[str, WORDS]
AgentBox = Annotated[str, Key(1168)]  # a key of 32 bytes under HPKE
SealedBytes = Annotated[str, Form(r"[A-Za-z0-9_-]{22,48000}", "must be sealed bytes in base64url")]
Role = Annotated[str, OneOf("client", "talent")]


class Content(NamedTuple):
    """What one side says of the other. Author and subject are in it, so nobody can seal a copy as their own."""

    by: IdentityId
    about: IdentityId
    stars: int
    recommend: bool | None
    text: str

    def canonical(self) -> bytes:
        """Its canonical JSON (RFC 8785)."""
        return _canonical(dict(self._asdict()))

    def digest(self) -> str:
        """The hash by which a voucher names it."""
        return text(sha256(_REVIEW_TAG + self.canonical()).digest())

    def commitment(self, key: str) -> str:
        """SHA-256 over a tag, the key's 32 bytes and the canonical JSON: binds the author, tells nothing."""
        return text(sha256(_SEAL_TAG + raw(key) + self.canonical()).digest())


@body
class ReviewSealed:
    """A side has written its review. `box` holds the review, sealed under the key that is kept for its opening.

    agent_box: that key, encrypted to the third party that holds the money; null: nobody but the author can open it.
    """

    KIND: ClassVar[str] = "review.sealed"
    commitment: Digest
    box: SealedBytes
    agent_box: AgentBox | None


@body
class ReviewOpened:
    """What a sealed review says, with the key that proves it."""

    KIND: ClassVar[str] = "review.opened"
    review: Event
    key: Secret
    stars: Stars
    recommend: bool | None
    text: Words


@body
class Voucher:
    """The agent device's word that an open review belongs to a paid deal, and how the money was held."""

    deal: Digest  # a token: two reviews of one deal share it, and it does not lead to the deal
    digest: Digest  # of the review
    by: Identity
    about: Identity
    role: Role  # of the author
    secured: bool  # held by a third party
    agent: Identity
    device: Device
    certificates: Annotated[tuple[Annotated[str, Text(2_000, 1)], ...], Many(4)]  # from the device up to its root
    signature: Signature  # over `signed_text`

    def signed_text(self) -> bytes:
        """What the agent device signs, under the tag for vouchers: all but signature and certificates."""
        names = ("deal", "digest", "by", "about", "role", "secured", "agent", "device")
        return _canonical({name: getattr(self, name) for name in names})


@body
class ReviewVoucher:
    """A voucher for an open review of this deal, for its author to publish."""

    KIND: ClassVar[str] = "review.voucher"
    review: Event
    voucher: Voucher


@body
class ReviewPublished:
    """A review and its voucher on a board, published by the review's author."""

    KIND: ClassVar[str] = "review.published"
    about: Identity
    stars: Stars
    recommend: bool | None
    text: Words
    voucher: Voucher


ReviewBody = ReviewSealed | ReviewOpened | ReviewVoucher


class Facts(NamedTuple):
    """What reviews must know of their deal at this place in its order."""

    space: SpaceId
    parties: Parties
    moved: bool  # money has been released
    secured: bool  # held by a third party, not by the client


class Review(NamedTuple):
    """One side's review. Clocks are the deal's, ms since 1970, UTC; 0 before anything was taken up."""

    id: EventId  # of the sealed event
    by: IdentityId
    about: IdentityId
    commitment: str
    box: str
    at: int  # signed time of the sealed event, for display
    clock: int  # when it was taken up
    content: Content | None  # once it is open
    opened_clock: int
    voucher: EventId | None
    secured: bool
    final: bool
    agent_box: str | None = None  # the key to `box` for the agent


class Reviews(NamedTuple):
    """The reviews of a deal by their authors."""

    by_author: dict[str, Review]


NONE: Final = Reviews({})


def deal_token(space: SpaceId) -> str:
    """What stands for a deal on a board: reviews of one deal share it, and it does not give the space's id."""
    return text(sha256(_DEAL_TAG + raw(space)).digest())


def _canonical(value: dict[str, object]) -> bytes:
    """RFC 8785 for a flat object of ASCII keys, text, small integers, booleans and None."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
