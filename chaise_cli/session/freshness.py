"""Whether what is read may be out of date."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chaise_cli.store import board_reads

if TYPE_CHECKING:
    from chaise_cli.session.session import Session


def warnings(session: Session) -> list[str]:
    """A sentence for every board, with its deals, that was never synced or not for a day."""
    return board_reads.stale(session.db, session.clock.now())
