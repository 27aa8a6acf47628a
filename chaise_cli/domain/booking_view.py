"""A booking as others see it: its JSON shape, who may do what, and what a calendar needs. docs/spec/bookings.md."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from chaise_cli.domain.booking import MINUTE, Booking, BookingMet, BookingMissed, Offer, Slot, uid
from chaise_cli.domain.booking_acts import CONTEST, MISSED_AFTER
from chaise_cli.domain.booking_fold import TABLE, Rule, may_act, said
from chaise_cli.domain.light import NamedTuple
from chaise_cli.domain.may import May
from chaise_cli.domain.recorded import Parties
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
    )


def _status(booking: Booking) -> str:
    if booking.state == "proposed":
        return "tentative"
    return "confirmed" if booking.state == "confirmed" or booking.outcome else "cancelled"


def _partstat(booking: Booking) -> str:
    """The invited side's answer to the entry."""
    if booking.ended_by == booking.invited:
        return "DECLINED"
    agreed = booking.state == "cancelled" and booking.commitment is not None
    if booking.state == "confirmed" or booking.outcome or agreed:
        return "ACCEPTED"
    return "TENTATIVE" if booking.offer.by == booking.invited else "NEEDS-ACTION"


def may(booking: Booking, parties: Parties, now: int) -> list[May]:
    """Who may do what at `now`: side (client or talent), verb, and until when (ms, None without an end)."""
    rows: list[May] = []
    for rule in TABLE:
        for side, who in (("client", parties.client), ("talent", parties.talent)):
            if rule.state == booking.state and may_act(rule, booking, who):
                until = _end(rule, booking, parties, who)
                if now >= _beginning(rule, booking) and (until is None or now < until) and _heard(rule, booking, who):
                    rows.append(May(side, rule.verb, until))
    return rows


def _beginning(rule: Rule, booking: Booking) -> int:
    if rule.act is BookingMet:
        return booking.slot.start
    return booking.slot.start + MISSED_AFTER if rule.act is BookingMissed else 0


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
    return shape | _ending(booking, person) | _moving(booking.move)


def _moving(move: Offer | None) -> dict[str, object]:
    return {"move": _slots(move.slots)} if move else {}


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
    return booking.state == "confirmed" and now >= booking.slot.end + 60 * MINUTE
