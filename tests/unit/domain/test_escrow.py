from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaise_cli.domain import agent, cancellation, escrow, movements, work
from chaise_cli.domain.agent import Away, Due, agent_duties, attest, op_state, rail_due
from chaise_cli.domain.deal import Milestone, NoSuchMilestone
from chaise_cli.domain.money import Money
from chaise_cli.domain.shape import Body
from chaise_cli.domain.talk import Attachment
from chaise_cli.domain.terms import DAY_MS
from chaise_cli.domain.transitions import NotYours, WrongState
from chaise_cli.ids import EventId, IdentityId
from tests.unit.domain.deal_world import ADA, JAMES, LAPTOP, LISA, World, hired, in_state, name

DAYS_14 = 14 * DAY_MS


def eur(minor: int) -> Money:
    return Money(minor, "EUR")


def release(world: World, **how: Money | str) -> list[Body]:
    return escrow.release(world.deal, world.by(LISA), 1, **how)  # type: ignore[arg-type]


def refund(world: World, **how: Money | str) -> list[Body]:
    return escrow.refund(world.deal, world.by(JAMES), 1, **how)  # type: ignore[arg-type]


def say(world: World, who: IdentityId, bodies: list[Body], *, final: bool = True) -> EventId:
    return world.record(who, *bodies, final=final)


def state_of(world: World, op: EventId) -> str:
    return op_state(world.deal, world.deal.ops[op])


# Funding


def test_money_is_held_once_a_person_has_said_it_moved() -> None:
    world = hired(60_000)
    op = say(world, LISA, escrow.fund(world.deal, world.by(LISA), 1))
    assert (world.ms().state, world.ms().held, state_of(world, op)) == ("funding", 0, "authorized")
    assert rail_due(world.deal) == [Due(op, 1, "fund", 60_000, LISA)]
    world.attest(op)
    assert (world.ms().state, world.ms().held, state_of(world, op)) == ("funded", 60_000, "moved")
    assert world.deal.ops[op].ref == "transfer 4711"
    assert rail_due(world.deal) == []


def test_funding_a_deal_funds_every_planned_milestone_and_again_nothing() -> None:
    world = hired(600, 700)
    bodies = escrow.fund(world.deal, world.by(LISA), request_id="all of it")
    assert len(bodies) == 2
    say(world, LISA, bodies)
    assert escrow.fund(world.deal, world.by(LISA), request_id="all of it") == []
    assert escrow.fund(world.deal, world.by(LISA)) == []
    assert escrow.fund(world.deal, world.by(LISA), 2) == []
    world.pay_all()
    assert [ms.held for ms in world.deal.milestones] == [600, 700]


def test_a_part_can_be_funded_and_topped_up() -> None:
    world = hired(600)
    world.attest(say(world, LISA, escrow.fund(world.deal, world.by(LISA), 1, total=eur(200))))
    assert work.underfunded(world.ms())
    world.attest(say(world, LISA, escrow.fund(world.deal, world.by(LISA), 1)))
    assert (world.ms().funded, world.ms().state) == (600, "funded")
    assert not work.underfunded(world.ms())


def test_no_more_is_held_than_the_milestone_costs() -> None:
    world = hired(600)
    with pytest.raises(escrow.OverFund, match=r"costs 6\.00 EUR, not 6\.01 EUR"):
        escrow.fund(world.deal, world.by(LISA), 1, total=eur(601))
    with pytest.raises(escrow.OtherCurrency):
        escrow.fund(world.deal, world.by(LISA), 1, total=Money(600, "USD"))
    with pytest.raises(escrow.UnclearAmount):
        escrow.fund(world.deal, world.by(LISA), 1, total=eur(0))
    with pytest.raises(NoSuchMilestone):
        escrow.fund(world.deal, world.by(LISA), 2)


def test_a_declined_transfer_can_be_tried_again() -> None:
    world = hired(600)
    op = say(world, LISA, escrow.fund(world.deal, world.by(LISA), 1))
    say(world, LISA, agent.refuse(world.deal, world.by(LISA), op, "never came"))
    assert agent.refuse(world.deal, world.by(LISA), op, "never came") == []
    assert (world.ms().state, state_of(world, op)) == ("planned", "declined")
    world.fund()
    assert world.ms().held == 600


