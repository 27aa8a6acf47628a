"""The clock and the random source, injected everywhere else."""

from __future__ import annotations

import os
import time
from typing import Final, Protocol

from chaise_cli.errors import Usage

VARIABLE: Final = "CHAISE_NOW"


class BadClock(Usage):
    """CHAISE_NOW does not hold an instant."""

    code = "usage.bad_clock"
    message = "CHAISE_NOW is not an instant in UTC: {given!r}"
    hint = "unset it, or write it like 2026-11-25T14:00:00Z"
    given: str


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> int:
        """Milliseconds since 1970, UTC."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> int:
        """Milliseconds since 1970, UTC."""
        return time.time_ns() // 1_000_000


class FixedClock:
    """A clock that stands still, for rehearsals and tests."""

    def __init__(self, now: int) -> None:
        self._now = now

    def now(self) -> int:
        """Milliseconds since 1970, UTC."""
        return self._now


def from_environment() -> Clock:
    """The machine's clock, or the instant in CHAISE_NOW. An event's `at` is a claim either way."""
    given = os.environ.get(VARIABLE)
    if not given:
        return SystemClock()
    try:
        seconds = time.strptime(given, "%Y-%m-%dT%H:%M:%SZ")
    except ValueError as error:
        raise BadClock(given=given) from error
    return FixedClock(_utc_seconds(seconds) * 1000)


def _utc_seconds(when: time.struct_time) -> int:
    import calendar

    return calendar.timegm(when)


def random_bytes(count: int) -> bytes:
    """`count` unpredictable bytes from the system."""
    return os.urandom(count)
