from __future__ import annotations

from typing import Any, Final

import pytest

from chaise_cli import ids
from chaise_cli.domain.booking import HOUR, MINUTE, NONE
from chaise_cli.domain.itip import NoAddress, message
from chaise_cli.domain.itip_answer import (
    Draft,
    NotAnAnswer,
    NoTimes,
    OtherRevision,
    OtherSender,
    Outdated,
    Said,
    draft,
)
from tests.unit.domain.call_story import INVITED, ORGANIZER, Call
from tests.unit.domain.deal_cast import CLIENT, NOW, TALENT, TOMORROW, Told, checkin

ADDRESSES: Final[dict[ids.IdentityId, str | None]] = {CLIENT: "lisa@example.com", TALENT: "James@Example.com"}


def said(method: str = "REPLY", partstat: str = "ACCEPTED", hours: float | None = None, **more: Any) -> Said:
    """What the invited side's calendar answers to the first request, or the organizer's cancels."""
    start = None if hours is None else TOMORROW + int(hours * HOUR)
    end = None if start is None else start + HOUR
    attendees = (("james@example.com", partstat),)
    made = Said(method, "uid", 0, NOW, "lisa@example.com", attendees, start, end, "America/New_York", None)
    return made._replace(**more)


def asks(call: Call, me: ids.IdentityId, answer: Said) -> Draft:
    return draft(call.now, me, answer, ADDRESSES)


def test_a_yes_is_signed_by_the_side_that_said_it() -> None:
    call = Call()
    assert asks(call, INVITED, said()) == Draft("accept", slot=1)
    assert asks(call, INVITED, said(hours=1)) == Draft("accept", slot=2)
    other = asks(call, ORGANIZER, said())
    assert not other.verb
    assert "their own signature" in other.why


def test_a_yes_to_another_time_than_those_on_offer_means_nothing() -> None:
    call = Call()
    for answer in (said(hours=4), said(hours=0, end=TOMORROW + 2 * HOUR)):
        with pytest.raises(Outdated):
            asks(call, INVITED, answer)


def test_a_maybe_binds_nobody() -> None:
    for partstat in ("TENTATIVE", "NEEDS-ACTION", "DELEGATED", ""):
        assert not asks(Call(), INVITED, said(partstat=partstat)).verb


def test_a_no_ends_the_offer_or_the_call_by_whichever_side_signs() -> None:
    call = Call()
    no = said(partstat="DECLINED")
    assert asks(call, INVITED, no).verb == "decline"
    assert asks(call, ORGANIZER, no).verb == "withdraw"
    call.accepts(INVITED)
    assert asks(call, INVITED, no).verb == asks(call, ORGANIZER, no).verb == "cancel"
    call.offers(3, ORGANIZER)  # a move: the no is about that, and the old time stands
    no = no._replace(sequence=1)
    assert (asks(call, INVITED, no).verb, asks(call, ORGANIZER, no).verb) == ("decline", "withdraw")
    cancel = said("CANCEL", sequence=2)
    assert asks(call, INVITED, cancel).verb == asks(call, ORGANIZER, cancel).verb == "cancel"


def test_a_counter_offer_becomes_an_offer_or_takes_the_one_that_is_there() -> None:
    call = Call()
    answer = said("COUNTER", "TENTATIVE", 5)
    expected = Draft("book", start=TOMORROW + 5 * HOUR, minutes=60, zone="America/New_York")
    assert asks(call, INVITED, answer) == asks(call, ORGANIZER, answer) == expected
    call.offers(5, INVITED)
    assert asks(call, ORGANIZER, answer) == Draft("accept", slot=1)
    assert asks(call, INVITED, answer).verb == ""
    call.accepts(ORGANIZER)
    assert not asks(call, ORGANIZER, answer._replace(sequence=1)).verb  # agreed already
    moved = said("COUNTER", "TENTATIVE", 6, sequence=1)
    assert asks(call, ORGANIZER, moved).verb == "book"
    assert asks(call, ORGANIZER, said("DECLINECOUNTER", sequence=1)).verb == ""
    call.offers(6, INVITED)
    refused = said("DECLINECOUNTER", sequence=1)
    assert (asks(call, ORGANIZER, refused).verb, asks(call, INVITED, refused).verb) == ("decline", "withdraw")


