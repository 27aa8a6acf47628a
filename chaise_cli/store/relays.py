"""What is known of relays: who answers at a place, how far the log of each space was followed, what was found out.

A space is named by its id, since a relay also serves what is not held here (yet). Pages: docs/spec/store.md, relay.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chaise_cli.domain.light import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlcipher3.dbapi2 import Connection


class Relay(NamedTuple):
    """Who answers at a place: the relay's key, the device that was let in, the invite that was given."""

    key: bytes | None
    device: bytes | None
    invite: str | None


class Log(NamedTuple):
    """How far a log was followed. receipt: as it came; None at 0. door: whether a board's door proof was taken."""

    space: bytes
    number: int
    head: bytes
    receipt: bytes | None
    door: bool


class Run(NamedTuple):
    """Entries from `first` on: events of one chain from `seq` to the one with id `last`; head: of the log before."""

    first: int
    length: int
    device: bytes
    seq: int
    last: bytes
    head: bytes


class Tip(NamedTuple):
    """The end of a chain, or of a branch of it, in a log."""

    device: bytes
    seq: int
    id: bytes


class Incident(NamedTuple):
    """Something a relay was caught at. space: empty where it concerns the relay as a whole; at: ms, our clock."""

    space: bytes
    code: str
    at: int
    proof: bytes


def relay(connection: Connection, place: int) -> Relay:
    """Who answers at a place, as far as is known."""
    row = connection.execute("SELECT key, device, invite FROM relay WHERE place = ?", (place,)).fetchone()
    return Relay(*(row or (None, None, None)))


def set_invite(connection: Connection, place: int, invite: str) -> None:
    """Keep the invite that lets this home in."""
    connection.execute(
        "INSERT INTO relay(place, invite) VALUES (?, ?) ON CONFLICT(place) DO UPDATE SET invite = excluded.invite",
        (place, invite),
    )


def begin(connection: Connection, place: int, key: bytes) -> None:
    """From now on the relay with this key is meant; what was followed there before is forgotten."""
    connection.execute(
        "INSERT INTO relay(place, key) VALUES (?, ?)"
        " ON CONFLICT(place) DO UPDATE SET key = excluded.key, device = NULL",
        (place, key),
    )
    connection.execute("DELETE FROM relay_run WHERE log IN (SELECT no FROM relay_log WHERE place = ?)", (place,))
    connection.execute("DELETE FROM relay_tip WHERE log IN (SELECT no FROM relay_log WHERE place = ?)", (place,))
    connection.execute("DELETE FROM relay_log WHERE place = ?", (place,))
    connection.execute("DELETE FROM delivered WHERE place = ?", (place,))
    connection.execute("DELETE FROM pack WHERE place = ?", (place,))
    forget_struck(connection, place)


def set_device(connection: Connection, place: int, device: bytes | None, boards: Iterable[bytes]) -> None:
    """Which device was let in, and the boards whose doors are open to it; None closes all."""
    connection.execute("UPDATE relay SET device = ? WHERE place = ?", (device, place))
    if device is None:
        connection.execute("UPDATE relay_log SET door = 0 WHERE place = ?", (place,))
    for board in boards:
        connection.execute("UPDATE relay_log SET door = 1 WHERE no = ?", (_log(connection, place, board),))


def close_doors(connection: Connection, place: int, boards: Iterable[bytes]) -> None:
    """Forget that a relay took the door proofs of these boards."""
    connection.executemany(
        "UPDATE relay_log SET door = 0 WHERE place = ? AND space = ?", [(place, board) for board in boards]
    )


def struck(connection: Connection, place: int) -> set[bytes]:
    """The devices that a relay was told to strike off."""
    return {device for (device,) in connection.execute("SELECT device FROM relay_struck WHERE place = ?", (place,))}


def set_struck(connection: Connection, place: int, device: bytes) -> None:
    """A relay was told to strike a device off."""
    connection.execute("INSERT OR IGNORE INTO relay_struck VALUES (?, ?)", (place, device))


def forget_struck(connection: Connection, place: int) -> None:
    """Whom a relay was told to strike off is not known any more."""
    connection.execute("DELETE FROM relay_struck WHERE place = ?", (place,))


def logs(connection: Connection, place: int, keys: bytes) -> list[Log]:
    """Every log followed at a place; without those whose content opened for nobody here while our keys were `keys`."""
    query = (
        "SELECT space, number, head, receipt, door FROM relay_log WHERE place = ? AND (refused IS NULL OR refused = ?)"
    )
    return [Log(space, n, head, receipt, bool(door)) for space, n, head, receipt, door in
            connection.execute(query, (place, keys)).fetchall()]  # fmt: skip


