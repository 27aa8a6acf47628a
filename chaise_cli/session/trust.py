"""`review` and `reviews`: sealing what one side says of the other, opening it when its time has come, reading it.

The key of a sealed review stays in the self space until the opening carries it; a third party that holds the money has
it as well, so that it opens both. docs/spec/reviews.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from chaise_cli.domain import own as own_bodies
from chaise_cli.domain import reputation, review_acts, review_view, when
from chaise_cli.domain.light import NamedTuple
from chaise_cli.domain.order import Taken
from chaise_cli.domain.review import WORDS_MOST, ReviewVoucher, deal_token
from chaise_cli.domain.review_fold import deadline, facts_of, vouch, withheld
from chaise_cli.errors import Corrupt
from chaise_cli.ids import IdentityId, SpaceId, raw
from chaise_cli.session import acting, agency, finding, review_boxes, showing, standing, vouchers
from chaise_cli.session.acting import Done, Step
from chaise_cli.session.choosing import one_of
from chaise_cli.store import content, deal_reads, events, opinions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chaise_cli.domain.deal_state import DealState
    from chaise_cli.domain.review import Review
    from chaise_cli.session.dealing import DealWriter
    from chaise_cli.session.requests import Request
    from chaise_cli.session.session import Session

STATES: Final = ("sealed", "open")
SORTS: Final = ("at", "stars")
WORDS_BYTES_MOST: Final = 4 * WORDS_MOST  # of UTF-8; the limit in characters is the decision's


class Ask(NamedTuple):
    """Which reviews a list wants: of a person or deal as typed (None: of all deals), since an instant in ms."""

    of: str | None
    state: str | None
    since: int | None
    limit: int | None
    sort: str


class Words(NamedTuple):
    """What a review says, as typed."""

    stars: int
    recommend: bool | None
    text: str


def review(session: Session, deal: SpaceId, words: Words, asked: Request | None) -> Done:
    """Seal a review of the other side; saying the same again changes nothing.

    Raises NotASide, NotYet, Twice, TooLate, BadField.
    """
    with session.writing():
        writer, events_written, _ = acting.once(session, asked, deal, lambda deal: _seal(deal, words, asked))
        mine = writer.state.reviews.by_author[session.me.identity]
        return Done(
            shown(session, writer.state, mine),
            "review",
            events_written,
            replayed=not writer.writer.written,
            next=[*_answer(session, writer.state, mine.about), *acting.steps(session, writer.state)],
            warnings=_unheard(session, writer.state, mine),
        )


def _unheard(session: Session, state: DealState, mine: Review) -> list[str]:
    """That the third party cannot open what I sealed."""
    agent = review_boxes.unheard(facts_of(state.deal), mine)
    if agent is None:
        return []
    return [
        f"{session.name(agent)} was given no key to this review, since its box key is not known here: only you open it"
    ]


def _answer(session: Session, state: DealState, other: IdentityId) -> list[Step]:
    """The other side's review, as long as it is missing."""
    if other in state.reviews.by_author:
        return []
    until = deadline(state.reviews)
    command = f"chaise review {state.deal.public} --stars N --text TEXT"
    return [Step(session.name(other), command, when.instant_text(until) if until is not None else None)]


def _seal(deal: DealWriter, words: Words, request: Request | None) -> None:
    session, state, by = deal.session, deal.state, deal.by
    said = review_acts.written(by.identity, state.deal.parties, words.stars, words.recommend, words.text)
    mine = state.reviews.by_author.get(by.identity)
    if mine is not None and (mine.content or review_boxes.mine(session, state.deal.space, mine)) == said:
        return
    clock = by.now if by.agent else deal.found.clock
    facts = facts_of(state.deal)
    key, sealed = review_boxes.seal(session, deal.space, facts, said)
    written = deal.write(review_acts.seal_review(state.reviews, by, facts, clock, sealed), request)
    own_space = session.space(events.spaces(session.db, "self")[0].no)
    deal.writer.write(own_space, [own_bodies.SelfReviewKey(deal.space.id, written[-1], key)])
    agency.tend(deal)
    if by.agent:
        bring_out(deal)


