from __future__ import annotations

import json

import pytest

from chaise_cli.domain import deal_fold, hiring, record
from chaise_cli.domain.body import replace
from chaise_cli.domain.deal import Deal, DealInvited, DealWithdrawn, NoSuchMilestone, TermsAccepted, milestone
from chaise_cli.domain.may import may_deal, may_milestone
from chaise_cli.domain.recorded import May
from chaise_cli.domain.terms import DAY_MS, OtherAgent, Planned, TooLarge, UnknownCurrency
from chaise_cli.domain.transitions import NotYours, WrongState
from chaise_cli.ids import IdentityId
from tests.unit.domain.deal_world import (
    ADA,
    DEVICES,
    JAMES,
    LISA,
    MALLORY,
    SIGNATURE,
    SPACE,
    World,
    hired,
    in_state,
    name,
    opening,
    parts,
    proposal,
    sign,
)


def offered() -> World:
    world = World()
    world.propose(60_000, 140_000)
    world.offer(hiring.draft(world.deal))
    return world


def test_either_side_opens_a_deal_and_nobody_else() -> None:
    assert World(LISA).deal.state == World(JAMES).deal.state == "talking"
    with pytest.raises(hiring.BadOpening):
        World(MALLORY)


def test_nobody_makes_a_deal_with_themselves() -> None:
    world = World()
    with pytest.raises(hiring.BadOpening):
        hiring.open_deal(SPACE, world.event(LISA, opening(LISA, LISA)))


def test_a_deal_begins_with_its_opening() -> None:
    with pytest.raises(WrongState):
        hiring.open_deal(SPACE, World().event(LISA, DealInvited("")))


def test_the_terms_come_from_the_proposal_and_become_the_milestones() -> None:
    world = offered()
    world.accept()
    assert world.deal.state == "hired"
    assert [(ms.n, ms.amount, ms.state) for ms in world.deal.milestones] == [
        (1, 60_000, "planned"),
        (2, 140_000, "planned"),
    ]
    assert world.deal.agreed.review_ms == 14 * DAY_MS
    assert world.deal.agreed.auto_release


def test_a_second_proposal_revises_the_first() -> None:
    world = World()
    world.propose(600)
    world.record(LISA, *hiring.shortlist(world.deal, world.by(LISA)))
    world.propose(700)
    assert world.deal.state == "shortlisted"
    assert hiring.draft(world.deal).milestones[0].amount == 700


def test_repeating_what_stands_says_nothing() -> None:
    world = World()
    world.record(LISA, *hiring.invite(world.deal, world.by(LISA)))
    assert hiring.invite(world.deal, world.by(LISA)) == []
    world.propose(600)
    same = proposal([Planned("Part 1", 600, None)])
    assert hiring.propose(world.deal, world.by(JAMES), same) == []
    world.record(LISA, *hiring.shortlist(world.deal, world.by(LISA)))
    assert hiring.shortlist(world.deal, world.by(LISA)) == []
    terms = hiring.draft(world.deal)
    world.offer(terms)
    assert hiring.hire(world.deal, world.by(LISA), terms, sign) == []
    world.accept()
    assert hiring.accept_terms(world.deal, world.by(JAMES), sign) == []
    assert hiring.accept_terms(world.deal, world.by(JAMES), sign, world.deal.terms_hash) == []


def test_declining_and_withdrawing_twice_says_nothing() -> None:
    world = offered()
    world.record(JAMES, *hiring.decline(world.deal, world.by(JAMES), "too little"))
    assert (world.deal.state, world.deal.reason) == ("declined", "too little")
    assert hiring.decline(world.deal, world.by(JAMES)) == []
    world.propose(700)
    world.record(JAMES, *hiring.withdraw(world.deal, world.by(JAMES)))
    assert world.deal.state == "withdrawn"
    assert hiring.withdraw(world.deal, world.by(JAMES)) == []


def test_nobody_declines_their_own_words_or_withdraws_the_others() -> None:
    world = offered()
    with pytest.raises(NotYours):
        hiring.decline(world.deal, world.by(LISA))
    with pytest.raises(NotYours):
        hiring.withdraw(world.deal, world.by(JAMES))


def test_there_must_be_something_to_answer() -> None:
    world = World()
    with pytest.raises(WrongState):
        hiring.decline(world.deal, world.by(LISA))
    with pytest.raises(WrongState):
        hiring.withdraw(world.deal, world.by(LISA))
    with pytest.raises(WrongState):
        hiring.accept_terms(world.deal, world.by(LISA), sign)
    with pytest.raises(hiring.NothingProposed):
        hiring.draft(world.deal)


def test_an_answer_to_what_no_longer_stands_is_void() -> None:
    world = World()
    old = world.propose(600)
    world.propose(700)
    with pytest.raises(hiring.SomethingElse):
        world.record(JAMES, DealWithdrawn(old))


def test_only_the_standing_offer_can_be_accepted() -> None:
    world = offered()
    old = world.deal.offer
    world.offer(hiring.draft(world.deal, review_ms=7 * DAY_MS), JAMES)
    assert old is not None
    with pytest.raises(NotYours):
        world.accept(JAMES)
    with pytest.raises(hiring.TermsMoved):
        world.record(LISA, TermsAccepted(old.id, old.hash, SIGNATURE))
    with pytest.raises(hiring.TermsMoved) as moved:
        hiring.accept_terms(world.deal, world.by(LISA), sign, old.hash)
    assert moved.value.exit == 6
    world.accept(LISA)
    assert world.deal.agreed.review_ms == 7 * DAY_MS


