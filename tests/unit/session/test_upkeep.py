"""What falls due by itself: once, in every deal, and never before its time."""

from __future__ import annotations

from pathlib import Path
from unittest import mock

import pytest

from chaise_cli.domain import booking_acts, cancellation
from chaise_cli.errors import Refused
from chaise_cli.session import dealing, trust
from tests.e2e.cast import Cast
from tests.e2e.hired import events_of, fund, hired, kept_up, settle, writer_of
from tests.e2e.people import Person, exchange

BEFORE = "2026-12-04T11:50:00Z"  # of the deadline of what was delivered on 20 November at noon
AFTER = "2026-12-04T12:00:00Z"


@pytest.fixture(scope="module")
def cast(tmp_path_factory: pytest.TempPathFactory) -> Cast:
    """Where the stages lie with which tests begin."""
    return Cast(tmp_path_factory.mktemp("cast"))


@pytest.fixture
def lisa(cast: Cast, tmp_path: Path) -> Person:
    """The client, and agent."""
    made = Person(tmp_path, "lisa")
    cast.at("lisa", made, play=lambda: made.init(role="client", tz="Europe/Berlin").out)
    return made


@pytest.fixture
def james(cast: Cast, tmp_path: Path) -> Person:
    """The talent."""
    made = Person(tmp_path, "james")
    cast.at("james", made, play=lambda: made.init(role="talent", tz="America/New_York").out)
    return made


@pytest.fixture
def deal(cast: Cast, lisa: Person, james: Person) -> str:
    """A deal whose first milestone is delivered and taken up at noon of 20 November."""
    return cast.at("delivered", lisa, james, play=lambda: _delivered(lisa, james))


def _delivered(lisa: Person, james: Person) -> str:
    made = lisa.does("board", "create", "marketing")
    james.does("board", "join", "-", stdin=made["invite"])
    exchange(lisa, james)
    public = hired(lisa, james)
    fund(lisa, f"{public}/1")
    settle(lisa, james)
    james.does("deliver", f"{public}/1", "--note", "done")
    settle(lisa, james)
    return public


def state(who: Person, milestone: str) -> str:
    return str(who.does("show", milestone)["state"])


def at(who: Person, now: str) -> None:
    """The device runs at this time, as after a sync."""
    who.now = now
    assert kept_up(who) == []


def test_what_waits_is_taken_up_once(lisa: Person, james: Person, deal: str) -> None:
    james.does("update", deal, "a free word needs no uptake")
    exchange(lisa, james)
    before = events_of(lisa)
    kept_up(lisa)
    assert events_of(lisa) == before
    james.does("refund", f"{deal}/1", "--total", "100EUR", "--confirm", "100.00 EUR to @lisa")
    exchange(lisa, james)
    kept_up(lisa)
    assert events_of(lisa) == before + 2, "the uptake, and the movement that was asked for"
    kept_up(lisa)
    assert events_of(lisa) == before + 2


def test_a_review_period_that_passes_in_silence_pays_the_talent(lisa: Person, deal: str) -> None:
    at(lisa, BEFORE)
    at(lisa, "2026-12-04T11:59:59Z")
    assert state(lisa, f"{deal}/1") == "delivered"
    at(lisa, AFTER)
    assert state(lisa, f"{deal}/1") == "released"
    before = events_of(lisa)
    at(lisa, AFTER)
    assert events_of(lisa) == before


def test_an_agent_that_was_away_gives_a_day_of_grace(lisa: Person, james: Person, deal: str) -> None:
    at(lisa, "2026-12-06T12:00:00Z")
    assert state(lisa, f"{deal}/1") == "delivered"
    for now in ("2026-12-06T18:00:00Z", "2026-12-07T06:00:00Z", "2026-12-07T11:59:00Z"):
        at(lisa, now)
        assert state(lisa, f"{deal}/1") == "delivered", "being away again does not matter"
    at(lisa, "2026-12-07T12:00:00Z")
    assert state(lisa, f"{deal}/1") == "released"


def test_a_refund_that_arrives_in_the_grace_is_in_time(lisa: Person, james: Person, deal: str) -> None:
    james.does("refund", f"{deal}/1", "--confirm", "600.00 EUR to @lisa")
    exchange(lisa, james)
    at(lisa, "2026-12-06T12:00:00Z")
    assert state(lisa, f"{deal}/1") == "refunded"


