from __future__ import annotations

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaise_cli.domain import shape
from chaise_cli.domain.body import replace
from chaise_cli.domain.booking import (
    DAY,
    HOUR,
    MINUTE,
    NONE,
    BookingAccepted,
    BookingBody,
    BookingOffered,
    BookingWithdrawn,
)
from chaise_cli.domain.booking_acts import (
    GOOD_FOR,
    NOTICE,
    RESERVING,
    BadSlots,
    BadUntil,
    Full,
    Lapsed,
    Overlap,
    Past,
    ShortNotice,
    Taken,
    TooEarly,
    TooLate,
    TwoChoices,
    accept,
    book,
    cancel,
    committed,
    decline,
    lapsed,
    outcome,
    overlaps,
    slot_at,
    withdraw,
    yielding,
)
from chaise_cli.domain.booking_fold import CONTEST, NoSuchSlot, NotYourTurn, UnknownBooking, WrongState
from chaise_cli.domain.recorded import By
from chaise_cli.errors import ChaiseError, Refused, Usage
from chaise_cli.ids import EventId
from tests.unit.domain.deal_cast import (
    CLIENT,
    NOW,
    PARTIES,
    STRANGER,
    TALENT,
    TOMORROW,
    Told,
    acting,
    event,
    offer,
    slot,
)
from tests.unit.domain.hours_cast import NIGHT, hours

LISA: Final = acting(CLIENT)
JAMES: Final = acting(TALENT)


def offered(by: By = LISA, hours: tuple[float, ...] = (0,)) -> tuple[Told, EventId]:
    told = Told(NONE)
    [body] = book(NONE, by, PARTIES, None, [slot(hour) for hour in hours])
    return told, told.tell(body, by.identity)


def agreed() -> tuple[Told, EventId]:
    told, call = offered()
    [body] = accept(told.bookings, JAMES, PARTIES, call)
    told.tell(body, TALENT)
    return told, call


# Offers


def test_an_offer_is_good_for_two_days_but_never_after_its_last_slot() -> None:
    for slots, until in (([slot(0), slot(5)], TOMORROW + 5 * HOUR), ([slot(900)], NOW + GOOD_FOR)):
        [body] = book(NONE, LISA, PARTIES, None, slots)
        assert isinstance(body, BookingOffered)
        assert (body.until, body.notice) == (until, NOTICE)
        shape.check(body)
    [body] = book(NONE, JAMES, PARTIES, None, [slot(0)], own=hours(NIGHT, notice=60))
    assert isinstance(body, BookingOffered)
    assert body.until == TOMORROW - HOUR


@pytest.mark.parametrize("until", [NOW, NOW - 1, TOMORROW + 1])
def test_an_offer_cannot_end_before_now_or_after_its_last_slot_begins(until: int) -> None:
    with pytest.raises(BadUntil):
        book(NONE, LISA, PARTIES, None, [slot(0)], until=until)


def test_a_slot_begins_later_than_now_and_the_least_notice() -> None:
    soon = replace(slot(0), start=NOW)
    with pytest.raises(Past):
        book(NONE, LISA, PARTIES, None, [soon])
    early = hours(NIGHT, notice=24 * 60)
    with pytest.raises(ShortNotice, match="sooner than the 1d of notice"):
        book(NONE, JAMES, PARTIES, None, [slot(0)], own=early)
    assert book(NONE, JAMES, PARTIES, None, [slot(0)], own=early, beyond_limits=True)
    assert book(NONE, LISA, PARTIES, None, [replace(slot(0), start=NOW + 1)])
    told, call = offered()
    with pytest.raises(ShortNotice):
        accept(told.bookings, JAMES, PARTIES, call, own=early)
    assert accept(told.bookings, JAMES, PARTIES, call, own=early, beyond_limits=True)


@pytest.mark.parametrize("hours", [[], [0, 0], [0, 1, 2, 3, 4, 5]])
def test_an_offer_has_one_to_five_different_slots(hours: list[int]) -> None:
    with pytest.raises(BadSlots):
        book(NONE, LISA, PARTIES, None, [slot(hour) for hour in hours])