# Releasing and refunding


def test_a_release_is_authorised_then_owed_then_paid() -> None:
    world = in_state("funded")
    op = say(world, LISA, release(world))
    assert (state_of(world, op), world.ms().held) == ("authorized", 60_000)
    world.settle()
    assert (state_of(world, op), world.ms().held, world.ms().payable) == ("released", 0, 60_000)
    assert rail_due(world.deal) == [Due(op, 1, "release", 60_000, JAMES)]
    world.attest(op, "IBAN 1")
    assert (state_of(world, op), world.ms().paid_out, world.deal.ops[op].ref) == ("moved", 60_000, "IBAN 1")
    assert attest(world.deal, world.by(LISA), op, "IBAN 1") == []


def test_releasing_all_again_says_nothing() -> None:
    world = in_state("funded")
    say(world, LISA, release(world))
    assert release(world) == []
    world.settle()
    assert release(world) == []
    assert release(world, total=eur(60_000)) == []
    assert release(world, total=eur(100)) == []


def test_the_same_release_from_two_devices_moves_once() -> None:
    world = in_state("funded")
    first, second = release(world), release(world)
    say(world, LISA, first)
    world.settle()
    repeat = say(world, LISA, second)
    world.settle()
    assert world.ms().released == 60_000
    assert state_of(world, repeat) == "released"
    world.pay_all()
    assert state_of(world, repeat) == "moved"


def test_totals_are_ends_and_amounts_are_steps() -> None:
    world = in_state("funded")
    say(world, LISA, release(world, total=eur(20_000)))
    say(world, LISA, release(world, total=eur(25_000)))
    say(world, LISA, release(world, amount=eur(1_000), request_id="bonus"))
    assert release(world, amount=eur(1_000), request_id="bonus") == []
    say(world, LISA, release(world, amount=eur(1_000), request_id="bonus 2"))
    world.settle()
    assert world.ms().released == 27_000


def test_a_request_id_stands_for_one_request() -> None:
    world = in_state("funded")
    say(world, LISA, release(world, amount=eur(1_000), request_id="once"))
    with pytest.raises(escrow.RequestReused) as reused:
        release(world, amount=eur(2_000), request_id="once")
    assert reused.value.exit == 12
    other = release(world, amount=eur(2_000), request_id="twice")[0]
    assert isinstance(other, escrow.ReleaseAuthorized)
    forged = escrow.ReleaseAuthorized(1, None, 2_000, None, "EUR", "once", other.fingerprint, None)
    with pytest.raises(escrow.RequestReused):
        say(world, LISA, [forged])


def test_one_side_cannot_use_up_the_other_sides_request_ids() -> None:
    world = in_state("funded")
    say(world, LISA, release(world, amount=eur(1_000), request_id="1"))
    say(world, JAMES, refund(world, amount=eur(1_000), request_id="1"))
    world.settle()
    assert (world.ms().released, world.ms().refunded) == (1_000, 1_000)


def test_open_authorisations_reserve_what_is_held() -> None:
    world = in_state("funded")
    say(world, LISA, release(world, total=eur(40_000)))
    say(world, JAMES, refund(world, total=eur(15_000)))
    with pytest.raises(escrow.OverRelease, match=r"has 50\.00 EUR left to move, not 50\.01 EUR"):
        release(world, total=eur(45_001))
    say(world, LISA, release(world))
    with pytest.raises(escrow.NothingHeld):
        refund(world, amount=eur(1), request_id="more")
    world.settle()
    assert (world.ms().released, world.ms().refunded, world.ms().state) == (45_000, 15_000, "released")


def test_all_means_what_was_held_when_its_writer_looked() -> None:
    world = hired(600)
    world.attest(say(world, LISA, escrow.fund(world.deal, world.by(LISA), 1, total=eur(200))))
    everything = release(world)
    world.attest(say(world, LISA, escrow.fund(world.deal, world.by(LISA), 1)))
    say(world, LISA, everything)
    world.settle()
    assert (world.ms().released, world.ms().held) == (200, 400)


