"""Hiring, from the invitation to terms that both sides have signed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chaise_cli.domain import consent, hiring, when
from chaise_cli.domain import deal as deals
from chaise_cli.domain.body import replace
from chaise_cli.domain.deal import Offer
from chaise_cli.domain.light import NamedTuple
from chaise_cli.domain.money import Money
from chaise_cli.domain.terms import Part, Planned, Terms, concerns
from chaise_cli.domain.transitions import NotYours
from chaise_cli.errors import Refused, Usage
from chaise_cli.rails import manual
from chaise_cli.session import acting, agency, meeting
from chaise_cli.session.showing import state_of
from chaise_cli.store import deal_reads, profiles

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chaise_cli.domain.deal import Deal
    from chaise_cli.domain.deal_state import DealState
    from chaise_cli.domain.shape import Body
    from chaise_cli.domain.terms import Concern
    from chaise_cli.ids import EventId, IdentityId, SpaceId
    from chaise_cli.session.acting import Done
    from chaise_cli.session.dealing import DealWriter
    from chaise_cli.session.finding import Named
    from chaise_cli.session.requests import Request
    from chaise_cli.session.session import Session


class NoPrice(Usage):
    """A proposal without an amount."""

    code = "proposal.no_price"
    message = "a proposal needs its milestones or a price"
    hint = 'give --milestone "Setup=600EUR@2026-12-01", once for each, or --price 2000EUR'


class PastUntil(Usage):
    """A proposal that is no longer good when it is sent."""

    code = "proposal.past"
    message = "a proposal cannot be good until {until}, which is past"
    hint = "give a later --valid-until, or leave it out"
    until: str


class BeyondPost(Refused):
    """The terms go beyond the post's budget or deadline, and nobody has said that this is meant."""

    code = "hire.beyond_post"
    message = "the terms of {deal} go beyond the post: {why}"
    hint = "if that is meant, add --over-budget"
    deal: str
    why: str


class NoAgentThere(Refused):
    """Who is to hold the money has no profile on the deal's board, by which both sides and their keys are known."""

    code = "hire.no_agent_there"
    message = "{who} has published no profile on the board that {deal} came from"
    hint = "an agent joins the board first (chaise board join), then: chaise sync"
    who: str
    deal: str


class AgentNeeded(Refused):
    """A rail is driven by a third party's `agent run`."""

    code = "hire.agent_needed"
    message = "the rail {rail} needs a third party as the agent"
    hint = "name one with --agent @HANDLE, or leave --rail out"
    rail: str


class NeverHired(Refused):
    """There are no signed terms to repeat."""

    code = "hire.never_hired"
    message = "{deal} was never hired, so it has no terms to repeat"
    hint = "chaise hire {deal}"
    deal: str


class NoSuchPart(Usage):
    """A criterion for a milestone that the terms do not have."""

    code = "hire.no_such_part"
    message = "the terms have no milestone {n}, only {count}"
    hint = 'write --criterion "1=all pages load within two seconds"'
    count: int
    n: int


class Draft(NamedTuple):
    """What a proposal says; None, or no milestones, keeps what the one before said. A `price` is one milestone."""

    milestones: Sequence[Planned]
    currency: str | None
    price: Planned | None
    cover: str | None
    valid_until: int | None
    tz: str


class Changes(NamedTuple):
    """How terms differ from what was proposed or offered; None keeps it. `criteria` come with a milestone's number."""

    milestones: Sequence[Part] = ()
    currency: str | None = None
    review_ms: int | None = None
    auto_release: bool | None = None
    revisions: int | None = None
    criteria: Sequence[tuple[int, str]] = ()
    agent: IdentityId | None = None  # who holds the money
    rail: str | None = None
    client_fee: int | None = None  # basis points
    talent_fee: int | None = None


def invite(session: Session, asked: Request | None, post: EventId, other: IdentityId, note: str) -> Done:
    """Ask somebody for a proposal on one's own post."""
    enter = meeting.invited_to(session, post, other)
    return acting.act(session, asked, enter, lambda w: hiring.invite(w.state.deal, w.by, note), acting.the_deal)


