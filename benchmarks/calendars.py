"""Reading a calendar of 2,000 entries for busy time: once, and again when nothing has changed."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

from benchmarks import world
from benchmarks.measure import Figure
from chaise_cli.domain import when
from chaise_cli.session import busy, busy_sources
from chaise_cli.session.busy_sources import Adding

ENTRIES: Final = 2_000
ONCE_MS: Final = 1_500.0
AGAIN_MS: Final = 10.0


def figures(folder: Path) -> list[Figure]:
    """Wall time of the first reading with its process, and of a look at the same content."""
    james = world.person(folder, "James", "talent")
    path = folder / "work.ics"
    path.write_text(_calendar(james.clock.now()), encoding="utf-8")
    start = time.perf_counter()
    read = busy_sources.add(james, Adding(str(path)))
    once = time.perf_counter() - start
    assert read.shapes[0]["busy"] == ENTRIES, read
    start = time.perf_counter()
    busy.look(james, web=False)
    busy.taken(james, james.clock.now())
    again = time.perf_counter() - start
    return [
        Figure(f"calendar of {ENTRIES:,} entries read", once * 1000, "ms", ONCE_MS),
        Figure("looked at again, and all its busy time", again * 1000, "ms", AGAIN_MS),
    ]


def _calendar(now: int) -> str:
    """An entry every four hours, each of an hour in Berlin, with the words that calendars carry."""
    entries = [
        f"BEGIN:VEVENT\r\nUID:{n}@example.org\r\nDTSTAMP:20261101T090000Z\r\nSUMMARY:Meeting {n}\r\n"
        f"DTSTART;TZID=Europe/Berlin:{when.utc(now + n * 4 * when.HOUR):%Y%m%dT%H%M%S}\r\nDURATION:PT1H\r\n"
        "DESCRIPTION:What it is about\\, in some words that nobody here reads.\r\nTRANSP:OPAQUE\r\nEND:VEVENT\r\n"
        for n in range(ENTRIES)
    ]
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{''.join(entries)}END:VCALENDAR\r\n"