def log(connection: Connection, place: int, space: bytes) -> Log | None:
    """How far the log of one space was followed."""
    query = "SELECT space, number, head, receipt, door FROM relay_log WHERE place = ? AND space = ? AND number > 0"
    row = connection.execute(query, (place, space)).fetchone()
    return Log(*row) if row else None


def tips(connection: Connection, place: int) -> dict[bytes, list[Tip]]:
    """The ends of all chains in the logs of a place, by space."""
    query = "SELECT l.space, t.device, t.seq, t.id FROM relay_tip t JOIN relay_log l ON l.no = t.log WHERE l.place = ?"
    found: dict[bytes, list[Tip]] = {}
    for space, *tip in connection.execute(query, (place,)).fetchall():
        found.setdefault(space, []).append(Tip(*tip))
    return found


def extend(
    connection: Connection, place: int, to: Log, since: int, runs: Sequence[Run], ends: Iterable[tuple[bytes, Tip]]
) -> bool:
    """Follow a log from entry `since` on; False, and nothing done, when it stands elsewhere by now.

    ends: the id before each run, and where the run ends.
    """
    log = _log(connection, place, to.space)
    number, refused = connection.execute("SELECT number, refused FROM relay_log WHERE no = ?", (log,)).fetchone()
    if refused is not None and since == 0:
        restart(connection, place, to.space)
    elif number != since:
        return False
    connection.execute(
        "UPDATE relay_log SET number = ?, head = ?, receipt = ?, refused = NULL WHERE no = ?",
        (to.number, to.head, to.receipt, log),
    )
    connection.executemany("INSERT INTO relay_run VALUES (?, ?, ?, ?, ?, ?, ?)", [(log, *run) for run in runs])
    for prev, tip in ends:
        connection.execute("DELETE FROM relay_tip WHERE log = ? AND id = ?", (log, prev))
        connection.execute("INSERT OR REPLACE INTO relay_tip VALUES (?, ?, ?, ?)", (log, tip.id, tip.device, tip.seq))
    return True


def restart(connection: Connection, place: int, space: bytes) -> None:
    """Forget how far the log of a space was followed, and that anything of it was delivered there."""
    log = _log(connection, place, space)
    connection.execute("DELETE FROM relay_run WHERE log = ?", (log,))
    connection.execute("DELETE FROM relay_tip WHERE log = ?", (log,))
    connection.execute(
        "UPDATE relay_log SET number = 0, head = zeroblob(32), receipt = NULL, door = 0 WHERE no = ?", (log,)
    )
    connection.execute(
        "DELETE FROM delivered WHERE place = ? AND chain IN"
        " (SELECT c.no FROM chain c JOIN space s ON s.no = c.space WHERE s.id = ?)",
        (place, space),
    )


def refuse(connection: Connection, place: int, space: bytes, keys: bytes) -> None:
    """What a log brings opens for nobody here with the keys there are now."""
    connection.execute("UPDATE relay_log SET refused = ? WHERE place = ? AND space = ?", (keys, place, space))


def run_at(connection: Connection, place: int, space: bytes, number: int) -> Run | None:
    """The run that entry `number` lies in."""
    query = (
        "SELECT r.first, r.length, r.device, r.seq, r.last, r.head FROM relay_run r JOIN relay_log l ON l.no = r.log"
        " WHERE l.place = ? AND l.space = ? AND r.first <= ? ORDER BY r.first DESC LIMIT 1"
    )
    row = connection.execute(query, (place, space, number)).fetchone()
    return Run(*row) if row else None


def ids_of(connection: Connection, space: bytes, run: Run) -> list[bytes] | None:
    """The ids of the events of a run; None unless exactly these are held."""
    query = (
        "SELECT seq, id FROM (SELECT chain, seq, id FROM event UNION ALL SELECT chain, seq, id FROM waiting)"
        " WHERE chain = (SELECT c.no FROM chain c JOIN space s ON s.no = c.space WHERE s.id = ? AND c.device = ?)"
        " AND seq BETWEEN ? AND ? ORDER BY seq"
    )
    values = (space, run.device, run.seq, run.seq + run.length - 1)
    rows = connection.execute(query, values).fetchall()
    whole = [seq for seq, _ in rows] == list(range(run.seq, run.seq + run.length))
    return [id_ for _, id_ in rows] if whole and rows[-1][1] == run.last else None


def settle(connection: Connection, place: int, space: bytes) -> None:
    """Note as delivered what the log of a space at a place names and is held here."""
    connection.execute(
        "INSERT INTO delivered(place, chain, seq) SELECT l.place, c.no, max(t.seq) FROM relay_tip t"
        " JOIN relay_log l ON l.no = t.log JOIN space s ON s.id = l.space"
        " JOIN chain c ON c.space = s.no AND c.device = t.device WHERE l.place = ? AND l.space = ?"
        " AND (EXISTS (SELECT 1 FROM event e WHERE e.chain = c.no AND e.seq = t.seq AND e.id = t.id)"
        " OR EXISTS (SELECT 1 FROM waiting w WHERE w.chain = c.no AND w.seq = t.seq AND w.id = t.id)) GROUP BY c.no"
        " ON CONFLICT(place, chain) DO UPDATE SET seq = max(seq, excluded.seq)",
        (place, space),
    )


