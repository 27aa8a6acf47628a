"""What each booking event does: the table of states, its guards, and the fold. docs/spec/bookings.md."""

from __future__ import annotations

import itertools
from typing import Any, Final

from chaise_cli.domain.booking import (
    DAY,
    MINUTE,
    Booking,
    BookingAccepted,
    BookingBody,
    BookingCancelled,
    BookingDeclined,
    BookingLost,
    BookingMet,
    BookingMissed,
    BookingOffered,
    Bookings,
    BookingSeriesOffered,
    BookingSkipped,
    BookingWithdrawn,
    Commitment,
    Offer,
    Series,
    Slot,
    Word,
    meet,
)
from chaise_cli.domain.light import NamedTuple
from chaise_cli.domain.recorded import Parties, Recorded
from chaise_cli.domain.shape import Body
from chaise_cli.errors import Refused
from chaise_cli.ids import EventId, IdentityId, public

MISSED_AFTER: Final = 15 * MINUTE  # from the start; earlier nobody is missing
CONTEST: Final = 3 * DAY  # from the other side's word


class NotASide(Refused):
    """Somebody other than client and talent acts on their calls."""

    code = "booking.not_a_side"
    message = "only the client and the talent of a deal may act on its calls"
    hint = "list your own: chaise bookings"


class UnknownBooking(Refused):
    """The deal has no such booking."""

    code = "booking.unknown"
    message = "this deal has no call {booking}"
    hint = "list them: chaise bookings"
    booking: str


class WrongState(Refused):
    """The state of the booking does not allow the act."""

    code = "booking.wrong_state"
    message = "{booking} is {state}, which forbids {verb}"
    hint = "see what may be done: chaise show {booking}"
    booking: str
    state: str
    verb: str


class NotYourTurn(Refused):
    """An offer is answered by the other side and withdrawn by its own."""

    code = "booking.not_your_turn"
    message = "the open offer of {booking} is not this side's to {verb}"
    hint = "answer the other side's offer, or withdraw your own; `chaise show {booking}` says whose it is"
    booking: str
    verb: str


class Crossed(Refused):
    """The act answers an offer that was answered, withdrawn or replaced before."""

    code = "booking.crossed"
    message = "the offer was answered, withdrawn or replaced before this reached it; {booking} is {state}"
    hint = "look again: chaise show {booking}"
    booking: str
    state: str


class NoSuchSlot(Refused):
    """The offer has no such slot."""

    code = "booking.no_such_slot"
    message = "the offer of {booking} has no such slot"
    hint = "`chaise show {booking}` lists the slots"
    booking: str


class NotInCall(Refused):
    """Somebody is named as missing who was not expected."""

    code = "booking.not_in_call"
    message = "only the client or the talent can have missed {booking}"
    hint = "name one of them: chaise show {booking}"
    booking: str


class OutcomeStands(Refused):
    """A side repeats its word, or changes it while the other side has said nothing."""

    code = "booking.outcome_stands"
    message = "the outcome of {booking} stands until the other side says otherwise"
    hint = "both sides together may correct it: let the other side say how it was"
    booking: str


class BadSeries(Refused):
    """The times of a check-in are not one after the other."""

    code = "booking.bad_series"
    message = "the times of a check-in follow one another from its first on, without overlap"
    hint = "make it anew: chaise book DEAL --at TIME --every week --times 8"


class NoSuchTime(Refused):
    """A time that is to be left out is none of the check-in's, or the last that was left."""

    code = "booking.no_such_time"
    message = "{booking} has no such time to leave out, or no other time that would be left"
    hint = "`chaise show {booking}` lists its times; `chaise cancel {booking}` ends it"
    booking: str


class Rule(NamedTuple):
    """One row of the table of states. `state` is empty where there is no booking yet.

    who: either side, the client, the talent, the `offerer` of the open offer, or the `answerer`, the side opposite.
    """

    state: str
    act: type[BookingBody]
    who: str
    to: str
    verb: str
    guard: str


