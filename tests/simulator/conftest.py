from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulator.stage import Stage, stage


@pytest.fixture(scope="session")
def cast(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The people of all runs, gathered once."""
    with stage() as made:
        return Path(shutil.copytree(made.folder / "cast", tmp_path_factory.mktemp("sim") / "cast"))


@pytest.fixture
def on(cast: Path) -> Iterator[Stage]:
    """A stage of the test's own: what it replaces is put back before another test runs."""
    with stage(cast) as made:
        yield made
