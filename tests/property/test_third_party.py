"""The laws of replication where terms name a third party as the agent: client, talent, agent and copies of homes."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chaise_cli.domain import consent, order
from chaise_cli.errors import ChaiseError
from chaise_cli.ids import EventId, SpaceId, text
from chaise_cli.ledger.segment import Segment
from chaise_cli.session import agency
from chaise_cli.session import hiring as hire
from chaise_cli.session.session import Session
from chaise_cli.store import deal_states, events
from tests.fakes import acts, homes
from tests.fakes.homes import Market
from tests.fakes.pen import Pen
from tests.interop import deals as interop
from tests.interop.cases import thirds
from tests.interop.cases.common import SECRET
from tests.volume import costly

PEOPLE: Final = ("lisa", "james", "ada", "lisa's copy", "ada's copy")
ANSWERS: Final = ("consent", "refuse", "raw consent", "raw refuse", "name", "sign", "round")
ACTS: Final = ("taken", "fund", "attest", "duties", "release", "deliver", "message", "raw taken", "cancel", "accept")
ACT = st.tuples(st.sampled_from(PEOPLE), st.sampled_from([*ACTS, *ANSWERS]), st.integers(0, 9))
ANSWER = st.tuples(st.sampled_from(["ada", "ada's copy"]), st.sampled_from(ANSWERS), st.integers(0, 9))
MEET = st.tuples(st.sampled_from(PEOPLE), st.just("meet"), st.integers(0, len(PEOPLE) - 1))
STEPS = st.lists(ACT | ACT | ANSWER | MEET | MEET, max_size=12)
Step = tuple[str, str, int]


class World(NamedTuple):
    people: dict[str, Session]
    deal: SpaceId

    def step(self, who: str, what: str, number: int) -> None:
        """One act of somebody, or one meeting of two; what is refused is not done."""
        session = self.people[who]
        if what == "meet":
            other = self.people[PEOPLE[number]]
            if other is not session:
                homes.carry(session, other)
                homes.carry(other, session)
        elif self.now(session) is None:
            return
        elif what in OWN:
            with suppress(ChaiseError):
                OWN[what](self, session)
        else:
            acts.do(session, self.deal, what, number)

    def now(self, session: Session) -> deal_states.Loaded | None:
        """The deal as somebody has it; an agent may not have heard of it."""
        held = events.find_space(session.db, self.deal)
        return deal_states.load(session.db, held.no) if held else None

    def meet(self) -> None:
        for _ in range(3):
            homes.meet(*self.people.values())


def _name(w: World, session: Session) -> None:
    changes = hire.Changes(agent=w.people["ada"].me.identity)
    hire.hire(session, None, w.deal, changes, beyond=True)


def _raw_consent(w: World, session: Session) -> None:
    if (found := w.now(session)) and found.tip:
        homes.write_raw(session, w.deal, order.AgentDevice(session.me.device, EventId(text(found.tip))))


def _raw_refuse(w: World, session: Session) -> None:
    if (found := w.now(session)) and found.now.deal.hired_by:
        homes.write_raw(session, w.deal, consent.AgentRefused(found.now.deal.hired_by, "raw"))


def _round(w: World, session: Session) -> None:
    with session.writing():
        agency.tend(homes.peek(session, w.deal))


OWN: Final[dict[str, Callable[[World, Session], Any]]] = {
    "consent": lambda w, session: hire.accept(session, None, w.deal, None),
    "sign": lambda w, session: hire.accept(session, None, w.deal, None),
    "refuse": lambda w, session: hire.decline(session, None, w.deal, "no"),
    "raw consent": _raw_consent,
    "raw refuse": _raw_refuse,
    "name": _name,
    "round": _round,
}
NAMED: Final = [("lisa", "name", 0), ("lisa", "meet", 1), ("james", "sign", 0), ("lisa", "meet", 1)]
TAKEN: Final = [*NAMED, ("lisa", "taken", 0), ("lisa", "meet", 1), ("lisa", "meet", 2), ("james", "meet", 2)]
HELD: Final = [*TAKEN, ("lisa", "fund", 0), ("lisa", "meet", 2), ("ada", "consent", 0), ("ada", "attest", 0)]
BEGUN: Final = st.sampled_from([[], NAMED, TAKEN, TAKEN, HELD])


@contextmanager
def world(market: Market, begun: Sequence[Step]) -> Iterator[World]:
    """Lisa and James in a deal, Ada beside it, and from some moment on copies of Lisa's and Ada's homes."""
    with tempfile.TemporaryDirectory() as folder, market.visit(Path(folder), "lisa", "james", "mallory") as opened:
        lisa, james, ada = opened
        deal = homes.open_deal(lisa, james.me.identity, client=True)
        homes.carry(lisa, james)
        acts.do(james, deal, "propose")
        homes.carry(james, lisa)
        people = {"lisa": lisa, "james": james, "ada": ada}
        for step in begun:
            World(people, deal).step(*step)
        try:
            for name, key in (("lisa", "lisa"), ("ada", "mallory")):
                copy = Path(folder) / f"copy of {name}"
                people[f"{name}'s copy"] = homes.copied(people[name], copy, market.key(key))
            yield World(people, deal)
        finally:
            for name in PEOPLE[3:]:
                if name in people:
                    people[name].close()


def taken(w: World, session: Session) -> dict[bytes, tuple[int, str | None]]:
    """Place and verdict of what was taken up; nothing while somebody is known to have written several histories."""
    rows = homes.state(session, w.deal)["event"]
    if len({(row[0], row[1]) for row in rows}) < len(rows):
        return {}
    return {row[2]: (row[5], row[6]) for row in rows if row[5] is not None}


@given(BEGUN, STEPS)
@example(begun=TAKEN, steps=[("ada", "refuse", 0), ("ada", "meet", 1), ("ada", "message", 1), ("ada", "meet", 1)])
@example(begun=NAMED, steps=[("lisa", "meet", 2), ("ada", "raw refuse", 0), ("ada", "meet", 1), ("lisa", "taken", 0),
                             ("james", "meet", 0)])  # fmt: skip
@example(begun=TAKEN, steps=[("ada", "consent", 0), ("ada's copy", "refuse", 0), ("ada", "meet", 4)])
@costly(12)
def test_client_talent_agent_and_copies_come_to_hold_the_same(
    market: Market, begun: Sequence[Step], steps: Sequence[Step]
) -> None:
    with world(market, begun) as w:
        before: dict[str, dict[bytes, Any]] = {name: {} for name in PEOPLE}
        for step in steps:
            w.step(*step)
            for name, session in w.people.items():
                if w.now(session) is None:
                    continue
                assert homes.unsound(session, w.deal) == []
                now = taken(w, session)
                assert not now or before[name].items() <= now.items()
                before[name] = now
        w.meet()
        held = [session for session in w.people.values() if w.now(session)]
        states = [homes.state(session, w.deal) for session in held]
        assert all(state == states[0] for state in states)
        assert [homes.unsound(session, w.deal) for session in held] == [[]] * len(held)
        assert [homes.waiting(session) for session in held] == [0] * len(held)


@pytest.mark.parametrize("first", range(0, 24, 6))
def test_histories_of_client_and_agent_in_any_pieces_give_what_they_give_at_once(market: Market, first: int) -> None:
    """Acts that no honest home would write, of fixed seeds; the first piece brings the genesis."""
    for seed in range(first, first + 6):
        play = thirds.Wild(seed)
        play.go(18)
        dice = random.Random(seed)
        runs = play.runs()
        whole = interop.folded(play.space, runs, SECRET)
        pieces = [piece for run, pen in zip(runs, _pens(play), strict=True) for piece in _cut(run, pen, dice)]
        with tempfile.TemporaryDirectory() as folder, market.visit(Path(folder), "mallory") as (other,):
            with other.writing():
                interop.hold(other, play.space, runs, SECRET)
            deal = SpaceId(text(play.space))
            moved = True
            while moved:
                dice.shuffle(pieces)
                batches = [pieces[at : at + 3] for at in range(0, len(pieces), 3)]
                moved = sum([_offer(other, deal, batch) for batch in batches]) > 0
            assert interop.told(other, deal) == whole, seed


def _offer(other: Session, deal: SpaceId, batch: list[Segment]) -> int:
    accepted = homes.deliver(other, deal, batch).accepted
    assert not accepted or homes.unsound(other, deal) == []
    return accepted


def _pens(play: thirds.Wild) -> list[Pen]:
    return [pen for name, pen in play.pens.items() if pen.seq > play.parted.get(name, 0)]


def _cut(run: Segment, pen: Pen, dice: random.Random) -> Iterator[Segment]:
    at = run.first_seq
    while at <= run.last_seq:
        end = min(run.last_seq + 1, at + dice.randint(1, 4))
        yield pen.run(at, end)
        at = end