def test_an_amount_is_named_in_one_way() -> None:
    world = in_state("funded")
    with pytest.raises(escrow.UnclearAmount):
        release(world, amount=eur(1))
    with pytest.raises(escrow.UnclearAmount):
        release(world, total=eur(0))
    with pytest.raises(escrow.UnclearAmount):
        release(world, total=eur(1), amount=eur(1), request_id="x")
    with pytest.raises(escrow.OtherCurrency):
        release(world, total=Money(1, "JPY"))
    with pytest.raises(escrow.NothingHeld):
        say(world, LISA, [escrow.ReleaseAuthorized(1, None, None, None, "EUR", None, name("print"), None)])


def test_everything_given_back_is_refunded_and_the_deal_is_closed() -> None:
    world = hired(600)
    world.fund()
    say(world, JAMES, refund(world))
    world.settle()
    assert (world.ms().state, world.deal.state) == ("refunded", "closed")
    assert rail_due(world.deal)[0].to == LISA
    world.pay_all()
    assert world.ms().client_paid == 600


# The agent


def test_movements_are_the_agent_devices_alone() -> None:
    world = in_state("funded")
    say(world, LISA, release(world))
    with pytest.raises(NotYours):
        agent_duties(world.deal, world.by(JAMES))
    with pytest.raises(NotYours):
        attest(world.deal, world.by(JAMES), EventId(next(iter(world.deal.ops))), "mine")
    for body in (
        movements.MoneyReleased(None, 1, 1, 0, world.deal.last_movement),
        movements.MoneyPaidOut(1, JAMES, 1, 0, world.deal.last_movement, "mine"),
    ):
        with pytest.raises(NotYours):
            say(world, JAMES, [body])


def test_a_movement_names_the_one_before_it() -> None:
    world = in_state("funded")
    say(world, LISA, release(world))
    with pytest.raises(movements.OtherBefore):
        say(world, LISA, [movements.MoneyReleased(None, 1, 60_000, 0, world.deal.opening)])


def test_a_movement_carries_the_amounts_that_follow_from_the_state() -> None:
    world = in_state("funded")
    op = say(world, LISA, release(world))
    with pytest.raises(movements.OtherAmount):
        say(world, LISA, [movements.MoneyReleased(op, 1, 59_999, 0, world.deal.last_movement)])
    with pytest.raises(movements.NotAsked):
        say(world, LISA, [movements.MoneyRefunded(op, 1, 60_000, 0, world.deal.last_movement)])
    with pytest.raises(movements.NotAsked):
        say(world, LISA, [movements.MoneyReleased(op, 2, 60_000, 0, world.deal.last_movement)])


def test_operations_move_in_the_order_they_were_taken_up() -> None:
    world = in_state("funded")
    say(world, LISA, release(world, total=eur(100)))
    second = say(world, LISA, release(world, total=eur(300)))
    with pytest.raises(movements.NotAsked):
        say(world, LISA, [movements.MoneyReleased(second, 1, 200, 0, world.deal.last_movement)])


def test_only_what_was_taken_up_moves() -> None:
    world = in_state("funded")
    op = say(world, LISA, release(world), final=False)
    assert agent_duties(world.deal, world.by(LISA)) == []
    assert not world.deal.ops[op].final
    assert not world.ms().final
    assert not world.deal.final


def test_nobody_is_paid_more_than_is_owed_or_without_a_reference() -> None:
    world = in_state("released")
    last = world.deal.last_movement
    for amount, ref in ((60_001, "x"), (0, "x"), (60_000, " ")):
        with pytest.raises(movements.OverPaid):
            say(world, LISA, [movements.MoneyPaidOut(1, JAMES, amount, 0, last, ref)])
    with pytest.raises(movements.OverPaid):
        say(world, LISA, [movements.MoneyPaidOut(1, ADA, 1, 0, last, "x")])
    with pytest.raises(agent.NoReference):
        attest(world.deal, world.by(LISA), rail_due(world.deal)[0].op, "  ")


def test_a_payout_covers_what_was_owed_up_to_its_operation() -> None:
    world = in_state("funded")
    first = say(world, LISA, release(world, total=eur(100)))
    second = say(world, LISA, release(world, total=eur(300)))
    world.settle()
    assert [(due.op, due.amount) for due in rail_due(world.deal)] == [(first, 100), (second, 200)]
    world.attest(second)
    assert state_of(world, first) == state_of(world, second) == "moved"


