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


def checkin(uid: str, tz: str, days: int, *starts: str, off: str = "") -> Entry:
    """Half an hour at each of these instants; `off` is the one that was left out."""
    times = tuple(utc(one) for one in starts)
    skipped = (utc(off),) if off else ()
    end = times[0] + timedelta(minutes=30)
    return CALL._replace(uid=uid, tz=tz, start=times[0], end=end, days=days, starts=times, skipped=skipped)


# Each with the instants at which it takes place, worked out by hand.
CHECKINS: Final[tuple[tuple[Entry, tuple[str, ...]], ...]] = (
    (WEEKLY, ("2027-03-15T08:00Z", "2027-03-29T07:00Z", "2027-04-05T07:00Z")),
    (DAILY, ("2027-04-03T01:00Z", "2027-04-04T01:30Z", "2027-04-05T01:30Z")),
    (SHIFTED, ("2027-03-15T08:00Z", "2027-03-29T08:00Z", "2027-04-05T07:00Z")),
    # The first time is off: of a rule, and of instants without one.
    (
        WEEKLY._replace(uid="5ekfirst", skipped=WEEKLY.starts[:1]),
        ("2027-03-22T08:00Z", "2027-03-29T07:00Z", "2027-04-05T07:00Z"),
    ),
    (
        SHIFTED._replace(uid="5ekshiftedfirst", skipped=SHIFTED.starts[:1]),
        ("2027-03-22T08:00Z", "2027-03-29T08:00Z", "2027-04-05T07:00Z"),
    ),
    # Every second Tuesday at 09:30 in New York, whose clocks go back on 1 November 2026; the first after that is off.
    (
        checkin("5eksecond", "America/New_York", 14, "2026-10-20T13:30Z", "2026-11-03T14:30Z", "2026-11-17T14:30Z",
                "2026-12-01T14:30Z", off="2026-11-03T14:30Z"),
        ("2026-10-20T13:30Z", "2026-11-17T14:30Z", "2026-12-01T14:30Z"),
    ),
    # Sundays at 02:30 in Berlin, which is there twice on 25 October 2026.
    (
        checkin("5ektwice", "Europe/Berlin", 7, "2026-10-18T00:30Z", "2026-10-25T00:30Z", "2026-11-01T01:30Z"),
        ("2026-10-18T00:30Z", "2026-10-25T00:30Z", "2026-11-01T01:30Z"),
    ),
    # Every third day on the clock of UTC.
    (
        checkin("5ekutc", "UTC", 3, "2027-03-27T00:30Z", "2027-03-30T00:30Z", "2027-04-02T00:30Z",
                off="2027-03-30T00:30Z"),
        ("2027-03-27T00:30Z", "2027-04-02T00:30Z"),
    ),
    # Every day at noon in Santiago, whose clocks go forward at the end of 5 September 2026.
    (
        checkin("5ekevening", "America/Santiago", 1, "2026-09-05T16:00Z", "2026-09-06T15:00Z", "2026-09-07T15:00Z"),
        ("2026-09-05T16:00Z", "2026-09-06T15:00Z", "2026-09-07T15:00Z"),
    ),
)  # fmt: skip
DUE: Final = Deadline(
    uid="9wz2due",
    at=utc("2026-12-15T22:59:59Z"),
    tz="Europe/Berlin",
    summary="Run is due",
    description="Pays 1400.00 EUR",
    modified=utc("2026-11-21T10:30Z"),
)
