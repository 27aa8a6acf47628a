"""Backup, check and repair of a home that holds several histories of a device: none of them is lost on the way."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest

from chaise_cli.domain import talk
from chaise_cli.ids import SpaceId, raw
from chaise_cli.session import access, backing, checking, repairing, restoring, syncing
from chaise_cli.session import home as homes_of
from chaise_cli.session.admission import FORKS_MOST
from chaise_cli.session.replica import HomeReplica
from chaise_cli.session.session import Session
from chaise_cli.store import backup_reads, events, forks
from tests.fakes import acts, homes
from tests.fakes.homes import Hands, Market
from tests.fakes.pen import Pen
from tests.fakes.stages import Stages

HELLO: Final = talk.MessageSent("Hello", ())


def silent(_done: int, _total: int) -> None:
    pass


def problems(session: Session) -> list[str]:
    return checking.verify(session, silent).problems


@pytest.fixture
def place(stages: Stages) -> Path:
    return stages.empty("place")


@pytest.fixture
def deal(stages: Stages, lisa: Session, james: Session, market: Market, tmp_path: Path, place: Path) -> SpaceId:
    """A deal that Lisa's home and its copy both went on with, three times in one of them; James has it all."""
    return stages.at(lisa, james, play=lambda: _parted(lisa, james, market, tmp_path, place), folders=[place])


def _parted(lisa: Session, james: Session, market: Market, tmp_path: Path, place: Path) -> SpaceId:
    made = homes.open_deal(lisa, james.me.identity, client=True)
    homes.meet(lisa, james)
    for who, what in ((james, "propose"), (lisa, "hire"), (james, "accept"), (lisa, "fund"), (lisa, "attest")):
        acts.do(who, made, what)
        homes.meet(lisa, james)
    twins = [homes.copied(lisa, tmp_path / name, market.key("lisa")) for name in ("one", "two")]
    acts.do(james, made, "deliver")
    for number, session in enumerate((lisa, *twins)):
        homes.carry(james, session)
        for _ in range(number + 1):
            homes.write(session, made, talk.MessageSent(f"Word {number}", ()))
    late = homes.copied(twins[1], tmp_path / "late", market.key("lisa"))
    for number, session in enumerate((twins[1], late)):
        homes.write(session, made, talk.MessageSent(f"Late {number}", ()))
    for session in (lisa, *twins, late):
        homes.carry(session, james)
    for session in (*twins, late):
        session.close()
    homes.write(james, made, HELLO)
    syncing.sync_once(james, str(place))
    assert len([head for head in HomeReplica(james).heads(raw(made)) if head.device == raw(lisa.me.device)]) == 4
    assert problems(james) == []
    return made


def everything(session: Session, *spaces: SpaceId) -> dict[str, Any]:
    found: dict[str, Any] = {space: homes.state(session, space) for space in spaces}
    found["heads"] = [set(HomeReplica(session).heads(raw(space))) for space in spaces]
    found["ids"] = backup_reads.ids(session.db)
    found["forks"] = [checking._fork(session, one) for one in forks.known(session.db)]
    return found


def restore(file: Path, to: Path, key: Path) -> Session:
    plan = restoring.Plan(file, homes_of.Home(to), access.Keys(key_file=key))
    return restoring.restore(plan, Hands(), silent, homes.seeded(("back",)))


def test_every_history_goes_through_a_backup(james: Session, deal: SpaceId, market: Market, tmp_path: Path) -> None:
    made = backing.back_up(james, tmp_path / "b", silent)
    assert made["events"] == len(backup_reads.ids(james.db))
    looked = backing.look(tmp_path / "b", james.key, james, silent)
    assert (looked.backup["problems"], looked.backup["newer_here"]) == ([], 0)
    back = restore(tmp_path / "b", tmp_path / "back", market.key("james"))
    assert everything(back, deal, market.board) == everything(james, deal, market.board)
    homes.write(james, deal, HELLO, HELLO)
    assert backing.look(tmp_path / "b", james.key, james, silent).backup["newer_here"] == 2
    back.close()


def test_more_histories_than_one_exchange_takes_go_through_backup_and_repair(
    lisa: Session, market: Market, tmp_path: Path
) -> None:
    space = events.find_space(lisa.db, market.board)
    assert space is not None
    pen = Pen("newcomer", space=market.board, secret=lisa.epochs.secret(space)).tell(
        "board.sang", {"a": [0]}, optional=True
    )
    pen.tell("board.sang", {"a": [1]}, optional=True)
    others = [pen.fork(1).tell("board.sang", {"a": [2, n]}, optional=True) for n in range(FORKS_MOST + 20)]
    for one in (pen, *others):
        homes.deliver(lisa, market.board, [one.run()])
    assert problems(lisa) == []
    before = everything(lisa, market.board)
    backing.back_up(lisa, tmp_path / "b", silent)
    back = restore(tmp_path / "b", tmp_path / "back", market.key("lisa"))
    assert everything(back, market.board) == before
    back.close()
    lisa.db.execute("UPDATE chain SET parent = NULL, first = 0")
    assert repairing.repair(lisa, None, silent).checked.problems == []
    lisa.close()
    again = homes.reopen(lisa.home, market.key("lisa"))
    assert everything(again, market.board) == before
    again.close()


