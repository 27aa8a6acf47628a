from __future__ import annotations

import os
from pathlib import Path

import pytest

from chaise_cli.domain import expected
from chaise_cli.session import inbox
from tests.e2e.people import Person, exchange


def test_a_message_to_a_person_opens_a_deal_and_the_next_goes_into_it(lisa: Person, james: Person, deal: str) -> None:
    assert lisa.does("message", "@james", "Still there?")["deal"] == deal
    exchange(lisa, james)
    assert james.does("message", "@lisa", "Yes")["deal"] == deal
    found = james.does("show", deal)
    assert (found["state"], found["client"]["handle"], found["talent"]["handle"]) == ("talking", "lisa", "james")


def test_a_message_to_a_post_reaches_its_client(lisa: Person, james: Person, board: str) -> None:
    post = lisa.does("post", "Campaign", "--kind", "ads")["id"]
    exchange(lisa, james)
    said = james.does("message", post, "Is it remote?")
    exchange(lisa, james)
    assert lisa.does("show", said["deal"])["post"] == post
    assert lisa.does("messages", said["deal"])[0]["text"] == "Is it remote?"
    assert lisa.fails("message", post, "Hello").code == "post.own"


def test_of_several_deals_the_one_meant_is_named(lisa: Person, james: Person, deal: str) -> None:
    post = lisa.does("post", "Campaign", "--kind", "ads")["id"]
    exchange(lisa, james)
    other = james.does("message", post, "Is it remote?")["deal"]
    refused = james.fails("message", "@lisa", "Hello")
    assert (refused.code, refused.exit) == ("deal.several", 3)
    assert {deal, other} == set(refused.error["details"]["candidates"].split(", "))


def test_a_conversation_is_read_newest_first_and_only_then_counts_as_read(
    lisa: Person, james: Person, deal: str
) -> None:
    lisa.does("message", deal, "Second\nwith two lines")
    exchange(lisa, james)
    assert [item["text"] for item in james.does("messages", "--state", "unread")] == [
        "Second\nwith two lines",
        "Hello James",
    ]
    assert james.does("messages", deal, "--limit", "1")[0]["unread"]
    assert len(james.does("messages", "--state", "unread")) == 2, "one of two was not shown, so neither counts as read"
    assert [item["unread"] for item in james.does("messages", deal, "--sort", "oldest")] == [True, True]
    assert [item["unread"] for item in james.does("messages", deal)] == [False, False]
    assert james.does("messages", "--state", "unread") == []
    assert len(lisa.does("messages", "--state", "sent")) == 2
    assert lisa.does("messages", "--since", "2026-11-21") == []
    assert lisa.does("messages", "--with", "@me", "--limit", "1")[0]["text"].startswith("Second")


def test_files_travel_sealed_beside_a_message(lisa: Person, james: Person, deal: str, tmp_path: Path) -> None:
    (tmp_path / "brief.txt").write_text("all of it")
    said = lisa.does("message", deal, "Here", "--file", str(tmp_path / "brief.txt"))
    (file,) = said["files"]
    assert (file["name"], file["size"], file["fetched"]) == ("brief.txt", 9, True)
    (kept,) = (lisa.home / "objects").iterdir()
    assert b"all of it" not in kept.read_bytes()
    assert kept.stat().st_mode & 0o777 == 0o600
    exchange(lisa, james)
    assert james.does("messages", deal)[0]["files"] == [file | {"fetched": False}]


