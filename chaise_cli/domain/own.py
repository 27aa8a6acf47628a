"""What a person's own devices share in the self space. docs/spec/kinds.md."""

from __future__ import annotations

from typing import Annotated, ClassVar

from chaise_cli.domain.body import body
from chaise_cli.domain.shape import Currency, Digest, Email, Event, Name, OneOf, Secret, Space, Text, Zone


@body
class SelfSettings:
    """Who I am and what I use when a command leaves it out."""

    KIND: ClassVar[str] = "self.settings"
    handle: Name
    name: Name
    role: Annotated[str, OneOf("client", "talent")]
    currency: Currency
    tz: Zone
    email: Email | None


@body
class SelfBoxKey:
    """The private half of the identity's box key."""

    KIND: ClassVar[str] = "self.box_key"
    id: Digest
    seed: Secret


@body
class SelfDevice:
    """The certificate of one of my devices, as canonical JSON text."""

    KIND: ClassVar[str] = "self.device"
    certificate: Annotated[str, Text(2000, 1)]


@body
class SelfReviewKey:
    """The key that opens a review I sealed, kept for all my devices."""

    KIND: ClassVar[str] = "self.review_key"
    deal: Space
    review: Event
    key: Secret
