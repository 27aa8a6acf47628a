"""The sim's file: one SQLite database, every transaction on the disk before anybody hears of it."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any, Final

from chaise_cli.domain.money import LARGEST

FORM: Final = 1
BUSY_S: Final = 10.0
AVAILABLE: Final = "available"  # what the agent can pay out
TRANSIT: Final = "transit"  # what has left that, and has not arrived
OWED: Final = "owed"  # what was clawed back when nothing was left to take it from
PARTY: Final = "party:"  # and a name: what was paid out to them
TABLES: Final = f"""
CREATE TABLE setting (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE account (name TEXT NOT NULL, currency TEXT NOT NULL,
    minor INTEGER NOT NULL CHECK (minor BETWEEN 0 AND {LARGEST}), PRIMARY KEY (name, currency)) WITHOUT ROWID;
CREATE TABLE payment (n INTEGER PRIMARY KEY, reference TEXT, kind TEXT NOT NULL, whom TEXT NOT NULL,
    minor INTEGER NOT NULL CHECK (minor > 0), currency TEXT NOT NULL, fee INTEGER NOT NULL CHECK (fee >= 0),
    purpose TEXT NOT NULL, state TEXT NOT NULL CHECK (state IN ('pending', 'succeeded', 'declined')), code TEXT,
    action TEXT, made_at INTEGER NOT NULL, settles_at INTEGER, expires_at INTEGER, ended_at INTEGER);
CREATE INDEX payment_of ON payment (reference);
CREATE INDEX payment_open ON payment (n) WHERE state = 'pending';
CREATE INDEX payment_back ON payment (whom) WHERE kind IN ('refund', 'chargeback');
CREATE TABLE known (key TEXT PRIMARY KEY, parameters TEXT NOT NULL, payment INTEGER NOT NULL, until INTEGER NOT NULL)
    WITHOUT ROWID;
CREATE INDEX known_until ON known (until);
CREATE TABLE line (n INTEGER PRIMARY KEY, at INTEGER NOT NULL, payment INTEGER NOT NULL, minor INTEGER NOT NULL,
    fee INTEGER NOT NULL CHECK (fee >= 0), currency TEXT NOT NULL)
"""


class Unusable(Exception):
    """The file cannot be opened, read or written."""


class Tables:
    """One connection, one transaction at a time: a payment waits for the disk, and the next one for the payment."""

    def __init__(self, path: Path) -> None:
        """Open the file, or make it: readable for its owner alone. Raises Unusable."""
        self._lock = Lock()
        with _translated():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600))
            self._db = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
            self._db.row_factory = sqlite3.Row
            for line in ("journal_mode = WAL", "synchronous = FULL", "trusted_schema = OFF"):
                self._db.execute(f"PRAGMA {line}")
            self._make()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of the block, on the disk when it ends, or nothing of it. Raises Unusable."""
        with self._lock, _translated():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def close(self) -> None:
        """After the transaction that is open."""
        with self._lock:
            self._db.close()

    def run(self, statement: str, *given: Any) -> int:
        """Run a statement that changes something; the number of a row it added."""
        return self._db.execute(statement, given).lastrowid or 0

    def rows(self, statement: str, *given: Any) -> list[sqlite3.Row]:
        """What a query finds."""
        return self._db.execute(statement, given).fetchall()

    def one(self, statement: str, *given: Any) -> sqlite3.Row | None:
        """The first that a query finds."""
        found: sqlite3.Row | None = self._db.execute(statement, given).fetchone()
        return found

    def setting(self, name: str) -> int:
        """A number kept by name; 0 until it was set."""
        row = self.one("SELECT value FROM setting WHERE name = ?", name)
        return row["value"] if row else 0

    def set(self, name: str, value: int) -> None:
        """Keep a number."""
        self.run("INSERT OR REPLACE INTO setting (name, value) VALUES (?, ?)", name, value)

    def balance(self, name: str, currency: str) -> int:
        """What an account holds."""
        row = self.one("SELECT minor FROM account WHERE name = ? AND currency = ?", name, currency)
        return row["minor"] if row else 0

    def add(self, name: str, currency: str, minor: int) -> None:
        """Change what an account holds. The table itself refuses less than nothing."""
        self.run("INSERT INTO account (name, currency, minor) VALUES (?, ?, 0) ON CONFLICT DO NOTHING", name, currency)
        self.run("UPDATE account SET minor = minor + ? WHERE name = ? AND currency = ?", minor, name, currency)

    def _make(self) -> None:
        with self.transaction():
            form = self.rows("PRAGMA user_version")[0][0]
            if form == 0 and not self.rows("SELECT 1 FROM sqlite_master"):
                for statement in TABLES.split(";\n"):
                    self._db.execute(statement)
                self._db.execute(f"PRAGMA user_version = {FORM}")
                form = FORM
            if form != FORM or self.one("SELECT 1 FROM sqlite_master WHERE name = 'known'") is None:
                raise Unusable("the file is no sim's, or that of a newer Chaise")


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise Unusable(str(error)) from error
