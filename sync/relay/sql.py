"""The contract's transaction and questions as SQL that SQLite and PostgreSQL both speak, with `?` for what is given.

What the two do not share (types, locks, how statements are run) stands in `sqlite` and `postgres`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, Protocol

from chaise_cli.ledger import receipt, segment

from .contract import Chain, Entry, Position, Reach, Registered, Space, Spent, Upload

ROWS: Final = 4_096  # entries looked at for one answer
_ENTRY: Final = "first, length, device, first_seq, prev, last, head, events, signature"
_SPACE: Final = "kind, creator, maker, door, number, head, last"


class Rows(Protocol):
    """Runs statements on one connection."""

    def all(self, statement: str, *given: Any) -> Sequence[Sequence[Any]]:
        """The rows of one statement."""

    def many(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run a statement once for each row of what is given."""


class Writing:
    """The contract's Transaction. lock: what follows a SELECT that has its rows until the end."""

    def __init__(self, rows: Rows, lock: str = "") -> None:
        self._rows, self._lock = rows, lock

    def space(self, space: bytes) -> Space | None:
        found = self._rows.all(f"SELECT {_SPACE} FROM space WHERE space = ?{self._lock}", space)
        return Space(*found[0]) if found else None

    def add_space(self, space: bytes, made: Space) -> None:
        self._rows.all(f"INSERT INTO space (space, {_SPACE}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", space, *made)

    def set_door(self, space: bytes, door: bytes) -> None:
        self._rows.all("UPDATE space SET door = ? WHERE space = ?", door, space)
        self._rows.all(
            "DELETE FROM served WHERE space = ? AND identity <> (SELECT creator FROM space WHERE space = ?)",
            space,
            space,
        )

    def serves(self, space: bytes, identity: bytes) -> bool:
        return served(self._rows, space, identity)

    def serve(self, space: bytes, identities: Collection[bytes]) -> None:
        self._rows.many(
            "INSERT INTO served (space, identity) VALUES (?, ?) ON CONFLICT DO NOTHING",
            [(space, one) for one in sorted(identities)],
        )

    def meet(self, one: bytes, other: bytes) -> bool:
        query = (
            "SELECT 1 FROM served AS a JOIN served AS b ON b.space = a.space JOIN space ON space.space = a.space"
            " WHERE a.identity = ? AND b.identity = ? AND space.kind <> 'self' LIMIT 1"
        )
        return bool(self._rows.all(query, one, other))

    def chain(self, space: bytes, device: bytes) -> Chain | None:
        found = self._rows.all("SELECT seq, id, top FROM chain WHERE space = ? AND device = ?", space, device)
        return Chain(*found[0]) if found else None

    def overlapping(self, space: bytes, device: bytes, first_seq: int, last_seq: int) -> Sequence[Entry]:
        query = (
            f"SELECT {_ENTRY} FROM entry WHERE space = ? AND device = ? AND first_seq > ? AND first_seq <= ?"
            " AND first_seq + length > ? ORDER BY first"
        )
        reach = first_seq - segment.LONGEST  # no entry is longer
        return [Entry(*row) for row in self._rows.all(query, space, device, reach, last_seq, first_seq)]

    def append(self, space: bytes, entries: Sequence[Entry], chains: Mapping[bytes, Chain]) -> None:
        newest = entries[-1]
        self._rows.many(
            f"INSERT INTO entry (space, {_ENTRY}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [(space, *entry) for entry in entries],
        )
        self._rows.many(
            "INSERT INTO chain (space, device, seq, id, top) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (space, device) DO UPDATE SET seq = excluded.seq, id = excluded.id, top = excluded.top",
            [(space, device, *chain) for device, chain in chains.items()],
        )
        self._rows.many(
            "UPDATE space SET number = ?, head = ?, last = ? WHERE space = ?",
            [(newest.to, newest.head, newest.last, space)],
        )

    def spend(self, identity: bytes, size: int, spaces: int) -> Spent:
        query = (
            "INSERT INTO account (identity, size, spaces) VALUES (?, ?, ?) ON CONFLICT (identity) DO UPDATE"
            " SET size = account.size + excluded.size, spaces = account.spaces + excluded.spaces RETURNING size, spaces"
        )
        return Spent(*self._rows.all(query, identity, size, spaces)[0])

    def device(self, device: bytes) -> Registered | None:
        return registered(self._rows, device)

    def devices(self, identity: bytes) -> int:
        query = (
            "SELECT count(*) FROM device WHERE identity = ? AND space IS NULL AND NOT EXISTS"
            " (SELECT 1 FROM strike WHERE strike.identity = device.identity AND strike.device = device.device)"
        )
        return int(self._rows.all(query, identity)[0][0])

    def register(self, device: bytes, identity: bytes, *, admin: bool, reach: Reach | None = None) -> None:
        self._rows.all(
            "INSERT INTO device (device, identity, admin, space, until) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (device) DO UPDATE SET identity = excluded.identity, admin = excluded.admin,"
            " space = excluded.space, until = excluded.until",
            device,
            identity,
            admin,
            *(reach or (None, None)),
        )

    def strike(self, identity: bytes, device: bytes) -> None:
        self._rows.all("INSERT INTO strike (identity, device) VALUES (?, ?) ON CONFLICT DO NOTHING", identity, device)

    def struck(self, identity: bytes, devices: Collection[bytes]) -> bool:
        query = f"SELECT 1 FROM strike WHERE identity = ? AND device IN ({marks(devices)}) LIMIT 1"
        return bool(self._rows.all(query, identity, *devices))

    def add_invite(self, digest: bytes) -> None:
        self._rows.all("INSERT INTO invite (digest) VALUES (?) ON CONFLICT DO NOTHING", digest)

    def drop_invite(self, digest: bytes) -> None:
        self._rows.all("DELETE FROM invite WHERE digest = ?", digest)

    def invited(self, digest: bytes) -> bool:
        return bool(self._rows.all("SELECT 1 FROM invite WHERE digest = ?", digest))

    def upload(self, space: bytes, address: bytes, owner: bytes) -> Upload | None:
        query = (
            "SELECT size, have FROM upload WHERE space = ? AND address = ? AND (whole OR owner = ?)"
            " ORDER BY whole DESC LIMIT 1"
        )
        found = self._rows.all(query, space, address, owner)
        return Upload(*found[0]) if found else None

    def add_piece(self, space: bytes, address: bytes, owner: bytes, piece: bytes, size: int, at: int) -> None:
        query = (
            "INSERT INTO upload (space, address, owner, size, have, at, whole) VALUES (?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (space, address, owner) DO UPDATE SET have = upload.have + excluded.have, at = excluded.at"
            " RETURNING have"
        )
        have = self._rows.all(query, space, address, owner, size, len(piece), at, False)[0][0]
        self._rows.all(
            "INSERT INTO piece (space, address, owner, start, data) VALUES (?, ?, ?, ?, ?)",
            space,
            address,
            owner,
            have - len(piece),
            piece,
        )

    def complete(self, space: bytes, address: bytes, owner: bytes) -> None:
        query = "SELECT owner FROM upload WHERE space = ? AND address = ? AND owner <> ?"
        for (other,) in self._rows.all(query, space, address, owner):
            self.drop_upload(space, address, other)
        self._rows.all(
            "UPDATE upload SET whole = ? WHERE space = ? AND address = ? AND owner = ?",
            True,
            space,
            address,
            owner,
        )

    def drop_upload(self, space: bytes, address: bytes, owner: bytes) -> None:
        place = space, address, owner
        query = "DELETE FROM upload WHERE space = ? AND address = ? AND owner = ? RETURNING have"
        for (have,) in self._rows.all(query, *place):
            self.spend(owner, -have, 0)
            self._rows.all("DELETE FROM piece WHERE space = ? AND address = ? AND owner = ?", *place)

    def open_mailbox(self, mailbox: bytes, owner: bytes, until: int) -> None:
        self._rows.all("DELETE FROM slot WHERE mailbox = ?", mailbox)
        self._rows.all(
            "INSERT INTO mailbox (mailbox, owner, until) VALUES (?, ?, ?)"
            " ON CONFLICT (mailbox) DO UPDATE SET owner = excluded.owner, until = excluded.until",
            mailbox,
            owner,
            until,
        )

    def mailbox(self, mailbox: bytes) -> int | None:
        found = self._rows.all(f"SELECT until FROM mailbox WHERE mailbox = ?{self._lock}", mailbox)
        return found[0][0] if found else None

    def mailboxes(self, owner: bytes, now: int) -> int:
        query = "SELECT count(*) FROM mailbox WHERE owner = ? AND until > ?"
        return int(self._rows.all(query, owner, now)[0][0])

    def slot(self, mailbox: bytes, slot: int) -> bytes | None:
        found = self._rows.all("SELECT data FROM slot WHERE mailbox = ? AND slot = ?", mailbox, slot)
        return found[0][0] if found else None

    def fill(self, mailbox: bytes, slot: int, data: bytes) -> None:
        self._rows.all("INSERT INTO slot (mailbox, slot, data) VALUES (?, ?, ?)", mailbox, slot, data)

    def purge(self, now: int, unfinished_before: int) -> None:
        """As the contract's Store says."""
        self._rows.all("DELETE FROM slot WHERE mailbox IN (SELECT mailbox FROM mailbox WHERE until <= ?)", now)
        self._rows.all("DELETE FROM mailbox WHERE until <= ?", now)
        query = "SELECT space, address, owner FROM upload WHERE NOT whole AND at < ?"
        for row in self._rows.all(query, unfinished_before):
            self.drop_upload(*row)


