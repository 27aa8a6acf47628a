"""Chains and events as rows: appending, reading back, heads. Everything here runs inside the caller's transaction.

What can be derived is not stored: a header is rebuilt from its chain, a sealed body from the opened one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from chaise_cli.domain.light import NamedTuple
from chaise_cli.ids import DeviceId, IdentityId, SpaceId, raw, text

if TYPE_CHECKING:
    from sqlcipher3.dbapi2 import Connection


class Space(NamedTuple):
    """A space held; `creator` is '' for a board joined by invite whose genesis has not arrived."""

    no: int
    id: SpaceId
    kind: str
    creator: str
    creator_device: bytes
    epoch: int | None
    newer: bool
    synced_at: int | None


class Chain(NamedTuple):
    """One device's chain in one space, or one branch of it, up to its newest opened event.

    root: of a branch the id of its first event, and empty for the stem; parent: the row it leaves at its end. first:
    seq of its first event; `seq` is one less while none was opened. grant: of a run's chain, the key that certified it.
    """

    no: int
    space: int
    device: bytes
    root: bytes
    parent: int | None
    first: int
    identity: IdentityId | None
    admin: bool
    void: str | None
    seq: int
    id: bytes
    lamport: int
    cited: bytes
    grant: DeviceId | None = None

    @property
    def name(self) -> str:
        """What names it in stored JSON: its device, and of a branch its first event."""
        return branch_name(self.device, self.root)


class Row(NamedTuple):
    """One event to append or as stored. `body` is the clear body, or the opened JSON without padding.

    `void` says why the event counts for nothing; `content` is its checked body where it has one. `grant`: of a run's
    word, the key that certified it.
    """

    chain: int
    seq: int
    id: bytes
    suite: int
    epoch: int | None
    kind: str | None
    lamport: int
    void: str | None
    signature: bytes | None
    body: bytes
    device: bytes
    identity: IdentityId | None
    at: int
    seen: Sequence[tuple[str, int, str]]
    content: Any
    grant: DeviceId | None = None


_SPACE = "no, id, kind, creator, creator_device, epoch, newer, synced_at"
_CHAIN = "no, space, device, root, parent, first, identity, admin, void, seq, id, lamport, cited, grant_key"


def _space(row: tuple[Any, ...] | None) -> Space | None:
    if row is None:
        return None
    no, id_, kind, creator, device, epoch, newer, synced_at = row
    return Space(no, SpaceId(text(id_)), kind, text(creator) if creator else "", device, epoch, bool(newer), synced_at)


def find_space(connection: Connection, space: SpaceId) -> Space | None:
    """The space with this id, if it is held."""
    return _space(connection.execute(f"SELECT {_SPACE} FROM space WHERE id = ?", (raw(space),)).fetchone())


def space_numbered(connection: Connection, no: int) -> Space:
    """The space with this row number."""
    found = _space(connection.execute(f"SELECT {_SPACE} FROM space WHERE no = ?", (no,)).fetchone())
    assert found, "a row names a space that is not there"
    return found


def spaces(connection: Connection, kind: str | None = None) -> list[Space]:
    """Every space held, oldest first; of one kind if given."""
    rows = connection.execute(
        f"SELECT {_SPACE} FROM space WHERE ? IS NULL OR kind = ? ORDER BY no", (kind, kind)
    ).fetchall()
    return [space for row in rows if (space := _space(row))]


# Deals in which nobody of an identity has written; `maker` is the chain that began them.
_UNANSWERED = (
    "SELECT count(*) FROM space s WHERE s.kind = 'deal'"
    " AND NOT EXISTS (SELECT 1 FROM chain c WHERE c.space = s.no AND c.identity = ?1) AND {proved} EXISTS"
    " (SELECT 1 FROM chain m WHERE m.space = s.no AND m.device = s.creator_device AND m.identity = s.creator)"
)


def unanswered_deals(connection: Connection, me: str, creator: str) -> int:
    """How many deals somebody opened, as their maker's chain proves, in which `me` has written nothing."""
    query = _UNANSWERED.format(proved="") + " AND s.creator = ?2"
    found: int = connection.execute(query, (raw(me), raw(creator))).fetchone()[0]
    return found


