"""The rules of hiring: from the first word to terms that both sides have signed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from chaise_cli.domain.body import replace
from chaise_cli.domain.deal import (
    Deal,
    DealDeclined,
    DealInvited,
    DealOpened,
    DealProposed,
    DealShortlisted,
    DealWithdrawn,
    Invitation,
    Milestone,
    Offer,
    Proposal,
    TermsAccepted,
    TermsOffered,
    checked,
)
from chaise_cli.domain.recorded import By, Parties, Recorded
from chaise_cli.domain.shape import Body
from chaise_cli.domain.terms import (
    CANCEL_MS,
    DISPUTE_MS,
    REVIEW_MS,
    Part,
    Terms,
    check_amounts,
    check_terms,
    digest,
)
from chaise_cli.domain.transitions import NotYours, WrongState, permit, roles
from chaise_cli.errors import Conflict, Refused
from chaise_cli.ids import DeviceId, EventId, IdentityId, SpaceId, public

SUBJECTS: Final = ("invited", "proposed", "shortlisted", "offered")  # states in which something awaits an answer


class BadOpening(Refused):
    """A deal is between two different people, and one of them opens it."""

    code = "deal.bad_opening"
    message = "a deal needs a client and a talent who are not the same, and one of them opens it"
    hint = "the sender's software is broken or hostile"


class SomethingElse(Refused):
    """The answer names something that no longer stands."""

    code = "deal.stale_answer"
    message = "the answer is to something that no longer stands in {deal}"
    hint = "look at what stands now: chaise show {deal}"
    deal: str


class TermsMoved(Conflict, Refused):
    """The terms are not those that were read: another offer came meanwhile."""

    code = "terms.moved"
    message = "the terms of {deal} are not the ones you name"
    hint = "read them as they stand: chaise show {deal} --terms"
    deal: str
    hash: str | None


class NothingProposed(Refused):
    """Terms need milestones, and neither a proposal nor the call brings any."""

    code = "terms.no_milestones"
    message = "{deal} has no proposal to take the milestones from"
    hint = 'name them: chaise hire {deal} --milestone "Setup=600EUR@2026-12-01"'
    deal: str


class SameTerms(Refused):
    """The other side has offered exactly these terms."""

    code = "terms.same"
    message = "the other side of {deal} has offered exactly these terms"
    hint = "chaise accept {deal}"
    deal: str


def open_deal(space: SpaceId, e: Recorded) -> Deal:
    """The deal that a `deal.opened` begins. Raises BadOpening, and for any other body WrongState."""
    body = e.body
    if not isinstance(body, DealOpened):
        raise WrongState(act=body.KIND, of=public("deal", space), state="not open")
    if body.client == body.talent or e.by not in {body.client, body.talent}:
        raise BadOpening
    parties = Parties(body.client, body.talent, agent=body.client, agent_device=body.agent_device)
    return Deal(
        space, e.id, body.board, body.post, parties, "talking", e.by, e.id, final=e.final, clock=e.clock, clock_before=0
    )


def standing(deal: Deal) -> tuple[EventId, IdentityId] | None:
    """What awaits an answer, and who said it: the terms, the proposal or the invitation."""
    subject = {"invited": deal.invitation, "proposed": deal.proposal, "shortlisted": deal.proposal}.get(
        deal.state, deal.offer if deal.state == "offered" else None
    )
    return (subject.id, subject.by) if subject else None


def apply_invited(deal: Deal, e: Recorded, body: DealInvited) -> Deal:
    """The client invited the talent."""
    permit(body.KIND, deal.state, roles(deal.parties, e.by), deal.public)
    return deal._replace(state="invited", invitation=Invitation(e.id, e.by, body.note))


def apply_proposed(deal: Deal, e: Recorded, body: DealProposed) -> Deal:
    """The talent proposed, or revised the proposal."""
    row = permit(body.KIND, deal.state, roles(deal.parties, e.by), deal.public)
    check_amounts(body.milestones, body.currency)
    state = deal.state if row.to == "same" else row.to
    return deal._replace(state=state, proposal=Proposal(e.id, e.by, e.at, body))


def apply_shortlisted(deal: Deal, e: Recorded, body: DealShortlisted) -> Deal:
    """The client means to talk on."""
    permit(body.KIND, deal.state, roles(deal.parties, e.by), deal.public)
    return deal._replace(state="shortlisted")


def apply_declined(deal: Deal, e: Recorded, body: DealDeclined) -> Deal:
    """One side said no to what the other had said."""
    _answer(deal, e, body)
    return deal._replace(state="declined", reason=body.reason)


def apply_withdrawn(deal: Deal, e: Recorded, body: DealWithdrawn) -> Deal:
    """One side took its own words back."""
    _answer(deal, e, body)
    return deal._replace(state="withdrawn")


def _answer(deal: Deal, e: Recorded, body: DealDeclined | DealWithdrawn) -> None:
    subject = standing(deal)
    acting = roles(deal.parties, e.by, subject[1] if subject else None)
    if subject is None and acting:  # then it is for neither side: the state is what is wrong
        acting |= {"own", "other"}
    permit(body.KIND, deal.state, acting, deal.public)
    if subject is None or body.of != subject[0]:
        raise SomethingElse(deal=deal.public)


def apply_offered(deal: Deal, e: Recorded, body: TermsOffered) -> Deal:
    """One side signed terms; they replace what was offered before."""
    permit(body.KIND, deal.state, roles(deal.parties, e.by), deal.public)
    check_terms(body.terms, body.hash, deal.parties)
    return deal._replace(state="offered", offer=Offer(e.id, e.by, body.terms, body.hash))


def apply_accepted(deal: Deal, e: Recorded, body: TermsAccepted) -> Deal:
    """Both sides signed the same hash: its milestones are the deal's from here on, and its agent is whom they name.

    The role of the client's device ends where this was taken up when that is a third party; else it stays where it is:
    the terms named the device when they were offered, and only a handover moves the role.
    """
    offer = deal.offer
    author = offer.by if offer else None
    permit(body.KIND, deal.state, roles(deal.parties, e.by, author), deal.public)
    assert offer is not None, "an offered deal without its offer"
    if (body.offer, body.hash) != (offer.id, offer.hash):
        raise TermsMoved(deal=deal.public, hash=offer.hash)
    terms = offer.terms
    milestones = planned(terms.milestones)
    parties = deal.parties._replace(agent=terms.agent)
    return deal._replace(
        state="hired", terms=terms, terms_hash=offer.hash, hired_by=e.id, milestones=milestones, parties=parties
    )


def planned(parts: Sequence[Part]) -> tuple[Milestone, ...]:
    """The milestones of terms, before any money."""
    return tuple(
        Milestone(n, part.title, part.amount, part.due, part.criteria, part.revisions)
        for n, part in enumerate(parts, start=1)
    )


def invite(deal: Deal, by: By, note: str = "") -> list[Body]:
    """Ask the talent for a proposal; nothing when that was done. Raises NotYours, WrongState."""
    if deal.state == "invited" and by.identity == deal.parties.client:
        return []
    return checked(deal, by, apply_invited, DealInvited(note))


def propose(deal: Deal, by: By, proposal: DealProposed) -> list[Body]:
    """Propose, or revise; nothing when exactly this stands. Raises NotYours, WrongState and what amounts break."""
    if deal.state in {"proposed", "shortlisted"} and deal.proposal and deal.proposal.body == proposal:
        return []
    return checked(deal, by, apply_proposed, proposal)


def shortlist(deal: Deal, by: By) -> list[Body]:
    """Mean to talk on; nothing when that was said. Raises NotYours, WrongState."""
    if deal.state == "shortlisted" and by.identity == deal.parties.client:
        return []
    return checked(deal, by, apply_shortlisted, DealShortlisted())


def decline(deal: Deal, by: By, reason: str = "") -> list[Body]:
    """Say no to what the other side said; nothing when the deal is declined. Raises NotYours, WrongState."""
    subject = standing(deal)
    if deal.state == "declined" and by.identity in deal.parties[:2]:
        return []
    body = DealDeclined(subject[0] if subject else deal.opening, reason)
    return checked(deal, by, apply_declined, body)


def withdraw(deal: Deal, by: By) -> list[Body]:
    """Take one's own words back; nothing when that was done. Raises NotYours, WrongState."""
    subject = standing(deal)
    if deal.state == "withdrawn" and by.identity in deal.parties[:2]:
        return []
    return checked(deal, by, apply_withdrawn, DealWithdrawn(subject[0] if subject else deal.opening))


