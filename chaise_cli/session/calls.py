"""Calls: offering times, agreeing on one, saying how it went; and calls as calendar entries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from chaise_cli.domain import booking_acts, booking_fold, booking_series, slots, when
from chaise_cli.domain.booking import DAY, MINUTES_MOST
from chaise_cli.domain.booking_series import SeriesOver
from chaise_cli.domain.light import NamedTuple
from chaise_cli.domain.when import MINUTE
from chaise_cli.errors import Usage
from chaise_cli.ids import EventId, IdentityId, public
from chaise_cli.session import acting, busy, finding, meeting, showing, showing_calls, zones
from chaise_cli.store import deal_reads, deal_words, selves

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from chaise_cli.domain.availability import SelfAvailability
    from chaise_cli.domain.booking import Booking, BookingBody, Series, Slot
    from chaise_cli.domain.booking_acts import Taken
    from chaise_cli.domain.deal_state import DealState
    from chaise_cli.session.acting import Done
    from chaise_cli.session.dealing import DealWriter
    from chaise_cli.session.finding import Named
    from chaise_cli.session.requests import Request
    from chaise_cli.session.session import Session

USUAL: Final = 30 * MINUTE


class WholeMinutes(Usage):
    """A call's length is not a number of minutes, or beyond a day."""

    code = "booking.bad_length"
    message = "a call lasts whole minutes, 1 to {most}"
    hint = "write --for 30m or --for 1h30m"
    most: int


class OneTime(Usage):
    """A check-in without how often or how many times, or with several first times."""

    code = "booking.one_time"
    message = "a check-in has one first time, says how often it comes, and how many times in all"
    hint = "chaise book DEAL --at TIME --every week --times 8"


class BadSide(Usage):
    """Who was missing is neither the client nor the talent."""

    code = "booking.bad_side"
    message = "{given} is neither the client nor the talent of {booking}"
    hint = "write --no-show client, --no-show talent, or the person's handle"
    given: str
    booking: str


class Offering(NamedTuple):
    """What is offered: instants, in the zone they are meant in; None keeps what the call had. Lengths in ms."""

    at: Sequence[int]
    tz: str
    length: int | None  # None: as before, else half an hour
    until: int | None
    url: str | None
    note: str | None
    notice: int | None
    allow_overlap: bool
    beyond_limits: bool = False
    strict_busy: bool = False
    days: int | None = None  # of a check-in, from one time to the next
    times: int | None = None  # and how many in all


def offer(session: Session, asked: Request | None, what: Named, offering: Offering) -> Done:
    """Offer times: of a new call with a deal, post or person, or others of a named call. Raises WholeMinutes."""
    known = what.event if what.kind == "book" else None
    offered = slots_of(offering, length(session, what, offering.length))
    series = _series(offering, offered)
    every = series.slots(offered[0]) if series else offered
    replaced = [] if series else _in_place_of(session, what)
    enter = acting.in_deal(session, finding.deal_of(session, what)) if known else meeting.reach(session, what)

    def decide(w: DealWriter) -> list[BookingBody]:
        if offering.strict_busy:
            busy.be_sure(session, every)
        if series and w.state.deal.state in deal_reads.ENDED:
            raise SeriesOver(deal=w.state.deal.public)
        url = _place(session, w, offered[0].minutes) if known is None and offering.url is None else offering.url
        return booking_acts.book(
            w.state.bookings, w.by, w.state.deal.parties, known, offered, taken=taken(session, w),
            own=_own(session, w), until=offering.until, url=url, note=offering.note, notice=offering.notice,
            allow_overlap=offering.allow_overlap, beyond_limits=offering.beyond_limits, series=series,
        )  # fmt: skip

    def subject(w: DealWriter, written: Sequence[str]) -> str:
        return public("book", known or _newest(w, written))

    def warn(state: DealState) -> list[str]:
        return [*replaced, *_clashes(session, state, every, known), *busy.warnings(session, every)]

    return acting.act(session, asked, enter, decide, subject, warn)


def _in_place_of(session: Session, what: Named) -> list[str]:
    """That a single call is offered in the place of all times of a check-in."""
    call = checkin(session, what)
    if call is None:
        return []
    ways = f"chaise cancel {public('book', call.id)} --on TIME leaves one out, and --every and --times move all"
    return [f"this would take the place of all {len(call.times)} times of the check-in; {ways}"]


def length(session: Session, what: Named, said: int | None, usual: int = USUAL) -> int:
    """How long the call lasts, in ms: as said, else as it did before, else `usual`."""
    if said is not None:
        return said
    if what.kind != "book":
        return usual
    state = showing.state_of(session, finding.deal_of(session, what))
    slot = booking_fold.find(state.bookings, what.event).slot
    return slot.end - slot.start


def checkin(session: Session, what: Named) -> Booking | None:
    """A call that is named and comes again: one time would take the place of all of its times."""
    if what.kind != "book":
        return None
    call = booking_fold.find(showing.state_of(session, finding.deal_of(session, what)).bookings, what.event)
    return call if call.offer.series and call.state in {"proposed", "confirmed", "conflicted"} else None


