"""Grants: made, revoked and approved by people, and what a run may do under one.

Everything is judged where the agent took an act up, alike on every replica; the clock is the deal's. What a run
claims of its own time decides nothing. docs/spec/grants.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from chaise_cli.domain import revocation
from chaise_cli.domain.deal import Deal, Milestone, Op, checked, milestone
from chaise_cli.domain.escrow import reserved
from chaise_cli.domain.grant import (
    LIVE_MOST,
    VERB_OF,
    VERBS,
    Grant,
    GrantApproved,
    GrantCreated,
    GrantRevoked,
    Scope,
    approval_key,
)
from chaise_cli.domain.money import Money
from chaise_cli.domain.recorded import By, Recorded
from chaise_cli.domain.revocation import Revoked
from chaise_cli.domain.shape import Body
from chaise_cli.domain.terms import DAY_MS
from chaise_cli.domain.transitions import NotYours, permit, roles
from chaise_cli.domain.when import instant_text
from chaise_cli.errors import Denied, NotFound, Refused
from chaise_cli.ids import DeviceId, EventId, public


class NoSuchGrant(NotFound, Refused):
    """The deal knows no such grant."""

    code = "grant.missing"
    message = "there is no grant {grant} in {deal}"
    hint = "chaise grants {deal} lists them"
    grant: str
    deal: str


class Ended(Refused):
    """A grant is revoked once."""

    code = "grant.ended"
    message = "{grant} is revoked already"
    hint = "chaise grants {deal} shows what is in force"
    grant: str
    deal: str


class KeyUsed(Refused):
    """A grant has a key of its own."""

    code = "grant.key_used"
    message = "this key belongs to another grant of the deal"
    hint = "make a new one: chaise grant create"


class TooMany(Refused):
    """A side has enough grants in force."""

    code = "grant.too_many"
    message = "{most} of your grants are in force in {deal}, which is the most"
    hint = "revoke one that is not used: chaise grants {deal}, then chaise grant revoke GRANT"
    most: int
    deal: str


class NotYourVerb(Refused):
    """A side hands out only what it may do itself."""

    code = "grant.not_your_verb"
    message = "the {side} of a deal may let others {allowed}, not {verb}"
    hint = "only what is yours to do can be handed out"
    side: str
    allowed: str
    verb: str


class Unfit(Refused):
    """What a grant says does not go together."""

    code = "grant.unfit"
    message = "such a grant makes no sense: {why}"
    hint = "chaise help grant create tells what each option means"
    why: str


class ApproverNotParty(Refused):
    """Only somebody of the deal can be heard in it."""

    code = "grant.approver_not_party"
    message = "{who} is not of this deal, so nothing they approve would be heard"
    hint = "name the client, the talent or the agent by full id: chaise show {deal} --json"
    who: str
    deal: str


class Unknown(Denied):
    """The run's key was certified by a key that no grant of the deal names."""

    code = "grant.unknown"
    message = "no grant in {deal} names this key"
    hint = "make a grant for this deal: chaise grant create --deal {deal}"
    deal: str


class GrantOver(Denied):
    """The grant was revoked, or the device that certified it."""

    code = "grant.revoked"
    message = "{grant} was revoked"
    hint = "ask whoever made it for another one"
    grant: str


class Expired(Denied):
    """The grant's time is over by the deal's clock."""

    code = "grant.expired"
    message = "{grant} ended at {until}"
    hint = "ask whoever made it for another one"
    grant: str
    until: str


class NotGranted(Denied):
    """The grant does not name this act."""

    code = "grant.not_allowed"
    message = "{grant} allows {allowed}, and not {act}"
    hint = "do it from a device of the person's own, or with another grant"
    grant: str
    allowed: str
    act: str


class OtherMilestone(Denied):
    """The grant is for another milestone."""

    code = "grant.other_milestone"
    message = "{grant} is for {allowed} alone"
    hint = "name that milestone, or use another grant"
    grant: str
    allowed: str


