"""What `verify` reads besides chains and folded tables: rows that signed bytes can be held against."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from chaise_cli.domain.light import NamedTuple
from chaise_cli.ids import DeviceId, base32, raw, text
from chaise_cli.ledger import canonical
from chaise_cli.store import boards, branches, connection, content, events, members, own, public_ids

if TYPE_CHECKING:
    from sqlcipher3.dbapi2 import Connection

    from chaise_cli.ids import IdentityId
    from chaise_cli.store.events import Chain, Space, Stored


class Epoch(NamedTuple):
    """A row of an epoch."""

    no: int
    name: bytes
    secret: bytes


class Claim(NamedTuple):
    """What somebody said of themselves: in a profile, or inside a deal."""

    handle: str
    name: str
    tz: str | None
    email: str | None
    at: int
    dealt: bool


class Person(NamedTuple):
    """A row of a person, with what is compared with their claims."""

    identity: bytes
    claim: Claim


def genesis(database: Connection, space: Space) -> Stored | None:
    """The genesis of a space, on whatever chain it stands."""
    query = (
        "SELECT c.no FROM chain c JOIN event e ON e.chain = c.no WHERE c.space = ? AND e.seq = 0 AND e.suite = 0"
        " AND e.kind = 'genesis'"
    )
    row = database.execute(query, (space.no,)).fetchone()
    return events.read_chain(database, row[0], 0, 0)[0] if row else None


def epochs(database: Connection, space: Space) -> list[Epoch]:
    """The epochs held of a space."""
    rows = database.execute("SELECT no, name, secret FROM epoch WHERE space = ? ORDER BY no", (space.no,))
    return [Epoch(*row) for row in rows.fetchall()]


def is_newer(database: Connection, space: Space) -> bool:
    """Whether a newer Chaise has written in a space something that may not be ignored."""
    query = "SELECT e.body FROM event e JOIN chain c ON c.no = e.chain WHERE c.space = ? AND e.void = 'kind.unknown'"
    rows = database.execute(query, (space.no,)).fetchall()
    return any("optional" not in json.loads(body) for (body,) in rows)


def is_tree(database: Connection, rows: Sequence[Chain]) -> bool:
    """Whether the rows of a device's chain continue one another as they say: one stem, branches at rows' ends."""
    by_no = {row.no: row for row in rows}
    found = True
    for row in rows:
        last = _last(database, row)
        empty = row.seq < row.first
        if row.parent is None:
            found = found and (row.root, row.first) == (b"", 0) and (not empty or row.seq == -1)
            continue
        above = by_no.get(row.parent)
        found = found and above is not None and row.first == _last(database, above) + 1 and row.first <= last
        found = found and branches.id_at(database, row.no, row.first) == row.root
        if empty:  # all of it waits, so its head is what it leaves, or nothing yet
            states = {(bytes(32), -1)} | ({(above.id, above.lamport)} if above else set())
            found = found and row.seq == row.first - 1 and (row.id, row.lamport) in states
    return found and sum(row.parent is None for row in rows) == 1


def _last(database: Connection, chain: Chain) -> int:
    query = "SELECT max(seq) FROM waiting WHERE chain = ?"
    found: int | None = database.execute(query, (chain.no,)).fetchone()[0]
    return chain.seq if found is None else found


def first_sealed(database: Connection, chain: Chain) -> Stored | None:
    """The first sealed event on the way to the head of a chain or branch."""
    for part in branches.way(database, branches.Spot(chain.no, chain.seq)):
        query = "SELECT min(seq) FROM event WHERE chain = ? AND seq <= ? AND suite <> 0"
        seq = database.execute(query, (part.chain, part.last)).fetchone()[0]
        if seq is not None:
            return events.read_chain(database, part.chain, seq, seq)[0]
    return None


def wraps(database: Connection, space: Space) -> list[tuple[bytes, int, bytes]]:
    """The wraps of a space: device, seq, body."""
    query = (
        "SELECT c.device, e.seq, e.body FROM event e JOIN chain c ON c.no = e.chain"
        " WHERE c.space = ? AND e.suite = 0 AND e.seq > 0 ORDER BY c.device, e.seq"
    )
    found: list[tuple[bytes, int, bytes]] = database.execute(query, (space.no,)).fetchall()
    return found


def named(database: Connection, space: Space) -> set[bytes]:
    """Whom a peer may serve the space to."""
    return members.by_space(database).get(space.no, set())


def cites(database: Connection, space: int, device: bytes) -> tuple[dict[str, int], dict[str, int]]:
    """What the events of a device cite: the highest seq on each row, by its name; the same with the rows above."""
    told: dict[str, int] = {}
    full: dict[str, int] = {}
    rows: dict[str, list[Chain]] = {}
    for row in events.branches_of(database, space, device):
        for stored in events.read_chain(database, row.no, 0, row.seq):
            if not stored.suite or stored.void in ("body.unopenable", "body.malformed"):
                continue
            read: Any = canonical.trusted(stored.body)
            for other, seq, id_ in read["seen"]:
                if other not in rows:
                    rows[other] = events.branches_of(database, space, raw(other))
                spot = branches.find(database, rows[other], seq, raw(id_))
                names = {one.no: one.name for one in rows[other]}
                for part in branches.history(rows[other], spot) if spot else ():
                    name = names[part.chain]
                    full[name] = max(part.last, full.get(name, -1))
                    if spot and part.chain == spot.chain:
                        told[name] = max(part.last, told.get(name, -1))
    return told, full


def cited(database: Connection, chain: Chain, *, writes: bool) -> bool:
    """Whether what a chain is noted to have cited is what its events cite: all of it on the chain written to."""
    noted: dict[str, int] = json.loads(chain.cited or b"{}")
    if not noted and not writes:
        return True
    told, full = cites(database, chain.space, chain.device)
    if not writes:
        return all(full.get(name, -1) >= seq for name, seq in noted.items())
    return told.keys() <= noted.keys() and all(full.get(name) == seq for name, seq in noted.items())


def note_cited(database: Connection, device: bytes) -> None:
    """Note of a device's chains what their events cite, so that they go on from there."""
    for space in events.spaces(database):
        for chain in events.branches_of(database, space.no, device):
            full = cites(database, space.no, device)[1]
            events.save_chain(database, chain._replace(cited=json.dumps(full).encode()))


