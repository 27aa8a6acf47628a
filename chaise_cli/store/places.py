"""Places to sync with: which spaces go there, what was read of them, and how far they hold what was written here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chaise_cli.domain.light import NamedTuple
from chaise_cli.ids import DeviceId, SpaceId, raw, text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from sqlcipher3.dbapi2 import Connection


class Place(NamedTuple):
    """A place. url: as it is remembered, a folder by its full path; auto: writing verbs sync with it by themselves.

    synced_at: ms since 1970, UTC; None before the first sync.
    """

    no: int
    url: str
    auto: bool
    synced_at: int | None


class Height(NamedTuple):
    """How far a chain is held: the seq of its head."""

    chain: int
    seq: int
    space: int
    device: bytes


def known(connection: Connection) -> list[Place]:
    """Every place remembered, in the order in which they were named."""
    rows = connection.execute("SELECT no, url, auto, synced_at FROM place ORDER BY no").fetchall()
    return [Place(no, url, bool(auto), synced_at) for no, url, auto, synced_at in rows]


def remember(connection: Connection, url: str, *, auto: bool) -> int:
    """Remember a place; its row number. One that syncs by itself goes on doing so."""
    connection.execute(
        "INSERT INTO place(url, auto) VALUES (?, ?) ON CONFLICT(url) DO UPDATE SET auto = max(auto, excluded.auto)",
        (url, auto),
    )
    no: int = connection.execute("SELECT no FROM place WHERE url = ?", (url,)).fetchone()[0]
    return no


def kind(connection: Connection, place: int) -> str | None:
    """What answers at a place on the web, 'relay' or 'peer'; None where that is not known, or told by its address."""
    found: str | None = connection.execute("SELECT kind FROM place WHERE no = ?", (place,)).fetchone()[0]
    return found


def set_kind(connection: Connection, place: int, kind: str) -> None:
    """Remember what answers at a place."""
    connection.execute("UPDATE place SET kind = ? WHERE no = ?", (kind, place))


def note_problem(connection: Connection, place: int, problem: str | None) -> None:
    """Remember what went wrong in the last visit; None for nothing."""
    connection.execute("UPDATE place SET problem = ? WHERE no = ?", (problem, place))


def problem(connection: Connection, place: int) -> str | None:
    """What went wrong in the last visit."""
    found: str | None = connection.execute("SELECT problem FROM place WHERE no = ?", (place,)).fetchone()[0]
    return found


def set_auto(connection: Connection, place: int, *, auto: bool) -> None:
    """Whether writing verbs sync with a place by themselves."""
    connection.execute("UPDATE place SET auto = ? WHERE no = ?", (auto, place))


def find(connection: Connection, url: str) -> Place | None:
    """A place by its address, as it is remembered."""
    return next((place for place in known(connection) if place.url == url), None)


def boards(connection: Connection, place: int) -> list[int]:
    """The boards that go to a place."""
    query = "SELECT space FROM carried WHERE place = ? ORDER BY space"
    return [space for (space,) in connection.execute(query, (place,)).fetchall()]


def missing(connection: Connection, place: int, spaces: Collection[int]) -> int:
    """How many events of these spaces a place does not hold yet, as far as is known."""
    query = (
        "SELECT c.space, c.seq - coalesce((SELECT seq FROM delivered d WHERE d.place = ? AND d.chain = c.no), -1)"
        " FROM chain c WHERE c.seq >= 0"
    )
    return sum([max(0, lacks) for space, lacks in connection.execute(query, (place,)).fetchall() if space in spaces])


def forget(connection: Connection, place: int) -> None:
    """Sync with a place no more. What it was caught at, if it is a relay, stays known."""
    for table in ("relay_run", "relay_tip"):
        connection.execute(f"DELETE FROM {table} WHERE log IN (SELECT no FROM relay_log WHERE place = ?)", (place,))
    for table in ("relay_log", "relay_struck", "relay", "carried", "pack", "delivered"):
        connection.execute(f"DELETE FROM {table} WHERE place = ?", (place,))
    connection.execute("DELETE FROM place WHERE no = ?", (place,))


def carry(connection: Connection, place: int, space: int) -> None:
    """Let a board's events go to a place from now on."""
    connection.execute("INSERT OR IGNORE INTO carried(place, space) VALUES (?, ?)", (place, space))


def carried(connection: Connection, place: int) -> dict[int, SpaceId]:
    """What goes to a place, by row number: its boards, the deals that came from them, and self."""
    query = (
        "SELECT s.no, s.id FROM space s LEFT JOIN deal d ON d.space = s.no LEFT JOIN space b ON b.id = d.board"
        " WHERE s.kind = 'self' OR coalesce(b.no, s.no) IN (SELECT space FROM carried WHERE place = ?)"
        " OR s.kind = 'deal' AND d.space IS NULL"
    )
    return {no: SpaceId(text(id_)) for no, id_ in connection.execute(query, (place,)).fetchall()}


