from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from chaise_cli.session import machine
from tests.e2e.people import NOON, Person

PASSPHRASE = "correct horse"


def files(folder: Path) -> set[str]:
    """Everything there is, but the folder of unlocked keys."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if "run" not in path.relative_to(folder).parts}


def by_passphrase(person: Person, *more: str) -> Person:
    """A home kept by a passphrase that comes through a descriptor."""
    read, write = os.pipe()
    os.write(write, f"{PASSPHRASE}\n".encode())
    os.close(write)
    named = ["--name", "Ada", "--role", "talent", "--recovery-out", str(person.recovery_file)]
    answer = person.run("init", *named, "--passphrase-fd", str(read), *more, "--json")
    os.close(read)
    assert answer.exit == 0, answer.err
    return person


@pytest.fixture
def ada(tmp_path: Path) -> Person:
    """Somebody without a home yet."""
    return Person(tmp_path, "ada")


def test_init_tells_whose_home_it_made(lisa: Person) -> None:
    found = lisa.does("whoami")
    told = (found["handle"], found["name"], found["role"], found["currency"], found["tz"])
    assert told == ("lisa", "Lisa", "client", "EUR", "Europe/Berlin")
    assert found["device"]["name"] == "laptop"
    assert found["unlocked_until"] is None


def test_secrets_lie_in_private_files_and_nowhere_in_the_answer(ada: Person) -> None:
    answer = ada.init(role="talent")
    code = ada.recovery_file.read_text().strip()
    assert answer.data["recovery_file"] == str(ada.recovery_file)
    assert code not in answer.out + answer.err
    assert ada.key_file.read_text().split(" ")[1].strip() not in answer.out + answer.err
    for path in (ada.recovery_file, ada.key_file, ada.home / "store.db"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(ada.home.stat().st_mode) == 0o700


def test_a_second_init_is_refused_and_harmless(lisa: Person) -> None:
    before = files(lisa.folder)
    other = ["--key-file", str(lisa.folder / "other.key"), "--recovery-out", str(lisa.folder / "other.recovery")]
    answer = lisa.fails("init", "--name", "Eve", "--role", "client", *other)
    assert (answer.code, answer.exit) == ("home.exists", 5)
    assert files(lisa.folder) == before


def test_a_handle_follows_from_the_name(ada: Person) -> None:
    ada.init(role="talent", name="Anna Müller", handle="Anna Müller".replace(" ", "-"))
    assert ada.does("whoami")["handle"] == "anna-müller"


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["--role", "king"], "usage.no_such_role"),
        (["--handle", "me"], "usage.bad_handle"),
        (["--handle", "two words"], "usage.bad_handle"),
        (["--currency", "DOGE"], "money.unknown_currency"),
        (["--tz", "CET"], "time.unknown_zone"),
        (["--email", "nobody"], "usage.bad_field"),
        (["--name", " "], "usage.missing_text"),
        (["--name", "x" * 65], "usage.too_long"),
        (["--device-name", "x" * 65], "usage.too_long"),
        (["--recovery-out", "HOME/recovery"], "home.key_inside"),
        (["--key-file", "HOME/key"], "home.key_inside"),
        (["--recovery-out", "HERE/missing/recovery"], "home.no_folder"),
        (["--recovery-out", "HERE/taken"], "home.recovery_file_exists"),
        (["--key-file", "HERE/taken"], "key.bad_key_file"),
        (["--passphrase-fd", "993"], "key.no_passphrase"),
    ],
)
def test_what_cannot_be_done_leaves_nothing_behind(ada: Person, options: list[str], code: str) -> None:
    (ada.folder / "taken").touch(mode=0o600)
    before = files(ada.folder)
    wished = {
        "--name": "Ada", "--role": "talent", "--key-file": str(ada.key_file), "--recovery-out": str(ada.recovery_file)
    }  # fmt: skip
    wished[options[0]] = options[1].replace("HOME", str(ada.home)).replace("HERE", str(ada.folder))
    answer = ada.fails("init", *(part for pair in wished.items() for part in pair))
    assert answer.code == code
    assert files(ada.folder) == before


@pytest.mark.parametrize(
    ("options", "flag"),
    [
        (["--role", "client"], "--name"),
        (["--name", "Ada"], "--role"),
        (["--name", "Ada", "--role", "client"], "--recovery-out"),
        (
            ["--name", "Ada", "--role", "client", "--recovery-out", "x"],
            "--passphrase-fd N, --key-file PATH or --keyring",
        ),
    ],
)
def test_a_script_has_to_say_everything(ada: Person, options: list[str], flag: str) -> None:
    answer = ada.fails("init", *options)
    assert (answer.code, answer.exit) == ("usage.needs_input", 2)
    assert flag in answer.error["hint"]


def test_at_a_terminal_init_asks_and_shows_the_recovery_code_once(ada: Person) -> None:
    answer = ada.run("init", typed=["Ada Lovelace", "2", PASSPHRASE, PASSPHRASE])
    assert answer.exit == 0, answer.err
    assert "recovery code, shown this once" in answer.err
    assert "@ada-lovelace" in answer.out
    assert "unlocked: until 20 Nov 2026 2" in answer.out
    assert not ada.recovery_file.exists()


def test_two_different_passphrases_make_no_home(ada: Person) -> None:
    answer = ada.run("init", "--name", "Ada", "--role", "talent", typed=[PASSPHRASE, "other"])
    assert answer.exit == 2
    assert "key.passphrases_differ" in answer.err
    assert files(ada.folder) == set()


def test_init_leaves_the_home_open_for_eight_hours(ada: Person) -> None:
    by_passphrase(ada)
    assert ada.does("whoami")["unlocked_until"] == "2026-11-20T20:00:00Z"
    ada.now = "2026-11-20T20:00:00Z"
    assert (ada.fails("whoami").code, ada.fails("whoami").exit) == ("home.locked", 4)


def test_a_locked_home_opens_with_its_passphrase_alone(ada: Person) -> None:
    by_passphrase(ada)
    assert ada.does("lock")["handle"] == "ada"
    assert ada.fails("whoami").code == "home.locked"
    assert ada.fails("unlock").code == "home.locked"
    wrong = ada.run("unlock", typed=["wrong"])
    assert (wrong.exit, "key.wrong" in wrong.err) == (4, True)
    assert ada.fails("whoami").code == "home.locked"
    assert "until 20 Nov 2026 15:00" in ada.run("unlock", "--for", "3h", typed=[PASSPHRASE]).out
    assert ada.does("whoami")["unlocked_until"] == "2026-11-20T15:00:00Z"


def test_an_open_home_is_not_kept_open_without_the_passphrase(ada: Person) -> None:
    by_passphrase(ada)
    assert ada.fails("unlock", "--for", "20d").code == "home.locked"
    assert ada.does("whoami")["unlocked_until"] == "2026-11-20T20:00:00Z"


def test_a_passphrase_may_come_from_a_named_file(ada: Person) -> None:
    by_passphrase(ada)
    ada.does("lock")
    (ada.folder / "secret").write_text(f"{PASSPHRASE}\n")
    env = {"CHAISE_PASSPHRASE_FILE": str(ada.folder / "secret")}
    assert ada.does("whoami", env=env)["handle"] == "ada"
    assert ada.does("unlock", env=env)["unlocked_until"] == "2026-11-20T20:00:00Z"


def test_locking_twice_is_locking_once(ada: Person) -> None:
    by_passphrase(ada)
    assert ada.run("lock", "--json").json["replayed"] is False
    again = ada.run("lock", "--json")
    assert (again.exit, again.json["replayed"], again.data["unlocked_until"]) == (0, True, None)


def test_locking_says_that_a_key_file_still_opens_the_home(lisa: Person) -> None:
    assert "key file" in lisa.run("lock", "--json").json["warnings"][0]


@pytest.mark.parametrize("verb", ["whoami", "unlock", "lock", "boards"])
def test_without_a_home_verbs_name_init(ada: Person, verb: str) -> None:
    answer = ada.fails(verb)
    assert (answer.code, answer.exit) == ("home.missing", 4)
    assert "chaise init" in answer.error["hint"]


@pytest.mark.parametrize(("length", "code"), [("31d", "usage.unlock_too_long"), ("soon", "time.not_a_duration")])
def test_a_home_is_opened_for_a_sensible_time(lisa: Person, length: str, code: str) -> None:
    assert lisa.fails("unlock", "--for", length).code == code


def test_doctor_is_content_with_a_sound_home(lisa: Person) -> None:
    checks = {check["name"]: check for check in lisa.does("doctor")["checks"]}
    assert all(check["ok"] for check in checks.values())
    assert checks["setting home"]["origin"] == "CHAISE_HOME"
    assert checks["slots"]["value"] == "recovery, keyfile"
    assert checks["key"]["value"] == "opens by itself"


@pytest.mark.parametrize(
    ("harm", "check"),
    [
        (lambda home: (home / "keys").chmod(0o644), "mode of keys"),
        (lambda home: (home / "keys").write_text("{"), "slots"),
        (lambda home: (home / "anchor").unlink(), "anchor"),
        (lambda home: (home / "anchor").write_bytes(bytes(144)), "anchor"),
        (lambda home: (home / "store.db").write_bytes(b"SQLite format 3\0" + bytes(500)), "store"),
        (lambda home: (home / "store.db").write_bytes((home / "store.db").read_bytes()[:4096]), "store"),
        (lambda home: (home / "store.db").unlink(), "store"),
        (lambda home: home.with_name("lisa.key").unlink(), "key file"),
    ],
)
def test_doctor_names_what_is_wrong_and_brings_its_result(lisa: Person, harm: object, check: str) -> None:
    assert callable(harm)
    for leftover in lisa.home.glob("store.db-*"):
        leftover.unlink()
    harm(lisa.home)
    before = {path: path.read_bytes() for path in lisa.home.rglob("*") if path.is_file()}
    answer = lisa.fails("doctor")
    assert (answer.exit, answer.code) == (11, "doctor.problems")
    assert check in {found["name"] for found in answer.data["checks"] if not found["ok"]}
    left = {path: path.read_bytes() for path in lisa.home.rglob("*") if path.is_file() and "-" not in path.name}
    assert left == before


def test_doctor_looks_at_a_locked_home_as_far_as_it_can(ada: Person) -> None:
    by_passphrase(ada)
    ada.does("lock")
    checks = {check["name"]: check for check in ada.does("doctor")["checks"]}
    assert checks["key"]["value"].startswith("locked")
    assert "store" not in checks


def test_doctor_works_before_there_is_a_home(ada: Person) -> None:
    checks = {check["name"]: check for check in ada.does("doctor")["checks"]}
    assert "chaise init" in checks["home"]["hint"]


def test_help_begins_with_an_example(ada: Person) -> None:
    out = ada.run("help", "posts").out
    assert out.startswith("Example:\n  chaise posts")
    assert "--skill" in out
    assert ada.run("help", "Board").out.count("\n") == 9
    assert " 11  verification failed" in ada.run("help", "exit-codes").out
    assert "48 KiB" in ada.run("help", "limits").out
    assert "chaise board create marketing" in ada.run("help", "board", "create").out


def test_help_explains_every_error_code(ada: Person) -> None:
    out = ada.run("help", "escrow.over_release").out
    assert "exit:  5" in out
    assert "chaise show MILESTONE" in out
    assert "{" not in out


@pytest.mark.parametrize("topic", [["relase"], ["board", "burn"], ["escrow.over_relase"]])
def test_help_on_nothing_names_what_is_near(ada: Person, topic: list[str]) -> None:
    answer = ada.run("help", *topic)
    assert (answer.exit, answer.out) == (2, "")
    assert "usage.unknown_topic" in answer.err


def test_the_zone_of_the_machine_is_a_name_or_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", ":Europe/Lisbon")
    assert machine.zone() == "Europe/Lisbon"
    monkeypatch.setenv("TZ", "CET-1CEST")
    assert "/" in machine.zone() or machine.zone() == "UTC"


def test_the_whole_program_runs_as_a_process(lisa: Person) -> None:
    """Once for real: everything else runs inside the test's own process."""
    env = {"CHAISE_HOME": str(lisa.home), "XDG_RUNTIME_DIR": str(lisa.folder / "run"), "CHAISE_NOW": NOON}
    root = Path(__file__).resolve().parents[2]
    argv = [sys.executable, "-m", "chaise_cli", "boards", "--json"]
    done = subprocess.run(argv, cwd=root, env=env, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["data"] == []
