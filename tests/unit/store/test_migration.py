"""A store of schema 1 is brought up to date with all that it holds, or stays what it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from chaise_cli.crypto import storekey
from chaise_cli.domain import talk
from chaise_cli.ids import SpaceId, raw
from chaise_cli.ledger import segment as segments
from chaise_cli.session import checking, proofs
from chaise_cli.session.session import Session
from chaise_cli.store import connection, deals, forks, schema
from tests.fakes import acts, homes
from tests.fakes.homes import HomeReplica, Market

HELLO = talk.MessageSent("Hello", ())


@pytest.fixture
def deal(lisa: Session, james: Session) -> SpaceId:
    """A deal in which money is held, words are said, and something is not taken up."""
    made = homes.open_deal(lisa, james.me.identity, client=True)
    homes.meet(lisa, james)
    for who, what in (
        ("j", "propose"),
        ("l", "hire"),
        ("j", "accept"),
        ("l", "fund"),
        ("l", "attest"),
        ("j", "message"),
    ):
        acts.do(james if who == "j" else lisa, made, what)
        homes.meet(lisa, james)
    acts.do(james, made, "deliver")
    homes.meet(lisa, james)
    return made


def older(session: Session) -> homes.homes.Home:
    """The home as a Chaise with schema 1 would have left it; the session is closed."""
    home, key = session.home, session.key
    draft = home.path / "draft.db"
    old = connection.create(draft, key)
    for statement in filter(str.strip, schema._FIRST.split(";\n")):
        old.execute(statement)
    tables = [row[0] for row in old.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()]
    old.execute("PRAGMA foreign_keys=OFF")
    for table in tables:
        names = ", ".join(row[1] for row in old.execute(f"PRAGMA table_info({table})").fetchall())
        if table != "chaise":
            rows = session.db.execute(f"SELECT {names} FROM {table}").fetchall()  # noqa: S608
            marks = ", ".join("?" * len(names.split(", ")))
            old.executemany(f"INSERT INTO {table}({names}) VALUES ({marks})", rows)  # noqa: S608
    old.execute("UPDATE deal SET taken = '[]', now = NULL")  # of a form that only an older Chaise would read
    old.execute("PRAGMA user_version = 1")
    old.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    old.close()
    session.close()
    for extra in ("store.db-wal", "store.db-shm", "draft.db-wal", "draft.db-shm"):
        (home.path / extra).unlink(missing_ok=True)
    draft.replace(home.store)
    return home


def test_everything_is_as_before_and_the_home_goes_on(market: Market, lisa: Session, deal: SpaceId) -> None:
    before = [homes.state(lisa, space) for space in (deal, market.board)]
    runs = homes.runs(lisa, deal)
    again = homes.reopen(older(lisa), market.key("lisa"))
    assert [homes.state(again, space) for space in (deal, market.board)] == before
    assert homes.runs(again, deal) == runs
    assert checking.verify(again, lambda _, __: None).problems == []
    assert again.db.execute("PRAGMA foreign_key_check").fetchall() == []
    assert again.db.execute("PRAGMA foreign_keys").fetchone() == (1,)
    homes.write(again, deal, HELLO)
    assert homes.unsound(again, deal) == []
    again.close()


@pytest.mark.parametrize("at", ["_step", "between", "deals"])
def test_a_migration_that_is_cut_off_leaves_the_old_store(
    market: Market, lisa: Session, deal: SpaceId, at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = homes.state(lisa, deal)
    home = older(lisa)
    key = storekey.StoreKey(lisa.key)

    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    if at == "between":
        broken = schema._SECOND.replace("ALTER TABLE deal ADD COLUMN tip BLOB", "CREATE TABLE space(a)")
        monkeypatch.setattr(schema, "_MIGRATIONS", (schema._FIRST, broken))
    else:
        monkeypatch.setattr(*((schema, "_step", stop) if at == "_step" else (deals.DealFold, "refold", stop)))
    with pytest.raises(BaseException, match=r"space|^$"):
        homes.reopen(home, market.key("lisa"))
    monkeypatch.undo()
    database = connection.open_store(home.store, key)
    kept = connection.SCHEMA - 1 if at == "deals" else 1  # folding belongs to the last step, and those before it stand
    assert connection.schema_of(database) == kept
    columns = {row[1] for row in database.execute("PRAGMA table_info(chain)").fetchall()}
    assert ("root" in columns, "grant_key" in columns) == (kept > 1, kept > 3)
    entries = {row[1] for row in database.execute("PRAGMA table_info(entry)").fetchall()}
    assert ("event" in entries) == (kept > 4)
    assert bool(database.execute("PRAGMA table_info(occurrence)").fetchall()) == (kept > 7)
    database.close()
    again = homes.reopen(home, market.key("lisa"))
    assert homes.state(again, deal) == before
    again.close()


def test_a_proof_of_a_second_history_becomes_that_history(
    market: Market, lisa: Session, james: Session, deal: SpaceId, tmp_path: Path
) -> None:
    """Schema 1 kept the first history whole and of the second no more than the segment in which it was met."""
    copy = homes.copied(james, tmp_path / "copy", market.key("james"))
    for session in (james, copy):
        homes.write(session, deal, talk.MessageSent(session.home.path.parent.name, ()))
    homes.meet(lisa, james)
    mine = [run for run in homes.runs(copy, deal) if run.device == raw(copy.me.device)]
    home = older(lisa)
    again = homes.reopen(home, market.key("lisa"))
    row = (homes.space_no(again, deal), mine[0].device, 3, b"", segments.pack(mine[0]))
    again.db.execute("INSERT INTO fork VALUES (?, ?, ?, ?, ?)", row)
    assert len(checking.verify(again, lambda _, __: None).forks) == 1
    proofs.take(again)
    assert forks.proofs(again.db) == []
    tips = [head for head in HomeReplica(again).heads(raw(deal)) if head.device == mine[0].device]
    assert len(tips) == 2
    assert len(checking.verify(again, lambda _, __: None).forks) == 1
    homes.meet(again, james, copy)
    assert homes.state(again, deal) == homes.state(copy, deal) == homes.state(james, deal)
    again.close()
    copy.close()
