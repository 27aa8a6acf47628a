"""`agenda`: what happens when, and what follows when nobody acts. Made of deals, calls, reviews and own posts."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from chaise_cli.domain import booking_fold, review_fold, when
from chaise_cli.domain.escrow import free
from chaise_cli.domain.light import NamedTuple
from chaise_cli.domain.money import Money
from chaise_cli.errors import Usage
from chaise_cli.ids import EventId, IdentityId, base32, public
from chaise_cli.store import deal_reads, deal_states

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from chaise_cli.domain.deal import Deal, Milestone
    from chaise_cli.domain.deal_state import DealState
    from chaise_cli.session.session import Session

KINDS: Final = ("call", "offer", "due", "review", "cancel", "proposal", "opinion", "deadline")
_UID_TAG: Final = b"chaise/1 agenda uid\0"
_UID_LENGTH: Final = 32
NOT_ENFORCED: Final = "; held by the client, so nothing enforces it"


class Item(NamedTuple):
    """One date. at: ms; of: the id people type; tz: the zone it is meant in; deal: None for a post."""

    at: int
    tz: str
    kind: str  # one of KINDS
    of: str
    consequence: str
    deal: str | None
    changed: int  # ms: when the newest event of the deal or post was written

    def shape(self) -> dict[str, Any]:
        """The `agenda_item` object."""
        shown = {**self._asdict(), "at": when.instant_text(self.at)}
        del shown["changed"]
        return shown


_Date = tuple[int, str, str, str, str, str | None]  # an item without `changed`


class Window(NamedTuple):
    """Which dates are wanted: from `since` on, before `until` (ms, None without an end), in deals with `person`."""

    since: int
    until: int | None = None
    person: IdentityId | None = None
    kinds: tuple[str, ...] = ()

    def holds(self, item: Item) -> bool:
        """Whether the item is wanted."""
        inside = self.since <= item.at and (self.until is None or item.at < self.until)
        return inside and (not self.kinds or item.kind in self.kinds)


class BadKind(Usage):
    """A word that is no kind of date."""

    code = "agenda.bad_kind"
    message = "{given!r} is no kind of date"
    hint = "one of: {kinds}"
    given: str
    kinds: str


def kinds(given: Sequence[str]) -> tuple[str, ...]:
    """The kinds of dates that are wanted, none for all. Raises BadKind."""
    for word in given:
        if word not in KINDS:
            raise BadKind(given=word[:40], kinds=", ".join(KINDS))
    return tuple(given)


def uid(item: Item) -> str:
    """The item's UID in calendars: 32 lower-case letters and digits, the same whenever it is written."""
    return base32(sha256(_UID_TAG + f"{item.kind} {item.of}".encode()).digest(), _UID_LENGTH)


def items(session: Session, window: Window) -> list[Item]:
    """What is coming up, the earliest first, ties by id."""
    found: list[Item] = []
    for space, at in deal_reads.with_dates(session.db, window.person):
        state = deal_states.load(session.db, space)
        if state is not None:
            found += (Item(*date, changed=at) for date in _of_deal(session, state.now))
    if window.person is None:
        found += _posts(session)
    return sorted((item for item in found if window.holds(item)), key=lambda item: (item.at, item.of, item.kind))


def _of_deal(session: Session, state: DealState) -> Iterator[_Date]:
    deal = state.deal
    zone = _zone(session, deal)
    if deal.terms is not None:
        for ms in deal.milestones:
            yield from _of_milestone(session, deal, ms, zone)
    elif deal.state in {"proposed", "shortlisted"} and deal.proposal and deal.proposal.body.valid_until is not None:
        talent = session.name(deal.parties.talent)
        yield (
            deal.proposal.body.valid_until,
            zone,
            "proposal",
            deal.public,
            f"the proposal of {talent} ends",
            deal.public,
        )
    yield from _calls(session, state)
    yield from _opinions(session, state)


def _of_milestone(session: Session, deal: Deal, ms: Milestone, zone: str) -> Iterator[_Date]:
    of = deal.ref(ms.n)
    open_work = ms.state in {"planned", "funding", "funded", "changes"}
    if ms.due is not None and open_work:
        talent = session.name(deal.parties.talent)
        yield (ms.due, zone, "due", of, f"{talent} is to deliver {ms.title}", deal.public)
    said = pays(session, deal, ms)
    if said is not None and ms.review_deadline is not None:
        yield (ms.review_deadline, zone, "review", of, said, deal.public)
    if ms.cancel is not None and ms.cancel.lapses_at is not None and not ms.cancelled:
        amount = Money(free(deal, ms), deal.agreed.currency).text
        client = session.name(deal.parties.client)
        what = f"cancels {ms.title} and refunds {amount} to {client} unless declined{_enforced(deal)}"
        yield (ms.cancel.lapses_at, zone, "cancel", of, what, deal.public)


def pays(session: Session, deal: Deal, ms: Milestone) -> str | None:
    """What the end of the review period does: `Pays James 600.00 EUR … unless …`; None when none is running."""
    if ms.state != "delivered" or ms.review_deadline is None:
        return None
    left = free(deal, ms)
    if left == 0:
        return None
    talent, amount = session.name(deal.parties.talent), Money(left, deal.agreed.currency).text
    at = when.one_zone(ms.review_deadline, session.me.settings.tz)
    you = "you ask" if session.me.identity == deal.parties.client else "the client asks"
    return f"Pays {talent} {amount} on {at} unless {you} for changes{_enforced(deal)}"


def _enforced(deal: Deal) -> str:
    return NOT_ENFORCED if deal.parties.agent == deal.parties.client else ""


def _zone(session: Session, deal: Deal) -> str:
    """The zone the deal's dates were meant in: the proposal's, else the post's, else mine."""
    if deal.proposal:
        return deal.proposal.body.tz
    post = deal_reads.post(session.db, deal.post) if deal.post else None
    return post.tz if post else session.me.settings.tz


def _calls(session: Session, state: DealState) -> Iterator[_Date]:
    """My calls with the other side; a third party that holds the money takes part in none."""
    parties = state.deal.parties
    if session.me.identity not in parties[:2]:
        return
    other = session.name(parties.other(session.me.identity))
    for id_ in state.bookings.by_id:
        call = booking_fold.find(state.bookings, EventId(id_))
        of = public("book", call.id)
        if call.state == "confirmed":
            for start, _ in call.times:
                yield (start, call.slot.zone, "call", of, f"call with {other}", state.deal.public)
        if call.open is not None:
            who = session.name(call.open.by)
            said = f"the times that {who} offered are no longer good"
            yield (call.open.until, call.open.slots[0].zone, "offer", of, said, state.deal.public)


def _opinions(session: Session, state: DealState) -> Iterator[_Date]:
    """When a side that has not reviewed loses its turn, and sealed reviews open."""
    end = review_fold.deadline(state.reviews)
    sides = state.deal.parties[:2]
    missing = [session.name(side) for side in sides if side not in state.reviews.by_author]
    if end is not None and missing:
        said = f"{missing[0]} can no longer review, and the sealed review opens"
        yield (end, session.me.settings.tz, "opinion", state.deal.public, said, state.deal.public)


def _posts(session: Session) -> Iterator[Item]:
    for id_, at in deal_reads.posts_with_deadline(session.db, session.me.identity):
        post = deal_reads.post(session.db, id_)
        assert post, "a row of the table of listings"
        assert post.deadline is not None, "asked for those with a deadline"
        yield Item(post.deadline, post.tz, "deadline", public("post", id_), f"{post.title} expires", None, at)
