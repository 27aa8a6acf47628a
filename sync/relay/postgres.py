"""The relay's store in PostgreSQL: several relay processes on one database.

Every table that belongs to a space begins its key with it and is partitioned by its hash. A space's row is locked
by whoever writes there, so that numbers follow commits; there are no sequences and no notifications. Transactions
that the database gives up (40001, 40P01) are run again. docs/spec/relay.md.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import psycopg
from psycopg_pool import ConnectionPool, PoolClosed, PoolTimeout, TooManyRequests

from . import sql
from .contract import Entry, Position, Registered, Space, T, Transaction, Unavailable

PARTS: Final = 16
TRIES: Final = 12
PAUSE_S: Final = 0.002  # before the second try; doubled for each further one
OVERLAP_MICRO: Final = 2_000_000  # how long a transaction may take and still be noticed by `touched`
TIMEOUT_MS: Final = 15_000
FORM: Final = 2
_LOCK: Final = 0x63686173  # of the tables being made: "chas"
_PARTITIONED: Final = {
    "space": "space bytea PRIMARY KEY, kind text NOT NULL, creator bytea NOT NULL, maker bytea NOT NULL, door bytea,"
    " number bigint NOT NULL, head bytea NOT NULL, last bytea NOT NULL, touched bigint NOT NULL DEFAULT 0",
    "entry": "space bytea NOT NULL, first bigint NOT NULL, length bigint NOT NULL, device bytea NOT NULL,"
    " first_seq bigint NOT NULL, prev bytea NOT NULL, last bytea NOT NULL, head bytea NOT NULL, events bytea NOT NULL,"
    " signature bytea NOT NULL, PRIMARY KEY (space, first)",
    "chain": "space bytea NOT NULL, device bytea NOT NULL, seq bigint NOT NULL, id bytea NOT NULL, top bigint NOT NULL,"
    " PRIMARY KEY (space, device)",
    "served": "space bytea NOT NULL, identity bytea NOT NULL, PRIMARY KEY (space, identity)",
    "upload": "space bytea NOT NULL, address bytea NOT NULL, owner bytea NOT NULL, size bigint NOT NULL,"
    " have bigint NOT NULL, at bigint NOT NULL, whole boolean NOT NULL, PRIMARY KEY (space, address, owner)",
    "piece": "space bytea NOT NULL, address bytea NOT NULL, owner bytea NOT NULL, start bigint NOT NULL,"
    " data bytea NOT NULL, PRIMARY KEY (space, address, owner, start)",
}
_PLAIN: Final = (
    "CREATE TABLE relay (name text PRIMARY KEY, value bytea NOT NULL)",
    "CREATE TABLE device (device bytea PRIMARY KEY, identity bytea NOT NULL, admin boolean, space bytea, until bigint)",
    "CREATE INDEX device_of ON device (identity)",
    "CREATE TABLE strike (identity bytea NOT NULL, device bytea NOT NULL, PRIMARY KEY (identity, device))",
    "CREATE TABLE invite (digest bytea PRIMARY KEY)",
    "CREATE TABLE account (identity bytea PRIMARY KEY, size bigint NOT NULL, spaces bigint NOT NULL)",
    "CREATE TABLE mailbox (mailbox bytea PRIMARY KEY, owner bytea NOT NULL, until bigint NOT NULL)",
    "CREATE INDEX mailbox_of ON mailbox (owner)",
    "CREATE TABLE slot (mailbox bytea, slot bigint, data bytea NOT NULL, PRIMARY KEY (mailbox, slot))",
    "CREATE INDEX entry_of_chain ON entry (space, device, first_seq)",
    "CREATE INDEX served_to ON served (identity, space)",
    "CREATE INDEX space_touched ON space (touched)",
)
_NOW: Final = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"


class _Again(Exception):
    """Two transactions made one space at once; the later one begins again and finds it."""


class _Rows:
    """Statements on one connection, everything given and answered in binary."""

    def __init__(self, db: psycopg.Connection[Any]) -> None:
        self._db = db

    def all(self, statement: str, *given: Any) -> Sequence[Sequence[Any]]:
        """The rows of one statement."""
        with self._db.cursor(binary=True) as cursor:
            cursor.execute(_theirs(statement), given)
            return cursor.fetchall() if cursor.description else ()

    def many(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run a statement once for each row."""
        with self._db.cursor(binary=True) as cursor:
            for row in rows:
                cursor.execute(_theirs(statement), row)


class _Writing(sql.Writing):
    """The transaction, where others write at the same time."""

    def __init__(self, db: psycopg.Connection[Any]) -> None:
        super().__init__(_Rows(db), " FOR UPDATE")
        self._db = db

    def add_space(self, space: bytes, made: Space) -> None:
        query = (
            "INSERT INTO space (space, kind, creator, maker, door, number, head, last, touched)"
            f" VALUES (?, ?, ?, ?, ?, ?, ?, ?, {_NOW}) ON CONFLICT DO NOTHING RETURNING 1"
        )
        if not self._rows.all(query, space, *made):
            raise _Again

    def append(self, space: bytes, entries: Sequence[Entry], chains: Mapping[bytes, Any]) -> None:
        with self._db.pipeline():  # one wait for all of them
            super().append(space, entries, chains)
            self._touch(space)

    def serve(self, space: bytes, identities: Collection[bytes]) -> None:
        with self._db.pipeline():
            super().serve(space, identities)
            self._touch(space)

    def _touch(self, space: bytes) -> None:
        self._rows.many(f"UPDATE space SET touched = {_NOW} WHERE space = ?", [(space,)])


