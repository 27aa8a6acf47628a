"""What one identity, and one request, may take up. docs/spec/relay.md."""

from __future__ import annotations

from typing import Final, NamedTuple

from ..relay_messages import BODY_LIMIT, EVENTS_LIMIT, WAIT_LIMIT_S

DAY_MS: Final = 24 * 3600 * 1000
SEGMENT_LIMIT: Final = BODY_LIMIT - 1024  # so that an answer with one segment of it has at most 4 MiB as well
MAILBOX_MS: Final = 10 * 60 * 1000
SLOTS: Final = 3
SLOT_LIMIT: Final = 16 * 1024
DOORS_LIMIT: Final = 1_000


class Limits(NamedTuple):
    """Those that an operator sets; each counts for one identity, `sources` for whoever asks without a signature."""

    size: int = 2 * 1024**3  # bytes kept
    spaces: int = 10_000  # made
    requests: int = 3_000  # a minute
    polls: int = 32  # waiting
    mailboxes: int = 8  # open
    sources: int = 600  # unsigned or unregistered requests a minute, from one address
    waiting: int = 20_000  # polls of all together

    def told(self) -> dict[str, int]:
        """What `GET /v1/relay` says."""
        return {
            "body": BODY_LIMIT,
            "bytes": self.size,
            "events": EVENTS_LIMIT,
            "mailboxes": self.mailboxes,
            "polls": self.polls,
            "requests": self.requests,
            "spaces": self.spaces,
            "wait": WAIT_LIMIT_S,
        }
