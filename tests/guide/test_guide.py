"""Every command in the guide works as written, at a terminal, for two people."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.guide import play

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> play.Stage:
    """Lisa and James before the first chapter; the chapters are played in order and build on one another."""
    return play.Stage(tmp_path_factory.mktemp("guide"))


@pytest.mark.parametrize("chapter", play.chapters(), ids=lambda path: path.stem)
def test_the_chapter_prints_what_it_says(stage: play.Stage, chapter: Path) -> None:
    """Commands run in order; what a terminal shows is what the guide shows."""
    for step in play.steps(chapter.read_text()):
        assert stage.differs(step, stage.play(step)) is None
