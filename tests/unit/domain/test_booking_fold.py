from __future__ import annotations

import itertools
import json
from contextlib import suppress
from pathlib import Path
from typing import Final

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chaise_cli.domain import record
from chaise_cli.domain.body import replace
from chaise_cli.domain.booking import (
    HOUR,
    NONE,
    Booking,
    BookingAccepted,
    BookingBody,
    BookingCancelled,
    BookingDeclined,
    BookingLost,
    BookingMet,
    BookingMissed,
    BookingOffered,
    Bookings,
    BookingSeriesOffered,
    BookingSkipped,
    BookingWithdrawn,
    Slot,
)
from chaise_cli.domain.booking_fold import (
    TABLE,
    Crossed,
    NoSuchSlot,
    NotASide,
    NotInCall,
    NotYourTurn,
    OutcomeStands,
    UnknownBooking,
    WrongState,
    step,
)
from chaise_cli.domain.recorded import Recorded
from chaise_cli.errors import Refused
from chaise_cli.ids import EventId, IdentityId
from tests.unit.domain.deal_cast import (
    CLIENT,
    NOW,
    PARTIES,
    STRANGER,
    TALENT,
    TOMORROW,
    Told,
    checkin,
    event,
    in_state,
    offer,
    recorded,
    slot,
    started,
)

ACTS: Final = (
    BookingOffered,
    BookingSeriesOffered,
    BookingSkipped,
    BookingLost,
    BookingAccepted,
    BookingDeclined,
    BookingWithdrawn,
    BookingCancelled,
    BookingMet,
    BookingMissed,
)
STATES: Final = (
    "proposed", "confirmed", "check-in", "moving", "conflicted", "lost", "declined", "cancelled", "met", "no_show"
)  # fmt: skip
SHOWN: Final = {"moving": "confirmed", "check-in": "confirmed", "lost": "conflicted"}  # the states they are in


def body_for(act: type, call: Booking) -> BookingBody:
    """A body of this kind that names what it has to name."""
    open_offer = call.open.id if call.open else call.latest
    if act is BookingSeriesOffered:
        return checkin(7, 31, booking=call.id, answers=call.latest)
    if act is BookingSkipped:
        return BookingSkipped(call.id, (call.times[-1][0],))
    if act is BookingLost:
        return BookingLost(call.id, call.commitment.id if call.commitment else event("nothing"))
    if act is BookingOffered:
        return offer(slot(7), booking=call.id, answers=call.latest)
    if act is BookingAccepted:
        return BookingAccepted(call.id, open_offer, 1, allow_overlap=False)
    if act is BookingDeclined:
        return BookingDeclined(call.id, open_offer, "")
    if act is BookingWithdrawn:
        return BookingWithdrawn(call.id, open_offer, "withdrawn")
    if act is BookingMissed:
        return BookingMissed(call.id, CLIENT)
    return BookingCancelled(call.id, "") if act is BookingCancelled else BookingMet(call.id)


def is_legal(state: str, act: type, by: IdentityId) -> str | None:
    """What the table says of a call that the client offered: the next state, or None."""
    if act is BookingSkipped and state != "check-in":
        return None  # a single call has no time that could be left out
    if state == "conflicted" and act in {BookingMet, BookingMissed}:
        return None  # both sides saw which call was kept
    for rule in TABLE:
        if rule.state == SHOWN.get(state, state) and rule.act is act:
            roles = {"either": True, "client": by == CLIENT, "talent": by == TALENT}
            if state in {"proposed", "moving"}:
                roles |= {"offerer": by == CLIENT, "answerer": by == TALENT}
            if roles.get(rule.who):
                return rule.to
    return None


@pytest.mark.parametrize("state", STATES)
def test_every_cell_of_the_table_and_no_other_moves_a_call(state: str, subtests: pytest.Subtests) -> None:
    for act, by in itertools.product(ACTS, (CLIENT, TALENT, STRANGER)):
        with subtests.test(act=act.__name__, by=by):
            _moves_a_call(state, act, by)


