"""A contested deal: its histories shown, and this side's word on which event of the agent was the last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from chaise_cli import ids
from chaise_cli.domain import contest, deal_view
from chaise_cli.domain.light import NamedTuple
from chaise_cli.domain.when import instant_text
from chaise_cli.ids import public
from chaise_cli.session import acting, finding, history, showing
from chaise_cli.store import deals, events

if TYPE_CHECKING:
    from chaise_cli.domain.contest import Way
    from chaise_cli.domain.deal import Deal
    from chaise_cli.ids import EventId
    from chaise_cli.session.dealing import DealWriter
    from chaise_cli.session.finding import Named
    from chaise_cli.session.requests import Request
    from chaise_cli.session.session import Session


class Settled(NamedTuple):
    """The contest as it now stands, and what was written."""

    data: dict[str, Any]
    events: Sequence[str]
    replayed: bool


def shown(session: Session, named: Named) -> dict[str, Any]:
    """The contest of a deal."""
    with session.reading():
        return _shape(session, showing.state_of(session, named.space).deal, _ways(session, named))


def settle(session: Session, named: Named, last: str, asked: Request | None) -> Settled:
    """Name the agent's last event. Raises what `contest.settle` raises, Unknown, SeveralEvents."""
    with session.writing():
        event = history.find(session, last).id

        def do(deal: DealWriter) -> None:
            bodies = contest.settle(deal.state.deal, deal.by, _ways(session, named), event)
            if bodies:
                deal.write(bodies, asked)

        deal, events, _ = acting.once(session, asked, named.space, do)
        data = _shape(session, deal.state.deal, _ways(session, named))
        return Settled(data, events, replayed=not deal.writer.written)


def _ways(session: Session, named: Named) -> list[Way]:
    space = events.space_numbered(session.db, finding.space_no(session, named.space))
    return deals.DealFold(session.db, space).ways()


def _shape(session: Session, deal: Deal, ways: Sequence[Way]) -> dict[str, Any]:
    return {
        "id": deal.public,
        "contested": deal.contested,
        "histories": [_history(session, deal, way) for way in ways] if deal.contested else [],
    }


def _history(session: Session, deal: Deal, way: Way) -> dict[str, Any]:
    currency = deal_view.currency_of(deal)
    return {
        "first": _shown(way.first),
        "last": _shown(way.events[-1]),
        "device": public("dev", way.device),
        "stands": way.stands,
        "movements": [
            {
                "event": _shown(moved.id),
                "kind": moved.kind,
                "milestone": moved.milestone,
                "amount": deal_view.money(moved.amount, currency) if currency else None,
                "at": instant_text(moved.at),
            }
            for moved in way.moves
        ],
        "named": [{"person": session.person(word.by), "last": _shown(word.last)} for word in way.words],
    }


def _shown(event: EventId) -> str:
    return ids.base32(ids.raw(event))
