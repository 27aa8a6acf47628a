"""Reading a damaged store: whatever still can be read, row by row, and nothing taken for true.

A page whose MAC does not hold fails each query that touches it. So a query that fails is asked again in smaller
ones; none runs inside a transaction, since one failure would spoil all that follow in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlcipher3 import dbapi2 as driver

from chaise_cli.domain.light import NamedTuple
from chaise_cli.store import backup_reads, busy

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from sqlcipher3.dbapi2 import Connection

    Found = TypeVar("Found")
MOST: Final = 1_000_000  # events looked for one by one on a chain whose rows cannot be listed


class Space(NamedTuple):
    """The row of a space as it stands."""

    no: int
    id: bytes
    kind: str
    epoch: int | None


class Chain(NamedTuple):
    """The row of a chain, or of a branch of it, as it stands. parent: the row that it is said to continue."""

    no: int
    device: bytes
    seq: int
    parent: int | None
    first: int


class Kept(NamedTuple):
    """An event as it stands. epoch_no: the row of its key; epoch: its name, of events that wait sealed as they came."""

    seq: int
    id: bytes
    suite: int
    epoch_no: int | None
    epoch: bytes | None
    void: str | None
    signature: bytes | None
    body: bytes

    @property
    def waits(self) -> bool:
        """Whether it is sealed as it came."""
        return self.epoch is not None


def rows(database: Connection, query: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The rows of a query without an order that can be read: all, or those before a bad page from either end."""
    found: dict[tuple[Any, ...], None] = {}
    for way in ("ASC", "DESC"):
        cursor = database.cursor()
        try:
            cursor.execute(f"{query} ORDER BY 1 {way}", values)
            while (row := cursor.fetchone()) is not None:
                found[row] = None
        except driver.Error:
            continue
        finally:
            cursor.close()
        break
    return list(found)


def own_values(database: Connection) -> dict[str, bytes]:
    """What can be read of the owner's values; without ranks, which are folded."""
    found = rows(database, "SELECT name, value FROM own")
    return {name: bytes(value) for name, value in found if not str(name).startswith("rank ")}


def spaces(database: Connection) -> list[Space]:
    """The spaces that can be read."""
    return [Space(*row) for row in rows(database, "SELECT no, id, kind, epoch FROM space")]


def secrets(database: Connection, space: Space) -> list[tuple[int, bytes, bytes]]:
    """Row, name and secret of the epochs of a space that can be read; the one that seals comes last."""
    found = rows(database, "SELECT no, name, secret FROM epoch WHERE space = ?", (space.no,))
    return sorted(found, key=lambda row: (row[0] == space.epoch, row[0]))


def chains(database: Connection, space: Space) -> list[Chain]:
    """The chains of a space that can be read, each branch by itself."""
    query = "SELECT no, device, seq, parent, first FROM chain WHERE space = ?"
    return [Chain(*row) for row in rows(database, query, (space.no,))]


def kept(database: Connection, chain: Chain) -> list[Kept]:
    """The events of a chain that can be read, what waits included, by seq."""
    fields = "SELECT seq, id, suite, epoch, NULL, void, signature, body FROM event WHERE chain = ?"
    found = {row[0]: Kept(*row) for row in rows(database, fields, (chain.no,))}
    if len(found) <= chain.seq - chain.first:
        missing = [seq for seq in range(chain.first, min(chain.seq + 1, chain.first + MOST)) if seq not in found]
        for seq in missing:
            found |= {row[0]: Kept(*row) for row in rows(database, f"{fields} AND seq = ?", (chain.no, seq))}
    late = "SELECT seq, id, suite, NULL, epoch, NULL, signature, body FROM waiting WHERE chain = ?"
    found |= {row[0]: Kept(*row) for row in rows(database, late, (chain.no,))}
    return [found[seq] for seq in sorted(found) if type(seq) is int and seq >= 0]


def attempt(read: Callable[[], list[Found]]) -> list[Found]:
    """What a read gives, nothing where its rows cannot be read."""
    try:
        return read()
    except (driver.Error, ValueError, LookupError, TypeError):
        return []


def requests(database: Connection) -> list[backup_reads.Request]:
    """The requests noted, if they can be read."""
    return attempt(lambda: backup_reads.requests(database))


def places(database: Connection) -> list[backup_reads.Place]:
    """The places noted, if they can be read."""
    return attempt(lambda: backup_reads.places(database))


def calendars(database: Connection) -> list[busy.Source]:
    """The calendars that busy time was read from, if they can be read."""
    return attempt(lambda: busy.known(database))


def proofs(database: Connection, space: Space) -> list[bytes]:
    """The proofs of forks in a space, if they can be read."""
    return attempt(lambda: backup_reads.proofs(database, space.no))


def read_until(database: Connection, space: Space) -> int | None:
    """How far messages were read, if that can be."""
    found = attempt(lambda: [backup_reads.read_until(database, space.no)])
    return found[0] if found else None
