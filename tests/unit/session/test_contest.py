"""Copies of homes that both went on: what each learns, that everybody agrees, and how a contested deal is settled."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from chaise_cli import config
from chaise_cli.domain import contest, talk
from chaise_cli.domain.contest import Contested, NotContested, NotOnAWay, SettledOtherwise
from chaise_cli.ids import SpaceId, base32, raw
from chaise_cli.session import access, checking, doctoring, finding, inbox, renewal, settling, syncing, upkeep
from chaise_cli.session.finding import Named
from chaise_cli.session.session import Behind, Session
from chaise_cli.store import deal_states, deals, events
from tests.fakes import acts, homes
from tests.fakes.homes import Market
from tests.fakes.stages import Stages

HELLO = talk.MessageSent("Hello", ())


@pytest.fixture
def deal(stages: Stages, lisa: Session, james: Session) -> SpaceId:
    """A deal whose first milestone is funded, and delivered."""
    return stages.at(lisa, james, play=lambda: _delivered(lisa, james))


def _delivered(lisa: Session, james: Session) -> SpaceId:
    made = homes.open_deal(lisa, james.me.identity, client=True)
    homes.meet(lisa, james)
    for who, what in ((james, "propose"), (lisa, "hire"), (james, "accept"), (lisa, "fund"), (lisa, "attest")):
        acts.do(who, made, what)
        homes.meet(lisa, james)
    acts.do(lisa, made, "attest")
    acts.do(james, made, "deliver")
    homes.meet(lisa, james)
    return made


@pytest.fixture
def copy(lisa: Session, deal: SpaceId, market: Market, tmp_path: Path) -> Iterator[Session]:
    """A copy of the client's home, anchor and all, from when the deal was funded; its device is the agent's."""
    assert deal
    made = homes.copied(lisa, tmp_path / "copy", market.key("lisa"))
    yield made
    made.close()


def money_on_both(lisa: Session, copy: Session, deal: SpaceId) -> None:
    """Each copy releases the first milestone, and knows nothing of the other."""
    for session in (lisa, copy):
        for what, number in (("message", int(session is copy)), ("release", 0), ("duties", 0)):
            acts.do(session, deal, what, number)
        assert "money.released" in {row[3] for row in homes.state(session, deal)["event"]}


def named(deal: SpaceId) -> Named:
    return Named("deal", deal)


def state(session: Session, deal: SpaceId) -> deal_states.Loaded:
    found = deal_states.load(session.db, homes.space_no(session, deal))
    assert found is not None
    return found


def ways(session: Session, deal: SpaceId) -> list[contest.Way]:
    return deals.DealFold(session.db, events.space_numbered(session.db, homes.space_no(session, deal))).ways()


def test_copies_without_a_movement_leave_nothing_contested(
    lisa: Session, copy: Session, james: Session, deal: SpaceId
) -> None:
    acts.do(lisa, deal, "message", 1)
    acts.do(copy, deal, "changes", 0)
    acts.do(copy, deal, "taken", 0)
    homes.meet(lisa, copy, james)
    assert lisa.behind
    assert copy.behind
    assert not james.behind
    for session in (lisa, copy, james):
        assert not state(session, deal).now.deal.contested
        assert homes.unsound(session, deal) == []
    assert homes.state(lisa, deal) == homes.state(copy, deal) == homes.state(james, deal)


def test_both_copies_renew_and_both_work_on(lisa: Session, copy: Session, james: Session, deal: SpaceId) -> None:
    for session, words in ((lisa, "one"), (copy, "two")):
        homes.write(session, deal, talk.MessageSent(words, ()))
    homes.meet(lisa, copy, james)
    for session in (lisa, copy):
        with pytest.raises(Behind):
            homes.write(session, deal, HELLO)
        renewal.renew(session)
        homes.write(session, deal, HELLO)
    homes.meet(lisa, copy, james)
    assert homes.state(lisa, deal) == homes.state(copy, deal) == homes.state(james, deal)
    said = [row for row in homes.state(james, deal)["message"] if row["what"] == "message.sent"]
    assert len(said) == 4
    agents = {homes.state(session, deal)["deal"][0]["agent"] for session in (lisa, copy, james)}
    assert len(agents) == 1
    assert agents <= {raw(lisa.me.device), raw(copy.me.device)}
    for session in (lisa, copy, james):
        found = checking.verify(session, lambda _, __: None)
        assert found.problems == []
        assert len(found.forks) == 1


def test_the_talents_copies_freeze_nobodys_money(
    lisa: Session, james: Session, deal: SpaceId, market: Market, tmp_path: Path
) -> None:
    other = homes.copied(james, tmp_path / "copy", market.key("james"))
    homes.write(james, deal, HELLO)
    homes.write(other, deal, talk.MessageSent("Other", ()))
    homes.meet(lisa, james, other)
    assert acts.do(lisa, deal, "release", 0)
    acts.do(lisa, deal, "duties", 0)
    assert state(lisa, deal).now.deal.milestones[0].state == "released"
    homes.meet(lisa, james, other)
    assert homes.state(lisa, deal) == homes.state(james, deal) == homes.state(other, deal)
    other.close()


def test_money_moved_on_both_histories_stops_everything_but_words(
    lisa: Session, copy: Session, james: Session, deal: SpaceId
) -> None:
    money_on_both(lisa, copy, deal)
    homes.meet(lisa, copy, james)
    for session in (lisa, copy, james):
        found = state(session, deal).now.deal
        assert found.contested
        assert homes.unsound(session, deal) == []
        kinds = [item["kind"] for item in inbox.items(session, inbox.Wanted(everybody=True))]
        assert "contested" in kinds
    assert homes.state(lisa, deal) == homes.state(copy, deal) == homes.state(james, deal)
    with pytest.raises(Contested) as caught:
        homes.write(james, deal, *acts.ACTS["deliver"](homes.peek(james, deal), 1))
    assert caught.value.exit == 6
    homes.write(james, deal, HELLO)
    before = len(homes.state(james, deal)["event"])
    assert upkeep.run(james) == []
    assert len(homes.state(james, deal)["event"]) == before


def test_both_sides_settle_which_history_stands_for_good(
    lisa: Session, copy: Session, james: Session, deal: SpaceId
) -> None:
    money_on_both(lisa, copy, deal)
    homes.meet(lisa, copy, james)
    renewal.renew(lisa)
    shown = settling.shown(james, named(deal))
    assert shown["contested"]
    assert [bool(one["movements"]) for one in shown["histories"]] == [True, True]
    assert [one["stands"] for one in shown["histories"]].count(True) == 1
    loser = next(one for one in shown["histories"] if not one["stands"])
    with pytest.raises(NotOnAWay):
        settling.settle(james, named(deal), base32(raw(state(james, deal).now.deal.opening)), None)
    for session in (james, lisa):
        assert state(session, deal).now.deal.contested
        done = settling.settle(session, named(deal), loser["last"], None)
        assert not done.replayed
        homes.meet(lisa, copy, james)
    for session in (lisa, copy, james):
        found = state(session, deal)
        assert not found.now.deal.contested
        assert homes.unsound(session, deal) == []
        assert homes.verdicts(session, deal)[raw(found.now.deal.last_movement)] is None
    assert homes.state(lisa, deal) == homes.state(copy, deal) == homes.state(james, deal)
    with pytest.raises(NotContested):
        settling.settle(james, named(deal), loser["last"], None)
    assert upkeep.run(lisa) == []  # which takes the role over from the old key
    assert acts.do(lisa, deal, "taken", 0)
    homes.meet(lisa, copy, james)
    for session in (lisa, copy, james):
        assert homes.state(session, deal)["pending"] == []
        assert state(session, deal).agent == raw(lisa.me.device)


def test_who_named_one_history_may_only_join_the_other_side(
    lisa: Session, copy: Session, james: Session, deal: SpaceId
) -> None:
    money_on_both(lisa, copy, deal)
    homes.meet(lisa, copy, james)
    renewal.renew(lisa)
    one, other = (way["last"] for way in settling.shown(james, named(deal))["histories"])
    settling.settle(james, named(deal), one, None)
    assert settling.settle(james, named(deal), one, None).replayed
    with pytest.raises(SettledOtherwise):
        settling.settle(james, named(deal), other, None)
    settling.settle(lisa, named(deal), other, None)
    homes.meet(lisa, copy, james)
    settling.settle(james, named(deal), other, None)
    assert not state(james, deal).now.deal.contested


def test_a_copy_learns_through_a_folder_before_it_writes(
    lisa: Session, copy: Session, james: Session, deal: SpaceId, tmp_path: Path
) -> None:
    place = tmp_path / "shared"
    place.mkdir()
    homes.write(lisa, deal, talk.MessageSent("one", ()))
    homes.write(copy, deal, talk.MessageSent("two", ()))
    for session in (lisa, copy, lisa, james):
        done = syncing.sync_with(session, str(place))
        assert done.failure is None
    assert lisa.behind
    assert copy.behind
    assert any("several histories" in one or "two histories" in one for one in done.problems)
    assert len(homes.HomeReplica(james).heads(raw(deal))) == 3
    for session in (lisa, copy):
        renewal.renew(session)
    for session in (lisa, copy, james) * 3:
        assert syncing.sync_with(session, str(place)).failure is None
    assert homes.state(lisa, deal) == homes.state(copy, deal) == homes.state(james, deal)
    again = syncing.sync_with(james, str(place))
    assert (again.sent, again.received, again.problems) == (0, 0, [])


def test_a_restored_store_that_wrote_keeps_both_and_carries_its_words_over(
    lisa: Session, james: Session, deal: SpaceId, market: Market, tmp_path: Path
) -> None:
    """Without an anchor to warn it, as when only others know more; unsent words are offered by the renewed home."""
    old = homes.copied(lisa, tmp_path / "old", market.key("lisa"))
    homes.write(lisa, deal, talk.MessageSent("sent before the disk died", ()))
    homes.meet(lisa, james)
    homes.write(old, deal, talk.MessageSent("written on the backup", ()))
    homes.carry(james, old)
    assert old.behind
    with suppress(Behind):
        homes.write(old, deal, HELLO)
    renewal.renew(old)
    homes.meet(old, james)
    assert len(homes.state(james, deal)["message"]) == 2
    assert homes.state(old, deal) == homes.state(james, deal)
    assert finding.space_no(old, deal)
    old.close()


def checks(session: Session) -> dict[str, tuple[bool, str, str]]:
    """What doctor says of copies and histories: whether it is well, in which words, and what mends it."""
    keys = access.Keys(key_file=Path(str(homes.homes.read_keys(session.home)["key_file"])))
    patient = doctoring.Patient(session.home, config.read(session.home.path), keys, session.clock)
    found = doctoring.examine(patient)
    return {
        one["name"]: (one["ok"], one["value"], one["hint"])
        for one in found
        if one["name"] in ("anchor", "copies", "histories", "contested")
    }


def test_doctor_tells_each_case_and_what_mends_it(lisa: Session, copy: Session, james: Session, deal: SpaceId) -> None:
    assert set(checks(lisa)) == {"anchor"}
    money_on_both(lisa, copy, deal)
    homes.meet(lisa, copy, james)
    found = checks(lisa)
    assert found["copies"][0] is False
    assert found["copies"][2].endswith("chaise device renew")
    assert found["contested"][0] is False
    assert "chaise agent settle deal-" in found["contested"][2]
    assert "histories" not in found
    theirs = checks(james)
    assert theirs["histories"][0] is True
    assert theirs["histories"][1].startswith("a device, dev-")
    assert "copies" not in theirs
    renewal.renew(lisa)
    after = checks(lisa)
    assert "copies" not in after
    assert after["histories"][:1] == (True,)
    assert after["histories"][1].startswith("an earlier key of this home")
