"""A device's chain as a tree: one row of `chain` for each run without a fork, parted where a second history begins.

Which history came first does not show: a fork makes rows of both. docs/spec/store.md.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from chaise_cli.domain.light import NamedTuple
from chaise_cli.ids import raw
from chaise_cli.store import events

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlcipher3.dbapi2 import Connection

    from chaise_cli.store.events import Chain


class Part(NamedTuple):
    """Events from `first` to `last` that stand on one row, part of a history."""

    chain: int
    first: int
    last: int


_NOBODY = (None, 0, None, None)  # whose a row is that has proved nothing


class Spot(NamedTuple):
    """Where an event stands: on which row, and its seq."""

    chain: int
    seq: int


_BOTH = (
    "(SELECT seq, id, signature FROM event WHERE chain = ?1 AND seq BETWEEN ?2 AND ?3"
    " UNION ALL SELECT seq, id, signature FROM waiting WHERE chain = ?1 AND seq BETWEEN ?2 AND ?3)"
)


def find(connection: Connection, rows: Sequence[Chain], seq: int, id_: bytes) -> Spot | None:
    """Where an event of a device stands, opened or waiting, given the rows of its chain; None when it is not held."""
    if len(rows) == 1:
        return Spot(rows[0].no, seq) if id_at(connection, rows[0].no, seq, id_) is not None else None
    held = {row.no for row in rows}
    no = opened_on(connection, seq, id_)
    if no:
        return Spot(no, seq) if no in held else None
    query = "SELECT id FROM waiting WHERE chain = ? AND seq = ?"
    waits = (row.no for row in rows if connection.execute(query, (row.no, seq)).fetchone() == (id_,))
    return next((Spot(row, seq) for row in waits), None)


def opened_on(connection: Connection, seq: int, id_: bytes) -> int:
    """The row on which an opened event stands, by its id alone; 0 when it is not held."""
    row = connection.execute("SELECT chain FROM event WHERE id = ? AND seq = ?", (id_, seq)).fetchone()
    return row[0] if row else 0


def leading_to(connection: Connection, space: int, device: bytes, seq: int, id_: bytes) -> list[Part]:
    """The way to an event of a device, opened or waiting; no parts when it is not held.

    Without a look at the other branches of the chain, of which there may be thousands.
    """
    no = opened_on(connection, seq, id_)
    if no:
        row = events.chain_numbered(connection, no)
        if (row.space, row.device) != (space, device):
            return []
        return way(connection, Spot(no, seq)) if row.parent else [Part(no, row.first, seq)]
    query = (
        "SELECT w.chain FROM chain c JOIN waiting w ON w.chain = c.no AND w.seq = ?"
        " WHERE c.space = ? AND c.device = ? AND w.id = ?"
    )
    found = connection.execute(query, (seq, space, device, id_)).fetchone()
    return way(connection, Spot(found[0], seq)) if found else []


def way(connection: Connection, spot: Spot) -> list[Part]:
    """As `history`, reading the rows on the way alone."""
    query = (
        "WITH RECURSIVE up(no, parent, first, last) AS (SELECT no, parent, first, ?2 FROM chain WHERE no = ?1"
        " UNION SELECT c.no, c.parent, c.first, up.first - 1 FROM up JOIN chain c ON c.no = up.parent)"
        " SELECT no, first, last FROM up WHERE last >= first ORDER BY first"
    )
    return [Part(*row) for row in connection.execute(query, spot).fetchall()]


def history(rows: Sequence[Chain], spot: Spot) -> list[Part]:
    """The way from the first event of a chain to one of its events, given its rows; empty parts left out.

    Raises KeyError where damage has made it lead nowhere, or round in a circle.
    """
    by_no = {row.no: row for row in rows}
    parts: list[Part] = []
    at: int | None = spot.chain
    last = spot.seq
    while at is not None:
        row = by_no.pop(at)
        if last >= row.first:
            parts.append(Part(at, row.first, last))
        at, last = row.parent, row.first - 1
    return parts[::-1]


def common(one: Sequence[Part], other: Sequence[Part]) -> int:
    """The seq of the last event that two histories share, −1 for none."""
    shared = -1
    for mine, theirs in zip(one, other, strict=False):
        if mine.chain != theirs.chain:
            break
        shared = min(mine.last, theirs.last)
    return shared


def within(parts: Sequence[Part], first: int, last: int) -> list[Part]:
    """The parts of a history from `first` to `last`."""
    return [
        Part(part.chain, max(part.first, first), min(part.last, last))
        for part in parts
        if part.first <= last and part.last >= first
    ]


def signed(connection: Connection, parts: Sequence[Part]) -> tuple[int | None, int | None]:
    """The highest and the lowest seq in parts of a history whose signature is kept, among events held and waiting."""
    query = f"SELECT max(seq), min(seq) FROM {_BOTH} WHERE signature IS NOT NULL"
    found = [connection.execute(query, part).fetchone() for part in parts]
    highest = [high for high, _ in found if high is not None]
    return max(highest, default=None), min((low for _, low in found if low is not None), default=None)


def id_at(connection: Connection, chain: int, seq: int, id_: bytes | None = None) -> bytes | None:
    """The id of the event at `seq` of a row, held or waiting; only `id_`, if it is given."""
    row = connection.execute(f"SELECT id FROM {_BOTH}", (chain, seq, seq)).fetchone()
    return row[0] if row and (id_ is None or row[0] == id_) else None


def add(connection: Connection, parent: Chain, root: bytes) -> Chain:
    """A new branch, still without events, that leaves `parent` at its end; `root` is the id of its first event."""
    first = _last(connection, parent) + 1
    connection.execute(
        "INSERT INTO chain(space, device, root, parent, first, seq) VALUES (?, ?, ?, ?, ?, ?)",
        (parent.space, parent.device, root, parent.no, first, first - 1),
    )
    no: int = connection.execute("SELECT last_insert_rowid()").fetchone()[0]
    return events.chain_numbered(connection, no)


def split(connection: Connection, chain: Chain, seq: int) -> int:
    """Part a row before the event at `seq`, which becomes the root of a branch; the number of the new row.

    The shorter part moves to it, so that a device that forks again and again costs no more than what it wrote.
    """
    last = _last(connection, chain)
    assert chain.first <= seq <= last, "an event of this row"
    root = id_at(connection, chain.no, seq)
    assert root is not None, "the event at which the row is parted"
    moves_head = seq - chain.first < last + 1 - seq
    no = _part_head(connection, chain, seq, root) if moves_head else _part_tail(connection, chain, seq, root)
    head, tail = (no, chain.no) if moves_head else (chain.no, no)
    _restate(connection, chain, head, tail)
    _rename(connection, chain, events.branch_name(chain.device, root), seq)
    return no


def is_left(connection: Connection, chain: Chain) -> bool:
    """Whether branches leave a row."""
    return connection.execute("SELECT 1 FROM chain WHERE parent = ? LIMIT 1", (chain.no,)).fetchone() is not None


def drop(connection: Connection, chain: Chain) -> None:
    """Forget a branch on which nothing stands."""
    connection.execute("DELETE FROM delivered WHERE chain = ?", (chain.no,))
    connection.execute("DELETE FROM chain WHERE no = ?", (chain.no,))


def _part_head(connection: Connection, chain: Chain, seq: int, root: bytes) -> int:
    """The beginning moves to a new row, which takes the place of the old one."""
    connection.execute("UPDATE chain SET root = ?, first = ? WHERE no = ?", (root, seq, chain.no))
    no = _insert(connection, chain, chain.root, chain.parent, chain.first)
    connection.execute("UPDATE chain SET parent = ? WHERE no = ?", (no, chain.no))
    _move(connection, chain, no, chain.first, seq - 1)
    return no


def _part_tail(connection: Connection, chain: Chain, seq: int, root: bytes) -> int:
    """The end moves to a new row, and with it the branches that leave there."""
    no = _insert(connection, chain, root, chain.no, seq)
    connection.execute("UPDATE chain SET parent = ? WHERE parent = ? AND no <> ?", (no, chain.no, no))
    _move(connection, chain, no, seq, 2**63 - 1)
    return no


def _insert(connection: Connection, chain: Chain, root: bytes, parent: int | None, first: int) -> int:
    connection.execute(
        "INSERT INTO chain(space, device, root, parent, first) VALUES (?, ?, ?, ?, ?)",
        (chain.space, chain.device, root, parent, first),
    )
    no: int = connection.execute("SELECT last_insert_rowid()").fetchone()[0]
    return no


def _move(connection: Connection, chain: Chain, to: int, first: int, last: int) -> None:
    for table in ("event", "waiting"):
        query = f"UPDATE {table} SET chain = ? WHERE chain = ? AND seq BETWEEN ? AND ?"
        connection.execute(query, (to, chain.no, first, last))
    for table in ("message", "file", "pending"):
        query = f"UPDATE {table} SET chain = ? WHERE space = ? AND chain = ? AND seq BETWEEN ? AND ?"
        connection.execute(query, (to, chain.space, chain.no, first, last))
    connection.execute(
        "INSERT INTO delivered(place, chain, seq) SELECT place, ?, seq FROM delivered WHERE chain = ?", (to, chain.no)
    )


def _restate(connection: Connection, old: Chain, head: int, tail: int) -> None:
    """Head, owner and deliveries of both parts of what was one row."""
    first: int = connection.execute("SELECT first FROM chain WHERE no = ?", (tail,)).fetchone()[0]
    opened = old.seq >= first  # else all that moved waits
    seq, id_, lamport = (old.seq, old.id, old.lamport) if opened else (first - 1, None, -1)
    owner = (raw(old.identity) if old.identity else None, old.admin, old.void, raw(old.grant) if old.grant else None)
    query = (
        "UPDATE chain SET seq = ?, id = ?, lamport = ?, identity = ?, admin = ?, void = ?, grant_key = ?, cited = ?"
        " WHERE no = ?"
    )
    connection.execute(query, (seq, id_, lamport, *(owner if opened else _NOBODY), old.cited or None, tail))
    row = connection.execute(
        "SELECT seq, id, lamport FROM event WHERE chain = ? ORDER BY seq DESC LIMIT 1", (head,)
    ).fetchone()
    begun = row or (old.first - 1, None, -1)
    kept = owner if _is_claimed(connection, old, head) else _NOBODY
    connection.execute(query, (*begun, *kept, old.cited or None, head))
    connection.execute("DELETE FROM delivered WHERE chain = ? AND seq < ?", (tail, first))
    connection.execute("UPDATE delivered SET seq = min(seq, ?) WHERE chain = ?", (first - 1, head))


def _is_claimed(connection: Connection, old: Chain, head: int) -> bool:
    """Whether the beginning of a row tells whose it is: by a row before it, or by a sealed event of its own."""
    if old.parent is not None:
        above = events.chain_numbered(connection, old.parent)
        if above.identity is not None or above.void is not None:
            return True
    query = "SELECT 1 FROM event WHERE chain = ? AND suite <> 0 LIMIT 1"
    return connection.execute(query, (head,)).fetchone() is not None


def _last(connection: Connection, chain: Chain) -> int:
    """The seq of the last event of a row, one that waits included; one less than its first when there is none."""
    query = "SELECT max(seq) FROM waiting WHERE chain = ?"
    waiting: int | None = connection.execute(query, (chain.no,)).fetchone()[0]
    return chain.seq if waiting is None else waiting


def _rename(connection: Connection, chain: Chain, tail: str, seq: int) -> None:
    """What stored JSON says of a row, by its name, holds for both its parts: how far it was taken up, and cited."""
    row = connection.execute("SELECT frontier FROM deal WHERE space = ?", (chain.space,)).fetchone()
    if row is not None:
        reached = _parted(json.loads(row[0]), chain, tail, seq)
        connection.execute(
            "UPDATE deal SET frontier = ? WHERE space = ?", (json.dumps(reached, sort_keys=True), chain.space)
        )
    query = "SELECT no, cited FROM chain WHERE space = ? AND cited IS NOT NULL AND cited <> x''"
    for no, cited in connection.execute(query, (chain.space,)).fetchall():
        reached = _parted(json.loads(cited), chain, tail, seq)
        connection.execute("UPDATE chain SET cited = ? WHERE no = ?", (json.dumps(reached).encode(), no))


def _parted(reached: dict[str, int], chain: Chain, tail: str, seq: int) -> dict[str, int]:
    if reached.get(chain.name, -1) < seq:
        return reached
    head = {} if seq == chain.first else {chain.name: seq - 1}
    return {name: last for name, last in reached.items() if name != chain.name} | head | {tail: reached[chain.name]}
