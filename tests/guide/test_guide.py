"""Every command in the guide works as written, at a terminal, for people with several machines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.guide import play

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("part", play.parts(), ids=lambda part: part[0].parent.name)
def test_the_part_prints_what_it_says(tmp_path_factory: pytest.TempPathFactory, part: list[Path]) -> None:
    """Chapters of a part build on one another, so they are played in one go."""
    stage = play.Stage(tmp_path_factory.mktemp("guide"), forked=True)  # a short path: tables show it
    try:
        for chapter in part:
            told = play.steps(chapter.read_text())
            found = [stage.differs(step, stage.play(step)) for step in told]
            assert [difference for difference in found if difference] == [], chapter.name
    finally:
        stage.close()