def test_the_hash_that_was_agreed_is_the_one_to_repeat() -> None:
    world = hired()
    with pytest.raises(hiring.TermsMoved):
        hiring.accept_terms(world.deal, world.by(JAMES), sign, name("another"))
    with pytest.raises(NotYours):
        hiring.accept_terms(world.deal, world.by(MALLORY), sign)


def test_offering_the_others_very_terms_is_accepting_them() -> None:
    world = offered()
    with pytest.raises(hiring.SameTerms):
        hiring.hire(world.deal, world.by(JAMES), hiring.draft(world.deal), sign)


def test_terms_of_others_and_impossible_amounts_are_refused() -> None:
    world = World()
    with pytest.raises(UnknownCurrency):
        hiring.propose(world.deal, world.by(JAMES), proposal([Planned("All", 1, None)], "ZZZ"))
    with pytest.raises(TooLarge):
        hiring.propose(world.deal, world.by(JAMES), proposal([Planned("All", 2**53 - 1, None)] * 2))


@pytest.mark.parametrize(("agent", "device"), [(JAMES, JAMES), (JAMES, ADA), (LISA, JAMES), (LISA, ADA)])
def test_neither_the_talent_nor_a_device_of_the_client_without_the_role_becomes_the_agent(
    agent: IdentityId, device: IdentityId
) -> None:
    world = World()
    named = hiring.draft(world.deal, milestones=parts(600), currency="EUR", agent=agent, agent_device=DEVICES[device])
    with pytest.raises(OtherAgent):
        hiring.hire(world.deal, world.by(JAMES), named, sign)


def test_terms_offered_before_a_handover_are_accepted_and_leave_the_role_where_it_went() -> None:
    world = offered()
    phone = world.deal.parties._replace(agent_device=DEVICES[ADA])
    world.deal = world.deal._replace(parties=phone)
    assert hiring.draft(world.deal).agent_device == DEVICES[ADA]  # a counter-offer names who has it now
    world.accept()
    assert world.deal.state == "hired"
    assert world.deal.parties == phone


def test_a_provisional_word_makes_the_deal_provisional() -> None:
    world = World()
    assert world.deal.final
    world.record(JAMES, proposal([Planned("All", 1, None)]), final=False)
    assert not world.deal.final


def test_a_milestone_is_found_by_its_number() -> None:
    world = hired(1, 2)
    assert milestone(world.deal, 2).amount == 2
    for n in (0, 3):
        with pytest.raises(NoSuchMilestone):
            milestone(world.deal, n)


@pytest.mark.parametrize("state", ["planned", "funding", "funded", "delivered", "changes", "released", "cancelled"])
def test_a_deal_survives_being_stored(state: str) -> None:
    world = in_state(state)
    assert record.load(Deal, json.loads(record.dump(world.deal))) == world.deal


def test_who_may_do_what_follows_the_table() -> None:
    world = offered()
    assert may_deal(world.deal) == [
        May("client", "hire", None),
        May("talent", "hire", None),
        May("talent", "accept", None),
        May("talent", "decline", None),
        May("client", "withdraw", None),
    ]
    assert may_milestone(world.deal, hiring.planned(parts(1))[0]) == []


def test_the_right_to_ask_for_changes_ends_with_the_review_period() -> None:
    world = in_state("delivered")
    assert may_milestone(world.deal, world.ms()) == [
        May("client", "changes", world.now + 14 * DAY_MS),
        May("client", "release", None),
        May("talent", "refund", None),
    ]


def test_a_cancel_request_is_answered_by_the_other_side_until_it_lapses() -> None:
    world = in_state("funded")
    world.cancel(who=JAMES)
    until = world.now + 7 * DAY_MS
    found = may_milestone(world.deal, world.ms())
    assert {May("client", "accept", until), May("client", "decline", until), May("talent", "withdraw", until)} <= {
        *found
    }


def test_may_and_the_rules_agree_on_every_plain_act() -> None:
    """What `may` shows of fund, release, refund and changes can be done, and what it leaves out cannot."""
    for state in ("planned", "funding", "funded", "delivered", "changes", "released", "refunded", "cancelled"):
        world = in_state(state)
        shown = {each.verb for each in may_milestone(world.deal, world.ms())}
        assert ("release" in shown) == (world.ms().held > 0)
        assert ("fund" in shown) == (state == "planned")
        assert ("deliver" in shown) == (state in {"funded", "changes"})
        assert ("changes" in shown) == (state == "delivered")
        assert ("rail attest" in shown) == (state in {"funding", "released", "refunded"})


def test_a_deal_that_was_folded_twice_is_the_same() -> None:
    world = hired()
    e = world.event(LISA, DealInvited(""))
    with pytest.raises(WrongState):
        deal_fold.step(world.deal, e)
    assert replace(world.deal.agreed) == world.deal.agreed


def test_frozen_money_shows_as_disputed() -> None:
    ms = in_state("delivered").ms()
    assert ms._replace(disputed=1).state == "disputed"


def test_nobody_answers_before_somebody_asked() -> None:
    offer_less = May("talent", "accept", None)
    assert offer_less not in may_deal(World().deal)
