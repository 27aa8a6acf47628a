"""Reading a calendar of 2,000 entries for busy time, once and again; and writing one of 1,000 calls."""

from __future__ import annotations

import resource
import statistics
from datetime import timedelta
from pathlib import Path
from typing import Final

from benchmarks import world
from benchmarks.measure import Figure
from chaise_cli.domain import when
from chaise_cli.export import ical
from chaise_cli.session import busy, busy_sources
from chaise_cli.session.busy_sources import Adding

ENTRIES: Final = 2_000
ROUNDS: Final = 11
ONCE_MS: Final = 1_500.0
AGAIN_MS: Final = 10.0
CALLS: Final = 1_000
WRITTEN_MS: Final = 500.0


def figures(folder: Path) -> list[Figure]:
    """CPU of the first reading with its process, of a look at the same content, and of writing many calls."""
    james = world.person(folder, "James", "talent")
    path = folder / "work.ics"
    path.write_text(_calendar(james.clock.now()), encoding="utf-8")
    start = _cpu()
    read = busy_sources.add(james, Adding(str(path)))
    once = _cpu() - start
    assert read.shapes[0]["busy"] == ENTRIES, read
    again = []
    for _ in range(ROUNDS):
        start = _cpu()
        busy.look(james, web=False)
        busy.taken(james, james.clock.now())
        again.append(_cpu() - start)
    return [
        Figure(f"calendar of {ENTRIES:,} entries read", once * 1000, "ms of CPU", ONCE_MS),
        Figure("looked at again, and all its busy time", statistics.median(again) * 1000, "ms of CPU p50", AGAIN_MS),
        Figure(f"{CALLS:,} calls written as a file", _writing(james.clock.now()) * 1000, "ms of CPU p50", WRITTEN_MS),
    ]


def _writing(now: int) -> float:
    """CPU seconds, the median of some files of the same calls in two zones."""
    lisa, james = ical.Person("Lisa", "lisa@example.org"), ical.Person("James", "james@example.org")
    begin = when.utc(now)
    starts = [begin + timedelta(hours=3 * n) for n in range(CALLS)]
    entries = [
        ical.Entry(
            f"{n:032d}", 0, "confirmed", start, start + timedelta(minutes=30),
            "Europe/Berlin" if n % 2 else "America/New_York", "Call with James: Campaign", "What it is about",
            "https://meet.example/x", lisa, ((lisa, "ACCEPTED"), (james, "ACCEPTED")), begin, begin,
        )
        for n, start in enumerate(starts)
    ]  # fmt: skip
    took = []
    for _ in range(ROUNDS):
        before = _cpu()
        ical.calendar(entries, name="Calls")
        took.append(_cpu() - before)
    return statistics.median(took)


def _cpu() -> float:
    """CPU seconds of this process and of those it waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _calendar(now: int) -> str:
    """An entry every four hours, each of an hour in Berlin, with the words that calendars carry."""
    entries = [
        f"BEGIN:VEVENT\r\nUID:{n}@example.org\r\nDTSTAMP:20261101T090000Z\r\nSUMMARY:Meeting {n}\r\n"
        f"DTSTART;TZID=Europe/Berlin:{when.utc(now + n * 4 * when.HOUR):%Y%m%dT%H%M%S}\r\nDURATION:PT1H\r\n"
        "DESCRIPTION:What it is about\\, in some words that nobody here reads.\r\nTRANSP:OPAQUE\r\nEND:VEVENT\r\n"
        for n in range(ENTRIES)
    ]
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{''.join(entries)}END:VCALENDAR\r\n"
