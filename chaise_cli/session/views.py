"""Objects that commands answer with and that need the open home to be described."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chaise_cli.domain import when
from chaise_cli.ids import public
from chaise_cli.session import home as homes
from chaise_cli.store import own

if TYPE_CHECKING:
    from chaise_cli.session.session import Session
    from chaise_cli.shapes import Identity


def identity(session: Session) -> Identity:
    """The `identity` object of this home."""
    settings = session.me.settings
    first: Any = own.certificates(session.db)[0]
    by_itself = homes.read_keys(session.home).get("key_file")
    kept = None if by_itself else homes.unlocked_key(session.home, session.clock.now())
    return {
        "id": public("id", session.me.identity),
        "handle": settings.handle,
        "name": settings.name,
        "role": settings.role,
        "currency": settings.currency,
        "tz": settings.tz,
        "device": {"id": public("dev", session.me.device), "name": first["name"]},
        "home": str(session.home.path),
        "unlocked_until": when.instant_text(kept[1]) if kept else None,
    }
