"""What else happens to a milestone while the rail has not answered about a hold of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from chaise_cli.domain.money import Money
from chaise_cli.ids import EventId
from chaise_cli.session import agency, driving, escrow, hiring, moving, paying, renewal
from chaise_cli.session.session import Session
from tests.fakes import acts, homes, kin
from tests.fakes.escrowed import Escrowed
from tests.fakes.homes import Market
from tests.fakes.stages import Stages


@pytest.fixture
def world(stages: Stages, lisa: Session, james: Session, ada: Session) -> Escrowed:
    return Escrowed.staged(stages, lisa, james, ada)


def order(session: Session, world: Escrowed, verb: str, total: int) -> None:
    """Ask for so much in all of the second part, and let everybody know."""
    asked = escrow.Order(verb, world.deal, 2, Money(total, "EUR"))
    escrow.act(session, asked._replace(confirm=escrow.preview(session, asked)))
    world.meet()


def test_a_hold_whose_fee_a_refund_has_changed_meanwhile_goes_back(world: Escrowed) -> None:
    """The client's fee is a step of the fee on all that is held, so a refund may change it by a minor unit."""
    order(world.lisa, world, "fund", 1_000)
    world.calm()
    world.meet()
    order(world.lisa, world, "fund", 2_010)
    world.till.fault = "pending"
    world.round()
    order(world.james, world, "refund", 7)
    world.round()
    world.calm()
    world.check()
    ms = world.now().milestones[1]
    assert (ms.funded, ms.refunded, ms.held) == (1_000, 7, 993)
    assert [op.declined is None for op in world.now().ops.values() if op.kind == "fund"].count(False) == 1
    order(world.lisa, world, "fund", 2_010)
    world.calm()
    world.check()
    assert world.now().milestones[1].held == 2_003


def test_a_hold_that_the_rail_declined_to_give_back_goes_back_when_that_is_asked_again(world: Escrowed) -> None:
    order(world.lisa, world, "fund", 1_000)
    world.calm()
    world.meet()
    order(world.lisa, world, "fund", 2_000)
    world.till.fault = "pending"
    world.round()
    acts.do(world.lisa, world.deal, "cancel", 1)
    world.meet()
    acts.do(world.james, world.deal, "let go", 1)
    world.meet()
    world.till.settle()
    world.till.fault = "decline"
    assert world.round().declined == 1
    world.calm()
    assert world.till.balance() > 0
    assert driving.again(world.ada) == 1
    world.calm()
    world.check()
    assert world.till.balance() == 0


@pytest.fixture
def heir(world: Escrowed, tmp_path: Path) -> Iterator[Session]:
    """Ada's second device, which will have the role."""
    session = kin.join(world.ada, tmp_path, "second")
    yield session
    session.close()


def hand_over(world: Escrowed, heir: Session) -> None:
    """The role goes to the second device, which knows what the first one wrote, and not what it asked the rail."""
    kin.meet(world.ada, heir)
    moving.move(heir, [world.deal], None, None)
    kin.meet(world.ada, heir)
    world.ada = heir
    world.meet()


def test_a_hold_that_a_device_asked_for_before_it_lost_the_role_goes_back_when_the_milestone_has_ended(
    world: Escrowed, heir: Session
) -> None:
    order(world.lisa, world, "fund", 1_000)
    world.calm()
    world.meet()
    order(world.lisa, world, "fund", 2_000)
    world.till.fault = "lost"
    world.round()
    hand_over(world, heir)
    acts.do(world.lisa, world.deal, "cancel", 1)
    world.meet()
    acts.do(world.james, world.deal, "let go", 1)
    world.meet()
    world.calm()
    world.check()
    assert world.now().milestones[1].state == "cancelled"
    assert world.till.balance() == 0


def test_a_hold_of_another_amount_that_a_device_asked_for_before_it_lost_the_role_goes_back(
    world: Escrowed, heir: Session
) -> None:
    order(world.lisa, world, "fund", 1_000)
    world.calm()
    world.meet()
    order(world.lisa, world, "fund", 2_010)
    world.till.fault = "lost"
    world.round()
    hand_over(world, heir)
    order(world.james, world, "refund", 7)
    world.calm()
    world.check()
    assert world.now().milestones[1].held == 993


def owed(world: Escrowed) -> list[str]:
    """Two payouts to James that are due, each as people name its operation."""
    order(world.lisa, world, "fund", 2_000)
    world.calm()
    world.meet()
    acts.do(world.james, world.deal, "deliver", 1)
    world.meet()
    order(world.lisa, world, "release", 500)
    order(world.lisa, world, "release", 900)
    return [op.id for op in world.now().ops.values() if op.kind == "release"]


def test_nobody_attests_a_payout_by_hand_that_would_cover_one_at_the_rail(world: Escrowed) -> None:
    ops = owed(world)
    world.till.fault = "pending"
    world.round()
    for op in ops:
        with pytest.raises(agency.AtRail):
            paying.attest(world.ada, EventId(op), "by hand", None, None)
    world.calm()
    world.check()


def test_an_heir_looks_a_payout_up_before_it_attests_it_by_hand(world: Escrowed, heir: Session) -> None:
    ops = owed(world)
    world.till.fault = "lost"
    world.round()
    hand_over(world, heir)
    with pytest.raises(agency.AtRail):
        paying.attest(heir, EventId(ops[0]), "by hand", None, None)
    world.calm()
    world.check()


def test_what_the_rail_may_hold_for_a_deal_that_a_copy_of_the_home_refused_is_told(
    world: Escrowed, market: Market, tmp_path: Path
) -> None:
    """One home consents, and has the rail asked; its copy, which has not heard of it, refuses."""
    copy = homes.copied(world.ada, tmp_path / "copy", market.key("mallory"))
    hiring.decline(copy, None, world.deal, "no time")
    world.round()
    world.meet()
    order(world.lisa, world, "fund", 1_000)
    world.till.fault = "lost"
    world.round()
    homes.meet(copy, *world.everybody)
    copy.close()
    assert world.now().state == "declined"
    assert world.till.balance() == 1_025
    renewal.renew(world.ada)
    assert "may have moved money" in world.round().problems[0]
