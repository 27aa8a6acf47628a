from __future__ import annotations

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaise_cli import ids
from chaise_cli.domain.booking import (
    NONE,
    BookingAccepted,
    BookingCancelled,
    BookingMet,
    BookingSkipped,
    BookingWithdrawn,
)
from chaise_cli.domain.itip import METHODS, NotYoursToSend, message, permitted, sendable
from chaise_cli.errors import Refused
from tests.unit.domain.call_story import INVITED, ORGANIZER, Call
from tests.unit.domain.deal_cast import CLIENT, STRANGER, TALENT, Told, checkin, offer, slot


def test_the_first_offer_is_a_request_that_waits_for_an_answer() -> None:
    call = Call()
    assert call.may(ORGANIZER) == ("REQUEST", "PUBLISH")
    assert call.sends(ORGANIZER, "REQUEST") == (0, "NEEDS-ACTION", "tentative", 0)
    assert call.may(INVITED) == ("REPLY", "PUBLISH")
    assert call.sends(INVITED, "REPLY") == (0, "TENTATIVE", "tentative", 0)  # a maybe: nothing is signed yet


def test_an_answer_carries_one_attendee_and_the_sequence_received() -> None:
    call = Call()
    call.accepts(INVITED)
    assert call.sends(INVITED, "REPLY") == (0, "ACCEPTED", "confirmed", 0)
    assert message(call.now, "REPLY").partstats == ((INVITED, "ACCEPTED"),)
    assert call.sends(ORGANIZER, "REQUEST") == (0, "ACCEPTED", "confirmed", 0)
    call = Call()
    call.declines(INVITED)
    assert call.sends(INVITED, "REPLY") == (0, "DECLINED", "cancelled", 0)
    assert message(call.now, "REPLY").comment == "no time"
    assert call.may(ORGANIZER) == ("PUBLISH",)


def test_another_slot_than_the_first_that_is_picked_is_a_new_request() -> None:
    call = Call()
    call.accepts(INVITED, 2)
    assert call.sends(ORGANIZER, "REQUEST") == (1, "ACCEPTED", "confirmed", 1)


def test_a_counter_offer_is_sent_by_the_invited_side_and_adopted_by_a_request() -> None:
    call = Call()
    call.offers(5, INVITED)
    assert call.may(INVITED) == ("COUNTER", "PUBLISH")
    assert call.sends(INVITED, "COUNTER") == (0, "TENTATIVE", "tentative", 5)
    assert call.may(ORGANIZER) == ("PUBLISH",)  # the counter-offer is answered in the ledger first
    call.accepts(ORGANIZER)
    assert call.sends(ORGANIZER, "REQUEST") == (1, "NEEDS-ACTION", "confirmed", 5)
    assert call.sends(INVITED, "REPLY") == (1, "ACCEPTED", "confirmed", 5)


def test_a_declined_move_is_told_by_declinecounter() -> None:
    call = Call()
    call.accepts(INVITED)
    call.offers(7, INVITED)
    assert call.sends(INVITED, "COUNTER") == (0, "TENTATIVE", "tentative", 7)
    assert call.sends(INVITED, "REPLY") == (0, "ACCEPTED", "confirmed", 0)
    assert call.sends(ORGANIZER, "REQUEST") == (0, "ACCEPTED", "confirmed", 0)
    call.declines(ORGANIZER)
    assert call.may(ORGANIZER) == ("DECLINECOUNTER", "REQUEST", "PUBLISH")
    assert call.sends(ORGANIZER, "DECLINECOUNTER") == (0, "ACCEPTED", "confirmed", 0)


def test_a_move_by_the_organizer_asks_again() -> None:
    call = Call()
    call.accepts(INVITED)
    call.offers(3, ORGANIZER)
    assert call.sends(ORGANIZER, "REQUEST") == (1, "NEEDS-ACTION", "tentative", 3)
    assert call.sends(INVITED, "REPLY") == (1, "TENTATIVE", "tentative", 3)
    call.accepts(INVITED)
    assert call.sends(INVITED, "REPLY") == (1, "ACCEPTED", "confirmed", 3)


def test_the_invited_side_calls_off_by_a_reply_and_the_organizer_by_cancel() -> None:
    call = Call()
    call.accepts(INVITED)
    call.tell(BookingCancelled(call.id, "ill"), INVITED)
    assert call.sends(INVITED, "REPLY") == (0, "DECLINED", "cancelled", 0)
    assert call.sends(ORGANIZER, "CANCEL") == (1, "DECLINED", "cancelled", 0)
    call = Call()
    call.accepts(INVITED)
    call.tell(BookingCancelled(call.id, "ill"), ORGANIZER)
    assert call.sends(ORGANIZER, "CANCEL")[:1] == (1,)
    assert message(call.now, "CANCEL").comment == "ill"
    assert call.may(INVITED) == ("PUBLISH",)
    call = Call()
    call.tell(BookingWithdrawn(call.id, call.id, "withdrawn"), ORGANIZER)
    assert call.may(ORGANIZER) == ("CANCEL", "PUBLISH")
    call = Call()
    call.offers(2, INVITED)
    call.declines(ORGANIZER)
    assert call.sends(ORGANIZER, "CANCEL")[0] == 1


