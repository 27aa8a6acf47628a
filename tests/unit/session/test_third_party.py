"""Deals whose terms give the money to a third party: who puts them in order before, between and after."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaise_cli.domain import consent, order, talk
from chaise_cli.domain.body import replace
from chaise_cli.domain.movements import MoneyReleased
from chaise_cli.domain.terms import OtherAgent
from chaise_cli.domain.transitions import NotYours
from chaise_cli.ids import EventId, SpaceId, raw, text
from chaise_cli.session import boards, finding, upkeep
from chaise_cli.session import hiring as hire
from chaise_cli.session.session import Session
from chaise_cli.store import deal_states, events
from tests.fakes import acts, homes, kin
from tests.fakes.homes import Market
from tests.fakes.stages import Stages


def offer(session: Session, deal: SpaceId, agent: Session) -> None:
    hire.hire(session, None, deal, hire.Changes(agent=agent.me.identity), beyond=True)


def accept(session: Session, deal: SpaceId) -> None:
    hire.accept(session, None, deal, None)


@pytest.fixture
def deal(stages: Stages, lisa: Session, james: Session, ada: Session) -> SpaceId:
    """A deal that both sides have signed, with the agent yet to consent; all three have it."""
    return stages.at(lisa, james, ada, play=lambda: _signed(lisa, james, ada))


def _signed(lisa: Session, james: Session, ada: Session) -> SpaceId:
    made = offered(lisa, james, ada)
    accept(james, made)
    homes.meet(lisa, james)
    acts.do(lisa, made, "taken")
    homes.meet(lisa, james, ada)
    return made


def offered(lisa: Session, james: Session, ada: Session) -> SpaceId:
    """A deal with terms that name the agent, sent by the client."""
    made = homes.open_deal(lisa, james.me.identity, client=True)
    homes.meet(lisa, james)
    acts.do(james, made, "propose")
    homes.meet(lisa, james)
    offer(lisa, made, ada)
    homes.meet(lisa, james)
    return made


def now(session: Session, deal: SpaceId) -> deal_states.Loaded:
    found = deal_states.load(session.db, homes.space_no(session, deal))
    assert found
    return found


def agreed(deal: SpaceId, *sessions: Session) -> None:
    """Every replica has the same of it, and what a fold from nothing gives."""
    states = [homes.state(session, deal) for session in sessions]
    assert all(state == states[0] for state in states)
    assert [homes.unsound(session, deal) for session in sessions] == [[]] * len(sessions)


def test_the_agent_reads_the_deal_from_its_first_word_on(
    lisa: Session, james: Session, ada: Session, deal: SpaceId
) -> None:
    agreed(deal, lisa, james, ada)
    state = now(ada, deal).now.deal
    assert state.proposal
    assert state.awaits_agent
    assert state.parties.agent == ada.me.identity


def test_before_it_consents_nothing_more_is_final(lisa: Session, james: Session, ada: Session, deal: SpaceId) -> None:
    acts.do(lisa, deal, "fund", 0)
    acts.do(lisa, deal, "taken")
    homes.meet(lisa, james, ada)
    state = now(james, deal).now.deal
    assert {op.final for op in state.ops.values()} == {False}
    assert not now(james, deal).taken.deal.ops
    assert text(now(lisa, deal).agent) == ada.me.device
    agreed(deal, lisa, james, ada)


def test_with_its_consent_the_agent_takes_up_and_moves(
    lisa: Session, james: Session, ada: Session, deal: SpaceId
) -> None:
    acts.do(lisa, deal, "fund", 0)
    homes.meet(lisa, james, ada)
    accept(ada, deal)
    assert acts.do(ada, deal, "attest")
    homes.meet(lisa, james, ada)
    for session in (lisa, james, ada):
        state = now(session, deal).now.deal
        assert state.consent
        assert state.secured
        assert state.milestones[1].held == 90_000 or state.milestones[0].held == 60_000
        assert state.final
    agreed(deal, lisa, james, ada)


def test_the_client_moves_nothing_of_what_the_agent_holds(
    lisa: Session, james: Session, ada: Session, deal: SpaceId
) -> None:
    acts.do(lisa, deal, "fund", 1)
    homes.meet(lisa, james, ada)
    accept(ada, deal)
    acts.do(ada, deal, "attest")
    homes.meet(lisa, james, ada)
    held = [ms.held for ms in now(james, deal).now.deal.milestones]
    assert sum(held)
    before = now(lisa, deal).now.deal
    ms = next(ms for ms in before.milestones if ms.held)
    homes.write_raw(lisa, deal, MoneyReleased(None, ms.n, ms.held, 0, before.last_movement))
    homes.meet(lisa, james, ada)
    assert not now(james, deal).now.deal.contested
    assert [ms.held for ms in now(james, deal).now.deal.milestones] == held
    agreed(deal, lisa, james, ada)


def test_a_refusal_ends_the_hire_and_gives_the_role_back(
    lisa: Session, james: Session, ada: Session, deal: SpaceId
) -> None:
    acts.do(lisa, deal, "fund", 1)
    homes.meet(lisa, james, ada)
    hire.decline(ada, None, deal, "too small")
    homes.meet(lisa, james, ada)
    for session in (lisa, james):
        state = now(session, deal).now.deal
        assert (state.state, state.reason, state.secured) == ("declined", "too small", False)
    offer(lisa, deal, lisa)
    homes.meet(lisa, james, ada)
    accept(james, deal)
    homes.meet(lisa, james, ada)
    acts.do(lisa, deal, "taken")
    homes.meet(lisa, james, ada)
    assert now(james, deal).taken.deal.state == "hired"
    assert not now(james, deal).taken.deal.secured
    agreed(deal, lisa, james, ada)


def test_a_consent_behind_a_refusal_counts_for_nothing(
    lisa: Session, james: Session, ada: Session, deal: SpaceId
) -> None:
    tip = now(ada, deal).tip
    assert tip
    hire.decline(ada, None, deal, "no")
    homes.write_raw(ada, deal, order.AgentDevice(ada.me.device, EventId(text(tip))))
    homes.meet(lisa, james, ada)
    assert now(james, deal).now.deal.state == "declined"
    agreed(deal, lisa, james, ada)


def test_a_refusal_behind_the_consent_counts_for_nothing(
    lisa: Session, james: Session, ada: Session, deal: SpaceId
) -> None:
    accept(ada, deal)
    hired_by = now(ada, deal).now.deal.hired_by
    assert hired_by
    homes.write_raw(ada, deal, consent.AgentRefused(hired_by, "changed my mind"))
    homes.meet(lisa, james, ada)
    assert now(james, deal).now.deal.state == "hired"
    assert now(james, deal).now.deal.consent
    agreed(deal, lisa, james, ada)


def test_a_stranger_consents_to_nothing(lisa: Session, james: Session, ada: Session, deal: SpaceId) -> None:
    tip = now(lisa, deal).tip
    assert tip
    homes.write_raw(james, deal, order.AgentDevice(james.me.device, EventId(text(tip))))
    homes.meet(lisa, james, ada)
    assert now(lisa, deal).now.deal.awaits_agent
    accept(ada, deal)
    homes.meet(lisa, james, ada)
    assert now(lisa, deal).now.deal.consent
    agreed(deal, lisa, james, ada)


def test_a_copy_of_the_clients_home_takes_no_deal_back(
    lisa: Session, james: Session, ada: Session, market: Market, tmp_path: Path
) -> None:
    """The copy's history parts before the take-up of the acceptance, and moves money on paper."""
    made = offered(lisa, james, ada)
    copy = homes.copied(lisa, tmp_path / "copy", market.key("lisa"))
    accept(james, made)
    homes.meet(lisa, james)
    acts.do(lisa, made, "taken")
    acts.do(lisa, made, "fund", 1)
    homes.meet(lisa, james, ada)
    accept(ada, made)
    acts.do(ada, made, "attest")
    homes.meet(lisa, james, ada)
    held = [ms.held for ms in now(james, made).now.deal.milestones]
    last = now(james, made).now.deal.last_movement
    homes.write_raw(copy, made, MoneyReleased(None, 1, 500, 0, last), order.Taken())
    homes.meet(lisa, james, ada, copy)
    assert not now(james, made).now.deal.contested
    assert [ms.held for ms in now(james, made).now.deal.milestones] == held
    agreed(made, lisa, james, ada, copy)
    copy.close()


