"""Request ids that another device of one's own used: known here from its events, so that a repeat is one everywhere.

An event does not say what the verb answered with; that follows from its kind. docs/spec/devices.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from chaise_cli.ids import base32, public, text
from chaise_cli.session import plaintext
from chaise_cli.store import requests

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chaise_cli.session.session import Session
    from chaise_cli.store.events import Row, Space

# The field that names the subject, None for the event itself, and the kind of its public id.
_NAMED: Final[dict[str, tuple[str | None, str]]] = {
    "message.sent": (None, "msg"),
    "post.published": (None, "post"),
    "post.revised": ("post", "post"),
    "post.closed": ("post", "post"),
    "service.published": (None, "svc"),
    "service.revised": ("service", "svc"),
    "service.closed": ("service", "svc"),
    "self.device_named": ("device", "dev"),
    "self.device_renewed": ("device", "dev"),
    "self.device_revoked": ("device", "dev"),
    "agent.device": ("device", "dev"),
}


def adopt(session: Session, space: Space, rows: Iterable[Row]) -> None:
    """Keep what these events of the owner's other devices tell of requests. Inside a transaction."""
    for row in rows:
        if row.content is None or row.identity != session.me.identity or b'"request"' not in row.body:
            continue
        asked = plaintext.stored(row.body).request
        if asked is not None:
            used = requests.Used(asked[1], _subject(session, space, row), [base32(row.id)])
            requests.adopt(session.db, asked[0], used)


def _subject(session: Session, space: Space, row: Row) -> str:
    body: Any = row.content
    kind = str(row.kind)
    if kind in _NAMED:
        field, of = _NAMED[kind]
        return public(of, getattr(body, field) if field else text(row.id))
    if kind.startswith("booking."):
        return public("book", body.booking or text(row.id))
    if kind == "profile.published":  # to make a board, to join one, or to change what is said on all
        first = row.seq == 0 or (row.seq == 2 and row.device == space.creator_device)
        return public("board", space.id) if first else public("id", session.me.identity)
    return public("id", session.me.identity) if space.kind == "self" else public(space.kind, space.id)