def test_an_operation_that_waits_for_no_payment_cannot_be_attested() -> None:
    world = in_state("funded")
    op = say(world, LISA, release(world))
    with pytest.raises(agent.NothingDue):
        attest(world.deal, world.by(LISA), op, "x")
    with pytest.raises(agent.NothingDue):
        agent.refuse(world.deal, world.by(LISA), op, "x")
    with pytest.raises(agent.NoSuchOp):
        attest(world.deal, world.by(LISA), EventId(name("other")), "x")


def test_a_third_person_can_be_the_agent() -> None:
    world = hired(600, agent_of=ADA)
    op = say(world, LISA, escrow.fund(world.deal, world.by(LISA), 1))
    with pytest.raises(NotYours):
        attest(world.deal, world.by(LISA), op, "mine")
    world.attest(op)
    say(world, LISA, release(world))
    world.settle()
    world.pay_all()
    assert world.ms().talent_paid == 600


# Deadlines


def test_silence_releases_when_the_review_period_is_over() -> None:
    world = in_state("delivered")
    world.now += DAYS_14 - 1
    world.settle()
    assert world.ms().state == "delivered"
    world.now += 1
    world.settle()
    assert world.ms().state == "released"
    assert rail_due(world.deal)[0].amount == 60_000


def test_nothing_is_released_before_the_deadline_even_by_a_hostile_agent() -> None:
    world = in_state("delivered")
    body = movements.MoneyReleased(None, 1, 60_000, 0, world.deal.last_movement)
    world.now += DAYS_14 - 1
    with pytest.raises(movements.NotDue):
        say(world, LISA, [body])


def test_changes_stop_the_review_clock_until_the_next_delivery() -> None:
    world = in_state("changes")
    world.now += 2 * DAYS_14
    world.settle()
    assert world.ms().state == "changes"
    world.deliver()
    assert world.ms().review_deadline == world.now + DAYS_14


def test_changes_come_before_the_deadline() -> None:
    world = in_state("delivered")
    world.now += DAYS_14
    say(world, LISA, escrow.fund(world.deal, world.by(LISA), 2))  # the agent is seen after the deadline
    world.now += 1
    with pytest.raises(work.TooLate):
        work.request_changes(world.deal, world.by(LISA), 1, "too late")


def test_an_agent_that_was_away_takes_what_waited_as_in_time_and_then_waits_a_day() -> None:
    world = in_state("delivered")
    back = world.now + 2 * DAYS_14
    away = Away(world.now, back)
    world.now = back
    assert agent_duties(world.deal, world.by(LISA), away) == []
    before = world.deal
    say(world, LISA, work.request_changes(world.deal, world.by(LISA), 1, "sent while you were away"))
    assert world.ms().state == "changes"
    world.deal = before
    world.now = back + DAY_MS
    world.settle(away)
    assert world.ms().state == "released"


def test_a_short_gap_between_two_syncs_is_no_absence() -> None:
    assert not Away(0, agent.AWAY_LEAST_MS).covers(1)
    assert Away(0, agent.AWAY_LEAST_MS + 1).covers(1)
    assert not Away(5, 10 * DAY_MS).covers(5)


def test_without_auto_release_there_is_no_deadline() -> None:
    world = hired(600, auto_release=False)
    world.fund()
    world.deliver()
    world.now += 10 * DAYS_14
    world.settle()
    assert (world.ms().state, world.ms().review_deadline) == ("delivered", None)
    say(world, LISA, work.request_changes(world.deal, world.by(LISA), 1, "still possible"))


def test_a_delivery_that_was_not_taken_up_starts_no_clock() -> None:
    world = in_state("funded")
    say(world, JAMES, work.deliver(world.deal, world.by(JAMES), 1, "done"), final=False)
    assert (world.ms().state, world.ms().review_deadline) == ("delivered", None)
    world.now += 10 * DAYS_14
    assert agent_duties(world.deal, world.by(LISA)) == []


