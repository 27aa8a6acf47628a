from __future__ import annotations

import typing
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaise_cli import ids, shapes
from chaise_cli.domain.body import replace
from chaise_cli.domain.booking import (
    HOUR,
    MINUTE,
    NONE,
    Booking,
    BookingAccepted,
    BookingCancelled,
    BookingDeclined,
    BookingMet,
    BookingMissed,
    Bookings,
    uid,
)
from chaise_cli.domain.booking_acts import accept, book, cancel, decline, outcome, withdraw
from chaise_cli.domain.booking_fold import CONTEST
from chaise_cli.domain.booking_view import entry_facts, may, probably_met, view
from chaise_cli.domain.recorded import May
from chaise_cli.errors import ChaiseError
from tests.unit.domain.deal_cast import (
    CLIENT,
    NOW,
    PARTIES,
    SPACE,
    TALENT,
    TOMORROW,
    Told,
    acting,
    offer,
    person,
    slot,
)

WHO: Final = {"client": CLIENT, "talent": TALENT}


def shown(told: Told, call: ids.EventId, now: int = NOW) -> dict[str, object]:
    return view(told.bookings.by_id[call], SPACE, PARTIES, person, now)


def test_a_proposed_call_shows_all_that_was_promised() -> None:
    told = Told(NONE)
    call = told.tell(replace(offer(slot(0), slot(1)), url="https://meet.example/x"), CLIENT)
    data = shown(told, call)
    hints = typing.get_type_hints(shapes.Booking, include_extras=True)
    promised = {key for key, hint in hints.items() if typing.get_origin(hint) is not typing.NotRequired}
    assert promised <= set(data)
    assert data["id"] == ids.public("book", call)
    assert data["uid"] == uid(SPACE, call)
    assert (data["turn"], data["state"], data["sequence"], data["offers"]) == ("talent", "proposed", 0, 1)
    assert data["organizer"] == person(CLIENT)
    assert data["start"] == "2026-12-01T00:53:20Z"
    assert data["slots"] == [
        {"n": 1, "start": "2026-12-01T00:53:20Z", "end": "2026-12-01T01:53:20Z", "tz": "Europe/Berlin"},
        {"n": 2, "start": "2026-12-01T01:53:20Z", "end": "2026-12-01T02:53:20Z", "tz": "Europe/Berlin"},
    ]
    assert (data["until"], data["lapsed"]) == ("2026-12-01T00:53:20Z", False)
    assert shown(told, call, TOMORROW)["lapsed"] is True


def test_each_end_shows_how_it_came() -> None:
    told = Told(NONE)
    call = told.tell(offer(), CLIENT)
    told.tell(BookingDeclined(call, call, "no time"), TALENT)
    data = shown(told, call)
    assert (data["reason"], data["why"], data["ended_by"], data["turn"]) == (
        "declined",
        "no time",
        person(TALENT),
        None,
    )
    call = told.agree(TALENT)
    told.tell(BookingCancelled(call, "ill"), TALENT, at=TOMORROW)
    data = shown(told, call)
    assert (data["reason"], data["ended_by"], data["late"]) == ("ill", person(TALENT), True)
    call = told.agree(TALENT)
    told.tell(BookingMissed(call, TALENT), CLIENT)
    told.tell(BookingMet(call), TALENT)
    data = shown(told, call)
    assert (data["state"], data["contested"], data["missing"]) == ("no_show", True, person(TALENT))
    call = told.agree(CLIENT, slot(8))
    told.tell(BookingMet(call), CLIENT)
    assert shown(told, call)["missing"] is None


def test_an_open_move_is_shown_beside_the_slot_that_stands() -> None:
    told = Told(NONE)
    call = told.agree(CLIENT)
    assert "move" not in shown(told, call)
    told.tell(offer(slot(3), booking=call, answers=call), TALENT)
    data = shown(told, call)
    assert [item["start"] for item in data["move"]] == ["2026-12-01T03:53:20Z"]  # type: ignore[attr-defined]  # a list
    assert (data["start"], data["turn"], data["state"]) == ("2026-12-01T00:53:20Z", "client", "confirmed")


def test_a_call_has_probably_been_met_an_hour_after_its_end() -> None:
    told = Told(NONE)
    call = told.agree(CLIENT)
    end = TOMORROW + HOUR
    assert not probably_met(told.bookings.by_id[call], end + HOUR - 1)
    assert probably_met(told.bookings.by_id[call], end + HOUR)
    told.tell(BookingMet(call), CLIENT)
    assert not probably_met(told.bookings.by_id[call], end + HOUR)


# Calendars


def facts(told: Told, call: ids.EventId) -> tuple[str, int, str]:
    entry = entry_facts(told.bookings.by_id[call])
    assert entry.partstats[0] == (CLIENT, "ACCEPTED")
    return entry.status, entry.sequence, entry.partstats[1][1]


