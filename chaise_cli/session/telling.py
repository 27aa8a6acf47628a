"""Free times told to the other side of a deal, and told anew when they are others.

The device that told them last keeps them right, for it knows what keeps its owner busy: it notes down in which deals.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chaise_cli.domain import availability
from chaise_cli.domain.availability import SlotsShared
from chaise_cli.domain.booking_fold import NotASide
from chaise_cli.ids import SpaceId
from chaise_cli.session import acting, busy, calls, dealing, finding, meeting, writing
from chaise_cli.store import deal_reads, deal_words, events, own, selves

if TYPE_CHECKING:
    from chaise_cli.domain.deal_state import DealState
    from chaise_cli.session.acting import Done
    from chaise_cli.session.dealing import DealWriter
    from chaise_cli.session.finding import Named
    from chaise_cli.session.requests import Request
    from chaise_cli.session.session import Session


def share(session: Session, asked: Request | None, what: Named, *, stop: bool) -> Done:
    """Tell the other side at which times one is free, and go on doing so; or take that back.

    What was told already is no new event. Raises NoAvailability, NotASide and what entering the deal raises.
    """

    def decide(w: DealWriter) -> list[SlotsShared]:
        if w.by.identity not in w.state.deal.parties[:2]:
            raise NotASide
        times = SlotsShared(session.me.settings.tz, ()) if stop else _times(session)
        last = deal_words.told(session.db, w.space.no, w.by.identity)
        if last is None:
            return [] if stop else [times]
        told_so = last.times == times and (stop or own.is_mine(session.db, last.device))  # or that device goes on
        return [] if told_so else [times]

    def note(w: DealWriter) -> None:
        if stop:
            own.drop(session.db, own.TOLD + w.space.id)
        else:
            own.put(session.db, own.TOLD + w.space.id, b"1")

    def warn(state: DealState) -> list[str]:
        if stop:
            return []
        told = deal_words.told(session.db, finding.space_no(session, state.deal.space), session.me.identity)
        none = told is not None and not any(one.runs for one in told.times.lengths)
        said = ["none of your times is free, and so they were told: chaise availability"] if none else []
        return [*said, *busy.warnings(session, ())]

    return acting.act(session, asked, meeting.reach(session, what), decide, acting.the_deal, warn, then=note)


def spaces(session: Session) -> list[int]:
    """The deals in which this device tells free times."""
    ids = (SpaceId(name.removeprefix(own.TOLD)) for name in own.beginning(session.db, own.TOLD))
    found = (events.find_space(session.db, id_) for id_ in ids)
    return [space.no for space in found if space]


def again(session: Session, no: int) -> None:
    """Tell the free times of a deal anew if they are others, inside a transaction.

    No more in a deal that has ended, nor where another device of mine has told since.
    """
    w = dealing.DealWriter(session, writing.Writer(session), session.space(no))
    if w.state.deal.contested or selves.availability(session.db) is None:
        return
    last = deal_words.told(session.db, no, w.by.identity)
    if last is None or w.state.deal.state in deal_reads.ENDED or not own.is_mine(session.db, last.device):
        own.drop(session.db, own.TOLD + w.space.id)
        return
    times = _times(session)
    if availability.is_outdated(last.times, last.at, times, w.by.now):
        w.write([times])


def _times(session: Session) -> SlotsShared:
    mine = selves.availability(session.db)
    if mine is None:
        raise availability.NoAvailability
    return availability.told(mine, calls.engaged(session), session.clock.now())