def test_an_authorisation_is_moved_before_the_deadline_takes_the_rest() -> None:
    world = in_state("delivered")
    say(world, JAMES, refund(world, total=eur(10_000)))
    say(world, LISA, release(world, total=eur(5_000)))
    world.now += DAYS_14
    with pytest.raises(movements.NotAsked):
        say(world, LISA, [movements.MoneyReleased(None, 1, 45_000, 0, world.deal.last_movement)])
    world.settle()
    assert (world.ms().released, world.ms().refunded, world.ms().state) == (50_000, 10_000, "released")


# Work


def test_a_delivery_and_a_request_for_changes_say_something() -> None:
    world = in_state("funded")
    with pytest.raises(work.NothingDelivered):
        work.deliver(world.deal, world.by(JAMES), 1, " ")
    file = Attachment("site.tar", 1, name("content"), name("address"), name("key"))
    say(world, JAMES, work.deliver(world.deal, world.by(JAMES), 1, files=[file]))
    assert world.ms().files == (file,)
    with pytest.raises(work.NoReason):
        work.request_changes(world.deal, world.by(LISA), 1, " ")


def test_changes_can_be_asked_for_as_often_as_agreed() -> None:
    world = hired(600, revisions=1)
    world.fund()
    world.deliver()
    say(world, LISA, work.request_changes(world.deal, world.by(LISA), 1, "once"))
    world.deliver()
    with pytest.raises(work.NoRevisionsLeft):
        work.request_changes(world.deal, world.by(LISA), 1, "twice")


# Cancelling


def test_a_planned_milestone_is_cancelled_by_either_side_at_once() -> None:
    for who in (LISA, JAMES):
        world = hired(600)
        world.cancel(who=who)
        assert (world.ms().state, world.deal.state) == ("cancelled", "closed")
        assert cancellation.cancel(world.deal, world.by(who), 1) == []


def test_a_funded_milestone_is_cancelled_when_the_other_side_agrees() -> None:
    world = in_state("funded")
    world.cancel()
    assert cancellation.cancel(world.deal, world.by(LISA), 1) == []
    with pytest.raises(cancellation.CancelPending):
        cancellation.cancel(world.deal, world.by(JAMES), 1)
    with pytest.raises(NotYours):
        cancellation.accept_cancel(world.deal, world.by(LISA), 1)
    op = say(world, JAMES, cancellation.accept_cancel(world.deal, world.by(JAMES), 1))
    assert cancellation.accept_cancel(world.deal, world.by(JAMES), 1) == []
    world.settle()
    assert (world.ms().state, world.ms().refunded, state_of(world, op)) == ("cancelled", 60_000, "released")
    world.pay_all()
    assert world.ms().client_paid == 60_000


def test_what_was_given_before_is_not_cancelled() -> None:
    world = in_state("funded")
    say(world, LISA, release(world, total=eur(10_000)))
    world.cancel()
    say(world, JAMES, cancellation.accept_cancel(world.deal, world.by(JAMES), 1))
    world.settle()
    assert (world.ms().released, world.ms().refunded, world.ms().state) == (10_000, 50_000, "cancelled")


def test_agreeing_when_all_is_on_its_way_to_the_talent_refunds_nothing() -> None:
    world = in_state("funded")
    say(world, LISA, release(world))
    world.cancel()
    say(world, JAMES, cancellation.accept_cancel(world.deal, world.by(JAMES), 1))
    world.settle()
    assert (world.ms().released, world.ms().refunded) == (60_000, 0)


def test_seven_days_of_silence_agree_to_a_cancellation() -> None:
    world = in_state("funded")
    request = world.cancel()
    early = movements.MoneyRefunded(request, 1, 60_000, 0, world.deal.last_movement)
    world.now += 7 * DAY_MS - 1
    world.settle()
    with pytest.raises(movements.NotDue):
        say(world, LISA, [early])
    world.now += 1
    world.settle()
    assert (world.ms().state, world.ms().refunded, state_of(world, request)) == ("cancelled", 60_000, "released")


