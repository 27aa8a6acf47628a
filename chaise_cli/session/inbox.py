"""The inbox: what waits for you over all deals, each with the command to type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from chaise_cli.domain import expected, when
from chaise_cli.domain.light import NamedTuple
from chaise_cli.domain.when import instant_text
from chaise_cli.session import upcoming
from chaise_cli.store import deal_reads, deal_states, message_reads

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from chaise_cli.domain.deal_state import DealState
    from chaise_cli.domain.expected import Expected
    from chaise_cli.ids import IdentityId
    from chaise_cli.session.session import Session

KINDS: Final = (expected.KINDS[0], "request", "message", *expected.KINDS[1:])  # what is contested before all else
ENDED_FOR: Final = 60 * when.DAY  # so long a deal that is over may still ask for something
SORTS: Final = ("urgency", "at")
_SAID: Final = {  # kind → what is said of it, with the other side's handle and the id
    "contested": "two histories of {of} moved money; settle with {other} which stands",
    "consent": "{other} ask you to hold their money",
    "terms": "terms from {other} to read and sign",
    "cancel": "{other} asks to cancel {of}",
    "delivery": "{of} was delivered by {other}",
    "call": "{other} offers times for a call",
    "call_lapsed": "your offer of a call with {other} has lapsed",
    "call_lost": "the call with {other} collides with another",
    "call_outcome": "the call with {other} has probably taken place",
    "proposal": "proposal from {other}",
    "shortlisted": "{other} is shortlisted",
    "invitation": "{other} invites you to propose",
    "changes": "{other} asks for changes to {of}",
    "funded": "{of} is funded",
    "planned": "{of} waits for its money",
    "hold": "money for {of} is to be received",
    "payout": "money for {of} is to be paid out",
    "review": "{other} can be reviewed",
    "talk": "a talk with {other} about their post",
}
_THEIRS: Final = {  # the same when it waits for somebody else
    "contested": "their word on which history of {of} stands",
    "consent": "the agent of {of} to consent",
    "terms": "your terms to be signed",
    "cancel": "your request to cancel {of}",
    "delivery": "your delivery of {of}",
    "call": "the times you offered for a call",
    "call_lapsed": "their offer of a call, which has lapsed",
    "call_lost": "a call that collides with another",
    "call_outcome": "how your call went",
    "proposal": "your proposal",
    "shortlisted": "terms, for you are shortlisted",
    "invitation": "your invitation to propose",
    "changes": "the changes you asked for in {of}",
    "funded": "the work on {of}",
    "planned": "the money for {of}",
    "hold": "money for {of} to be received",
    "payout": "money for {of} to be paid out",
    "review": "their review",
}
_TALK: Final = "talk"  # waits for nothing in particular, so it is left out


class Wanted(NamedTuple):
    """Which items a list wants; empty and None want all. everybody: also what waits for somebody else."""

    kinds: Sequence[str] = ()
    person: IdentityId | None = None
    since: int | None = None
    everybody: bool = False
    sort: str = "urgency"
    limit: int = 10


class _Item(NamedTuple):
    kind: str
    until: int | None
    at: int
    shape: dict[str, Any]

    def urgency(self) -> tuple[bool, bool, int, int, int, str]:
        """Mine first; then what has a date, by it; then by kind; the newest first."""
        mine = self.shape["waits_for"] is None
        return (
            not mine, self.until is None, self.until or 0, KINDS.index(self.kind), -self.at, str(self.shape["id"])
        )  # fmt: skip


def items(session: Session, wanted: Wanted) -> list[dict[str, Any]]:
    """What waits, the most urgent first."""
    with session.reading():
        unread = dict(message_reads.unread(session.db, session.me.identity))
        found = [
            item for deal in _deals(session, wanted) for item in _of_deal(session, deal.no, unread.get(deal.no, 0))
        ]
    kept = [
        item
        for item in found
        if (not wanted.kinds or item.kind in wanted.kinds) and (wanted.everybody or item.shape["waits_for"] is None)
    ]
    key = _Item.urgency if wanted.sort == "urgency" else lambda item: (-item.at, str(item.shape["id"]))
    return [item.shape for item in sorted(kept, key=key)[: wanted.limit]]


def _deals(session: Session, wanted: Wanted) -> list[deal_reads.Found]:
    """Every deal that goes on, and of the others those that moved lately."""
    lately = max(session.clock.now() - ENDED_FOR, wanted.since or 0)
    going = deal_reads.Wanted(deal_reads.LIVE, wanted.person, wanted.since)
    ended = deal_reads.Wanted(deal_reads.ENDED, wanted.person, lately)
    return [*deal_reads.select(session.db, going), *deal_reads.select(session.db, ended)]


def _of_deal(session: Session, space: int, unread: int) -> Iterator[_Item]:
    loaded = deal_states.load(session.db, space)
    assert loaded, "a row of the table of deals"
    state, at = loaded.now, loaded.at
    parties = state.deal.parties
    if session.me.identity not in parties[:3]:
        return
    sides = parties[:2] if session.me.identity == parties.agent != parties.client else None
    other = " and ".join(_name(session, one) for one in sides or (parties.other(session.me.identity),))
    deal = state.deal.public
    stranger = not sides and deal_reads.opened_by_other(session.db, space, session.me.identity)
    if unread:
        kind = "request" if stranger else "message"
        count = f"{unread} new message{'s' if unread != 1 else ''} from {other}"
        yield _item(kind, deal, deal, f"first words: {count}" if stranger else count, at, f"chaise messages {deal}")
    waiting = [one for one in expected.of(state, session.clock.now()) if one.kind != _TALK]
    if stranger and not unread and not any(_mine(session, state, one) for one in waiting):
        yield _item("request", deal, deal, f"{other} has opened a deal with you", at, f"chaise show {deal}")
    for one in waiting:
        yield _expected(session, state, one, other, at)


def _expected(session: Session, state: DealState, one: Expected, other: str, at: int) -> _Item:
    step = upcoming.step(session, state, one)
    mine = _mine(session, state, one)
    text = (_SAID if mine else _THEIRS)[one.kind].format(other=other, of=one.of)
    item = _item(one.kind, one.of, state.deal.public, text, at, one.command)
    return item._replace(
        until=one.until, shape=item.shape | {"waits_for": None if mine else step.who, "until": step.until}
    )


def _mine(session: Session, state: DealState, one: Expected) -> bool:
    parties = state.deal.parties
    if one.who == "agent":
        return parties.agent_device == session.me.device
    return session.me.identity == (parties.client if one.who == "client" else parties.talent)


def _item(kind: str, of: str, deal: str, text: str, at: int, command: str) -> _Item:
    shape: dict[str, Any] = {
        "id": of, "deal": deal, "kind": kind, "text": text, "at": instant_text(at), "waits_for": None, "until": None,
        "next": command,
    }  # fmt: skip
    return _Item(kind, None, at, shape)


def _name(session: Session, identity: IdentityId) -> str:
    known = session.person(identity)
    return f"@{known['handle']}" if known["handle"] else str(known["id"])