class OverCap(Denied):
    """The act would move more than is left of what the grant may move, in all or on that day."""

    code = "grant.over_cap"
    message = "{grant} has {left} left {span}, and this would move {wanted}"
    hint = "name a smaller total, or ask for another grant"
    grant: str
    left: Money
    span: str
    wanted: Money


class NotApproved(Denied):
    """Too few of those named have approved so much."""

    code = "grant.not_approved"
    message = "{grant} wants {need} approval(s) of {total} for {milestone}, and has {have}"
    hint = "those it names approve with: chaise grant approve {grant} --milestone {n} --total AMOUNT"
    grant: str
    need: int
    have: int
    total: Money
    milestone: str
    n: int


class TooEarly(Denied):
    """The work has not been delivered for as long as the grant wants."""

    code = "grant.too_early"
    message = "{grant} wants {milestone} to have been delivered for {hours} h"
    hint = "try again later; a request for changes begins the time anew"
    grant: str
    milestone: str
    hours: str


class PolicyUnmet(Denied):
    """The grant pins a policy, and the act does not show that it is met."""

    code = "grant.policy_unmet"
    message = "{grant} pins a policy, and this release names no run that meets it"
    hint = "chaise release {milestone} --policy FILE, with the very file that the grant was made with"
    grant: str
    milestone: str


_RUN: Final = DeviceId("")


def find(deal: Deal, id_: EventId) -> Grant:
    """The grant with this id. Raises NoSuchGrant."""
    found = deal.grants.get(id_)
    if found is None:
        raise NoSuchGrant(grant=public("grant", id_), deal=deal.public)
    return found


def of_key(deal: Deal, key: str) -> Grant:
    """The grant of a grant key. Raises Unknown."""
    found = next((grant for grant in deal.grants.values() if grant.key == key), None)
    if found is None:
        raise Unknown(deal=deal.public)
    return found


