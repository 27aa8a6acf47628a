"""Lisa in Berlin and James in New York, each with a home of their own."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.cast import Cast, Ground
from tests.e2e.hired import fund, hired
from tests.e2e.people import Person, exchange
from tests.e2e.relay_process import RelayProcess


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RelayProcess]:
    """A relay for all tests of a file."""
    made = RelayProcess(tmp_path_factory.mktemp("served") / "relay")
    yield made
    made.stop(signal.SIGKILL)


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    """A folder that all tests of a file are played in, each from a stage on."""
    return Ground(tmp_path_factory.mktemp("played"))


@pytest.fixture(scope="session")
def cast(tmp_path_factory: pytest.TempPathFactory) -> Cast:
    """Where the stages lie with which tests begin."""
    return Cast(tmp_path_factory.mktemp("cast"))


@pytest.fixture
def lisa(cast: Cast, tmp_path: Path) -> Person:
    """The client."""
    made = Person(tmp_path, "lisa")
    settings = {"role": "client", "tz": "Europe/Berlin", "email": "lisa@example.org"}
    cast.at("lisa", made, play=lambda: made.init(**settings).out)
    return made


@pytest.fixture
def james(cast: Cast, tmp_path: Path) -> Person:
    """The talent."""
    made = Person(tmp_path, "james")
    cast.at("james", made, play=lambda: made.init(role="talent", tz="America/New_York").out)
    return made


@pytest.fixture
def board(cast: Cast, lisa: Person, james: Person) -> str:
    """A board that Lisa made and James joined; its id. Each has the other's profile."""

    def play() -> str:
        made = lisa.does("board", "create", "marketing")
        james.does("board", "join", "-", stdin=made["invite"])
        exchange(lisa, james)
        return str(made["id"])

    return cast.at("board", lisa, james, play=play)


@pytest.fixture
def deal(cast: Cast, lisa: Person, james: Person, board: str) -> str:
    """Lisa and James talk, unless a file says more; both know it."""

    def play() -> str:
        made = lisa.does("message", "@james", "Hello James")
        exchange(lisa, james)
        return str(made["deal"])

    return cast.at("talk", lisa, james, play=play)


@pytest.fixture
def funded(cast: Cast, lisa: Person, james: Person, board: str) -> str:
    """A deal of signed terms, 600 and 1400 EUR; Lisa holds the money of the first, unknown to James."""

    def play() -> str:
        made = hired(lisa, james)
        fund(lisa, f"{made}/1")
        return made

    return cast.at("funded", lisa, james, play=play)
