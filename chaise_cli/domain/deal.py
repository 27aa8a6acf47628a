"""A deal: what one client and one talent have said, agreed and moved, as the fold of its events leaves it.

The bodies of the hiring life stand here too; their rules are in `hiring`. docs/spec/kinds.md, docs/spec/money.md.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, ClassVar, Final, TypeVar

from chaise_cli.domain.body import body
from chaise_cli.domain.box_key import BoxKey
from chaise_cli.domain.grant import Grant
from chaise_cli.domain.journal import JournalEntry
from chaise_cli.domain.light import NamedTuple
from chaise_cli.domain.recorded import By, Parties, Recorded
from chaise_cli.domain.shape import (
    Body,
    Currency,
    Device,
    Digest,
    Event,
    Identity,
    Instant,
    Many,
    Prose,
    Signature,
    Space,
    Zone,
)
from chaise_cli.domain.talk import Attachment
from chaise_cli.domain.terms import MILESTONES_MOST, Planned, Terms
from chaise_cli.errors import NotFound, Refused
from chaise_cli.ids import DeviceId, EventId, IdentityId, SpaceId, public

B = TypeVar("B", bound=Body)
TRIAL: Final = EventId("A" * 43)  # the id of an event that is only being considered


class NoSuchMilestone(NotFound, Refused):
    """The deal has no milestone of that number, or no signed terms yet."""

    code = "milestone.unknown"
    message = "there is no milestone {milestone}"
    hint = "milestones are numbered once the terms are signed: chaise show {deal}"
    milestone: str
    deal: str


@body
class DealOpened:
    """The first sealed event: who the two sides are, and which device puts their deal in order."""

    KIND: ClassVar[str] = "deal.opened"
    board: Space
    post: Event | None
    client: Identity
    talent: Identity
    agent_device: Device
    client_box: BoxKey
    talent_box: BoxKey


@body
class DealInvited:
    """The client asks the talent for a proposal."""

    KIND: ClassVar[str] = "deal.invited"
    note: Prose


@body
class DealProposed:
    """The talent says what would be done, for how much and until when; the last one stands."""

    KIND: ClassVar[str] = "deal.proposed"
    currency: Currency
    milestones: Annotated[tuple[Planned, ...], Many(MILESTONES_MOST, 1)]
    tz: Zone
    cover: Prose
    valid_until: Instant | None


@body
class DealShortlisted:
    """The client means to talk on."""

    KIND: ClassVar[str] = "deal.shortlisted"


@body
class DealDeclined:
    """No to the other side's proposal, invitation or terms."""

    KIND: ClassVar[str] = "deal.declined"
    of: Event
    reason: Prose


@body
class DealWithdrawn:
    """One's own proposal or terms are taken back."""

    KIND: ClassVar[str] = "deal.withdrawn"
    of: Event


@body
class TermsOffered:
    """Terms signed by one side; the last offer stands until it is accepted."""

    KIND: ClassVar[str] = "terms.offered"
    terms: Terms
    hash: Digest
    signature: Signature


@body
class TermsAccepted:
    """The other side's signature under the same hash."""

    KIND: ClassVar[str] = "terms.accepted"
    offer: Event
    hash: Digest
    signature: Signature


class Invitation(NamedTuple):
    """What the client asked for."""

    id: EventId
    by: IdentityId
    note: str


class Proposal(NamedTuple):
    """The talent's last proposal."""

    id: EventId
    by: IdentityId
    at: int
    body: DealProposed


class Offer(NamedTuple):
    """The last terms offered."""

    id: EventId
    by: IdentityId
    terms: Terms
    hash: str


class CancelRequest(NamedTuple):
    """One side wants out; after `lapses_at` (None: not taken up yet) silence is consent."""

    id: EventId
    by: IdentityId
    reason: str
    lapses_at: int | None