def test_a_lost_call_is_cancelled_and_has_nothing_to_counter() -> None:
    told = Told(NONE)
    told.agree(CLIENT)
    call = Call()
    call.told = told
    call.id = told.agree(CLIENT)
    assert call.may(ORGANIZER) == ("CANCEL", "PUBLISH")
    assert call.may(INVITED) == ("PUBLISH",)
    call.offers(9, INVITED)
    assert call.may(INVITED) == ("PUBLISH",)
    assert call.sends(ORGANIZER, "CANCEL")[2] == "cancelled"
    before = call.now.sequence
    call.offers(9, ORGANIZER)
    assert call.sends(ORGANIZER, "REQUEST") == (before + 1, "NEEDS-ACTION", "tentative", 9)


def test_a_call_that_took_place_sends_no_invitations() -> None:
    call = Call()
    call.accepts(INVITED)
    call.tell(BookingMet(call.id), ORGANIZER)
    assert call.may(ORGANIZER) == call.may(INVITED) == ("PUBLISH",)


def test_nobody_else_sends_anything_and_none_speaks_for_the_other() -> None:
    call = Call()
    assert sendable(call.now, STRANGER) == ()
    for by, method in ((ORGANIZER, "REPLY"), (ORGANIZER, "CANCEL"), (INVITED, "REQUEST"), (STRANGER, None)):
        with pytest.raises(NotYoursToSend):
            permitted(call.now, by, method)
    assert permitted(call.now, INVITED, None) == "REPLY"


ACTS: Final = ("offer", "accept", "decline", "withdraw", "cancel", "met")


@given(st.lists(st.tuples(st.sampled_from(ACTS), st.booleans(), st.integers(1, 6)), max_size=8))
def test_every_message_of_every_story_is_whole_and_never_older_than_one_before(
    story: list[tuple[str, bool, int]],
) -> None:
    """Whatever happened: each side has something to send, REPLY has one attendee, and revisions never go back."""
    call, last = Call(), (0, 0)
    for verb, organizer, hours in story:
        by = ORGANIZER if organizer else INVITED
        try:
            tell(call, verb, by, hours)
        except Refused:
            continue
        for side in (ORGANIZER, INVITED):
            for method in sendable(call.now, side):
                facts = message(call.now, method)
                assert method in METHODS
                assert facts.start < facts.end
                if method in {"REPLY", "COUNTER"}:
                    assert side == INVITED
                    assert [who for who, _ in facts.partstats] == [INVITED]
                if method in {"REQUEST", "CANCEL"}:
                    assert side == ORGANIZER
                    assert (facts.sequence, facts.modified) >= last
                    last = facts.sequence, facts.modified
                assert (facts.status == "cancelled") >= (method == "CANCEL")


def tell(call: Call, verb: str, by: ids.IdentityId, hours: int) -> None:
    if call.now.open is None and verb in {"accept", "decline", "withdraw"}:
        return
    match verb:
        case "offer":
            call.offers(hours, by)
        case "accept":
            call.accepts(by)
        case "decline":
            call.declines(by)
        case "withdraw":
            assert call.now.open
            call.tell(BookingWithdrawn(call.id, call.now.open.id, "withdrawn"), by)
        case "cancel":
            call.tell(BookingCancelled(call.id, ""), by)
        case _:
            call.tell(BookingMet(call.id), by)


def test_a_message_about_a_move_has_the_times_of_that_offer_alone() -> None:
    """A check-in that would become one call, and one that would become another check-in."""
    told = Told(NONE)
    call = told.tell(checkin(0, 24, 48), CLIENT)
    told.tell(BookingAccepted(call, call, 1, allow_overlap=False), TALENT)
    told.tell(BookingSkipped(call, (slot(24).start,)), CLIENT)
    single = told.tell(offer(slot(72), booking=call, answers=call), CLIENT)
    asked = message(told.bookings.by_id[call], "REQUEST")
    assert (asked.start, asked.series, asked.skipped) == (slot(72).start, None, ())
    told.tell(checkin(96, 120, booking=call, answers=single), TALENT)
    countered = message(told.bookings.by_id[call], "COUNTER")
    assert countered.series
    assert (countered.series.starts, countered.skipped) == ((slot(96).start, slot(120).start), ())