def _moves_a_call(state: str, act: type, by: IdentityId) -> None:
    told, call = in_state(state)
    before = told.bookings
    assert before.by_id[call].state == SHOWN.get(state, state)
    body = body_for(act, before.by_id[call])
    legal = is_legal(state, act, by) if by != STRANGER else None
    if state in {"met", "no_show"} and by == CLIENT:
        legal = None  # the client's word stands until the talent has spoken
    if legal is None:
        with pytest.raises(Refused):
            told.tell(body, by)
        assert told.bookings == before
    else:
        told.tell(body, by)
        after = told.bookings.by_id[call]
        assert after.state == legal
        assert after != before.by_id[call]


def test_the_page_shows_the_table() -> None:
    page = (Path(__file__).parents[3] / "docs/spec/bookings.md").read_text(encoding="utf-8")
    for rule in TABLE:
        cells = (rule.state or "–", rule.act.KIND, rule.who, rule.to, f"`{rule.verb}`", rule.guard or "–")
        assert f"| {' | '.join(cells)} |\n" in page


def test_the_table_has_no_row_twice() -> None:
    assert len({(rule.state, rule.act) for rule in TABLE}) == len(TABLE)


def test_each_refusal_says_what_is_wrong() -> None:
    told, call = in_state("proposed")
    refusals: list[tuple[type[Refused], BookingBody, IdentityId]] = [
        (NotASide, offer(), STRANGER),
        (UnknownBooking, BookingCancelled(event("nothing"), ""), CLIENT),
        (WrongState, BookingCancelled(call, ""), CLIENT),
        (NotYourTurn, BookingAccepted(call, call, 1, allow_overlap=False), CLIENT),
        (NotYourTurn, BookingWithdrawn(call, call, "withdrawn"), TALENT),
        (NoSuchSlot, BookingAccepted(call, call, 2, allow_overlap=False), TALENT),
        (Crossed, offer(booking=call, answers=None), TALENT),
        (Crossed, offer(answers=call), TALENT),
    ]
    for error, body, by in refusals:
        with pytest.raises(error) as caught:
            told.tell(body, by)
        assert caught.value.sentence()
        assert caught.value.advice()


def test_only_a_side_can_have_missed_the_call() -> None:
    told, call = in_state("confirmed")
    with pytest.raises(NotInCall):
        told.tell(BookingMissed(call, STRANGER), CLIENT)


# Crossing


def test_of_a_withdrawal_and_an_acceptance_the_first_stands() -> None:
    for first, second in itertools.permutations(("accept", "withdraw")):
        told, call = in_state("proposed")
        acts: dict[str, tuple[BookingBody, IdentityId]] = {
            "accept": (BookingAccepted(call, call, 1, allow_overlap=False), TALENT),
            "withdraw": (BookingWithdrawn(call, call, "withdrawn"), CLIENT),
        }
        told.tell(*acts[first])
        with pytest.raises(Crossed) as caught:
            told.tell(*acts[second])
        assert caught.value.code == "booking.crossed"
        assert told.bookings.by_id[call].state == {"accept": "confirmed", "withdraw": "declined"}[first]


def test_an_offer_replaced_meanwhile_voids_the_acceptance() -> None:
    told, call = in_state("proposed")
    told.tell(offer(slot(3), booking=call, answers=call), CLIENT)
    with pytest.raises(Crossed):
        told.tell(BookingAccepted(call, call, 1, allow_overlap=False), TALENT)


def test_of_two_counter_offers_to_one_offer_the_first_stands() -> None:
    told, call = in_state("proposed")
    told.tell(offer(slot(3), booking=call, answers=call), TALENT)
    with pytest.raises(Crossed):
        told.tell(offer(slot(4), booking=call, answers=call), CLIENT)
    assert told.bookings.by_id[call].slot == slot(3)


# Offers, turns, moves