def test_the_talent_is_no_agent(lisa: Session, james: Session, ada: Session) -> None:
    assert ada.me
    made = homes.open_deal(lisa, james.me.identity, client=True)
    homes.meet(lisa, james)
    acts.do(james, made, "propose")
    homes.meet(lisa, james)
    with pytest.raises(OtherAgent):
        offer(lisa, made, james)


def test_only_the_agent_answers_for_itself(lisa: Session, deal: SpaceId) -> None:
    state = homes.peek(lisa, deal)
    with pytest.raises(NotYours):
        consent.refuse(state.state.deal, state.by, "not mine")
    with pytest.raises(NotYours):
        consent.consent(state.state.deal, state.by, state.state.deal.opening)


def test_the_agent_hears_of_a_deal_however_much_was_said_before(lisa: Session, james: Session, ada: Session) -> None:
    made = homes.open_deal(lisa, james.me.identity, client=True)
    homes.meet(lisa, james)
    acts.do(james, made, "propose")
    for number in range(40):
        acts.do(lisa, made, "message", number)
        acts.do(james, made, "message", number)
    homes.meet(lisa, james)
    offer(lisa, made, ada)
    homes.meet(lisa, james)
    accept(james, made)
    homes.meet(lisa, james)
    acts.do(lisa, made, "taken")
    for _ in range(3):
        homes.carry(lisa, ada, limit=7)
        homes.carry(james, ada, limit=7)
    accept(ada, made)
    homes.meet(lisa, james, ada)
    agreed(made, lisa, james, ada)