def propose(session: Session, asked: Request | None, what: Named, draft: Draft) -> Done:
    """Propose for a post, or revise one's proposal. Raises NoPrice, PastUntil."""
    enter = meeting.reach(session, what)
    warn = _Beyond(session).of_proposal
    return acting.act(session, asked, enter, lambda w: _proposal(session, w, draft), acting.the_deal, warn)


def _proposal(session: Session, w: DealWriter, draft: Draft) -> list[Body]:
    if draft.valid_until is not None and draft.valid_until <= session.clock.now():
        raise PastUntil(until=when.instant_text(draft.valid_until))
    before = w.state.deal.proposal
    old = before.body if before else None
    parts, currency = tuple(draft.milestones), draft.currency
    if draft.price is not None:
        post = deal_reads.post(session.db, w.state.deal.post) if w.state.deal.post else None
        parts = (replace(draft.price, title=post.title) if post else draft.price,)
    if not parts and old:
        parts, currency = old.milestones, old.currency
    if not parts or currency is None:
        raise NoPrice
    cover = draft.cover if draft.cover is not None else old.cover if old else ""
    until = draft.valid_until if draft.valid_until is not None else old.valid_until if old else None
    return hiring.propose(w.state.deal, w.by, deals.DealProposed(currency, parts, draft.tz, cover, until))


def shortlist(session: Session, asked: Request | None, deal: SpaceId) -> Done:
    """Mark a proposal as one of the best."""
    enter = acting.in_deal(session, deal)
    return acting.act(session, asked, enter, lambda w: hiring.shortlist(w.state.deal, w.by), acting.the_deal)


def hire(session: Session, asked: Request | None, deal: SpaceId, changes: Changes, *, beyond: bool) -> Done:
    """Send the terms, or counter those that stand.

    beyond: the client means to go beyond the post's budget or deadline. Raises BeyondPost, NoSuchPart.
    """

    def decide(w: DealWriter) -> list[Body]:
        terms = _terms(session, w.state.deal, changes)
        found = _Beyond(session).of_terms(w.state.deal, terms)
        if found and not beyond and w.by.identity == w.state.deal.parties.client:
            raise BeyondPost(deal=w.state.deal.public, why="; ".join(found))
        return hiring.hire(w.state.deal, w.by, terms, w.sign)

    return acting.act(
        session, asked, acting.in_deal(session, deal), decide, acting.the_deal, _Beyond(session).of_standing
    )


def hire_again(session: Session, asked: Request | None, deal: SpaceId, changes: Changes) -> Done:
    """Open another deal with the talent of a deal that was hired, and send its terms anew, changed by what is given.

    Raises NotYours, NeverHired, NoAgentThere, NoSuchPart.
    """
    before = state_of(session, deal).deal
    if session.me.identity != before.parties.client:
        raise NotYours(act="hire --again", of=before.public, owner="the client")
    if before.terms is None:
        raise NeverHired(deal=before.public)
    old = before.terms

    def decide(w: DealWriter) -> list[Body]:
        standing = w.state.deal._replace(
            state="offered", offer=Offer(deals.TRIAL, w.by.identity, hiring.again(w.state.deal, old), "")
        )
        return hiring.hire(w.state.deal, w.by, _terms(session, standing, changes), w.sign)

    enter = meeting.anew(session, before.parties.talent, before.board)
    return acting.act(session, asked, enter, decide, acting.the_deal, _Beyond(session).of_standing)


def beyond_post(session: Session, deal: SpaceId, changes: Changes) -> list[str]:
    """Where the terms that `hire` would send go beyond the post; empty for the talent, whose budget it is not."""
    state = state_of(session, deal).deal
    if session.me.identity != state.parties.client:
        return []
    return _Beyond(session).of_terms(state, _terms(session, state, changes))


def accept(session: Session, asked: Request | None, deal: SpaceId, terms_hash: str | None) -> Done:
    """Sign the terms that the other side offered; `terms_hash` is of those that were read.

    The agent whom signed terms name takes the role by it.
    """

    def decide(w: DealWriter) -> list[Body]:
        if _is_agent(w):
            return agency.consent(w)
        return hiring.accept_terms(w.state.deal, w.by, w.sign, terms_hash)

    enter = acting.in_deal(session, deal)
    warn = _Beyond(session).of_standing
    return acting.act(session, asked, enter, decide, acting.the_deal, warn, agency.introduce)


