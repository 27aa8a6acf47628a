"""Proofs that a device wrote two histories: one a chain is enough, and it is kept for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chaise_cli.domain.light import NamedTuple

if TYPE_CHECKING:
    from sqlcipher3.dbapi2 import Connection


class Fork(NamedTuple):
    """A chain in a space that goes on in two ways from event `seq` on."""

    space: int
    device: bytes
    seq: int


def keep(connection: Connection, fork: Fork, other: bytes) -> None:
    """Keep the proof, `other`, of the history that is not held, unless the chain is known to be forked."""
    connection.execute(
        "INSERT OR IGNORE INTO fork(space, device, seq, one, other) VALUES (?, ?, ?, ?, ?)", (*fork, b"", other)
    )


def known(connection: Connection) -> list[Fork]:
    """Every fork that was met."""
    return [Fork(*row) for row in connection.execute("SELECT space, device, seq FROM fork").fetchall()]
