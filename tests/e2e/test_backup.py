"""Backups and restored homes, as people type them."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.hired import settle
from tests.e2e.people import Person


def test_a_home_comes_back_from_its_backup(lisa: Person, james: Person, board: str, tmp_path: Path) -> None:
    file = tmp_path / "lisa.backup"
    post = lisa.does("post", "Campaign")
    made = lisa.does("backup", str(file))
    assert (made["newer_here"], made["problems"], made["events"] > 5) == (0, [], True)
    assert made["identity"] == lisa.id
    assert lisa.does("backup", "--check", str(file)) == made
    old = lisa.does("whoami")
    lisa.home.rename(tmp_path / "lost")
    back = lisa.run("restore", str(file), "--key-file", str(lisa.key_file), "--json")
    assert back.exit == 0, back.err
    assert (back.data["id"], back.data["device"]["name"]) == (old["id"], "laptop")
    assert back.data["device"]["id"] != old["device"]["id"]
    assert lisa.does("posts")[0]["id"] == post["id"]
    lisa.now = "2026-11-20T13:00:00Z"
    lisa.does("post", "Second")
    settle(lisa, james)
    assert [one["title"] for one in james.does("posts")] == ["Second", "Campaign"]
    assert lisa.does("verify")["problems"] == []
    assert [check for check in lisa.does("doctor")["checks"] if not check["ok"]] == []


def test_a_backup_tells_its_way_to_people(lisa: Person, board: str, tmp_path: Path) -> None:
    answer = lisa.run("backup", str(tmp_path / "b"))
    assert answer.exit == 0
    assert "not in it: 0 events of this home" in answer.out
    again = lisa.fails("backup", str(tmp_path / "b"))
    assert (again.exit, again.code) == (2, "backup.exists")
    lisa.does("backup", str(tmp_path / "b"), "--force", "--without-files")


def test_a_damaged_backup_is_told_with_what_it_held(lisa: Person, board: str, tmp_path: Path) -> None:
    file = tmp_path / "b"
    lisa.does("backup", str(file))
    file.write_bytes(file.read_bytes()[:-1])
    answer = lisa.fails("backup", "--check", str(file))
    assert (answer.exit, answer.code, answer.data["events"]) == (11, "backup.damaged", 0)
    assert answer.data["problems"]
    lisa.home.rename(tmp_path / "lost")
    answer = lisa.run("restore", str(file), "--key-file", str(lisa.key_file), "--json")
    assert (answer.exit, answer.code) == (11, "backup.damaged")
    assert not lisa.home.exists()


def test_the_recovery_code_opens_a_backup_and_makes_a_new_way_in(lisa: Person, board: str, tmp_path: Path) -> None:
    file, new = tmp_path / "b", tmp_path / "new.key"
    lisa.does("backup", str(file))
    lisa.home.rename(tmp_path / "lost")
    lisa.key_file.unlink()
    assert lisa.run("restore", str(file), "--json").code == "backup.locked"
    assert lisa.run("restore", str(file), "--new-key-file", str(new), "--json").code == "restore.code_missing"
    code = ("--recovery-file", str(lisa.recovery_file))
    assert lisa.does("backup", "--check", str(file), *code)["newer_here"] is None
    lisa.does("restore", str(file), *code, "--new-key-file", str(new), "--device-name", "new laptop")
    lisa.does("lock")
    assert lisa.does("whoami")["device"]["name"] == "new laptop"
    assert lisa.run("restore", str(file), *code, "--json").code == "home.exists"


def test_a_home_without_a_key_file_stays_open_after_a_restore(tmp_path: Path) -> None:
    person = Person(tmp_path, "ann")
    secret = {"CHAISE_PASSPHRASE_FILE": str(tmp_path / "pass")}
    (tmp_path / "pass").write_text("open sesame\n")
    (tmp_path / "pass").chmod(0o600)
    out = ("--recovery-out", str(person.recovery_file))
    person.does("init", "--name", "Ann", "--role", "client", *out, env=secret)
    person.does("backup", str(tmp_path / "b"))
    person.home.rename(tmp_path / "lost")
    person.does("lock", env={"CHAISE_HOME": str(tmp_path / "lost")})
    person.does("restore", str(tmp_path / "b"), env=secret)
    assert person.does("whoami")["unlocked_until"]


def test_a_restored_home_fetches_what_it_had_written_since(lisa: Person, tmp_path: Path) -> None:
    place = tmp_path / "shared"
    place.mkdir()
    lisa.does("board", "create", "market", "--at", str(place))
    lisa.does("backup", str(tmp_path / "b"))
    lisa.does("post", "After the backup")
    lisa.home.rename(tmp_path / "lost")
    lisa.does("restore", str(tmp_path / "b"), "--key-file", str(lisa.key_file))
    assert [one["title"] for one in lisa.does("posts")] == ["After the backup"]
    lisa.does("post", "With the new key")
    assert lisa.does("verify")["problems"] == []


def test_a_place_that_is_gone_holds_up_no_restore(lisa: Person, tmp_path: Path) -> None:
    place = tmp_path / "shared"
    place.mkdir()
    lisa.does("board", "create", "market", "--at", str(place))
    lisa.does("backup", str(tmp_path / "b"))
    lisa.home.rename(tmp_path / "lost")
    place.rename(tmp_path / "unplugged")
    answer = lisa.run("restore", str(tmp_path / "b"), "--key-file", str(lisa.key_file), "--json")
    assert answer.exit == 0
    assert any("not synced" in warning for warning in answer.json["warnings"])
    assert lisa.does("boards")[0]["at"] == [str(place)]
