"""The laws of replication: the same events give the same deal, however they came, and what was taken up stays."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from hypothesis import example, given
from hypothesis import strategies as st

from chaise_cli.ids import SpaceId, text
from chaise_cli.ledger.segment import Segment
from chaise_cli.session import renewal
from chaise_cli.session.session import Session
from tests.fakes import acts, homes
from tests.fakes.homes import Market
from tests.volume import costly

STEP = st.tuples(st.sampled_from(["lisa", "james"]), st.sampled_from(sorted(acts.ACTS)), st.integers(0, 30))
MEET = st.tuples(st.sampled_from(["both", "to lisa", "to james"]), st.just("meet"), st.just(0))
# A hire goes through in most examples, so that money and calls have something to happen to.
HIRE = [("james", "propose", 0), ("both", "meet", 0), ("lisa", "hire", 1), ("both", "meet", 0), ("james", "accept", 0)]
FUND = [*HIRE, ("both", "meet", 0), ("lisa", "fund", 0), ("lisa", "attest", 0), ("lisa", "attest", 0)]
STEPS = st.builds(
    lambda begun, more: [*begun, *more], st.sampled_from([[], HIRE, FUND]), st.lists(STEP | STEP | MEET, max_size=14)
)
Step = tuple[str, str, int]


class World(NamedTuple):
    lisa: Session
    james: Session
    deal: SpaceId

    def step(self, who: str, what: str, number: int) -> None:
        """One act, or one meeting."""
        if what != "meet":
            acts.do(self.lisa if who == "lisa" else self.james, self.deal, what, number)
            return
        if who != "to lisa":
            homes.carry(self.lisa, self.james)
        if who != "to james":
            homes.carry(self.james, self.lisa)


@contextmanager
def world(market: Market, *, client_opens: bool) -> Iterator[World]:
    """Lisa and James in a deal that one of them opened and the other has heard of."""
    with tempfile.TemporaryDirectory() as folder, market.visit(Path(folder), "lisa", "james") as (lisa, james):
        opener, other = (lisa, james) if client_opens else (james, lisa)
        deal = homes.open_deal(opener, other.me.identity, client=client_opens)
        homes.carry(opener, other)
        yield World(lisa, james, deal)


def taken(session: Session, deal: SpaceId) -> dict[bytes, tuple[int, str | None]]:
    """Place and verdict of what the agent took up."""
    return {row[2]: (row[5], row[6]) for row in homes.state(session, deal)["event"] if row[5] is not None}


@costly(12)
@given(STEPS, st.booleans())
@example(steps=[*FUND, ("james", "deliver", 0), ("both", "meet", 0), ("lisa", "release", 0)], client_opens=True)
def test_what_is_folded_bit_by_bit_is_what_is_folded_at_once(
    market: Market, steps: Sequence[Step], client_opens: bool
) -> None:
    with world(market, client_opens=client_opens) as w:
        for step in steps:
            w.step(*step)
            assert homes.unsound(w.lisa, w.deal) == []
        assert homes.unsound(w.james, w.deal) == []


@costly(12)
@given(STEPS, st.booleans())
def test_two_sides_that_have_met_hold_the_same_deal(market: Market, steps: Sequence[Step], client_opens: bool) -> None:
    with world(market, client_opens=client_opens) as w:
        for step in steps:
            w.step(*step)
        homes.meet(w.lisa, w.james)
        assert homes.state(w.lisa, w.deal) == homes.state(w.james, w.deal)
        assert homes.waiting(w.lisa) == homes.waiting(w.james) == 0


@costly(12)
@given(STEPS, st.booleans())
def test_nothing_that_comes_later_changes_what_was_taken_up(
    market: Market, steps: Sequence[Step], client_opens: bool
) -> None:
    with world(market, client_opens=client_opens) as w:
        before: dict[str, dict[bytes, Any]] = {"lisa": {}, "james": {}}
        for step in [*steps, ("both", "meet", 0), ("lisa", "taken", 0), ("both", "meet", 0)]:
            w.step(*step)
            for name, session in (("lisa", w.lisa), ("james", w.james)):
                now = taken(session, w.deal)
                assert before[name].items() <= now.items()
                before[name] = now


@costly(12)
@given(STEPS, st.booleans(), st.randoms(use_true_random=False), st.integers(1, 5))
def test_a_third_replica_holds_the_same_whatever_came_first(
    market: Market, steps: Sequence[Step], client_opens: bool, chance: Any, piece: int
) -> None:
    """It hears the chains in any order and any pieces, so that events wait for what they cite."""
    with world(market, client_opens=client_opens) as w:
        for step in steps:
            w.step(*step)
        pieces = _pieces(w, piece)
        with tempfile.TemporaryDirectory() as folder, market.visit(Path(folder), "lisa") as (third,):
            for batch in _dealt(pieces, chance):
                homes.deliver(third, w.deal, batch)
                assert homes.unsound(third, w.deal) == []
            assert homes.waiting(third) == 0
            homes.meet(w.lisa, w.james)
            assert homes.state(third, w.deal) == homes.state(w.lisa, w.deal)


def _pieces(w: World, size: int) -> dict[bytes, list[Segment]]:
    """Each chain in pieces, from the home that wrote it; the first piece of the deal carries its wrap."""
    made: dict[bytes, list[Segment]] = {}
    for session in (w.lisa, w.james):
        for run in homes.runs(session, w.deal, size):
            if text(run.device) == session.me.device:
                made.setdefault(run.device, []).append(run)
    return made


def _dealt(chains: dict[bytes, list[Segment]], chance: Any) -> Iterator[list[Segment]]:
    """Batches of pieces: each chain in its order, the chains mixed; the maker's first events come first."""
    maker = next(device for device, runs in chains.items() if runs[0].events[0].suite == 0)
    first = [chains[maker].pop(0)]
    while sum(len(run.events) for run in first) < 2:  # genesis and wrap introduce the deal
        first.append(chains[maker].pop(0))
    yield first
    left = [device for device, runs in chains.items() for _ in runs]
    chance.shuffle(left)
    while left:
        size = chance.randint(1, 4)
        yield [chains[device].pop(0) for device in left[:size]]
        left = left[size:]