def test_a_request_is_declined_withdrawn_or_overtaken_by_a_delivery() -> None:
    world = in_state("funded")
    world.cancel()
    say(world, JAMES, cancellation.decline_cancel(world.deal, world.by(JAMES), 1))
    world.cancel()
    with pytest.raises(NotYours):
        cancellation.withdraw_cancel(world.deal, world.by(JAMES), 1)
    say(world, LISA, cancellation.withdraw_cancel(world.deal, world.by(LISA), 1))
    request = world.cancel()
    world.deliver()
    with pytest.raises(cancellation.NoCancelRequest):
        cancellation.accept_cancel(world.deal, world.by(JAMES), 1)
    with pytest.raises(cancellation.NoCancelRequest):
        say(world, JAMES, [cancellation.CancelAccepted(request)])
    world.now += 8 * DAY_MS
    world.settle()
    assert world.ms().refunded == 0


def test_a_top_up_that_comes_too_late_is_refused() -> None:
    world = hired(600)
    world.attest(say(world, LISA, escrow.fund(world.deal, world.by(LISA), 1, total=eur(200))))
    op = say(world, LISA, escrow.fund(world.deal, world.by(LISA), 1))
    say(world, JAMES, refund(world))
    world.settle()
    assert (world.ms().state, state_of(world, op), world.deal.state) == ("refunded", "declined", "closed")
    assert rail_due(world.deal)[0].kind == "refund"


def test_a_part_that_was_paid_out_leaves_room_for_the_next() -> None:
    world = hired(600)
    world.attest(say(world, LISA, escrow.fund(world.deal, world.by(LISA), 1, total=eur(200))))
    say(world, LISA, release(world))
    world.settle()
    assert (world.ms().state, world.deal.state) == ("funded", "closed")
    op = say(world, LISA, escrow.fund(world.deal, world.by(LISA), 1))
    assert world.deal.state == "hired"
    world.attest(op)
    say(world, LISA, release(world))
    world.settle()
    assert (world.ms().state, world.ms().released) == ("released", 600)


# Fees


def money_of(ms: Milestone) -> tuple[int, int]:
    return ms.talent_credit, ms.client_credit


@given(
    st.integers(1, 1_000_000),
    st.integers(0, 2_500),
    st.integers(0, 2_500),
    st.lists(st.integers(1, 10_000), max_size=4),
    st.sampled_from(["EUR", "JPY", "BHD", "USD"]),
)
def test_no_way_of_splitting_a_release_changes_what_it_costs(
    amount: int, client_fee: int, talent_fee: int, cuts: list[int], currency: str
) -> None:
    whole = hired(amount, client_fee=client_fee, talent_fee=talent_fee, currency=currency)
    whole.fund()
    whole.release()
    split = hired(amount, client_fee=client_fee, talent_fee=talent_fee, currency=currency)
    for total in (*sorted({cut for cut in cuts if cut < amount}), amount):
        op = say(split, LISA, escrow.fund(split.deal, split.by(LISA), 1, total=Money(total, currency)))
        split.attest(op)
    for total in (*sorted({cut // 2 for cut in cuts if 1 < cut < amount}), amount):
        say(split, LISA, escrow.release(split.deal, split.by(LISA), 1, total=Money(total, currency)))
        split.settle()
    assert money_of(split.ms()) == money_of(whole.ms()) == (amount - amount * talent_fee // 10_000, 0)
    assert split.ms().fees_held == whole.ms().fees_held == 0


@given(st.integers(2, 1_000_000), st.integers(0, 2_500), st.data())
def test_what_the_client_paid_comes_back_with_its_fee(amount: int, client_fee: int, data: st.DataObject) -> None:
    world = hired(amount, client_fee=client_fee)
    world.fund()
    kept = data.draw(st.integers(0, amount - 1))
    if kept:
        say(world, LISA, escrow.release(world.deal, world.by(LISA), 1, total=eur(kept)))
    say(world, JAMES, refund(world))
    world.settle()
    paid = amount + amount * client_fee // 10_000
    assert world.ms().client_credit == paid - kept - kept * client_fee // 10_000


def test_the_laptop_is_the_agent_until_terms_say_otherwise() -> None:
    assert hired().deal.parties.agent_device == LAPTOP
    with pytest.raises(WrongState):
        escrow.refund(hired().deal, hired().by(JAMES), 1)
