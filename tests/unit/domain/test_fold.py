from __future__ import annotations

from typing import Any

import pytest

from chaise_cli.domain import booking, fold, order, review
from chaise_cli.domain.box_key import BoxKey
from chaise_cli.domain.deal import DealInvited, DealOpened, DealShortlisted
from chaise_cli.domain.deal_state import DealState
from chaise_cli.domain.fold import NotAMember, OpenedTwice
from chaise_cli.domain.revocation import DealDeviceRevoked, DeviceRevoked
from chaise_cli.domain.shape import Body
from chaise_cli.errors import Refused
from chaise_cli.ids import DeviceId, IdentityId
from tests.unit.domain.deal_cast import CLIENT, LAPTOP, SPACE, STRANGER, TALENT, event, id_of, recorded

BOX = BoxKey(id_of("box"), "A" * 1622)
OPENED = DealOpened(SPACE, None, CLIENT, TALENT, LAPTOP, BOX, BOX)


def opened(**more: Any) -> DealState:
    return fold.opened(SPACE, recorded(OPENED, CLIENT, "opening", **more))


def test_a_deal_begins_with_nothing_but_its_two_sides() -> None:
    state = opened()
    assert (state.bookings, state.reviews) == (booking.NONE, review.NONE)
    assert state.deal.parties.client == state.deal.parties.agent == CLIENT
    assert state.deal.opening == event("opening")


@pytest.mark.parametrize("who", [STRANGER])
def test_a_stranger_opens_no_deal_of_others(who: Any) -> None:
    with pytest.raises(Refused):
        fold.opened(SPACE, recorded(OPENED, who, "opening"))


def test_another_body_opens_nothing() -> None:
    with pytest.raises(Refused):
        fold.opened(SPACE, recorded(DealInvited(""), CLIENT, "opening"))


def test_a_deal_is_opened_once() -> None:
    with pytest.raises(OpenedTwice):
        fold.step(opened(), recorded(OPENED, CLIENT, "again"))


def test_who_is_not_of_the_deal_acts_in_vain() -> None:
    with pytest.raises(NotAMember):
        fold.step(opened(), recorded(DealInvited(""), STRANGER, "x"))


def test_applying_never_raises_and_says_why_an_event_is_void() -> None:
    state = opened()
    tried: list[tuple[IdentityId, Body, str]] = [
        (STRANGER, DealInvited(""), "deal.not_a_member"),
        (CLIENT, OPENED, "deal.opened_twice"),
        (TALENT, DealInvited(""), "deal.not_yours"),
        (CLIENT, DealShortlisted(), "deal.wrong_state"),
    ]
    for by, body, code in tried:
        assert fold.apply(state, recorded(body, by, "x")) == (state, code)
    after, void = fold.apply(state, recorded(DealInvited("come"), CLIENT, "x"))
    assert void is None
    assert after.deal.state == "invited"


def test_an_uptake_moves_the_clock_alone() -> None:
    state = opened(clock=5)
    after = fold.step(state, recorded(order.Taken(), CLIENT, "x", clock=9))
    assert after.deal.clock == 9
    assert after._replace(deal=after.deal._replace(clock=5, clock_before=state.deal.clock_before)) == state


@pytest.mark.parametrize("agent", [True, False])
def test_no_event_moves_the_role_by_itself(agent: bool) -> None:
    """Whether it counts is known to the agent's line, by all events of the deal."""
    body = order.AgentDevice(id_of("phone"), event("opening"))  # type: ignore[arg-type]
    state = opened()
    assert fold.step(state, recorded(body, CLIENT, "x", agent=agent)).deal.parties == state.deal.parties


def test_no_side_revokes_a_device_of_the_other() -> None:
    """It may say so, signed by its own root; it reaches none but its own devices."""
    said = DealDeviceRevoked(LAPTOP, None, (), 0, event("root"), (), "", BOX)
    phone = DeviceId(id_of("phone"))
    state = fold.step(opened(), recorded(said, TALENT, "x")._replace(device=phone))
    fold.step(state, recorded(DealInvited(""), CLIENT, "y"))
    own = fold.step(opened(), recorded(said, CLIENT, "x")._replace(device=phone))
    with pytest.raises(DeviceRevoked):
        fold.step(own, recorded(DealInvited(""), CLIENT, "y"))
