"""The outbox of rails: what this device has asked a rail to do, and what is known of it. One row an operation and act.

A row is written before the rail is asked, and its outcome together with the movement that it proves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from chaise_cli.domain.light import NamedTuple
from chaise_cli.ids import EventId, IdentityId, SpaceId, raw, text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlcipher3.dbapi2 import Connection

OPEN: Final = ("sending", "unknown", "pending", "action")  # states in which the rail may yet move something, or has
LIVE: Final = (*OPEN, "stray")  # and those in which it holds what nobody is to have
_OPEN_SQL: Final = "('sending', 'unknown', 'pending', 'action', 'stray')"
_COLUMNS: Final = "op, act, n, tries, party, amount, currency, state, ref, said, at"


class Attempt(NamedTuple):
    """One payment asked of a rail. act: hold, payout, or return of a hold that nobody wants any more.

    state: sending (nobody knows whether it left), unknown, pending, action (a person has to do something), declined,
    stray (a hold that succeeded for a milestone that had ended), done. tries: 1 for the first key, one more for each
    time a person had a declined payment made again. amount: minor units; at: ms of the last change.
    """

    op: EventId
    act: str
    n: int
    tries: int
    party: IdentityId
    amount: int
    currency: str
    state: str
    ref: str
    said: str
    at: int

    @property
    def step(self) -> str:
        """What tells this payment from others of its operation, in the rail's key."""
        return self.act if self.tries == 1 else f"{self.act} {self.tries}"


def put(connection: Connection, space: int, attempt: Attempt) -> None:
    """Write down an attempt, or how it stands now."""
    connection.execute(
        f"INSERT OR REPLACE INTO attempt(space, {_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
        (space, raw(attempt.op), *attempt[1:4], raw(attempt.party), *attempt[5:]),
    )


def find(connection: Connection, op: EventId, act: str) -> Attempt | None:
    """The attempt of an act for an operation."""
    row = connection.execute(f"SELECT {_COLUMNS} FROM attempt WHERE op = ? AND act = ?", (raw(op), act)).fetchone()
    return _read(row) if row else None


def of_space(connection: Connection, space: int) -> list[Attempt]:
    """All attempts of a deal, in the order of operation ids."""
    rows = connection.execute(f"SELECT {_COLUMNS} FROM attempt WHERE space = ? ORDER BY op, act", (space,)).fetchall()
    return [_read(row) for row in rows]


def holding(connection: Connection, space: int) -> frozenset[EventId]:
    """Operations whose hold a rail may have carried out without that being booked."""
    query = f"SELECT op FROM attempt WHERE space = ? AND act = 'hold' AND state IN {_OPEN_SQL}"
    return frozenset(EventId(text(op)) for (op,) in connection.execute(query, (space,)).fetchall())


def busy(connection: Connection) -> list[int]:
    """Deals with attempts whose end is not known yet."""
    query = f"SELECT DISTINCT space FROM attempt WHERE state IN {_OPEN_SQL} ORDER BY space"
    return [space for (space,) in connection.execute(query).fetchall()]


def returned(connection: Connection) -> list[tuple[SpaceId, Attempt]]:
    """Holds that were given back whole, by the attempt that did it, with the deals they belonged to."""
    columns = ", ".join(f"a.{name}" for name in _COLUMNS.split(", "))
    query = (
        f"SELECT s.id, {columns} FROM attempt a JOIN space s ON s.no = a.space"
        " WHERE a.act = 'return' AND a.state = 'done'"
    )
    rows = connection.execute(query).fetchall()
    return [(SpaceId(text(deal)), _read(row)) for deal, *row in rows]


def _read(row: Sequence[Any]) -> Attempt:
    op, act, n, tries, party, *rest = row
    return Attempt(EventId(text(op)), act, n, tries, IdentityId(text(party)), *rest)
