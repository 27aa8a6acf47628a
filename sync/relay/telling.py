"""What a relay tells its operator: figures for Prometheus, and lines of JSON on standard error.

Neither holds an identity, a device, a space, a mailbox, an address or anything of a body.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

LEVELS: Final = ("info", "warning", "error")
_TIMES: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Figures:
    """Counters of one process, in a registry of their own."""

    def __init__(self, kept: Callable[[], int], waiting: Callable[[], int]) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "chaise_relay_requests_total", "Requests by path and status.", ["path", "status"], registry=self._registry
        )
        self._seconds = Histogram(
            "chaise_relay_request_seconds",
            "Time to an answer, without the time that a poll waited.",
            ["path"],
            buckets=_TIMES,
            registry=self._registry,
        )
        sizes = Counter("chaise_relay_bytes_total", "Bytes of bodies.", ["direction"], registry=self._registry)
        self._in, self._out = sizes.labels("in"), sizes.labels("out")
        events = Gauge("chaise_relay_events_kept", "Events kept since the process began.", registry=self._registry)
        events.set_function(kept)
        polls = Gauge("chaise_relay_polls_waiting", "Polls that wait now.", registry=self._registry)
        polls.set_function(waiting)

    def answered(self, path: str, status: int, seconds: float, size_in: int, size_out: int) -> None:
        """Count one request."""
        self._requests.labels(path, status).inc()
        self._seconds.labels(path).observe(seconds)
        self._in.inc(size_in)
        self._out.inc(size_out)

    def text(self) -> bytes:
        """All of it as Prometheus reads it."""
        return generate_latest(self._registry)


class Log:
    """Lines of JSON: `at` (ms since 1970), `level`, `event`, and what belongs to the event."""

    def __init__(self, write: Callable[[str], object], *, quiet: bool = False) -> None:
        self._write, self._quiet = write, quiet

    def say(self, level: str, event: str, **more: str | float) -> None:
        """One line; those of the level info are left out when it is to be quiet."""
        assert level in LEVELS, "a level that nobody looks for"
        if not (self._quiet and level == "info"):
            line = {"at": time.time_ns() // 1_000_000, "level": level, "event": event, **more}
            self._write(json.dumps(line, separators=(",", ":")) + "\n")