def test_a_place_that_was_not_heard_holds_deadlines_back(lisa: Person, deal: str) -> None:
    with lisa.session() as session, session.writing():
        session.db.execute("INSERT INTO place(no, url, synced_at) VALUES (1, 'file:///stick', ?)", (1_796_000_000_000,))
        session.db.execute("INSERT INTO carried(place, space) SELECT 1, no FROM space WHERE kind = 'board'")
    for now in (BEFORE, AFTER, "2026-12-20T12:00:00Z"):
        at(lisa, now)
    assert state(lisa, f"{deal}/1") == "delivered"


def test_a_verb_runs_no_deadline(lisa: Person, james: Person, deal: str) -> None:
    lisa.now = "2026-12-20T12:00:00Z"
    lisa.does("message", deal, "I am back")
    lisa.does("fund", f"{deal}/2", "--ref", "x", "--confirm", "1400.00 EUR held by @lisa")
    assert state(lisa, f"{deal}/1") == "delivered"


def test_only_the_agents_device_moves_money(lisa: Person, james: Person, deal: str) -> None:
    before = events_of(james)
    at(james, "2026-12-20T12:00:00Z")
    assert events_of(james) == before


def test_an_offer_for_a_call_that_lapsed_is_withdrawn_by_its_own_side(lisa: Person, james: Person, deal: str) -> None:
    with lisa.session() as session, session.writing():
        writer = writer_of(session, deal)
        slot = booking_acts.slot_at(writer.by.now + 7 * 86_400_000, "Europe/Berlin", 30, "2026f")
        writer.write(booking_acts.book(writer.state.bookings, writer.by, writer.state.deal.parties, None, [slot]))
    exchange(lisa, james)
    before = events_of(james)
    at(james, "2026-11-23T12:00:00Z")
    assert events_of(james) == before, "it is not his to withdraw"
    at(lisa, "2026-11-23T12:00:00Z")
    with lisa.session() as session, session.writing():
        bookings = writer_of(session, deal).state.bookings.by_id.values()
    assert [(one.state, one.reason) for one in bookings] == [("declined", "expired")]


def test_a_post_of_which_somebody_was_hired_is_filled(lisa: Person, james: Person, deal: str) -> None:
    post = lisa.does("show", deal)["post"]
    assert lisa.does("show", post)["state"] == "filled"
    assert james.does("show", post)["state"] == "filled"


def test_one_deal_that_fails_does_not_stop_the_others(lisa: Person, james: Person, deal: str) -> None:
    other = hired(lisa, james)
    fund(lisa, f"{other}/1")
    settle(lisa, james)
    for each in (deal, other):
        james.does("refund", f"{each}/1", "--total", "100EUR", "--confirm", "100.00 EUR to @lisa")
    exchange(lisa, james)
    real = trust.bring_out

    def broken(writer: dealing.DealWriter, heard: int) -> list[str]:
        if writer.state.deal.public == deal:
            raise Refused
        return real(writer, heard)

    with mock.patch.object(trust, "bring_out", broken):
        problems = kept_up(lisa)
    assert [problem.partition(":")[0] for problem in problems] == [deal]
    assert lisa.does("show", f"{other}/1")["refunded"]["minor"] == 10_000
    assert lisa.does("show", f"{deal}/1")["refunded"]["minor"] == 0, "of a deal that failed nothing is kept"
    assert kept_up(lisa) == []
    assert lisa.does("show", f"{deal}/1")["refunded"]["minor"] == 10_000


def test_a_cancel_request_that_goes_unanswered_refunds_after_a_week(lisa: Person, james: Person, deal: str) -> None:
    lisa.does("fund", f"{deal}/2", "--ref", "x", "--confirm", "1400.00 EUR held by @lisa")
    with lisa.session() as session, session.writing():
        writer = writer_of(session, deal)
        writer.write(cancellation.cancel(writer.state.deal, writer.by, 2, "no budget"))
    settle(lisa, james)
    at(lisa, "2026-11-27T11:30:00Z")
    assert state(lisa, f"{deal}/2") == "funded"
    at(lisa, "2026-11-27T12:00:00Z")
    assert state(lisa, f"{deal}/2") == "cancelled"
    assert lisa.does("show", f"{deal}/2")["refunded"]["minor"] == 140_000


def test_a_home_without_deals_has_nothing_to_do(lisa: Person) -> None:
    assert kept_up(lisa) == []
