"""`update`, `deliver`, `changes`, `files`: work goes over, comes back, and its files arrive whole."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tests.e2e.cast import Cast
from tests.e2e.hired import fund, hired, settle
from tests.e2e.people import Person, exchange


@pytest.fixture
def deal(cast: Cast, lisa: Person, james: Person, board: str) -> str:
    """A deal whose first milestone is funded, and both know it."""

    def play() -> str:
        made = hired(lisa, james)
        fund(lisa, f"{made}/1")
        settle(lisa, james)
        return made

    return cast.at("money work", lisa, james, play=play)


def carry_files(one: Person, other: Person) -> None:
    """Copy what is attached, which `exchange` leaves behind."""
    for path in (one.home / "objects").iterdir():
        (other.home / "objects" / path.name).write_bytes(path.read_bytes())


def test_work_is_delivered_sent_back_delivered_again_and_paid(lisa: Person, james: Person, deal: str) -> None:
    first = james.run("deliver", f"{deal}/1", "--note", "all criteria met", "--json")
    assert (first.data["state"], first.data["final"]) == ("delivered", False)
    assert first.json["next"][0]["command"] == f"chaise release {deal}/1"
    settle(lisa, james)
    taken = lisa.does("show", f"{deal}/1")
    assert (taken["final"], taken["review_deadline"]) == (True, "2026-12-04T12:00:00Z")
    back = lisa.run("changes", f"{deal}/1", "pixel missing on /checkout", "--json")
    assert (back.data["state"], back.data["review_deadline"]) == ("changes", None)
    assert back.json["next"][0]["who"] == "James"
    exchange(lisa, james)
    james.does("deliver", f"{deal}/1", "--note", "fixed")
    settle(lisa, james)
    assert lisa.fails("changes", f"{deal}/1", "more").code == "work.no_revisions_left"
    assert lisa.does("release", f"{deal}/1", "--confirm", "600.00 EUR to @james")["state"] == "released"


def test_an_update_goes_to_a_milestone_or_to_all_of_them(lisa: Person, james: Person, deal: str) -> None:
    assert james.does("update", f"{deal}/1", "Tracking is in")["n"] == 1
    both = james.run("update", deal, "-", stdin="All is well\n", env={}, typed=None).out
    assert "Setup" in both
    assert "Run" in both
    exchange(lisa, james)
    assert [one["text"] for one in lisa.does("messages", deal)][-2:]


def test_work_without_money_is_warned_of(lisa: Person, james: Person, deal: str) -> None:
    answer = james.run("update", f"{deal}/2", "starting", "--json")
    assert f"{deal}/2: of 1400.00 EUR only 0.00 EUR have been put into escrow" in answer.json["warnings"]
    assert any("not secured" in warning for warning in answer.json["warnings"])


def test_files_arrive_whole_under_a_name_of_their_own(lisa: Person, james: Person, deal: str, tmp_path: Path) -> None:
    site = tmp_path / "site.tar"
    site.write_bytes(b"\0x" * 700_000)
    james.does("deliver", f"{deal}/1", "--file", str(site))
    settle(lisa, james)
    assert [(one["name"], one["size"], one["fetched"]) for one in lisa.does("files", deal)] == [
        ("site.tar", 1_400_000, False)
    ]
    early = lisa.fails("files", deal, "--fetch", str(tmp_path / "got"))
    assert (early.exit, early.code) == (8, "file.not_here")
    carry_files(james, lisa)
    got = lisa.does("files", f"{deal}/1", "--fetch", str(tmp_path / "got"))
    path = Path(got[0]["path"])
    assert path == tmp_path / "got" / "site.tar"
    assert path.read_bytes() == site.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again = lisa.does("files", deal, "--fetch", str(tmp_path / "got"))
    assert again[0]["path"] == got[0]["path"], "what is there with the same content stays"


def test_nothing_that_is_there_is_written_over(lisa: Person, james: Person, deal: str, tmp_path: Path) -> None:
    site, folder, precious = tmp_path / "site.tar", tmp_path / "got", tmp_path / "precious"
    site.write_bytes(b"new")
    folder.mkdir()
    precious.write_text("mine")
    (folder / "site.tar").symlink_to(precious)
    james.does("deliver", f"{deal}/1", "--file", str(site))
    assert james.does("files", deal, "--fetch", str(folder))[0]["path"] == str(folder / "site-2.tar")
    assert precious.read_text() == "mine"


def test_damaged_content_is_told_and_not_kept(lisa: Person, james: Person, deal: str, tmp_path: Path) -> None:
    site = tmp_path / "site.tar"
    site.write_bytes(b"content")
    james.does("deliver", f"{deal}/1", "--file", str(site))
    held = next((james.home / "objects").iterdir())
    held.write_bytes(held.read_bytes()[:-1] + b"\0")
    answer = james.fails("files", deal, "--fetch", str(tmp_path / "got"))
    assert (answer.exit, answer.code) == (11, "file.damaged")
    assert list((tmp_path / "got").iterdir()) == []


def test_a_delivery_repeated_under_its_request_id_is_one_delivery(lisa: Person, james: Person, deal: str) -> None:
    call = ("deliver", f"{deal}/1", "--note", "done", "--request-id", "d1")
    james.does(*call)
    again = james.run(*call, "--json")
    assert (again.exit, again.json["replayed"], again.data["state"]) == (0, True, "delivered")
    assert james.fails("deliver", f"{deal}/1", "--note", "other", "--request-id", "d1").exit == 12


@pytest.mark.parametrize(
    ("words", "exit_", "code"),
    [
        (("deliver", "{deal}/1"), 5, "work.nothing_delivered"),
        (("deliver", "{deal}", "--note", "x"), 2, "usage.milestone_wanted"),
        (("deliver", "{deal}/2", "--note", "x"), 5, "deal.wrong_state"),
        (("deliver", "{deal}/9", "--note", "x"), 3, "milestone.unknown"),
        (("deliver", "{deal}/1", "--file", "/nowhere"), 2, "files.unreadable"),
        (("deliver", "{deal}/1", "--note", "x", "--note-file", "y"), 2, "usage.two_texts"),
        (("changes", "{deal}/1", "x"), 5, "deal.not_yours"),
        (("changes", "{deal}/1"), 2, "usage.missing_text"),
        (("update", "{deal}"), 2, "usage.missing_text"),
        (("update", "{deal}/7", "x"), 3, "milestone.unknown"),
        (("files", "{deal}/7"), 3, "milestone.unknown"),
        (("files", "{deal}", "--fetch", "/dev/null/x"), 5, "file.no_target"),
        (("files", "msg-0000"), 2, "usage.bad_id"),
    ],
)
def test_what_cannot_be_done_has_its_own_code(
    james: Person, deal: str, words: tuple[str, ...], exit_: int, code: str
) -> None:
    refused = james.fails(*(word.format(deal=deal) for word in words))
    assert (refused.exit, refused.code) == (exit_, code), refused.error
    assert refused.error["hint"]


def test_the_client_delivers_nothing(lisa: Person, deal: str) -> None:
    assert lisa.fails("deliver", f"{deal}/1", "--note", "x").code == "deal.not_yours"
    assert lisa.fails("update", deal, "x").code == "deal.not_yours"
