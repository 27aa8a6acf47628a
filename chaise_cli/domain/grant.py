"""What a grant says: the verbs, milestone, amounts and date that a key is limited to, and the events about it.

The rules are in `grants`. docs/spec/grants.md.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Final

from chaise_cli.domain.body import body
from chaise_cli.domain.box_key import BoxKey
from chaise_cli.domain.light import NamedTuple
from chaise_cli.domain.shape import (
    Currency,
    Device,
    Digest,
    Event,
    Identity,
    Instant,
    Many,
    Minor,
    Name,
    OneOf,
    Text,
    Whole,
)
from chaise_cli.domain.terms import DAY_MS, Number
from chaise_cli.ids import DeviceId, EventId, IdentityId, public

VERB_OF: Final = {
    "fund.requested": "fund",
    "release.authorized": "release",
    "refund.authorized": "refund",
    "work.delivered": "deliver",
    "run.recorded": "release",  # the verdict on which a release rests
}
"""The kinds that a run may write, and the verb that its grant must name for each."""

VERBS: Final = {"client": ("fund", "release"), "talent": ("deliver", "refund")}  # which side may hand out which
APPROVERS_MOST: Final = 3  # a deal has no more parties
LIVE_MOST: Final = 16  # grants of one side that are in force at a time
_LONGEST_WAIT_MS: Final = 366 * DAY_MS


@body
class Approvals:
    """How many of these people have to approve."""

    need: Annotated[int, Whole(1, APPROVERS_MOST)]
    of: Annotated[tuple[Identity, ...], Many(APPROVERS_MOST, 1)]


@body
class Scope:
    """What a grant allows. Amounts are minor units of the deal's currency; `max` is for the grant's whole life.

    milestone None: any. per_day: in one day, UTC, of the deal's clock. until: an instant, not included.
    policy: the hash of the policy file that a release has to meet.
    """

    can: Annotated[tuple[Annotated[str, OneOf("deliver", "fund", "refund", "release")], ...], Many(4, 1)]
    milestone: Number | None
    max: Minor
    per_day: Minor | None
    until: Instant
    approvals: Approvals | None
    delivered_for_ms: Annotated[int, Whole(0, _LONGEST_WAIT_MS)] | None
    policy: Digest | None

    @property
    def proves_nothing(self) -> bool:
        """Whether no event has to show that the act is earned: whoever has the file moves all that it may."""
        return self.approvals is None and self.delivered_for_ms is None and self.policy is None


@body
class GrantCreated:
    """A side hands out a key for acts of its own. `certificate`: its writer's, for this key in this space."""

    KIND: ClassVar[str] = "grant.created"
    key: Device
    box: BoxKey
    name: Name
    scope: Scope
    certificate: Annotated[str, Text(2000, 1)]


@body
class GrantRevoked:
    """A grant ends before its time."""

    KIND: ClassVar[str] = "grant.revoked"
    grant: Event


@body
class GrantApproved:
    """One of those whom a grant names lets its runs reach a total in one milestone; the last word stands."""

    KIND: ClassVar[str] = "grant.approved"
    grant: Event
    milestone: Number
    total: Minor
    currency: Currency


class Grant(NamedTuple):
    """A grant as it stands. device: that certified it; above: it and those that certified it, where one was revoked.

    approved: the total that an approver lets be reached, by `approval_key`.
    """

    id: EventId
    by: IdentityId
    device: DeviceId
    key: DeviceId
    box: str  # the id of its box key
    name: str
    scope: Scope
    above: tuple[DeviceId, ...] = ()
    revoked: bool = False
    approved: dict[str, int] = {}  # noqa: RUF012

    @property
    def public(self) -> str:
        """Its id as people see it."""
        return public("grant", self.id)


def approval_key(by: IdentityId, n: int) -> str:
    """Under what an approval is kept."""
    return f"{by} {n}"
