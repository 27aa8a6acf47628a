"""Checking and mending a home, as people type it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.people import Person


@pytest.fixture
def place(lisa: Person, tmp_path: Path) -> Path:
    made = tmp_path / "shared"
    made.mkdir()
    lisa.does("board", "create", "marketing", "--at", str(made))
    lisa.does("post", "Campaign")
    return made


def spoil(person: Person, query: str) -> None:
    with person.session() as session:
        assert session.db.execute(query).rowcount > 0


BODY = "UPDATE event SET body = zeroblob(9) WHERE kind = 'post.published'"


def test_a_share_of_a_home_can_be_looked_at(lisa: Person, place: Path) -> None:
    whole = lisa.does("verify")
    shares = [lisa.does("verify", "--subset", f"{n}/3") for n in (1, 2, 3)]
    assert [share["subset"] for share in shares] == ["1/3", "2/3", "3/3"]
    assert sum(share["events"] for share in shares) == whole["events"]
    assert sum(share["pages"] for share in shares) == 1
    assert "1/3" in lisa.run("verify", "--subset", "1/3").out


@pytest.mark.parametrize("given", ["0/3", "4/3", "x", "1/0", "1/1001", "-1/3", "1/3/5", ""])
def test_what_is_no_share_is_refused(lisa: Person, given: str) -> None:
    answer = lisa.fails("verify", "--subset", given)
    assert (answer.exit, answer.code) == (2, "verify.no_such_share")


@pytest.mark.parametrize(
    "given", [("--from", "x"), ("--repair", "--subset", "1/2"), ("--subset", "1/2", "--from", "x")]
)
def test_a_repair_is_whole(lisa: Person, given: tuple[str, ...]) -> None:
    assert lisa.fails("verify", *given).code == "verify.repair_only"


def test_a_damaged_event_is_told_and_comes_back(lisa: Person, place: Path) -> None:
    spoil(lisa, BODY)
    answer = lisa.fails("verify")
    assert (answer.exit, answer.code) == (11, "verify.failed")
    answer = lisa.fails("verify", "--repair")
    assert answer.exit == 11
    assert any("could not be mended" in problem for problem in answer.data["problems"])
    done = lisa.run("verify", "--repair", "--from", str(place), "--json")
    assert done.exit == 0, done.out
    assert done.data["problems"] == []
    assert done.json["warnings"] == ["the store was built anew from its events"]
    assert [one["title"] for one in lisa.does("posts")] == ["Campaign"]
    lisa.does("post", "Second")
    assert lisa.does("verify")["problems"] == []


def test_a_place_that_cannot_be_reached_changes_nothing(lisa: Person, place: Path, tmp_path: Path) -> None:
    spoil(lisa, BODY)
    answer = lisa.run("verify", "--repair", "--from", str(tmp_path / "gone"), "--json")
    assert (answer.exit, answer.code) == (13, "place.unreachable")
    assert lisa.fails("verify").exit == 11


def test_a_store_that_does_not_open_names_the_ways_back(lisa: Person, place: Path) -> None:
    store = lisa.home / "store.db"
    data = store.read_bytes()
    store.write_bytes(data[:100] + bytes([data[100] ^ 1]) + data[101:])
    for extra in ("store.db-wal", "store.db-shm"):
        (lisa.home / extra).unlink(missing_ok=True)
    answer = lisa.run("verify", "--repair", "--json")
    assert (answer.exit, answer.code) == (11, "store.damaged")
    assert "chaise restore" in answer.error["hint"]
    assert "chaise init --recover" in answer.error["hint"]


def test_doctor_tells_of_backups(lisa: Person, tmp_path: Path) -> None:
    def told() -> dict[str, str]:
        checks = lisa.does("doctor")["checks"]
        return next(check for check in checks if check["name"] == "backup")

    lisa.does("board", "create", "market")
    assert "nowhere but here" in told()["value"]
    assert "chaise backup" in told()["hint"]
    lisa.does("backup", str(tmp_path / "b"))
    assert str(tmp_path / "b") in told()["value"]
    assert told()["hint"] == ""
    lisa.does("post", "Later")
    assert "1 events" in told()["value"]
