"""Events that wait, sealed as they came, for a key or for something they cite."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chaise_cli.domain.light import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlcipher3.dbapi2 import Connection


class Waiting(NamedTuple):
    """One event that waits. epoch: the name of the epoch that sealed it; signature: None where it was not sent."""

    seq: int
    id: bytes
    suite: int
    epoch: bytes
    signature: bytes | None
    body: bytes


class Head(NamedTuple):
    """The last event known of a history of a chain, one that waits included."""

    device: bytes
    seq: int
    id: bytes


_WAITING = "SELECT seq, id, suite, epoch, signature, body FROM waiting WHERE chain = ?"


def of_chain(connection: Connection, chain: int) -> list[Waiting]:
    """What waits of a chain, in order."""
    return [Waiting(*row) for row in connection.execute(_WAITING + " ORDER BY seq", (chain,)).fetchall()]


def between(connection: Connection, chain: int, first: int, last: int) -> list[Waiting]:
    """What waits of a chain from `first` to `last`, both included, in order."""
    query = _WAITING + " AND seq BETWEEN ? AND ? ORDER BY seq"
    return [Waiting(*row) for row in connection.execute(query, (chain, first, last)).fetchall()]


def devices(connection: Connection, space: int) -> list[bytes]:
    """The devices of which something waits in a space."""
    query = "SELECT DISTINCT c.device FROM waiting w JOIN chain c ON c.no = w.chain WHERE c.space = ?"
    return [device for (device,) in connection.execute(query, (space,)).fetchall()]


def keep(connection: Connection, chain: int, events: Iterable[Waiting]) -> None:
    """Let these wait on a chain on which nothing does."""
    connection.executemany("INSERT INTO waiting VALUES (?, ?, ?, ?, ?, ?, ?)", [(chain, *event) for event in events])


def forget(connection: Connection, chain: int) -> None:
    """Nothing waits on the chain any more."""
    connection.execute("DELETE FROM waiting WHERE chain = ?", (chain,))


# A branch that others leave is no tip, nor is one of which nothing came yet.
_HEADS = (
    "SELECT c.device, coalesce(w.seq, c.seq), coalesce(w.id, c.id) FROM chain c LEFT JOIN waiting w ON w.chain = c.no"
    " AND w.seq = (SELECT max(seq) FROM waiting WHERE chain = c.no) WHERE (w.seq IS NOT NULL OR c.seq >= c.first)"
    " AND NOT EXISTS (SELECT 1 FROM chain b WHERE b.parent = c.no)"
)


def heads(connection: Connection, space: int) -> list[Head]:
    """Every tip of every chain of a space, by device: a branch that others leave is no tip."""
    rows = connection.execute(_HEADS + " AND c.space = ? ORDER BY c.device, c.root", (space,)).fetchall()
    return [Head(*row) for row in rows]


def heads_by_space(connection: Connection) -> dict[int, list[Head]]:
    """The same of every space held, in one look."""
    found: dict[int, list[Head]] = {}
    query = _HEADS.replace("SELECT ", "SELECT c.space, ", 1) + " ORDER BY c.device, c.root"
    for space, *row in connection.execute(query):
        found.setdefault(space, []).append(Head(*row))
    return found