def draft(
    deal: Deal,
    *,
    milestones: Sequence[Part] = (),
    currency: str | None = None,
    review_ms: int | None = None,
    auto_release: bool | None = None,
    agent: IdentityId | None = None,
    agent_device: DeviceId | None = None,
    rail: str | None = None,
    fees: tuple[int | None, int | None] = (None, None),
) -> Terms:
    """The terms that `hire` would send: the standing offer, else the last proposal, changed by what is given.

    milestones and currency come together, and so do a third party as the agent and its device. fees: the client's and
    the talent's, in basis points. Raises NothingProposed.
    """
    base = deal.offer.terms if deal.offer and deal.state == "offered" else None
    parts, money = tuple(milestones), currency
    if not parts:
        parts, money = _parts(deal, base)
    assert money is not None, "milestones without their currency"
    given_auto = base.auto_release if base else True
    client_fee, talent_fee = fees
    holder = _holder(deal, base) if agent is None else (agent, agent_device or deal.parties.agent_device)
    return Terms(
        client=deal.parties.client,
        talent=deal.parties.talent,
        agent=holder[0],
        agent_device=holder[1],
        arbiter=None,
        currency=money,
        milestones=parts,
        client_fee=client_fee if client_fee is not None else base.client_fee if base else 0,
        talent_fee=talent_fee if talent_fee is not None else base.talent_fee if base else 0,
        review_ms=review_ms if review_ms is not None else base.review_ms if base else REVIEW_MS,
        auto_release=auto_release if auto_release is not None else given_auto,
        rail=rail or (base.rail if base else "manual"),
        dispute_ms=DISPUTE_MS,
        dispute_default="talent",
        cancel_ms=CANCEL_MS,
        law=base.law if base else None,
        supersedes=None,
    )