def test_a_counter_offer_of_one_time_takes_the_place_of_no_checkin() -> None:
    told = Told(NONE)
    call = told.tell(checkin(0, 24), CLIENT)
    answers = [said("COUNTER", "TENTATIVE", at, stamp=NOW + HOUR) for at in (0, 5)]
    for me in (CLIENT, TALENT):
        assert [draft(told.bookings.by_id[call], me, one, ADDRESSES).verb for one in answers] == ["", ""]


@pytest.mark.parametrize(
    "times",
    [
        {"start": None},
        {"end": None},
        {"end": TOMORROW},
        {"end": TOMORROW + 90_001},
        {"end": TOMORROW + 25 * HOUR},
    ],
)
def test_a_counter_offer_needs_times_that_a_call_could_have(times: dict[str, Any]) -> None:
    with pytest.raises(NoTimes):
        asks(Call(), INVITED, said("COUNTER", "TENTATIVE", 0.5)._replace(**times))


def test_only_the_revision_that_stands_is_answered() -> None:
    call = Call()
    call.accepts(INVITED, 2)  # revision 1
    for given in (0, 2):
        with pytest.raises(OtherRevision) as refused:
            asks(call, INVITED, said(partstat="DECLINED", sequence=given))
        assert (refused.value.given, refused.value.known) == (given, 1)
    assert asks(call, INVITED, said("CANCEL", sequence=2)).verb == "cancel"
    with pytest.raises(OtherRevision):
        asks(call, INVITED, said("CANCEL", sequence=0))


def test_an_answer_older_than_what_the_call_has_become_is_ignored() -> None:
    call = Call()
    with pytest.raises(Outdated):
        asks(call, INVITED, said(stamp=NOW - 1_000))
    call.declines(INVITED)
    with pytest.raises(Outdated):
        asks(call, INVITED, said())
    assert not asks(call, INVITED, said(partstat="DECLINED")).verb  # it is over already, so a repeat is harmless


def test_a_repeated_answer_asks_for_nothing() -> None:
    call = Call()
    call.accepts(INVITED)
    for me in (ORGANIZER, INVITED):
        assert not asks(call, me, said(hours=0, stamp=0)).verb
    call = Call()
    call.offers(2, INVITED)
    call.accepts(ORGANIZER)
    assert not asks(call, ORGANIZER, said(sequence=1)).verb  # the yes to what the organizer adopted


@pytest.mark.parametrize(
    "answer",
    [
        said(organizer="mallory@example.com"),
        said(organizer=""),
        said(attendees=()),
        said(attendees=(("mallory@example.com", "ACCEPTED"),)),
        said(attendees=(("james@example.com", "ACCEPTED"), ("mallory@example.com", "ACCEPTED"))),
        said(sender="mallory@example.com"),
        said(sender=""),
        said(sender="lisa@example.com"),
        said("COUNTER", attendees=(("lisa@example.com", "ACCEPTED"),)),
        said("CANCEL", sequence=1, sender="james@example.com"),
    ],
)
def test_an_answer_that_is_not_its_sides_own_is_refused(answer: Said) -> None:
    with pytest.raises(OtherSender):
        asks(Call(), ORGANIZER, answer)


def test_without_addresses_nobody_can_be_told_apart() -> None:
    for missing in (CLIENT, TALENT):
        with pytest.raises(NoAddress):
            draft(Call().now, ORGANIZER, said(), {**ADDRESSES, missing: None})


@pytest.mark.parametrize("method", ["REQUEST", "PUBLISH", "ADD", "REFRESH", ""])
def test_what_is_no_answer_is_not_read(method: str) -> None:
    with pytest.raises(NotAnAnswer):
        asks(Call(), ORGANIZER, said(method))


def test_what_a_side_sends_asks_nothing_of_itself() -> None:
    """The own message, read back after it was signed, is settled: its time stamp is that of the act."""
    call = Call()
    call.accepts(INVITED)
    facts = message(call.now, "REPLY")
    own = said(sequence=facts.sequence, stamp=facts.modified // 1_000 * 1_000, start=facts.start, end=facts.end)
    assert not asks(call, INVITED, own).verb
    assert facts.end - facts.start == 60 * MINUTE
