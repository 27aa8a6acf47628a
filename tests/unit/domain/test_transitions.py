from __future__ import annotations

import copy
import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from chaise_cli.domain import cancellation, deal_fold, escrow, hiring, movements, runs, work
from chaise_cli.domain.consent import AgentRefused
from chaise_cli.domain.deal import (
    DealDeclined,
    DealInvited,
    DealShortlisted,
    DealWithdrawn,
    TermsAccepted,
    TermsOffered,
)
from chaise_cli.domain.grant import Approvals, GrantApproved, GrantRevoked
from chaise_cli.domain.grants import NoSuchGrant
from chaise_cli.domain.shape import Body
from chaise_cli.domain.talk import Attachment
from chaise_cli.domain.terms import Planned, digest
from chaise_cli.domain.transition_page import page
from chaise_cli.domain.transitions import ACTS, DEAL_STATES, MILESTONE_STATES, ROLES, ROWS, NotYours, Row, WrongState
from chaise_cli.errors import Refused
from chaise_cli.ids import EventId, IdentityId
from tests.unit.domain.deal_world import (
    ADA,
    DEVICES,
    JAMES,
    LISA,
    MALLORY,
    SIGNATURE,
    World,
    granted,
    hired,
    in_state,
    name,
    parts,
    proposal,
    sign,
)

ROOT = Path(__file__).parents[3]
WHO = {"client": LISA, "talent": JAMES, "agent": ADA, "nobody": MALLORY}
REACHABLE = [state for state in MILESTONE_STATES if state != "disputed"]
SOME = EventId(name("some"))
_FILE = Attachment("release.toml", 1, name("print"), name("address"), name("key"))
DEAL_KINDS = {row.kind for row in ROWS if row.scope == "deal"}
MILESTONE_KINDS = {row.kind for row in ROWS if row.scope == "milestone" and not row.later}


def test_the_page_in_the_spec_is_made_from_the_table() -> None:
    assert (ROOT / "docs/spec/transitions.md").read_text() == page()


def test_every_kind_that_folds_has_a_row_and_every_row_a_rule() -> None:
    assert {kind for kind, _ in ACTS} == set(deal_fold.STEPS)


def test_rows_name_states_that_exist() -> None:
    for row in ROWS:
        known = DEAL_STATES if row.scope == "deal" else MILESTONE_STATES
        assert set(row.states) <= set(known)
        assert row.later or set(row.to.split(" or ")) <= {*known, "same"}


def deal_in(state: str) -> World:
    """A deal in this state; the offer, where there is one, is Lisa's."""
    if state == "hired":
        world = hired()
        world.record(LISA, granted(approvals=Approvals(1, (JAMES,))))
        return world
    if state == "closed":
        return _closed()
    world = World()
    steps: dict[str, Callable[[], object]] = {
        "talking": lambda: None,
        "invited": lambda: world.record(LISA, DealInvited("")),
        "proposed": lambda: world.propose(600),
        "shortlisted": lambda: (world.propose(600), world.record(LISA, DealShortlisted())),
        "offered": lambda: (world.propose(600), world.offer(hiring.draft(world.deal))),
        "declined": lambda: world.record(LISA, DealDeclined(world.propose(600), "")),
        "withdrawn": lambda: world.record(JAMES, DealWithdrawn(world.propose(600))),
    }
    steps[state]()
    assert world.deal.state == state
    return world


def _closed() -> World:
    world = in_state("released")
    world.record(LISA, granted(approvals=Approvals(1, (JAMES,))))
    world.cancel(2)
    assert world.deal.state == "closed"
    return world


