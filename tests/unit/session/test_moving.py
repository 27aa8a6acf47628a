"""The agent's role among the client's devices: moved on purpose, and taken from a stolen laptop."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chaise_cli.domain import order
from chaise_cli.domain.transitions import NotYours
from chaise_cli.ids import DeviceId, SpaceId, public, raw, text
from chaise_cli.session import checking, moving, renewal, revoking
from chaise_cli.session.devices import NoSuchDevice
from chaise_cli.session.session import Session
from chaise_cli.store import deal_states
from tests.fakes import acts, homes, kin
from tests.fakes.stages import Stages

CODE = kin.recovery_code("lisa")


@pytest.fixture
def phone(stages: Stages, lisa: Session, tmp_path: Path) -> Iterator[Session]:
    made = stages.joined(lisa, play=lambda: kin.join(lisa, tmp_path, "phone"))
    yield made
    made.close()


@pytest.fixture
def deal(stages: Stages, lisa: Session, phone: Session, james: Session) -> SpaceId:
    """A hire whose first milestone is held, known to all."""
    return stages.at(lisa, phone, james, play=lambda: _held(lisa, phone, james))


def _held(lisa: Session, phone: Session, james: Session) -> SpaceId:
    made = homes.open_deal(lisa, james.me.identity, client=True)
    kin.meet(lisa, james)
    for who, what, number in (
        *((james, "propose", 0), (lisa, "hire", 1), (james, "accept", 0)),
        *((lisa, "fund", 0), (lisa, "attest", 0), (lisa, "attest", 0)),
    ):
        acts.do(who, made, what, number)
        kin.meet(lisa, james, phone)
    assert money(james, made)["held"] > 0
    return made


def name_of(session: Session) -> str:
    return public("dev", session.me.device)


def agent(session: Session, deal: SpaceId) -> DeviceId:
    found = deal_states.load(session.db, homes.space_no(session, deal))
    assert found is not None
    return DeviceId(text(found.agent))


def money(session: Session, deal: SpaceId) -> dict[str, int]:
    found = deal_states.load(session.db, homes.space_no(session, deal))
    assert found is not None
    parts = found.now.deal.milestones
    names = ("funded", "held", "released", "refunded", "payable", "paid_out")
    return {name: sum(getattr(part, name) for part in parts) for name in names}


def kinds(session: Session, deal: SpaceId, *wanted: str) -> list[tuple[str, str | None]]:
    return [(row[3], row[6]) for row in homes.state(session, deal)["event"] if row[3] in wanted]


def agree(deal: SpaceId, *sessions: Session) -> None:
    """All hold the same deal, nothing waits, and a fold from nothing says the same."""
    for one in sessions:
        assert homes.waiting(one) == 0
        assert homes.unsound(one, deal) == []
        assert homes.state(one, deal) == homes.state(sessions[0], deal)


def test_the_old_device_gives_the_role_away(lisa: Session, phone: Session, james: Session, deal: SpaceId) -> None:
    done = moving.move(lisa, [deal], name_of(phone), None)
    assert [(step.who, step.command) for step in done.next] == [("your device phone", "chaise sync")]
    assert done.deals[0]["agent_device"] == name_of(phone)
    kin.meet(lisa, phone, james, tend=True)
    acts.do(lisa, deal, "release", 0)
    kin.meet(lisa, phone, james)
    assert money(james, deal)["released"] == 0
    kin.meet(phone, lisa, james, tend=True)
    assert money(james, deal)["released"] == 60_000
    agree(deal, lisa, phone, james)
    assert moving.move(lisa, [deal], name_of(phone), None).replayed


def test_another_admin_device_takes_all_roles(lisa: Session, phone: Session, james: Session, deal: SpaceId) -> None:
    moving.move(phone, None, None, None)
    kin.meet(lisa, phone, james, tend=True)
    assert agent(lisa, deal) == agent(james, deal) == phone.me.device
    agree(deal, lisa, phone, james)


def test_no_device_has_the_role_twice_but_its_next_key_may(
    lisa: Session, phone: Session, james: Session, deal: SpaceId
) -> None:
    moving.move(phone, [deal], None, None)
    kin.meet(lisa, phone)
    with pytest.raises(moving.HadBefore):
        moving.move(lisa, [deal], None, None)
    renewal.renew(lisa)
    moving.move(lisa, [deal], None, None)
    kin.meet(lisa, phone, james, tend=True)
    assert agent(james, deal) == lisa.me.device
    agree(deal, lisa, phone, james)


def test_who_may_not_move_it(lisa: Session, phone: Session, james: Session, deal: SpaceId, tmp_path: Path) -> None:
    limited = kin.join(lisa, tmp_path, "limited", limited=True)
    kin.meet(lisa, limited)
    with pytest.raises(moving.MayNotTake):
        moving.move(limited, [deal], None, None)
    with pytest.raises(NotYours):
        moving.move(james, [deal], None, None)
    limited.close()
    revoking.revoke(lisa, name_of(phone), None, None)
    with pytest.raises(NoSuchDevice):
        moving.move(lisa, [deal], name_of(phone), None)


def steal(lisa: Session, phone: Session, james: Session, deal: SpaceId) -> Any:
    """The laptop is lost with its role; the phone revokes it with the recovery code."""
    done = revoking.revoke(phone, name_of(lisa), CODE, None)
    kin.meet(phone, james, tend=True)
    return done


def test_a_stolen_laptop_that_was_the_agent_device_loses_the_role_at_once(
    lisa: Session, phone: Session, james: Session, deal: SpaceId
) -> None:
    done = steal(lisa, phone, james, deal)
    assert done.moved == [public("deal", deal)]
    assert agent(james, deal) == agent(phone, deal) == phone.me.device
    acts.do(phone, deal, "release", 0)
    kin.meet(phone, james, tend=True)
    assert money(james, deal)["released"] == 60_000
    agree(deal, phone, james)
    assert checking.verify(phone, lambda _, __: None).problems == []


def test_late_acts_of_the_thief_are_void_and_money_moves_once(
    lisa: Session, phone: Session, james: Session, deal: SpaceId
) -> None:
    """He releases and records it on the laptop; the talent hears of it after he has heard of the revocation."""
    acts.do(lisa, deal, "release", 0)
    acts.do(lisa, deal, "duties", 0)
    assert money(lisa, deal)["released"] == 60_000
    steal(lisa, phone, james, deal)
    kin.carry(lisa, james)
    kin.carry(lisa, phone)
    assert money(james, deal)["released"] == 0
    assert agent(james, deal) == phone.me.device
    assert ("money.released", "device.revoked") in kinds(james, deal, "money.released")
    acts.do(phone, deal, "release", 0)
    kin.meet(phone, james, tend=True)
    assert money(james, deal)["released"] == 60_000
    assert [void for _, void in kinds(james, deal, "money.released")].count(None) == 1
    agree(deal, phone, james)


def test_what_the_talent_relied_on_before_he_heard_of_it_stands(
    lisa: Session, phone: Session, james: Session, deal: SpaceId
) -> None:
    """A client cannot take a release back by calling her own laptop stolen."""
    acts.do(lisa, deal, "release", 0)
    acts.do(lisa, deal, "duties", 0)
    kin.carry(lisa, james)
    assert money(james, deal)["released"] == 60_000
    acts.do(james, deal, "message", 1)
    revoking.revoke(phone, name_of(lisa), CODE, None)
    kin.meet(phone, james, tend=True)
    assert money(james, deal)["released"] == money(phone, deal)["released"] == 60_000
    assert agent(james, deal) == agent(phone, deal) == phone.me.device
    agree(deal, phone, james)
    before = money(phone, deal)
    acts.do(phone, deal, "release", 0)
    kin.meet(phone, james, tend=True)
    assert money(phone, deal) == before


def test_a_thief_cannot_win_the_role_back(lisa: Session, phone: Session, james: Session, deal: SpaceId) -> None:
    steal(lisa, phone, james, deal)
    homes.write_raw(lisa, deal, order.AgentDevice(lisa.me.device, kin.head(phone, deal)))
    for number in range(3):
        acts.do(lisa, deal, "release", 0)
        acts.do(lisa, deal, "duties", number)
    kin.carry(lisa, james)
    kin.meet(phone, james, tend=True)
    assert agent(james, deal) == phone.me.device
    assert money(james, deal)["released"] == 0
    agree(deal, phone, james)


def test_a_revoked_first_device_is_replaced_by_a_renewed_key_where_this_one_had_the_role(
    lisa: Session, phone: Session, james: Session, deal: SpaceId
) -> None:
    moving.move(lisa, [deal], name_of(phone), None)
    kin.meet(lisa, phone, james, tend=True)
    done = revoking.revoke(lisa, name_of(phone), None, None)
    assert any("device renew" in warning for warning in done.warnings)
    renewal.renew(lisa)
    kin.meet(lisa, james, tend=True)
    assert agent(james, deal) == lisa.me.device
    agree(deal, lisa, james)


def test_every_key_of_a_renewed_home_goes_with_it(lisa: Session, phone: Session) -> None:
    first = lisa.me.device
    renewal.renew(lisa)
    kin.meet(lisa, phone)
    revoking.revoke(phone, name_of(lisa), CODE, None)
    door = homes.HomeReplica(phone)
    assert door.refuses(raw(first))
    assert door.refuses(raw(lisa.me.device))