def test_a_counter_offer_keeps_link_text_and_notice_unless_told_otherwise() -> None:
    told = Told(NONE)
    [body] = book(NONE, LISA, PARTIES, None, [slot(0)], url="https://meet.example/x", note="plan", notice=60)
    call = told.tell(body, CLIENT)
    [counter] = book(told.bookings, JAMES, PARTIES, call, [slot(1)])
    assert isinstance(counter, BookingOffered)
    assert (counter.url, counter.note, counter.notice) == ("https://meet.example/x", "plan", 60)
    [counter] = book(told.bookings, JAMES, PARTIES, call, [slot(1)], url="tel:+49301", note="", notice=0)
    assert isinstance(counter, BookingOffered)
    assert (counter.url, counter.note, counter.notice) == ("tel:+49301", "", 0)


def test_a_slot_is_made_of_an_instant_and_a_zone() -> None:
    made = slot_at(1_796_133_600_000, "Europe/Berlin", 30, "2026b")
    assert made.wall == "2026-12-01T15:00:00"
    assert made.end - made.start == 30 * MINUTE
    shape.check(made)


# Accepting


def test_an_acceptance_takes_the_first_slot_a_number_or_a_time() -> None:
    told, call = offered(hours=(0, 2, 4))
    for wanted, at, number in ((None, None, 1), (3, None, 3), (None, TOMORROW + 2 * HOUR, 2)):
        [body] = accept(told.bookings, JAMES, PARTIES, call, slot=wanted, at=at)
        assert isinstance(body, BookingAccepted)
        assert (body.slot, body.offer) == (number, call)


@pytest.mark.parametrize(
    ("kwargs", "error"),
    [
        ({"slot": 0}, NoSuchSlot),
        ({"slot": 4}, NoSuchSlot),
        ({"at": TOMORROW + 1}, NoSuchSlot),
        ({"slot": 1, "at": TOMORROW}, TwoChoices),
    ],
)
def test_a_slot_that_was_not_offered_cannot_be_taken(kwargs: dict[str, int], error: type[ChaiseError]) -> None:
    told, call = offered(hours=(0, 2, 4))
    with pytest.raises(error):
        accept(told.bookings, JAMES, PARTIES, call, slot=kwargs.get("slot"), at=kwargs.get("at"))


def test_an_offer_is_good_before_its_end_and_not_at_it() -> None:
    told, call = offered(hours=(72,))
    end = NOW + GOOD_FOR
    assert accept(told.bookings, acting(TALENT, end - 1), PARTIES, call)
    with pytest.raises(Lapsed):
        accept(told.bookings, acting(TALENT, end), PARTIES, call)


def test_of_an_offer_that_is_still_good_no_slot_that_has_begun_can_be_taken() -> None:
    told, call = offered(hours=(0, 10))
    begun = acting(TALENT, TOMORROW)
    with pytest.raises(Past):
        accept(told.bookings, begun, PARTIES, call)
    assert accept(told.bookings, begun, PARTIES, call, slot=2)


def test_accepting_an_offered_slot_with_nothing_changed_always_succeeds() -> None:
    for by, other in ((LISA, JAMES), (JAMES, LISA)):
        told, call = offered(by, hours=(0, 0.5, 1))
        taken = committed(told.bookings, PARTIES)
        for number in (1, 2, 3):
            assert accept(told.bookings, other, PARTIES, call, slot=number, taken=taken)


# No double booking from one device


def busy(hours: float, minutes: int = 60, name: str = "elsewhere") -> Taken:
    other = slot(hours, minutes)
    return Taken(other.start, other.end, event(name))


def test_the_talent_neither_offers_nor_accepts_time_committed_elsewhere() -> None:
    with pytest.raises(Overlap) as caught:
        book(NONE, JAMES, PARTIES, None, [slot(5), slot(0)], taken=[busy(0.5), busy(0.75)])
    assert caught.value.details()["start"] == "2026-12-01T01:23:20Z", "the earliest it meets"
    told, call = offered()
    with pytest.raises(Overlap):
        accept(told.bookings, JAMES, PARTIES, call, taken=[busy(-0.5)])
    assert accept(told.bookings, JAMES, PARTIES, call, taken=[busy(1), busy(-1)]), "half-open intervals touch"
    assert accept(told.bookings, JAMES, PARTIES, call, taken=[busy(0)], allow_overlap=True)
    assert book(NONE, JAMES, PARTIES, None, [slot(0)], taken=[busy(0)], allow_overlap=True)
    with pytest.raises(Overlap):
        book(NONE, JAMES, PARTIES, None, [slot(0)], taken=[busy(0)._replace(booking="")])