def claims(connection: Connection, key: bytes) -> dict[bytes, bytes]:
    """The newest receipts of a relay that others showed, by space."""
    query = "SELECT space, receipt FROM relay_claim WHERE relay = ?"
    return dict(connection.execute(query, (key,)).fetchall())


def claim(connection: Connection, key: bytes, space: bytes) -> bytes | None:
    """The newest receipt of a relay for a space that others showed."""
    row = connection.execute("SELECT receipt FROM relay_claim WHERE relay = ? AND space = ?", (key, space)).fetchone()
    return row[0] if row else None


def set_claim(connection: Connection, key: bytes, space: bytes, receipt: bytes) -> None:
    """Keep a receipt that somebody else showed, to be compared when the log was followed so far."""
    connection.execute("INSERT OR REPLACE INTO relay_claim VALUES (?, ?, ?)", (key, space, receipt))


def drop_claim(connection: Connection, key: bytes, space: bytes) -> None:
    """It was compared."""
    connection.execute("DELETE FROM relay_claim WHERE relay = ? AND space = ?", (key, space))


def add_incident(connection: Connection, place: int, found: Incident, *, anew: bool) -> bool:
    """Keep what the relay at a place was caught at, with its proof; False when the same is kept already.

    anew: it happened once more, whatever is kept.
    """
    if not anew and any(one._replace(at=found.at) == found for one in incidents(connection, place)):
        return False
    connection.execute(
        "INSERT INTO relay_incident(url, space, code, at, proof)"
        " VALUES ((SELECT url FROM place WHERE no = ?), ?, ?, ?, ?)",
        (place, found.space, found.code, found.at, found.proof),
    )
    return True


def incidents(connection: Connection, place: int) -> list[Incident]:
    """What was found out about a place, the oldest first."""
    query = (
        "SELECT i.space, i.code, i.at, i.proof FROM relay_incident i JOIN place p ON p.url = i.url"
        " WHERE p.no = ? ORDER BY i.no"
    )
    return [Incident(*row) for row in connection.execute(query, (place,)).fetchall()]


def receipts(connection: Connection, spaces: Iterable[bytes]) -> list[bytes]:
    """The newest receipts kept for these spaces, of every relay, and those that others showed."""
    query = (
        "SELECT receipt FROM relay_log WHERE space = ? AND receipt IS NOT NULL"
        " UNION SELECT receipt FROM relay_claim WHERE space = ?"
    )
    return [row[0] for space in spaces for row in connection.execute(query, (space, space)).fetchall()]


def newest(connection: Connection) -> list[bytes]:
    """Of each relay and space the newest receipt it gave; one that others showed where it gave none."""
    query = (
        "SELECT receipt FROM relay_log WHERE receipt IS NOT NULL UNION ALL SELECT receipt FROM relay_claim c"
        " WHERE NOT EXISTS (SELECT 1 FROM relay_log l JOIN relay r ON r.place = l.place"
        " WHERE r.key = c.relay AND l.space = c.space AND l.receipt IS NOT NULL)"
    )
    return [receipt for (receipt,) in connection.execute(query).fetchall()]


def keys(connection: Connection) -> list[bytes]:
    """The keys of all relays that answer at a place."""
    query = "SELECT DISTINCT key FROM relay WHERE key IS NOT NULL ORDER BY key"
    return [key for (key,) in connection.execute(query).fetchall()]


def places_of(connection: Connection, key: bytes) -> list[tuple[int, str]]:
    """The places, with their addresses, at which a relay answers."""
    query = "SELECT p.no, p.url FROM relay r JOIN place p ON p.no = r.place WHERE r.key = ? ORDER BY p.no"
    return [(no, url) for no, url in connection.execute(query, (key,)).fetchall()]


def naming(connection: Connection, address: bytes) -> list[bytes]:
    """The spaces whose events name an attachment."""
    query = "SELECT DISTINCT s.id FROM file f JOIN space s ON s.no = f.space WHERE f.address = ? ORDER BY s.id"
    return [space for (space,) in connection.execute(query, (address,)).fetchall()]


def _log(connection: Connection, place: int, space: bytes) -> int:
    """The row of a log, made when there is none."""
    connection.execute("INSERT OR IGNORE INTO relay_log(place, space) VALUES (?, ?)", (place, space))
    query = "SELECT no FROM relay_log WHERE place = ? AND space = ?"
    no: int = connection.execute(query, (place, space)).fetchone()[0]
    return no