def key(rows: Rows, made: bytes) -> bytes:
    """The relay's seed, which is `made` unless there was one."""
    rows.all("INSERT INTO relay (name, value) VALUES ('key', ?) ON CONFLICT DO NOTHING", made)
    return bytes(rows.all("SELECT value FROM relay WHERE name = 'key'")[0][0])


def registered(rows: Rows, device: bytes) -> Registered | None:
    """What is known of a device."""
    query = (
        "SELECT device.identity, admin, strike.device IS NOT NULL, space, until FROM device LEFT JOIN strike"
        " ON strike.identity = device.identity AND strike.device = device.device WHERE device.device = ?"
    )
    found = rows.all(query, device)
    if not found:
        return None
    identity, admin, struck, space, until = found[0]
    return Registered(identity, bool(admin), bool(struck), Reach(space, until) if space is not None else None)


def served(rows: Rows, space: bytes, identity: bytes) -> bool:
    """Whether a space is served to an identity."""
    return bool(rows.all("SELECT 1 FROM served WHERE space = ? AND identity = ?", space, identity))


def positions(rows: Rows, identity: bytes) -> Mapping[bytes, Position]:
    """Every space that is served to an identity."""
    query = (
        "SELECT space.space, number, head FROM served JOIN space ON space.space = served.space"
        " WHERE served.identity = ?"
    )
    return {space: Position(number, head) for space, number, head in rows.all(query, identity)}


