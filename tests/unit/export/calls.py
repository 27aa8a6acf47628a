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
# Mondays at nine in Berlin, over the change of 28 March 2027; the second is off.
WEEKLY: Final = CALL._replace(
    uid="5ekweekly",
    start=utc("2027-03-15T08:00Z"),
    end=utc("2027-03-15T08:30Z"),
    days=7,
    starts=tuple(
        utc(at) for at in ("2027-03-15T08:00Z", "2027-03-22T08:00Z", "2027-03-29T07:00Z", "2027-04-05T07:00Z")
    ),
    skipped=(utc("2027-03-22T08:00Z"),),
)
# Every day at noon on Lord Howe, whose clocks go back by half an hour on 4 April 2027.
DAILY: Final = CALL._replace(
    uid="5ekdaily",
    tz="Australia/Lord_Howe",
    start=utc("2027-04-03T01:00Z"),
    end=utc("2027-04-03T01:30Z"),
    days=1,
    starts=tuple(utc(at) for at in ("2027-04-03T01:00Z", "2027-04-04T01:30Z", "2027-04-05T01:30Z")),
)
# Signed when Berlin was thought to change its clocks a week later: no rule tells these instants.
SHIFTED: Final = WEEKLY._replace(
    uid="5ekshifted",
    starts=tuple(utc(f"2027-{at}:00Z") for at in ("03-15T08", "03-22T08", "03-29T08", "04-05T07")),
)
DUE: Final = Deadline(
    uid="9wz2due",
    at=utc("2026-12-15T22:59:59Z"),
    tz="Europe/Berlin",
    summary="Run is due",
    description="Pays 1400.00 EUR",
    modified=utc("2026-11-21T10:30Z"),
)
