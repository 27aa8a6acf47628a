"""How often somebody may ask: a bucket of tokens for each, filled again over a minute."""

from __future__ import annotations

from typing import Final

from .refusal import Refusal

MINUTE_MS: Final = 60_000
KNOWN: Final = 10_000  # buckets at which full ones are dropped


class Rates:
    """Buckets by name. Not for several threads at once without the lock of whoever owns it."""

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._buckets: dict[bytes, tuple[float, int]] = {}

    def take(self, name: bytes, now: int) -> None:
        """Take a token at `now`, in ms. Raises Refusal when there is none."""
        left = self._left(name, now)
        if left < 1:
            wait_ms = (1 - left) * MINUTE_MS / self._per_minute
            raise Refusal("relay.rate", "you ask too often", retry_s=int(wait_ms / 1000) + 1)
        if len(self._buckets) >= KNOWN and name not in self._buckets:
            self._forget(now)
        self._buckets[name] = left - 1, now

    def _left(self, name: bytes, now: int) -> float:
        tokens, at = self._buckets.get(name, (float(self._per_minute), now))
        return min(float(self._per_minute), tokens + max(now - at, 0) * self._per_minute / MINUTE_MS)

    def _forget(self, now: int) -> None:
        """Drop what is full again, which is as good as unknown."""
        for name in [name for name in self._buckets if self._left(name, now) >= self._per_minute]:
            del self._buckets[name]
