"""The transition table: which event may come from whom in which state, and what it leads to.

It is data. `permit` drives every fold of a deal by it; `may`, docs/spec/transitions.md and the test of all
illegal cells are made from it. The numbers are those of docs/spec/money.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from chaise_cli.domain.light import NamedTuple
from chaise_cli.domain.recorded import Parties
from chaise_cli.errors import Refused
from chaise_cli.ids import IdentityId

DEAL_STATES: Final = (
    *("talking", "invited", "proposed", "shortlisted", "offered"),
    *("hired", "closed", "declined", "withdrawn"),
)
MILESTONE_STATES: Final = (
    *("planned", "funding", "funded", "delivered", "changes"),
    *("disputed", "released", "refunded", "cancelled"),
)
ROLES: Final = ("client", "talent", "agent")

_OPEN: Final = ("talking", "invited", "proposed", "shortlisted", "offered", "declined", "withdrawn")  # not hired yet
_WORKING: Final = ("funded", "delivered", "changes")
_ENDED: Final = ("released", "refunded", "cancelled")
_ONCE_FUNDED: Final = (*_WORKING, *_ENDED)


class NotYours(Refused):
    """The act belongs to somebody else."""

    code = "deal.not_yours"
    message = "{act} on {of} is not yours to do; it belongs to: {owner}"
    hint = "see who may do what now: chaise show {of}"
    act: str
    of: str
    owner: str


class WrongState(Refused):
    """The act does not fit the state of the deal or milestone."""

    code = "deal.wrong_state"
    message = "{of} is {state}: {act} does not fit there"
    hint = "see who may do what now: chaise show {of}"
    act: str
    of: str
    state: str


class Row(NamedTuple):
    """One line of the table.

    scope: deal or milestone. variant: tells apart acts of one kind; empty is the plain one. who: client, talent,
    either, agent, own and other, which are the sides seen from the author of what the event answers, or approver.
    to: a state, or `same`. guard: what else must hold, in words. posting: the journal entry it makes.
    verb: the command; empty where the agent does it unasked, or another act brings it along. ready: the name of the
    guard that `may` asks. later: belongs to a later issue and has no code yet.
    """

    number: str
    scope: str
    kind: str
    states: tuple[str, ...]
    who: str
    to: str
    guard: str = ""
    variant: str = ""
    posting: str = ""
    verb: str = ""
    ready: str = ""
    later: bool = False


ROWS: Final[tuple[Row, ...]] = (
    Row("d1", "deal", "deal.invited", ("talking",), "client", "invited", verb="invite"),
    Row("d2", "deal", "deal.proposed", ("talking", "invited", "declined", "withdrawn"), "talent", "proposed",
        "a currency in use, amounts that add up", verb="propose"),
    Row("d2", "deal", "deal.proposed", ("proposed", "shortlisted"), "talent", "same", "as above; revises",
        verb="propose"),
    Row("d3", "deal", "deal.shortlisted", ("proposed",), "client", "shortlisted", verb="shortlist"),
    Row("d4", "deal", "terms.offered", _OPEN, "either", "offered",
        "the deal's two parties, a currency in use, the hash of these very terms", verb="hire"),
    Row("d5", "deal", "terms.accepted", ("offered",), "other", "hired", "names the standing offer and its hash",
        verb="accept"),
    Row("d6", "deal", "deal.declined", ("invited", "proposed", "shortlisted", "offered"), "other", "declined",
        "names what stands: the invitation, the proposal or the terms", verb="decline"),
    Row("d7", "deal", "deal.withdrawn", ("proposed", "shortlisted", "offered"), "own", "withdrawn",
        "names what stands: the proposal or the terms", verb="withdraw"),
    Row("d8", "deal", "agent.refused", ("hired",), "agent", "declined",
        "the agent is a third party that has not consented, and the acceptance that named it"),
    Row("d9", "deal", "deal.signing_key", DEAL_STATES, "either", "same", "the last one of a side stands"),
    Row("g1", "deal", "grant.created", ("hired",), "either", "same",
        "by a device that may certify; verbs of its writer's side, approvers of the deal; see docs/spec/grants.md"),
    Row("g2", "deal", "grant.revoked", ("hired", "closed"), "own", "same", "names a grant in force"),
    Row("g3", "deal", "grant.approved", ("hired",), "approver", "same", "names a grant that names its writer"),
    Row("1", "milestone", "fund.requested", ("planned",), "client", "funding", "total ≤ amount, same currency",
        verb="fund"),
    Row("1", "milestone", "fund.requested", _WORKING, "client", "same", "as above; a top-up", verb="fund",
        ready="topup"),
    Row("1=", "milestone", "fund.requested", ("funding", *_ONCE_FUNDED), "client", "same",
        "its total is reached or asked for already, or its request id was used with these parameters", "repeat"),
    Row("2", "milestone", "money.held", ("funding",), "agent", "funded",
        "first of its turn, names the last movement; the rail confirms the very amount", posting="hold",
        verb="rail attest", ready="held"),
    Row("2", "milestone", "money.held", _WORKING, "agent", "same", "as above; a top-up", posting="hold",
        verb="rail attest", ready="held"),
    Row("3", "milestone", "money.refused", ("funding",), "agent", "planned",
        "an open fund request, names the last movement: declined or expired"),
    Row("3", "milestone", "money.refused", _ONCE_FUNDED, "agent", "same",
        "an open fund request, names the last movement: declined, expired or too late"),
    Row("4", "milestone", "work.delivered", ("funded", "changes"), "talent", "delivered",
        "a file or a note; its uptake starts the review clock; voids a pending cancel request", verb="deliver"),
    Row("5", "milestone", "work.changes_requested", ("delivered",), "client", "changes",
        "before the deadline, with a reason, revisions left; stops the clock", verb="changes", ready="revisions"),
    Row("6", "milestone", "release.authorized", _WORKING, "client", "same",
        "reserves what it would still move, in uptake order; all reservations ≤ held; nothing disputed in it; "
        "a run that it names allows it",
        verb="release", ready="free"),
    Row("6=", "milestone", "release.authorized", (*_WORKING, *_ENDED), "client", "same",
        "its end is reached or asked for already, or its request id was used with these parameters", "repeat"),
    Row("6p", "milestone", "run.recorded", MILESTONE_STATES, "either", "same",
        "total and verdict, files and evidence agree; names the last delivery"),
    Row("7", "milestone", "money.released", (*_WORKING, "cancelled"), "agent", "same or released",
        "first of its turn, names the last movement: what 6 asked for", posting="release"),
    Row("7b", "milestone", "money.paid_out", _ONCE_FUNDED, "agent", "same",
        "payable to that party ≥ amount, names the last movement; the rail confirms", posting="payout",
        verb="rail attest", ready="payable"),
    Row("8", "milestone", "refund.authorized", _WORKING, "talent", "same",
        "reserves as 6 does; not disputed", verb="refund", ready="free"),
    Row("8=", "milestone", "refund.authorized", (*_WORKING, *_ENDED), "talent", "same",
        "its end is reached or asked for already, or its request id was used with these parameters", "repeat"),
    Row("9", "milestone", "money.refunded", (*_WORKING, "cancelled"), "agent", "same or refunded",
        "first of its turn, names the last movement: what 8 or 11 asked for", posting="refund"),
    Row("10", "milestone", "money.released", ("delivered",), "agent", "released",
        "names no operation: the deadline passed, nothing taken up before it against it, auto-release agreed",
        "deadline", posting="release"),
    Row("11", "milestone", "cancel.requested", ("planned",), "either", "cancelled", verb="cancel"),
    Row("11", "milestone", "cancel.requested", ("funded",), "either", "same or cancelled",
        "no request pending; at once where nothing is held, else it waits for the other side", verb="cancel",
        ready="calm"),
    Row("11", "milestone", "cancel.accepted", ("funded",), "other", "cancelled",
        "names the pending request; what is held is refunded by 9", verb="accept", ready="pending"),
    Row("11", "milestone", "cancel.declined", ("funded",), "other", "same", "names the pending request",
        verb="decline", ready="pending"),
    Row("11", "milestone", "cancel.withdrawn", ("funded",), "own", "same", "names the pending request",
        verb="withdraw", ready="pending"),
    Row("11", "milestone", "money.refunded", ("funded",), "agent", "cancelled",
        "names the cancel request, unanswered for as long as the terms say (7 days)", "silence", posting="refund"),
    Row("12", "milestone", "dispute.opened", _WORKING, "either", "disputed", "freezes only that amount", later=True),
    Row("12", "milestone", "money.frozen", _WORKING, "agent", "disputed", posting="freeze", later=True),
    Row("13", "milestone", "settle.offered", ("disputed",), "either", "same", later=True),
    Row("13", "milestone", "settle.accepted", ("disputed",), "other", "settled", "the split adds up exactly",
        posting="settle", later=True),
    Row("14", "milestone", "money.reversed", _ONCE_FUNDED, "agent", "same",
        "names the last movement; at most what was paid in and not clawed back before, once for each reference",
        posting="reversal"),
)  # fmt: skip


def _by_act() -> Mapping[tuple[str, str], tuple[Row, ...]]:
    acts: dict[tuple[str, str], tuple[Row, ...]] = {}
    for row in ROWS:
        if not row.later:
            acts[row.kind, row.variant] = (*acts.get((row.kind, row.variant), ()), row)
    return MappingProxyType(acts)


ACTS: Final = _by_act()
"""The rows with code, by kind and variant."""


_OWNERS: Final = {
    "client": "the client",
    "talent": "the talent",
    "either": "the client and the talent",
    "agent": "the agent's device",
    "own": "the side that began it",
    "other": "the other side",
    "approver": "those whom the grant names",
}


def roles(
    parties: Parties, writer: IdentityId, author: IdentityId | None = None, *, agent: bool = False
) -> frozenset[str]:
    """The roles in which `writer` acts, on the agent device or not; `author` wrote what is being answered."""
    found = {"agent"} if agent else set()
    if writer in {parties.client, parties.talent}:
        found |= {"either", "client" if writer == parties.client else "talent"}
        if author is not None:
            found.add("own" if writer == author else "other")
    return frozenset(found)


def permit(kind: str, state: str, acting: frozenset[str], of: str, variant: str = "") -> Row:
    """The row that allows the act; `of` is what it is done to, as people see it. Raises NotYours or WrongState."""
    mine = [row for row in ACTS[kind, variant] if row.who in acting]
    if not mine:
        raise NotYours(act=_called(kind, variant), of=of, owner=_OWNERS[ACTS[kind, variant][0].who])
    for row in mine:
        if state in row.states:
            return row
    raise WrongState(act=_called(kind, variant), of=of, state=state)


def _called(kind: str, variant: str) -> str:
    """An act as people type it; what only an agent does goes by its kind."""
    return ACTS[kind, variant][0].verb or kind
