"""Prompts, the editor, and progress: what happens at a terminal, and that nothing happens without one."""

from __future__ import annotations

import getpass
import io
import stat
import sys
from pathlib import Path

import pytest

from chaise_cli.render import editor, prompts
from chaise_cli.render.emit import OutputOptions
from chaise_cli.render.progress import progress

OPTIONS = OutputOptions()


class Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


def at_a_terminal(monkeypatch: pytest.MonkeyPatch, typed: str) -> Tty:
    """A terminal on stdin, where `typed` is typed, and on stderr, which is returned."""
    screen = Tty()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setattr(sys, "stdin", Tty(typed))
    return screen


def test_a_question_is_put_on_stderr(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    screen = at_a_terminal(monkeypatch, "  Lisa \n")
    assert prompts.ask("Your name\x1b", "--name", OPTIONS) == "Lisa"
    assert screen.getvalue() == "Your name<U+001B>: "
    assert capsys.readouterr().out == ""


def test_an_empty_answer_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = at_a_terminal(monkeypatch, "\n")
    assert prompts.ask("Zone", "--tz", OPTIONS, default="UTC") == "UTC"
    assert screen.getvalue() == "Zone [UTC]: "


@pytest.mark.parametrize("options", [OPTIONS._replace(no_input=True), OPTIONS])
def test_without_a_terminal_the_error_names_the_flag(options: OutputOptions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Tty())
    monkeypatch.setattr(sys, "stdin", Tty("y\n") if options.no_input else io.StringIO("y\n"))
    for question in (prompts.ask, prompts.confirm, prompts.secret):
        with pytest.raises(prompts.NeedsInput) as refusal:
            question("Name", "--name", options)
        assert refusal.value.advice() == "give --name"
    with pytest.raises(prompts.NeedsInput):
        prompts.choose("Which", ["a"], "--slot", options)


@pytest.mark.parametrize("answer", ["y\n", "YES\n"])
def test_yes_goes_on(answer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = at_a_terminal(monkeypatch, answer)
    prompts.confirm("Release 600.00 EUR?", "--yes", OPTIONS)
    assert screen.getvalue() == "Release 600.00 EUR? [y/N] "


@pytest.mark.parametrize("answer", ["", "\n", "n\n", "yep\n"])
def test_anything_else_does_nothing(answer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    at_a_terminal(monkeypatch, answer)
    with pytest.raises(prompts.NotConfirmed):
        prompts.confirm("Sure?", "--yes", OPTIONS)


def test_a_choice_is_made_by_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = at_a_terminal(monkeypatch, "3\n0\n2\n")
    assert prompts.choose("Which", ["a", "b\u202e"], "--slot", OPTIONS) == 1
    assert "  2  b<U+202E>\n" in screen.getvalue()


def test_no_choice_is_no_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    at_a_terminal(monkeypatch, "\n")
    with pytest.raises(prompts.NotConfirmed):
        prompts.choose("Which", ["a"], "--slot", OPTIONS)


def test_a_secret_is_typed_unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = at_a_terminal(monkeypatch, "")
    monkeypatch.setattr(getpass, "getpass", lambda prompt, stream: f"{prompt}{stream is screen}")
    assert prompts.secret("Passphrase", "--passphrase-fd", OPTIONS) == "Passphrase: True"

    def closed(prompt: str, stream: object) -> str:
        raise EOFError

    monkeypatch.setattr(getpass, "getpass", closed)
    with pytest.raises(prompts.NotConfirmed):
        prompts.secret("Passphrase", "--passphrase-fd", OPTIONS)


def editor_that(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    """Set VISUAL to a program that runs `body` with `path` and the text `seen`."""
    script = tmp_path / "editor.py"
    script.write_text(f"import os, sys\npath = sys.argv[1]\nseen = open(path, encoding='utf-8').read()\n{body}\n")
    monkeypatch.setenv("VISUAL", f"'{sys.executable}' '{script}'")
    monkeypatch.setenv("EDITOR", "false")


def test_the_editor_gives_what_stands_above_the_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = tmp_path / "seen"
    body = f"open({str(kept)!r}, 'w').write(path + chr(10) + seen)\n"
    body += "open(path, 'w').write('Hello' + chr(10) + '# Title' + seen)"
    editor_that(tmp_path, monkeypatch, body)
    assert editor.edit("--text", below="Their words\x1b\nand more") == "Hello\n# Title"
    path, _, seen = kept.read_text().partition("\n")
    assert seen == f"\n\n{editor.CUT}\n# Their words<U+001B>\n# and more\n"
    assert not Path(path).exists()


def test_only_the_owner_can_look_into_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = tmp_path / "modes"
    body = "modes = [oct(os.stat(p).st_mode & 0o777) for p in (path, os.path.dirname(path))]\n"
    body += f"open({str(kept)!r}, 'w').write(str(modes))\nopen(path, 'w').write('x')"
    editor_that(tmp_path, monkeypatch, body)
    editor.edit("--text")
    assert kept.read_text() == str([oct(stat.S_IRUSR | stat.S_IWUSR), oct(stat.S_IRWXU)])


def test_an_empty_text_gives_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    editor_that(tmp_path, monkeypatch, "")
    with pytest.raises(editor.EmptyText):
        editor.edit("--text", below="Their words")


@pytest.mark.parametrize("body", ["sys.exit(3)", "open(path, 'wb').write(bytes([255]))", "os.remove(path)"])
def test_an_editor_that_fails_is_an_error(body: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    editor_that(tmp_path, monkeypatch, body)
    with pytest.raises(editor.EditorFailed):
        editor.edit("--text")


@pytest.mark.parametrize("command", ["/nowhere/editor", "'unclosed"])
def test_an_editor_that_is_not_there_is_an_error(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISUAL", command)
    with pytest.raises(editor.EditorFailed):
        editor.edit("--text")


def test_progress_in_a_pipe_is_a_line_a_quarter(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("syncing", OPTIONS) as shown:
        for done in range(101):
            shown.step(done, 100)
        shown.step(5)
    assert capsys.readouterr().err.splitlines() == [
        "syncing …",
        *(f"syncing: {done} of 100" for done in (25, 50, 75, 100)),
    ]


def test_quiet_work_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("syncing", OPTIONS._replace(quiet=True)) as shown:
        shown.step(1, 2)
    assert capsys.readouterr() == ("", "")


def test_progress_on_a_terminal_is_a_bar_that_goes_away(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Tty()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "80")
    with progress("syncing [red]", OPTIONS._replace(color=True)) as shown:
        shown.step(1, 2)
    assert "syncing [red]" in screen.getvalue()