def test_who_signed_without_knowing_the_agent_introduces_it_later(
    lisa: Session, james: Session, ada: Session, market: Market, tmp_path: Path
) -> None:
    """The acceptor's copy of the board lacks the agent's profile; upkeep of either side makes up for it."""
    made = homes.open_deal(lisa, james.me.identity, client=True)
    homes.meet(lisa, james)
    acts.do(james, made, "propose")
    homes.meet(lisa, james)
    offer(lisa, made, ada)
    homes.meet(lisa, james)
    james.db.execute("DELETE FROM profile WHERE identity = ?", (raw(ada.me.identity),))
    accept(james, made)
    homes.meet(lisa, james)
    acts.do(lisa, made, "taken")
    homes.meet(lisa, james, ada)
    assert events.find_space(ada.db, made) is None
    assert not upkeep.run(lisa)
    homes.meet(lisa, james, ada)
    accept(ada, made)
    homes.meet(lisa, james, ada)
    assert now(james, made).now.deal.consent


def test_the_clients_device_takes_the_acceptance_up_and_rests(lisa: Session, james: Session, ada: Session) -> None:
    made = offered(lisa, james, ada)
    accept(james, made)
    homes.meet(lisa, james)
    assert upkeep.run(lisa) == []
    assert now(lisa, made).taken.deal.awaits_agent
    assert upkeep.run(lisa) == []


def test_coming_back_sends_the_same_terms_in_another_deal(lisa: Session, james: Session, ada: Session) -> None:
    before = offered(lisa, james, ada)
    accept(james, before)
    homes.meet(lisa, james)
    acts.do(lisa, before, "taken")
    made = hire.hire_again(lisa, None, before, hire.Changes())
    assert made.data["id"] != now(lisa, before).now.deal.public
    newest = finding.find(lisa, made.data["id"], "deal").space
    old, new = now(lisa, before).now.deal, now(lisa, newest).now.deal
    assert new.offer
    assert old.terms
    assert new.state == "offered"
    assert new.offer.terms == replace(old.terms, agent_device=new.offer.terms.agent_device)
    assert (new.offer.terms.agent, new.post, new.board) == (ada.me.identity, None, old.board)
    homes.meet(lisa, james)
    accept(james, new.space)
    assert now(james, new.space).now.deal.state == "hired"