TABLE: Final = (
    Rule("", BookingOffered, "either", "proposed", "book", ""),
    Rule("proposed", BookingOffered, "either", "proposed", "book", "answers the newest offer"),
    Rule("", BookingSeriesOffered, "either", "proposed", "book", "times in order"),
    Rule("proposed", BookingSeriesOffered, "either", "proposed", "book", "answers the newest offer; times in order"),
    Rule("proposed", BookingAccepted, "answerer", "confirmed", "accept", "names the open offer and a slot of it"),
    Rule("proposed", BookingDeclined, "answerer", "declined", "decline", "names the open offer"),
    Rule("proposed", BookingWithdrawn, "offerer", "declined", "withdraw", "names the open offer"),
    Rule("confirmed", BookingOffered, "either", "confirmed", "book", "answers the newest offer; opens a move"),
    Rule(
        "confirmed",
        BookingSeriesOffered,
        "either",
        "confirmed",
        "book",
        "answers the newest offer; times in order; opens a move",
    ),
    Rule("confirmed", BookingAccepted, "answerer", "confirmed", "accept", "names the open move and a slot of it"),
    Rule("confirmed", BookingDeclined, "answerer", "confirmed", "decline", "names the open move"),
    Rule("confirmed", BookingWithdrawn, "offerer", "confirmed", "withdraw", "names the open move"),
    Rule(
        "confirmed",
        BookingSkipped,
        "either",
        "confirmed",
        "cancel --on",
        "names some of its times, one that stands, and leaves one",
    ),
    Rule("confirmed", BookingCancelled, "either", "cancelled", "cancel", ""),
    Rule("confirmed", BookingMet, "either", "met", "book --met", ""),
    Rule("confirmed", BookingMissed, "either", "no_show", "book --no-show", "names a side"),
    Rule("confirmed", BookingLost, "talent", "conflicted", "sync", "names the commitment"),
    Rule("conflicted", BookingOffered, "either", "proposed", "book", "answers the newest offer"),
    Rule("conflicted", BookingSeriesOffered, "either", "proposed", "book", "answers the newest offer; times in order"),
    Rule("conflicted", BookingCancelled, "either", "cancelled", "cancel", ""),
    Rule("conflicted", BookingMet, "client", "met", "book --met", "lost by a verdict"),
    Rule("conflicted", BookingMissed, "client", "no_show", "book --no-show", "names a side; lost by a verdict"),
    Rule("met", BookingMet, "either", "met", "book --met", "the other side has spoken"),
    Rule("met", BookingMissed, "either", "met", "book --no-show", "the other side has spoken; no_show if both agree"),
    Rule("no_show", BookingMet, "either", "no_show", "book --met", "the other side has spoken; met if both agree"),
    Rule("no_show", BookingMissed, "either", "no_show", "book --no-show", "names a side; the other side has spoken"),
)
"""Every legal cell: what may happen to a booking, by whom, and what it becomes.

A booking that becomes confirmed may at once make itself or others conflicted; see `_compete`.
"""

_RULES: Final[dict[tuple[str, type[Body]], Rule]] = {(rule.state, rule.act): rule for rule in TABLE}
_VERBS: Final[dict[type[Body], str]] = {rule.act: rule.verb for rule in TABLE}


def may_act(rule: Rule, booking: Booking | None, parties: Parties, who: IdentityId) -> bool:
    """Whether this side has the role the rule asks for."""
    if rule.who in {"either", "client", "talent"}:
        return rule.who == "either" or who == (parties.client if rule.who == "client" else parties.talent)
    offer = booking.open if booking else None
    return offer is not None and (offer.by == who) == (rule.who == "offerer")


