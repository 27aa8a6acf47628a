"""The book of an agent against what its rail says: whatever only one of them has is a difference."""

from __future__ import annotations

from typing import Any

import pytest

from chaise_cli.domain.money import Money
from chaise_cli.rails.rail import Key
from chaise_cli.session import driving, reconciling
from chaise_cli.session.session import Session
from tests.fakes import acts
from tests.fakes.escrowed import Escrowed
from tests.fakes.stages import Stages


@pytest.fixture
def world(stages: Stages, lisa: Session, james: Session, ada: Session) -> Escrowed:
    """A deal with money held and a part of it paid out, on a rail that takes something for it."""
    return Escrowed.staged(stages, lisa, james, ada, then=_paid)


def _paid(world: Escrowed) -> None:
    world.till.cost = 29
    acts.do(world.lisa, world.deal, "fund", 1)
    world.meet()
    world.calm()
    world.meet()
    acts.do(world.lisa, world.deal, "release part", 1)
    world.meet()
    world.calm()


def compared(world: Escrowed, since: int | None = None, until: int | None = None) -> tuple[Any, int]:
    """The result and its exit status."""
    done = reconciling.with_rail(world.ada, world.till, since, until)
    return done.data, done.error.exit if done.error else 0


def test_what_both_have_alike_is_no_difference(world: Escrowed) -> None:
    data, status = compared(world)
    assert (data["agreed"], data["unbooked"], data["unshown"], data["differing"], status) == (2, [], [], [], 0)
    assert [one["difference"]["minor"] for one in data["sums"]] == [0]
    assert data["sums"][0]["statement"]["minor"] == world.till.balance() == world.booked()


def test_lines_that_are_lost_or_foreign_are_told(world: Escrowed) -> None:
    lost = world.till.lines.pop(0)
    world.till.done.clear()
    foreign = world.till._line("payout", Key("somebody"), Money(-500, "EUR"), 3)
    data, status = compared(world)
    assert [one["ref"] for one in data["unshown"]] == [lost.ref]
    assert [(one["ref"], one["amount"]["minor"], one["cost"]["minor"]) for one in data["unbooked"]] == [
        (foreign, -500, 3)
    ]
    assert [one["difference"]["minor"] for one in data["sums"]] == [-503 - lost.amount.minor + 29]
    assert (data["agreed"], status) == (1, 11)


@pytest.mark.parametrize("cost", [28, 29])
def test_another_amount_or_cost_is_a_difference_of_the_same_payment(world: Escrowed, cost: int) -> None:
    was = world.till.lines[0]
    amount = was.amount if cost == 28 else was.amount + Money(1, "EUR")
    world.till.lines[0] = type(was)(was.at, was.ref, was.reference, was.kind, amount, Money(cost, "EUR"))
    data, status = compared(world)
    (one,) = data["differing"]
    assert (one["ref"], len(one["lines"]), len(one["entries"]), status) == (was.ref, 1, 1, 11)
    assert [one["difference"]["minor"] for one in data["sums"]] == [1]


def test_another_currency_of_the_same_number_is_a_difference(world: Escrowed) -> None:
    was = world.till.lines[0]
    money = (Money(was.amount.minor, "USD"), Money(was.fee.minor, "USD"))
    world.till.lines[0] = type(was)(was.at, was.ref, was.reference, was.kind, *money)
    data, status = compared(world)
    assert (len(data["differing"]), [one["currency"] for one in data["sums"]], status) == (1, ["EUR", "USD"], 11)


def test_a_chargeback_is_a_difference_until_it_is_booked(world: Escrowed) -> None:
    world.till.claw_back(next(iter(world.till.done)), 700)
    assert [one["kind"] for one in compared(world)[0]["unbooked"]] == ["chargeback"]
    world.round()
    assert compared(world) == (compared(world)[0], 0)


def test_a_payment_is_found_whichever_side_dates_it_in_the_period(world: Escrowed) -> None:
    """The till's clock is that of 1970, the book's is ours."""
    assert compared(world, since=1_000_000)[1] == 0
    assert compared(world, since=1_000_000)[0]["agreed"] == 2
    assert compared(world, until=1_002)[0]["agreed"] == 1
    assert compared(world, since=3_000, until=4_000)[0]["agreed"] == 0


def test_deposits_and_what_went_back_whole_are_of_no_deal(world: Escrowed) -> None:
    world.till._line("deposit", Key(""), Money(9_999, "EUR"), 0)
    data, status = compared(world)
    assert ([one["kind"] for one in data["own"]], status) == (["deposit"], 0)


@pytest.mark.parametrize("cost", [0, 5])
def test_a_late_hold_that_went_back_is_a_difference_only_for_what_it_cost(
    stages: Stages, lisa: Session, james: Session, ada: Session, cost: int
) -> None:
    world = Escrowed.staged(stages, lisa, james, ada)
    acts.do(lisa, world.deal, "fund part", 1)
    world.meet()
    world.calm()
    world.meet()
    acts.do(lisa, world.deal, "fund", 1)
    world.meet()
    world.till.fault = "pending"
    world.round()
    acts.do(lisa, world.deal, "cancel", 1)
    world.meet()
    acts.do(james, world.deal, "let go", 1)
    world.meet()
    world.round()
    world.till.cost = cost
    world.calm()
    data, status = compared(world)
    kinds = [line["kind"] for line in (data["own"] if cost == 0 else data["unbooked"])]
    assert (kinds, status) == (["hold", "refund"], 0 if cost == 0 else 11)


def test_a_rail_that_moved_money_of_a_book_rolled_back_is_told(world: Escrowed) -> None:
    """What is asked and not booked yet stands on the statement alone, until the agent has looked."""
    world.meet()
    acts.do(world.lisa, world.deal, "release", 1)
    world.meet()
    world.till.fault = "lost"
    world.round()
    assert [one["kind"] for one in compared(world)[0]["unbooked"]] == ["payout"]
    world.calm()
    driving.again(world.ada)
    assert compared(world)[1] == 0
