"""Reading a calendar of 2,000 entries for busy time: once, and again when nothing has changed."""

from __future__ import annotations

import resource
import statistics
from pathlib import Path
from typing import Final

from benchmarks import world
from benchmarks.measure import Figure
from chaise_cli.domain import when
from chaise_cli.session import busy, busy_sources
from chaise_cli.session.busy_sources import Adding

ENTRIES: Final = 2_000
ROUNDS: Final = 11
ONCE_MS: Final = 1_500.0
AGAIN_MS: Final = 10.0


def figures(folder: Path) -> list[Figure]:
    """CPU of the first reading with its process, and of a look at the same content."""
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
    ]


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
