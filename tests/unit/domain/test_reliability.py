from __future__ import annotations

import pytest

from chaise_cli.domain.booking import (
    HOUR,
    NONE,
    BookingAccepted,
    BookingCancelled,
    BookingDeclined,
    BookingLost,
    BookingMet,
    BookingMissed,
)
from chaise_cli.domain.recorded import Parties
from chaise_cli.domain.reliability import Reliability, reliability
from chaise_cli.ids import EventId, IdentityId
from tests.unit.domain.deal_cast import CLIENT, PARTIES, STRANGER, TALENT, TOMORROW, Told, offer, slot, verdict

NOTHING = Reliability(0, 0, 0)


def of(told: Told, who: IdentityId) -> Reliability:
    return reliability([(PARTIES, call) for call in told.bookings.by_id.values()], who)


def agreed(told: Told, hours: int) -> EventId:
    return told.agree(CLIENT, slot(hours))


def test_calls_that_took_place_count_for_both_and_a_missed_one_for_who_was_not_there() -> None:
    told = Told(NONE)
    for hours in (0, 2):
        told.tell(BookingMet(agreed(told, hours)), CLIENT)
    told.tell(BookingMissed(agreed(told, 4), TALENT), CLIENT)
    assert (of(told, TALENT), of(told, CLIENT)) == (Reliability(2, 1, 0), Reliability(2, 0, 0))
    assert of(told, STRANGER) == NOTHING


def test_what_the_sides_contest_counts_nowhere_until_they_agree() -> None:
    told = Told(NONE)
    call = agreed(told, 0)
    told.tell(BookingMissed(call, TALENT), CLIENT)
    told.tell(BookingMet(call), TALENT)
    assert of(told, TALENT) == of(told, CLIENT) == NOTHING
    told.tell(BookingMet(call), CLIENT)
    assert of(told, TALENT) == of(told, CLIENT) == Reliability(1, 0, 0)


@pytest.mark.parametrize(("at", "late"), [(TOMORROW - 3 * HOUR, 0), (TOMORROW - HOUR, 1)])
def test_a_cancellation_counts_for_who_did_it_within_the_notice(at: int, late: int) -> None:
    told = Told(NONE)
    told.tell(BookingCancelled(agreed(told, 0), "ill"), CLIENT, at=at)
    assert (of(told, CLIENT), of(told, TALENT)) == (Reliability(0, 0, late), NOTHING)


def test_a_call_lost_to_another_counts_for_the_talent_whatever_becomes_of_it() -> None:
    told = Told(NONE)
    agreed(told, 0)
    lost = agreed(told, 0)  # of the same time, in the same deal
    assert told.bookings.by_id[lost].state == "conflicted"
    assert (of(told, TALENT), of(told, CLIENT)) == (Reliability(0, 0, 1), NOTHING)
    again = told.tell(offer(slot(9), booking=lost, answers=told.bookings.by_id[lost].latest), TALENT)
    assert of(told, TALENT) == Reliability(0, 0, 1), "a new offer takes nothing back"
    told.tell(BookingAccepted(lost, again, 1, allow_overlap=False), CLIENT)
    told.tell(verdict(told, lost), TALENT)
    assert of(told, TALENT) == Reliability(0, 0, 2), "lost once more"
    third = told.tell(offer(slot(12), booking=lost, answers=again), TALENT)
    told.tell(BookingDeclined(lost, third, ""), CLIENT)
    assert of(told, TALENT) == Reliability(0, 0, 2)


def test_the_clients_word_that_a_call_took_place_takes_the_verdict_back() -> None:
    told = Told(NONE)
    call = agreed(told, 0)
    bound = told.bookings.by_id[call].commitment
    assert bound
    told.tell(BookingLost(call, bound.id), TALENT)
    assert of(told, TALENT) == Reliability(0, 0, 1)
    told.tell(BookingMet(call), CLIENT)
    assert of(told, TALENT) == Reliability(1, 0, 0)


def test_somebody_may_be_client_in_one_deal_and_talent_in_another() -> None:
    told = Told(NONE)
    agreed(told, 0)
    again = agreed(told, 0)
    lost = told.bookings.by_id[again]
    turned = Parties(TALENT, CLIENT, *PARTIES[2:])
    assert reliability([(PARTIES, lost), (turned, lost)], TALENT) == Reliability(0, 0, 1)
