"""Files of a deal as stored: what events that count name, each with where it belongs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from chaise_cli.domain import record
from chaise_cli.domain.light import NamedTuple
from chaise_cli.domain.talk import Attachment
from chaise_cli.ids import SpaceId, raw, text
from chaise_cli.ledger import canonical

if TYPE_CHECKING:
    from sqlcipher3.dbapi2 import Connection


class Kept(NamedTuple):
    """One file of a deal. by: an identity; at: ms, the sender's clock; milestone: its number, None for the talk's."""

    file: Attachment
    by: str
    at: int
    milestone: int | None
    kind: str  # of the event that brought it
    deal: str  # the space's id, as base64url text


def of_deal(connection: Connection, space: int, milestone: int | None = None) -> list[Kept]:
    """The files of a deal, or of one milestone, the newest first; what void events name is left out."""
    rows = connection.execute(
        "SELECT f.body, c.identity, e.body, f.milestone, e.kind, s.id FROM file f"
        " JOIN chain c ON c.no = f.chain JOIN space s ON s.no = f.space"
        " JOIN event e ON e.chain = f.chain AND e.seq = f.seq"
        " WHERE f.space = ?1 AND e.void IS NULL AND (?2 IS NULL OR f.milestone = ?2)"
        " ORDER BY e.lamport DESC, c.device, e.seq DESC, f.address",
        (space, milestone),
    ).fetchall()
    return [
        Kept(record.load(Attachment, json.loads(file)), text(who), _at(body), number, kind, text(deal))
        for file, who, body, number, kind, deal in rows
    ]


def _at(body: bytes) -> int:
    read: Any = canonical.trusted(body)
    at: int = read["at"]
    return at


def addresses(connection: Connection, space: SpaceId | None = None) -> list[bytes]:
    """The addresses of all files that events name, void ones included; of one space if given."""
    query = (
        "SELECT DISTINCT f.address FROM file f JOIN space s ON s.no = f.space WHERE ?1 IS NULL OR s.id = ?1"
        " ORDER BY f.address"
    )
    return [row[0] for row in connection.execute(query, (raw(space) if space else None,)).fetchall()]


def address_text(file: Attachment) -> str:
    """The name of a file's sealed content in the folder of objects."""
    return raw(file.address).hex()
