"""What falls due by itself, done after each sync: uptakes, movements, lapsed offers, free times, reviews, vouchers.

Each deal is looked after in a transaction of its own, and everything follows from what is stored: a second run
right after the first writes nothing, and one that was killed is simply run again.
"""

from __future__ import annotations

from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from chaise_cli.domain import booking_acts, booking_series
from chaise_cli.domain.booking_acts import Taken
from chaise_cli.domain.directory import PostClosed
from chaise_cli.domain.order import AgentDevice
from chaise_cli.errors import ChaiseError
from chaise_cli.ids import EventId, public
from chaise_cli.session import agency, calls, dealing, renewal, selfspace, trust, verdicts, writing
from chaise_cli.session.session import ThisRevoked
from chaise_cli.store import deal_reads, deal_states, duties, events, own, selves

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from chaise_cli.session.session import Session


def run(session: Session) -> list[str]:
    """Do what falls due in every deal; what could not be done, in words. The others are done all the same."""
    if session.revoked:
        return [ThisRevoked().sentence()]
    problems: list[str] = []
    me = session.me
    own_no = events.spaces(session.db, "self")[0].no
    _guarded(session, own_no, problems, partial(_share, session))
    if selves.revocation_bodies(session.db):
        revoking: Any = import_module("chaise_cli.session.revoking")  # and HPKE, which most never need
        _guarded(session, own_no, problems, lambda: problems.extend(revoking.keep_up(session, writing.Writer(session))))
    for space, after in renewal.orphaned(session):
        _guarded(session, space, problems, partial(_take_over, session, space, after))
    for space in verdicts.due(session):
        _guarded(session, space, problems, partial(verdicts.give, session, space))
    busy = duties.busy(session.db, me.identity, me.device)
    confirmed = _confirmed(session) if busy else []
    for space in busy:
        _guarded(session, space, problems, partial(_look_after, session, space, confirmed, problems))
    if own.beginning(session.db, own.TOLD):
        telling: Any = import_module("chaise_cli.session.telling")  # most tell nobody when they are free
        for space in telling.spaces(session):
            _guarded(session, space, problems, partial(telling.again, session, space))
    for space, post, board in duties.hired_posts(session.db, me.identity):
        _guarded(session, space, problems, partial(_fill, session, post, board))
    return problems


def _guarded(session: Session, space: int, problems: list[str], do: Callable[[], None]) -> None:
    """One transaction for one space; a refusal is told, nothing of it is kept, and the next one goes on."""
    try:
        with session.writing():
            do()
    except ChaiseError as error:
        found = events.space_numbered(session.db, space)
        about = "your own devices" if found.kind == "self" else public(found.kind, found.id)
        problems.append(f"{about}: {error.sentence()}")


def _share(session: Session) -> None:
    """What my devices share, both ways."""
    selfspace.settle(session)
    selfspace.tell(session, writing.Writer(session))


def _take_over(session: Session, no: int, after: EventId) -> None:
    """The agent's role in a deal that was opened with a key this home has renewed since."""
    writing.Writer(session).write(session.space(no), [AgentDevice(session.me.device, after)])


def _look_after(session: Session, no: int, confirmed: Sequence[Taken], problems: list[str]) -> None:
    """One deal. confirmed: my calls as a talent, in all deals. problems: takes what nothing else waits for."""
    deal = dealing.DealWriter(session, writing.Writer(session), session.space(no))
    if deal.state.deal.contested:
        return
    heard = agency.heard(session, deal.state.deal.board) if deal.by.agent else 0
    if deal.by.agent:
        agency.tend(deal, heard, agency.note_absence(session, deal.state.deal.board))
    if deal.state.deal.awaits_agent:
        agency.introduce(deal)
    state, by = deal.state, deal.by
    if by.identity in state.deal.parties[:2]:
        deal.write(booking_acts.lapsed(state.bookings, by.identity, by.now))
        if state.deal.state in deal_reads.ENDED:
            deal.write(booking_series.ended(deal.state.bookings, by.identity, by.now))
    if by.identity == state.deal.parties.talent:
        deal.write(booking_acts.yielding(deal.state.bookings, state.deal.parties, confirmed))
        deal.write(calls.reissued(session, deal))
    problems += trust.bring_out(deal, heard)
    trust.publish(deal)


def _confirmed(session: Session) -> list[Taken]:
    return [Taken(*call) for call in deal_reads.calls_ahead(session.db, session.me.identity, session.clock.now())]


def _fill(session: Session, post: EventId, board: int) -> None:
    """Close a post whose hire is settled: taken up, so that no crossing withdrawal can undo it."""
    found = [deal_states.load(session.db, space) for space in deal_reads.about(session.db, post)]
    if any(deal is not None and deal.taken.deal.terms is not None for deal in found):
        writing.Writer(session).write(session.space(board), [PostClosed(post, "filled")])