def again(deal: Deal, before: Terms) -> Terms:
    """The terms of an earlier deal between the same two sides, for this one; due dates, which are past, are left out.

    Money that the client holds stays with the device that has the role here.
    """
    own = before.agent == before.client
    parts = tuple(Part(one.title, one.amount, None, one.criteria, one.revisions) for one in before.milestones)
    return replace(
        before,
        milestones=parts,
        agent_device=deal.parties.agent_device if own else before.agent_device,
        supersedes=None,
    )


def _holder(deal: Deal, base: Terms | None) -> tuple[IdentityId, DeviceId]:
    """Whom the terms that stand name as the agent; where that is the client, with the device that has the role now."""
    if base is not None and base.agent != deal.parties.client:
        return base.agent, base.agent_device
    return deal.parties.client, deal.parties.agent_device


def _parts(deal: Deal, base: Terms | None) -> tuple[tuple[Part, ...], str]:
    if base:
        return base.milestones, base.currency
    if deal.proposal is None:
        raise NothingProposed(deal=deal.public)
    proposal = deal.proposal.body
    return tuple(Part(p.title, p.amount, p.due, (), None) for p in proposal.milestones), proposal.currency


def hire(deal: Deal, by: By, terms: Terms, sign: Callable[[str], str]) -> list[Body]:
    """Send terms, or counter those that stand; nothing when one's own offer says the same.

    terms: of `draft`. sign: the signature, base64url, of this device under a terms hash.
    Raises NotYours, WrongState, SameTerms and what `check_terms` raises.
    """
    found = digest(terms)
    if deal.state == "offered" and deal.offer and deal.offer.hash == found:
        if deal.offer.by == by.identity:
            return []
        raise SameTerms(deal=deal.public)
    permit(TermsOffered.KIND, deal.state, roles(deal.parties, by.identity), deal.public)
    return checked(deal, by, apply_offered, TermsOffered(terms, found, sign(found)))


def accept_terms(deal: Deal, by: By, sign: Callable[[str], str], terms_hash: str | None = None) -> list[Body]:
    """Sign the terms that the other side offered; nothing when they are agreed.

    terms_hash: of the terms that were read; None stands for whatever is offered.
    Raises TermsMoved (exit 6), NotYours, WrongState.
    """
    current = deal.terms_hash or (deal.offer.hash if deal.offer and deal.state == "offered" else None)
    if terms_hash is not None and current is not None and terms_hash != current:
        raise TermsMoved(deal=deal.public, hash=current)
    if deal.terms_hash is not None:
        if by.identity not in deal.parties[:2]:
            raise NotYours(act="accept", of=deal.public, owner="the client and the talent")
        return []
    if deal.offer is None:
        raise WrongState(act="accept", of=deal.public, state=deal.state)
    acting = roles(deal.parties, by.identity, deal.offer.by)
    permit(TermsAccepted.KIND, deal.state, acting, deal.public)
    body = TermsAccepted(deal.offer.id, deal.offer.hash, sign(deal.offer.hash))
    return checked(deal, by, apply_accepted, body)
