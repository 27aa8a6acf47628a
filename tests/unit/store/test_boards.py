"""Boards as tables: whatever came first, the same events give the same listings, names and verdicts."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from chaise_cli.domain.directory import (
    BoardNamed,
    PostClosed,
    ServiceClosed,
    ServicePublished,
    revision,
)
from chaise_cli.ids import EventId, SpaceId, text
from chaise_cli.ledger.segment import Segment
from chaise_cli.session import boards, profiles
from chaise_cli.session.session import Session
from chaise_cli.store import events
from tests.fakes import homes
from tests.fakes.homes import Market
from tests.fakes.pen import Pen

SERVICE = ServicePublished("Audit", "seo", "A look.", None, 3, ("audit",))
STEP = st.tuples(
    st.integers(0, 2),
    st.sampled_from(["post", "service", "revise", "close", "profile", "name", "shut"]),
    st.integers(0, 9),
)
FOREIGN = EventId(text(b"\x07" * 32))


class Author:
    """Somebody on the board with two devices that may or may not have heard of one another."""

    def __init__(self, name: str, board: SpaceId, secret: bytes, profile: Any) -> None:
        self.pens = [Pen(f"{name} {device}", root=name, space=board, secret=secret) for device in ("one", "two")]
        self.profile = profile
        self.made: list[EventId] = []

    def act(self, what: str, number: int, others: Sequence[EventId]) -> None:
        pen, other = self.pens[number % 2], self.pens[1 - number % 2]
        known = [*self.made, *others, FOREIGN]
        target = known[number % len(known)]
        body = {
            "post": homes.replace(homes.POST, title=f"Post {number}"), "service": SERVICE,
            "revise": revision(target, homes.replace(homes.POST, title=f"Anew {number}", skills=(f"s{number}",))),
            "close": PostClosed(target, "closed"), "shut": ServiceClosed(target),
            "profile": homes.replace(self.profile, headline=f"No. {number}", skills=(f"skill{number}",)),
            "name": BoardNamed(f"Mine {number}"),
        }[what]  # fmt: skip
        seen = [other.head()] if other.seq and number % 3 == 0 else []
        pen.say(body, seen=seen, at=homes.NOON_MS + number)
        if what in {"post", "service"}:
            self.made.append(EventId(text(pen.ids[-1])))


def board_state(session: Session, board: SpaceId) -> Any:
    skills = session.db.execute("SELECT * FROM skill ORDER BY skill, owner, what").fetchall()
    return homes.state(session, board), skills


def sound(session: Session, board: SpaceId) -> bool:
    return homes.unsound(session, board) == []


@given(st.lists(STEP, max_size=20), st.randoms(use_true_random=False))
def test_a_board_does_not_depend_on_the_order_of_arrival(market: Market, steps: Any, chance: Any) -> None:
    with tempfile.TemporaryDirectory() as folder, market.visit(Path(folder), "lisa", "james") as (lisa, james):
        space = events.find_space(lisa.db, market.board)
        assert space is not None
        profile = profiles.current(lisa)
        authors = [Author(name, market.board, lisa.epochs.secret(space), profile) for name in ("ann", "bob", "eve")]
        for who, what, number in steps:
            others = [made for author in authors for made in author.made if author is not authors[who]]
            authors[who].act(what, number, others)
        runs = [pen.run() for author in authors for pen in author.pens if pen.seq]
        homes.deliver(lisa, market.board, runs)
        for run in _mixed(authors, chance):
            homes.deliver(james, market.board, [run])
            assert sound(james, market.board)
        assert homes.waiting(james) == homes.waiting(lisa) == 0
        assert board_state(james, market.board) == board_state(lisa, market.board)
        assert sound(lisa, market.board)


def _mixed(authors: Sequence[Author], chance: Any) -> list[Segment]:
    """All events one by one: each chain in its order, the chains mixed."""
    chains = [[pen.run(at, at + 1) for at in range(pen.seq)] for author in authors for pen in author.pens]
    order = [index for index, chain in enumerate(chains) for _ in chain]
    chance.shuffle(order)
    return [chains[index].pop(0) for index in order]


def test_somebody_on_two_boards_is_found_by_the_newest_profile_whichever_came_last(
    market: Market, tmp_path: Path
) -> None:
    with market.visit(tmp_path, "lisa") as (lisa,):
        boards.create(lisa, "second", None, None)
        second = events.spaces(lisa.db, "board")[-1]
        first = events.find_space(lisa.db, market.board)
        assert first is not None
        profile = profiles.current(lisa)
        pens = [
            Pen(name, root="ann", space=space.id, secret=lisa.epochs.secret(space))
            for name, space in (("one", first), ("two", second))
        ]
        pens[1].say(homes.replace(profile, skills=("new",)), at=homes.NOON_MS + 9)
        pens[0].say(homes.replace(profile, skills=("old",)), at=homes.NOON_MS)
        homes.deliver(lisa, second.id, [pens[1].run()])
        homes.deliver(lisa, first.id, [pens[0].run()])
        query = "SELECT skill FROM skill WHERE owner = ? AND what = 'profile'"
        assert lisa.db.execute(query, (homes.raw(pens[0].identity),)).fetchall() == [("new",)]


def test_a_post_on_one_board_is_not_changed_from_another(market: Market, tmp_path: Path) -> None:
    with market.visit(tmp_path, "lisa") as (lisa,):
        post = homes.post(lisa, market.board)
        boards.create(lisa, "second", None, None)
        second = events.spaces(lisa.db, "board")[-1].id
        homes.post(lisa, second, PostClosed(post, "closed"))
        assert list(homes.verdicts(lisa, second).values())[-1] == "board.nothing_there"
        assert homes.state(lisa, market.board)["listing"][0]["ended"] == ""
