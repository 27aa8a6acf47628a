"""The law of several devices: whoever acts, revokes and moves roles, all that are left hold the same in the end."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chaise_cli.errors import ChaiseError
from chaise_cli.ids import SpaceId, public
from chaise_cli.session import home as home_files
from chaise_cli.session import moving, renewal, revoking
from chaise_cli.session.session import Session
from chaise_cli.store import own
from tests.fakes import acts, homes, kin
from tests.fakes.homes import Market
from tests.volume import costly

LISAS = ("lisa", "phone", "tablet")
JAMES = ("james", "pocket")
ALL = (*LISAS, *JAMES)
ACT = st.tuples(st.sampled_from(ALL), st.sampled_from(sorted(acts.ACTS)), st.integers(0, 30))
MEET = st.tuples(st.sampled_from(ALL), st.just("meet"), st.integers(0, len(ALL) - 1))
HEAR = st.tuples(st.sampled_from(ALL), st.just("hear"), st.integers(0, len(ALL) - 1))
LOSE = st.tuples(st.sampled_from(ALL), st.sampled_from(["revoke", "revoke by root"]), st.integers(0, 4))
MOVE = st.tuples(st.sampled_from(LISAS), st.sampled_from(["move", "renew", "post"]), st.integers(0, 2))
STEPS = st.lists(ACT | ACT | MEET | MEET | HEAR | LOSE | MOVE, max_size=16)
HIRE = [("james", "propose", 0), ("all", "meet", 0), ("lisa", "hire", 1), ("all", "meet", 0), ("james", "accept", 0)]
FUND = [
    *HIRE,
    ("all", "meet", 0),
    ("phone", "fund", 0),
    ("all", "meet", 0),
    ("lisa", "attest", 0),
    ("lisa", "attest", 0),
]
Step = tuple[str, str, int]


class World(NamedTuple):
    people: dict[str, Session]
    deal: SpaceId
    board: SpaceId

    def step(self, who: str, what: str, number: int) -> None:
        """One act of one device, one meeting, or one revocation; what is refused is not done."""
        if who == "all":
            kin.meet(*self.people.values())
            return
        session, others = self.people[who], [self.people[name] for name in ALL]
        with suppress(ChaiseError):
            if what == "meet":
                kin.carry(session, others[number])
                kin.carry(others[number], session)
            elif what == "hear":
                kin.carry(others[number], session)
            elif what.startswith("revoke"):
                target = public("dev", others[number].me.device)
                code = kin.recovery_code("lisa" if who in LISAS else "james") if what.endswith("root") else None
                revoking.revoke(session, target, code, None)
            elif what == "move":
                moving.move(session, [self.deal], public("dev", self.people[LISAS[number]].me.device), None)
            elif what == "renew":
                renewal.renew(session)
            elif what == "post":
                homes.post(session, self.board)
            else:
                acts.do(session, self.deal, what, number)

    def left(self) -> dict[str, Session]:
        """The devices that were not revoked, as they themselves know."""
        return {name: session for name, session in self.people.items() if not session.revoked}


@pytest.fixture(scope="session")
def family(market: Market, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, SpaceId]:
    """Homes of five devices of two people with a deal that all of them hold."""
    folder = tmp_path_factory.mktemp("family")
    folder.chmod(0o700)
    lisa, james = market.open("lisa", folder), market.open("james", folder)
    made = [lisa, kin.join(lisa, folder, "phone"), kin.join(lisa, folder, "tablet")]
    made += [james, kin.join(james, folder, "pocket")]
    deal = homes.open_deal(lisa, james.me.identity, client=True)
    kin.meet(*made)
    for session in made:
        session.close()
    for name in ("lisa", "james"):
        shutil.copy(market.key(name), folder / f"{name}.key")
    return folder, deal


@contextmanager
def world(family: tuple[Path, SpaceId], market: Market) -> Iterator[World]:
    folder, deal = family
    with tempfile.TemporaryDirectory() as copies:
        opened = {}
        for name in ALL:
            home = home_files.Home(Path(shutil.copytree(folder / name, Path(copies) / name)))
            opened[name] = homes.reopen(home, folder / f"{name}.key")
        try:
            yield World(opened, deal, market.board)
        finally:
            for session in opened.values():
                session.close()


def settled(w: World) -> dict[str, Session]:
    """Everybody meets and does what falls due until nothing is new; those that are left."""
    for _ in range(6):
        before = [own.written(session.db) for session in w.people.values()]
        kin.meet(*w.people.values(), tend=True)
        if before == [own.written(session.db) for session in w.people.values()]:
            break
    kin.meet(*w.people.values())
    return w.left()


@costly(12)
@given(steps=STEPS, hired=st.booleans())
@example(steps=[("lisa", "revoke", 1), ("lisa", "message", 1), ("tablet", "message", 2)], hired=True)
@example(steps=[("phone", "revoke by root", 0), ("tablet", "revoke by root", 1), ("all", "meet", 0)], hired=True)
@example(steps=[("lisa", "revoke", 1), ("phone", "revoke by root", 2), ("phone", "release", 0)], hired=True)
@example(steps=[("lisa", "move", 1), ("all", "meet", 0), ("lisa", "revoke", 1), ("phone", "duties", 0)], hired=True)
@example(steps=[("james", "revoke", 4), ("lisa", "revoke", 1), ("pocket", "deliver", 0)], hired=True)
def test_all_devices_that_are_left_hold_the_same(
    family: tuple[Path, SpaceId], market: Market, steps: Sequence[Step], *, hired: bool
) -> None:
    with world(family, market) as w:
        for step in [*(FUND if hired else []), *steps]:
            w.step(*step)
            for session in w.people.values():
                assert homes.unsound(session, w.deal) == []
        left = settled(w)
        states = {name: homes.state(session, w.deal) for name, session in left.items()}
        boards = {name: homes.state(session, w.board) for name, session in left.items()}
        assert all(state == next(iter(states.values())) for state in states.values()), list(states)
        assert all(board == next(iter(boards.values())) for board in boards.values()), list(boards)
        for name, session in left.items():
            assert homes.waiting(session) == 0, name
            space = kin.self_space(session).id
            assert homes.unsound(session, space) == []
            peers = [other for other in left.values() if other.me.identity == session.me.identity]
            assert all(homes.state(other, space) == homes.state(session, space) for other in peers)
            assert {own.box_seed(other.db) for other in peers} == {own.box_seed(session.db)}