def entries(rows: Rows, space: bytes, after: int, limit: int) -> Sequence[Entry]:
    """Entries with a number above `after`; first their sizes, so that no more of them are read than are wanted."""
    near = after - segment.LONGEST
    query = (
        "SELECT first, length(events) FROM entry WHERE space = ? AND first > ? AND first + length > ?"
        f" ORDER BY first LIMIT {ROWS}"
    )
    until = 0
    for first, size in rows.all(query, space, near, after + 1):
        until, limit = first, limit - size
        if limit <= 0:
            break
    query = (
        f"SELECT {_ENTRY} FROM entry WHERE space = ? AND first > ? AND first <= ? AND first + length > ? ORDER BY first"
    )
    return [Entry(*row) for row in rows.all(query, space, near, until, after + 1)]


def head_at(rows: Rows, space: bytes, number: int) -> tuple[bytes, Entry | None]:
    """The head before the entry that holds a number, and that entry."""
    query = f"SELECT {_ENTRY} FROM entry WHERE space = ? AND first <= ? ORDER BY first DESC LIMIT 2"
    found = [Entry(*row) for row in rows.all(query, space, number)]
    if not found:
        return receipt.START, None
    if found[0].to < number:
        return found[0].head, None
    return (found[1].head if len(found) > 1 else receipt.START), found[0]