def clear_verdicts(database: Connection, space: Space) -> None:
    """Forget what folds have found, so that the next one shows all of it: inside a transaction that is undone."""
    chains = "SELECT no FROM chain WHERE space = ?"
    keep = ", ".join(f"'{reason}'" for reason in sorted(content.AT_ADMISSION))
    database.execute(f"UPDATE event SET uptake = NULL WHERE chain IN ({chains})", (space.no,))
    database.execute(f"UPDATE event SET void = NULL WHERE chain IN ({chains}) AND void NOT IN ({keep})", (space.no,))


# People and their skills, which no one space tells alone


def people(database: Connection) -> list[Person]:
    """Every person known."""
    rows = database.execute("SELECT identity, handle, name, tz, email, first, dealt FROM person").fetchall()
    return [
        Person(identity, Claim(handle, name, tz, email, at, bool(dealt)))
        for identity, handle, name, tz, email, at, dealt in rows
    ]


def claims(database: Connection) -> dict[bytes, list[Claim]]:
    """What everybody said of themselves in events that count."""
    query = (
        "SELECT c.identity, e.kind, e.body FROM event e JOIN chain c ON c.no = e.chain"
        " WHERE e.kind IN ('profile.published', 'contact.shared') AND e.void IS NULL AND c.identity IS NOT NULL"
    )
    found: dict[bytes, list[Claim]] = {}
    for identity, kind, body in database.execute(query).fetchall():
        read: Any = canonical.trusted(body)
        data, dealt = read["data"], kind == "contact.shared"
        claim = Claim(data["handle"], data["name"], data["tz"], data["email"] if dealt else None, read["at"], dealt)
        found.setdefault(identity, []).append(claim)
    return found


def skills_differ(database: Connection) -> bool:
    """Whether the table of skills is not what all boards fold to."""
    before = _skills(database)
    with connection.rehearsing(database):
        database.execute("DELETE FROM skill")
        for space in events.spaces(database, "board"):
            fold = boards.BoardFold(database, space)
            for author in authors(database, space):
                fold.refold(author)
        after = _skills(database)
    return before != after


def _skills(database: Connection) -> list[Any]:
    return sorted(database.execute("SELECT skill, owner, what FROM skill").fetchall())


def authors(database: Connection, space: Space) -> list[IdentityId]:
    """Everybody with a chain in a space."""
    return sorted({chain.identity for chain in events.chains(database, space.no) if chain.identity})


# Requests


class Asked(NamedTuple):
    """A request as a signed event carries it. event: as results list it."""

    id: str
    fingerprint: bytes
    event: str


class Used(NamedTuple):
    """A row of a request."""

    id: str
    fingerprint: bytes
    subject: str
    events: list[str]


def asked(database: Connection) -> Iterator[Asked]:
    """The requests that events of this home's own device keys carry."""
    mine = [raw(device) for device, _ in own.devices(database)]
    marks = ", ".join("?" * len(mine))
    query = (
        "SELECT e.id, e.body FROM event e JOIN chain c ON c.no = e.chain"
        f" WHERE c.device IN ({marks}) AND e.suite <> 0 AND instr(e.body, CAST('\"request\":[' AS BLOB)) > 0"
    )
    for id_, body in database.execute(query, mine).fetchall():
        read: Any = canonical.trusted(body)
        if "request" in read:
            yield Asked(read["request"][0], raw(read["request"][1]), base32(id_))


def used(database: Connection) -> dict[str, Used]:
    """Every request noted, by its id."""
    rows = database.execute("SELECT id, fingerprint, subject, events FROM request").fetchall()
    return {row[0]: Used(row[0], row[1], row[2], json.loads(row[3])) for row in rows}


def is_known(database: Connection, subject: str) -> bool:
    """Whether a public id names something that is here, as far as that can be told."""
    kind, _, rest = subject.partition("-")
    chars = rest.partition("/")[0]
    if kind not in public_ids.kinds():
        return True
    return bool(chars) and bool(public_ids.beginning(database, kind, chars, 1))


def written_by(database: Connection) -> int:
    """How many events stand on the chains of this home's device keys."""
    total = 0
    for device, _ in own.devices(database):
        query = "SELECT seq + 1 - first FROM chain WHERE device = ? AND seq >= first"
        total += sum(count for (count,) in database.execute(query, (raw(device),)).fetchall())
    return total


def is_own(database: Connection, id_: bytes) -> bool:
    """Whether an event was written with one of this home's device keys."""
    stored = events.find_event(database, id_)
    return stored is not None and own.is_mine(database, DeviceId(text(stored.device)))


def all_ids(database: Connection) -> set[str]:
    """Every event held, as results list ids."""
    return {base32(id_) for (id_,) in database.execute("SELECT id FROM event").fetchall()}


def reviews_told(database: Connection) -> dict[str, str]:
    """Keys of reviews that self tells, by review."""
    rows = database.execute("SELECT name, body FROM told WHERE kind = 'self.review_key'").fetchall()
    return {name: json.loads(body)["key"] for name, body in rows}