class Op(NamedTuple):
    """One authorisation of a movement, and what became of it. Amounts in minor units of the deal's currency.

    kind: fund, release or refund. end: the total to be reached; step: another so much; one of them is None.
    of: the operation that this one repeats. mark: what its party has been credited in all once it moved.
    grant: under which a run wrote it; most: what it was charged there, and moves at most; clock: of that uptake.
    """

    id: EventId
    kind: str
    n: int
    by: IdentityId
    at: int
    final: bool
    request_id: str | None
    end: int | None
    step: int | None
    of: EventId | None = None
    moved: int = 0
    mark: int = 0
    declined: str | None = None
    ref: str | None = None
    run: EventId | None = None
    grant: EventId | None = None
    most: int | None = None
    clock: int = 0


class Request(NamedTuple):
    """A request id that was used: the hash of its parameters, and its operation per milestone."""

    fingerprint: str
    ops: dict[str, EventId]


class Facts(NamedTuple):
    """What a release policy is told of a milestone. Amounts in minor units; `reach`: what can be released in all.

    criteria: how many the terms name. keys: the key with which a side signs tags. delivered: digests of what the last
    delivery brought.
    """

    n: int
    state: str
    amount: int
    reach: int
    currency: str
    criteria: int
    client: IdentityId
    talent: IdentityId
    keys: dict[str, str]
    delivery: EventId | None
    delivered: tuple[str, ...]


class Run(NamedTuple):
    """A verdict on record: whose, under which policy, and what the deal said at its place."""

    id: EventId
    by: IdentityId
    device: DeviceId
    at: int
    final: bool
    policy: str  # the hash of its bytes, as base64url text
    verdict: str  # allow, deny or wait
    total: int | None
    facts: Facts


class Milestone(NamedTuple):
    """A numbered part of a deal. Amounts in minor units of the deal's currency; all of them only ever grow, but `held`.

    held + disputed = funded − released − refunded, always. `open` lists, per kind of operation, those that
    were taken up and have not moved, in order. `holds` gives for each hold what was funded in all then.
    """

    n: int
    title: str
    amount: int
    due: int | None
    criteria: tuple[str, ...]
    revisions: int | None
    final: bool = True
    work: str = "funded"  # funded, delivered, changes: how far the work is, once there is money
    cancelled: bool = False
    cancel: CancelRequest | None = None
    revised: int = 0
    delivered_by: EventId | None = None
    review_deadline: int | None = None
    files: tuple[Attachment, ...] = ()
    funded: int = 0
    held: int = 0
    released: int = 0
    refunded: int = 0
    disputed: int = 0
    fees_held: int = 0
    talent_credit: int = 0
    talent_paid: int = 0
    client_credit: int = 0
    client_paid: int = 0
    open: dict[str, tuple[EventId, ...]] = {"fund": (), "release": (), "refund": ()}  # noqa: RUF012
    holds: dict[str, int] = {}  # noqa: RUF012
    last_hold: EventId | None = None
    fresh: int = 0  # how many of the files came with the last delivery
    delivered_at: int | None = None  # by the deal's clock, once that was taken up
    reversed: int = 0
    reversals: tuple[str, ...] = ()  # the rail's references of what it clawed back

    @property
    def state(self) -> str:
        """planned, funding, funded, delivered, changes, released, refunded or cancelled."""
        if self.cancelled:
            return "cancelled"
        if self.funded == 0:
            return "funding" if self.open["fund"] else "planned"
        if self.disputed:
            return "disputed"
        if self.held == 0 and self.released == 0:
            return "refunded"
        if self.held == 0 and self.funded >= self.amount:
            return "released"
        return self.work

    @property
    def over(self) -> bool:
        """Whether nothing is held, on its way or planned: nothing more happens here of itself."""
        return not self.held and not any(self.open.values()) and self.state != "planned"

    @property
    def payable(self) -> int:
        """What the two sides have been credited and the rail has not paid out."""
        return self.talent_credit + self.client_credit - self.paid_out

    @property
    def paid_out(self) -> int:
        """What has left the agent."""
        return self.talent_paid + self.client_paid

    def moved(self, kind: str) -> int:
        """What operations of this kind have moved in all."""
        return {"fund": self.funded, "release": self.released, "refund": self.refunded}[kind]