def decline(session: Session, asked: Request | None, deal: SpaceId, reason: str) -> Done:
    """Say no to a proposal, an invitation or terms; as the agent whom terms name, to holding the money."""

    def decide(w: DealWriter) -> list[Body]:
        if _is_agent(w):
            return consent.refuse(w.state.deal, w.by, reason)
        return hiring.decline(w.state.deal, w.by, reason)

    return acting.act(session, asked, acting.in_deal(session, deal), decide, acting.the_deal)


def _is_agent(w: DealWriter) -> bool:
    parties = w.state.deal.parties
    return w.by.identity == parties.agent != parties.client


def withdraw(session: Session, asked: Request | None, deal: SpaceId) -> Done:
    """Take back one's own proposal or terms."""
    enter = acting.in_deal(session, deal)
    return acting.act(session, asked, enter, lambda w: hiring.withdraw(w.state.deal, w.by), acting.the_deal)


def _terms(session: Session, deal: Deal, changes: Changes) -> Terms:
    agent, device = changes.agent, None
    if agent is not None and agent != deal.parties.client:
        profile = profiles.on_board_of(session.db, agent, deal.board)
        if profile is None:
            raise NoAgentThere(who=session.called(agent), deal=deal.public)
        device = profile.device
    terms = hiring.draft(
        deal,
        agent=agent,
        agent_device=device,
        rail=changes.rail,
        fees=(changes.client_fee, changes.talent_fee),
        milestones=changes.milestones,
        currency=changes.currency,
        review_ms=changes.review_ms,
        auto_release=changes.auto_release,
    )
    if terms.rail != manual.NAME and terms.agent == deal.parties.client:
        raise AgentNeeded(rail=terms.rail)
    parts = list(terms.milestones)
    if changes.revisions is not None:
        parts = [replace(part, revisions=changes.revisions) for part in parts]
    for n, criterion in changes.criteria:
        if not 1 <= n <= len(parts):
            raise NoSuchPart(count=len(parts), n=n)
        known = parts[n - 1].criteria
        parts[n - 1] = replace(parts[n - 1], criteria=known if criterion in known else (*known, criterion))
    return replace(terms, milestones=tuple(parts))


class _Beyond:
    """Says where an offer goes beyond its post, and which of its dates are past."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def of_proposal(self, state: DealState) -> list[str]:
        """For the talent who has just proposed."""
        return self._said(state.deal, hiring.draft(state.deal))

    def of_standing(self, state: DealState) -> list[str]:
        """Of the terms that are signed or offered."""
        terms = state.deal.terms or (state.deal.offer.terms if state.deal.offer else None)
        held = "by these terms money is held by the client, not secured: deadlines are not enforced by a third party"
        if terms is None:
            return []
        if terms.agent == terms.client:
            return [*self._said(state.deal, terms), held]
        name = self._session.called(terms.agent)
        return [*self._said(state.deal, terms), f"{name} will read all of this deal, also what was said before"]

    def of_terms(self, deal: Deal, terms: Terms) -> list[str]:
        """Of terms about to be sent: budget and deadline alone."""
        post = deal_reads.post(self._session.db, deal.post) if deal.post else None
        if post is None:
            return []
        budget = Money(post.most, post.currency) if post.most is not None and post.currency else None
        return [_sentence(one) for one in concerns(terms, budget, post.deadline)]

    def _said(self, deal: Deal, terms: Terms) -> list[str]:
        now = self._session.clock.now()
        late = [part.title for part in terms.milestones if part.due is not None and part.due <= now]
        return [*self.of_terms(deal, terms), *(f"the due date of {title!r} is past" for title in late)]


def _sentence(concern: Concern) -> str:
    if concern.code == "terms.over_budget":
        return f"{concern.over.text if concern.over else ''} above the post's budget"
    if concern.code == "terms.other_currency":
        return f"in {concern.over.currency if concern.over else ''}, which is not the currency of the post's budget"
    late = concern.late_ms or 0
    unit = when.HOUR if late >= when.HOUR else when.SECOND
    return f"the last due date is {when.duration_text(late // unit * unit)} after the post's deadline"
