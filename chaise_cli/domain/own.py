"""What a person's own devices share in the self space. docs/spec/kinds.md."""

from __future__ import annotations

from typing import Annotated, ClassVar

from chaise_cli.domain.body import body
from chaise_cli.domain.box_key import BoxPublic
from chaise_cli.domain.shape import (
    Currency,
    Device,
    Digest,
    Email,
    Event,
    Line,
    Many,
    Name,
    OneOf,
    Secret,
    Space,
    Text,
    Zone,
)


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


@body
class SelfDeviceBox:
    """The public half of a device's own box key, to which the keys of the self space are wrapped."""

    KIND: ClassVar[str] = "self.device_box"
    device: Device
    key: BoxPublic


@body
class SelfDeviceNamed:
    """What a device is called from now on, among its owner's devices."""

    KIND: ClassVar[str] = "self.device_named"
    device: Device
    name: Name


@body
class SelfDeviceRenewed:
    """A home goes on under the key `device`; `before` is the one it used until then, and still holds."""

    KIND: ClassVar[str] = "self.device_renewed"
    device: Device
    before: Device


@body
class SelfRootBox:
    """The root's public box key, which opens the self space with nothing but the recovery code."""

    KIND: ClassVar[str] = "self.root_box"
    key: BoxPublic


@body
class SelfBoard:
    """A board I am on, with the secret of its invite and what it was called there."""

    KIND: ClassVar[str] = "self.board"
    board: Space
    key: Secret
    name: Line


@body
class SelfPlace:
    """A place I sync with and the boards that go there. `invite`: what a relay let me in with; `gone`: no more."""

    KIND: ClassVar[str] = "self.place"
    url: Annotated[str, Text(500, 1)]
    auto: bool
    boards: Annotated[tuple[Space, ...], Many(1000)]
    invite: Line | None
    gone: bool
