from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.people import Answer, Person


def batch(person: Person, *lines: list[str], atomic: bool = False) -> tuple[Answer, list[dict[str, Any]]]:
    """What a batch of these commands answers, in all and line by line."""
    given = "".join(json.dumps(line) + "\n" for line in lines)
    answer = person.run("batch", *(["--atomic"] if atomic else []), stdin=given)
    return answer, [json.loads(line) for line in answer.out.splitlines()]


@pytest.fixture
def board(lisa: Person, tmp_path: Path) -> str:
    (tmp_path / "shared").mkdir()
    return str(lisa.does("board", "create", "marketing", "--at", str(tmp_path / "shared"))["id"])


def test_a_text_from_stdin_does_not_swallow_the_lines_behind_it(lisa: Person, board: str) -> None:
    answer, lines = batch(lisa, ["post", "One", "--brief", "-"], ["boards"])
    assert [line.get("error", {}).get("code") for line in lines] == ["batch.bad_line", None]
    assert (answer.exit, lines[1]["data"][0]["id"], lisa.does("posts")) == (2, board, [])


@pytest.mark.parametrize("line", [["posts", "--help"], ["help"], ["schema", "deal"], ["batch"], ["wait"]])
def test_a_batch_answers_in_json_alone(lisa: Person, line: list[str]) -> None:
    _, lines = batch(lisa, line)
    assert [each["error"]["code"] for each in lines] == ["batch.bad_line"]


@pytest.mark.parametrize("option", [["--home", "elsewhere"], ["--home=elsewhere"], ["--key-file", "k"]])
def test_a_line_cannot_name_another_home(lisa: Person, option: list[str]) -> None:
    _, lines = batch(lisa, ["whoami", *option])
    assert lines[0]["error"]["code"] == "batch.bad_line"


def test_an_atomic_batch_sends_nothing_before_it_is_kept(lisa: Person, board: str, tmp_path: Path) -> None:
    def packs() -> list[Path]:
        return sorted((tmp_path / "shared").rglob("*"))

    before = packs()
    for sends in (["sync"], ["device", "renew"]):
        answer, _ = batch(lisa, ["post", "One", "--board", board, "--brief", "b"], sends, ["nope"], atomic=True)
        assert (answer.exit, answer.out, packs()) == (5, "", before)
    assert lisa.does("posts") == []
    lisa.does("post", "Two", "--brief", "b")