def test_a_calendar_entry_follows_the_ledger() -> None:
    told = Told(NONE)
    call = told.tell(offer(slot(0), slot(1)), CLIENT, at=NOW)
    assert facts(told, call) == ("tentative", 0, "NEEDS-ACTION")
    assert entry_facts(told.bookings.by_id[call]).extra == ((slot(1).start, slot(1).end),)
    counter = told.tell(offer(slot(2), booking=call, answers=call), TALENT, at=NOW + 1)
    assert facts(told, call) == ("tentative", 0, "TENTATIVE")
    entry = entry_facts(told.bookings.by_id[call])
    assert (entry.start, entry.extra) == (slot(0).start, ((slot(2).start, slot(2).end),))
    told.tell(BookingAccepted(call, counter, 1, allow_overlap=False), CLIENT, at=NOW + 2)
    assert facts(told, call) == ("confirmed", 1, "ACCEPTED")
    entry = entry_facts(told.bookings.by_id[call])
    assert (entry.start, entry.end, entry.extra) == (slot(2).start, slot(2).end, ())
    assert (entry.created, entry.modified, entry.tz) == (NOW, NOW + 2, "Europe/Berlin")
    told.tell(BookingCancelled(call, ""), TALENT)
    assert facts(told, call) == ("cancelled", 2, "DECLINED")


def test_a_lost_call_is_cancelled_in_calendars() -> None:
    told = Told(NONE)
    told.agree(CLIENT)
    lost = told.agree(CLIENT)
    assert facts(told, lost) == ("cancelled", 1, "NEEDS-ACTION")
    shown = {id_: view(call, SPACE, PARTIES, person, NOW).get("lost") for id_, call in told.bookings.by_id.items()}
    assert {id_ for id_, times in shown.items() if times == 1} == {lost}
    assert entry_facts(told.bookings.by_id[lost]).start == slot(0).start


# Who may do what


def situations() -> list[tuple[str, Booking, Bookings]]:
    made = []
    told = Told(NONE)
    call = told.tell(offer(slot(0), slot(1)), CLIENT)
    made.append(("proposed", told.bookings.by_id[call], told.bookings))
    told.tell(BookingAccepted(call, call, 1, allow_overlap=False), TALENT)
    made.append(("confirmed", told.bookings.by_id[call], told.bookings))
    told.tell(offer(slot(5), booking=call, answers=call), TALENT)
    made.append(("moving", told.bookings.by_id[call], told.bookings))
    told.tell(BookingMissed(call, TALENT), CLIENT, at=TOMORROW + HOUR)
    made.append(("no_show", told.bookings.by_id[call], told.bookings))
    told.tell(BookingMet(call), TALENT, at=TOMORROW + HOUR)
    made.append(("contested", told.bookings.by_id[call], told.bookings))
    told = Told(NONE)
    told.agree(CLIENT)
    lost = told.agree(TALENT)
    made.append(("conflicted", told.bookings.by_id[lost], told.bookings))
    told.tell(BookingCancelled(lost, ""), CLIENT)
    made.append(("cancelled", told.bookings.by_id[lost], told.bookings))
    return made


def attempt(verb: str, call: Booking, bookings: Bookings, side: str, now: int) -> bool:
    """Whether the decision behind a verb, tried by this side, comes to a body."""
    by = acting(WHO[side], now)
    try:
        match verb:
            case "book":
                return bool(book(bookings, by, PARTIES, call.id, [slot(200)]))
            case "accept":
                return any(_accepts(bookings, by.identity, call, number, now) for number in (1, 2))
            case "decline":
                return bool(decline(bookings, by, PARTIES, call.id))
            case "withdraw":
                return bool(withdraw(bookings, by, PARTIES, call.id))
            case "cancel":
                return bool(cancel(bookings, by, PARTIES, call.id))
            case "book --met":
                return bool(outcome(bookings, by, PARTIES, call.id, None))
            case _:
                return any(_misses(bookings, by.identity, call, missing, now) for missing in (CLIENT, TALENT))
    except ChaiseError:
        return False


def _accepts(bookings: Bookings, who: ids.IdentityId, call: Booking, number: int, now: int) -> bool:
    try:
        return bool(accept(bookings, acting(who, now), PARTIES, call.id, slot=number))
    except ChaiseError:
        return False


def _misses(bookings: Bookings, who: ids.IdentityId, call: Booking, missing: ids.IdentityId, now: int) -> bool:
    try:
        return bool(outcome(bookings, acting(who, now), PARTIES, call.id, missing))
    except ChaiseError:
        return False


VERBS: Final = ("book", "accept", "decline", "withdraw", "cancel", "book --met", "book --no-show")


@pytest.mark.parametrize("name", [name for name, _, _ in situations()])
@given(st.sampled_from([NOW, TOMORROW - 1, TOMORROW, TOMORROW + 15 * MINUTE, TOMORROW + HOUR + CONTEST]))
def test_may_lists_exactly_what_can_be_done(name: str, now: int) -> None:
    call, bookings = next((call, bookings) for known, call, bookings in situations() if known == name)
    listed = {(row.who, row.verb) for row in may(call, PARTIES, now)}
    for side in WHO:
        for verb in VERBS:
            possible = attempt(verb, call, bookings, side, now)
            if verb == "decline" and call.open and now >= call.open.until:
                continue  # a lapsed offer may still be declined, but nobody is told to
            assert ((side, verb) in listed) == possible, (side, verb)


def test_may_says_until_when_an_offer_is_good() -> None:
    told = Told(NONE)
    call = told.tell(offer(), CLIENT)
    rows = may(told.bookings.by_id[call], PARTIES, NOW)
    assert May("talent", "accept", TOMORROW) in rows
    assert May("client", "withdraw", None) in rows