def deal_body(world: World, kind: str, who: IdentityId) -> Body:
    subject = hiring.standing(world.deal)
    named = subject[0] if subject else SOME
    wanted = hiring.draft(world.deal, milestones=parts(700), currency="EUR")
    grant = next(map(EventId, world.deal.grants), SOME)
    bodies: dict[str, Body] = {
        "deal.invited": DealInvited(""),
        "deal.proposed": proposal([Planned("All", 500, None)]),
        "deal.shortlisted": DealShortlisted(),
        "deal.declined": DealDeclined(named, ""),
        "deal.withdrawn": DealWithdrawn(named),
        "terms.offered": TermsOffered(wanted, digest(wanted), SIGNATURE),
        "agent.refused": AgentRefused(world.deal.hired_by or SOME, "too small"),
        "deal.signing_key": runs.DealSigningKey(name("key")),
        "grant.created": granted("another", who if who == JAMES else LISA),
        "grant.revoked": GrantRevoked(grant),
        "grant.approved": GrantApproved(grant, 1, 100, "EUR"),
        "terms.accepted": TermsAccepted(named, world.deal.offer.hash if world.deal.offer else name("none"), SIGNATURE),
    }
    return bodies[kind]


@pytest.mark.parametrize("state", DEAL_STATES)
def test_a_deal_moves_only_where_a_row_allows_it(state: str, subtests: pytest.Subtests) -> None:
    world = deal_in(state)
    for kind, (role, who) in itertools.product(sorted(DEAL_KINDS), WHO.items()):
        with subtests.test(kind=kind, role=role):
            _a_deal_moves(copy.copy(world), state, kind, who)


def _a_deal_moves(world: World, state: str, kind: str, who: IdentityId) -> None:
    if who == ADA:
        _with_agent(world)
    subject = hiring.standing(world.deal)
    acting = {MALLORY: set[str](), ADA: {"agent"}}.get(who, {"either", "client" if who == LISA else "talent"})
    if subject and "either" in acting:
        acting.add("own" if subject[1] == who else "other")
    if kind == "grant.revoked":  # Lisa has made the grant, and named James
        acting = {"own"} if who == LISA else {"other"}
    if kind == "grant.approved":
        acting = {"approver"} if who == JAMES else set()
    rows = [row for row in ROWS if row.kind == kind and state in row.states and row.who in acting]
    if rows:
        world.record(who, deal_body(world, kind, who))
        assert world.deal.state == (state if rows[0].to == "same" else rows[0].to)
    else:
        with pytest.raises((NotYours, WrongState, NoSuchGrant)):
            world.record(who, deal_body(world, kind, who))


def milestone_bodies(world: World, kind: str) -> list[Body]:
    """Bodies of this kind that are as right as they can be in this state: plain ones first."""
    deal, ms = world.deal, world.ms()
    last, print_ = deal.last_movement, name("print")
    ops = [*(op for ids in ms.open.values() for op in ids), *map(EventId, deal.ops), SOME]
    request = ms.cancel.id if ms.cancel else SOME
    give = [(100, None), (ms.released or ms.refunded or 1, None), (None, ms.last_hold)]
    bodies: dict[str, list[Body]] = {
        "fund.requested": [escrow.FundRequested(1, total, "EUR", None, print_) for total in (ms.amount, 100)],
        "work.delivered": [work.WorkDelivered(1, "done", ())],
        "work.changes_requested": [work.WorkChangesRequested(1, "the pixel")],
        "release.authorized": [
            escrow.ReleaseAuthorized(1, total, None, hold, "EUR", None, print_, None) for total, hold in give
        ],
        "refund.authorized": [
            escrow.RefundAuthorized(1, total, None, hold, "EUR", None, print_) for total, hold in give
        ],
        "run.recorded": runs.record(deal, world.by(LISA), 1, print_, runs.Verdict("deny", None, ()), (), (_FILE,)),
        "cancel.requested": [cancellation.CancelRequested(1, "")],
        "cancel.accepted": [cancellation.CancelAccepted(request)],
        "cancel.declined": [cancellation.CancelDeclined(request)],
        "cancel.withdrawn": [cancellation.CancelWithdrawn(request)],
        "money.held": [movements.MoneyHeld(op, 1, ms.amount, 0, 0, last, "ref") for op in ops],
        "money.refused": [movements.MoneyRefused(op, "no", last) for op in ops],
        "money.released": [movements.MoneyReleased(op, 1, ms.held, 0, last) for op in [None, *ops]],
        "money.refunded": [movements.MoneyRefunded(op, 1, ms.held, 0, last) for op in [request, *ops]],
        "money.paid_out": [movements.MoneyPaidOut(1, who, ms.payable, 0, last, "ref") for who in (LISA, JAMES)],
        "money.reversed": [movements.MoneyReversed(1, ms.funded, 0, last, "ref")],
    }
    return bodies[kind]


