"""Whom the wraps of a space name, and who may therefore be served it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chaise_cli.ids import raw

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlcipher3.dbapi2 import Connection


def add(connection: Connection, space: int, identities: Iterable[str]) -> None:
    """Note that a wrap names these."""
    rows = [(space, raw(identity)) for identity in identities]
    connection.executemany("INSERT OR IGNORE INTO named(space, identity) VALUES (?, ?)", rows)


def by_space(connection: Connection) -> dict[int, set[bytes]]:
    """Everybody named in a space, as raw identities, for all spaces that name somebody."""
    found: dict[int, set[bytes]] = {}
    for space, identity in connection.execute("SELECT space, identity FROM named").fetchall():
        found.setdefault(space, set()).add(identity)
    return found
