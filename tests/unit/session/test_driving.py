"""The agent's loop and a rail that breaks down at every step: each authorisation moves its money once."""

from __future__ import annotations

import random
from contextlib import suppress
from pathlib import Path

import pytest

from chaise_cli.ids import public
from chaise_cli.rails.rail import Key
from chaise_cli.session import agent_loop, driving, paying, renewal
from chaise_cli.session.agent_loop import Running
from chaise_cli.session.session import Session
from tests.fakes import acts, homes
from tests.fakes.escrowed import Escrowed
from tests.fakes.homes import Market
from tests.fakes.stages import Stages
from tests.fakes.till import Crash, Till

FAULTS = ("", *Till.FAULTS)
MONEY = (
    *("fund", "fund part", "release", "release part", "release to", "refund"),
    *("deliver", "changes", "cancel", "let go"),
)


@pytest.fixture
def world(stages: Stages, lisa: Session, james: Session, ada: Session) -> Escrowed:
    return Escrowed.staged(stages, lisa, james, ada)


def broken_round(world: Escrowed, fault: str) -> None:
    world.till.fault = fault
    with suppress(Crash):
        world.round()


@pytest.mark.parametrize(("held", "paid"), [*((one, "") for one in FAULTS), *(("", one) for one in Till.FAULTS)])
def test_money_is_held_and_paid_out_once_whatever_breaks(world: Escrowed, held: str, paid: str) -> None:
    acts.do(world.lisa, world.deal, "fund", 1)
    world.meet()
    broken_round(world, held)
    world.calm()
    world.meet()
    if held == "decline":
        assert [op.declined for op in world.now().ops.values()] == ["the rail declined: no_funds"]
        acts.do(world.lisa, world.deal, "fund", 1)
        world.meet()
        world.calm()
        world.meet()
    ms = world.now().milestones[1]
    assert (ms.held, ms.funded) == (90_000, 90_000)
    assert world.till.balance() == 90_000 + 2_250
    acts.do(world.james, world.deal, "deliver", 1)
    acts.do(world.lisa, world.deal, "release", 1)
    world.meet()
    broken_round(world, paid)
    world.calm()
    if paid == "decline":
        assert world.now().milestones[1].payable == 85_500
        driving.again(world.ada)
        world.calm()
    ms = world.now().milestones[1]
    assert (ms.held, ms.released, ms.talent_paid) == (0, 90_000, 85_500)
    assert world.till.balance() == 2_250 + 4_500
    world.check()


@pytest.mark.parametrize("seed", range(3))
def test_random_orders_of_acts_rounds_and_faults_end_in_a_book_that_the_rail_agrees_with(
    world: Escrowed, seed: int
) -> None:
    chance = random.Random(seed)
    for _ in range(60):
        acts.do(chance.choice(world.everybody), world.deal, chance.choice(MONEY), chance.randrange(40))
        if chance.random() < 0.4:
            world.meet()
        if chance.random() < 0.5:
            broken_round(world, chance.choice(FAULTS))
            assert world.till.balance() >= 0
    world.meet()
    driving.again(world.ada)
    world.calm()
    driving.again(world.ada)
    world.calm()
    world.check()


def test_a_hold_that_comes_after_its_milestone_ended_is_given_back(world: Escrowed) -> None:
    """The client tops up, the rail takes its time, and both sides cancel the milestone meanwhile."""
    acts.do(world.lisa, world.deal, "fund part", 1)
    world.meet()
    world.calm()
    world.meet()
    before = world.till.balance()
    acts.do(world.lisa, world.deal, "fund", 1)
    world.meet()
    broken_round(world, "pending")
    acts.do(world.lisa, world.deal, "cancel", 1)
    world.meet()
    acts.do(world.james, world.deal, "let go", 1)
    world.meet()
    world.round()
    assert world.now().milestones[1].state == "cancelled"
    assert len(world.till.done) == 3  # two holds, one of them pending, and what was held goes back
    assert not any(op.declined for op in world.now().ops.values())  # not while the rail may have it
    world.calm()
    assert before
    assert world.till.balance() == world.booked() == 0
    world.check()


def test_a_rail_that_moved_another_amount_is_not_believed(world: Escrowed) -> None:
    acts.do(world.lisa, world.deal, "fund", 1)
    world.meet()
    broken_round(world, "pending")
    world.till.settle(short=1)
    assert "says that it moved" in world.round().problems[0]
    assert world.booked() == 0


