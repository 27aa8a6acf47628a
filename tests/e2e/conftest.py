"""Lisa in Berlin and James in New York, each with a home of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.people import Person, exchange


@pytest.fixture
def lisa(tmp_path: Path) -> Person:
    """The client."""
    return Person(tmp_path, "lisa", role="client", tz="Europe/Berlin", email="lisa@example.org")


@pytest.fixture
def james(tmp_path: Path) -> Person:
    """The talent."""
    return Person(tmp_path, "james", role="talent", tz="America/New_York")


@pytest.fixture
def board(lisa: Person, james: Person) -> str:
    """A board that Lisa made and James joined; its id. Each has the other's profile."""
    made = lisa.does("board", "create", "marketing")
    james.does("board", "join", "-", stdin=made["invite"])
    exchange(lisa, james)
    return str(made["id"])


@pytest.fixture
def deal(lisa: Person, james: Person, board: str) -> str:
    """Lisa and James talk, unless a file says more; both know it."""
    made = lisa.does("message", "@james", "Hello James")
    exchange(lisa, james)
    return str(made["deal"])