def permit(bookings: Bookings, parties: Parties, who: IdentityId, body: Body) -> tuple[Booking | None, Rule]:
    """The booking a body acts on (None for a new one) and the rule that allows it.

    Raises NotASide, UnknownBooking, WrongState, NotYourTurn, Crossed, NoSuchSlot, NotInCall, OutcomeStands, BadSeries,
    NoSuchTime. The same guards serve decisions and the fold.
    """
    if who not in {parties.client, parties.talent}:
        raise NotASide
    named: EventId | None = getattr(body, "booking", None)
    booking = bookings.by_id.get(named) if named else None
    if named and not booking:
        raise UnknownBooking(booking=public("book", named))
    state, shown = (booking.state, public("book", booking.id)) if booking else ("", "it")
    if _stale(booking, body):
        raise Crossed(booking=shown, state=state)
    rule = _RULES.get((state, type(body)))
    if rule is None:
        raise WrongState(booking=shown, state=state or "not there", verb=_VERBS.get(type(body), body.KIND))
    if not may_act(rule, booking, parties, who):
        raise NotYourTurn(booking=shown, verb=rule.verb)
    if isinstance(body, BookingSeriesOffered) and not _in_order(body):
        raise BadSeries
    if booking:
        _guard(booking, parties, who, body)
    return booking, rule


def _stale(booking: Booking | None, body: Body) -> bool:
    """Whether the body answers another offer than the one that waits for an answer."""
    if isinstance(body, BookingOffered | BookingSeriesOffered):
        return body.answers != (booking.latest if booking else None)
    if isinstance(body, BookingAccepted | BookingDeclined | BookingWithdrawn):
        return booking is None or booking.open is None or booking.open.id != body.offer
    return False


def _in_order(body: BookingSeriesOffered) -> bool:
    """Whether the times begin with the slot and do not overlap. The fold does not ask whether they keep to a rule."""
    length = body.slot.minutes * MINUTE
    return body.starts[0] == body.slot.start and all(
        before + length <= after for before, after in itertools.pairwise(body.starts)
    )


def _guard(booking: Booking, parties: Parties, who: IdentityId, body: Body) -> None:
    shown = public("book", booking.id)
    if isinstance(body, BookingAccepted) and booking.open and body.slot > len(booking.open.slots):
        raise NoSuchSlot(booking=shown)
    if isinstance(body, BookingSkipped) and not _may_skip(booking, body):
        raise NoSuchTime(booking=shown)
    if isinstance(body, BookingMissed) and body.missing not in {parties.client, parties.talent}:
        raise NotInCall(booking=shown)
    if isinstance(body, BookingLost) and not (booking.commitment and booking.commitment.id == body.commitment):
        raise Crossed(booking=shown, state=booking.state)  # it was moved, or lost already
    if booking.state == "conflicted" and isinstance(body, BookingMet | BookingMissed) and booking.lost is None:
        raise WrongState(booking=shown, state=booking.state, verb=_VERBS[type(body)])
    if isinstance(body, BookingMet | BookingMissed) and booking.outcome:
        before = said(booking, who)
        silent = len(booking.words) == 1 and before is not None
        if silent or (before and before.missing == getattr(body, "missing", None)):
            raise OutcomeStands(booking=shown)


def _may_skip(booking: Booking, body: BookingSkipped) -> bool:
    """Whether it names times of the check-in, of which one stands, and another one does that it does not name.

    What the other side has left out meanwhile may be among them: two that cross leave out what both named.
    """
    if booking.offer.series is None or not set(body.starts) <= set(booking.offer.series.starts):
        return False
    standing = {start for start, _ in booking.times}
    return bool(standing - set(body.starts)) and bool(standing & set(body.starts))


def said(booking: Booking, who: IdentityId) -> Word | None:
    """What this side last said of the outcome."""
    return next((word for word in booking.words if word.by == who), None)