def test_the_talents_other_deals_are_no_hindrance_to_the_client() -> None:
    assert book(NONE, LISA, PARTIES, None, [slot(0)], taken=[busy(0)])


def test_both_sides_see_the_confirmed_calls_of_their_deal() -> None:
    told, _ = agreed()
    for by in (LISA, JAMES):
        with pytest.raises(Overlap):
            book(told.bookings, by, PARTIES, None, [slot(0.5)])


def test_a_talents_open_offer_reserves_its_slots_and_the_clients_does_not() -> None:
    told, call = offered(JAMES, hours=(0, 3))
    assert overlaps(slot(3), committed(told.bookings, PARTIES)) == (Taken(slot(3).start, slot(3).end, call),)
    with pytest.raises(Overlap):
        book(told.bookings, JAMES, PARTIES, None, [slot(3)])
    assert book(told.bookings, LISA, PARTIES, None, [slot(3)])
    told, _ = offered(LISA)
    assert committed(told.bookings, PARTIES) == ()


def test_a_client_cannot_block_a_week_with_offers_to_answer() -> None:
    told = Told(NONE)
    for hour in range(RESERVING + 2):
        told.tell(offer(slot(hour)), TALENT)
    assert len(committed(told.bookings, PARTIES)) == RESERVING


def test_buffers_keep_calls_apart_unless_overlap_is_allowed() -> None:
    own = hours(NIGHT, before=10, after=5, lengths=(60,))
    taken = [Taken(TOMORROW + HOUR + 10 * MINUTE, TOMORROW + 2 * HOUR, "other"), Taken(NOW, TOMORROW, "")]
    with pytest.raises(Overlap, match="keeps time free around it"):
        book(NONE, JAMES, PARTIES, None, [slot(0)], taken=taken, own=own)
    assert book(NONE, JAMES, PARTIES, None, [slot(0)], taken=taken)
    assert book(NONE, JAMES, PARTIES, None, [slot(0)], taken=taken, own=own, allow_overlap=True)
    told, call = offered()
    with pytest.raises(Overlap):
        accept(told.bookings, JAMES, PARTIES, call, taken=taken, own=own, beyond_limits=True)
    later = [replace(slot(0), start=slot(0).start + 15 * MINUTE)]
    assert book(NONE, JAMES, PARTIES, None, later, taken=[Taken(0, TOMORROW, "other")], own=own)


def test_a_day_that_is_full_takes_no_other_call_but_the_move_of_one() -> None:
    own = hours(NIGHT, per_day=1, lengths=(60,))
    told, call = agreed()
    with pytest.raises(Full, match=r"the day of .* is full: you want at most 1 of"):
        book(told.bookings, JAMES, PARTIES, None, [slot(3)], own=own)
    assert book(told.bookings, JAMES, PARTIES, None, [slot(3)], own=own, beyond_limits=True)
    assert book(told.bookings, JAMES, PARTIES, None, [slot(24)], own=own)
    assert book(told.bookings, JAMES, PARTIES, call, [slot(3)], own=own)
    other = told.tell(offer(slot(3)), CLIENT)
    with pytest.raises(Full, match="the week of"):
        accept(told.bookings, JAMES, PARTIES, other, own=hours(NIGHT, per_week=1, lengths=(60,)))
    assert accept(told.bookings, JAMES, PARTIES, other, own=hours(NIGHT, per_day=2, per_week=2, lengths=(60,)))


def test_a_move_leaves_its_own_old_slot_out() -> None:
    told, call = agreed()
    taken = [*committed(told.bookings, PARTIES)]
    assert book(told.bookings, JAMES, PARTIES, call, [slot(0.5)], taken=taken)


