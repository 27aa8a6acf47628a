"""Grants: what a key may do, judged in the fold; whatever runs try, no cap is passed."""

from __future__ import annotations

import json
from contextlib import suppress
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaise_cli.domain import agent, booking, escrow, fold, grants, record, review, revocation, runs, work
from chaise_cli.domain.body import replace
from chaise_cli.domain.deal import Deal
from chaise_cli.domain.deal_state import DealState
from chaise_cli.domain.grant import Approvals, Grant, GrantRevoked
from chaise_cli.domain.money import Money
from chaise_cli.domain.recorded import Recorded
from chaise_cli.domain.shape import Body, check
from chaise_cli.domain.talk import Attachment, MessageSent
from chaise_cli.domain.terms import DAY_MS
from chaise_cli.domain.transitions import NotYours, WrongState
from chaise_cli.errors import ChaiseError, Denied, Refused
from chaise_cli.ids import DeviceId, EventId, IdentityId
from tests.unit.domain.deal_world import (
    ADA,
    BOX,
    JAMES,
    LAPTOP,
    LISA,
    MALLORY,
    NOON,
    World,
    granted,
    hired,
    in_state,
    name,
)

HOUR_MS = 3_600_000


class Runs(World):
    """A deal that also folds what runs say, as the fold of a deal does."""

    def __init__(self, world: World) -> None:
        self.__dict__.update(world.__dict__)
        self.revoked: tuple[revocation.Revoked, ...] = ()
        self.runs = 0

    def grant(self, by: IdentityId = LISA, key: str = "ci", **scope: Any) -> Grant:
        made = self.record(by, granted(key, by, **scope))
        return self.deal.grants[made]

    def run(self, body: Body, key: str = "ci", by: IdentityId = LISA, *, final: bool = True, **more: Any) -> EventId:
        """Fold a run's word. Raises what makes it void."""
        check(body)
        self.count += 1
        self.runs += 1
        device = DeviceId(name(f"run {self.runs}"))
        e = Recorded(EventId(name(f"e{self.count}")), by, device, self.now, self.now, final, agent=False, body=body)
        state = DealState(self.deal, booking.NONE, review.NONE, self.revoked)
        self.deal = fold.step(state, e._replace(grant=DeviceId(name(key)), **more)).deal
        return e.id

    def refuses(self, code: str, body: Body, **more: Any) -> None:
        before = self.deal
        with pytest.raises(ChaiseError) as caught:
            self.run(body, **more)
        assert caught.value.code == code
        assert self.deal == before


def release(world: World, total: int | None = None, n: int = 1, *, step: int | None = None) -> Body:
    hold = world.ms(n).last_hold if total is None and step is None else None
    request = f"r{world.count}" if step is not None else None
    return escrow.ReleaseAuthorized(n, total, step, hold, "EUR", request, name("print"), None)


def ready(state: str = "funded", **scope: Any) -> Runs:
    """A deal of 600.00 EUR in this state, and a grant to release at most that."""
    world = Runs(in_state(state))
    world.grant(**scope)
    return world


# Making one


def test_a_grant_says_who_made_it_and_stays_as_it_was_said() -> None:
    world = Runs(hired())
    made = world.grant(milestone=1, per_day=100)
    assert (made.by, made.device, made.box, made.name) == (LISA, LAPTOP, BOX.id, "ci")
    assert made.scope == granted(milestone=1, per_day=100).scope
    assert record.load(Deal, json.loads(record.dump(world.deal))) == world.deal


