"""A deal to play with: two sides, an agent, a clock, and everything that happens in it folded as it is said."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Final

from chaise_cli.domain import agent, cancellation, deal_fold, escrow, hiring, work
from chaise_cli.domain.body import fields
from chaise_cli.domain.box_key import BoxKey
from chaise_cli.domain.deal import Deal, DealOpened, DealProposed, Milestone
from chaise_cli.domain.grant import GrantCreated, Scope
from chaise_cli.domain.recorded import By, Recorded
from chaise_cli.domain.shape import Body, check
from chaise_cli.domain.terms import DAY_MS, Part, Planned, Terms
from chaise_cli.ids import DeviceId, EventId, IdentityId, SpaceId, text


def name(word: str) -> str:
    """32 bytes made from a word, as ids are written."""
    return text(hashlib.sha256(word.encode()).digest())


LISA: Final = IdentityId(name("lisa"))
JAMES: Final = IdentityId(name("james"))
ADA: Final = IdentityId(name("ada"))
MALLORY: Final = IdentityId(name("mallory"))
SPACE: Final = SpaceId(name("space"))
BOARD: Final = SpaceId(name("board"))
LAPTOP: Final = DeviceId(name("laptop"))
NOON: Final = 1_795_000_000_000
SIGNATURE: Final = "A" * 86
BOX: Final = BoxKey(name("box"), "A" * 1621 + "A")
DEVICES: Final = {LISA: LAPTOP, JAMES: DeviceId(name("phone")), ADA: DeviceId(name("server"))}


def sign(_: str) -> str:
    return SIGNATURE


def opening(client: IdentityId = LISA, talent: IdentityId = JAMES) -> DealOpened:
    return DealOpened(BOARD, EventId(name("post")), client, talent, LAPTOP, BOX, BOX)


def parts(*amounts: int, revisions: int | None = None) -> tuple[Part, ...]:
    return tuple(Part(f"Part {n}", amount, None, (), revisions) for n, amount in enumerate(amounts, start=1))


class World:
    """A deal and its clock. Lisa's laptop is the agent device unless terms name another one."""

    def __init__(self, opener: IdentityId = LISA) -> None:
        self.now = NOON
        self.count = 0
        self.deal: Deal = hiring.open_deal(SPACE, self.event(opener, opening()))

    def by(self, who: IdentityId) -> By:
        device = DEVICES.get(who, DeviceId(name(who)))
        agent_device = self.deal.parties.agent_device if hasattr(self, "deal") else LAPTOP
        return By(who, device, self.now, agent=device == agent_device)

    def event(self, who: IdentityId, body: Body, *, final: bool = True) -> Recorded:
        check(body)
        self.count += 1
        by = self.by(who)
        return Recorded(EventId(name(f"e{self.count}")), who, by.device, self.now, self.now, final, by.agent, body)

    def record(self, who: IdentityId, *bodies: Body, final: bool = True) -> EventId:
        """Fold these as said by `who` now; the id of the last event."""
        e = None
        for body in bodies:
            e = self.event(who, body, final=final)
            self.deal = deal_fold.step(self.deal, e)
        assert e is not None, "nothing was said"
        return e.id

    def settle(self, away: agent.Away | None = None) -> None:
        """Let the agent do what it has to."""
        holder = self.deal.parties.agent
        while bodies := agent.agent_duties(self.deal, self.by(holder), away):
            self.record(holder, *bodies)

    def attest(self, op: EventId, ref: str = "transfer 4711", cost: int = 0) -> EventId:
        holder = self.deal.parties.agent
        return self.record(holder, *agent.attest(self.deal, self.by(holder), op, ref, cost))

    def claw_back(self, op: EventId, amount: int, ref: str, cost: int = 0) -> EventId:
        holder = self.deal.parties.agent
        return self.record(holder, *agent.reverse(self.deal, self.by(holder), op, amount, cost, ref))

    def pay_all(self) -> None:
        """Let people move everything that is due."""
        while due := agent.rail_due(self.deal):
            self.attest(due[0].op)

    def ms(self, n: int = 1) -> Milestone:
        return self.deal.milestones[n - 1]

    def propose(self, *amounts: int, currency: str = "EUR") -> EventId:
        planned = tuple(Planned(f"Part {n}", amount, None) for n, amount in enumerate(amounts, start=1))
        return self.record(JAMES, *hiring.propose(self.deal, self.by(JAMES), proposal(planned, currency)))

    def offer(self, terms: Terms, who: IdentityId = LISA) -> EventId:
        return self.record(who, *hiring.hire(self.deal, self.by(who), terms, sign))

    def accept(self, who: IdentityId = JAMES) -> EventId:
        return self.record(who, *hiring.accept_terms(self.deal, self.by(who), sign))

    def fund(self, n: int = 1) -> EventId:
        op = self.record(LISA, *escrow.fund(self.deal, self.by(LISA), n))
        self.attest(op)
        return op

    def deliver(self, n: int = 1) -> EventId:
        return self.record(JAMES, *work.deliver(self.deal, self.by(JAMES), n, "done"))

    def release(self, n: int = 1) -> EventId:
        op = self.record(LISA, *escrow.release(self.deal, self.by(LISA), n))
        self.settle()
        return op

    def cancel(self, n: int = 1, who: IdentityId = LISA) -> EventId:
        return self.record(who, *cancellation.cancel(self.deal, self.by(who), n, "no budget"))