def slots_of(offering: Offering, lasting: int) -> list[Slot]:
    """The slots of an offer, each with its wall clock and the version of the zone data. Raises WholeMinutes."""
    minutes, version = whole_minutes(lasting), zones.data_version()
    return [booking_acts.slot_at(start, offering.tz, minutes, version) for start in offering.at]


def whole_minutes(length: int) -> int:
    """A call's length in minutes. Raises WholeMinutes."""
    minutes, rest = divmod(length, MINUTE)
    if rest or not 1 <= minutes <= MINUTES_MOST:
        raise WholeMinutes(most=MINUTES_MOST)
    return minutes


def _series(offering: Offering, slots: Sequence[Slot]) -> Series | None:
    """The times of a check-in; None where a call is offered. Raises OneTime, BadRepeat, Irregular."""
    if offering.days is None and offering.times is None:
        return None
    if offering.days is None or offering.times is None or len(slots) != 1:
        raise OneTime
    return booking_series.series(slots[0], offering.days, offering.times)


def _newest(w: DealWriter, written: Sequence[str]) -> EventId:
    """The call just made; `written` begins with how to reach us when these were our first words."""
    calls = w.state.bookings.by_id
    return next(EventId(one) for one in reversed(written) if one in calls)


def accept(
    session: Session,
    asked: Request | None,
    booking: EventId,
    slot: int | None,
    at: int | None,
    *,
    overlap: bool,
    beyond_limits: bool = False,
    strict_busy: bool = False,
) -> Done:
    """Take a slot of the other side's offer."""

    def decide(w: DealWriter) -> list[BookingBody]:
        offered = booking_fold.find(w.state.bookings, booking).open
        if offered and offered.series and w.state.deal.state in deal_reads.ENDED:
            raise SeriesOver(deal=w.state.deal.public)
        bodies = booking_acts.accept(
            w.state.bookings, w.by, w.state.deal.parties, booking, slot=slot, at=at, taken=taken(session, w),
            own=_own(session, w), allow_overlap=overlap, beyond_limits=beyond_limits,
        )  # fmt: skip
        if strict_busy:
            busy.be_sure(session, _agreed(w.state, booking))
        return bodies

    return _on(session, asked, booking, decide, lambda state: busy.warnings(session, _agreed(state, booking)))


def _agreed(state: DealState, booking: EventId) -> list[Slot]:
    """The slot that stands, of a check-in all its times, and what else was offered."""
    known = booking_fold.find(state.bookings, booking)
    every = known.offer.every if known.offer.series else (known.slot,)
    standing = [slot for slot in every if slot.start not in known.skipped]
    return [*standing, *(known.open.every if known.open else ())]


def decline(session: Session, asked: Request | None, booking: EventId, reason: str) -> Done:
    """Take none of the offered slots."""
    return _on(
        session,
        asked,
        booking,
        lambda w: booking_acts.decline(w.state.bookings, w.by, w.state.deal.parties, booking, reason),
    )


def withdraw(session: Session, asked: Request | None, booking: EventId) -> Done:
    """Take one's own open offer back."""
    return _on(
        session, asked, booking, lambda w: booking_acts.withdraw(w.state.bookings, w.by, w.state.deal.parties, booking)
    )


def cancel(session: Session, asked: Request | None, booking: EventId, reason: str) -> Done:
    """Call off an agreed call."""
    return _on(
        session,
        asked,
        booking,
        lambda w: booking_acts.cancel(w.state.bookings, w.by, w.state.deal.parties, booking, reason),
    )


def skip(session: Session, asked: Request | None, booking: EventId, at: Sequence[int]) -> Done:
    """Some times of an agreed check-in are off."""

    def decide(w: DealWriter) -> list[BookingBody]:
        return booking_series.skip(w.state.bookings, w.by, w.state.deal.parties, booking, at)

    return _on(session, asked, booking, decide)


def outcome(session: Session, asked: Request | None, booking: EventId, missing: str | None) -> Done:
    """How the call went; `missing` (client, talent or a person) was not there, None: both were. Raises BadSide."""

    def decide(w: DealWriter) -> list[BookingBody]:
        parties = w.state.deal.parties
        who = _side(session, missing, w.state, booking) if missing is not None else None
        return booking_acts.outcome(w.state.bookings, w.by, parties, booking, who)

    return _on(session, asked, booking, decide)


def _side(session: Session, given: str, state: DealState, booking: EventId) -> IdentityId:
    parties = state.deal.parties
    sides = {"client": parties.client, "talent": parties.talent}
    found = sides.get(given) or finding.person(session, given)
    if found not in sides.values():
        raise BadSide(given=given[:40], booking=public("book", booking))
    return found


def _on(
    session: Session,
    asked: Request | None,
    booking: EventId,
    decide: Callable[[DealWriter], list[BookingBody]],
    warn: acting.Warn = lambda _state: [],
) -> Done:
    enter = acting.in_deal(session, finding.deal_of(session, finding.Named("book", booking)))
    return acting.act(session, asked, enter, decide, lambda _w, _written: public("book", booking), warn)


