"""The store's file opens in a second engine, which is the way out should the first one fail us."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from chaise_cli.session.session import Session


def test_another_sqlcipher_reads_every_event(lisa: Session) -> None:
    apsw = _engine()
    lisa.db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    other = apsw.Connection(str(lisa.home.store), flags=apsw.SQLITE_OPEN_READONLY)
    for pragma in ("cipher = 'sqlcipher'", "legacy = 4", f"key = \"x'{lisa.key.hex()}'\""):
        other.execute(f"PRAGMA {pragma}").fetchall()
    ours = lisa.db.execute("SELECT chain, seq, id, body FROM event ORDER BY chain, seq").fetchall()
    assert ours
    assert other.execute("SELECT chain, seq, id, body FROM event ORDER BY chain, seq").fetchall() == ours
    other.close()


def test_without_the_key_the_second_engine_reads_nothing(lisa: Session) -> None:
    apsw = _engine()
    lisa.db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    other = apsw.Connection(str(lisa.home.store), flags=apsw.SQLITE_OPEN_READONLY)
    other.execute("PRAGMA cipher = 'sqlcipher'").fetchall()
    other.execute("PRAGMA legacy = 4").fetchall()
    other.execute(f"PRAGMA key = \"x'{bytes(48).hex()}'\"").fetchall()
    with pytest.raises(apsw.NotADBError):
        other.execute("SELECT count(*) FROM event").fetchall()
    other.close()


def _engine() -> Any:
    """The second engine; it comes with the development pins, so only a bare environment lacks it."""
    if os.environ.get("CHAISE_FOREIGN_REQUIRED"):
        import apsw

        return apsw
    return pytest.importorskip("apsw", reason="apsw-sqlite3mc is not installed")