@pytest.mark.parametrize(
    ("by", "scope", "code"),
    [
        (LISA, {"can": ("refund",)}, "grant.not_your_verb"),
        (JAMES, {"can": ("release",)}, "grant.not_your_verb"),
        (LISA, {"can": ("release", "release")}, "grant.unfit"),
        (LISA, {"until": NOON}, "grant.unfit"),
        (LISA, {"milestone": 2}, "milestone.unknown"),
        (LISA, {"can": ("fund",), "delivered_for_ms": 1}, "grant.unfit"),
        (LISA, {"can": ("fund", "release"), "policy": name("policy")}, "grant.unfit"),
        (JAMES, {"can": ("deliver",), "approvals": Approvals(1, (LISA,))}, "grant.unfit"),
        (LISA, {"approvals": Approvals(2, (JAMES,))}, "grant.unfit"),
        (LISA, {"approvals": Approvals(1, (JAMES, JAMES))}, "grant.unfit"),
        (LISA, {"approvals": Approvals(1, (JAMES, MALLORY))}, "grant.approver_not_party"),
        (LISA, {"approvals": Approvals(1, (ADA,))}, "grant.approver_not_party"),
    ],
)
def test_a_grant_that_makes_no_sense_is_refused(by: IdentityId, scope: dict[str, Any], code: str) -> None:
    world = hired()
    with pytest.raises(Refused) as caught:
        grants.create(world.deal, world.by(by), granted("ci", by, **scope))
    assert caught.value.code == code


def test_only_the_two_sides_of_a_hired_deal_make_grants() -> None:
    world = hired(agent_of=ADA)
    with pytest.raises(NotYours):
        world.record(ADA, granted())
    with pytest.raises(WrongState):
        World().record(LISA, granted())
    world.record(LISA, granted(approvals=Approvals(1, (ADA,))))  # who is of the deal all the same


def test_a_key_belongs_to_one_grant_and_a_side_has_so_many() -> None:
    world = Runs(hired())
    world.grant()
    with pytest.raises(grants.KeyUsed):
        world.record(LISA, granted())
    with pytest.raises(grants.KeyUsed):
        world.record(JAMES, granted("ci", JAMES))
    for number in range(15):
        world.grant(key=f"key {number}")
    with pytest.raises(grants.TooMany):
        world.grant(key="one more")
    world.grant(JAMES, "his")
    world.record(LISA, *grants.revoke(world.deal, world.by(LISA), next(map(EventId, world.deal.grants))))
    world.grant(key="in its place")


def test_a_grant_is_revoked_by_its_own_side_and_once() -> None:
    world = ready()
    (made,) = world.deal.grants.values()
    with pytest.raises(NotYours):
        grants.revoke(world.deal, world.by(JAMES), made.id)
    world.record(LISA, *grants.revoke(world.deal, world.by(LISA), made.id))
    assert grants.revoke(world.deal, world.by(LISA), made.id) == []
    with pytest.raises(grants.Ended):
        world.record(LISA, GrantRevoked(made.id))
    with pytest.raises(grants.NoSuchGrant):
        grants.revoke(world.deal, world.by(LISA), EventId(name("none")))
    assert grants.state_of(world.deal, world.deal.grants[made.id], (), world.now) == "revoked"


# What a run may do


def test_a_run_releases_what_its_grant_allows() -> None:
    world = ready()
    op = world.run(release(world))
    world.settle()
    assert (world.ms().released, world.deal.ops[op].grant) == (60_000, next(iter(world.deal.grants)))
    (made,) = world.deal.grants.values()
    assert grants.state_of(world.deal, made, (), world.now) == "used_up"


def test_two_runs_at_once_move_the_money_once() -> None:
    world = ready()
    first, second = release(world), release(world)
    world.run(first)
    repeat = world.run(second)
    world.settle()
    assert (world.ms().released, world.deal.ops[repeat].of is not None) == (60_000, True)
    (made,) = world.deal.grants.values()
    assert grants.spent(world.deal, made) == 60_000


def test_a_run_does_only_what_its_grant_names() -> None:
    world = ready(milestone=1)
    world.fund(2)
    fund = escrow.FundRequested(2, 1_000, "EUR", None, name("print"))
    world.refuses("grant.not_allowed", fund)
    world.refuses("grant.not_allowed", GrantRevoked(next(map(EventId, world.deal.grants))))
    world.refuses("grant.not_allowed", granted("further"))
    world.refuses("grant.not_allowed", MessageSent("hello", ()))
    world.refuses("grant.other_milestone", release(world, n=2))
    world.refuses("grant.unknown", release(world), key="of another deal")
    world.refuses("deal.not_yours", release(world), by=JAMES)
    world.run(release(world))


