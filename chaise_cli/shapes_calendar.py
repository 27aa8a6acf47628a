"""Objects about calendars of others; the authority as `shapes` is, in a file of its own."""

from __future__ import annotations

from typing import Final, TypedDict


class CalendarCopy(TypedDict):
    """A call's entry in a calendar on a server, and what was done or found there."""

    uid: str
    calendar: str  # its address
    booking: str
    did: str  # created, updated, deleted, left, forgotten; found there: moved, changed, cancelled, hidden
    start: str  # as it stands there now
    end: str
    command: str | None  # what would make the change the ledger's


SHAPES: Final[dict[str, type]] = {"calendar_copy": CalendarCopy}
"""These objects by the name `chaise schema NAME` takes."""
