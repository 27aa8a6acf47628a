"""Epoch secrets as rows: which ones are held of a space, and which seals from now on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chaise_cli.domain.light import NamedTuple

if TYPE_CHECKING:
    from sqlcipher3.dbapi2 import Connection


def add(connection: Connection, space: int, name: bytes, secret: bytes) -> int:
    """Keep an epoch's secret, unless it is held, and let it seal what is written from now on; its row number."""
    connection.execute("INSERT OR IGNORE INTO epoch(space, name, secret) VALUES (?, ?, ?)", (space, name, secret))
    no = find(connection, space, name)
    assert no is not None, "the row just written"
    connection.execute("UPDATE space SET epoch = ? WHERE no = ?", (no, space))
    return no


def seal_with(connection: Connection, space: int, no: int) -> None:
    """Let this epoch seal what is written from now on."""
    connection.execute("UPDATE space SET epoch = ? WHERE no = ? AND epoch IS NOT ?", (no, space, no))


def keep(connection: Connection, space: int, name: bytes, secret: bytes) -> None:
    """Keep an epoch's secret for what it sealed, unless it is held; what seals from now on stays."""
    connection.execute("INSERT OR IGNORE INTO epoch(space, name, secret) VALUES (?, ?, ?)", (space, name, secret))
    first = (
        "UPDATE space SET epoch = (SELECT no FROM epoch WHERE space = ? AND name = ?) WHERE no = ? AND epoch IS NULL"
    )
    connection.execute(first, (space, name, space))


def of_newest_box(connection: Connection, space: int, box: str) -> bytes | None:
    """The name of the epoch under which a box key was told in self; None when it was not."""
    query = (
        "SELECT p.name FROM told t JOIN chain c ON c.space = t.space JOIN event e ON e.chain = c.no AND e.kind = t.kind"
        " JOIN epoch p ON p.no = e.epoch WHERE t.space = ?1 AND t.kind = 'self.box_key' AND t.name = ?2"
        " AND json_extract(t.rank, '$[3]') = lower(hex(e.id))"
    )
    row = connection.execute(query, (space, box)).fetchone()
    return row[0] if row else None


class WrapRow(NamedTuple):
    """A wrap as it stands in a space: on whose chain, where, and whether something sealed came before it there."""

    device: bytes
    identity: bytes | None
    void: str | None
    seq: int
    id: bytes
    lamport: int
    body: bytes
    sealed_before: int  # 0 or 1


def wraps(connection: Connection, space: int) -> list[WrapRow]:
    """Every wrap of a space in the order (lamport, device, seq, id), but those of runs, which are used for nothing."""
    query = (
        "SELECT c.device, c.identity, c.void, e.seq, e.id, e.lamport, e.body, EXISTS"
        " (SELECT 1 FROM event s WHERE s.chain = e.chain AND s.suite = 1 AND s.seq < e.seq)"
        " FROM chain c JOIN event e ON e.chain = c.no WHERE c.space = ? AND e.kind = 'wrap' AND c.grant_key IS NULL"
        " ORDER BY e.lamport, c.device, e.seq, e.id"
    )
    rows = connection.execute(query, (space,)).fetchall()
    return [WrapRow(*row) for row in rows]


def find(connection: Connection, space: int, name: bytes) -> int | None:
    """The row of the epoch with this name, None when its key is not held."""
    row = connection.execute("SELECT no FROM epoch WHERE space = ? AND name = ?", (space, name)).fetchone()
    return row[0] if row else None


def names(connection: Connection, space: int) -> set[bytes]:
    """The names of the epochs of a space whose secrets are held."""
    return {name for (name,) in connection.execute("SELECT name FROM epoch WHERE space = ?", (space,)).fetchall()}


def name_of(connection: Connection, no: int) -> bytes:
    """The name of an epoch by its row."""
    name: bytes = connection.execute("SELECT name FROM epoch WHERE no = ?", (no,)).fetchone()[0]
    return name


def secret_of(connection: Connection, no: int) -> bytes:
    """The secret of an epoch by its row."""
    secret: bytes = connection.execute("SELECT secret FROM epoch WHERE no = ?", (no,)).fetchone()[0]
    return secret
