"""The relay's store in one SQLite file, next to the relay: the embedded default.

One thread writes. It puts all that waits for it into one transaction, each piece of work in a savepoint of its
own, so that the disk is waited for once for all of them. Not encrypted: what it holds is sealed already.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Lock, Thread, local
from typing import Any, Final, NamedTuple

from . import sql
from .contract import Entry, Position, Registered, T, Transaction, Unavailable

AT_ONCE: Final = 64  # pieces of work in one transaction
BUSY_S: Final = 10.0
FORM: Final = 2
OLDEST: Final = (3, 35, 0)  # has RETURNING
TABLES: Final = """
CREATE TABLE relay (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE space (space BLOB PRIMARY KEY, kind TEXT NOT NULL, creator BLOB NOT NULL, maker BLOB NOT NULL, door BLOB,
    number INTEGER NOT NULL, head BLOB NOT NULL, last BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE entry (space BLOB NOT NULL, first INTEGER NOT NULL, length INTEGER NOT NULL, device BLOB NOT NULL,
    first_seq INTEGER NOT NULL, prev BLOB NOT NULL, last BLOB NOT NULL, head BLOB NOT NULL, events BLOB NOT NULL,
    signature BLOB NOT NULL, PRIMARY KEY (space, first));
CREATE INDEX entry_of_chain ON entry (space, device, first_seq);
CREATE TABLE chain (space BLOB NOT NULL, device BLOB NOT NULL, seq INTEGER NOT NULL, id BLOB NOT NULL,
    top INTEGER NOT NULL, PRIMARY KEY (space, device)) WITHOUT ROWID;
CREATE TABLE served (space BLOB NOT NULL, identity BLOB NOT NULL, PRIMARY KEY (space, identity)) WITHOUT ROWID;
CREATE INDEX served_to ON served (identity, space);
CREATE TABLE device (device BLOB PRIMARY KEY, identity BLOB NOT NULL, admin INTEGER NOT NULL, space BLOB,
    until INTEGER) WITHOUT ROWID;
CREATE INDEX device_of ON device (identity);
CREATE TABLE strike (identity BLOB NOT NULL, device BLOB NOT NULL, PRIMARY KEY (identity, device)) WITHOUT ROWID;
CREATE TABLE invite (digest BLOB PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE account (identity BLOB PRIMARY KEY, size INTEGER NOT NULL, spaces INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE upload (space BLOB NOT NULL, address BLOB NOT NULL, owner BLOB NOT NULL, size INTEGER NOT NULL,
    have INTEGER NOT NULL, at INTEGER NOT NULL, whole INTEGER NOT NULL, PRIMARY KEY (space, address, owner))
    WITHOUT ROWID;
CREATE TABLE piece (space BLOB NOT NULL, address BLOB NOT NULL, owner BLOB NOT NULL, start INTEGER NOT NULL,
    data BLOB NOT NULL, PRIMARY KEY (space, address, owner, start));
CREATE TABLE mailbox (mailbox BLOB PRIMARY KEY, owner BLOB NOT NULL, until INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX mailbox_of ON mailbox (owner);
CREATE TABLE slot (mailbox BLOB NOT NULL, slot INTEGER NOT NULL, data BLOB NOT NULL, PRIMARY KEY (mailbox, slot))
    WITHOUT ROWID;
"""


class _Job(NamedTuple):
    """A piece of work, and who waits for what comes of it."""

    work: Callable[[Transaction], Any]
    done: Future[Any]


class _Rows:
    """Statements on one connection."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def all(self, statement: str, *given: Any) -> Sequence[Sequence[Any]]:
        """The rows of one statement."""
        return self._db.execute(statement, given).fetchall()

    def many(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run a statement once for each row."""
        self._db.executemany(statement, rows)


class Sqlite:
    """The contract's Store in a file."""

    shared = False

    def __init__(self, path: Path) -> None:
        """Open the file, or make it: readable for its owner alone, as is its folder. Raises Unavailable."""
        self._path = path
        self._opened: list[sqlite3.Connection] = []
        self._mine, self._lock = local(), Lock()
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._closed = False
        with _translated():
            if sqlite3.sqlite_version_info < OLDEST:
                raise Unavailable(f"SQLite {sqlite3.sqlite_version} is older than 3.35")
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600))
            self._writer = self._connect()
            _make(self._writer)
        self._thread = Thread(target=self._write, name="relay-writer", daemon=True)
        self._thread.start()

    def key(self, made: bytes) -> bytes:
        """The contract says what each does."""
        with _translated():
            return sql.key(self._rows, made)

    def run(self, work: Callable[[Transaction], T]) -> T:
        with self._lock:
            if self._closed:
                raise Unavailable("the store is closed")
            job = _Job(work, Future())
            self._jobs.put(job)
        found: T = job.done.result()
        return found

    def device(self, device: bytes) -> Registered | None:
        with _translated():
            return sql.registered(self._rows, device)

    def positions(self, identity: bytes) -> Mapping[bytes, Position]:
        with _translated():
            return sql.positions(self._rows, identity)

    def entries(self, space: bytes, after: int, limit: int) -> Sequence[Entry]:
        with _translated():
            return sql.entries(self._rows, space, after, limit)

    def head_at(self, space: bytes, number: int) -> tuple[bytes, Entry | None]:
        with _translated():
            return sql.head_at(self._rows, space, number)

    def before(self, spaces: Collection[bytes]) -> Mapping[bytes, Position]:
        with _translated():
            return sql.before(self._rows, spaces)

    def invites(self) -> Collection[bytes]:
        with _translated():
            return sql.invites(self._rows)

    def doors(self, spaces: Collection[bytes]) -> Mapping[bytes, bytes]:
        with _translated():
            return sql.doors(self._rows, spaces)

    def served(self, space: bytes, identity: bytes) -> bool:
        with _translated():
            return sql.served(self._rows, space, identity)

    def piece(self, space: bytes, address: bytes, owner: bytes | None, offset: int) -> tuple[int, bytes] | None:
        with _translated():
            return sql.piece(self._rows, space, address, owner, offset)

    def slot(self, mailbox: bytes, slot: int, now: int) -> bytes | None:
        with _translated():
            return sql.slot(self._rows, mailbox, slot, now)

    def touched(self) -> Collection[tuple[bytes, int]]:
        return ()

    def audience(self, spaces: Collection[bytes], among: Collection[bytes]) -> Mapping[bytes, Mapping[bytes, Position]]:
        with _translated():
            return sql.audience(self._rows, spaces, among)

    def ready(self) -> bool:
        try:
            with _translated():
                return bool(self._rows.all("SELECT count(*) FROM relay"))
        except Unavailable:
            return False

    def close(self) -> None:
        with self._lock:
            closed, self._closed = self._closed, True
            if not closed:
                self._jobs.put(None)
        self._thread.join()
        for db in self._opened:
            db.close()
        self._opened.clear()

    @property
    def _rows(self) -> _Rows:
        """Reading, on this thread's own connection."""
        found: _Rows | None = getattr(self._mine, "rows", None)
        if self._closed:
            raise Unavailable("the store is closed")
        if found is None:
            found = self._mine.rows = _Rows(self._connect())
        return found

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
        with self._lock:
            self._opened.append(db)
        for line in ("journal_mode = WAL", "synchronous = FULL", "busy_timeout = 10000", "trusted_schema = OFF"):
            db.execute(f"PRAGMA {line}")
        return db

    def _write(self) -> None:
        """The writing thread: until it is told to stop, and has done what came before."""
        going = True
        while going:
            jobs = [self._jobs.get()]
            while len(jobs) < AT_ONCE:
                try:
                    jobs.append(self._jobs.get_nowait())
                except Empty:
                    break
            going = None not in jobs
            self._together([job for job in jobs if job is not None])

    def _together(self, jobs: Sequence[_Job]) -> None:
        """One transaction for all of these; nobody hears of a success before it is on the disk."""
        if not jobs:
            return
        outcomes: list[Callable[[], None]] = []
        try:
            with _translated():
                self._writer.execute("BEGIN IMMEDIATE")
                outcomes = [self._one(job) for job in jobs]
                self._writer.execute("COMMIT")
        except Exception as error:  # noqa: BLE001 - the disk, as a rule; whoever waits has to hear of it, whatever it was
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")
            for job in jobs:
                job.done.set_exception(error)
            return
        for tell in outcomes:
            tell()

    def _one(self, job: _Job) -> Callable[[], None]:
        """Do one piece of work in a savepoint; what to tell whoever waits, after the commit."""
        self._writer.execute("SAVEPOINT work")
        try:
            made = job.work(sql.Writing(_Rows(self._writer)))
        except Exception as error:
            if not self._writer.in_transaction:  # SQLite gave up all of it, as when the disk is full
                raise
            self._writer.execute("ROLLBACK TO work")
            self._writer.execute("RELEASE work")
            failed = error
            return lambda: job.done.set_exception(failed)
        self._writer.execute("RELEASE work")
        return lambda: job.done.set_result(made)


def _make(db: sqlite3.Connection) -> None:
    """Make the tables where there are none. Raises Unavailable for a file of another form."""
    db.execute("BEGIN IMMEDIATE")
    form = db.execute("PRAGMA user_version").fetchone()[0]
    if form == 0 and not db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        for statement in TABLES.split(";\n"):
            db.execute(statement)
        db.execute(f"PRAGMA user_version = {FORM}")
        form = FORM
    db.execute("COMMIT")
    if form != FORM:
        raise Unavailable("the file is no relay's, or that of a newer Chaise")


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise Unavailable(str(error)) from error