def spent(deal: Deal, grant: Grant, day: int | None = None) -> int:
    """What operations under a grant have moved or may still move: in all, or of those taken up on a day of the clock.

    What was declined counts for nothing.
    """
    return sum(
        op.moved or op.most or 0
        for op in deal.ops.values()
        if op.grant == grant.id and op.declined is None and day in {None, op.clock // DAY_MS}
    )


def state_of(deal: Deal, grant: Grant, revoked: Iterable[Revoked], now: int) -> str:
    """active, revoked, expired, or used up when nothing of its amount is left."""
    if _is_over(grant, revoked):
        return "revoked"
    if now >= grant.scope.until:
        return "expired"
    moves = set(grant.scope.can) - {"deliver"}
    return "used_up" if moves == set(grant.scope.can) and spent(deal, grant) >= grant.scope.max else "active"


def living(deal: Deal, revoked: Iterable[Revoked]) -> list[Grant]:
    """The grants to whose box keys a deal is encrypted: neither revoked nor over by the deal's clock."""
    standing = list(revoked)
    return [g for g in deal.grants.values() if not _is_over(g, standing) and deal.clock < g.scope.until]


def _is_over(grant: Grant, revoked: Iterable[Revoked]) -> bool:
    own = [one for one in revoked if one.by == grant.by]
    above = _RUN, grant.key, *(grant.above or (grant.device,))  # a revocation keeps devices, never runs to come
    return grant.revoked or revocation.limit(above, own) is not None


# People's events


def apply_created(deal: Deal, e: Recorded, body: GrantCreated) -> Deal:
    """A side has handed out a key. That its device may certify was checked as the event came in."""
    permit(body.KIND, deal.state, roles(deal.parties, e.by), deal.public)
    scope, side = body.scope, "client" if e.by == deal.parties.client else "talent"
    for verb in scope.can:
        if verb not in VERBS[side]:
            raise NotYourVerb(side=side, allowed=" and ".join(VERBS[side]), verb=verb)
    if scope.milestone is not None:
        milestone(deal, scope.milestone)
    _check_fit(deal, e, scope)
    for grant in deal.grants.values():
        if body.key == grant.key:
            raise KeyUsed
    mine = [one for one in deal.grants.values() if one.by == e.by and not one.revoked and e.clock < one.scope.until]
    if len(mine) >= LIVE_MOST:
        raise TooMany(most=LIVE_MOST, deal=deal.public)
    made = Grant(e.id, e.by, e.device, body.key, body.box.id, body.name, scope, e.above)
    return deal._replace(grants={**deal.grants, e.id: made})


def _check_fit(deal: Deal, e: Recorded, scope: Scope) -> None:
    if len(set(scope.can)) != len(scope.can):
        raise Unfit(why="a verb stands twice")
    if scope.until <= e.clock:
        raise Unfit(why="it would be over before it begins")
    if (scope.delivered_for_ms is not None or scope.policy is not None) and scope.can != ("release",):
        raise Unfit(why="a delivery or a policy bears on a release alone")
    if scope.approvals is None:
        return
    if scope.can == ("deliver",):
        raise Unfit(why="approvals are of amounts, and a delivery moves none")
    of = scope.approvals.of
    if len(set(of)) != len(of) or scope.approvals.need > len(of):
        raise Unfit(why="it wants more approvals than people are named")
    for who in of:
        if who not in {deal.parties.client, deal.parties.talent, deal.parties.agent}:
            raise ApproverNotParty(who=public("id", who), deal=deal.public)


def apply_revoked(deal: Deal, e: Recorded, body: GrantRevoked) -> Deal:
    """A side has ended a grant of its own; any device of it may."""
    grant = find(deal, body.grant)
    permit(body.KIND, deal.state, roles(deal.parties, e.by, grant.by), deal.public)
    if grant.revoked:
        raise Ended(grant=grant.public, deal=deal.public)
    return _put(deal, grant._replace(revoked=True))


def apply_approved(deal: Deal, e: Recorded, body: GrantApproved) -> Deal:
    """One of those whom a grant names has approved a total; a later word of theirs replaces it."""
    grant = find(deal, body.grant)
    named = grant.scope.approvals.of if grant.scope.approvals else ()
    permit(body.KIND, deal.state, frozenset({"approver"} if e.by in named else ()), deal.public)
    milestone(deal, body.milestone)
    if body.currency != deal.agreed.currency:
        raise Unfit(why=f"the deal is in {deal.agreed.currency}")
    return _put(deal, grant._replace(approved={**grant.approved, approval_key(e.by, body.milestone): body.total}))


def _put(deal: Deal, grant: Grant) -> Deal:
    return deal._replace(grants={**deal.grants, grant.id: grant})


def create(deal: Deal, by: By, made: GrantCreated) -> list[Body]:
    """Hand out a key. Raises NotYours, WrongState, NotYourVerb, Unfit, ApproverNotParty, TooMany."""
    return checked(deal, by, apply_created, made)


def revoke(deal: Deal, by: By, id_: EventId) -> list[Body]:
    """End a grant of one's own; nothing when that was done. Raises NoSuchGrant, NotYours."""
    if find(deal, id_).revoked and find(deal, id_).by == by.identity:
        return []
    return checked(deal, by, apply_revoked, GrantRevoked(id_))


def approve(deal: Deal, by: By, id_: EventId, n: int, total: int) -> list[Body]:
    """Approve that a grant's runs reach a total in a milestone; nothing when that was said. Raises NotYours."""
    grant = find(deal, id_)
    if grant.approved.get(approval_key(by.identity, n)) == total:
        return []
    return checked(deal, by, apply_approved, GrantApproved(id_, n, total, deal.agreed.currency))


# What a run does


def allow(deal: Deal, revoked: Iterable[Revoked], e: Recorded) -> Grant:
    """The grant under which a run acts, if it allows the act at all; its amounts are asked by `charge`.

    Raises Unknown, NotYours, GrantOver, Expired, NotGranted, OtherMilestone.
    """
    assert e.grant is not None, "asked of runs alone"
    grant, body = of_key(deal, e.grant), e.body
    if grant.by != e.by:
        raise NotYours(act=body.KIND, of=deal.public, owner="whoever made the grant")
    if _is_over(grant, revoked):
        raise GrantOver(grant=grant.public)
    if _clock(e) >= grant.scope.until:
        raise Expired(grant=grant.public, until=instant_text(grant.scope.until))
    verb = VERB_OF.get(body.KIND)
    if verb is None or verb not in grant.scope.can:
        raise NotGranted(grant=grant.public, allowed=", ".join(grant.scope.can), act=verb or body.KIND)
    wanted: Any = body
    if grant.scope.milestone not in {None, wanted.milestone}:
        raise OtherMilestone(grant=grant.public, allowed=deal.ref(grant.scope.milestone or 0))
    return grant


def charge(before: Deal, after: Deal, grant: Grant, e: Recorded) -> Deal:
    """The deal after a run's act, its operation counted against the grant. Raises OverCap, NotApproved, and more.

    An operation moves no more than it was charged, whatever becomes of those before it: a cap holds for good. What
    only repeats another operation moves nothing and is charged nothing.
    """
    op = after.ops.get(e.id)
    if op is None:
        return after
    ms = milestone(after, op.n)
    was = milestone(before, op.n)
    most = 0 if op.of else reserved(after, ms, op.kind) - reserved(before, was, op.kind)
    if most:
        reached = ms.moved(op.kind) + reserved(after, ms, op.kind)
        _check_caps(before, grant, e, most)
        _check_proof(before, grant, e, was, op, reached)
    counted = op._replace(grant=grant.id, most=most, clock=_clock(e))
    return after._replace(ops={**after.ops, op.id: counted})


def _check_caps(deal: Deal, grant: Grant, e: Recorded, wanted: int) -> None:
    currency, scope, day = deal.agreed.currency, grant.scope, _clock(e) // DAY_MS
    caps = [(scope.max, spent(deal, grant), "in all")]
    if scope.per_day is not None:
        caps.append((scope.per_day, spent(deal, grant, day), "for this day"))
    for most, used, span in caps:
        if used + wanted > most:
            left = Money(max(0, most - used), currency)
            raise OverCap(grant=grant.public, left=left, span=span, wanted=Money(wanted, currency))


def _check_proof(deal: Deal, grant: Grant, e: Recorded, ms: Milestone, op: Op, reached: int) -> None:
    """What the grant wants to have happened before `reached` is reached."""
    scope = grant.scope
    if scope.approvals is not None:
        given = (grant.approved.get(approval_key(who, op.n), 0) for who in scope.approvals.of)
        have = sum(total >= reached for total in given)
        if have < scope.approvals.need:
            total = Money(reached, deal.agreed.currency)
            raise NotApproved(
                grant=grant.public, need=scope.approvals.need, have=have, total=total, milestone=deal.ref(op.n), n=op.n
            )
    if scope.delivered_for_ms is not None:
        since = ms.delivered_at if ms.state == "delivered" else None
        if since is None or _clock(e) - since < scope.delivered_for_ms:
            hours = f"{scope.delivered_for_ms / 3_600_000:g}"
            raise TooEarly(grant=grant.public, milestone=deal.ref(op.n), hours=hours)
    _check_policy(deal, grant, e.body)


def _check_policy(deal: Deal, grant: Grant, body: Any) -> None:
    """Refuse a release under a grant that pins a policy, unless it rests on a verdict of that very file.

    That such a record is of the same run, an allow, and covers the total, every release that names one is asked.
    """
    run = deal.runs.get(body.run) if grant.scope.policy is not None and body.run is not None else None
    if grant.scope.policy is not None and (run is None or run.policy != grant.scope.policy):
        raise PolicyUnmet(grant=grant.public, milestone=deal.ref(body.milestone))


def _clock(e: Recorded) -> int:
    """The deal's clock at the uptake; before that, where nothing is decided yet, no earlier than the run says it is."""
    return e.clock if e.final else max(e.clock, e.at)