@pytest.mark.parametrize("column", ["root", "parent", "first", "seq", "id", "lamport", "identity", "admin", "device"])
def test_whatever_is_spoilt_of_a_branch_is_told(lisa: Session, james: Session, deal: SpaceId, column: str) -> None:
    james.db.execute("PRAGMA foreign_keys=OFF")
    query = (
        "SELECT no, parent, {0} FROM chain WHERE space = ? AND device IN (SELECT device FROM chain WHERE parent > 0)"
    )
    rows = james.db.execute(query.format(column), (homes.space_no(james, deal),)).fetchall()
    assert len(rows) > 4
    share = homes.share_with(raw(deal), raw(lisa.me.device))
    for no, parent, value in [rows[0], *rows[-2:]]:
        if column == "parent" and parent is None:
            continue
        wrongs = [bytes(32) if isinstance(value, bytes) else 1 - value if column == "admin" else value + 1]
        for wrong in wrongs + [no] * (column == "parent"):  # which goes round in a circle
            james.db.execute(f"UPDATE chain SET {column} = ? WHERE no = ?", (wrong, no))  # noqa: S608
            assert checking.verify(james, silent, share).problems or problems(james), (no, value)
        james.db.execute(f"UPDATE chain SET {column} = ? WHERE no = ?", (value, no))  # noqa: S608
    assert problems(james) == []


LOCAL: Final = {
    "what branches continue": "UPDATE chain SET parent = (SELECT min(no) FROM chain c WHERE c.device = chain.device"
    " AND c.space = chain.space) WHERE parent IS NOT NULL",
    "where branches begin": "UPDATE chain SET first = first + 1 WHERE parent IS NOT NULL",
    "their names": "UPDATE chain SET root = id WHERE parent IS NOT NULL",
    "their heads": "UPDATE chain SET id = zeroblob(32), lamport = 0 WHERE parent IS NOT NULL",
    "a table": "UPDATE milestone SET held = held + 1",
    "an order": "UPDATE event SET lamport = lamport + 1 WHERE kind = 'message.sent'",
}


@pytest.mark.parametrize("what", LOCAL)
def test_histories_are_mended_from_their_signed_bytes(james: Session, deal: SpaceId, market: Market, what: str) -> None:
    before = everything(james, deal, market.board)
    assert james.db.execute(LOCAL[what]).rowcount > 0
    done = repairing.repair(james, None, silent)
    assert (done.checked.problems, done.notes) == ([], ["the store was built anew from its events"])
    james.close()
    again = homes.reopen(james.home, market.key("james"))
    assert everything(again, deal, market.board) == before
    assert not again.behind
    homes.write(again, deal, HELLO)
    assert problems(again) == []
    again.close()


LATE: Final = "UPDATE event SET body = zeroblob(9) WHERE instr(body, CAST('{0}' AS BLOB)) > 0"


@pytest.mark.parametrize("words", ["Word 0", "Word 1", "Word 2", "Late 0", "Late"])
def test_a_damaged_branch_comes_back_from_a_place(
    james: Session, deal: SpaceId, market: Market, place: Path, words: str
) -> None:
    before = everything(james, deal, market.board)
    assert james.db.execute(LATE.format(words)).rowcount > 0
    alone = repairing.repair(james, None, silent)
    assert any("intact nowhere else" in problem for problem in alone.checked.problems)
    assert repairing.repair(james, str(place), silent).checked.problems == []
    james.close()
    again = homes.reopen(james.home, market.key("james"))
    assert everything(again, deal, market.board) == before
    again.close()


def test_one_history_at_a_place_does_not_stand_for_two_lost_ones(
    lisa: Session, james: Session, deal: SpaceId, tmp_path: Path
) -> None:
    """Lisa's own home has said nothing of what its copies wrote."""
    (tmp_path / "hers").mkdir()
    syncing.sync_once(lisa, str(tmp_path / "hers"))
    assert james.db.execute(LATE.format("Word")).rowcount == 6
    ids = backup_reads.ids(james.db)
    done = repairing.repair(james, str(tmp_path / "hers"), silent)
    assert any("intact nowhere else" in problem for problem in done.checked.problems)
    assert backup_reads.ids(james.db) == ids