def step(bookings: Bookings, parties: Parties, e: Recorded) -> Bookings:
    """The calls of the deal after one more booking event.

    Raises what `permit` raises; the event is then void and its reason the error's code.
    """
    before, rule = permit(bookings, parties, e.by, e.body)
    after = _apply(before, rule, parties, e, bookings.places)
    losers: list[Booking] = []
    if isinstance(e.body, BookingAccepted):
        after, losers = _compete(after, bookings)
    elif before and before.lost and after.outcome:
        losers = [_lost(other) for other in _rivals(after, bookings) if not other.outcome]
    by_id = dict(bookings.by_id)
    for booking in (after, *losers):
        by_id[booking.id] = _revise(by_id.get(booking.id), booking, e)
    return Bookings(by_id, bookings.places + 1)


def _apply(before: Booking | None, rule: Rule, parties: Parties, e: Recorded, place: int) -> Booking:
    if isinstance(e.body, BookingOffered | BookingSeriesOffered):
        offer = _taken_in(e, e.body, place)
        return _offered(before._replace(state=rule.to), offer) if before else _opened(offer, parties, e)
    assert before is not None, "only an offer makes a booking"
    after = before._replace(state=rule.to)
    match e.body:
        case BookingAccepted():
            return _accepted(after, before.open, e, parties, place)
        case BookingDeclined() if rule.to == "declined":
            return after._replace(reason="declined", why=e.body.reason, ended_by=e.by)
        case BookingWithdrawn() if rule.to == "declined":
            return after._replace(reason=e.body.reason, ended_by=e.by)
        case BookingDeclined() | BookingWithdrawn():
            return after._replace(move=None)
        case BookingCancelled():
            late = before.state == "confirmed" and _late(before, e.at)
            return after._replace(move=None, why=e.body.reason, ended_by=e.by, late=late)
        case BookingSkipped():
            return after._replace(skipped=tuple(sorted({*before.skipped, *e.body.starts})))
        case BookingLost():
            return _lost(after)._replace(lost=before.commitment)
        case BookingMissed():
            return _told(before, after, Word(e.by, e.body.missing, e.at))
        case _:
            return _told(before, after, Word(e.by, None, e.at))


def _late(booking: Booking, at: int) -> bool:
    """Whether the next time, or the last if all are over, is nearer than the notice."""
    start = next((start for start, end in booking.times if end > at), booking.last[0])
    return at > start - booking.offer.notice * MINUTE


def _taken_in(e: Recorded, body: BookingOffered | BookingSeriesOffered, place: int) -> Offer:
    slots, series = (body.slots, None) if isinstance(body, BookingOffered) else ((body.slot,), _series(body))
    return Offer(e.id, e.by, place, slots, body.until, body.url, body.note, body.notice, body.allow_overlap, series)


def _series(body: BookingSeriesOffered) -> Series:
    return Series(body.days, body.starts)


def _opened(offer: Offer, parties: Parties, e: Recorded) -> Booking:
    return Booking(
        id=e.id,
        organizer=e.by,
        invited=parties.other(e.by),
        state="proposed",
        offer=offer,
        picked=0,
        move=None,
        latest=e.id,
        latest_by=e.by,
        offers=1,
        accepted_by=None,
        commitment=None,
        words=(),
        missing=None,
        contested=False,
        reason=None,
        why="",
        ended_by=None,
        late=False,
        stance=None,
        entry=offer.slots[0],
        sequence=-1,  # the first offer brings it to 0
        created=e.at,
        modified=e.at,
        final=e.final,
    )


def _offered(booking: Booking, offer: Offer) -> Booking:
    """A counter-offer, or a new offer after a conflict, replaces the offer; a move stands beside it."""
    hands = booking.offers + (offer.by != booking.latest_by)
    booking = booking._replace(latest=offer.id, latest_by=offer.by, offers=hands)
    if booking.state == "confirmed":
        return booking._replace(move=offer)
    return booking._replace(offer=offer, picked=0, accepted_by=None, commitment=None, lost=None, skipped=())


