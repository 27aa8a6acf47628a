"""Verdicts: of calls in different deals at one time, agreed to by different devices of the talent, one is kept.

docs/spec/bookings.md, The talent's time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chaise_cli.domain.booking import BookingLost
from chaise_cli.domain.booking_fold import competes
from chaise_cli.domain.booking_verdict import Claim, losers
from chaise_cli.ids import raw
from chaise_cli.session import dealing, writing
from chaise_cli.store import deal_reads, events

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chaise_cli.domain.booking_verdict import Rank
    from chaise_cli.ids import EventId
    from chaise_cli.session.session import Session


def due(session: Session) -> list[int]:
    """The deals in which a call of mine lost its time to one in another deal, and nobody has said so yet."""
    return sorted({lost.deal for lost in losers(_claims(session))})


def give(session: Session, space: int) -> None:
    """Say so in one of these deals. Inside a transaction, in which everything is looked at again."""
    found = [lost for lost in losers(_claims(session)) if lost.deal == space]
    if found:
        deal = dealing.DealWriter(session, writing.Writer(session), session.space(space))
        deal.write([BookingLost(lost.booking, lost.commitment) for lost in found])


def _claims(session: Session) -> Iterator[Claim]:
    """The calls of mine that take their time for themselves, in deals where two meet."""
    for space in deal_reads.clashing(session.db, session.me.identity):
        for call in deal_reads.state(session.db, space).bookings.by_id.values():
            if competes(call) and call.commitment:
                bound = call.commitment.id
                yield Claim(space, call.id, bound, _rank(session, bound), call.outcome, call.times)


def _rank(session: Session, commitment: EventId) -> Rank:
    found = events.find_event(session.db, raw(commitment))
    assert found, "what was folded is held"
    return found.lamport, found.device, found.seq, found.id
