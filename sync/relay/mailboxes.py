"""Mailboxes: three slots, each written once, for ten minutes and whoever knows the name. docs/spec/relay.md."""

from __future__ import annotations

from typing import Final

from ..relay_messages import WAIT_LIMIT_S
from .contract import Store, Transaction
from .limits import MAILBOX_MS, SLOT_LIMIT, SLOTS, Limits
from .people import Caller, malformed
from .refusal import Refusal, not_found

_NAME: Final = 32


def read_open(body: bytes) -> bytes:
    """The mailbox to open. Raises Refusal."""
    if len(body) != _NAME:
        raise malformed("a mailbox of another size")
    return body


def read_put(body: bytes) -> tuple[bytes, int, bytes]:
    """Mailbox, slot, and what to write there. Raises Refusal."""
    if not _NAME + 1 < len(body) <= _NAME + 1 + SLOT_LIMIT or body[_NAME] >= SLOTS:
        raise malformed("no slot, nothing to write, or more than 16 KiB")
    return body[:_NAME], body[_NAME], body[_NAME + 1 :]


def read_get(body: bytes) -> tuple[bytes, int, int]:
    """Mailbox, slot, and for how long to wait, in seconds. Raises Refusal."""
    wait_s = int.from_bytes(body[_NAME + 1 :], "big")
    if len(body) != _NAME + 3 or body[_NAME] >= SLOTS or wait_s > WAIT_LIMIT_S:
        raise malformed("no slot, or a wait of more than 60 s")
    return body[:_NAME], body[_NAME], wait_s


def begin(store: Store, who: Caller, mailbox: bytes, limits: Limits, now: int) -> int:
    """Open a mailbox; until when it is open. One that is open stays as it is. Raises Refusal."""

    def work(writing: Transaction) -> int:
        until = writing.mailbox(mailbox)
        if until is not None and until > now:
            return until
        if writing.mailboxes(who.identity, now) >= limits.mailboxes:
            raise Refusal("relay.quota", "your identity has too many mailboxes open", retry_s=MAILBOX_MS // 1000)
        writing.open_mailbox(mailbox, who.identity, now + MAILBOX_MS)
        return now + MAILBOX_MS

    return store.run(work)


def put(store: Store, mailbox: bytes, slot: int, data: bytes, now: int) -> None:
    """Write into a slot, once; the same again is no harm. Raises Refusal."""

    def work(writing: Transaction) -> None:
        until = writing.mailbox(mailbox)
        if until is None or until <= now:
            raise not_found()
        before = writing.slot(mailbox, slot)
        if before is None:
            writing.fill(mailbox, slot, data)
        elif before != data:
            raise Refusal("relay.mailbox_used", "this slot was written before")

    store.run(work)


def get(store: Store, mailbox: bytes, slot: int, now: int) -> bytes:
    """What a slot holds; empty while nothing does. Raises Refusal."""
    found = store.slot(mailbox, slot, now)
    if found is None:
        raise not_found()
    return found