def proposal(planned: Sequence[Planned], currency: str = "EUR") -> DealProposed:
    return DealProposed(currency, tuple(planned), "Europe/Berlin", "I can do this", None)


def granted(key: str = "ci", by: IdentityId = LISA, **scope: object) -> GrantCreated:
    """A grant of Lisa's to release at most 600.00 EUR within a month; James may be asked to approve."""
    whole: dict[str, Any] = {
        "can": ("release",) if by == LISA else ("deliver", "refund"), "milestone": None, "max": 60_000, "per_day": None,
        "until": NOON + 30 * DAY_MS, "approvals": None, "delivered_for_ms": None, "policy": None,
    }  # fmt: skip
    return GrantCreated(DeviceId(name(key)), BOX, key, Scope(**{**whole, **scope}), "{}")


def hired(
    *amounts: int,
    currency: str = "EUR",
    client_fee: int = 0,
    talent_fee: int = 0,
    revisions: int | None = None,
    review_ms: int = 14 * DAY_MS,
    auto_release: bool = True,
    agent_of: IdentityId = LISA,
) -> World:
    """A deal of Lisa and James with signed terms over milestones of these amounts; its agent has the role already."""
    world = World()
    parties = world.deal.parties._replace(agent=agent_of, agent_device=DEVICES[agent_of])
    world.deal = world.deal._replace(parties=parties)
    wanted = hiring.draft(
        world.deal,
        milestones=parts(*(amounts or (60_000,)), revisions=revisions),
        currency=currency,
        review_ms=review_ms,
        auto_release=auto_release,
        agent=agent_of,
        agent_device=DEVICES[agent_of],
    )
    values = {field: getattr(wanted, field) for field in fields(Terms)}
    world.offer(Terms(**{**values, "client_fee": client_fee, "talent_fee": talent_fee}))
    world.accept()
    return world


def in_state(state: str) -> World:
    """A deal whose milestone 1 of 600.00 EUR is in this state."""
    world = hired(60_000, 1_000)
    if state == "planned":
        return world
    if state == "cancelled":
        world.cancel()
        return world
    op = world.record(LISA, *escrow.fund(world.deal, world.by(LISA), 1))
    if state == "funding":
        return world
    world.attest(op)
    if state in {"delivered", "changes"}:
        world.deliver()
    if state == "changes":
        world.record(LISA, *work.request_changes(world.deal, world.by(LISA), 1, "the pixel"))
    if state == "released":
        world.release()
    if state == "refunded":
        world.record(JAMES, *escrow.refund(world.deal, world.by(JAMES), 1))
        world.settle()
    assert world.ms().state == state, f"{world.ms().state} instead of {state}"
    return world