def test_a_counter_offer_passes_the_turn_and_a_revision_does_not() -> None:
    told, call = in_state("proposed")
    revised = told.tell(offer(slot(1), booking=call, answers=call), CLIENT)
    assert told.bookings.by_id[call].offers == 1
    told.tell(offer(slot(2), booking=call, answers=revised), TALENT)
    booking = told.bookings.by_id[call]
    assert booking.open
    assert (booking.offers, booking.open.by, booking.organizer) == (2, TALENT, CLIENT)


def test_while_a_move_is_open_the_old_slot_stands() -> None:
    told, call = in_state("moving")
    booking = told.bookings.by_id[call]
    assert (booking.state, booking.slot, booking.entry) == ("confirmed", slot(0), slot(0))
    assert booking.move
    told.tell(BookingAccepted(call, booking.latest, 1, allow_overlap=False), TALENT)
    assert told.bookings.by_id[call].slot == slot(5)
    assert len(told.bookings.by_id) == 1


@pytest.mark.parametrize("ends", ["decline", "withdraw"])
def test_a_move_that_fails_leaves_the_call_confirmed(ends: str) -> None:
    told, call = in_state("moving")
    move = told.bookings.by_id[call].latest
    declined = BookingDeclined(call, move, "no"), TALENT
    withdrawn = BookingWithdrawn(call, move, "expired"), CLIENT
    told.tell(*(declined if ends == "decline" else withdrawn))
    booking = told.bookings.by_id[call]
    assert (booking.state, booking.slot, booking.move, booking.reason) == ("confirmed", slot(0), None, None)


def test_an_expired_offer_says_so() -> None:
    told, call = in_state("proposed")
    told.tell(BookingWithdrawn(call, call, "expired"), CLIENT)
    booking = told.bookings.by_id[call]
    assert (booking.state, booking.reason, booking.ended_by) == ("declined", "expired", CLIENT)


def test_a_cancellation_is_late_after_the_agreed_notice() -> None:
    told, call = in_state("confirmed")
    limit = TOMORROW - 2 * HOUR
    for at, late in ((limit, False), (limit + 1, True)):
        again = Told(told.bookings)
        again.tell(BookingCancelled(call, "ill"), CLIENT, at=at)
        booking = again.bookings.by_id[call]
        assert (booking.late, booking.why, booking.ended_by) == (late, "ill", CLIENT)


def test_giving_up_a_lost_call_is_never_late() -> None:
    told, call = in_state("conflicted")
    told.tell(BookingCancelled(call, ""), CLIENT, at=TOMORROW + HOUR)
    assert not told.bookings.by_id[call].late


# Outcomes


def outcome(*words: tuple[IdentityId, IdentityId | None]) -> tuple[str, bool, IdentityId | None]:
    told, call = in_state("confirmed")
    for by, missing in words:
        told.tell(BookingMet(call) if missing is None else BookingMissed(call, missing), by)
    booking = told.bookings.by_id[call]
    return booking.state, booking.contested, booking.missing


def test_the_first_word_stands_while_the_sides_disagree() -> None:
    assert outcome((CLIENT, TALENT)) == ("no_show", False, TALENT)
    assert outcome((CLIENT, TALENT), (TALENT, None)) == ("no_show", True, TALENT)
    assert outcome((CLIENT, TALENT), (TALENT, CLIENT)) == ("no_show", True, TALENT)
    assert outcome((TALENT, None), (CLIENT, TALENT)) == ("met", True, None)


def test_both_sides_together_correct_an_outcome() -> None:
    assert outcome((CLIENT, TALENT), (TALENT, None), (CLIENT, None)) == ("met", False, None)
    assert outcome((CLIENT, None), (TALENT, CLIENT), (CLIENT, CLIENT)) == ("no_show", False, CLIENT)
    assert outcome((CLIENT, None), (TALENT, None), (CLIENT, TALENT)) == ("met", True, None)
    assert outcome((CLIENT, TALENT), (TALENT, TALENT)) == ("no_show", False, TALENT)