# Copies of one home: a device with several histories.

PEOPLE = ["lisa", "james", "lisa's copy", "james's copy"]
FORKED_STEP = st.tuples(st.sampled_from(PEOPLE), st.sampled_from([*sorted(acts.ACTS), "renew"]), st.integers(0, 30))
FORKED_MEET = st.tuples(st.sampled_from(PEOPLE), st.just("meet"), st.integers(0, 3))
FORKED_STEPS = st.lists(FORKED_STEP | FORKED_STEP | FORKED_MEET, max_size=16)


class Copies(NamedTuple):
    homes: dict[str, Session]
    deal: SpaceId

    def step(self, who: str, what: str, number: int) -> None:
        """One act, one meeting, or a new key; a home that has learnt that it was copied writes nothing before that."""
        session = self.homes[who]
        if what == "meet":
            other = self.homes[PEOPLE[number]]
            if other is not session:
                homes.carry(session, other)
                homes.carry(other, session)
        elif what == "renew":
            renewal.renew(session)
        else:
            acts.do(session, self.deal, what, number)

    def meet(self) -> None:
        for _ in range(3):
            homes.meet(*self.homes.values())


@contextmanager
def copies(market: Market, begun: Sequence[Step]) -> Iterator[Copies]:
    """Lisa and James in a deal, and a copy of each one's home from then on."""
    with tempfile.TemporaryDirectory() as folder, market.visit(Path(folder), "lisa", "james") as (lisa, james):
        deal = homes.open_deal(lisa, james.me.identity, client=True)
        homes.carry(lisa, james)
        for step in begun:
            World(lisa, james, deal).step(*step)
        sessions = {"lisa": lisa, "james": james}
        try:
            for name in ("lisa", "james"):
                sessions[f"{name}'s copy"] = homes.copied(sessions[name], Path(folder) / "copy", market.key(name))
            yield Copies(sessions, deal)
        finally:
            for name in PEOPLE[2:]:
                if name in sessions:
                    sessions[name].close()


def sure(session: Session, deal: SpaceId) -> dict[bytes, tuple[int, str | None]]:
    """What was taken up; nothing while the agent's device is known to have written several histories."""
    line = [row for row in homes.state(session, deal)["event"] if row[7] == homes.client(session, deal)]
    forked = len({(row[0], row[1]) for row in line}) < len(line) or any(row[3] == "agent.device" for row in line)
    return {} if forked else taken(session, deal)


@costly(12)
@given(st.sampled_from([[], HIRE, FUND]), FORKED_STEPS)
@example(begun=FUND, steps=[("lisa", "release", 0), ("lisa's copy", "duties", 0), ("lisa's copy", "release", 1)])
def test_copies_of_homes_and_the_others_come_to_hold_the_same(
    market: Market, begun: Sequence[Step], steps: Sequence[Step]
) -> None:
    with copies(market, begun) as w:
        before: dict[str, dict[bytes, Any]] = {name: {} for name in PEOPLE}
        for step in steps:
            w.step(*step)
            for name, session in w.homes.items():
                assert homes.unsound(session, w.deal) == []
                now = sure(session, w.deal)
                assert not now or before[name].items() <= now.items()
                before[name] = now
        w.meet()
        states = [homes.state(session, w.deal) for session in w.homes.values()]
        assert states[0] == states[1] == states[2] == states[3]
        assert [homes.waiting(session) for session in w.homes.values()] == [0] * 4
        assert all(homes.unsound(session, w.deal) == [] for session in w.homes.values())


@costly(12)
@given(st.sampled_from([HIRE, FUND]), FORKED_STEPS, st.randoms(use_true_random=False), st.integers(1, 5))
def test_histories_in_any_order_and_any_pieces_give_the_same(
    market: Market, begun: Sequence[Step], steps: Sequence[Step], chance: Any, piece: int
) -> None:
    """What comes before its beginning is refused, and offered again."""
    with copies(market, begun) as w:
        for step in steps:
            w.step(*step)
        runs = [run for session in w.homes.values() for run in homes.runs(session, w.deal, piece)]
        w.meet()
        with tempfile.TemporaryDirectory() as folder, market.visit(Path(folder), "james") as (other,):
            whole = [
                run for run in homes.runs(w.homes["lisa"], w.deal) if run.first_seq == 0 and not run.events[0].suite
            ]
            homes.deliver(other, w.deal, whole[:1])
            moved = True
            while moved:
                chance.shuffle(runs)
                batches = [runs[at : at + 3] for at in range(0, len(runs), 3)]
                moved = sum(homes.deliver(other, w.deal, batch).accepted for batch in batches) > 0
                assert homes.unsound(other, w.deal) == []
            assert homes.state(other, w.deal) == homes.state(w.homes["lisa"], w.deal)
