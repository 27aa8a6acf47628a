"""Objects about calendars on servers; the authority as `shapes` is, in a file of its own."""

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


class PushedCalendar(TypedDict):
    """A calendar on a server that calls are pushed to, as this device knows it."""

    url: str
    user: str  # empty where none was given; the password is shown nowhere
    private: bool  # only busy times are written there
    entries: int  # of ours, as far as known
    changed: int  # that somebody has moved, changed, cancelled or deleted there
    pushed_at: str | None  # when a push came to its end
    pulled_at: str | None


SHAPES: Final[dict[str, type]] = {"calendar_copy": CalendarCopy, "pushed_calendar": PushedCalendar}
"""These objects by the name `chaise schema NAME` takes."""
