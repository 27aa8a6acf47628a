"""A booking as others see it: its JSON shape, who may do what, and what a calendar needs. docs/spec/bookings.md."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from chaise_cli.domain.booking import (
    MINUTE,
    Booking,
    BookingLost,
    BookingMet,
    BookingMissed,
    BookingSeriesOffered,
    BookingSkipped,
    Offer,
    Series,
    Slot,
    uid,
)
from chaise_cli.domain.booking_fold import CONTEST, MISSED_AFTER, TABLE, Rule, may_act, said
from chaise_cli.domain.light import NamedTuple
from chaise_cli.domain.recorded import May, Parties
from chaise_cli.domain.when import instant_text
from chaise_cli.ids import IdentityId, public

Person = Callable[[IdentityId], Mapping[str, object]]


class EntryFacts(NamedTuple):
    """What one calendar entry says of a booking. Instants are ms since 1970, UTC; `end` is exclusive."""

    sequence: int
    status: str  # tentative, confirmed, cancelled
    start: int
    end: int
    tz: str
    url: str | None
    note: str
    organizer: IdentityId
    partstats: tuple[tuple[IdentityId, str], ...]  # organizer first
    created: int
    modified: int
    extra: tuple[tuple[int, int], ...]  # further times that are offered and not agreed
    comment: str = ""  # of a message: the words of who declined or cancelled
    series: Series | None = None  # of a check-in: all its times
    skipped: tuple[int, ...] = ()  # starts of those that are off


def entry_facts(booking: Booking) -> EntryFacts:
    """What a calendar file shows: the agreed slot, before agreement the one the organizer stands behind."""
    offered = [slot for slot in (booking.open.slots if booking.open else ()) if not slot.same_time(booking.entry)]
    return EntryFacts(
        sequence=booking.sequence,
        status=_status(booking),
        start=booking.entry.start,
        end=booking.entry.end,
        tz=booking.entry.zone,
        url=booking.offer.url,
        note=booking.offer.note,
        organizer=booking.organizer,
        partstats=((booking.organizer, "ACCEPTED"), (booking.invited, _partstat(booking))),
        created=booking.created,
        modified=booking.modified,
        extra=tuple((slot.start, slot.end) for slot in offered),
        series=booking.entry_series,
        skipped=booking.skipped,
    )


def _status(booking: Booking) -> str:
    if booking.state == "proposed":
        return "tentative"
    return "confirmed" if booking.held else "cancelled"


def _partstat(booking: Booking) -> str:
    """The invited side's answer to the entry."""
    if booking.ended_by == booking.invited:
        return "DECLINED"
    agreed = booking.state == "cancelled" and booking.commitment is not None
    if booking.held or agreed:
        return "ACCEPTED"
    return "TENTATIVE" if booking.offer.by == booking.invited else "NEEDS-ACTION"


def may(booking: Booking, parties: Parties, now: int) -> list[May]:
    """Who may do what at `now`: side (client or talent), verb, and until when (ms, None without an end)."""
    rows: list[May] = []
    for rule in TABLE:
        for side, who in (("client", parties.client), ("talent", parties.talent)):
            if rule.state == booking.state and _is_open(rule, booking) and may_act(rule, booking, parties, who):
                until = _end(rule, booking, parties, who)
                if now >= _beginning(rule, booking) and (until is None or now < until) and _heard(rule, booking, who):
                    rows.append(May(side, rule.verb, until))
    return rows


def _is_open(rule: Rule, booking: Booking) -> bool:
    """Devices give verdicts, not people; of a call that lost by one, who knows it can still say that it took place."""
    if booking.state == "conflicted" and rule.act in {BookingMet, BookingMissed}:
        return booking.lost is not None and rule.act is BookingMet
    if rule.act is BookingSkipped:
        return len(booking.times) > 1 and booking.offer.series is not None
    return rule.act not in {BookingLost, BookingSeriesOffered}  # the second is the same `book` as of one call


def _beginning(rule: Rule, booking: Booking) -> int:
    if rule.act is BookingMet:
        return booking.last[0]
    return booking.last[0] + MISSED_AFTER if rule.act is BookingMissed else 0