def unproved_deals(connection: Connection, me: str) -> int:
    """How many deals of which it is not proved who opened them, and in which `me` has written nothing."""
    found: int = connection.execute(_UNANSWERED.format(proved="NOT"), (raw(me),)).fetchone()[0]
    return found


def crowding(connection: Connection, me: str, most: int) -> list[bytes]:
    """The identities of which there are so many unanswered deals."""
    query = _UNANSWERED.format(proved="").replace("SELECT count(*)", "SELECT s.creator") + (
        " AND s.creator <> ?1 GROUP BY s.creator HAVING count(*) >= ?2 ORDER BY s.creator"
    )
    return [creator for (creator,) in connection.execute(query, (raw(me), most)).fetchall()]


def answered(connection: Connection, me: str) -> int:
    """In how many spaces `me` has written."""
    query = "SELECT count(DISTINCT space) FROM chain WHERE identity = ?"
    found: int = connection.execute(query, (raw(me),)).fetchone()[0]
    return found


def add_space(connection: Connection, space: SpaceId, kind: str, creator: str, device: bytes) -> Space:
    """A row for a space that is new here."""
    connection.execute(
        "INSERT INTO space(id, kind, creator, creator_device) VALUES (?, ?, ?, ?)",
        (raw(space), kind, raw(creator) if creator else b"", device),
    )
    found = find_space(connection, space)
    assert found, "the row just written"
    return found


def set_creator(connection: Connection, no: int, creator: IdentityId, device: bytes) -> Space:
    """The space, now that its genesis has told who made it."""
    values = (raw(creator), device, no)
    connection.execute("UPDATE space SET creator = ?, creator_device = ? WHERE no = ?", values)
    return space_numbered(connection, no)


def set_newer(connection: Connection, no: int, *, newer: bool = True) -> None:
    """Note whether a newer Chaise has written in the space, so that this one only reads it."""
    connection.execute("UPDATE space SET newer = ? WHERE no = ?", (newer, no))


def _chain(row: tuple[Any, ...]) -> Chain:
    no, space, device, root, parent, first, identity, admin, void, seq, id_, lamport, cited, grant = row
    who = IdentityId(text(identity)) if identity else None
    return Chain(
        no, space, device, root, parent, first, who, bool(admin), void, seq, id_ or bytes(32), lamport, cited or b"",
        DeviceId(text(grant)) if grant else None,
    )  # fmt: skip


def branch_name(device: bytes, root: bytes) -> str:
    """What names a chain, or a branch of one, in stored JSON."""
    return f"{text(device)}.{text(root)}" if root else text(device)


def chains(connection: Connection, space: int) -> list[Chain]:
    """Every chain of a space with its branches, by device; a stem before its branches."""
    rows = connection.execute(f"SELECT {_CHAIN} FROM chain WHERE space = ? ORDER BY device, root", (space,))
    return [_chain(row) for row in rows.fetchall()]


def branches_of(connection: Connection, space: int, device: bytes) -> list[Chain]:
    """The chain of a device in a space: its stem, then its branches; nothing when there is none."""
    query = f"SELECT {_CHAIN} FROM chain WHERE space = ? AND device = ? ORDER BY root"
    return [_chain(row) for row in connection.execute(query, (space, device)).fetchall()]


def chain_numbered(connection: Connection, no: int) -> Chain:
    """The chain or branch with this row number."""
    row = connection.execute(f"SELECT {_CHAIN} FROM chain WHERE no = ?", (no,)).fetchone()
    assert row, "a row names a chain that is not there"
    return _chain(row)


def chain_of(connection: Connection, space: int, device: bytes) -> Chain:
    """The chain of a device in a space, its stem if it has branches; an empty one is made when there is none."""
    connection.execute("INSERT OR IGNORE INTO chain(space, device) VALUES (?, ?)", (space, device))
    return branches_of(connection, space, device)[0]


