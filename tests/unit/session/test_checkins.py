"""Check-ins in a store: each of their times takes the talent's, they end with their deal, and follow new zone data."""

from __future__ import annotations

import pytest

from chaise_cli.domain import booking_acts, booking_series, hiring
from chaise_cli.domain.booking import DAY, HOUR, BookingAccepted
from chaise_cli.ids import EventId, SpaceId
from chaise_cli.session import upkeep, zones
from chaise_cli.session.session import Session
from chaise_cli.store import deal_reads
from tests.fakes import homes

TOMORROW = homes.NOON_MS + DAY


@pytest.fixture
def deal(lisa: Session, james: Session) -> SpaceId:
    made = homes.open_deal(lisa, james.me.identity, client=True)
    homes.meet(lisa, james)
    return made


def agreed(lisa: Session, james: Session, deal: SpaceId, *, tzdata: str = "2026b", off: int = 0) -> EventId:
    """Three days in a row at one hour; `off`: by so much the instants were signed later than that clock means here."""
    w = homes.peek(lisa, deal)
    first = booking_acts.slot_at(TOMORROW, "America/New_York", 60, tzdata)
    series = booking_series.series(first, 1, 3)
    later = type(series)(1, tuple(start + off for start in series.starts))
    first = homes.replace(first, start=first.start + off)
    bodies = booking_acts.book(w.state.bookings, w.by, w.state.deal.parties, None, [first], series=later)
    call = homes.write(lisa, deal, *bodies)[-1]
    homes.meet(lisa, james)
    homes.write(james, deal, BookingAccepted(call, call, 1, allow_overlap=False))
    homes.meet(lisa, james)
    return call


def times(session: Session, deal: SpaceId) -> list[tuple[int, int]]:
    """What the store says that calls of the deal take."""
    query = "SELECT begins, ends FROM occurrence WHERE space = ? ORDER BY begins"
    return list(session.db.execute(query, (homes.space_no(session, deal),)).fetchall())


def test_each_time_of_an_agreed_checkin_is_kept_and_those_that_are_off_are_not(
    lisa: Session, james: Session, deal: SpaceId
) -> None:
    call = agreed(lisa, james, deal)
    every = [(TOMORROW + n * DAY, TOMORROW + n * DAY + HOUR) for n in range(3)]
    assert times(james, deal) == every
    ahead = deal_reads.calls_ahead(james.db, james.me.identity, TOMORROW + 2 * HOUR)
    assert sorted(each.begins for each in ahead) == [TOMORROW + DAY, TOMORROW + 2 * DAY]
    assert deal_reads.calls_between(james.db, TOMORROW + HOUR, TOMORROW + DAY) == []
    assert deal_reads.calls_between(james.db, TOMORROW, TOMORROW + 2 * DAY) == [call]
    w = homes.peek(lisa, deal)
    off = booking_series.skip(w.state.bookings, w.by, w.state.deal.parties, call, [TOMORROW + DAY])
    homes.write(lisa, deal, *off)
    homes.meet(lisa, james)
    assert times(james, deal) == [every[0], every[2]]
    w = homes.peek(lisa, deal)
    homes.write(lisa, deal, *booking_acts.cancel(w.state.bookings, w.by, w.state.deal.parties, call))
    homes.meet(lisa, james)
    assert times(james, deal) == []
    assert homes.unsound(james, deal) == []


def test_a_checkin_ends_with_its_deal(lisa: Session, james: Session, deal: SpaceId) -> None:
    call = agreed(lisa, james, deal)
    assert upkeep.run(lisa) == []
    assert len(times(lisa, deal)) == 3
    w = homes.peek(james, deal)
    homes.write(james, deal, *hiring.propose(w.state.deal, w.by, homes.OFFER))
    homes.meet(lisa, james)
    w = homes.peek(james, deal)
    homes.write(james, deal, *hiring.withdraw(w.state.deal, w.by))
    homes.meet(lisa, james)
    for session in (lisa, james):
        clock = session.clock
        assert isinstance(clock, homes.Hands)
        clock.at = TOMORROW + 2 * HOUR
        assert upkeep.run(session) == []
    homes.meet(lisa, james)
    for session in (lisa, james):
        assert times(session, deal) == [(TOMORROW, TOMORROW + HOUR)], "what was stays, and what was to come is off"
        assert deal_reads.state(session.db, homes.space_no(session, deal)).bookings.by_id[call].state == "confirmed"
        assert upkeep.run(session) == []


def test_the_talents_device_offers_anew_what_new_zone_data_has_shifted(
    lisa: Session, james: Session, deal: SpaceId
) -> None:
    call = agreed(lisa, james, deal, tzdata="2020a", off=HOUR)
    assert zones.data_version() != "2020a"
    for session in (lisa, james):
        assert upkeep.run(session) == []
    homes.meet(lisa, james)
    moved = deal_reads.state(lisa.db, homes.space_no(lisa, deal)).bookings.by_id[call]
    assert moved.move is not None
    assert moved.move.by == james.me.identity
    assert [slot.start for slot in moved.move.every] == [TOMORROW + n * DAY for n in range(3)]
    assert moved.times[0][0] == TOMORROW + HOUR, "the signed instants stand until the client takes it"
    before = len(homes.state(james, deal)["event"])
    assert upkeep.run(james) == []
    assert len(homes.state(james, deal)["event"]) == before, "once"