def urls_of(connection: Connection, space: int) -> list[str]:
    """The places that carry a board."""
    query = "SELECT p.url FROM carried c JOIN place p ON p.no = c.place WHERE c.space = ? ORDER BY p.no"
    return [url for (url,) in connection.execute(query, (space,)).fetchall()]


def carrying(connection: Connection, board: SpaceId) -> list[str]:
    """The folders and addresses on the web that carry a board, and so the deals that came from it."""
    query = (
        "SELECT p.url FROM carried c JOIN place p ON p.no = c.place JOIN space s ON s.no = c.space"
        " WHERE s.id = ? AND p.url NOT LIKE 'ssh:%' ORDER BY p.no"
    )
    return [url for (url,) in connection.execute(query, (raw(board),)).fetchall()]


def boards_of(connection: Connection, place: int) -> list[tuple[int, SpaceId]]:
    """The boards that go to a place: their rows and ids."""
    query = "SELECT s.no, s.id FROM carried c JOIN space s ON s.no = c.space WHERE c.place = ? AND s.kind = 'board'"
    return [(no, SpaceId(text(id_))) for no, id_ in connection.execute(query, (place,)).fetchall()]


def heard(connection: Connection, board: SpaceId) -> int | None:
    """Ms up to which every place that carries the board was heard, 0 if one never was; None without such a place."""
    query = (
        "SELECT min(coalesce(p.synced_at, 0)) FROM place p JOIN carried c ON c.place = p.no"
        " JOIN space s ON s.no = c.space WHERE s.id = ?"
    )
    found: int | None = connection.execute(query, (raw(board),)).fetchone()[0]
    return found


def was_read(connection: Connection, place: int, pack: str) -> bool:
    """Whether a pack or object of this name was read at the place before."""
    query = "SELECT 1 FROM pack WHERE place = ? AND name = ?"
    return connection.execute(query, (place, pack)).fetchone() is not None


def note_read(connection: Connection, place: int, packs: Iterable[str]) -> None:
    """Remember packs and objects of a place that need not be read again."""
    connection.executemany("INSERT OR IGNORE INTO pack(place, name) VALUES (?, ?)", [(place, pack) for pack in packs])


def heights(connection: Connection) -> list[Height]:
    """How far every chain is held at this instant."""
    query = "SELECT no, seq, space, device FROM chain WHERE seq >= first"
    return [Height(*row) for row in connection.execute(query).fetchall()]


def note_synced(
    connection: Connection, place: int, spaces: Collection[int], reached: Sequence[Height], now: int
) -> None:
    """Note that a place, and these spaces with it, were synced at `now`, and that it holds their chains so far."""
    connection.execute("UPDATE place SET synced_at = ? WHERE no = ?", (now, place))
    connection.executemany("UPDATE space SET synced_at = ? WHERE no = ?", [(now, no) for no in spaces])
    connection.executemany(
        "INSERT INTO delivered(place, chain, seq) VALUES (?, ?, ?)"
        " ON CONFLICT(place, chain) DO UPDATE SET seq = max(seq, excluded.seq)",
        [(place, height.chain, height.seq) for height in reached if height.space in spaces],
    )


class Reached(NamedTuple):
    """How far a place is known to hold a chain, and how that is known.

    how: `folder`, written there; `peer`, synced with it; `relay`, acknowledged by a receipt.
    """

    url: str
    how: str
    seq: int


def reached(connection: Connection, chain: int) -> list[Reached]:
    """The places that hold something of a chain, in the order in which they were named."""
    query = (
        "SELECT p.url, p.kind, d.seq FROM delivered d JOIN place p ON p.no = d.place WHERE d.chain = ? ORDER BY p.no"
    )
    rows = connection.execute(query, (chain,)).fetchall()
    return [Reached(url, found or kind_of(url), seq) for url, found, seq in rows]


def kind_of(url: str) -> str:
    """What a place is by its address alone: `folder` or `peer`."""
    scheme, colon, _ = url.partition("://")
    return "peer" if colon and scheme.lower() != "file" else "folder"


def nowhere(connection: Connection, devices: Iterable[DeviceId]) -> int:
    """How many events of these devices, in self too, no place holds yet."""
    query = (
        "SELECT sum(c.seq - coalesce((SELECT max(seq) FROM delivered d WHERE d.chain = c.no), c.first - 1))"
        " FROM chain c WHERE c.device = ? AND c.seq >= c.first"
    )
    return sum(connection.execute(query, (raw(device),)).fetchone()[0] or 0 for device in devices)


def undelivered(connection: Connection, device: DeviceId) -> int:
    """How many events of a device, outside self, no place holds yet."""
    query = (
        "SELECT sum(c.seq - coalesce((SELECT max(seq) FROM delivered d WHERE d.chain = c.no), c.first - 1))"
        " FROM chain c JOIN space s ON s.no = c.space WHERE c.device = ? AND s.kind <> 'self' AND c.seq >= c.first"
    )
    return connection.execute(query, (raw(device),)).fetchone()[0] or 0