def test_the_client_may_take_an_offer_whose_overlap_the_talent_allowed() -> None:
    told, _ = agreed()
    wished = told.tell(replace(offer(slot(0.5)), allow_overlap=True), TALENT)
    assert accept(told.bookings, LISA, PARTIES, wished)
    plain = told.tell(offer(slot(0.5)), TALENT)
    with pytest.raises(Overlap):
        accept(told.bookings, LISA, PARTIES, plain)


def test_the_client_cannot_allow_an_overlap_for_the_talent() -> None:
    told, _ = agreed()
    wished = told.tell(replace(offer(slot(0.5)), allow_overlap=True), CLIENT)
    with pytest.raises(Overlap):
        accept(told.bookings, JAMES, PARTIES, wished)


def test_offers_overtaken_by_a_confirmed_call_are_withdrawn() -> None:
    told, call = offered(JAMES, hours=(0, 3))
    told.tell(replace(offer(slot(3)), allow_overlap=True), TALENT)
    assert yielding(told.bookings, PARTIES, [busy(3.5)]) == [BookingWithdrawn(call, call, "withdrawn")]
    assert yielding(told.bookings, PARTIES, [busy(4), busy(3, name="1")]) == [], "its own time, and a time beside"


# Withdrawing, lapsing, declining, cancelling


def test_only_what_has_run_out_and_is_ours_is_withdrawn_as_expired() -> None:
    told, call = offered(hours=(72,))
    end = NOW + GOOD_FOR
    assert lapsed(told.bookings, CLIENT, end - 1) == []
    assert lapsed(told.bookings, TALENT, end) == []
    bodies = lapsed(told.bookings, CLIENT, end)
    assert bodies == [BookingWithdrawn(call, call, "expired")]
    told.tell(bodies[0], CLIENT)
    assert lapsed(told.bookings, CLIENT, end) == []


def test_a_lapsed_move_is_withdrawn_too() -> None:
    told, call = agreed()
    move = told.tell(offer(slot(9), booking=call, answers=call), TALENT)
    assert lapsed(told.bookings, TALENT, TOMORROW) == [BookingWithdrawn(call, move, "expired")]


def test_what_is_not_there_cannot_be_answered() -> None:
    told, call = agreed()
    for act in (decline, withdraw):
        with pytest.raises(WrongState):
            act(told.bookings, LISA, PARTIES, call)
        with pytest.raises(UnknownBooking):
            act(told.bookings, LISA, PARTIES, event("nothing"))
    told, call = offered()
    with pytest.raises(WrongState):
        cancel(told.bookings, LISA, PARTIES, call)
    with pytest.raises(NotYourTurn):
        accept(told.bookings, LISA, PARTIES, call)


# Outcomes


def test_a_call_is_met_from_its_start_and_missed_a_quarter_hour_later() -> None:
    told, call = agreed()
    quarter = TOMORROW + 15 * MINUTE
    for missing, first in ((None, TOMORROW), (TALENT, quarter)):
        assert outcome(told.bookings, acting(CLIENT, first), PARTIES, call, missing)
        with pytest.raises(TooEarly):
            outcome(told.bookings, acting(CLIENT, first - 1), PARTIES, call, missing)


def test_an_outcome_is_contested_within_three_days_and_agreed_to_at_any_time() -> None:
    told, call = agreed()
    said_at = TOMORROW + HOUR
    [body] = outcome(told.bookings, acting(CLIENT, said_at), PARTIES, call, TALENT)
    told.tell(body, CLIENT, at=said_at)
    in_time, too_late = acting(TALENT, said_at + CONTEST - 1), acting(TALENT, said_at + CONTEST)
    assert outcome(told.bookings, in_time, PARTIES, call, None)
    with pytest.raises(TooLate):
        outcome(told.bookings, too_late, PARTIES, call, None)
    assert outcome(told.bookings, too_late, PARTIES, call, TALENT)


# Safe to run twice