def save_chain(connection: Connection, chain: Chain) -> None:
    """Write a chain's new head and whose it is."""
    connection.execute(
        "UPDATE chain SET identity = ?, admin = ?, void = ?, seq = ?, id = ?, lamport = ?, cited = ?, grant_key = ?"
        " WHERE no = ?",
        (
            raw(chain.identity) if chain.identity else None,
            chain.admin,
            chain.void,
            chain.seq,
            chain.id,
            chain.lamport,
            chain.cited,
            raw(chain.grant) if chain.grant else None,
            chain.no,
        ),
    )


def append(connection: Connection, rows: Iterable[Row]) -> None:
    """Keep events; their chains' heads are the caller's to save."""
    connection.executemany(
        "INSERT INTO event(chain, seq, id, suite, epoch, kind, lamport, void, signature, body)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [row[:10] for row in rows],
    )


def lamport_of(connection: Connection, space: int, device: bytes, seq: int, id_: bytes) -> int | None:
    """The lamport of an opened event of a device, on whatever branch it stands; None when it is not there."""
    row = connection.execute(
        "SELECT e.lamport FROM chain c JOIN event e ON e.chain = c.no"
        " WHERE c.space = ? AND c.device = ? AND e.seq = ? AND e.id = ?",
        (space, device, seq, id_),
    ).fetchone()
    return row[0] if row else None


class Stored(NamedTuple):
    """An event read back, with what its chain tells."""

    chain: int
    seq: int
    id: bytes
    suite: int
    epoch: int | None
    kind: str | None
    lamport: int
    uptake: int | None
    void: str | None
    signature: bytes | None
    body: bytes
    device: bytes
    identity: bytes | None
    grant: bytes | None


STORED = (
    "SELECT e.chain, e.seq, e.id, e.suite, e.epoch, e.kind, e.lamport, e.uptake, e.void, e.signature, e.body,"
    " c.device, c.identity, c.grant_key FROM event e JOIN chain c ON c.no = e.chain "
)
"""Selects what `Stored` holds."""


def read_chain(connection: Connection, chain: int, first: int, last: int) -> list[Stored]:
    """The events of a chain from `first` to `last`, both included."""
    query = STORED + "WHERE e.chain = ? AND e.seq BETWEEN ? AND ? ORDER BY e.seq"
    return [Stored(*row) for row in connection.execute(query, (chain, first, last)).fetchall()]


def read_space(connection: Connection, space: int) -> Iterator[Stored]:
    """All events of a space in the order (lamport, device, seq, id)."""
    query = STORED + "WHERE c.space = ? ORDER BY e.lamport, c.device, e.seq, e.id"
    return map(Stored._make, connection.execute(query, (space,)))


def read_author(connection: Connection, space: int, identity: IdentityId) -> list[Stored]:
    """All events of one author in a space in the order (lamport, device, seq, id)."""
    query = STORED + "WHERE c.space = ? AND c.identity = ? ORDER BY e.lamport, c.device, e.seq, e.id"
    return [Stored(*row) for row in connection.execute(query, (space, raw(identity))).fetchall()]


def find_event(connection: Connection, id_: bytes) -> Stored | None:
    """The event with this id."""
    row = connection.execute(STORED + "WHERE e.id = ?", (id_,)).fetchone()
    return Stored(*row) if row else None


def count(connection: Connection) -> int:
    """How many events are held, those that wait aside."""
    found: int = connection.execute("SELECT count(*) FROM event").fetchone()[0]
    return found


def last_heard(connection: Connection, device: bytes) -> int | None:
    """The highest claimed time, in ms, of what a device said last in each space; None when nothing is held of it."""
    query = (
        "SELECT max(json_extract(CAST(e.body AS TEXT), '$.at')) FROM chain c JOIN event e ON e.chain = c.no"
        " WHERE c.device = ? AND e.seq = c.seq AND e.suite = 1 AND json_valid(CAST(e.body AS TEXT))"
    )
    found: int | None = connection.execute(query, (device,)).fetchone()[0]
    return found


def set_void(connection: Connection, chain: int, seq: int, void: str | None) -> None:
    """Record why an event counts for nothing, or that it counts."""
    connection.execute("UPDATE event SET void = ? WHERE chain = ? AND seq = ?", (void, chain, seq))
