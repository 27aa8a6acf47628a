# ruff: noqa: ARG005  every act is called with a deal and a number, whatever it uses
"""What people may do in a deal, in any order: decisions of the domain, and words that no rule has looked at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final

from chaise_cli.crypto import derivation
from chaise_cli.domain import agent, booking_acts, booking_series, cancellation, escrow, hiring, order, talk, work
from chaise_cli.domain import deal as deals
from chaise_cli.domain.booking import DAY, HOUR, BookingAccepted, BookingCancelled, BookingLost, Series, Slot
from chaise_cli.domain.money import Money
from chaise_cli.errors import ChaiseError
from chaise_cli.ids import EventId, SpaceId, text
from chaise_cli.session import writing
from chaise_cli.session.dealing import DealWriter
from chaise_cli.session.session import Session
from tests.fakes import homes

Act = Callable[[DealWriter, int], Sequence[Any]]
FILE: Final = talk.Attachment("plan.txt", 3, *(text(bytes([number]) * 32) for number in (1, 2, 3)))


def _n(number: int) -> int:
    return 1 + number % 2


def _eur(number: int) -> Money:
    return Money(1 + number * 7_919 % 90_000, "EUR")


def _slot(number: int) -> Slot:
    start = homes.NOON_MS + (24 + number % 4) * HOUR
    return Slot("2026-11-21T12:00:00", "UTC", start, 60, "2026b")


def _some_booking(w: DealWriter, number: int) -> EventId:
    known = sorted(w.state.bookings.by_id)
    return EventId(known[number % len(known)]) if known else _nothing(number)


def _bound(w: DealWriter, number: int) -> EventId:
    """What binds the talent to some call, if anything does."""
    call = w.state.bookings.by_id.get(_some_booking(w, number))
    return call.commitment.id if call and call.commitment else _nothing(number)


def _nothing(number: int) -> EventId:
    return EventId(text(derivation.tagged_hash("test", bytes([number % 256]))))


def _attest(w: DealWriter, number: int) -> Sequence[Any]:
    due = agent.rail_due(w.state.deal)
    return agent.attest(w.state.deal, w.by, due[number % len(due)].op, f"ref {number}") if due else []


def _duties(w: DealWriter, number: int) -> Sequence[Any]:
    return agent.agent_duties(w.state.deal, w.by)


def _raw(body: Callable[[DealWriter, int], Any]) -> Act:
    """Signed without a look at the state: it may well be void."""

    def write(w: DealWriter, number: int) -> Sequence[Any]:
        w.writer.write(w.space, [body(w, number)])
        return []

    return write


ACTS: Final[dict[str, Act]] = {
    "message": lambda w, i: [talk.MessageSent(f"words {i}", (FILE,) if i % 5 == 0 else ())],
    "update": lambda w, i: [talk.WorkUpdate(None if i % 2 else 1, "news", ())],
    "invite": lambda w, i: hiring.invite(w.state.deal, w.by, "come"),
    "propose": lambda w, i: hiring.propose(w.state.deal, w.by, homes.OFFER),
    "shortlist": lambda w, i: hiring.shortlist(w.state.deal, w.by),
    "hire": lambda w, i: hiring.hire(w.state.deal, w.by, hiring.draft(w.state.deal, auto_release=bool(i % 2)), w.sign),
    "accept": lambda w, i: hiring.accept_terms(w.state.deal, w.by, w.sign),
    "decline": lambda w, i: hiring.decline(w.state.deal, w.by, "no"),
    "withdraw": lambda w, i: hiring.withdraw(w.state.deal, w.by),
    "fund": lambda w, i: escrow.fund(w.state.deal, w.by, _n(i) if i % 3 else None),
    "fund part": lambda w, i: escrow.fund(w.state.deal, w.by, _n(i), total=_eur(i)),
    "attest": _attest,
    "duties": _duties,
    "release": lambda w, i: escrow.release(w.state.deal, w.by, _n(i)),
    "release part": lambda w, i: escrow.release(w.state.deal, w.by, _n(i), amount=_eur(i), request_id=f"r-{i % 3}"),
    "release to": lambda w, i: escrow.release(w.state.deal, w.by, _n(i), total=_eur(i)),
    "refund": lambda w, i: escrow.refund(w.state.deal, w.by, _n(i), total=_eur(i)),
    "deliver": lambda w, i: work.deliver(w.state.deal, w.by, _n(i), "done", (FILE,)),
    "changes": lambda w, i: work.request_changes(w.state.deal, w.by, _n(i), "not yet"),
    "cancel": lambda w, i: cancellation.cancel(w.state.deal, w.by, _n(i), "over"),
    "let go": lambda w, i: cancellation.accept_cancel(w.state.deal, w.by, _n(i)),
    "hold on": lambda w, i: cancellation.decline_cancel(w.state.deal, w.by, _n(i)),
    "book": lambda w, i: booking_acts.book(w.state.bookings, w.by, w.state.deal.parties, None, [_slot(i)]),
    "check in": lambda w, i: booking_acts.book(
        w.state.bookings,
        w.by,
        w.state.deal.parties,
        None,
        [_slot(i)],
        series=Series(1, tuple(_slot(i).start + n * DAY for n in range(3))),
    ),
    "leave out": lambda w, i: booking_series.skip(
        w.state.bookings, w.by, w.state.deal.parties, _some_booking(w, i), [_slot(i).start + DAY]
    ),
    "raw verdict": _raw(lambda w, i: BookingLost(_some_booking(w, i), _bound(w, i))),
    "take": lambda w, i: booking_acts.accept(w.state.bookings, w.by, w.state.deal.parties, _some_booking(w, i)),
    "call off": lambda w, i: booking_acts.cancel(w.state.bookings, w.by, w.state.deal.parties, _some_booking(w, i)),
    "taken": lambda w, i: [order.Taken()] if w.by.agent else [],
    "raw taken": _raw(lambda w, i: order.Taken()),
    "raw opening": _raw(lambda w, i: deals.DealShortlisted()),
    "raw invite": _raw(lambda w, i: deals.DealInvited("raw")),
    "raw propose": _raw(lambda w, i: homes.OFFER),
    "raw decline": _raw(lambda w, i: deals.DealDeclined(w.state.deal.opening, "raw")),
    "raw fund": _raw(lambda w, i: escrow.FundRequested(_n(i), 60_000, "EUR", f"q-{i % 3}", text(bytes(32)))),
    "raw release": _raw(
        lambda w, i: escrow.ReleaseAuthorized(_n(i), None, 1 + i, None, "EUR", f"q-{i % 3}", text(bytes(32)), None)
    ),
    "raw accept": _raw(lambda w, i: BookingAccepted(_some_booking(w, i), _nothing(i), _n(i), allow_overlap=False)),
    "raw cancel": _raw(lambda w, i: BookingCancelled(_some_booking(w, i), "raw")),
    "raw deliver": _raw(lambda w, i: work.WorkDelivered(1 + i % 4, "raw", ())),
}


def do(session: Session, deal: SpaceId, name: str, number: int = 0) -> bool:
    """Try one act; whether something was written."""
    with suppress(ChaiseError), session.writing():
        writer = writing.Writer(session)
        deal_writer = DealWriter(session, writer, session.space(homes.space_no(session, deal)))
        deal_writer.write(ACTS[name](deal_writer, number))
        return bool(writer.written)
    return False
