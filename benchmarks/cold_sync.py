"""A cold folder sync of 100,000 events into an empty home, and what the store then weighs."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Final

from benchmarks import world
from benchmarks.measure import Figure, spent
from chaise_cli.session import syncing
from chaise_cli.store import events

if TYPE_CHECKING:
    from pathlib import Path

    from chaise_cli.session.session import Session

DEALS: Final = 90
MILESTONES: Final = 22  # five money events each: 10 % of all


def figures(folder: Path, total: int) -> list[Figure]:
    """Make `total` events (90 % messages and posts, 10 % money and membership), sync them cold, weigh the store."""
    shared = folder / "shared"
    shared.mkdir()
    lisa, james = world.person(folder, "Lisa", "client"), world.person(folder, "James", "talent")
    empty = world.second_device(folder, james)
    fill(lisa, james, str(shared), total)
    count = lisa.db.execute("SELECT count(*) FROM event").fetchone()[0]
    chains = lisa.db.execute("SELECT count(*) FROM chain").fetchone()[0]
    join(empty, lisa)
    with spent() as taken:
        done = syncing.sync_with(empty, str(shared))
    assert done.failure is None, done.failure
    got = empty.db.execute("SELECT count(*) FROM event").fetchone()[0]
    empty.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    plain = _bare(empty, folder)
    return [
        Figure("events synced cold", got, "events"),
        Figure("chains", chains, "chains"),
        Figure("events written by the source", count, "events"),
        Figure("cold folder sync", got / taken.cpu[0], "events/s of CPU", 8000, "more"),
        Figure("bare executemany of the same rows", got / plain, "rows/s of CPU"),
        Figure("store", empty.home.store.stat().st_size / got, "bytes/event", 900),
    ]


def fill(lisa: Session, james: Session, shared: str, total: int) -> None:
    """Two people write `total` events in turn, over a place that both can reach; both hold all at the end."""
    board = world.board(lisa, member=james)
    syncing.sync_with(lisa, shared)
    syncing.sync_with(james, shared)
    syncing.sync_with(lisa, shared)
    spaces = [world.deal(lisa, world.counterpart(james), board.id) for _ in range(DEALS)]
    for space in spaces:
        world.offer(lisa, space, MILESTONES)
    syncing.sync_with(lisa, shared)
    syncing.sync_with(james, shared)
    for space in spaces:
        world.accept(james, space)
    syncing.sync_with(james, shared)
    syncing.sync_with(lisa, shared)
    for space in spaces:
        world.money(lisa, space, MILESTONES)
    left = total - lisa.db.execute("SELECT count(*) FROM event").fetchone()[0]
    world.posts(lisa, board, left // 4)
    each = left * 3 // 4 // DEALS // 2
    for space in spaces:
        world.messages(lisa, space, each)
        theirs = events.find_space(james.db, space.id)
        assert theirs, "the deal has arrived"
        world.messages(james, theirs, each)
    syncing.sync_with(james, shared)
    syncing.sync_with(lisa, shared)


def join(empty: Session, lisa: Session) -> None:
    """What the invite gives: the board's row and key."""
    board = events.spaces(lisa.db, "board")[0]
    with empty.admitting():
        made = events.add_space(empty.db, board.id, "board", "", b"")
        empty.epochs.add(made, lisa.epochs.secret(board))


def _bare(session: Session, folder: Path) -> float:
    """CPU seconds to insert the same rows into plain SQLite, nothing checked or encrypted."""
    rows = session.db.execute("SELECT * FROM event").fetchall()
    database = sqlite3.connect(folder / "bare.db", isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    names = ", ".join(f"c{n}" for n in range(len(rows[0])))
    database.execute(f"CREATE TABLE event({names}, PRIMARY KEY(c0, c1, c2)) WITHOUT ROWID")
    with spent() as taken:
        database.execute("BEGIN")
        database.executemany(f"INSERT INTO event VALUES ({','.join('?' * len(rows[0]))})", rows)  # noqa: S608
        database.execute("COMMIT")
    database.close()
    return taken.cpu[0]
