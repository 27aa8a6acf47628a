"""What was said in a deal and no table holds: terms that were offered, free times that were told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chaise_cli.domain.light import NamedTuple
from chaise_cli.ids import DeviceId, IdentityId, raw, text
from chaise_cli.store import content, events

if TYPE_CHECKING:
    from sqlcipher3.dbapi2 import Connection

    from chaise_cli.domain.availability import SlotsShared
    from chaise_cli.domain.deal import TermsOffered


class Told(NamedTuple):
    """Free times, when their author wrote them (ms), and on which device."""

    at: int
    device: DeviceId
    times: SlotsShared


def offers(connection: Connection, space: int) -> list[TermsOffered]:
    """All terms that were ever offered in a deal and counted, in the order of their signing."""
    query = (
        "SELECT e.id FROM event e JOIN chain c ON c.no = e.chain WHERE c.space = ? AND e.kind = 'terms.offered'"
        " AND e.void IS NULL ORDER BY e.lamport, c.device, e.seq"
    )
    found = [events.find_event(connection, row[0]) for row in connection.execute(query, (space,)).fetchall()]
    return [content.row(stored).content for stored in found if stored]


def told(connection: Connection, space: int, by: IdentityId) -> Told | None:
    """The free times that one side of a deal told last, whichever device told them; None before it did."""
    query = (
        "SELECT e.id FROM event e JOIN chain c ON c.no = e.chain WHERE c.space = ? AND c.identity = ?"
        " AND e.kind = 'slots.shared' AND e.void IS NULL"
        " ORDER BY e.lamport DESC, c.device DESC, e.seq DESC, e.id DESC LIMIT 1"
    )
    found = connection.execute(query, (space, raw(by))).fetchone()
    stored = events.find_event(connection, found[0]) if found else None
    if stored is None:
        return None
    row = content.row(stored)
    return Told(row.at, DeviceId(text(row.device)), row.content)
