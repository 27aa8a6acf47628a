"""Why a relay does not do what it is asked: the codes of docs/spec/relay.md, each with its status."""

from __future__ import annotations

from typing import Final

STATUS: Final = {
    "relay.malformed": 400,
    "relay.unsigned": 401,
    "relay.clock": 401,
    "relay.not_registered": 403,
    "relay.not_admitted": 403,
    "relay.struck": 403,
    "relay.stranger": 403,
    "relay.not_found": 404,
    "relay.mailbox_used": 409,
    "relay.too_large": 413,
    "relay.quota": 429,
    "relay.rate": 429,
    "relay.failed": 500,
    "relay.busy": 503,
}


class Refusal(Exception):
    """An answer other than 200. text: for people, without anything that was sent."""

    def __init__(self, code: str, text: str, *, retry_s: int | None = None, status: int = 0) -> None:
        super().__init__(f"{code}: {text}")
        self.code: Final = code
        self.text: Final = text
        self.retry_s: Final = retry_s
        self.status: Final = status or STATUS[code]


def not_found() -> Refusal:
    """The same for what is not here and what is not for whoever asks."""
    return Refusal("relay.not_found", "nothing of that name is here for you")