def before(rows: Rows, spaces: Collection[bytes]) -> Mapping[bytes, Position]:
    """Where spaces stood before their newest entry."""
    query = (
        "SELECT space.space, entry.first + entry.length - 1, entry.head FROM space JOIN entry"
        " ON entry.space = space.space AND entry.first = (SELECT first FROM entry AS other"
        " WHERE other.space = space.space ORDER BY first DESC LIMIT 1 OFFSET 1)"
        f" WHERE space.space IN ({marks(spaces)})"
    )
    return {row[0]: Position(row[1], row[2]) for row in rows.all(query, *spaces)} if spaces else {}


def invites(rows: Rows) -> Collection[bytes]:
    """The SHA-256 of every invite."""
    return [bytes(digest) for (digest,) in rows.all("SELECT digest FROM invite")]


def doors(rows: Rows, spaces: Collection[bytes]) -> Mapping[bytes, bytes]:
    """The door keys of boards."""
    query = f"SELECT space, door FROM space WHERE space IN ({marks(spaces)}) AND door IS NOT NULL"
    return {row[0]: row[1] for row in rows.all(query, *spaces)} if spaces else {}


def piece(rows: Rows, space: bytes, address: bytes, owner: bytes | None, offset: int) -> tuple[int, bytes] | None:
    """The size of an attachment and what lies in its piece at `offset`, from there on."""
    whose = "whole" if owner is None else "owner = ?"
    given = [space, address] if owner is None else [space, address, owner]
    found = rows.all(f"SELECT owner, size FROM upload WHERE space = ? AND address = ? AND {whose}", *given)
    if not found:
        return None
    of, size = found[0]
    query = (
        "SELECT start, data FROM piece WHERE space = ? AND address = ? AND owner = ? AND start <= ?"
        " ORDER BY start DESC LIMIT 1"
    )
    held = rows.all(query, space, address, of, offset)
    return size, bytes(held[0][1])[offset - held[0][0] :] if held else b""


def slot(rows: Rows, mailbox: bytes, number: int, now: int) -> bytes | None:
    """What a slot of an open mailbox holds."""
    query = (
        "SELECT data FROM mailbox LEFT JOIN slot ON slot.mailbox = mailbox.mailbox AND slot = ?"
        " WHERE mailbox.mailbox = ? AND until > ?"
    )
    found = rows.all(query, number, mailbox, now)
    return (found[0][0] or b"") if found else None


def audience(
    rows: Rows, spaces: Collection[bytes], among: Collection[bytes]
) -> Mapping[bytes, Mapping[bytes, Position]]:
    """Who of these is served which of these spaces."""
    query = (
        "SELECT served.identity, space.space, number, head FROM space JOIN served ON served.space = space.space"
        f" WHERE space.space IN ({marks(spaces)})"
    )
    wanted, found = frozenset(among), dict[bytes, dict[bytes, Position]]()
    for identity, space, number, head in rows.all(query, *spaces) if spaces else ():
        if identity in wanted:
            found.setdefault(identity, {})[space] = Position(number, head)
    return found


def marks(given: Collection[object]) -> str:
    """So many question marks."""
    return ", ".join("?" * len(given))
