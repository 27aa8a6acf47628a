from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from chaise_cli.commands import texts
from chaise_cli.commands.texts import TEXT_LIMIT, TextSource
from chaise_cli.errors import ChaiseError
from chaise_cli.render import editor


def refusal(read: Callable[[str], object], text: str) -> str:
    with pytest.raises(ChaiseError) as refused:
        read(text)
    assert refused.value.exit == 2
    assert refused.value.sentence()
    refused.value.advice()
    return refused.value.code


def source(value: str | None = None, file: Path | None = None, *, may_ask: bool = False) -> TextSource:
    return TextSource(value, file, "--text or --text-file", may_ask=may_ask)


def test_a_text_option_is_that_text() -> None:
    assert texts.text(source("Hello\r\n\tworld  \n")) == "Hello\n\tworld"
    assert texts.text(source("@file")) == "@file"
    assert texts.text(source()) is None


def test_a_dash_is_stdin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("\ufeffGrüße\r\n".encode())))
    assert texts.text(source("-")) == "Grüße"


def test_a_file_is_read_whole(tmp_path: Path) -> None:
    brief = tmp_path / "brief.md"
    brief.write_bytes(b"# Brief\r\n\r\n- one\r\n")
    assert texts.text(source(file=brief)) == "# Brief\n\n- one"


@pytest.mark.parametrize("data", [b"\xff", b"\xed\xa0\x80", b"a\x00b", b"a\x1b[2Jb", b"a\rb"])
def test_what_nobody_could_see_is_no_text(data: bytes, tmp_path: Path) -> None:
    file = tmp_path / "brief.md"
    file.write_bytes(data)
    assert refusal(lambda _: texts.text(source(file=file)), "") == "usage.not_text"


def test_an_argument_that_is_not_utf_8_is_no_text() -> None:
    assert refusal(lambda _: texts.text(source("a\udcffb")), "") == "usage.not_text"


def test_a_text_has_a_limit_wherever_it_comes_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "brief.md"
    file.write_text("x" * TEXT_LIMIT)
    assert len(texts.text(source(file=file)) or "") == TEXT_LIMIT
    file.write_text("x" * (TEXT_LIMIT + 1))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"x" * (TEXT_LIMIT + 1))))
    for given_by in (source(file=file), source("-"), source("x" * (TEXT_LIMIT + 1))):
        assert refusal(lambda _, given_by=given_by: texts.text(given_by), "") == "usage.too_long"  # type: ignore[misc]


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert refusal(lambda _: texts.text(source(file=tmp_path / "none")), "") == "usage.unreadable_file"
    assert refusal(lambda _: texts.text(source(file=tmp_path)), "") == "usage.unreadable_file"


def test_a_text_is_given_once(tmp_path: Path) -> None:
    assert refusal(lambda _: texts.text(source("a", tmp_path)), "") == "usage.two_texts"


def test_a_missing_text_opens_the_editor_only_where_a_person_sits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(editor, "edit", lambda flag, *, below: f"written for {flag}{below}")
    assert texts.needed_text(source(may_ask=True)) == "written for --text or --text-file"
    assert refusal(lambda _: texts.needed_text(source()), "") == "usage.missing_text"
    assert refusal(lambda _: texts.needed_text(source(" \n")), "") == "usage.missing_text"


def test_a_title_is_one_line() -> None:
    assert texts.one_line(" Holiday campaign ", "the title") == "Holiday campaign"
    assert refusal(lambda given: texts.one_line(given, "the title"), "a\nb") == "usage.not_text"
    assert refusal(lambda given: texts.one_line(given, "the title"), " ") == "usage.missing_text"
    assert refusal(lambda given: texts.one_line(given, "the title", 5), "abcdef") == "usage.too_long"