def test_a_talents_run_delivers_and_refunds_and_releases_nothing() -> None:
    world = Runs(in_state("funded"))
    world.grant(JAMES, max=100)
    world.run(work.WorkDelivered(1, "built", ()), by=JAMES)
    assert world.ms().state == "delivered"
    world.refuses("grant.not_allowed", release(world), by=JAMES)
    back = escrow.RefundAuthorized(1, 101, None, None, "EUR", None, name("print"))
    world.refuses("grant.over_cap", back, by=JAMES)
    world.run(escrow.RefundAuthorized(1, 100, None, None, "EUR", None, name("print")), by=JAMES)


def test_a_grant_ends_at_its_instant_by_the_deals_clock_and_by_revocation() -> None:
    world = ready(until=NOON + 10)
    world.now = NOON + 9
    world.run(release(world, 100))
    world.now = NOON + 10
    world.refuses("grant.expired", release(world, 200))
    world.refuses("grant.expired", release(world, 200), at=NOON)  # what it claims of its own time decides nothing
    other = ready()
    other.record(LISA, *grants.revoke(other.deal, other.by(LISA), next(map(EventId, other.deal.grants))))
    other.refuses("grant.revoked", release(other))


def test_before_the_uptake_a_run_is_judged_no_earlier_than_it_claims_to_be() -> None:
    world = ready(until=NOON + 10)
    world.refuses("grant.expired", release(world), final=False, at=NOON + 10)
    world.run(release(world), final=False, at=NOON + 9)


def test_what_a_revoked_device_certified_is_over_and_so_are_its_runs() -> None:
    world = ready()
    (made,) = world.deal.grants.values()
    world.revoked = (revocation.Revoked(LAPTOP, 0, (made.key,), 9, LISA),)
    assert grants.living(world.deal, world.revoked) == []
    assert grants.state_of(world.deal, made, world.revoked, world.now) == "revoked"
    above = (DeviceId(name("run")), made.key, LAPTOP)
    world.refuses("device.revoked", release(world), above=above)
    world.refuses("grant.revoked", release(world))
    of_the_other_side = (revocation.Revoked(LAPTOP, 0, (), 9, JAMES),)
    assert grants.living(world.deal, of_the_other_side) == [made]


def test_a_revocation_keeps_devices_and_never_a_run() -> None:
    world = ready()
    (made,) = world.deal.grants.values()
    phone, run = DeviceId(name("phone")), DeviceId(name("run"))
    world.revoked = (revocation.Revoked(phone, 0, (run,), 9, LISA),)
    world.refuses("device.revoked", release(world), above=(run, made.key, phone))
    world.run(release(world), above=(run, made.key, LAPTOP))


def test_the_deal_is_encrypted_to_grants_while_they_live() -> None:
    world = ready(until=NOON + 10)
    (made,) = world.deal.grants.values()
    assert grants.living(world.deal, ()) == [made]
    world.now = NOON + 10
    world.deliver()
    assert grants.living(world.deal, ()) == []
    assert grants.state_of(world.deal, made, (), world.now) == "expired"


# Amounts


def test_open_reservations_count_against_a_cap_and_declined_ones_do_not() -> None:
    world = Runs(in_state("planned"))
    world.grant(can=("fund",), max=60_000)
    ask = escrow.FundRequested(1, 60_000, "EUR", None, name("print"))
    op = world.run(ask)
    world.refuses("grant.over_cap", escrow.FundRequested(2, 1, "EUR", None, name("print")))
    world.record(LISA, *agent.refuse(world.deal, world.by(LISA), op, "never came"))
    world.run(escrow.FundRequested(2, 1, "EUR", None, name("print")))


