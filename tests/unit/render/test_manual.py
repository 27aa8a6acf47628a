from __future__ import annotations

import re
import shlex
import tomllib
from typing import Any

import pytest

from chaise_cli import errors
from chaise_cli.cli import VERBS, command_of
from chaise_cli.commands import arguments, board, init, links, post, profile, service, skills, texts
from chaise_cli.domain import booking, directory, handle, review, shape, talk, terms, when
from chaise_cli.errors import ChaiseError
from chaise_cli.render import manual
from chaise_cli.session import doctoring, unlocking
from chaise_cli.store import listings
from tests.architecture.tree import ROOT


def test_every_verb_has_an_example() -> None:
    assert set(manual.EXAMPLES) == set(VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_examples_use_options_that_exist(verb: str) -> None:
    lines = manual.example(verb).replace("\\\n", " ").splitlines()
    command: Any = command_of(verb)
    for words in (shlex.split(line.partition(" < ")[0]) for line in lines):
        assert words[0] == "chaise"
        assert words[1:2] in ([verb], []) or verb == "inbox"
        used = {word for word in words if word.startswith("--")}
        below = getattr(command, "commands", {}).get(words[2] if len(words) > 2 else "", command)
        assert used <= {option for param in below.params for option in (*param.opts, *param.secondary_opts)}, words


def test_the_exit_statuses_are_those_of_the_errors() -> None:
    bases = {cls.exit for cls in vars(errors).values() if isinstance(cls, type) and issubclass(cls, ChaiseError)}
    assert set(manual.EXITS) == bases | {0, 130}


def test_every_code_is_explained_without_a_gap() -> None:
    for code in manual.codes():
        explained = manual.code(code)
        assert explained is not None
        assert not re.search(r"\{\w|\{\{", explained), explained


def test_the_limits_are_the_ones_that_hold() -> None:
    said = " ".join(most for _, most in manual.LIMITS)
    numbers = [
        post.TITLE_LIMIT, init.NAME_LIMIT, profile.NAME_LIMIT, handle.MOST, texts.LINE_LIMIT, post.KIND_LIMIT,
        service.KIND_LIMIT, board.NAME_LIMIT, talk.MESSAGE_MOST, review.WORDS_MOST, skills.SKILL_LIMIT,
        directory.SKILLS_MOST, skills.SKILLS_LIMIT, shape.INTEGER_MOST, when.LONGEST // when.DAY,
        unlocking.LONGEST // when.DAY, booking.SLOTS_MOST, talk.FILES_MOST, terms.MILESTONES_MOST, arguments.LIST_LIMIT,
        listings.DEFAULT_LIMIT, shape.TEXT_MOST // 1024,
    ]  # fmt: skip
    assert [number for number in numbers if not re.search(rf"\b{number}d?\b", said)] == []
    assert links.URL_LIMIT >= 500


def test_doctor_wants_what_the_project_needs() -> None:
    needs = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    wanted = [f"{name}>={least}{f',<{below}' if below else ''}" for name, (least, below) in doctoring.WANTED.items()]
    assert sorted(needs) == sorted(wanted)
