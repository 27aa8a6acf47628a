"""What `verify` reads: the file's pages, kept signatures, tables against a refold, the sums of the book."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from chaise_cli.domain.light import NamedTuple
from chaise_cli.ids import text
from chaise_cli.store import boards, check_rows, connection, deals, events, selves

if TYPE_CHECKING:
    from sqlcipher3.dbapi2 import Connection

    from chaise_cli.store.events import Space

_DEAL_TABLES: Final = ("deal", "pending", "milestone", "op", "entry", "booking", "occurrence", "review",
                      "message", "file")  # fmt: skip
_SELF_TABLES: Final = ("told",)
_BOARD_TABLES: Final = ("listing", "opinion", "profile", "mark", "board_name")
_TABLES: Final = {"self": _SELF_TABLES, "deal": _DEAL_TABLES, "board": _BOARD_TABLES}


class Kept(NamedTuple):
    """A signature that is kept, and the event under it."""

    seq: int
    id: bytes
    signature: bytes


class Misplaced(NamedTuple):
    """An event, or the head of a chain, whose derived columns are not what they should be."""

    device: bytes
    seq: int


class Entry(NamedTuple):
    """An entry of the book, in a deal (a space's row number)."""

    space: int
    text: str


class Part(NamedTuple):
    """A milestone of a deal (a space's row number)."""

    space: int
    n: int


def pages(database: Connection) -> list[str]:
    """What two pragmas find wrong: with the page MACs, and with the tables' structure."""
    broken = [row[0] for row in database.execute("PRAGMA cipher_integrity_check").fetchall()]
    return broken + [row[0] for row in database.execute("PRAGMA integrity_check").fetchall() if row[0] != "ok"]


def signatures(database: Connection, chain: int) -> list[Kept]:
    """The kept signatures of a chain, those of waiting events included, in order."""
    query = (
        "SELECT seq, id, signature FROM event WHERE chain = ?1 AND signature IS NOT NULL"
        " UNION ALL SELECT seq, id, signature FROM waiting WHERE chain = ?1 AND signature IS NOT NULL ORDER BY seq"
    )
    return [Kept(*row) for row in database.execute(query, (chain,)).fetchall()]


def misplaced(database: Connection, space: Space) -> list[Misplaced]:
    """Events whose kind or lamport is not what their bytes and what they cite come to, and chains with another head.

    Both are derived, no signature covers them, and a refold takes them as they stand.
    """
    found: list[Misplaced] = []
    lamports: dict[str, int] = {}
    places: dict[tuple[int, int], int] = {}  # the same, by row and seq
    cited: list[tuple[events.Stored, list[list[Any]]]] = []
    stems = {row.no: (row.parent, row.first) for row in events.chains(database, space.no)}
    for stored in events.read_space(database, space.no):
        lamports[text(stored.id)] = places[stored.chain, stored.seq] = stored.lamport
        kind, seen = _said(stored)
        cited.append((stored, seen))
        if kind != stored.kind:
            found.append(Misplaced(stored.device, stored.seq))
    for stored, seen in cited:
        parent, first = stems[stored.chain]
        row = stored.chain if stored.seq > first or parent is None else parent
        before = [places.get((row, stored.seq - 1), -1), *(lamports.get(id_, -1) for _, _, id_ in seen)]
        if stored.lamport != 1 + max(before):
            found.append(Misplaced(stored.device, stored.seq))
    query = (
        "SELECT c.device, c.seq FROM chain c LEFT JOIN event e ON e.chain = c.no AND e.seq = c.seq"
        " WHERE c.space = ? AND c.seq >= c.first AND (e.id IS NOT c.id OR e.lamport IS NOT c.lamport)"
    )
    return found + [Misplaced(*row) for row in database.execute(query, (space.no,)).fetchall()]


def _said(stored: events.Stored) -> tuple[str | None, list[list[Any]]]:
    """The kind in an event's own bytes, and what it cites."""
    if not stored.suite:
        return "wrap" if stored.seq else "genesis", []
    if stored.void in ("body.unopenable", "body.malformed"):
        return None, []
    said = json.loads(stored.body)
    return said["kind"], said["seen"]


def differing(database: Connection, space: Space) -> list[str]:
    """The tables of a space that differ from what its events say when folded from nothing."""
    tables = _TABLES[space.kind]
    before = _dump(database, space, tables)
    with connection.rehearsing(database):
        check_rows.clear_verdicts(database, space)
        refold(database, space)
        after = _dump(database, space, tables)
    return [name for name in before if before[name] != after[name]]


def refold(database: Connection, space: Space) -> None:
    """Fold a space from nothing, inside the caller's transaction."""
    if space.kind == "deal":
        deals.DealFold(database, space).refold()
    elif space.kind == "self":
        selves.SelfFold(database, space).refold()
    else:
        fold = boards.BoardFold(database, space)
        for author in check_rows.authors(database, space):
            fold.refold(author)


def _dump(database: Connection, space: Space, tables: tuple[str, ...]) -> dict[str, list[Any]]:
    found = {
        table: sorted(database.execute(f"SELECT * FROM {table} WHERE space = ?", (space.no,)).fetchall(), key=repr)
        for table in tables
    }
    query = "SELECT e.chain, e.seq, e.uptake, e.void FROM event e JOIN chain c ON c.no = e.chain WHERE c.space = ?"
    return found | {"event": sorted(database.execute(query, (space.no,)).fetchall(), key=repr)}


def unbalanced(database: Connection) -> list[Entry]:
    """Journal entries whose postings do not come to zero."""
    rows = database.execute("SELECT space, text, postings FROM entry").fetchall()
    return [Entry(space, text) for space, text, lines in rows if sum(amount for _, amount in json.loads(lines))]


def uneven(database: Connection) -> list[Part]:
    """Milestones whose money does not add up."""
    query = "SELECT space, n FROM milestone WHERE held + disputed <> funded - released - refunded OR held < 0"
    return [Part(*row) for row in database.execute(query).fetchall()]