@pytest.mark.parametrize(
    "words",
    [
        [(CLIENT, TALENT), (CLIENT, None)],
        [(CLIENT, TALENT), (CLIENT, TALENT)],
        [(CLIENT, TALENT), (TALENT, None), (TALENT, None)],
    ],
)
def test_no_side_corrects_itself_alone_or_repeats_itself(words: list[tuple[IdentityId, IdentityId | None]]) -> None:
    with pytest.raises(OutcomeStands):
        outcome(*words)


# Two devices of the talent commit offline


def told_in(order: tuple[int, ...], bodies: list[tuple[str, BookingBody, IdentityId]]) -> Bookings:
    state = NONE
    for n in order:
        name, body, by = bodies[n]
        with suppress(Refused):
            state = step(state, PARTIES, recorded(body, by, name))
    return state


@pytest.mark.parametrize("names", [("one", "two"), ("two", "one")])
@pytest.mark.parametrize("offerer", [CLIENT, TALENT])
@pytest.mark.parametrize("apart", [0, 0.5, -0.5])
def test_of_two_overlapping_commitments_exactly_one_is_confirmed(
    names: tuple[str, str], offerer: IdentityId, apart: float
) -> None:
    calls = [(names[0], offer(slot(0))), (names[1], offer(slot(apart)))]
    bodies: list[tuple[str, BookingBody, IdentityId]] = [(name, body, offerer) for name, body in calls]
    for name, _ in calls:
        accepted = BookingAccepted(event(name), event(name), 1, allow_overlap=False)
        bodies.append((f"yes {name}", accepted, PARTIES.other(offerer)))
    for order in itertools.permutations(range(4)):
        if order.index(0) < order.index(2) and order.index(1) < order.index(3):
            states = {id_: booking.state for id_, booking in told_in(order, bodies).by_id.items()}
            assert sorted(states.values()) == ["confirmed", "conflicted"]
            first = min((0, 1) if offerer == TALENT else (2, 3), key=order.index) % 2
            assert states[event(names[first])] == "confirmed"  # the one the talent was bound by first


def test_a_call_that_took_place_is_not_lost_to_an_earlier_commitment() -> None:
    told = started()
    early = told.tell(offer(), TALENT)
    held = told.agree(CLIENT)
    told.tell(BookingMet(held), CLIENT)
    told.tell(BookingAccepted(early, early, 1, allow_overlap=False), CLIENT)
    assert (told.bookings.by_id[held].state, told.bookings.by_id[early].state) == ("met", "conflicted")


def test_overlap_that_was_allowed_is_no_conflict() -> None:
    told = started()
    told.agree(CLIENT)
    second = told.tell(offer(slot(0.5)), CLIENT)
    told.tell(BookingAccepted(second, second, 1, allow_overlap=True), TALENT)
    third = told.tell(replace(offer(slot(0.25)), allow_overlap=True), TALENT)
    told.tell(BookingAccepted(third, third, 1, allow_overlap=False), CLIENT)
    assert {booking.state for booking in told.bookings.by_id.values()} == {"confirmed"}


def test_the_client_cannot_allow_the_talent_to_overlap() -> None:
    told = started()
    told.agree(CLIENT)
    second = told.tell(replace(offer(), allow_overlap=True), CLIENT)
    told.tell(BookingAccepted(second, second, 1, allow_overlap=False), TALENT)
    assert told.bookings.by_id[second].state == "conflicted"


def test_a_lost_call_stays_lost_when_the_winner_goes_and_a_new_offer_revives_it() -> None:
    told = started()
    winner, loser = told.agree(CLIENT), told.agree(CLIENT)
    told.tell(BookingCancelled(winner, ""), CLIENT)
    assert told.bookings.by_id[loser].state == "conflicted"
    new = told.tell(offer(slot(2), booking=loser, answers=loser), TALENT)
    told.tell(BookingAccepted(loser, new, 1, allow_overlap=False), CLIENT)
    assert told.bookings.by_id[loser].state == "confirmed"


# SEQUENCE


def sequence(told: Told, call: EventId) -> int:
    return told.bookings.by_id[call].sequence


