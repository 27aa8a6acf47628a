"""One act in one deal: found or opened, decided on, written, and shown as it stands afterwards. One transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from chaise_cli.domain.contest import Contested, SettledOtherwise
from chaise_cli.domain.light import NamedTuple
from chaise_cli.errors import Refused
from chaise_cli.ids import SpaceId
from chaise_cli.session import agency, dealing, finding, requests, showing, upcoming, writing

if TYPE_CHECKING:
    from chaise_cli.domain.deal_state import DealState
    from chaise_cli.session.requests import Request
    from chaise_cli.session.session import Session
    from chaise_cli.store.events import Space

Enter = Callable[[writing.Writer], "Space"]
Decide = Callable[[dealing.DealWriter], Sequence[Any]]
Subject = Callable[[dealing.DealWriter, Sequence[str]], str]
Step = upcoming.Step
steps = upcoming.steps
Warn = Callable[["DealState"], Sequence[str]]
_Outcome = TypeVar("_Outcome")


class Done(NamedTuple):
    """What an act came to: the object as it now stands, and what the command says beside it."""

    data: Mapping[str, Any]
    shape: str
    events: Sequence[str] = ()
    replayed: bool = False
    next: Sequence[Step] = ()
    warnings: Sequence[str] = ()

    def answer(self, later: Sequence[Any] = ()) -> dict[str, Any]:
        """The fields of a result; `later` goes behind the next steps."""
        return self._asdict() | {"next": [*self.next, *later]}


def act(
    session: Session,
    asked: Request | None,
    enter: Enter,
    decide: Decide,
    subject: Subject,
    warn: Warn = lambda _state: [],
    then: Callable[[dealing.DealWriter], object] = lambda _deal: None,
) -> Done:
    """Do one act once. A request id that was used answers with its subject as it now stands.

    enter: the deal's space, which it may open. decide: the bodies to write; none when it is so already.
    subject: the public id of what the act was about, told the ids of the events just written.
    warn: what is to be said of the deal as it stands afterwards. then: what goes with it in the same transaction.
    Raises what they raise, Reused, SpaceNewer; then nothing is kept.
    """
    with session.writing():
        before = requests.replayed(session, asked)
        if before is not None:
            return _shown(session, before.subject, before.events, replayed=True)
        writer = writing.Writer(session)
        deal = dealing.DealWriter(session, writer, enter(writer))
        bodies = _decided(deal, decide)
        written = deal.write(bodies, asked if bodies else None)
        about = subject(deal, written)
        then(deal)
        agency.tend(deal)
        events = requests.remember(session, asked, about, writer.written)
        done = _shown(session, about, events, replayed=not writer.written)
        return done._replace(warnings=warn(deal.state))


def _decided(deal: dealing.DealWriter, decide: Callable[[dealing.DealWriter], _Outcome]) -> _Outcome:
    """What a decision gives. In a contested deal no state can be relied on, so a refusal for one is told as that."""
    try:
        return decide(deal)
    except SettledOtherwise:  # which is about the contest itself
        raise
    except Refused as refusal:
        if deal.state.deal.contested:
            raise Contested(deal=deal.state.deal.public) from refusal
        raise


def once(
    session: Session, asked: Request | None, space: SpaceId, do: Callable[[dealing.DealWriter], _Outcome]
) -> tuple[dealing.DealWriter, Sequence[str], _Outcome | None]:
    """Do something in a deal unless the request was done before, inside the caller's transaction.

    The deal, the events of the act, and what `do` gave; None for what was done before. Raises Reused, SpaceNewer.
    """
    before = requests.replayed(session, asked)
    deal = dealing.DealWriter(session, writing.Writer(session), session.space(finding.space_no(session, space)))
    if before is not None:
        return deal, before.events, None
    outcome = _decided(deal, do)
    return deal, requests.remember(session, asked, deal.state.deal.public, deal.writer.written), outcome


def the_deal(deal: dealing.DealWriter, _written: Sequence[str]) -> str:
    """The deal itself is what the act was about."""
    return deal.state.deal.public


def in_deal(session: Session, deal: SpaceId) -> Enter:
    """The way into a deal that is held."""
    return lambda _writer: session.space(finding.space_no(session, deal))


def _shown(session: Session, about: str, events: Sequence[str], *, replayed: bool) -> Done:
    named = finding.find(session, about)
    shape, data = showing.named(session, named)
    state = showing.state_of(session, finding.deal_of(session, named))
    return Done(data, shape, events, replayed, steps(session, state, about))
