"""Epoch secrets as rows: which ones are held of a space, and which seals from now on."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlcipher3.dbapi2 import Connection


def add(connection: Connection, space: int, name: bytes, secret: bytes) -> int:
    """Keep an epoch's secret, unless it is held, and let it seal what is written from now on; its row number."""
    connection.execute("INSERT OR IGNORE INTO epoch(space, name, secret) VALUES (?, ?, ?)", (space, name, secret))
    no = find(connection, space, name)
    assert no is not None, "the row just written"
    connection.execute("UPDATE space SET epoch = ? WHERE no = ?", (no, space))
    return no


def find(connection: Connection, space: int, name: bytes) -> int | None:
    """The row of the epoch with this name, None when its key is not held."""
    row = connection.execute("SELECT no FROM epoch WHERE space = ? AND name = ?", (space, name)).fetchone()
    return row[0] if row else None


def name_of(connection: Connection, no: int) -> bytes:
    """The name of an epoch by its row."""
    name: bytes = connection.execute("SELECT name FROM epoch WHERE no = ?", (no,)).fetchone()[0]
    return name


def secret_of(connection: Connection, no: int) -> bytes:
    """The secret of an epoch by its row."""
    secret: bytes = connection.execute("SELECT secret FROM epoch WHERE no = ?", (no,)).fetchone()[0]
    return secret
