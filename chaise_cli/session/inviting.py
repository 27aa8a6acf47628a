"""Calls in scheduling messages: what this side may send, and what an answer that came back asks it to sign."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chaise_cli.domain import booking_fold, itip, itip_answer
from chaise_cli.domain.booking import uid
from chaise_cli.domain.light import NamedTuple
from chaise_cli.domain.when import instant_text
from chaise_cli.errors import NotFound
from chaise_cli.ids import EventId, IdentityId, public
from chaise_cli.session import calendars, choosing, finding, showing
from chaise_cli.store import deal_reads

if TYPE_CHECKING:
    from chaise_cli.domain.deal_state import DealState
    from chaise_cli.domain.itip_answer import Draft, Said
    from chaise_cli.session.calendars import Shown
    from chaise_cli.session.session import Session


class NoSuchCall(NotFound):
    """No call here has the UID of the message."""

    code = "calendar.no_such_call"
    message = "the message is about none of the calls here"
    hint = "chaise sync may bring it; chaise bookings lists them"


class Message(NamedTuple):
    """A message about a call, ready to be written: from this side, to the other."""

    method: str
    shown: Shown
    sender: IdentityId
    recipient: IdentityId


class Asked(NamedTuple):
    """What an answer asks for: the call as it stands, the command that would sign that, or why there is none."""

    data: dict[str, object]
    command: str | None
    why: str


def message(session: Session, booking: EventId, method: str | None, *, mail: bool) -> Message:
    """What this side sends of a call; None is the likeliest method. mail: the addresses are needed in any case.

    Raises NotAChoice, NotYoursToSend, NoAddress.
    """
    named = choosing.one_of(method.upper(), itip.METHODS, "--method") if method else None
    state = showing.state_of(session, finding.deal_of(session, finding.Named("book", booking)))
    call, me = booking_fold.find(state.bookings, booking), session.me.identity
    chosen = itip.permitted(call, me, named)
    people: dict[str, tuple[str, str | None]] = {
        side: calendars.address(session, side) for side in (call.organizer, call.invited)
    }
    published = chosen == "PUBLISH" and not mail
    if not all(people[side][1] for side in ([call.organizer] if published else people)):
        whose = "the organizer" if published else "each side"
        raise itip.NoAddress(method=chosen, booking=public("book", booking), whose=whose)
    facts = itip.message(call, chosen)
    shown = calendars.Shown(uid(state.deal.space, booking), facts, _title(session, state, call.id), facts.note, people)
    return Message(chosen, shown, me, state.deal.parties.other(me))


def _title(session: Session, state: DealState, booking: EventId) -> str:
    """The same for both sides, unlike that of one's own calendar, which names the other."""
    call = booking_fold.find(state.bookings, booking)
    people = [session.person(side) for side in (call.organizer, call.invited)]
    names = " and ".join(str(each["name"] or each["handle"] or each["id"]) for each in people)
    post = deal_reads.post(session.db, state.deal.post) if state.deal.post else None
    return f"Call: {names}" + (f", {post.title}" if post else "")


def asked(session: Session, said: Said) -> Asked:
    """What an answer asks this side to sign. Raises NoSuchCall and what `itip_answer.draft` raises."""
    booking, state = _meant(session, said)
    call, me = booking_fold.find(state.bookings, booking), session.me.identity
    addresses = {side: calendars.address(session, side)[1] for side in (call.organizer, call.invited)}
    draft = itip_answer.draft(call, me, said, addresses)
    _shape, data = showing.named(session, finding.Named("book", booking))
    return Asked(data, _command(public("book", booking), draft), draft.why)


def _meant(session: Session, said: Said) -> tuple[EventId, DealState]:
    for call in deal_reads.select_calls(session.db, deal_reads.Wanted()):
        if uid(call.deal.id, call.id) == said.uid:
            return call.id, deal_reads.state(session.db, call.deal.no)
    raise NoSuchCall


def _command(shown: str, draft: Draft) -> str | None:
    """The command that signs the draft. Nothing in it is text of others: ids, numbers, times and a zone's name."""
    if not draft.verb:
        return None
    options = f" --slot {draft.slot}" if draft.slot else ""
    if draft.verb == "book":
        zone = f" --tz {draft.zone}" if draft.zone else ""
        options = f" --at {instant_text(draft.start)}{zone} --for {draft.minutes}m"
    return f"chaise {draft.verb} {shown}{options}"
