"""`balance` in one process: a home with 10,000 paid deals, summed up in the ways people ask."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks import world
from benchmarks.measure import Figure
from chaise_cli.session import accounting, freshness, syncing
from chaise_cli.store import connection

if TYPE_CHECKING:
    from chaise_cli.session.accounting import Scope
    from chaise_cli.session.session import Session
    from chaise_cli.store.events import Space

DEALS: Final = 10_000
ROUNDS: Final = 11
BAR_MS: Final = 100.0
TABLES: Final = ("deal", "milestone", "entry", "chain")


def figures(folder: Path) -> list[Figure]:
    """The median of each way; the plain sum is held to the bar."""
    lisa, james = world.person(folder, "Lisa", "client"), world.person(folder, "James", "talent")
    board = world.board(lisa, member=james)
    deal = world.deal(lisa, world.counterpart(james), board.id)
    world.offer(lisa, deal, 2)
    syncing.sync_with(lisa, str(folder))
    syncing.sync_with(james, str(folder))
    world.accept(james, deal)
    syncing.sync_with(james, str(folder))
    syncing.sync_with(lisa, str(folder))
    world.money(lisa, deal, 1)
    _copy(lisa, deal)
    everything = accounting.scope(lisa, None, None)
    ways = {"": None, " --by deal": "deal", " --by person": "person", " --by month": "month"}
    found = {way: _cpu(partial(_asked, lisa, everything, by)) * 1000 for way, by in ways.items()}
    return [
        Figure(f"balance{way} over {DEALS:,} deals", value, "ms of CPU p50", None if way else BAR_MS)
        for way, value in found.items()
    ]


def _cpu(run: Callable[[], Any]) -> float:
    """The median of the process's own time: nothing waits here, and other processes have no part in it."""
    taken = []
    for _ in range(ROUNDS):
        start = time.process_time()
        run()
        taken.append(time.process_time() - start)
    return statistics.median(taken)


def _asked(session: Session, of: Scope, by: str | None) -> Any:
    """All of the command between the open home and the answer."""
    with session.reading():
        return accounting.balances(session, of, by), freshness.warnings(session)


def _copy(session: Session, deal: Space) -> None:
    """What the fold left of one deal, for as many others: reading is measured, and playing them would take an hour."""
    database = session.db
    with connection.transaction(database):
        for number in range(1, DEALS):
            id_ = number.to_bytes(32, "little")
            values = (id_, deal.no)
            database.execute(
                "INSERT INTO space(id, kind, creator, creator_device, epoch, synced_at)"
                " SELECT ?, kind, creator, creator_device, epoch, synced_at FROM space WHERE no = ?",
                values,
            )
            space = database.execute("SELECT no FROM space WHERE id = ?", (id_,)).fetchone()[0]
            for table in TABLES:
                _copy_rows(database, table, deal.no, space)


def _copy_rows(database: Any, table: str, source: int, space: int) -> None:
    rows = database.execute(f"SELECT * FROM {table} WHERE space = ?", (source,))  # noqa: S608  no value is in it
    names = [column[0] for column in rows.description if (table, column[0]) != ("chain", "no")]
    kept = ", ".join("?" if name == "space" else name for name in names)
    database.execute(
        f"INSERT INTO {table}({', '.join(names)}) SELECT {kept} FROM {table} WHERE space = ?",  # noqa: S608  likewise
        (space, source),
    )