def test_the_sequence_counts_what_the_organizer_stands_behind() -> None:
    told = started()
    call = told.tell(offer(slot(0), slot(1)), CLIENT)
    assert sequence(told, call) == 0
    counter = told.tell(offer(slot(2), booking=call, answers=call), TALENT)
    assert sequence(told, call) == 0, "a COUNTER carries what it received"
    second = told.tell(offer(slot(3), slot(4), booking=call, answers=counter), CLIENT)
    assert sequence(told, call) == 1
    told.tell(BookingAccepted(call, second, 1, allow_overlap=False), TALENT)
    assert sequence(told, call) == 1, "confirmation does not raise it"
    told.tell(BookingCancelled(call, ""), TALENT)
    assert sequence(told, call) == 2


def test_picking_another_than_the_first_slot_raises_the_sequence() -> None:
    told = started()
    call = told.agree(CLIENT, slot(0), slot(1), pick=2)
    assert (sequence(told, call), told.bookings.by_id[call].entry) == (1, slot(1))


def test_adopting_the_other_sides_time_raises_the_sequence() -> None:
    told, call = in_state("proposed")
    counter = told.tell(offer(slot(2), booking=call, answers=call), TALENT)
    assert told.bookings.by_id[call].entry == slot(0), "calendars show what the organizer stands behind"
    told.tell(BookingAccepted(call, counter, 1, allow_overlap=False), CLIENT)
    assert (sequence(told, call), told.bookings.by_id[call].entry) == (1, slot(2))


def test_a_move_offered_and_taken_back_raises_the_sequence_twice() -> None:
    told, call = in_state("moving")
    assert sequence(told, call) == 1
    told.tell(BookingWithdrawn(call, told.bookings.by_id[call].latest, "withdrawn"), CLIENT)
    assert sequence(told, call) == 2


@pytest.mark.parametrize(
    ("act", "by", "raised"),
    [(BookingDeclined, TALENT, 0), (BookingWithdrawn, CLIENT, 1)],
)
def test_before_agreement_only_the_organizers_end_raises_the_sequence(act: type, by: IdentityId, raised: int) -> None:
    told, call = in_state("proposed")
    told.tell(body_for(act, told.bookings.by_id[call]), by)
    assert sequence(told, call) == raised


def test_a_lost_call_raises_its_sequence_once_and_keeps_the_winners() -> None:
    told = started()
    early = told.tell(offer(), TALENT)
    late = told.agree(CLIENT)
    told.tell(BookingAccepted(early, early, 1, allow_overlap=False), CLIENT)
    assert (sequence(told, early), sequence(told, late)) == (0, 1)
    assert told.bookings.by_id[late].state == "conflicted"


def test_a_text_or_link_alone_does_not_raise_the_sequence() -> None:
    told, call = in_state("proposed")
    body = replace(offer(booking=call, answers=call), url="https://meet.example/x", note="agenda")
    told.tell(body, CLIENT)
    assert sequence(told, call) == 0


def test_revisions_never_go_back_in_time() -> None:
    told = started()
    call = told.tell(offer(), CLIENT, at=NOW)
    told.tell(BookingAccepted(call, call, 1, allow_overlap=False), TALENT, at=NOW - HOUR)
    booking = told.bookings.by_id[call]
    assert (booking.created, booking.modified) == (NOW, NOW)
    told.tell(BookingCancelled(call, ""), TALENT, at=NOW + HOUR)
    assert told.bookings.by_id[call].modified == NOW + HOUR


def test_a_call_is_provisional_while_its_last_event_is() -> None:
    told = started()
    call = told.tell(offer(), CLIENT)
    assert told.bookings.by_id[call].final
    told.tell(BookingAccepted(call, call, 1, allow_overlap=False), TALENT, final=False)
    assert not told.bookings.by_id[call].final


# Laws over arbitrary histories

