from __future__ import annotations

import pytest

from chaise_cli.domain import expected
from chaise_cli.domain.booking import NONE
from chaise_cli.domain.booking_fold import TABLE
from chaise_cli.domain.transitions import ROWS
from tests.unit.domain.deal_cast import CLIENT, NOW, PARTIES, TALENT, TOMORROW, Told, in_state, offer


def may(scope: str, state: str, who: str) -> set[str]:
    """The verbs that the transition table allows this side in this state."""
    rows = [row for row in ROWS if row.scope == scope and state in row.states and row.verb]
    return {row.verb for row in rows if row.who in {who, "either", "other", "own"}}


@pytest.mark.parametrize("state", sorted(expected._DEAL))
def test_what_is_expected_of_a_deal_is_allowed(state: str) -> None:
    who, kind, command = expected._DEAL[state]
    assert command.split()[1] in may("deal", state, who)
    assert kind in expected.KINDS


@pytest.mark.parametrize("state", sorted(expected._MILESTONE))
def test_what_is_expected_of_a_milestone_is_allowed(state: str) -> None:
    who, kind, command = expected._MILESTONE[state]
    assert command.split()[1] in may("milestone", state, who)
    assert kind in expected.KINDS


def call_of(told: Told, now: int) -> list[tuple[str, str, str]]:
    """Who is expected to do what about the only call."""
    (booking,) = told.bookings.by_id.values()
    found = expected.of_booking(booking, PARTIES, now)
    assert {one.command.split()[1] for one in found} <= {rule.verb.split()[0] for rule in TABLE}
    return [(one.who, one.kind, " ".join(one.command.split()[:2])) for one in found]


def test_an_open_offer_waits_for_the_other_side_and_then_for_its_own() -> None:
    told = Told(NONE)
    told.tell(offer(), CLIENT)
    assert call_of(told, NOW) == [("talent", "call", "chaise accept")]
    assert call_of(told, TOMORROW) == [("client", "call_lapsed", "chaise book")]


def test_a_lost_call_waits_for_either_side_to_offer_another_time() -> None:
    told, _ = in_state("lost")
    assert call_of(told, NOW) == [(side, "call_lost", "chaise book") for side in ("talent", "client")]


def test_after_a_call_both_sides_may_say_how_it_went() -> None:
    told = Told(NONE)
    told.agree(TALENT)
    (booking,) = told.bookings.by_id.values()
    assert call_of(told, booking.slot.end) == []
    later = booking.slot.end + 3_600_000
    assert {who for who, _, _ in call_of(told, later)} == {"client", "talent"}
