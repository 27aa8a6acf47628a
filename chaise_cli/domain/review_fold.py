"""Who may seal, open and vouch for a review, and when: the table and the fold. docs/spec/reviews.md."""

from __future__ import annotations

from typing import Final

from chaise_cli.domain.deal import Deal
from chaise_cli.domain.light import NamedTuple
from chaise_cli.domain.recorded import Recorded
from chaise_cli.domain.review import (
    DAY,
    Content,
    Facts,
    Review,
    ReviewBody,
    ReviewOpened,
    Reviews,
    ReviewSealed,
    ReviewVoucher,
    Voucher,
    deal_token,
)
from chaise_cli.domain.shape import Body
from chaise_cli.errors import Refused
from chaise_cli.ids import DeviceId, EventId, IdentityId, public

TURN: Final = 14 * DAY  # from the first sealed review's uptake; then an unsealed side has lost its turn
OPENING: Final = 3 * DAY  # from the other's opening; then a sealed review is withheld


class NotASide(Refused):
    """Somebody other than client and talent reviews."""

    code = "review.not_a_side"
    message = "only the client and the talent of a deal review each other"
    hint = "see who they are: chaise show DEAL"


class NotYet(Refused):
    """No money has moved."""

    code = "review.not_yet"
    message = "a deal can be reviewed once money has been released"
    hint = "see where the money is: chaise balance"


class Twice(Refused):
    """A side reviews once."""

    code = "review.twice"
    message = "this side has sealed a review already, and it stands"
    hint = "see what there is: chaise reviews"


class TooLate(Refused):
    """The first review was sealed 14 days ago; an unsealed side has lost its turn."""

    code = "review.too_late"
    message = "the time to review has passed: it was 14 days from the other side's review"
    hint = "see what was said: chaise reviews"


class TooEarly(Refused):
    """A review opens when both are in, or 14 days after the first one."""

    code = "review.too_early"
    message = "a review opens when both are sealed, or 14 days after the first one"
    hint = "it opens by itself then: chaise sync"


class Unknown(Refused):
    """The deal has no such review."""

    code = "review.unknown"
    message = "this deal has no review {review}"
    hint = "list them: chaise reviews"
    review: str


class WrongState(Refused):
    """The state of the review does not allow the act."""

    code = "review.wrong_state"
    message = "the review is {state}, which forbids to {verb} it"
    hint = "see how it stands: chaise reviews"
    state: str
    verb: str


class NotTheAuthor(Refused):
    """A review is opened by its author, or by the agent device that was given the key."""

    code = "review.not_the_author"
    message = "only its author, or the deal's agent device, opens a review"
    hint = "wait for the other side: chaise sync"


class NotTheAgent(Refused):
    """Only the deal's agent device vouches."""

    code = "review.not_the_agent"
    message = "only the deal's agent device vouches for reviews"
    hint = "see which one it is: chaise show DEAL"


class Mismatch(Refused):
    """The words are not those that were sealed, or not those that are vouched for."""

    code = "review.mismatch"
    message = "the review is not the one that was sealed, or that is vouched for"
    hint = "somebody's software is broken or hostile; this counts for nothing"


class Rule(NamedTuple):
    """One row of the table: what may happen to one side's review. `state` is empty where there is none yet."""

    state: str
    act: type[ReviewBody]
    who: str  # side, author (or the agent device), agent
    to: str
    verb: str
    guard: str


TABLE: Final = (
    Rule("", ReviewSealed, "side", "sealed", "review", "money has moved; within 14 days of the other side's"),
    Rule("sealed", ReviewOpened, "author", "open", "open", "both are sealed, or 14 days have passed; what was sealed"),
    Rule("open", ReviewVoucher, "agent", "vouched", "vouch for", "says what the deal says"),
)
"""Every legal cell of a review."""

_RULES: Final[dict[tuple[str, type[Body]], Rule]] = {(rule.state, rule.act): rule for rule in TABLE}
_VERBS: Final[dict[type[Body], str]] = {rule.act: rule.verb for rule in TABLE}


def facts_of(deal: Deal) -> Facts:
    """What reviews must know of their deal. Money counts as moved once any of it was released to the talent."""
    parties = deal.parties
    return Facts(
        space=deal.space,
        parties=parties,
        moved=any(milestone.released > 0 for milestone in deal.milestones),
        secured=parties.agent not in {parties.client, parties.talent},
    )


def state(review: Review | None) -> str:
    """Where a review stands: empty, sealed, open or vouched."""
    if review is None:
        return ""
    if review.content is None:
        return "sealed"
    return "vouched" if review.voucher else "open"


