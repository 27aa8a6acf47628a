"""Devices that wrote several histories of a chain, and proofs of histories from before they were kept whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chaise_cli.domain.light import NamedTuple

if TYPE_CHECKING:
    from sqlcipher3.dbapi2 import Connection


class Fork(NamedTuple):
    """A chain in a space that goes on in several ways from event `seq` on, and perhaps again behind it."""

    space: int
    device: bytes
    seq: int
    identity: bytes | None


class Proof(NamedTuple):
    """A packed segment of a second history, as schema 1 kept it beside the first."""

    space: int
    device: bytes
    segment: bytes


def known(connection: Connection) -> list[Fork]:
    """Every chain of which several histories were met, by space."""
    query = (
        "SELECT space, device, min(first), max(identity) FROM chain WHERE parent IS NOT NULL GROUP BY space, device"
        " UNION SELECT f.space, f.device, f.seq, NULL FROM fork f WHERE NOT EXISTS"
        " (SELECT 1 FROM chain c WHERE c.space = f.space AND c.device = f.device AND c.parent IS NOT NULL)"
        " ORDER BY 1, 2"
    )
    return [Fork(*row) for row in connection.execute(query).fetchall()]


def proofs(connection: Connection) -> list[Proof]:
    """The proofs that were not admitted as histories yet."""
    return [Proof(*row) for row in connection.execute("SELECT space, device, other FROM fork").fetchall()]


def drop(connection: Connection, proof: Proof) -> None:
    """Forget a proof: its history is held."""
    connection.execute("DELETE FROM fork WHERE space = ? AND device = ?", (proof.space, proof.device))


def contested(connection: Connection) -> list[int]:
    """The deals of which several histories moved money and nobody settled which stands."""
    return [
        space for (space,) in connection.execute("SELECT space FROM deal WHERE contested ORDER BY space").fetchall()
    ]