def reissued(session: Session, w: DealWriter) -> list[BookingBody]:
    """Moves of agreed check-ins that new zone data has shifted; for the talent's devices to write."""
    series = [call for call in w.state.bookings.by_id.values() if call.state == "confirmed" and call.offer.series]
    if not series:
        return []
    state, version = w.state, zones.data_version()
    return booking_series.reissued(state.bookings, w.by, state.deal.parties, taken(session, w), version)


def taken(session: Session, w: DealWriter) -> list[Taken]:
    """When the talent of this deal is committed in the other deals of this home, or busy by other calendars.

    Asked inside the transaction.
    """
    if w.by.identity != w.state.deal.parties.talent:
        return []
    return [*committed(session, w.space.no), *_elsewhere(session)]


def committed(session: Session, but: int | None = None) -> list[Taken]:
    """When I am committed as a talent, in all deals but this one."""
    found: set[Taken] = set()
    for space in deal_reads.busy_deals(session.db, session.me.identity, but):
        state = deal_reads.state(session.db, space)
        found.update(booking_acts.committed(state.bookings, state.deal.parties))
    return sorted(found)


def engaged(session: Session, but: str | None = None, until: int = busy.LAST) -> list[Taken]:
    """All that keeps me from a time before `until`: commitments as a talent, agreed calls as a client, other calendars.

    but: a call that is left out, since it would be moved.
    """
    mine = {one for one in committed(session) if one.booking != but}
    ahead = deal_reads.calls_ahead(session.db, session.me.identity, session.clock.now(), client=True)
    agreed = {booking_acts.Taken(begins, ends, "") for begins, ends, id_ in ahead if id_ != but}
    return sorted({*mine, *agreed, *_elsewhere(session, until)})


def _elsewhere(session: Session, until: int = busy.LAST) -> list[Taken]:
    """What other calendars have; from a day back on, since a buffer may reach behind now."""
    return busy.taken(session, session.clock.now() - DAY, until)


def _own(session: Session, w: DealWriter) -> SelfAvailability | None:
    """The buffers, notice and limits that count here: the talent's, where the talent acts."""
    return selves.availability(session.db) if w.by.identity == w.state.deal.parties.talent else None


def _place(session: Session, w: DealWriter, minutes: int) -> str | None:
    """Where such calls take place, by one's own word, else by what the other side told of its free times."""
    own = selves.availability(session.db)
    if own is not None:
        return slots.kind_of(own, minutes).place
    told = deal_words.told(session.db, w.space.no, w.state.deal.parties.other(w.by.identity))
    lengths = told.times.of(minutes) if told else None
    return lengths.place if lengths else None


def _clashes(session: Session, state: DealState, offered: Sequence[Slot], moved: EventId | None) -> list[str]:
    """Other agreed calls of this home at the times offered: a warning, for only the talent's time is guarded.

    And times that the talent, having told free ones, has not told. moved: the call itself, whose old time is no clash.
    """
    if state.deal.parties.talent == session.me.identity:
        return []
    own = state.bookings.by_id
    found = _untold(session, state, offered) + [
        f"{public('book', other)} is at the same time as {when.one_zone(slot.start, slot.zone)}"
        for slot in offered
        for other in deal_reads.calls_between(session.db, slot.start, slot.end)
        if other != moved and (other not in own or own[other].slot not in offered)
    ]
    return found + busy.clashes(session, offered)


def _untold(session: Session, state: DealState, offered: Sequence[Slot]) -> list[str]:
    talent = state.deal.parties.talent
    told = deal_words.told(session.db, finding.space_no(session, state.deal.space), talent)
    if told is None or not told.times.lengths:
        return []
    free = ((slot, told.times.of(slot.minutes)) for slot in offered)
    return [
        f"{session.called(talent)} has not told {when.one_zone(slot.start, slot.zone)} as free"
        for slot, of in free
        if of is None or not of.starts(slot.start, slot.start + 1)
    ]


def chosen(session: Session, booking: EventId, slot: int | None, at: int | None) -> int | None:
    """When the call would begin if it were accepted so; None where the rules will refuse."""
    state = showing.state_of(session, finding.deal_of(session, finding.Named("book", booking)))
    open_offer = booking_fold.find(state.bookings, booking).open
    starts = [each.start for each in open_offer.slots] if open_offer else []
    if at is not None:
        return at if at in starts else None
    return starts[(slot or 1) - 1] if (slot or 1) <= len(starts) else None


def other_zone(session: Session, what: Named) -> str | None:
    """The zone of the other side, as far as they told; None when the target does not say who that is."""
    if what.kind == "id":
        return showing_calls.zone_of(session, IdentityId(what.id))
    if what.kind == "post":
        found = deal_reads.post(session.db, what.event)
        return showing_calls.zone_of(session, found.author) if found else None
    parties = showing.state_of(session, finding.deal_of(session, what)).deal.parties
    return showing_calls.zone_of(session, parties.other(session.me.identity))
