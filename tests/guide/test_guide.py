"""Every command in the guide works as written, at a terminal, for people with several machines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.guide import play

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CHAPTERS = [chapter for part in play.parts() for chapter in part]


class Telling:
    """The guide as far as it was played; chapters build on one another, whichever test process asks for them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.stages: dict[Path, play.Stage] = {}
        self._differences: dict[Path, list[str]] = {}

    def differences(self, chapter: Path) -> list[str]:
        """Where what was printed in a chapter is not what it says."""
        part = next(part for part in play.parts() if chapter in part)
        for earlier in part[: part.index(chapter) + 1]:
            if earlier not in self._differences:
                stage = self._stage(part[0])
                told = play.steps(earlier.read_text())
                found = [stage.differs(step, stage.play(step)) for step in told]
                self._differences[earlier] = [difference for difference in found if difference]
        return self._differences[chapter]

    def _stage(self, first: Path) -> play.Stage:
        if first not in self.stages:
            folder = self._folder / str(len(self.stages))
            folder.mkdir()
            self.stages[first] = play.Stage(folder)
        return self.stages[first]


@pytest.fixture(scope="module")
def telling(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Telling]:
    """Everybody before the first chapter."""
    made = Telling(tmp_path_factory.mktemp("guide"))
    yield made
    for stage in made.stages.values():
        stage.close()


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_the_chapter_prints_what_it_says(telling: Telling, chapter: Path) -> None:
    assert telling.differences(chapter) == []