def _accepted(booking: Booking, offer: Offer | None, e: Recorded, parties: Parties, place: int) -> Booking:
    assert offer is not None, "a permitted acceptance names the open offer"
    body: Any = e.body
    by_talent = offer.by == parties.talent  # then the offer itself is what binds the talent's time
    own = Commitment(place, body.allow_overlap, e.id)
    bound = Commitment(offer.place, offer.allow_overlap, offer.id) if by_talent else own
    return booking._replace(
        offer=offer, picked=body.slot - 1, move=None, accepted_by=parties.other(offer.by), commitment=bound, skipped=()
    )


def _told(before: Booking, after: Booking, word: Word) -> Booking:
    """The first word stands until both sides agree on another; while they differ it is contested."""
    others = tuple(known for known in before.words if known.by != word.by)
    agreed = all(known.missing == word.missing for known in others)
    if agreed:
        after = after._replace(state="met" if word.missing is None else "no_show", missing=word.missing)
    if after.lost:  # it took place all the same
        after = after._replace(commitment=after.lost, lost=None, losses=after.losses - 1)
    return after._replace(move=None, words=(*others, word), contested=not agreed)


def _compete(new: Booking, bookings: Bookings) -> tuple[Booking, list[Booking]]:
    """The newly agreed booking, conflicted if it lost, and those which it made conflicted.

    Of overlapping calls the one whose commitment comes first in the deal's order is kept; plain intervals,
    no buffers and no clocks. Whoever allowed overlap takes no part. A call with an outcome took place.
    """
    rivals = _rivals(new, bookings)
    if any(other.outcome or _place(other) < _place(new) for other in rivals):
        return _lost(new), []
    return new, [_lost(other) for other in rivals]


def _rivals(new: Booking, bookings: Bookings) -> list[Booking]:
    """The other calls that take a time of this one's; none where overlap was allowed."""
    return [
        other
        for other in bookings.by_id.values()
        if other.id != new.id and competes(new) and competes(other) and meet(new.times, other.times)
    ]


def competes(booking: Booking) -> bool:
    """Whether the call takes the talent's time for itself alone."""
    return booking.held and booking.commitment is not None and not booking.commitment.allow_overlap


def _place(booking: Booking) -> int:
    assert booking.commitment, "an agreed booking has a commitment"
    return booking.commitment.place


def _lost(booking: Booking) -> Booking:
    return booking._replace(state="conflicted", move=None, commitment=None, losses=booking.losses + 1)


def _revise(before: Booking | None, after: Booking, e: Recorded) -> Booking:
    """Count the revision: SEQUENCE rises when the slot the organizer stands behind changes or goes.

    When the invited side ends it before agreement, its REPLY declines what it received, so nothing rises.
    """
    stance, series = _stance(after)
    same = stance.same_time(after.stance) if stance and after.stance else stance is after.stance
    changed = not same or series != after.stance_series or isinstance(e.body, BookingSkipped)
    refused = after.state == "declined" and after.ended_by == after.invited
    return after._replace(
        stance=stance,
        stance_series=series,
        entry=after.slot if after.held else stance or after.entry,
        entry_series=after.offer.series if after.held else series if stance else after.entry_series,
        sequence=after.sequence + (changed and not refused),
        modified=max(e.at, before.modified if before else e.at),
        final=e.final,
    )


def _stance(booking: Booking) -> tuple[Slot | None, Series | None]:
    """What the organizer stands behind now; an offer of the other side leaves it as it was."""
    if booking.state in {"declined", "cancelled", "conflicted"}:
        return None, None
    offer = booking.open
    if offer is None:
        return booking.slot, booking.offer.series
    own = offer.by == booking.organizer
    return (offer.slots[0], offer.series) if own else (booking.stance, booking.stance_series)


def find(bookings: Bookings, booking: EventId) -> Booking:
    """The booking of this id. Raises UnknownBooking."""
    known = bookings.by_id.get(booking)
    if known is None:
        raise UnknownBooking(booking=public("book", booking))
    return known
