"""Our reader of busy time beside recurring-ical-events, over calendars that programs write and drawn ones. ADR 0016."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

import pytest

from chaise_cli.domain.busy import merged
from chaise_cli.export.calendar_busy import Wanted, read
from tests.interop.ical.calendars_drawn import drawn
from tests.interop.ical.calendars_found import FOUND

Others = Callable[[str, dict[str, bytes]], dict[str, Any]]
START: Final = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()) * 1_000
END: Final = int(datetime(2027, 2, 5, tzinfo=UTC).timestamp()) * 1_000
WINDOW: Final = Wanted(START, END, "Europe/Berlin", (), tentative=True)


def ours(data: bytes) -> list[str]:
    return shown((start, end) for start, end, _ in read([data], WINDOW).busy)


def theirs(answer: dict[str, Any]) -> list[str]:
    return shown((start, end) for start, end in answer["busy"] if start < END and end > START)


def shown(intervals: Any) -> list[str]:
    """What touches as one, in UTC and to the minute."""
    return [f"{_utc(start)} {_utc(end)}" for start, end in merged(intervals)]


def _utc(ms: int) -> str:
    return f"{datetime.fromtimestamp(ms / 1_000, UTC):%Y-%m-%dT%H:%M}"


def file(lines: str) -> bytes:
    return f"BEGIN:VCALENDAR\nVERSION:2.0\n{lines}END:VCALENDAR\n".replace("\n", "\r\n").encode()


@pytest.mark.parametrize("name", FOUND)
def test_a_calendar_of_another_program_is_busy_when_it_was_worked_out_to_be(name: str) -> None:
    assert ours(file(FOUND[name].lines)) == list(FOUND[name].busy)


def test_another_reader_agrees_or_it_is_said_why_not(others: Others) -> None:
    found = others("busy", {name: file(one.lines) for name, one in FOUND.items()})
    agreed = {name for name, one in FOUND.items() if theirs(found[name]) == list(one.busy)}
    assert agreed == {name for name, one in FOUND.items() if not one.apart}


def test_two_readers_find_the_same_busy_time_in_drawn_calendars(others: Others) -> None:
    compare(others, drawn(5, 120))


@pytest.mark.soak
def test_two_readers_find_the_same_in_calendars_nobody_has_seen(others: Others) -> None:
    compare(others, drawn(secrets.randbelow(10**9), 3_000))


def compare(others: Others, files: dict[str, bytes]) -> None:
    found = others("busy", files)
    apart = {name: files[name].decode() for name in files if ours(files[name]) != theirs(found[name])}
    assert apart == {}
    assert [name for name, data in files.items() if read([data], WINDOW).skipped] == []
