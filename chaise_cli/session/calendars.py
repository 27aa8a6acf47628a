"""Calls as calendar entries, and the file they are written to."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING

from chaise_cli.domain import booking_fold, booking_view
from chaise_cli.domain.booking import uid
from chaise_cli.domain.light import NamedTuple
from chaise_cli.errors import Usage
from chaise_cli.ids import EventId, IdentityId, public
from chaise_cli.session import finding
from chaise_cli.session import home as homes
from chaise_cli.store import deal_reads, people

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chaise_cli.domain.booking_view import EntryFacts
    from chaise_cli.domain.deal_state import DealState
    from chaise_cli.session.session import Session


class CannotWriteCalendar(Usage):
    """The calendar file cannot be written."""

    code = "calendar.unwritable"
    message = "the calendar {path!r} cannot be written: {why}"
    hint = "name a file in a folder that you may write to"
    path: str
    why: str


class Shown(NamedTuple):
    """One call for a calendar: what the ledger says, and the words and addresses beside it."""

    uid: str
    facts: EntryFacts
    summary: str
    description: str
    people: dict[str, tuple[str, str | None]]  # identity → name, e-mail


def row_of(session: Session, booking: EventId) -> tuple[EventId, int]:
    """A call's id and the row number of its space, as `entries` takes them."""
    return booking, finding.space_no(session, finding.deal_of(session, finding.Named("book", booking)))


def entries(session: Session, calls: Sequence[tuple[EventId, int]]) -> list[Shown]:
    """Calls (id and the row number of their space) as calendar entries, in that order; each deal is read once."""
    found: dict[EventId, Shown] = {}
    for space, those in groupby(sorted(calls, key=itemgetter(1)), itemgetter(1)):
        state = deal_reads.state(session.db, space)
        found |= _entries(session, state, [id_ for id_, _ in those])
    return [found[id_] for id_, _ in calls]


def _entries(session: Session, state: DealState, calls: Sequence[EventId]) -> dict[EventId, Shown]:
    parties = state.deal.parties
    post = deal_reads.post(session.db, state.deal.post) if state.deal.post else None
    other = session.person(parties.other(session.me.identity))
    name = other["name"] or other["handle"] or other["id"]
    title = f"Call with {name}" + (f": {post.title}" if post else "")
    people: dict[str, tuple[str, str | None]] = {side: address(session, side) for side in parties[:2]}
    found = {}
    for id_ in calls:
        facts = booking_view.entry_facts(booking_fold.find(state.bookings, id_))
        words = [facts.note, f"{state.deal.public} {public('book', id_)}"]
        text = "\n\n".join(part for part in words if part)
        found[id_] = Shown(uid(state.deal.space, id_), facts, title, text, people)
    return found


def address(session: Session, identity: IdentityId) -> tuple[str, str | None]:
    """Name and e-mail of a side, as far as they told."""
    if identity == session.me.identity:
        return session.me.settings.name, session.me.settings.email
    known = people.find(session.db, identity)
    return (known.name, known.email) if known else ("", None)


def write_calendar(path: Path, data: bytes) -> None:
    """Put a calendar at `path`, readable by its owner alone, whole or not at all. Raises CannotWriteCalendar."""
    try:
        homes.write_private(path, data)
    except OSError as error:
        shown = str(path).encode("utf-8", "replace").decode()[:80]
        raise CannotWriteCalendar(path=shown, why=error.strerror or "unknown") from error