class Deal(NamedTuple):
    """One deal as it stands. `entries` holds the journal entries made since the state was loaded; its holder drains it.

    clock: the deal's clock where the last event was taken up; clock_before: where the take-up before that stood.
    consent: of a third party whom the terms name as the agent, see `domain.consent`.
    last_movement: what the next movement names as the one before it; the opening, to begin with.
    contested: two histories of the agent have moved money, and the sides have not settled which of them stands.
    """

    space: SpaceId
    opening: EventId
    board: SpaceId
    post: EventId | None
    parties: Parties
    state: str
    opened_by: IdentityId
    last_movement: EventId
    final: bool = True
    clock: int = 0
    clock_before: int = 0
    invitation: Invitation | None = None
    proposal: Proposal | None = None
    offer: Offer | None = None
    terms: Terms | None = None
    terms_hash: str | None = None
    hired_by: EventId | None = None
    reason: str = ""  # of the last decline
    milestones: tuple[Milestone, ...] = ()
    ops: dict[str, Op] = {}  # noqa: RUF012
    requests: dict[str, Request] = {}  # noqa: RUF012
    entries: tuple[JournalEntry, ...] = ()
    contested: bool = False
    consent: EventId | None = None  # by which a third party took the agent's role that the terms give it
    runs: dict[str, Run] = {}  # noqa: RUF012
    keys: dict[str, str] = {}  # noqa: RUF012  by identity, the key its tags are signed with
    grants: dict[str, Grant] = {}  # noqa: RUF012

    @property
    def public(self) -> str:
        """The deal's id as people see it."""
        return public("deal", self.space)

    def ref(self, n: int) -> str:
        """A milestone's id as people see it."""
        return f"{self.public}/{n}"

    @property
    def secured(self) -> bool:
        """Whether the terms that both sides signed give the money to somebody who is neither of them."""
        return self.parties.agent != self.parties.client

    @property
    def awaits_agent(self) -> bool:
        """Whether the agent of the signed terms has yet to consent: until then nobody puts the deal in order."""
        return self.secured and self.consent is None

    @property
    def agreed(self) -> Terms:
        """The signed terms; there are some once there are milestones."""
        assert self.terms is not None, "a milestone without terms"
        return self.terms


def milestone(deal: Deal, n: int) -> Milestone:
    """The milestone of that number. Raises NoSuchMilestone."""
    if not 1 <= n <= len(deal.milestones):
        raise NoSuchMilestone(milestone=deal.ref(n), deal=deal.public)
    return deal.milestones[n - 1]


def put(deal: Deal, ms: Milestone, e: Recorded) -> Deal:
    """The deal with this milestone as `e` left it; a deal in which nothing is held or planned is closed."""
    ms = ms if e.final or not ms.final else ms._replace(final=False)
    parts = (*deal.milestones[: ms.n - 1], ms, *deal.milestones[ms.n :])
    over = ms.over and all(part.over for part in parts)  # mostly this one is not
    return deal._replace(milestones=parts, state="closed" if over else "hired")


def tick(deal: Deal, clock: int) -> Deal:
    """The deal when its clock has moved on to `clock`."""
    return deal._replace(clock=clock, clock_before=deal.clock) if clock > deal.clock else deal


def considered(deal: Deal, by: By, body: Body) -> tuple[Deal, Recorded]:
    """The deal and the event as they would be if `by` wrote `body` now: what a decision tries its rules on."""
    clock = max(by.now, deal.clock) if by.agent else deal.clock
    e = Recorded(TRIAL, by.identity, by.device, by.now, clock, final=by.agent, agent=by.agent, body=body)
    return tick(deal, clock), e


def checked(deal: Deal, by: By, apply: Callable[[Deal, Recorded, B], Deal], body: B) -> list[Body]:
    """`body` alone, after its own rule has let it pass. Raises what the rule raises."""
    apply(*considered(deal, by, body), body)
    return [body]
