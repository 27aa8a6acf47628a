"""An upgrade: what an older Chaise could not read is judged anew, as if it had been known from the start."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from chaise_cli.domain import kinds, talk
from chaise_cli.ids import SpaceId, raw
from chaise_cli.session import checking, renewal, selfspace, upkeep
from chaise_cli.session.session import Behind, Session, SpaceNewer
from chaise_cli.store import connection, events, own
from tests.fakes import acts, homes
from tests.fakes.homes import Market
from tests.fakes.stages import Stages

STORY: Final = (
    ("james", "propose"), ("lisa", "shortlist"), ("james", "message"), ("lisa", "hire"), ("james", "accept"),
    ("lisa", "fund"), ("lisa", "attest"), ("james", "update"), ("james", "deliver"), ("james", "book"),
    ("lisa", "message"),
)  # fmt: skip


@contextmanager
def older(*unknown: str) -> Iterator[None]:
    """This process is a Chaise from before these kinds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connection, "RULES", connection.RULES - 1)
        for kind in unknown:
            patch.delitem(kinds.KINDS, kind)
        yield


def reopened(session: Session, market: Market) -> Session:
    session.close()
    return homes.reopen(session.home, market.key("lisa"))


def sound(session: Session) -> None:
    """All holds, but that a copied home is behind the one it was copied from."""
    found = checking.verify(session, lambda _done, _total: None).problems
    assert [problem for problem in found if problem != Behind().sentence()] == []


@pytest.fixture
def deal(stages: Stages, lisa: Session, james: Session) -> SpaceId:
    """What `STORY` comes to, in both homes."""
    return stages.at(lisa, james, play=lambda: _played(lisa, james))


def _played(lisa: Session, james: Session) -> SpaceId:
    homes.post(lisa, events.spaces(lisa.db, "board")[0].id)
    deal = homes.open_deal(lisa, james.me.identity, client=True)
    for who, what in STORY:
        homes.meet(lisa, james)
        acts.do({"lisa": lisa, "james": james}[who], deal, what)
    homes.meet(lisa, james)
    return deal


def is_newer(session: Session, space: SpaceId) -> bool:
    return events.space_numbered(session.db, homes.space_no(session, space)).newer


@pytest.mark.parametrize(
    "kind",
    ["message.sent", "work.update", "deal.proposed", "terms.accepted", "work.delivered", "booking.offered",
     "post.published"],
)  # fmt: skip
def test_what_came_while_its_kind_was_unknown_counts_after_an_upgrade(
    lisa: Session, james: Session, deal: SpaceId, market: Market, tmp_path: Path, kind: str
) -> None:
    """The home that came the long way holds the same as one that knew the kind all along."""
    late = market.open("lisa", tmp_path / "late")
    wanted = [homes.state(lisa, space) for space in (deal, market.board)]
    with older(kind):
        late = reopened(late, market)
        for _ in range(2):
            homes.carry(james, late)
            homes.carry(lisa, late)
        assert is_newer(late, market.board if kind.startswith("post.") else deal)
        sound(late)
    late = reopened(late, market)
    assert [homes.state(late, space) for space in (deal, market.board)] == wanted
    assert not is_newer(late, deal)
    assert own.rules(late.db) == connection.RULES
    sound(late)
    late.close()


def test_a_downgrade_reads_what_it_knows_and_an_upgrade_brings_all_back(
    lisa: Session, james: Session, deal: SpaceId, market: Market
) -> None:
    wanted = homes.state(lisa, deal)
    with older("booking.offered"):
        lisa = reopened(lisa, market)
        assert homes.state(lisa, deal)["booking"] == []
        sound(lisa)
        with pytest.raises(SpaceNewer):
            homes.write(lisa, deal, homes.deals_invite())
    lisa = reopened(lisa, market)
    assert homes.state(lisa, deal) == wanted
    sound(lisa)
    homes.write(lisa, deal, talk.MessageSent("on we go", ()))
    sound(lisa)
    lisa.close()


def test_a_deal_that_a_renewal_skipped_gets_its_new_agent_device(
    lisa: Session, james: Session, deal: SpaceId, market: Market
) -> None:
    before = lisa.me.device
    with older("booking.offered"):
        lisa = reopened(lisa, market)
        renewal.renew(lisa)
        assert lisa.me.device != before
        assert upkeep.run(lisa) == []
        assert agent(lisa, deal) == raw(before)
    lisa = reopened(lisa, market)
    assert upkeep.run(lisa) == []
    assert agent(lisa, deal) == raw(lisa.me.device)
    homes.meet(lisa, james)
    assert homes.state(lisa, deal) == homes.state(james, deal)
    sound(lisa)
    lisa.close()


def agent(session: Session, deal: SpaceId) -> bytes:
    query = "SELECT agent FROM deal WHERE space = ?"
    found: bytes = session.db.execute(query, (homes.space_no(session, deal),)).fetchone()[0]
    return found


def test_it_is_done_once_and_a_new_home_is_of_today(
    lisa: Session, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert own.rules(lisa.db) == connection.RULES
    done: list[Session] = []
    monkeypatch.setattr("chaise_cli.session.rejudging.run", done.append)
    lisa = reopened(lisa, market)
    assert done == []
    lisa.close()


def test_a_cut_in_it_leaves_the_store_as_it_was(
    lisa: Session, james: Session, deal: SpaceId, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = homes.state(lisa, deal)
    with older("message.sent"):
        lisa = reopened(lisa, market)
        less = homes.state(lisa, deal)

    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(selfspace, "settle", stop)
    with pytest.raises(KeyboardInterrupt):
        reopened(lisa, market)
    monkeypatch.undo()
    with older("message.sent"):
        lisa = homes.reopen(lisa.home, market.key("lisa"))
        assert homes.state(lisa, deal) == less
    lisa = reopened(lisa, market)
    assert homes.state(lisa, deal) == wanted
    lisa.close()


def test_a_store_too_damaged_for_it_opens_and_verify_says_so(
    lisa: Session, james: Session, deal: SpaceId, market: Market
) -> None:
    with older("message.sent"):
        lisa = reopened(lisa, market)
    lisa.db.execute("UPDATE event SET body = zeroblob(9) WHERE kind = 'deal.proposed'")
    lisa = reopened(lisa, market)
    found = checking.verify(lisa, lambda _done, _total: None).problems
    assert any("rules of another Chaise" in problem for problem in found)
    assert homes.space_no(lisa, deal)
    lisa.close()