def test_a_repeated_request_sends_once(lisa: Person, deal: str, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")
    call = ("message", deal, "Once", "--file", str(tmp_path / "a"), "--request-id", "m1")
    first, second = lisa.does(*call), lisa.does(*call)
    assert first == second
    assert len(list((lisa.home / "objects").iterdir())) == 1
    assert lisa.fails("message", deal, "Twice", "--request-id", "m1").exit == 12


def test_a_request_is_answered_again_although_its_person_has_a_second_deal_by_now(
    lisa: Person, james: Person, deal: str
) -> None:
    call = ("message", "@james", "Once", "--request-id", "m1")
    first = lisa.does(*call)
    post = lisa.does("post", "Campaign", "--kind", "ads")["id"]
    lisa.does("invite", post, "@james")
    assert lisa.fails("message", "@james", "Twice").code == "deal.several"
    again = lisa.run(*call, "--json")
    assert (again.exit, again.data, again.json["replayed"]) == (0, first, True)


def test_a_rehearsed_message_keeps_neither_words_nor_files(lisa: Person, deal: str, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")
    lisa.does("message", deal, "Never", "--file", str(tmp_path / "a"), "--dry-run")
    assert list((lisa.home / "objects").iterdir()) == []
    assert [item["text"] for item in lisa.does("messages", deal)] == ["Hello James"]


def test_what_cannot_be_sent_is_refused_by_name(lisa: Person, deal: str, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")
    many = [part for _ in range(21) for part in ("--file", str(tmp_path / "a"))]
    cases: list[tuple[list[str], str]] = [
        ([deal], "usage.missing_text"),
        ([deal, " "], "usage.missing_text"),
        ([deal, "x" * 32_001], "usage.bad_field"),
        ([deal, "bad \x1b[31m"], "usage.not_text"),
        ([deal, "x", "--text-file", "y"], "usage.two_texts"),
        ([deal, "x", "--file", str(tmp_path / "none")], "files.unreadable"),
        ([deal, "x", "--file", str(tmp_path)], "files.unreadable"),
        ([deal, "x", *many], "files.too_many"),
        ([f"{deal}/1", "x"], "usage.milestone_unwanted"),
    ]
    for call, code in cases:
        answer = lisa.fails("message", *call)
        assert (answer.code, answer.exit) == (code, 2), call
    assert list((lisa.home / "objects").iterdir()) == []


def test_a_pipe_that_nobody_writes_to_is_no_file(lisa: Person, deal: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert lisa.fails("message", deal, "x", "--file", str(tmp_path / "pipe")).code == "files.unreadable"


def test_text_comes_from_stdin_and_from_the_editor(lisa: Person, deal: str, tmp_path: Path) -> None:
    assert lisa.does("message", deal, "-", stdin="from a pipe\n")["text"] == "from a pipe"
    editor = tmp_path / "edit"
    editor.write_text('#!/bin/sh\nprintf "from the editor" > "$1"\n')
    editor.chmod(0o700)
    done = lisa.run("message", deal, typed=[], env={"EDITOR": str(editor)})
    assert done.exit == 0, done.err
    assert lisa.does("messages", deal)[0]["text"] == "from the editor"


def test_other_peoples_words_reach_no_terminal_raw(lisa: Person, james: Person, deal: str) -> None:
    lisa.does("message", deal, "pay \u202eevil")
    exchange(lisa, james)
    shown = james.run("messages", deal).out
    assert "\u202e" not in shown
    assert "<U+202E>" in shown


def test_a_strangers_first_words_are_a_request(james: Person, deal: str) -> None:
    (item,) = james.does("inbox")
    assert (item["kind"], item["next"]) == ("request", f"chaise messages {deal}")
    assert "first words" in item["text"]
    james.does("messages", deal)
    james.does("message", deal, "Hello Lisa")
    assert james.does("inbox") == []


def test_the_inbox_is_short_and_each_line_ends_in_its_command(lisa: Person, james: Person, board: str) -> None:
    posts = [lisa.does("post", f"Post {n}", "--kind", "ads")["id"] for n in range(12)]
    exchange(lisa, james)
    for post in posts:
        james.does("propose", post, "--price", "100EUR")
    exchange(lisa, james)
    lines = lisa.run().out.splitlines()
    assert len(lines) == 10, "the titles and nine items"
    assert all("chaise shortlist deal-" in line for line in lines[1:])
    assert len(lisa.does("inbox", "--limit", "50")) == 12
    assert lisa.does("inbox", "--kind", "terms") == []
    assert {item["waits_for"] for item in james.does("inbox", "--all")} == {"Lisa"}
    assert lisa.fails("inbox", "--kind", "gold").code == "usage.not_a_choice"


def test_without_a_home_three_lines_say_how_to_begin(tmp_path: Path) -> None:
    ada = Person(tmp_path, "ada")
    answer = ada.run()
    assert answer.exit == 0
    assert len(answer.out.splitlines()) == 3
    assert "chaise init" in answer.out
    assert ada.fails("inbox").code == "home.missing"


def test_what_waits_for_others_is_told_from_ones_own_side(lisa: Person, james: Person, deal: str) -> None:
    call = lisa.does("book", deal, "--at", "2026-11-25 15:00")["id"]
    lisa.does("hire", deal, "--milestone", "All=100EUR")
    found = {item["kind"]: item for item in lisa.does("inbox", "--all")}
    assert found["call"]["text"] == "the times you offered for a call"
    assert found["terms"]["text"] == "your terms to be signed"
    assert {item["waits_for"] for item in found.values()} == {"James"}
    exchange(lisa, james)
    his = {item["kind"]: item["next"] for item in james.does("inbox")}
    assert (his["terms"], his["call"]) == (f"chaise accept {deal}", f"chaise accept {call}")


def test_every_kind_of_expectation_has_its_words() -> None:
    assert {*inbox._SAID} == {*expected.KINDS}
    assert {*inbox._THEIRS} == {*expected.KINDS} - {inbox._TALK}


@pytest.mark.parametrize("request_id", ["", " ", "x" * 129, "a\nb", "a\x1bb", "\u202e"])
def test_a_request_id_that_the_other_side_would_refuse_is_refused_here(
    lisa: Person, deal: str, request_id: str
) -> None:
    """Else the message would be void for them alone."""
    assert lisa.fails("message", deal, "Hello", "--request-id", request_id).code == "usage.bad_request_id"
    assert lisa.fails("accept", deal, "--request-id", request_id, "--terms", "x").code == "usage.bad_request_id"
    assert lisa.run("message", deal, "Hello", "--request-id", "x" * 128).exit == 0
