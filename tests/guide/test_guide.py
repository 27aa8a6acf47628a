"""Every command in the guide works as written, at a terminal, for two people."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.guide import play

if TYPE_CHECKING:
    from pathlib import Path


class Telling:
    """The guide as far as it was played; chapters build on one another, whichever test process asks for them."""

    def __init__(self, folder: Path) -> None:
        self._stage = play.Stage(folder)
        self._differences: dict[str, list[str]] = {}

    def differences(self, chapter: Path) -> list[str]:
        """Where what was printed in a chapter is not what it says."""
        for earlier in play.chapters():
            if earlier.stem not in self._differences:
                told = play.steps(earlier.read_text())
                found = [self._stage.differs(step, self._stage.play(step)) for step in told]
                self._differences[earlier.stem] = [difference for difference in found if difference]
            if earlier == chapter:
                break
        return self._differences[chapter.stem]


@pytest.fixture(scope="module")
def telling(tmp_path_factory: pytest.TempPathFactory) -> Telling:
    """Lisa and James before the first chapter."""
    return Telling(tmp_path_factory.mktemp("guide"))


@pytest.mark.parametrize("chapter", play.chapters(), ids=lambda path: path.stem)
def test_the_chapter_prints_what_it_says(telling: Telling, chapter: Path) -> None:
    assert telling.differences(chapter) == []