def _end(rule: Rule, booking: Booking, parties: Parties, who: IdentityId) -> int | None:
    """When the right ends: an answer with the offer, a contest with its three days."""
    if rule.who == "answerer" and booking.open:
        return booking.open.until
    other = said(booking, parties.other(who))
    if rule.act in {BookingMet, BookingMissed} and other and _differs(rule, other.missing):
        return other.at + CONTEST
    return None


def _heard(rule: Rule, booking: Booking, who: IdentityId) -> bool:
    """Whether this side's word on the outcome would be news that is its to give."""
    own = said(booking, who)
    if rule.act not in {BookingMet, BookingMissed} or own is None:
        return True
    another = booking.contested and rule.act is BookingMissed  # it may name the other side instead
    return len(booking.words) > 1 and (another or _differs(rule, own.missing))


def _differs(rule: Rule, missing: IdentityId | None) -> bool:
    return (rule.act is BookingMet) != (missing is None)


def view(booking: Booking, deal: str, parties: Parties, person: Person, now: int) -> dict[str, object]:
    """The booking as JSON, keys as promised in docs/spec/results.md. deal: the space's id as base64url text."""
    names = {parties.client: "client", parties.talent: "talent"}
    offer = booking.open
    shape: dict[str, object] = {
        "id": public("book", booking.id),
        "deal": public("deal", deal),
        "organizer": dict(person(booking.organizer)),
        "attendees": [dict(person(booking.organizer)), dict(person(booking.invited))],
        "final": booking.final,
        "start": instant_text(booking.slot.start),
        "end": instant_text(booking.slot.end),
        "tz": booking.slot.zone,
        "url": booking.offer.url,
        "uid": uid(deal, booking.id),
        "sequence": booking.sequence,
        "turn": names[parties.other(offer.by)] if offer else None,
        "offers": booking.offers,
        "slots": _slots(booking.offer.slots),
        "state": booking.state,
        "note": booking.offer.note,
        "until": _instant(offer.until if offer else None),
        "lapsed": offer is not None and now >= offer.until,
        "may": [row._asdict() | {"until": _instant(row.until)} for row in may(booking, parties, now)],
    }
    lost = {"lost": booking.losses} if booking.losses else {}
    return shape | _ending(booking, person) | lost | _moving(booking.move) | _again(booking)


def _moving(move: Offer | None) -> dict[str, object]:
    if move is None:
        return {}
    return {"move": _slots(move.slots)} | ({"move_repeats": _repeats(move.series, ())} if move.series else {})


def _again(booking: Booking) -> dict[str, object]:
    return {"repeats": _repeats(booking.offer.series, booking.skipped)} if booking.offer.series else {}


def _repeats(series: Series, skipped: tuple[int, ...]) -> dict[str, object]:
    return {
        "days": series.days,
        "starts": [instant_text(start) for start in series.starts],
        "skipped": [instant_text(start) for start in skipped],
    }


def _ending(booking: Booking, person: Person) -> dict[str, object]:
    """How it ended; only the keys that say something of this state."""
    by = dict(person(booking.ended_by)) if booking.ended_by else None
    if booking.state == "declined":
        return {"reason": booking.reason, "why": booking.why, "ended_by": by}
    if booking.state == "cancelled":
        return {"reason": booking.why, "ended_by": by, "late": booking.late}
    if booking.outcome:
        missing = dict(person(booking.missing)) if booking.missing else None
        return {"contested": booking.contested, "missing": missing}
    return {}


def _slots(slots: tuple[Slot, ...]) -> list[dict[str, object]]:
    return [
        {"n": n, "start": instant_text(slot.start), "end": instant_text(slot.end), "tz": slot.zone}
        for n, slot in enumerate(slots, 1)
    ]


def _instant(ms: int | None) -> str | None:
    return None if ms is None else instant_text(ms)


def probably_met(booking: Booking, now: int) -> bool:
    """Whether a confirmed call ended an hour ago and nobody has said how it went."""
    return booking.state == "confirmed" and now >= booking.last[1] + 60 * MINUTE