def test_only_the_client_of_a_deal_that_was_hired_comes_back(lisa: Session, james: Session, ada: Session) -> None:
    before = offered(lisa, james, ada)
    with pytest.raises(hire.NeverHired):
        hire.hire_again(lisa, None, before, hire.Changes())
    with pytest.raises(NotYours):
        hire.hire_again(james, None, before, hire.Changes())


def test_an_agent_who_refused_takes_no_deal_back_by_a_second_history_once_both_sides_have_hired_anew(
    lisa: Session, james: Session, ada: Session, deal: SpaceId, market: Market, tmp_path: Path
) -> None:
    """It consents in a copy of its home, and writes a movement there, for which a contest would have it stand."""
    copy = homes.copied(ada, tmp_path / "copy", market.key("mallory"))
    hire.decline(ada, None, deal, "no time")
    homes.meet(lisa, james, ada)
    upkeep.run(lisa)
    homes.meet(lisa, james)
    hire.hire(lisa, None, deal, hire.Changes(agent=lisa.me.identity), beyond=True)
    homes.meet(lisa, james)
    accept(james, deal)
    homes.meet(lisa, james)
    upkeep.run(lisa)
    homes.meet(lisa, james)
    before = now(lisa, deal).taken.deal
    assert (before.state, before.parties.agent) == ("hired", lisa.me.identity)
    accept(copy, deal)
    with homes.deal_writer(copy, deal) as writer:
        nothing = EventId(text(bytes(32)))
        writer.writer.write(writer.space, [MoneyReleased(None, 1, 1, 0, nothing)])
    homes.meet(copy, lisa, james, ada)
    after = now(lisa, deal).taken.deal
    assert (after.state, after.parties.agent) == ("hired", lisa.me.identity)
    agreed(deal, lisa, james, ada, copy)
    copy.close()


def test_a_client_and_an_agent_who_refused_take_no_deal_back_from_the_one_hired_since(
    lisa: Session, james: Session, ada: Session, deal: SpaceId, market: Market, tmp_path: Path
) -> None:
    """The client forks behind the first take-up, and who refused consents behind each of its histories."""
    clara = homes.found(tmp_path, "clara", "talent")
    boards.join(clara, boards.invite(lisa, None).board["invite"], None, None)
    homes.meet(lisa, james, clara)
    kept = [homes.copied(lisa, tmp_path / f"copy {n}", market.key("lisa")) for n in range(5)]
    hire.decline(ada, None, deal, "no time")
    homes.meet(lisa, james, ada)
    upkeep.run(lisa)
    offer(lisa, deal, clara)
    homes.meet(lisa, james, ada)
    accept(james, deal)
    homes.meet(lisa, james)
    upkeep.run(lisa)
    homes.meet(lisa, james, clara)
    accept(clara, deal)
    homes.meet(lisa, james, clara, ada)
    for n, copy in enumerate(kept):
        homes.write_raw(copy, deal, talk.MessageSent(f"history {n}", ()))
    forks = sorted((text(raw(kin.head(copy, deal))), copy) for copy in kept)
    homes.write_raw(ada, deal, *(order.AgentDevice(ada.me.device, EventId(head)) for head, _ in forks))
    homes.meet(lisa, james, clara, ada, *kept)
    after = now(james, deal).taken.deal
    assert (after.state, after.parties.agent, after.contested) == ("hired", clara.me.identity, False)
    assert len(events.branches_of(james.db, homes.space_no(james, deal), raw(lisa.me.device))) > 2
    agreed(deal, lisa, james, ada, clara)
    for session in (clara, *kept):
        session.close()
