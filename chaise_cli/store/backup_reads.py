"""What a backup takes along besides events: own values, keys of spaces, requests, places, marks, proofs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from chaise_cli.domain.light import NamedTuple
from chaise_cli.ids import SpaceId, text
from chaise_cli.store import events, own, relays
from chaise_cli.store import places as rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlcipher3.dbapi2 import Connection

    from chaise_cli.store.events import Space

# Of this store alone: by which rules it was folded, whether a peer knew more, what became of backups.
_LOCAL: Final = ("behind", "backup", "pairing", own.RULES)


class Request(NamedTuple):
    """A request id that was used. fingerprint: base64url; events: as results list them."""

    id: str
    fingerprint: str
    subject: str
    events: Sequence[str]


class Place(NamedTuple):
    """A place with the boards that go there. kind: of an address on the web; invite: what let us in at a relay."""

    url: str
    auto: bool
    boards: Sequence[SpaceId]
    kind: str | None
    invite: str | None


def own_values(connection: Connection) -> list[tuple[str, bytes]]:
    """What the store knows of its owner, by name; without what is of this very store."""
    rows = connection.execute("SELECT name, value FROM own ORDER BY name").fetchall()
    return [(name, bytes(value)) for name, value in rows if name not in _LOCAL and not name.startswith("rank ")]


def secrets(connection: Connection, space: Space) -> list[bytes]:
    """The epoch secrets held of a space; the last one seals."""
    rows = connection.execute(
        "SELECT secret FROM epoch WHERE space = ? ORDER BY no IS ?, no", (space.no, space.epoch)
    ).fetchall()
    return [secret for (secret,) in rows]


def read_until(connection: Connection, space: int) -> int | None:
    """The lamport up to which a deal's messages were read; None where none was."""
    row = connection.execute("SELECT lamport FROM read_mark WHERE space = ?", (space,)).fetchone()
    return row[0] if row else None


def mark_read(connection: Connection, space: int, lamport: int) -> None:
    """Note that a deal's messages were read so far."""
    connection.execute("INSERT OR REPLACE INTO read_mark(space, lamport) VALUES (?, ?)", (space, lamport))


def proofs(connection: Connection, space: int) -> list[bytes]:
    """The packed segments of second histories that schema 1 kept aside and that were not admitted yet."""
    rows = connection.execute("SELECT other FROM fork WHERE space = ? ORDER BY device", (space,)).fetchall()
    return [other for (other,) in rows if other]


def requests(connection: Connection) -> list[Request]:
    """Every request id that was used."""
    rows = connection.execute("SELECT id, fingerprint, subject, events FROM request ORDER BY id").fetchall()
    return [Request(id_, text(mark), subject, json.loads(events)) for id_, mark, subject, events in rows]


def places(connection: Connection) -> list[Place]:
    """Every place remembered, in the order in which they were named."""
    query = "SELECT s.id FROM carried c JOIN space s ON s.no = c.space WHERE c.place = ? ORDER BY s.no"
    rows = connection.execute(
        "SELECT p.no, p.url, p.auto, p.kind, r.invite FROM place p LEFT JOIN relay r ON r.place = p.no ORDER BY p.no"
    ).fetchall()
    return [
        Place(url, bool(auto), [SpaceId(text(id_)) for (id_,) in connection.execute(query, (no,)).fetchall()], kind, by)
        for no, url, auto, kind, by in rows
    ]


def keep_place(connection: Connection, place: Place) -> None:
    """Remember a place as another store knew it."""
    no = rows.remember(connection, place.url, auto=place.auto)
    if place.kind is not None:
        rows.set_kind(connection, no, place.kind)
    if place.invite is not None:
        relays.set_invite(connection, no, place.invite)
    for board in place.boards:
        found = events.find_space(connection, board)
        if found is not None:
            rows.carry(connection, no, found.no)


def ids(connection: Connection) -> set[bytes]:
    """Every event held, those that wait too."""
    return {id_ for (id_,) in connection.execute("SELECT id FROM event UNION ALL SELECT id FROM waiting").fetchall()}
