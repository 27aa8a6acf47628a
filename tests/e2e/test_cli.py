from __future__ import annotations

from typing import get_args

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