def test_a_device_that_takes_the_role_over_asks_before_it_moves(
    world: Escrowed, market: Market, tmp_path: Path
) -> None:
    """What the lost device had asked is known to the rail alone."""
    acts.do(world.lisa, world.deal, "fund", 1)
    world.meet()
    world.round()
    acts.do(world.james, world.deal, "deliver", 1)
    acts.do(world.lisa, world.deal, "release", 1)
    world.meet()
    before = homes.copied(world.ada, tmp_path / "before", market.key("mallory"))
    broken_round(world, "crash after")
    asked = set(world.till.done)
    renewal.renew(before)
    world.ada = before
    world.meet()
    world.calm()
    assert set(world.till.done) == asked
    world.check()
    before.close()


def funded(world: Escrowed) -> str:
    """The key of a hold of milestone 2, 900.00 EUR and a fee of 22.50."""
    acts.do(world.lisa, world.deal, "fund", 1)
    world.meet()
    world.calm()
    world.meet()
    return next(iter(world.till.done))


def released(world: Escrowed) -> None:
    acts.do(world.james, world.deal, "deliver", 1)
    acts.do(world.lisa, world.deal, "release", 1)
    world.meet()
    world.calm()


def test_what_the_rail_takes_is_the_agents_expense_and_nobody_elses(world: Escrowed) -> None:
    world.till.cost = 29
    funded(world)
    released(world)
    ms = world.now().milestones[1]
    assert (ms.released, ms.talent_paid) == (90_000, 85_500)
    assert world.balance("expenses:rail") == 58
    assert world.till.balance() == 2_250 + 4_500 - 58
    world.check()


@pytest.mark.parametrize("after", ["hold", "release"])
def test_a_chargeback_is_booked_once_also_after_the_release(world: Escrowed, after: str) -> None:
    key = funded(world)
    if after == "release":
        released(world)
    before = world.now().milestones[1]
    world.till.claw_back(Key(key), 50_000)
    assert [world.round().reversed for _ in range(3)] == [1, 0, 0]
    world.till.claw_back(Key(key), 42_250)
    assert [world.round().reversed for _ in range(3)] == [1, 0, 0]
    ms = world.now().milestones[1]
    assert (ms.reversed, ms.held, ms.released, ms.state) == (92_250, before.held, before.released, before.state)
    assert world.balance(f"assets:receivable:{public('id', world.lisa.me.identity)}") == 92_250
    assert world.till.balance() == world.booked()
    world.check()


def test_a_chargeback_that_no_hold_explains_is_told_and_never_booked(world: Escrowed) -> None:
    key = Key(funded(world))
    world.till.claw_back(key, 92_251)
    assert "can still be clawed back" in world.round().problems[0]
    kind, intent, end = world.till.done[key]
    world.till.done[Key("another")] = (kind, intent, end)
    world.till.claw_back(Key("another"), 1)
    done = world.round()
    assert "paid in under the reference another" in done.problems[1]
    assert (done.reversed, done.wrote, world.now().milestones[1].reversed) == (0, False, 0)


def test_a_rail_without_a_statement_is_told_and_pays_all_the_same(world: Escrowed) -> None:
    key = Key(funded(world))
    world.till.claw_back(key, 1_000)
    world.till.mute = True
    acts.do(world.james, world.deal, "deliver", 1)
    acts.do(world.lisa, world.deal, "release", 1)
    world.meet()
    done = world.round()
    assert (done.moved, done.reversed) == (1, 0)
    assert done.problems == ["the rail sim gives no statement: closed on Sundays"]
    world.till.mute = False
    assert world.round().reversed == 1
    world.check()


def test_a_device_that_takes_the_role_over_books_no_chargeback_twice(
    world: Escrowed, market: Market, tmp_path: Path
) -> None:
    key = Key(funded(world))
    before = homes.copied(world.ada, tmp_path / "before", market.key("mallory"))
    world.till.claw_back(key, 1_000)
    assert world.round().reversed == 1
    world.meet()
    world.ada = before
    world.meet()
    renewal.renew(before)
    world.meet()
    assert world.round().reversed == 0
    world.till.claw_back(key, 500)
    assert world.round().reversed == 1
    assert world.now().milestones[1].reversed == 1_500
    world.check()
    before.close()


def test_one_loop_runs_in_a_home(world: Escrowed) -> None:
    with agent_loop.alone(world.ada.home.path), pytest.raises(Running), agent_loop.alone(world.ada.home.path):
        pass
    with agent_loop.alone(world.ada.home.path):
        pass


def test_a_rail_that_is_not_set_up_is_said_and_its_deals_are_not_consented_to(world: Escrowed) -> None:
    done = agent_loop.work(world.ada, lambda _name: None, consent=True)
    assert not done.consented
    assert "not set up here" in done.problems[0]
    assert world.now().awaits_agent


def test_consent_can_be_left_to_a_person(world: Escrowed) -> None:
    assert not agent_loop.work(world.ada, world.find_rail, consent=False).consented
    assert world.now().awaits_agent
    assert world.round().consented == [world.now().public]
    assert not world.round().wrote
    assert paying.due(world.ada) == []
