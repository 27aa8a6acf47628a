from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import pytest

from chaise_cli import cli
from chaise_cli.commands import registry
from tests.e2e.people import Person


def test_without_a_verb_the_inbox_is_shown(lisa: Person) -> None:
    for argv in (["--json"], ["--json", "--home", str(lisa.home)], [f"--home={lisa.home}", "--no-input", "--json"]):
        answer = lisa.run(*argv)
        assert (answer.exit, answer.json["schema"]) == (0, "chaise.inbox/1")
    assert lisa.run().exit == 0


def test_another_home_can_be_named_without_a_verb(lisa: Person, james: Person) -> None:
    lisa.does("board", "create", "marketing")
    theirs = james.run("--json", "--home", str(lisa.home), "--key-file", str(lisa.key_file))
    assert any("not sent" in step["who"] for step in theirs.json["next"])
    assert james.run("--json").json["next"] == []


@pytest.mark.parametrize(
    "argv", [["inbx"], ["--json", "inbx"], ["--home", "there", "inbx"], ["--key-file", "k", "inbx"]]
)
def test_a_mistyped_verb_is_no_argument_of_the_inbox(lisa: Person, argv: list[str]) -> None:
    answer = lisa.run(*argv)
    assert (answer.exit, answer.out) == (2, "")
    assert "there is no command 'inbx'" in answer.err or '"code":"usage.unknown_command"' in answer.err


def test_help_and_version_stay_those_of_the_program(lisa: Person) -> None:
    assert lisa.run("--help").out.startswith("Usage: chaise ")
    assert lisa.run("--version").out.startswith("chaise ")


def test_every_common_option_that_takes_a_word_is_known() -> None:
    hints = [get_args(hint) for hint in registry._COMMON.values()]
    taking = {option.default for kind, option in hints if kind not in (bool, bool | None)}
    assert taking == set(cli._VALUED)


@pytest.mark.parametrize("before", [["--json"], ["--no-input", "--json"], ["--color", "--json"]])
def test_options_may_stand_before_the_verb(lisa: Person, james: Person, before: list[str]) -> None:
    home = ["--home", str(lisa.home), "--key-file", str(lisa.key_file)]
    assert james.run(*before, *home, "whoami").json["data"]["handle"] == "lisa"
    made = james.run(*before, *home, "board", "create", "marketing")
    assert (made.exit, made.data["name"]) == (0, "marketing")


def test_a_rehearsal_says_what_would_be_signed_and_nothing_of_what_comes_next(lisa: Person) -> None:
    lisa.does("board", "create", "marketing")
    answer = lisa.run("post", "One", "--brief", "b", "--dry-run", "--json")
    assert answer.json["warnings"] == ["nothing was signed; it would be: post.published"]
    assert answer.json["next"] == []
    assert "it would be: post.published" in lisa.run("post", "One", "--brief", "b", "--dry-run").err


@pytest.mark.parametrize(
    ("streams", "verb", "status"),
    [
        ("<&-", "boards --json", 0),
        ("<&- >&- 2>&-", "boards", 0),
        ("<&-", "batch", 0),
        (">&- 2>&-", "nope", 2),
        (">/dev/full", "boards --json", 5),
        ("2>/dev/full", "nope", 2),
        ("2>&1 | exec true", "boards", 0),
        ("2>&1 | exec true", "nope", 2),
    ],
)
def test_streams_that_are_closed_or_full_change_no_outcome(
    lisa: Person, tmp_path: Path, streams: str, verb: str, status: int
) -> None:
    lisa.does("board", "create", "marketing")
    program = f"{sys.executable} -m chaise_cli {verb} --home {lisa.home} --key-file {lisa.key_file} {streams}"
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(Path(cli.__file__).parents[1]), "HOME": str(tmp_path)}
    script = f"set -o pipefail; {program}"
    done = subprocess.run(["bash", "-c", script], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, "a bug in" in done.stderr, "Traceback" in done.stderr) == (status, False, False)
    if streams == "<&-" and "--json" in verb:
        assert json.loads(done.stdout)["ok"]


def _parts(command: Any) -> list[Any]:
    """A command and its parameters, with those of the verbs of a group."""
    below = [part for each in getattr(command, "commands", {}).values() for part in _parts(each)]
    return [command, *command.params, *below]


@pytest.mark.parametrize("verb", cli.VERBS)
def test_a_command_is_built_once_and_keeps_nothing_of_a_run(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Help, a parse and a call that does not fit leave it as it was, but for the help option, made when first asked."""
    command = cli.command_of(verb)
    assert cli.run([verb, "--help"]) == 0
    before = [repr(vars(part)) for part in _parts(command)]
    first = capsys.readouterr().out
    command.make_context(verb, ["--color", "--json"], resilient_parsing=True)
    assert cli.run([verb, "--no-such-option"]) == 2
    assert cli.run([verb, "--help"]) == 0
    assert capsys.readouterr().out == first
    assert [repr(vars(part)) for part in _parts(command)] == before
    assert cli.command_of(verb) is command


def test_what_one_run_was_given_is_not_given_to_the_next(lisa: Person) -> None:
    lisa.does("board", "create", "marketing")
    for title, skill in (("One", "seo"), ("Two", "ads")):
        lisa.does("post", title, "--brief", "b", "--skill", skill)
    assert [one["title"] for one in lisa.does("posts", "--skill", "seo", "--limit", "1")] == ["One"]
    assert sorted(one["title"] for one in lisa.does("posts")) == ["One", "Two"]
    assert [one["title"] for one in lisa.does("posts", "--skill", "ads")] == ["Two"]
