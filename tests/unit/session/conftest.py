"""One market for all tests of the session; each test opens copies of its homes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from chaise_cli.session.session import Session
from tests.fakes import homes
from tests.fakes.homes import Market
from tests.fakes.stages import Stages


@pytest.fixture(scope="session")
def market(tmp_path_factory: pytest.TempPathFactory) -> Market:
    return homes.market(tmp_path_factory.mktemp("market"))


@pytest.fixture(scope="session")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Stages:
    """What tests begin with, played once."""
    return Stages(tmp_path_factory.mktemp("stages"))


@pytest.fixture
def ada(market: Market, tmp_path: Path) -> Iterator[Session]:
    """Mallory's home once more, for a third party that holds money."""
    with market.visit(tmp_path / "ada", "mallory") as (session,):
        yield session


@pytest.fixture(autouse=True)
def _runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What `unlock` keeps lies in the test's own folder."""
    (tmp_path / "run").mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))


@pytest.fixture
def lisa(market: Market, tmp_path: Path) -> Iterator[Session]:
    """The client, with an open home."""
    with market.visit(tmp_path, "lisa") as (session,):
        yield session


@pytest.fixture
def james(market: Market, tmp_path: Path) -> Iterator[Session]:
    """The talent, with an open home."""
    with market.visit(tmp_path, "james") as (session,):
        yield session


@pytest.fixture
def mallory(market: Market, tmp_path: Path) -> Iterator[Session]:
    """Somebody else on the board, with an open home."""
    with market.visit(tmp_path, "mallory") as (session,):
        yield session