def _prepare(world: World, kind: str) -> None:
    """What must have been asked before the agent can do it."""
    wanted = {"money.released": (LISA, escrow.release), "money.refunded": (JAMES, escrow.refund)}
    if kind in wanted and world.ms().held:
        who, ask = wanted[kind]
        world.record(who, *ask(world.deal, world.by(who), 1))
    if kind in {"cancel.accepted", "cancel.declined", "cancel.withdrawn"} and world.ms().state == "funded":
        world.cancel(who=JAMES)


@pytest.mark.parametrize("state", REACHABLE)
def test_a_milestone_refuses_what_no_row_allows(state: str, subtests: pytest.Subtests) -> None:
    world = _with_agent(in_state(state))
    for kind, role in itertools.product(sorted(MILESTONE_KINDS), (*ROLES, "nobody")):
        with subtests.test(kind=kind, role=role):
            _a_milestone_refuses(copy.copy(world), state, kind, role)


def _a_milestone_refuses(world: World, state: str, kind: str, role: str) -> None:
    _prepare(world, kind)
    who = WHO[role]
    acting = {role} | ({"either"} if role in {"client", "talent"} else set())
    if role in {"client", "talent"}:
        acting.add("own" if who == JAMES else "other")  # James asks for the end
    rows = [row for row in ROWS if row.kind == kind and state in row.states and row.who in acting]
    outcomes = [_outcome(world, who, body) for body in milestone_bodies(world, kind)]
    if not rows:
        assert "fine" not in outcomes
    else:
        assert "fine" in outcomes or not _something_to_do(world, kind, rows)


def _something_to_do(world: World, kind: str, rows: list[Row]) -> bool:
    """Whether the money is there that the act is about; without it the row's guard refuses."""
    ms = world.ms()
    if kind == "money.paid_out":
        return ms.payable > 0
    if kind in {"money.held", "money.refused"}:
        return bool(ms.open["fund"])
    if kind == "money.reversed":
        return ms.funded > 0
    if kind in {"money.released", "money.refunded"}:
        return ms.held > 0
    only_repeats = all(row.variant == "repeat" for row in rows)
    return not only_repeats or ms.moved(kind.partition(".")[0]) > 0


def _with_agent(world: World) -> World:
    """The same deal with Ada's server as its agent device."""
    world.deal = world.deal._replace(parties=world.deal.parties._replace(agent=ADA, agent_device=DEVICES[ADA]))
    return world


def _outcome(world: World, who: IdentityId, body: Body) -> str:
    before = world.deal
    try:
        world.record(who, body)
    except Refused:
        return "refused"
    finally:
        world.deal = before
    return "fine"


def test_the_refusal_says_whose_act_it_is_and_in_which_state() -> None:
    world = in_state("planned")
    with pytest.raises(NotYours, match=r"fund on .*belongs to: the client"):
        escrow.fund(world.deal, world.by(JAMES), 1)
    with pytest.raises(WrongState, match=r"/1 is planned: release does not fit there"):
        escrow.release(world.deal, world.by(LISA), 1)
    with pytest.raises(WrongState, match="is hired"):
        hiring.hire(world.deal, world.by(LISA), hiring.draft(world.deal, milestones=parts(1), currency="EUR"), sign)