def bring_out(deal: DealWriter, heard: int = 0) -> list[str]:
    """Open the sealed reviews that are due for this device, and on the agent device vouch for what is open.

    heard: on the agent device, ms up to which all places of the deal were heard; 0 opens only what both sides have
    sealed. Judged by what was taken up and by the deal's clock: an opening that comes too early counts for nothing, and
    is read all the same. What could not be opened, in words: nothing else of the deal waits for it.
    """
    session, taken, by = deal.session, deal.found.taken, deal.by
    clock = heard if by.agent else deal.found.clock
    problems = []
    for one in review_acts.to_open(taken.reviews, by, facts_of(taken.deal), clock):
        try:
            key, said = review_boxes.words(session, taken.deal.space, one)
        except Corrupt as error:
            if not withheld(taken.reviews, one, taken.deal.clock):  # from then on it shows as that
                problems.append(f"{taken.deal.public}: {error.sentence()}")
        else:
            deal.write(review_acts.open_review(deal.state.reviews, by, clock, key, said))
    if by.agent and review_acts.clock_waits(deal.found.taken.reviews, deal.found.clock, heard):
        deal.write([Taken()])
    for id_ in review_acts.to_vouch(deal.found.taken.reviews) if by.agent else ():
        state = deal.state
        bare = vouch(state.reviews, facts_of(state.deal), id_, by.device)
        deal.write([ReviewVoucher(id_, vouchers.signed(session, deal.writer, bare))])
    return problems


def publish(deal: DealWriter) -> None:
    """Put my open review, once it is vouched for, on the board that the deal came from; once."""
    session, taken = deal.session, deal.found.taken
    mine = taken.reviews.by_author.get(session.me.identity)
    board = events.find_space(session.db, taken.deal.board)
    if mine is None or mine.content is None or mine.voucher is None or board is None or board.epoch is None:
        return
    stored = events.find_event(session.db, raw(mine.voucher))
    if stored is None or board.newer:
        return
    voucher = content.row(stored).content.voucher
    if vouchers.holds(voucher) and not _is_published(session, board.no, voucher.digest):
        deal.writer.write(board, [reputation.publish(mine, voucher)])


def _is_published(session: Session, board: int, digest: str) -> bool:
    mine = opinions.bodies_by(session.db, board, session.me.identity)
    return any(body["voucher"]["digest"] == digest for body in mine)


def shown(session: Session, state: DealState, one: Review) -> dict[str, Any]:
    """The `review` object; what I sealed myself I may read."""
    person = showing.look(session)
    words = review_boxes.mine(session, state.deal.space, one) if one.content is None else None
    return review_view.view(state.reviews, one, facts_of(state.deal), person, state.deal.clock, words)


def listed(session: Session, ask: Ask) -> list[dict[str, Any]]:
    """The reviews that are wanted, the newest first (or those with most stars), ties by id. Raises NotAChoice."""
    one_of(ask.sort, SORTS, "--sort")
    if ask.state is not None:
        one_of(ask.state, STATES, "--state")
    found = [one for one in _of(session, ask.of) if ask.state in {None, one["state"]}]
    if ask.since is not None:
        found = [one for one in found if when.read_instant(one["at"]) >= ask.since]
    found.sort(key=lambda one: str(one["id"]))
    found.sort(key=lambda one: str(one["at"]), reverse=True)
    if ask.sort == "stars":
        found.sort(key=lambda one: -(one["stars"] or 0))
    return found[: ask.limit]


def _of(session: Session, given: str | None) -> list[dict[str, Any]]:
    if given is None:
        return [shape for _, shape in _in_deals(session)]
    named = finding.find(session, given, "deal", "id")
    if named.kind == "deal":
        return [shape for _, shape in _in_deals(session, deal=named.space)]
    about = IdentityId(named.id)
    # What stands on a board and comes from a deal held here is shown once, as the deal has it.
    known = dict(_in_deals(session, about=about))
    return [*known.values(), *(shape for key, shape in _on_boards(session, about) if key not in known)]


_Keyed = tuple[tuple[str, str], dict[str, Any]]  # what one review is known by everywhere: the deal's token, its author


def _in_deals(session: Session, deal: SpaceId | None = None, about: IdentityId | None = None) -> Iterator[_Keyed]:
    """Reviews in the deals held here: of one deal, about one person, or all."""
    for space in deal_reads.reviewed(session.db, deal):
        state = deal_reads.state(session.db, space)
        for one in state.reviews.by_author.values():
            if about is None or one.about == about:
                yield (deal_token(state.deal.space), one.by), shown(session, state, one)


def _on_boards(session: Session, about: IdentityId) -> Iterator[_Keyed]:
    """Reviews of a person on the boards held here, each once and only with a good voucher that names this very text."""
    person, seen = showing.look(session), set()
    for opinion in opinions.about(session.db, about):
        published = standing.published(opinion)
        key = published and (published.voucher.deal, opinion.author)
        if published and key and key not in seen:
            seen.add(key)
            yield key, review_view.published_view(published, person, opinion.at)
