from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.simulator.stage import Stage, stage


@pytest.fixture
def on() -> Iterator[Stage]:
    """A stage of the test's own: what it replaces is put back before another test runs."""
    with stage() as made:
        yield made