class Postgres:
    """The contract's Store in a database, by its address."""

    shared = True

    def __init__(self, address: str, connections: int = 10) -> None:
        """Connect, and make the tables where there are none. Raises Unavailable."""
        self._seen = 0
        self._pool: ConnectionPool[psycopg.Connection[Any]] = ConnectionPool(
            address,
            min_size=1,
            max_size=connections,
            kwargs={"autocommit": True},
            configure=_configure,
            timeout=TIMEOUT_MS / 1000,
            open=False,
        )
        with _translated():
            with psycopg.connect(address, autocommit=True, connect_timeout=TIMEOUT_MS // 1000) as db, db.transaction():
                _make(db)  # on a connection of its own: what is wrong is told at once, where the pool tries again
            self._pool.open()

    def key(self, made: bytes) -> bytes:
        """The contract says what each does."""
        with self._reading() as rows:
            return sql.key(rows, made)

    def run(self, work: Callable[[Transaction], T]) -> T:
        pause_s = PAUSE_S
        for left in reversed(range(TRIES)):
            try:
                with _translated(), self._pool.connection() as db, db.transaction():
                    return work(_Writing(db))
            except (psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected, _Again) as error:
                if not left:
                    raise Unavailable(f"transactions kept meeting: {error}") from error
            time.sleep(pause_s)
            pause_s *= 2
        raise AssertionError("the last try answers or raises")

    def device(self, device: bytes) -> Registered | None:
        with self._reading() as rows:
            return sql.registered(rows, device)

    def positions(self, identity: bytes) -> Mapping[bytes, Position]:
        with self._reading() as rows:
            return sql.positions(rows, identity)

    def entries(self, space: bytes, after: int, limit: int) -> Sequence[Entry]:
        with self._reading() as rows:
            return sql.entries(rows, space, after, limit)

    def head_at(self, space: bytes, number: int) -> tuple[bytes, Entry | None]:
        with self._reading() as rows:
            return sql.head_at(rows, space, number)

    def before(self, spaces: Collection[bytes]) -> Mapping[bytes, Position]:
        with self._reading() as rows:
            return sql.before(rows, spaces)

    def invites(self) -> Collection[bytes]:
        with self._reading() as rows:
            return sql.invites(rows)

    def doors(self, spaces: Collection[bytes]) -> Mapping[bytes, bytes]:
        with self._reading() as rows:
            return sql.doors(rows, spaces)

    def served(self, space: bytes, identity: bytes) -> bool:
        with self._reading() as rows:
            return sql.served(rows, space, identity)

    def piece(self, space: bytes, address: bytes, owner: bytes | None, offset: int) -> tuple[int, bytes] | None:
        with self._reading() as rows:
            return sql.piece(rows, space, address, owner, offset)

    def slot(self, mailbox: bytes, slot: int, now: int) -> bytes | None:
        with self._reading() as rows:
            return sql.slot(rows, mailbox, slot, now)

    def touched(self) -> Collection[tuple[bytes, int]]:
        with self._reading() as rows:
            if not self._seen:
                self._seen = rows.all(f"SELECT {_NOW}")[0][0]
            found = rows.all("SELECT space, touched FROM space WHERE touched > ?", self._seen - OVERLAP_MICRO)
        self._seen = max([self._seen, *(mark for _, mark in found)])
        return [(space, mark) for space, mark in found]

    def audience(self, spaces: Collection[bytes], among: Collection[bytes]) -> Mapping[bytes, Mapping[bytes, Position]]:
        with self._reading() as rows:
            return sql.audience(rows, spaces, among)

    def ready(self) -> bool:
        try:
            with self._reading() as rows:
                return bool(rows.all("SELECT count(*) FROM relay"))
        except Unavailable:
            return False

    def close(self) -> None:
        self._pool.close()

    @contextmanager
    def _reading(self) -> Iterator[_Rows]:
        with _translated(), self._pool.connection() as db:
            yield _Rows(db)


def _configure(db: psycopg.Connection[Any]) -> None:
    """What holds for every connection: nobody waits for ever, and what is acknowledged is on the disk."""
    db.execute(f"SET statement_timeout = {TIMEOUT_MS}")
    db.execute(f"SET idle_in_transaction_session_timeout = {TIMEOUT_MS}")
    db.execute("SET synchronous_commit = on")


def _make(db: psycopg.Connection[Any]) -> None:
    """Make the tables, once, whichever process comes first. Raises Unavailable."""
    rows = _Rows(db)
    rows.all("SELECT pg_advisory_xact_lock(?::bigint)", _LOCK)
    if not rows.all("SELECT 1 FROM pg_tables WHERE schemaname = current_schema() AND tablename = 'relay'"):
        for name, columns in _PARTITIONED.items():
            db.execute(f"CREATE TABLE {name} ({columns}) PARTITION BY HASH (space)")
            for part in range(PARTS):
                parted = f"PARTITION OF {name} FOR VALUES WITH (MODULUS {PARTS}, REMAINDER {part})"
                db.execute(f"CREATE TABLE {name}_{part} {parted}")
        for statement in _PLAIN:
            db.execute(statement)
        rows.all("INSERT INTO relay (name, value) VALUES ('form', ?)", bytes([FORM]))
    form = rows.all("SELECT value FROM relay WHERE name = 'form'")
    if not form or bytes(form[0][0]) != bytes([FORM]):
        raise Unavailable("the database is no relay's, or that of a newer Chaise")


def _theirs(statement: str) -> str:
    """With the driver's placeholders, in binary."""
    return statement.replace("?", "%b")


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected):
        raise
    except (psycopg.Error, PoolTimeout, PoolClosed, TooManyRequests) as error:
        raise Unavailable(type(error).__name__) from error
