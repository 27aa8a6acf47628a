"""Messages and updates read back: newest first, by the order of each deal; and what was read of them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby, islice
from typing import TYPE_CHECKING, Any

from chaise_cli.domain.light import NamedTuple
from chaise_cli.ids import EventId, IdentityId, SpaceId, raw, text
from chaise_cli.store import content, events, revocations

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlcipher3.dbapi2 import Connection


class Said(NamedTuple):
    """One message or update. `at` is its author's clock, ms since 1970, UTC; `body` its checked content.

    branch: its device also wrote another history here, of which this is no part.
    """

    id: EventId
    deal: SpaceId
    space: int
    by: IdentityId
    at: int
    lamport: int
    kind: str
    body: Any
    unread: bool
    branch: bool
    revoked: bool  # said by a device behind the place where its owner cut it off


Fits = Callable[[Said], bool]
_SAID = (
    "SELECT m.space, m.lamport, m.chain, m.seq, s.id, c.identity, coalesce(r.lamport, -1), c.device, c.root"
    " FROM message m JOIN space s ON s.no = m.space JOIN chain c ON c.no = m.chain"
    " LEFT JOIN read_mark r ON r.space = m.space "
)


def of_deal(connection: Connection, space: int, me: IdentityId) -> Iterator[Said]:
    """What was said in a deal, newest first by its order (lamport, device, seq)."""
    query = _SAID + "WHERE m.space = ? ORDER BY m.lamport DESC, c.device DESC, m.seq DESC"
    rows = connection.execute(query, (space,)).fetchall()
    alike = (list(group) for _, group in groupby(rows, key=lambda row: (row[1], row[7], row[3])))
    return (said for group in alike for said in _read_alike(connection, group, me))


def _read_alike(connection: Connection, rows: Sequence[tuple[Any, ...]], me: IdentityId) -> list[Said]:
    """Words of one place in the order: more than one where a device wrote two histories; then by id."""
    found = [said for row in rows if (said := _read(connection, row, me))]
    return sorted(found, key=lambda said: raw(said.id), reverse=True) if len(found) > 1 else found


def select(
    connection: Connection, me: IdentityId, space: int | None, person: IdentityId | None, fits: Fits, limit: int
) -> list[Said]:
    """The newest `limit` that fit: of one deal by its order, of all deals (with a person) by their authors' clocks."""
    if space is not None:
        return list(islice(filter(fits, of_deal(connection, space, me)), limit))
    query = (
        "SELECT DISTINCT m.space FROM message m JOIN deal d ON d.space = m.space"
        " WHERE ?1 IS NULL OR ?1 IN (d.client, d.talent)"
    )
    spaces = connection.execute(query, (raw(person) if person else None,)).fetchall()
    found = [said for (no,) in spaces for said in islice(filter(fits, of_deal(connection, no, me)), limit)]
    return sorted(found, key=lambda said: (-said.at, said.deal, -said.lamport, said.id))[:limit]


def one(connection: Connection, id_: EventId, me: IdentityId) -> Said | None:
    """The message of this id."""
    stored = events.find_event(connection, raw(id_))
    if stored is None:
        return None
    row = connection.execute(_SAID + "WHERE m.chain = ? AND m.seq = ?", (stored.chain, stored.seq)).fetchone()
    return _read(connection, row, me) if row else None


def _read(connection: Connection, row: tuple[Any, ...], me: IdentityId) -> Said | None:
    space, lamport, chain, seq, deal, author, mark, _device, root = row
    stored = next((each for each in events.read_chain(connection, chain, seq, seq)), None)
    found = content.row(stored) if stored else None
    if found is None or found.content is None:
        return None
    by = IdentityId(text(author))
    unread = by != me and lamport > mark
    return Said(
        EventId(text(found.id)),
        SpaceId(text(deal)),
        space,
        by,
        found.at,
        lamport,
        str(found.kind),
        found.content,
        unread,
        bool(root),
        revocations.is_late(connection, space, found),
    )


def unread(connection: Connection, me: IdentityId) -> list[tuple[int, int]]:
    """Deals with unread words of the other side, as (space, how many)."""
    query = (
        "SELECT m.space, count(*) FROM message m JOIN chain c ON c.no = m.chain"
        " LEFT JOIN read_mark r ON r.space = m.space"
        " WHERE c.identity <> ? AND m.lamport > coalesce(r.lamport, -1) GROUP BY m.space"
    )
    return [(space, count) for space, count in connection.execute(query, (raw(me),)).fetchall()]


def mark_read(connection: Connection, space: int) -> None:
    """Note on this device that everything said in a deal so far was read."""
    connection.execute(
        "INSERT INTO read_mark(space, lamport)"
        " SELECT ?1, max(lamport) FROM message WHERE space = ?1 HAVING count(*) > 0"
        " ON CONFLICT(space) DO UPDATE SET lamport = max(lamport, excluded.lamport)",
        (space,),
    )
