"""`update`, `deliver` and `changes`: the work on a milestone, told, handed over and sent back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from chaise_cli.domain import deal as deals
from chaise_cli.domain import work
from chaise_cli.domain.money import Money
from chaise_cli.domain.talk import WorkUpdate
from chaise_cli.domain.transitions import NotYours, WrongState
from chaise_cli.ids import public
from chaise_cli.session import acting, agency, escrow, files, showing_deals
from chaise_cli.session.acting import Done

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from chaise_cli.ids import SpaceId
    from chaise_cli.session.dealing import DealWriter
    from chaise_cli.session.finding import Named
    from chaise_cli.session.requests import Request
    from chaise_cli.session.session import Session

UNFUNDED: Final = "{milestone}: of {amount} only {funded} have been put into escrow"


def update(
    session: Session, deal: SpaceId, n: int | None, words: str, paths: Sequence[Path], asked: Request | None
) -> Done:
    """Tell the client how the work goes, on one milestone or (n None) on all of it.

    Raises NotYours for anybody but the talent, WrongState before the hire, NoSuchMilestone.
    """

    def decide(writer: DealWriter) -> Sequence[Any]:
        state = writer.state.deal
        if writer.by.identity != state.parties.talent:
            raise NotYours(act="update", of=state.public, owner="talent")
        if state.terms is None:
            raise WrongState(act="update", of=state.public, state=state.state)
        if n is not None:
            deals.milestone(state, n)
        return [WorkUpdate(n, words, files.attach(session, paths))]

    return _act(session, deal, n, asked, decide)


def milestone_of(named: Named, verb: str) -> int:
    """The number of the milestone that was named. Raises MilestoneWanted."""
    if named.n is None:
        raise escrow.MilestoneWanted(verb=verb, given=public("deal", named.id))
    return named.n


def deliver(session: Session, deal: SpaceId, n: int, note: str, paths: Sequence[Path], asked: Request | None) -> Done:
    """Hand over a milestone. Raises NotYours, WrongState, NothingDelivered, and what reading the files raises."""

    def decide(writer: DealWriter) -> Sequence[Any]:
        work.deliver(writer.state.deal, writer.by, n, note or "files" * bool(paths))  # refused before a file is read
        return work.deliver(writer.state.deal, writer.by, n, note, files.attach(session, paths))

    return _act(session, deal, n, asked, decide)


def changes(session: Session, deal: SpaceId, n: int, reason: str, asked: Request | None) -> Done:
    """Ask for changes to what was delivered. Raises NotYours, WrongState, NoReason, NoRevisionsLeft, TooLate."""
    return _act(
        session,
        deal,
        n,
        asked,
        lambda writer: work.request_changes(writer.state.deal, writer.by, n, reason),
        owes=False,
    )


def _act(
    session: Session,
    space: SpaceId,
    n: int | None,
    asked: Request | None,
    decide: Callable[[DealWriter], Sequence[Any]],
    *,
    owes: bool = True,
) -> Done:
    """One act on the work; answers with the milestone, or all of them. owes: warn of money that is not there yet."""

    def work_on(deal: DealWriter) -> None:
        deal.write(decide(deal), asked)
        agency.tend(deal)

    with session.writing():
        deal, events, _ = acting.once(session, asked, space, work_on)
        state = deal.state
        numbers = [n] if n is not None else [ms.n for ms in state.deal.milestones]
        shown = [showing_deals.milestone(session, state, number) for number in numbers]
        about = state.deal.public if n is None else state.deal.ref(n)
        data: Any = shown if n is None else shown[0]
        return Done(
            data,
            "milestone",
            events,
            replayed=not deal.writer.written,
            next=acting.steps(session, state, about),
            warnings=[*escrow.notes(session, state, n), *(unfunded(state.deal, numbers) if owes else [])],
        )


def unfunded(deal: deals.Deal, numbers: Sequence[int]) -> list[str]:
    """What has to be said before work goes into a milestone whose money is not, or not wholly, in escrow."""
    found = []
    for n in numbers:
        ms = deals.milestone(deal, n)
        if work.underfunded(ms) and not ms.cancelled:
            currency = deal.agreed.currency
            amount, funded = Money(ms.amount, currency).text, Money(ms.funded, currency).text
            found.append(UNFUNDED.format(milestone=deal.ref(n), amount=amount, funded=funded))
    return found
