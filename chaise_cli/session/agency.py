"""What this device does as the agent device of a deal: takes up what waits, records movements, runs deadlines.

All of it follows from the state alone, so it may be stopped at any instant and done again. A deadline runs only
after all places of the deal were synced past it; one that passed while this device was away runs a day after its
return. docs/spec/money.md.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Final

from chaise_cli.domain import agent
from chaise_cli.domain import consent as consents
from chaise_cli.domain.agent import AWAY_LEAST_MS, GRACE_MS, Away
from chaise_cli.domain.order import Taken
from chaise_cli.errors import RailUnknown, StillWaiting
from chaise_cli.ids import EventId, public, raw, text
from chaise_cli.rails import manual
from chaise_cli.session import rekeying
from chaise_cli.store import attempts, duties, events, own, places

if TYPE_CHECKING:
    from chaise_cli.domain.agent import Due
    from chaise_cli.domain.deal import Deal, Milestone, Op
    from chaise_cli.domain.recorded import By
    from chaise_cli.domain.shape import Body
    from chaise_cli.ids import SpaceId
    from chaise_cli.session.dealing import DealWriter
    from chaise_cli.session.session import Session

NOTED_MS: Final = 600_000  # presence is written down no more often
_KEPT: Final = "absences"  # own value: board → [last heard, [[since, back], …]], all in ms


def tend(deal: DealWriter, heard: int = 0, absences: Sequence[Away] = ()) -> None:
    """Take up what waits, then record every movement that no rail has to confirm. Nothing on any other device.

    heard: ms up to which all places of the deal were heard; no deadline after it runs. 0 runs none: that is for
    verbs, which have not synced.
    """
    if not deal.by.agent or deal.state.deal.contested or deal.found.taken.deal.awaits_agent:
        return
    take_up(deal)
    if not deal.by.agent:  # what was taken up gave the role to a third party
        return
    at_rail = attempts.holding(deal.session.db, deal.space.no) | {item.op for item in inherited(deal)}
    deal.follow(lambda state: _next(state, deal.by._replace(now=heard), absences, at_rail))


def is_heir(deal: DealWriter) -> bool:
    """Whether another device has had the agent's role: what it asked the rail is known to the rail alone."""
    chains = events.chains(deal.session.db, deal.space.no)
    agent_id, me = deal.state.deal.parties.agent, raw(deal.session.me.device)
    return any(one.identity == agent_id and one.device != me for one in chains)


def inherited(deal: DealWriter) -> list[Due]:
    """Holds that a device which had the role before may have asked the rail for; looked up before they are refused."""
    state, database = deal.state.deal, deal.session.db
    if state.terms is None or state.terms.rail == manual.NAME or not is_heir(deal):
        return []
    return [item for item in agent.open_holds(state) if attempts.find(database, item.op, "hold") is None]


class AtRail(RailUnknown):
    """A rail was asked to move this very money, and nobody knows yet whether it did."""

    code = "rail.at_rail"
    message = "the rail was asked to move {op}, and may have done so"
    hint = "let the rail tell: chaise agent run --once"
    op: str


def keep_off(deal: DealWriter, op: Op) -> None:
    """Let nobody attest by hand what a rail may be moving: the operation, or payouts that it would cover.

    Raises AtRail, also where a device that had the role before may have asked and this one has not looked it up.
    """
    state = deal.state.deal
    op = agent.root(state, op)
    act = "hold" if op.kind == "fund" else "payout"
    party = state.parties.talent if op.kind == "release" else state.parties.client
    tried = [one for one in attempts.of_space(deal.session.db, deal.space.no) if (one.act, one.n) == (act, op.n)]
    at_rail = any(one.state in attempts.OPEN and (one.op == op.id or one.party == party) for one in tried)
    by_itself = state.terms is not None and state.terms.rail != manual.NAME
    if at_rail or (by_itself and op.id not in {one.op for one in tried} and is_heir(deal)):
        raise AtRail(op=public("op", op.id))


class NotTakenUp(StillWaiting):
    """The acceptance has not been taken up by the client's device, so it may yet come to nothing."""

    code = "agent.hire_not_final"
    message = "the hire in {deal} is not final yet: the client's device has not taken it up"
    hint = "chaise sync, later again"
    deal: str


def consent(deal: DealWriter) -> list[Body]:
    """Taking the agent's role that signed terms give us, as a decision. Raises NotTakenUp, NotYours."""
    tip = deal.found.tip
    if not deal.found.taken.deal.secured or tip is None:
        raise NotTakenUp(deal=deal.state.deal.public)
    return consents.consent(deal.found.taken.deal, deal.by, EventId(text(tip)))


def introduce(deal: DealWriter) -> bool:
    """Let a third party whom signed terms name as the agent read the deal; whether it can now, or need not."""
    agent = deal.state.deal.parties.agent
    if not deal.state.deal.secured or agent == deal.by.identity:
        return True
    return rekeying.introduce(deal.session, deal.writer, deal.space, agent)


def take_up(deal: DealWriter) -> None:
    """Write the empty uptake if something guarded is uncovered."""
    if duties.has_pending(deal.session.db, deal.space.no):
        deal.write([Taken()])


def _next(deal: Deal, by: By, absences: Sequence[Away], at_rail: Collection[EventId]) -> Body | None:
    """The next duty. One milestone at a time, since each deadline may have passed in another absence."""
    for ms in deal.milestones:
        if body := agent.duty(deal, ms, by, _absence(ms, absences), at_rail):
            return body
    return None


def _absence(ms: Milestone, absences: Sequence[Away]) -> Away | None:
    deadline = ms.cancel.lapses_at if ms.cancel else ms.review_deadline
    return next((away for away in absences if deadline is not None and away.covers(deadline)), None)


def heard(session: Session, board: SpaceId) -> int:
    """Ms up to which every place that carries the board was heard; now where there is no such place."""
    found, now = places.heard(session.db, board), session.clock.now()
    return now if found is None else min(found, now)


def note_absence(session: Session, board: SpaceId) -> list[Away]:
    """This device's absences from a board whose day of grace may still run, one that ends now included.

    Kept in the caller's transaction, along with what is decided by them.
    """
    now = heard(session, board)
    kept = json.loads(own.get(session.db, _KEPT) or b"{}")
    last, spans = kept.get(board, [0, []])
    if now - last > AWAY_LEAST_MS:
        spans = [*spans, [last, now]]
    spans = [[since, back] for since, back in spans if back + GRACE_MS >= now]
    if now - last >= NOTED_MS:
        own.put(session.db, _KEPT, json.dumps({**kept, board: [now, spans]}).encode())
    return [Away(since, back) for since, back in spans]
