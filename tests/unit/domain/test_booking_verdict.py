from __future__ import annotations

import itertools
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaise_cli.domain.booking import BookingAccepted, BookingBody, BookingMet, BookingMissed, meet
from chaise_cli.domain.booking_fold import Crossed, NotYourTurn, WrongState
from chaise_cli.domain.booking_verdict import Claim, losers
from chaise_cli.ids import IdentityId
from tests.unit.domain.deal_cast import CLIENT, TALENT, event, in_state, offer, slot, verdict

SPANS: Final = st.integers(0, 30).flatmap(lambda start: st.integers(1, 9).map(lambda length: (start, start + length)))
TIMES: Final = st.lists(SPANS, min_size=1, max_size=3).map(
    lambda spans: tuple(sorted(span for n, span in enumerate(spans) if not any(meet([span], [o]) for o in spans[:n])))
)


def claim(name: str, deal: int, rank: int, *times: tuple[int, int], took_place: bool = False) -> Claim:
    return Claim(deal, event(name), event(f"{name} bound"), (rank, b"", 0, b""), took_place, times)


@st.composite
def claims(draw: st.DrawFn) -> list[Claim]:
    """Some calls in three deals, each with a rank of its own."""
    ranks = draw(st.permutations(range(6)))
    return [
        claim(str(n), draw(st.integers(1, 3)), rank, *draw(TIMES), took_place=draw(st.booleans()))
        for n, rank in enumerate(ranks[: draw(st.integers(0, 6))])
    ]


def test_the_earlier_commitment_keeps_the_time() -> None:
    first, second = claim("first", 1, 1, (0, 10)), claim("second", 2, 2, (9, 20))
    assert losers([second, first]) == losers([first, second]) == [second]


def test_a_call_that_ends_when_another_begins_takes_nothing_from_it() -> None:
    assert losers([claim("first", 1, 1, (0, 10)), claim("second", 2, 2, (10, 20))]) == []


def test_a_call_that_took_place_keeps_its_time_whatever_its_rank() -> None:
    first, second = claim("first", 1, 1, (0, 10)), claim("second", 2, 2, (0, 10), took_place=True)
    assert losers([first, second]) == [first]


def test_what_gave_way_gives_way_to_nobody_else() -> None:
    """The second loses to the first, so the third, which only the second met, stands."""
    chain = [claim("first", 1, 1, (0, 10)), claim("second", 2, 2, (5, 15)), claim("third", 3, 3, (12, 20))]
    assert losers(chain) == [chain[1]]


def test_calls_of_one_deal_do_not_meet_here() -> None:
    assert losers([claim("first", 1, 1, (0, 10)), claim("second", 1, 2, (0, 10))]) == []


@given(claims())
def test_the_order_in_which_calls_are_found_decides_nothing(found: list[Claim]) -> None:
    assert losers(found) == losers(found[::-1])


@given(claims())
def test_what_is_kept_overlaps_in_no_two_deals_and_what_is_lost_overlaps_something_kept(found: list[Claim]) -> None:
    lost = losers(found)
    kept = [one for one in found if one not in lost]
    for one, other in itertools.combinations(kept, 2):
        both_past = one.took_place and other.took_place
        assert both_past or one.deal == other.deal or not meet(one.times, other.times)
    for one in lost:
        assert not one.took_place
        assert any(other.deal != one.deal and meet(one.times, other.times) for other in kept)


@given(TIMES, TIMES)
def test_runs_of_times_meet_when_some_two_of_them_share_an_instant(
    one: tuple[tuple[int, int], ...], other: tuple[tuple[int, int], ...]
) -> None:
    wanted = any(a < d and c < b for a, b in one for c, d in other)
    assert meet(one, other) == wanted


# In the fold


def test_a_verdict_names_the_commitment_and_counts_once() -> None:
    told, call = in_state("confirmed")
    said = verdict(told, call)
    with pytest.raises(NotYourTurn):
        told.tell(said, CLIENT)
    told.tell(said, TALENT)
    lost = told.bookings.by_id[call]
    assert (lost.state, lost.commitment, lost.sequence) == ("conflicted", None, 1)
    with pytest.raises(WrongState):
        told.tell(said, TALENT)


def test_a_verdict_on_a_call_that_was_moved_meanwhile_is_void() -> None:
    told, call = in_state("moving")
    said = verdict(told, call)
    told.tell(BookingAccepted(call, told.bookings.by_id[call].latest, 1, allow_overlap=False), TALENT)
    with pytest.raises(Crossed):
        told.tell(said, TALENT)


@pytest.mark.parametrize("verdict_first", [True, False])
@pytest.mark.parametrize("missing", [None, TALENT])
def test_the_clients_word_outranks_a_verdict_whichever_comes_first(
    missing: IdentityId | None, *, verdict_first: bool
) -> None:
    told, call = in_state("confirmed")
    said = verdict(told, call)
    word: BookingBody = BookingMet(call) if missing is None else BookingMissed(call, missing)
    if verdict_first:
        told.tell(said, TALENT)
        told.tell(word, CLIENT)
    else:
        told.tell(word, CLIENT)
        with pytest.raises(WrongState):
            told.tell(said, TALENT)
    after = told.bookings.by_id[call]
    assert (after.state, after.missing) == ("met" if missing is None else "no_show", missing)
    assert after.commitment is not None
    assert after.commitment.id == said.commitment


def test_a_call_that_took_place_all_the_same_has_its_time_again() -> None:
    told, call = in_state("lost")
    other = told.agree(CLIENT)
    assert told.bookings.by_id[other].state == "confirmed", "the time was free"
    told.tell(BookingMet(call), CLIENT)
    assert told.bookings.by_id[call].state == "met"
    assert told.bookings.by_id[other].state == "conflicted"


def test_who_lost_by_a_verdict_may_be_offered_anew() -> None:
    told, call = in_state("lost")
    made = told.tell(offer(slot(9), booking=call, answers=call), TALENT)
    with pytest.raises(WrongState):
        told.tell(BookingMet(call), CLIENT)
    told.tell(BookingAccepted(call, made, 1, allow_overlap=False), CLIENT)
    assert told.bookings.by_id[call].state == "confirmed"
    assert told.bookings.by_id[call].lost is None