def test_a_day_of_the_clock_has_its_own_cap() -> None:
    world = ready(per_day=100)
    world.run(release(world, 60))
    world.refuses("grant.over_cap", release(world, 101))
    world.run(release(world, 100))
    world.now = (NOON // DAY_MS + 1) * DAY_MS - 1
    world.refuses("grant.over_cap", release(world, 101))
    world.now += 1
    world.run(release(world, 200))
    world.refuses("grant.over_cap", release(world, 201))


def test_an_operation_moves_no_more_than_it_was_charged_whatever_becomes_of_those_before_it() -> None:
    world = Runs(in_state("planned"))
    world.grant(can=("fund",), max=100)
    world.attest(world.record(LISA, *escrow.fund(world.deal, world.by(LISA), 1, total=Money(1, "EUR"))))
    first = world.record(LISA, *escrow.fund(world.deal, world.by(LISA), 1, total=Money(300, "EUR")))
    world.run(escrow.FundRequested(1, 400, "EUR", None, name("print")))
    world.record(LISA, *agent.refuse(world.deal, world.by(LISA), first, "never came"))
    world.pay_all()
    assert world.ms().funded == 101


@st.composite
def attempts(draw: st.DrawFn) -> list[tuple[str, int, int]]:
    return draw(st.lists(st.tuples(st.sampled_from("tsrfdw"), st.integers(1, 500), st.integers(1, 2)), max_size=14))


def _attempt(world: Runs, what: str, amount: int, n: int, *, final: bool) -> None:
    """A run's total or step, a release or refund by people, half a day, or the agent's turn."""
    total = Money(amount, "EUR")
    if what in "ts":
        body = release(world, amount, n) if what == "t" else release(world, n=n, step=amount)
        world.run(body, final=final)
    elif what in "rf":
        who, act = (LISA, escrow.release) if what == "r" else (JAMES, escrow.refund)
        for each in act(world.deal, world.by(who), n, total=total):
            world.record(who, each)
    elif what == "d":
        world.now += DAY_MS // 2
    elif final:
        world.settle()


@given(attempts(), st.integers(0, 1_000), st.none() | st.integers(0, 600), st.booleans())
def test_whatever_runs_try_no_cap_is_passed(
    given_: list[tuple[str, int, int]], most: int, per_day: int | None, final: bool
) -> None:
    world = Runs(hired(1_000, 700))
    world.fund(1)
    world.fund(2)
    made = world.grant(max=most, per_day=per_day)
    moved: dict[int, int] = {}
    for what, amount, n in given_:
        with suppress(Refused, Denied):
            _attempt(world, what, amount, n, final=final)
    if final:
        world.settle()
    for op in world.deal.ops.values():
        if op.grant == made.id:
            day = op.clock // DAY_MS
            moved[day] = moved.get(day, 0) + (op.moved if final else op.most or 0)
            assert op.moved <= (op.most or 0)
    assert sum(moved.values()) <= most
    assert per_day is None or all(sum_ <= per_day for sum_ in moved.values())


@given(st.lists(st.integers(1, 600), min_size=2, max_size=4), st.integers(1, 900))
def test_in_whatever_order_runs_are_taken_up_their_sum_keeps_the_cap(totals: list[int], most: int) -> None:
    for order in permutations(totals):
        world = Runs(hired(1_000))
        world.fund()
        made = world.grant(max=most)
        for total in order:
            with suppress(Denied, Refused):
                world.run(release(world, total))
        world.settle()
        assert grants.spent(world.deal, made) == world.ms().released <= most


# What has to have happened


def test_approvals_are_of_a_total_in_a_milestone_and_by_those_who_are_named() -> None:
    world = Runs(in_state("funded"))
    made = world.grant(approvals=Approvals(2, (LISA, JAMES)))
    world.refuses("grant.not_approved", release(world, 100))

    def approve(who: IdentityId, total: int, n: int = 1) -> None:
        world.record(who, *grants.approve(world.deal, world.by(who), made.id, n, total))

    approve(LISA, 100)
    world.refuses("grant.not_approved", release(world, 100))
    approve(JAMES, 100, n=2)
    world.refuses("grant.not_approved", release(world, 100))
    approve(JAMES, 100)
    world.refuses("grant.not_approved", release(world, 101))
    world.run(release(world, 100))
    approve(JAMES, 0)  # taken back: what is on its way stays so, and no more follows
    world.refuses("grant.not_approved", release(world, 101))
    approve(JAMES, 60_000)
    approve(LISA, 60_000)
    world.run(release(world))
    assert grants.approve(world.deal, world.by(LISA), made.id, 1, 60_000) == []


def test_nobody_approves_whom_the_grant_does_not_name() -> None:
    world = Runs(hired(agent_of=ADA))
    made = world.grant(approvals=Approvals(1, (ADA,)))
    for who in (LISA, JAMES, MALLORY):
        with pytest.raises(NotYours):
            world.record(who, *grants.approve(world.deal, world.by(who), made.id, 1, 100))
    world.record(ADA, *grants.approve(world.deal, world.by(ADA), made.id, 1, 100))
    plain = world.grant(key="plain")
    with pytest.raises(NotYours):
        grants.approve(world.deal, world.by(ADA), plain.id, 1, 100)


def test_the_work_has_to_have_been_delivered_for_long_enough() -> None:
    world = ready(delivered_for_ms=24 * HOUR_MS)
    world.refuses("grant.too_early", release(world))
    world.deliver()
    world.now += 24 * HOUR_MS - 1
    world.refuses("grant.too_early", release(world))
    world.now += 1
    world.run(release(world, 100))
    world.record(LISA, *work.request_changes(world.deal, world.by(LISA), 1, "the pixel"))
    world.refuses("grant.too_early", release(world, 200))
    world.deliver()
    world.refuses("grant.too_early", release(world, 200))
    world.now += 24 * HOUR_MS
    world.run(release(world, 200))


def test_a_delivery_that_nobody_took_up_starts_no_time() -> None:
    world = ready(delivered_for_ms=0)
    world.record(JAMES, work.WorkDelivered(1, "done", ()), final=False)
    world.refuses("grant.too_early", release(world), final=False, at=NOON + DAY_MS)


def test_a_pinned_policy_lets_nothing_through_that_does_not_show_it_was_met() -> None:
    world = ready(policy=name("policy"))
    world.refuses("grant.policy_unmet", release(world))
    world.refuses("policy.no_run", replace(release(world, 40_000), run=EventId(name("nothing"))))
    device = DeviceId(name("job"))
    for policy, code in ((name("edited"), "grant.policy_unmet"), (name("policy"), None)):
        recorded = world.run(verdict_of(world, policy, 40_000), device=device)
        rests = replace(release(world, 40_000), run=recorded)
        world.refuses("policy.over_total", replace(release(world, 40_001), run=recorded), device=device)
        world.refuses("policy.no_run", rests, device=DeviceId(name("another job")))
        if code is not None:
            world.refuses(code, rests, device=device)
        else:
            world.run(rests, device=device)
    assert world.ms().moved("release") + escrow.reserved(world.deal, world.ms(), "release") == 40_000


def verdict_of(world: World, policy: str, total: int) -> Body:
    """A record that allows a total, with nothing but the policy attached."""
    file = Attachment("release.toml", 9, policy, name("address"), name("secret"))
    return runs.RunRecorded(1, policy, "allow", total, "EUR", (), world.ms().delivered_by, (), (file,))


def test_a_grant_with_nothing_to_prove_says_so() -> None:
    assert granted().scope.proves_nothing
    for scope in ({"policy": name("p")}, {"delivered_for_ms": 1}, {"approvals": Approvals(1, (JAMES,))}):
        assert not granted(**scope).scope.proves_nothing