names = st.sampled_from([event(str(n)) for n in range(8)])
slots = st.builds(slot, st.sampled_from([0, 0.5, 1, 2, 300]), st.sampled_from([1, 30, 60, 1440]))
bodies: st.SearchStrategy[BookingBody] = st.one_of(
    st.builds(
        BookingOffered,
        booking=st.none() | names,
        answers=st.none() | names,
        slots=st.lists(slots, min_size=1, max_size=5).map(tuple),
        until=st.integers(0, 2 * TOMORROW),
        url=st.none(),
        note=st.just(""),
        notice=st.integers(0, 200),
        allow_overlap=st.booleans(),
    ),
    st.builds(BookingAccepted, names, names, st.integers(1, 5), allow_overlap=st.booleans()),
    st.builds(BookingDeclined, names, names, st.just("")),
    st.builds(BookingWithdrawn, names, names, st.sampled_from(["withdrawn", "expired"])),
    st.builds(BookingCancelled, names, st.just("")),
    st.builds(BookingMet, names),
    st.builds(BookingMissed, names, st.sampled_from([CLIENT, TALENT, STRANGER])),
)
sides = st.sampled_from([CLIENT, TALENT, STRANGER])
blind = st.lists(st.tuples(bodies, sides, st.integers(0, 2**50)), max_size=20)


@st.composite
def plausible(draw: st.DrawFn) -> list[Recorded]:
    """A history in which most acts name what is really there."""
    history: list[Recorded] = []
    state = NONE
    for n in range(draw(st.integers(1, 25))):
        body: BookingBody = offer(*draw(st.lists(slots, min_size=1, max_size=3)))
        if state.by_id and draw(st.integers(0, 3)) > 0:
            call = draw(st.sampled_from(list(state.by_id.values())))
            body = body_for(draw(st.sampled_from(ACTS)), call)
        if isinstance(body, BookingOffered):
            body = replace(body, slots=(draw(slots),), allow_overlap=draw(st.integers(0, 5)) == 0)
        e = recorded(body, draw(st.sampled_from([CLIENT, TALENT])), str(n), at=NOW + draw(st.integers(-9, 9)))
        history.append(e)
        with suppress(Refused):
            state = step(state, PARTIES, e)
    return history


def folded(history: list[Recorded], state: Bookings = NONE) -> Bookings:
    for e in history:
        with suppress(Refused):
            state = step(state, PARTIES, e)
    return state


@given(blind)
@example([(BookingMet(event("0")), CLIENT, 0)])
def test_a_fold_refuses_or_goes_on_whatever_comes(told: list[tuple[BookingBody, IdentityId, int]]) -> None:
    state = folded([recorded(body, by, str(n), at=at) for n, (body, by, at) in enumerate(told)])
    assert state.places >= len(state.by_id)


@given(plausible())
def test_the_talent_is_never_in_two_confirmed_calls_of_a_deal(history: list[Recorded]) -> None:
    state = NONE
    for e in history:
        with suppress(Refused):
            state = step(state, PARTIES, e)
        held = [call for call in state.by_id.values() if call.state == "confirmed" or call.outcome]
        for one, other in itertools.combinations(held, 2):
            assert one.commitment
            assert other.commitment
            allowed = one.commitment.allow_overlap or other.commitment.allow_overlap
            assert allowed or not one.slot.overlaps(other.slot)


@given(plausible(), st.integers(0, 25))
def test_a_fold_taken_up_from_what_was_kept_equals_one_from_zero(history: list[Recorded], cut: int) -> None:
    kept = record.load(Bookings, json.loads(record.dump(folded(history[:cut]))))
    assert folded(history[cut:], kept) == folded(history)


@given(plausible())
def test_each_revision_follows_the_one_before(history: list[Recorded]) -> None:
    state = NONE
    for e in history:
        before = state
        with suppress(Refused):
            state = step(state, PARTIES, e)
        for id_, call in before.by_id.items():
            after = state.by_id[id_]
            assert 0 <= after.sequence - call.sequence <= 1
            assert (after.modified, after.sequence) >= (call.modified, call.sequence)
            assert (after.created, after.organizer, after.id) == (call.created, call.organizer, call.id)
            assert after.modified >= after.created
        for call in state.by_id.values():
            assert (call.open is not None) <= (call.state in {"proposed", "confirmed"})
            assert isinstance(call.slot, Slot)