def test_a_repeat_writes_nothing() -> None:
    told, call = offered(hours=(0, 1))
    assert book(told.bookings, LISA, PARTIES, call, [slot(0), slot(1)]) == []
    assert book(told.bookings, LISA, PARTIES, call, [slot(0), slot(1)], until=NOW + HOUR) != []
    assert book(told.bookings, LISA, PARTIES, call, [slot(0)]) != []
    assert book(told.bookings, LISA, PARTIES, call, [slot(0), slot(1)], note="new") != []
    assert book(told.bookings, JAMES, PARTIES, call, [slot(0), slot(1)]) != []
    [body] = accept(told.bookings, JAMES, PARTIES, call, slot=2)
    told.tell(body, TALENT)
    assert accept(told.bookings, JAMES, PARTIES, call) == []
    assert accept(told.bookings, JAMES, PARTIES, call, at=TOMORROW + HOUR) == []
    assert book(told.bookings, JAMES, PARTIES, call, [slot(1)]) == [], "it is at that time already"
    with pytest.raises(WrongState):
        accept(told.bookings, JAMES, PARTIES, call, slot=1)
    with pytest.raises(WrongState):
        accept(told.bookings, LISA, PARTIES, call)
    later = acting(CLIENT, TOMORROW + 3 * HOUR)
    told.tell(outcome(told.bookings, later, PARTIES, call, None)[0], CLIENT)
    assert outcome(told.bookings, later, PARTIES, call, None) == []


def test_a_repeated_end_writes_nothing() -> None:
    told, call = offered()
    told.tell(decline(told.bookings, JAMES, PARTIES, call, "no")[0], TALENT)
    assert decline(told.bookings, JAMES, PARTIES, call) == []
    with pytest.raises(WrongState):
        withdraw(told.bookings, LISA, PARTIES, call)
    told, call = offered()
    told.tell(withdraw(told.bookings, LISA, PARTIES, call)[0], CLIENT)
    assert withdraw(told.bookings, LISA, PARTIES, call) == []
    with pytest.raises(WrongState):
        decline(told.bookings, JAMES, PARTIES, call)
    told, call = agreed()
    told.tell(cancel(told.bookings, LISA, PARTIES, call)[0], CLIENT)
    assert cancel(told.bookings, JAMES, PARTIES, call) == []


# Laws


@given(st.data())
def test_what_a_decision_returns_the_fold_accepts_and_one_device_never_double_books(data: st.DataObject) -> None:
    """Whatever two sides try, each refusal is typed, each body folds, and no call ends up conflicted."""
    told, now = Told(NONE), NOW
    for _ in range(data.draw(st.integers(1, 14))):
        now += data.draw(st.sampled_from([0, MINUTE, 5 * HOUR, DAY]))
        by = acting(data.draw(st.sampled_from([CLIENT, TALENT, STRANGER])), now)
        calls = sorted(told.bookings.by_id)
        call = EventId(data.draw(st.sampled_from(calls))) if calls else None
        taken = committed(told.bookings, PARTIES)
        bodies: list[BookingBody] = []
        try:
            match data.draw(
                st.sampled_from(["book", "move", "accept", "decline", "withdraw", "cancel", "met", "missed"])
            ):
                case "book" | "move" as verb:
                    hours = data.draw(st.lists(st.sampled_from([0, 0.5, 1, 26, 50, 99]), min_size=1, max_size=3))
                    of = call if verb == "move" else None
                    bodies = book(told.bookings, by, PARTIES, of, [slot(hour) for hour in hours], taken=taken)
                case "accept" if call:
                    number = data.draw(st.integers(1, 3))
                    bodies = accept(told.bookings, by, PARTIES, call, slot=number, taken=taken)
                case "decline" if call:
                    bodies = decline(told.bookings, by, PARTIES, call)
                case "withdraw" if call:
                    bodies = withdraw(told.bookings, by, PARTIES, call)
                case "cancel" if call:
                    bodies = cancel(told.bookings, by, PARTIES, call)
                case "met" | "missed" as verb if call:
                    bodies = outcome(told.bookings, by, PARTIES, call, TALENT if verb == "missed" else None)
                case _:
                    pass
        except (Refused, Usage):
            continue
        for body in bodies:
            shape.check(body)
            told.tell(body, by.identity, at=now)
    assert all(booking.state != "conflicted" for booking in told.bookings.by_id.values())
