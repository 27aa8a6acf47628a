"""Where events are, as far as is known here: nobody is asked, nothing is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chaise_cli.session import history
from chaise_cli.store import events, log_reads

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chaise_cli.session.session import Session
    from chaise_cli.store.log_reads import Logged


def status(session: Session, *, everybody: bool) -> dict[str, Any]:
    """A `sync_status`: one's own events, or everybody's, newest first, and the counts of one's own in each space."""
    with session.reading():
        mine = session.me.identity
        found = list(log_reads.newest(session.db, None, None if everybody else mine))
        own = [event for event in found if event.by == mine]
        spaces = [space.id for space in events.spaces(session.db)]
        counts = [_count(session, [event for event in own if event.space == space]) for space in spaces]
        return {"spaces": [count for count in counts if count], "events": [_event(session, event) for event in found]}


def _event(session: Session, event: Logged) -> dict[str, Any]:
    return history.entry(session, event) | {
        "places": [{"place": url, "how": how} for url, how in event.copies],
        "seen": event.seen,
        "final": event.status != "pending",
    }


def _count(session: Session, own: Sequence[Logged]) -> dict[str, Any] | None:
    """The counts of one space; None where nothing is one's own."""
    if not own:
        return None
    local = [event for event in own if event.delivery == "local"]
    told = [at for event in reversed(local) if (at := history.entry(session, event)["at"]) is not None]
    return {
        "space": history.entry(session, own[0])["space"],
        "kind": own[0].space_kind,
        "events": len(own),
        "local": len(local),
        "placed": sum(bool(event.copies) for event in own),
        "seen": sum(event.seen for event in own),
        "pending": sum(event.status == "pending" for event in own),
        "oldest": {"id": history.entry(session, local[-1])["id"], "at": told[0] if told else None} if local else None,
    }