def step(reviews: Reviews, facts: Facts, e: Recorded) -> Reviews:
    """The reviews of the deal after one more event.

    facts: the deal at this place of its order. Raises a refusal; the event is then void, its reason the error's code.
    """
    body = e.body
    review = _subject(reviews, e.by, body)
    if (state(review), type(body)) not in _RULES:
        if isinstance(body, ReviewSealed):
            raise Twice
        raise WrongState(state=state(review) or "not there", verb=_VERBS.get(type(body), body.KIND))
    match body:
        case ReviewSealed():
            check_seal(reviews, facts, e.by, e.clock)
            new = _sealed(body, facts, e)
        case ReviewOpened():
            assert review, "only a sealed review can be opened"
            if e.by != review.by and not _is_agent(facts, e):
                raise NotTheAuthor
            content = check_opening(reviews, review, body, e.clock)
            new = review._replace(content=content, opened_clock=e.clock, final=e.final)
        case _:
            assert review is not None, "only an open review can be vouched for"
            assert isinstance(body, ReviewVoucher), "the table has three kinds"
            if not _is_agent(facts, e):
                raise NotTheAgent
            _check_voucher(reviews, facts, e.device, body)
            new = review._replace(voucher=e.id, final=e.final)
    return Reviews({**reviews.by_author, new.by: new})


def _subject(reviews: Reviews, by: IdentityId, body: Body) -> Review | None:
    """The review an event acts on: a new one of its author, or the one it names."""
    if isinstance(body, ReviewOpened | ReviewVoucher):
        return find(reviews, body.review)
    return reviews.by_author.get(by)


def _is_agent(facts: Facts, e: Recorded) -> bool:
    return e.agent and e.by == facts.parties.agent


def _sealed(body: ReviewSealed, facts: Facts, e: Recorded) -> Review:
    return Review(
        id=e.id,
        by=e.by,
        about=facts.parties.other(e.by),
        commitment=body.commitment,
        box=body.box,
        at=e.at,
        clock=e.clock,
        content=None,
        opened_clock=0,
        voucher=None,
        secured=facts.secured,
        final=e.final,
        agent_box=body.agent_box,
    )


def _check_voucher(reviews: Reviews, facts: Facts, device: DeviceId, body: ReviewVoucher) -> None:
    want = vouch(reviews, facts, body.review, device)
    if body.voucher.signed_text() != want.signed_text():
        raise Mismatch


def find(reviews: Reviews, review: EventId) -> Review:
    """The review of this id. Raises Unknown."""
    for known in reviews.by_author.values():
        if known.id == review:
            return known
    raise Unknown(review=public("rev", review))


def check_seal(reviews: Reviews, facts: Facts, by: IdentityId, clock: int) -> None:
    """Raise NotASide, NotYet, Twice or TooLate unless this side may seal a review at the deal's `clock`."""
    if by not in {facts.parties.client, facts.parties.talent}:
        raise NotASide
    if not facts.moved:
        raise NotYet
    if by in reviews.by_author:
        raise Twice
    if turn_over(reviews, clock):
        raise TooLate


def check_opening(reviews: Reviews, review: Review, body: ReviewOpened, clock: int) -> Content:
    """What the sealed review says. Raises TooEarly or Mismatch."""
    if not openable(reviews, clock):
        raise TooEarly
    content = Content(review.by, review.about, body.stars, body.recommend, body.text)
    if content.commitment(body.key) != review.commitment:
        raise Mismatch
    return content


def deadline(reviews: Reviews) -> int | None:
    """When a side that has not sealed loses its turn; None before the agent took a first review up."""
    clocks = [review.clock for review in reviews.by_author.values() if review.clock]
    return min(clocks) + TURN if clocks else None


def turn_over(reviews: Reviews, clock: int) -> bool:
    """Whether 14 days have passed since the first sealed review, by the deal's clock."""
    end = deadline(reviews)
    return end is not None and clock >= end


def openable(reviews: Reviews, clock: int) -> bool:
    """Whether sealed reviews may be opened at the deal's `clock`."""
    return len(reviews.by_author) > 1 or turn_over(reviews, clock)


def withheld(reviews: Reviews, review: Review, clock: int) -> bool:
    """Whether it is still sealed three days after the other side's was opened."""
    opened = [other.opened_clock for other in reviews.by_author.values() if other.content and other.opened_clock]
    return review.content is None and any(clock >= at + OPENING for at in opened)


def vouch(reviews: Reviews, facts: Facts, review: EventId, device: DeviceId) -> Voucher:
    """What the agent device is to sign for an open review; certificates and signature are still empty.

    Raises Unknown, WrongState.
    """
    known = find(reviews, review)
    if known.content is None:
        raise WrongState(state="sealed", verb="vouch for")
    return Voucher(
        deal=deal_token(facts.space),
        digest=known.content.digest(),
        by=known.by,
        about=known.about,
        role="client" if known.by == facts.parties.client else "talent",
        secured=facts.secured,
        agent=facts.parties.agent,
        device=device,
        certificates=(),
        signature="",
    )
