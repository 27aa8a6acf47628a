from __future__ import annotations

import pytest

from tests.e2e.people import Person


@pytest.mark.parametrize("where", ["", "  ", "~nobody-of-this-name/x", "http://relay.example", "gopher://x"])
def test_a_place_of_no_kind_is_refused_and_not_remembered(lisa: Person, where: str) -> None:
    """An empty name would be the folder one happens to be in."""
    assert lisa.fails("sync", where).exit == 2
    assert lisa.fails("board", "create", "marketing", "--at", where).exit == 2
    assert lisa.fails("sync").code == "sync.no_places"
    assert lisa.does("boards") == []


def test_a_rehearsed_board_is_sent_nowhere(lisa: Person) -> None:
    place = lisa.folder / "shared"
    place.mkdir()
    assert lisa.run("board", "create", "marketing", "--at", str(place), "--dry-run", "--json").exit == 0
    assert list(place.iterdir()) == []


def test_looking_at_a_profile_syncs_no_more_than_a_list_does(lisa: Person) -> None:
    place = lisa.folder / "shared"
    place.mkdir()
    lisa.does("board", "create", "marketing", "--at", str(place), "--no-sync")
    lisa.does("profile")
    assert list(place.iterdir()) == []
    lisa.does("profile", "--sync")
    assert list(place.iterdir()) != []


def test_a_place_is_remembered_by_its_full_path(lisa: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands are typed in other folders too, and an invite is read on other machines."""
    (lisa.folder / "shared").mkdir()
    monkeypatch.chdir(lisa.folder)
    lisa.does("board", "create", "marketing", "--at", "shared")
    assert lisa.does("boards")[0]["at"] == [str(lisa.folder / "shared")]
