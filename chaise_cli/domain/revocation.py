"""Revoking a device: who may, what is cut off, alike on every replica whatever came first. docs/spec/devices.md.

`above` is a device and those that certified it, nearest first, the one that the root certified last; so the depth of
the device at place i is len(above) − i, and the root's is 0.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from typing import Annotated, Any, ClassVar

from chaise_cli.domain.body import body
from chaise_cli.domain.box_key import BoxKey
from chaise_cli.domain.light import NamedTuple
from chaise_cli.domain.shape import Device, Event, Instant, Key, Many, Signature, Text, Whole
from chaise_cli.errors import Refused
from chaise_cli.ids import DeviceId

Authority = Annotated[str, Key(32)]
Certificates = Annotated[tuple[Annotated[str, Text(2000, 1)], ...], Many(4)]
Keeps = Annotated[tuple[Device, ...], Many(100)]


class DeviceRevoked(Refused):
    """The device that signed it had been revoked."""

    code = "device.revoked"
    message = "this device has been revoked: what it signs counts for nothing"
    hint = "join anew: chaise device add on another device of yours, chaise device join here; what is here can be read"


class MayNotRevoke(Refused):
    """A device is revoked by the root, or by an admin device that is nearer to it."""

    code = "device.may_not_revoke"
    message = "only the root, or an admin device nearer to it, revokes this device"
    hint = "with the recovery code: chaise device revoke DEVICE --recovery-file FILE"


@body
class LastEvent:
    """An event of a device by its place and id."""

    seq: Annotated[int, Whole(0)]
    id: Event


@body
class SelfDeviceRevoked:
    """A device is cut off behind `last`, with all it certified but `keeps`. Signed by the root or an admin device."""

    KIND: ClassVar[str] = "self.device_revoked"
    device: Device
    last: LastEvent | None
    keeps: Keeps
    at: Instant
    by: Authority
    certificates: Certificates
    signature: Signature


@body
class BoardDeviceRevoked:
    """As in self: `last` is what is known of the device on this board."""

    KIND: ClassVar[str] = "board.device_revoked"
    device: Device
    last: LastEvent | None
    keeps: Keeps
    at: Instant
    by: Authority
    certificates: Certificates
    signature: Signature


@body
class DealDeviceRevoked:
    """As in self, judged at its uptake. `box`: the identity's new box key, to which this deal is encrypted from now."""

    KIND: ClassVar[str] = "deal.device_revoked"
    device: Device
    last: LastEvent | None
    keeps: Keeps
    at: Instant
    by: Authority
    certificates: Certificates
    signature: Signature
    box: BoxKey


KINDS = frozenset({SelfDeviceRevoked.KIND, BoardDeviceRevoked.KIND, DealDeviceRevoked.KIND})


class Revoked(NamedTuple):
    """One revocation that counts. depth: of who signed it; last: the seq of the device's last good event, or −1.

    by: whose word it is, where those of both sides are kept together; it reaches that identity's devices alone.
    end: the id of that last good event.
    """

    device: DeviceId
    depth: int
    keeps: tuple[DeviceId, ...]
    last: int
    by: str = ""
    end: str = ""


class Claim(NamedTuple):
    """A revocation as it stands in a space: its writer's `above`, its place there, and its body."""

    above: Sequence[DeviceId]
    seq: int
    rank: tuple[Any, ...]
    body: Any


def limit(above: Sequence[DeviceId], standing: Iterable[Revoked], beside: Container[str] = ()) -> int | None:
    """The seq behind which the device `above[0]` is cut off, −1 for all of it; None when it is not.

    A word about the device itself goes before one about a device that certified it. beside: the ids of last events that
    the history in question does not lead to.
    """
    orders = list(standing)
    for place, device in enumerate(above):
        one = next((one for one in orders if one.device == device and one.depth < len(above) - place), None)
        if one is not None and place == 0:
            return -1 if one.end in beside else one.last
        if one is not None and above[0] not in one.keeps:
            return -1
    return None


def may_say(above: Sequence[DeviceId], body: Any) -> bool:
    """Whether a device may write this revocation: never one that it would cut off itself."""
    return body.device not in above or (above[0] != body.device and above[0] in body.keeps)


def revoked(body: Any) -> Revoked:
    """What a body comes to where it counts."""
    last, end = (body.last.seq, body.last.id) if body.last else (-1, "")
    return Revoked(body.device, len(body.certificates), tuple(body.keeps), last, end=end)


def standing(claims: Iterable[Claim]) -> list[Revoked]:
    """What the claims that `heard` gives come to."""
    return [revoked(claim.body) for claim in heard(claims)]


def heard(claims: Iterable[Claim]) -> list[Claim]:
    """The revocations of one identity in a space that were rightly said, strongest first.

    Whether one is strong enough for its device is asked by `limit`, which knows that device's certificates.

    What the root signed counts by itself. Any other is void behind the place where its writer was cut off by a
    stronger one, or an earlier one of like strength.
    """
    found: list[Claim] = []
    for claim in sorted(claims, key=lambda claim: (len(claim.body.certificates), claim.rank)):
        cut = limit(claim.above, [revoked(one.body) for one in found])
        in_time = not claim.body.certificates or cut is None or claim.seq <= cut
        if in_time and may_say(claim.above, claim.body):
            found.append(claim)
    return found
