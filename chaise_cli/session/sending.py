"""What leaves this home, told without syncing: whether it does so by itself, and what has reached no place yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chaise_cli.store import places

if TYPE_CHECKING:
    from chaise_cli.session.session import Session


def has_places(session: Session) -> bool:
    """Whether there is any place to sync with."""
    return bool(places.known(session.db))


def goes_by_itself(session: Session) -> bool:
    """Whether some place is synced with by every writing verb."""
    return any(place.auto for place in places.known(session.db))


def unsent(session: Session) -> int:
    """How many events of this device have reached no place; those in self aside, which nobody waits for."""
    return places.undelivered(session.db, session.me.device)
