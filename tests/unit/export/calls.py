"""Calls and people for tests of the calendar file."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from chaise_cli.export.ical import Deadline, Entry, Person, Slot
from tests.unit.export.zone_cases import utc

LISA: Final = Person("Lisa", "lisa@example.com")
JAMES: Final = Person("James", "james@example.com")
START: Final = utc("2026-11-25T14:00Z")
CALL: Final = Entry(
    uid="4tq8xm2kcall",
    sequence=1,
    status="confirmed",
    start=START,
    end=START + timedelta(minutes=30),
    tz="Europe/Berlin",
    summary="Call with James",
    description="About the milestones",
    url="https://meet.example/x",
    organizer=LISA,
    attendees=((JAMES, "ACCEPTED"),),
    created=utc("2026-11-20T09:00Z"),
    modified=utc("2026-11-21T10:30Z"),
)
OFFER: Final = CALL._replace(
    uid="7k3moffer",
    sequence=0,
    status="tentative",
    attendees=((JAMES, "NEEDS-ACTION"),),
    extra=(
        Slot(utc("2026-11-26T14:00Z"), utc("2026-11-26T14:30Z")),
        Slot(utc("2026-11-24T14:00Z"), utc("2026-11-24T14:30Z")),
    ),
)
DUE: Final = Deadline(
    uid="9wz2due",
    at=utc("2026-12-15T22:59:59Z"),
    tz="Europe/Berlin",
    summary="Run is due",
    description="Pays 1400.00 EUR",
    modified=utc("2026-11-21T10:30Z"),
)
