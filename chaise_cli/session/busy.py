"""Busy time of other calendars where a time is offered or taken: looked at anew, counted, and told when it is old."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from chaise_cli.domain import when
from chaise_cli.domain.booking_acts import Taken
from chaise_cli.errors import Refused
from chaise_cli.store import busy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chaise_cli.domain.booking import Slot
    from chaise_cli.session.session import Session
    from chaise_cli.store.busy import Source

LOCAL: Final = frozenset({"file", "folder"})
_READING: Final = "chaise_cli.session.busy_reading"  # loaded only where there are calendars
LAST: Final = 1 << 53  # ms; after every call


class BusyStale(Refused):
    """Somebody asked to be sure, and what is known of a calendar is old."""

    code = "booking.busy_stale"
    message = "{why}"
    hint = "chaise calendar refresh; or leave --strict-busy out"
    why: str


def look(session: Session, *, web: bool) -> None:
    """Read files and folders anew where they have changed; with `web`, also feeds whose time is over.

    What cannot be read is told by `warnings`.
    """
    sources = busy.known(session.db)
    now = session.clock.now()
    due = [one for one in sources if one.kind in LOCAL or (web and stale(session, one, now))]
    if due:
        reading: Any = import_module(_READING)
        reading.refresh(session, due)


def taken(session: Session, since: int, until: int = LAST) -> list[Taken]:
    """What other calendars take of this home's time, between two instants."""
    return [Taken(one.start, one.end, "") for one in busy.intervals(session.db, since, until)]


def clashes(session: Session, slots: Sequence[Slot]) -> list[str]:
    """The slots at which other calendars have something, as warnings."""
    return [
        f"another calendar has something at the time of {when.one_zone(slot.start, slot.zone)}"
        for slot in slots
        if busy.intervals(session.db, slot.start, slot.end)
    ]


def warnings(session: Session, slots: Sequence[Slot]) -> list[str]:
    """Why busy time may not be what it seems: calendars that are old or failed, slots beyond what was read."""
    now = session.clock.now()
    found = [why for one in busy.known(session.db) if (why := stale(session, one, now))]
    ends = [known.until for one in busy.known(session.db) if (known := busy.reading(session.db, one.no))]
    if ends and any(slot.end > min(ends) for slot in slots):
        found.append(f"calendars are known only until {when.one_zone(min(ends), session.me.settings.tz)}")
    return found


def be_sure(session: Session, slots: Sequence[Slot]) -> None:
    """Raise BusyStale where `warnings` has something to say."""
    for why in warnings(session, slots):
        raise BusyStale(why=why)


def stale(session: Session, source: Source, now: int) -> str | None:
    """Why what is known of a calendar is not to be relied on; None where it is."""
    known, problem = busy.reading(session.db, source.no), busy.problem(session.db, source.no)
    why = f", and cannot be: {problem}" if problem else ""
    if known is None:
        return f"the calendar {source.name} has never been read{why}"
    if now - known.at <= source.every and not (problem and source.kind in LOCAL):
        return None
    return f"the calendar {source.name} was last read {when.duration_text(_round(now - known.at))} ago{why}"


def _round(ms: int) -> int:
    """An age in whole days, hours or minutes, whichever is the largest that fits."""
    unit = next((unit for unit in (when.DAY, when.HOUR) if ms >= unit), when.MINUTE)
    return ms - ms % unit or unit
