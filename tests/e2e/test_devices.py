"""Several devices of one person: let in by a code, listed, renamed."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from chaise_cli.session import doors, pairing
from tests.architecture.tree import ROOT
from tests.e2e.people import Person
from tests.e2e.several import code_of, joins, knocks


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    place = tmp_path / "shared"
    place.mkdir()
    return place


@pytest.fixture
def laptop(tmp_path: Path, shared: Path) -> Person:
    lisa = Person(tmp_path, "lisa", role="client", tz="Europe/Berlin")
    lisa.does("board", "create", "marketing", "--at", str(shared))
    return lisa


def never() -> None:
    raise AssertionError("nobody was to be waited for")


def test_a_device_joins_through_a_folder_and_acts_at_once(laptop: Person, shared: Path) -> None:
    phone = joins(laptop, "phone", shared)
    assert phone.does("whoami")["id"] == laptop.does("whoami")["id"]
    assert phone.does("whoami")["device"]["name"] == "phone"
    assert [board["name"] for board in phone.does("boards")] == ["marketing"]
    assert phone.does("boards")[0]["at"] == [str(shared)]
    posted = phone.does("post", "Campaign", "--budget", "100EUR")
    laptop.does("sync")
    assert [post["id"] for post in laptop.does("posts")] == [posted["id"]]
    laptop.does("post", "Campaign two", "--edit", posted["id"])
    phone.does("sync")
    assert phone.does("posts")[0]["title"] == "Campaign two"
    assert phone.does("verify")["problems"] == laptop.does("verify")["problems"] == []


def test_the_code_is_shown_on_a_terminal_alone_and_stands_in_no_result(laptop: Person) -> None:
    assert laptop.fails("device", "add", "--no-wait").code == "usage.needs_input"
    shown = laptop.run("device", "add", "--no-wait", typed=[])
    assert "The pairing code" in shown.err
    code = next(line.strip() for line in shown.err.splitlines() if line.startswith("    "))
    assert code not in shown.out
    file = laptop.folder / "kept"
    answer = laptop.run("device", "add", "--no-wait", "--code-out", str(file), "--json")
    assert file.read_text().strip() not in answer.out + answer.err
    assert file.stat().st_mode & 0o777 == 0o600
    assert laptop.fails("device", "add", "--no-wait", "--code-out", str(file)).code == "home.recovery_file_exists"
    assert laptop.fails("device", "join", code, "--at", str(laptop.folder), "--home", "x").code == "usage.code_argument"


def test_devices_are_listed_named_and_found_by_their_ids(laptop: Person, shared: Path) -> None:
    phone = joins(laptop, "phone", shared, "--name", "Pocket", "--limited")
    both = {one["name"]: one for one in laptop.does("devices")}
    assert {name: (one["kind"], one["state"]) for name, one in both.items()} == {
        "Pocket": ("device", "active"),
        "laptop": ("admin", "this"),
    }
    pocket = both["Pocket"]["id"]
    named = laptop.does("device", "rename", pocket, "Telephone")
    assert (named["id"], named["name"]) == (pocket, "Telephone")
    again = laptop.run("device", "rename", pocket, "Telephone", "--json")
    assert (again.exit, again.json["replayed"]) == (0, True)
    phone.does("sync")
    assert {one["name"]: one["state"] for one in phone.does("devices")} == {"Telephone": "this", "laptop": "active"}
    assert laptop.fails("device", "rename", "dev-0000", "x").code == "device.unknown"
    assert "Telephone" in laptop.run("devices").out


def test_a_limited_device_lets_nobody_in_and_renews_itself_with_the_recovery_code_alone(
    laptop: Person, shared: Path
) -> None:
    phone = joins(laptop, "phone", shared, "--limited")
    file = phone.folder / "more"
    assert phone.fails("device", "add", "--no-wait", "--code-out", str(file)).code == "device.not_admin"
    assert not file.exists()
    assert phone.fails("device", "renew").code == "device.not_admin"
    phone.does("device", "renew", "--recovery-file", str(laptop.recovery_file))
    laptop.does("sync")
    states = {(one["kind"], one["state"]) for one in phone.does("devices")}
    assert states == {("admin", "this"), ("device", "former"), ("admin", "active")}


def test_devices_let_devices_in_until_the_root_is_too_far(laptop: Person, shared: Path) -> None:
    second = joins(laptop, "second", shared)
    third = joins(second, "third", shared)
    fourth = joins(third, "fourth", shared)
    file = fourth.folder / "more"
    assert fourth.fails("device", "add", "--no-wait", "--code-out", str(file)).code == "device.too_deep"
    fourth.does("device", "renew", "--recovery-file", str(laptop.recovery_file))
    fifth = joins(fourth, "fifth", shared)
    for person in (laptop, second, third, fourth, fifth, laptop):
        person.does("sync")
        assert person.does("verify")["problems"] == []
    assert len(laptop.does("devices")) == 6


def test_a_wrong_code_and_a_used_one_say_so(laptop: Person, shared: Path) -> None:
    other = Person(laptop.folder, "other", now=laptop.now or "")
    keys = ("--key-file", str(other.key_file), "--at", str(shared))
    code = code_of(laptop)
    wrong = code[:-5] + ("0" if code[-5] != "0" else "1") + code[-4:]
    assert other.fails("device", "join", "-", *keys, stdin=wrong).code == "pairing.bad_code"
    joined, answer = knocks(laptop, "phone", shared, code, lambda: laptop.run("sync"))
    assert answer.exit == 0, answer.err
    assert other.fails("device", "join", "-", *keys, stdin=code).code == "pairing.no_mailbox"
    assert not other.home.exists()
    assert not other.key_file.exists()
    assert joined.fails("device", "join", "-", *keys, stdin=code).code == "home.exists"
    assert list((shared / "chaise-1" / "pair").iterdir()) == []


def test_a_second_device_on_one_code_is_refused(laptop: Person, shared: Path) -> None:
    code = code_of(laptop)
    first, waits = knocks(laptop, "phone", shared, code, never, env={"CHAISE_NOW": "2026-11-20T12:00:00Z"})
    assert waits.exit == 1, waits.err  # it asked, and this test ended its patience
    _, second = knocks(laptop, "tablet", shared, code, never)
    assert second.code == "pairing.used"
    assert not first.home.exists()


def test_a_code_is_good_for_ten_minutes(laptop: Person, shared: Path) -> None:
    code = code_of(laptop)

    def later() -> None:
        laptop.now = "2026-11-20T12:11:00Z"
        laptop.run("sync")
        raise TimeoutError

    _, answer = knocks(laptop, "phone", shared, code, later)
    assert answer.exit == 1
    assert [one["name"] for one in laptop.does("devices")] == ["laptop"]


def test_whoever_waits_answers(laptop: Person, shared: Path) -> None:
    """`device add` stays until the other has joined; here the other comes in its pause."""
    file = laptop.folder / "code"
    original, seen = doors.wait, list[Person]()

    def pause(_: float) -> None:
        if not seen:
            seen.append(Person(laptop.folder, "phone", now=laptop.now or ""))
            keys = ("--key-file", str(seen[0].key_file), "--at", str(shared), "--timeout", "0s")
            asked = seen[0].run("device", "join", "-", *keys, "--json", stdin=file.read_text())
            assert (asked.exit, asked.code) == (8, "pairing.no_answer")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(doors, "wait", lambda s, u, v, patience: original(s, u, v, patience._replace(sleep=pause)))
        made = laptop.does("device", "add", "--code-out", str(file))
    assert made["device"]["name"]
    assert len(laptop.does("devices")) == 2


def test_nobody_comes(laptop: Person) -> None:
    late = laptop.fails("device", "add", "--code-out", str(laptop.folder / "code"), "--timeout", "0s")
    assert (late.exit, late.code, late.data["device"]) == (8, "pairing.nobody_came", None)


def test_a_device_joins_by_ssh_and_a_peer_without_a_pairing_refuses(laptop: Person, tmp_path: Path) -> None:
    """The far side is asked over the streams of `chaise sync --stdio`."""
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    (bin_ / "chaise").write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m chaise_cli "$@"\n')
    (bin_ / "ssh").write_text('#!/bin/sh\nshift 2\nexec sh -c "$*"\n')
    for program in bin_.iterdir():
        program.chmod(0o700)
    env = {"PATH": f"{bin_}:{os.environ['PATH']}"}
    place = f"ssh://far{laptop.home}"
    refused_home, refused = knocks(laptop, "tablet", place, pairing.write_code(bytes(20)), never, env=env)
    assert (refused.exit, refused.code) == (3, "pairing.no_mailbox")
    assert not refused_home.home.exists()
    phone, answer = knocks(laptop, "phone", place, code_of(laptop), never, env=env)
    assert answer.exit == 0, answer.err
    assert [board["name"] for board in phone.does("boards")] == ["marketing"]
    assert {one["name"] for one in laptop.does("devices")} == {"laptop", "phone"}
