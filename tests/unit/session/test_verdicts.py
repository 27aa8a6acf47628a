"""Two devices of one talent agree to calls at the same time, each without knowing of the other's."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from chaise_cli.domain import booking_acts
from chaise_cli.domain.booking import HOUR, MINUTE, Booking, Slot
from chaise_cli.ids import EventId, SpaceId, public
from chaise_cli.session import inbox, upkeep
from chaise_cli.session.session import Session
from chaise_cli.store import deal_reads
from tests.fakes import homes, kin
from tests.fakes.stages import Stages

TOMORROW = homes.NOON_MS + 24 * HOUR


def slot(minutes: int = 0) -> Slot:
    return Slot("2026-11-21T12:00:00", "UTC", TOMORROW + minutes * MINUTE, 60, "2026b")


class Cast(NamedTuple):
    lisa: Session
    mallory: Session  # a second client
    james: Session
    pocket: Session  # James's other device
    deals: tuple[SpaceId, SpaceId]  # with Lisa, with Mallory

    @property
    def everybody(self) -> tuple[Session, Session, Session, Session]:
        """All four homes."""
        return self.lisa, self.mallory, self.james, self.pocket


@pytest.fixture
def cast(stages: Stages, lisa: Session, mallory: Session, james: Session, tmp_path: Path) -> Iterator[Cast]:
    """James talks with two clients; both of his devices know both."""
    pocket = stages.joined(james, play=lambda: kin.join(james, tmp_path, "pocket"))
    everybody = (lisa, mallory, james, pocket)
    yield Cast(*everybody, stages.at(*everybody, play=lambda: _talks(*everybody)))
    pocket.close()


def _talks(lisa: Session, mallory: Session, james: Session, pocket: Session) -> tuple[SpaceId, SpaceId]:
    one, other = (homes.open_deal(client, james.me.identity, client=True) for client in (lisa, mallory))
    kin.meet(lisa, mallory, james, pocket)
    return one, other


def offered(session: Session, deal: SpaceId, minutes: int = 0) -> EventId:
    w = homes.peek(session, deal)
    return homes.write(
        session, deal, *booking_acts.book(w.state.bookings, w.by, w.state.deal.parties, None, [slot(minutes)])
    )[-1]


def accepted(session: Session, deal: SpaceId, call: EventId, *, overlap: bool = False) -> None:
    w = homes.peek(session, deal)
    bodies = booking_acts.accept(w.state.bookings, w.by, w.state.deal.parties, call, allow_overlap=overlap)
    homes.write(session, deal, *bodies)


def call_of(session: Session, deal: SpaceId, call: EventId) -> Booking:
    return deal_reads.state(session.db, homes.space_no(session, deal)).bookings.by_id[call]


def told(cast: Cast) -> list[tuple[str, str]]:
    """Kind and fate of every verdict in both deals, as the talent holds them."""
    return [
        (row[3], row[6] or "")
        for deal in cast.deals
        for row in homes.state(cast.james, deal)["event"]
        if row[3] == "booking.lost"
    ]


def both(cast: Cast, *, minutes: int = 30, overlap: bool = False) -> list[EventId]:
    """A call in each deal, accepted on one device each; the first was agreed to at the lower lamport."""
    calls = [offered(cast.lisa, cast.deals[0]), offered(cast.mallory, cast.deals[1], minutes)]
    kin.meet(*cast.everybody)
    accepted(cast.james, cast.deals[0], calls[0])
    accepted(cast.pocket, cast.deals[1], calls[1], overlap=overlap)
    return calls


def states(cast: Cast, calls: list[EventId]) -> list[list[str]]:
    """Of each call, its state on every replica of its deal."""
    clients = (cast.lisa, cast.mallory)
    return [
        [call_of(each, cast.deals[n], call).state for each in (clients[n], cast.james, cast.pocket)]
        for n, call in enumerate(calls)
    ]


@pytest.mark.parametrize("order", list(itertools.permutations(range(4)))[::9])
def test_exactly_one_is_confirmed_on_every_replica_in_every_order_of_delivery(
    cast: Cast, order: tuple[int, ...]
) -> None:
    calls = both(cast)
    people = [cast.everybody[n] for n in order]
    for giver, taker in itertools.permutations(people, 2):
        kin.carry(giver, taker)
        upkeep.run(taker)
    kin.meet(*people, tend=True)
    kin.meet(*people)
    found = states(cast, calls)
    assert sorted(found) == [["confirmed"] * 3, ["conflicted"] * 3]
    assert [fate for _, fate in told(cast)].count("") == 1, "equal verdicts count once"
    for session, deal in itertools.product((cast.james, cast.pocket), cast.deals):
        assert homes.unsound(session, deal) == []
    kin.meet(*people, tend=True)
    assert states(cast, calls) == found, "a verdict is final, and nothing new is due"


def test_wall_clocks_decide_nothing(cast: Cast) -> None:
    clock = cast.pocket.clock
    assert isinstance(clock, homes.Hands)
    calls = [offered(cast.lisa, cast.deals[0]), offered(cast.mallory, cast.deals[1])]
    kin.meet(*cast.everybody)
    accepted(cast.james, cast.deals[0], calls[0])
    before = states(cast, calls)[0][1]
    clock.at -= 20 * HOUR
    accepted(cast.pocket, cast.deals[1], calls[1])
    kin.meet(*cast.everybody, tend=True)
    found = states(cast, calls)
    clock.at += 20 * HOUR
    assert before == "confirmed"
    assert sorted(each[0] for each in found) == ["confirmed", "conflicted"]
    assert found[0] != found[1]


def test_a_verdict_names_nothing_of_the_other_call(cast: Cast) -> None:
    calls = both(cast)
    kin.meet(*cast.everybody, tend=True)
    lost = next(n for n, rows in enumerate(states(cast, calls)) if rows[0] == "conflicted")
    client, deal, other = (cast.lisa, cast.mallory)[lost], cast.deals[lost], 1 - lost
    assert "booking.lost" in {row[3] for row in homes.state(client, deal)["event"]}
    query = "SELECT e.body FROM event e JOIN chain c ON c.no = e.chain WHERE c.space = ?"
    said = b"".join(body for (body,) in client.db.execute(query, (homes.space_no(client, deal),)).fetchall())
    assert calls[lost].encode() in said
    assert calls[other].encode() not in said
    assert cast.deals[other].encode() not in said


def test_both_sides_of_a_lost_call_find_it_in_their_inbox(cast: Cast) -> None:
    calls = both(cast)
    kin.meet(*cast.everybody, tend=True)
    kin.meet(*cast.everybody)
    lost = next(n for n, rows in enumerate(states(cast, calls)) if rows[0] == "conflicted")
    loser, winner = ((cast.lisa, cast.mallory)[n] for n in (lost, 1 - lost))
    shown = public("book", calls[lost])
    for session in (loser, cast.james, cast.pocket):
        (item,) = inbox.items(session, inbox.Wanted(kinds=("call_lost",)))
        assert (item["id"], item["waits_for"], item["next"]) == (shown, None, f"chaise book {shown} --at TIME")
    assert inbox.items(winner, inbox.Wanted(kinds=("call_lost",), everybody=True)) == []


def test_calls_that_do_not_overlap_or_may_are_left_alone(cast: Cast) -> None:
    apart = both(cast, minutes=60)
    kin.meet(*cast.everybody, tend=True)
    assert states(cast, apart) == [["confirmed"] * 3] * 2
    assert told(cast) == []


def test_overlap_that_was_allowed_is_no_conflict(cast: Cast) -> None:
    calls = both(cast, overlap=True)
    kin.meet(*cast.everybody, tend=True)
    assert states(cast, calls) == [["confirmed"] * 3] * 2
    assert told(cast) == []


def test_the_clients_word_that_the_call_took_place_outranks_the_verdict(cast: Cast) -> None:
    calls = both(cast)
    kin.carry(cast.james, cast.lisa)
    kin.carry(cast.pocket, cast.mallory)
    kin.meet(cast.james, cast.pocket, tend=True)
    lost = next(n for n, rows in enumerate(states(cast, calls)) if rows[1] == "conflicted")
    client, deal = (cast.lisa, cast.mallory)[lost], cast.deals[lost]
    clock = client.clock
    assert isinstance(clock, homes.Hands)
    clock.at = TOMORROW + HOUR
    assert call_of(client, deal, calls[lost]).state == "confirmed", "the client has not heard of the verdict"
    w = homes.peek(client, deal)
    word = booking_acts.outcome(w.state.bookings, w.by, w.state.deal.parties, calls[lost], None)
    homes.write(client, deal, *word)
    kin.meet(*cast.everybody, tend=True)
    kin.meet(*cast.everybody)
    assert states(cast, calls)[lost] == ["met"] * 3
    clock.at = homes.NOON_MS
