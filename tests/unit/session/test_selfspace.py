"""What a home tells its owner's other devices, and takes from them."""

from __future__ import annotations

from pathlib import Path

from chaise_cli.domain.own import SelfBoard, SelfPlace, SelfSettings
from chaise_cli.ids import SpaceId, text
from chaise_cli.session import boards, selfspace, upkeep
from chaise_cli.session.session import Session
from chaise_cli.store import events, own, places, selves
from tests.fakes import homes


def self_space(session: Session) -> events.Space:
    return events.spaces(session.db, "self")[0]


def test_a_board_that_is_made_is_told_with_its_key(lisa: Session) -> None:
    made = boards.create(lisa, "second", None, None)
    told = {board.name: board for board in selves.boards(lisa.db)}
    assert set(told) == {"market", "second"}
    found = events.find_space(lisa.db, told["second"].board)
    assert found is not None
    assert told["second"].key == text(lisa.epochs.secret(found))
    assert made.board["name"] == "second"


def test_a_board_held_from_before_is_told_once_after_a_sync(lisa: Session) -> None:
    with lisa.writing():
        lisa.db.execute("DELETE FROM told WHERE kind = 'self.board'")
    before = own.written(lisa.db).total
    assert upkeep.run(lisa) == []
    assert own.written(lisa.db).total == before + 1
    assert [board.name for board in selves.boards(lisa.db)] == ["market"]
    assert upkeep.run(lisa) == []
    assert own.written(lisa.db).total == before + 1


def test_places_are_told_with_what_goes_there(lisa: Session, market: homes.Market, tmp_path: Path) -> None:
    with lisa.writing():
        no = places.remember(lisa.db, str(tmp_path), auto=True)
        places.carry(lisa.db, no, homes.space_no(lisa, market.board))
    assert upkeep.run(lisa) == []
    assert selves.places(lisa.db) == {
        str(tmp_path): selves.Place(str(tmp_path), auto=True, boards=(market.board,), invite=None, gone=False)
    }


def test_a_board_told_of_is_entered_and_a_folder_that_is_here_is_a_place(lisa: Session, tmp_path: Path) -> None:
    board = SpaceId(text(bytes(range(32))))
    (tmp_path / "shared").mkdir()
    here, elsewhere = str(tmp_path / "shared"), str(tmp_path / "stick")
    bodies = [
        SelfBoard(board, text(bytes(32)), "told"),
        *(SelfPlace(url, auto=True, boards=(board,), invite=None, gone=False) for url in (here, elsewhere)),
    ]
    homes.write_raw(lisa, self_space(lisa).id, *bodies)
    assert upkeep.run(lisa) == []
    found = events.find_space(lisa.db, board)
    assert found is not None
    assert lisa.epochs.secret(found) == bytes(32)
    assert [place.url for place in places.known(lisa.db)] == [here]
    assert places.urls_of(lisa.db, found.no) == [here]
    (tmp_path / "stick").mkdir()
    upkeep.run(lisa)
    assert [place.url for place in places.known(lisa.db)] == [here, elsewhere]


def test_a_word_that_comes_late_does_not_win_and_a_refold_says_the_same(lisa: Session) -> None:
    space = self_space(lisa)
    names = [SelfSettings("lisa", name, "client", "EUR", "UTC", None) for name in ("One", "Two")]
    homes.write_raw(lisa, space.id, *names)
    query = "SELECT * FROM told ORDER BY kind, name"
    before = lisa.db.execute(query).fetchall()
    with lisa.writing():
        selves.SelfFold(lisa.db, space).refold()
    assert lisa.db.execute(query).fetchall() == before
    assert own.settings(lisa.db).name == "Two"


def test_folders_below_the_own_folder_travel_without_it() -> None:
    home = str(Path.home())
    assert selfspace.portable(f"{home}/Shared") == "~/Shared"
    assert selfspace.local("~/Shared") == f"{home}/Shared"
    assert selfspace.portable("ssh://host/x") == selfspace.local("ssh://host/x") == "ssh://host/x"
