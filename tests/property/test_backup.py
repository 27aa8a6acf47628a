"""Whatever happened before: a backup gives back the same folded state, and a restored home syncs without loss."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from chaise_cli.ids import SpaceId
from chaise_cli.session import access, backing, checking, renewal, restoring
from chaise_cli.session import home as homes_of
from chaise_cli.session.session import Behind, Session
from tests.fakes import acts, homes
from tests.fakes.homes import Hands, Market
from tests.volume import costly

STEP = st.tuples(st.sampled_from(["lisa", "james"]), st.sampled_from(sorted(acts.ACTS)), st.integers(0, 30))
MEET = st.tuples(st.sampled_from(["both", "to lisa", "to james"]), st.just("meet"), st.just(0))
HIRE = [("james", "propose", 0), ("both", "meet", 0), ("lisa", "hire", 1), ("both", "meet", 0), ("james", "accept", 0)]
FUND = [*HIRE, ("both", "meet", 0), ("lisa", "fund", 0), ("lisa", "attest", 0), ("lisa", "attest", 0)]
STEPS = st.builds(
    lambda begun, more: [*begun, *more], st.sampled_from([[], HIRE, FUND]), st.lists(STEP | STEP | MEET, max_size=8)
)
Step = tuple[str, str, int]


def silent(_done: int, _total: int) -> None:
    pass


def play(lisa: Session, james: Session, deal: SpaceId, steps: Sequence[Step]) -> None:
    for who, what, number in steps:
        if what != "meet":
            acts.do(lisa if who == "lisa" else james, deal, what, number)
            continue
        if who != "to lisa":
            homes.carry(lisa, james)
        if who != "to james":
            homes.carry(james, lisa)


@costly(12)
@given(STEPS, STEPS, st.booleans(), st.booleans())
def test_a_restored_home_is_the_same_and_goes_on(
    market: Market, before: Sequence[Step], after: Sequence[Step], heard: bool, client: bool
) -> None:
    """`after` happens behind the backup's back; with `heard` the home fetches it before its key is renewed."""
    with tempfile.TemporaryDirectory() as name, market.visit(Path(name), "lisa", "james") as (lisa, james):
        folder, who = Path(name), "lisa" if client else "james"
        deal = homes.open_deal(lisa, james.me.identity, client=True)
        homes.carry(lisa, james)
        play(lisa, james, deal, before)
        source = lisa if client else james
        backing.back_up(source, folder / "backup", silent)
        plan = restoring.Plan(folder / "backup", homes_of.Home(folder / "back"), access.Keys(key_file=market.key(who)))
        back = restoring.restore(plan, Hands(), silent, homes.seeded((who, "back")))
        for space in (deal, market.board):
            assert homes.state(back, space) == homes.state(source, space)
        assert checking.verify(back, silent).problems == [Behind().sentence()]
        play(lisa, james, deal, after)
        homes.meet(lisa, james)
        other = james if client else lisa
        if heard:
            homes.carry(other, back)
        renewal.renew(back)
        homes.meet(back, other)
        assert homes.state(back, deal) == homes.state(other, deal)
        assert {row[2] for row in homes.state(back, deal)["event"]} >= {
            row[2] for row in homes.state(source, deal)["event"]
        }
        assert checking.verify(back, silent).problems == checking.verify(other, silent).problems == []
        back.close()
