"""What a fold gets to see of one event: who, when by which clock, how final, and what it says; and who may act."""

from __future__ import annotations

from chaise_cli.domain.light import NamedTuple
from chaise_cli.domain.shape import Body
from chaise_cli.ids import DeviceId, EventId, IdentityId


class Recorded(NamedTuple):
    """One event at its place in the order of its space. Instants are ms since 1970, UTC."""

    id: EventId
    by: IdentityId
    device: DeviceId
    at: int  # the device's own clock, a claim: for display only
    clock: int  # the deal's clock at the take-up that covers the event: what deadlines are judged by
    final: bool  # taken up by the agent device; False: provisional
    agent: bool  # written by the deal's agent device
    body: Body
    seq: int = 0  # its place on its chain
    above: tuple[DeviceId, ...] = ()  # its device and those that certified it; only where one was revoked
    grant: DeviceId | None = None  # the grant key that certified its device, which is a run's
    beside: frozenset[str] = frozenset()  # last events that revocations of its device name, and its history lacks


class By(NamedTuple):
    """Who decides: the acting identity and device, and when."""

    identity: IdentityId
    device: DeviceId
    now: int  # ms since 1970, UTC
    agent: bool  # whether this device is the deal's agent device


class Parties(NamedTuple):
    """Who is who in a deal."""

    client: IdentityId
    talent: IdentityId
    agent: IdentityId  # the client, until signed terms name somebody else
    agent_device: DeviceId

    def other(self, side: IdentityId) -> IdentityId:
        """The side opposite to `side`."""
        return self.talent if side == self.client else self.client


class May(NamedTuple):
    """`who` (client, talent or agent) may type `verb`, until an instant in ms or, with None, without end."""

    who: str
    verb: str
    until: int | None
