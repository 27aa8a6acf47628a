"""Lisa, James and an agreed call, once; and servers that calls are pushed to, each test with a calendar of its own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.e2e.people import Person, exchange
from tests.fakes.calendar_servers import PASSWORD, USER, CalendarServer, Fake, Radicale, Visitor, radicale_python

AT = "2026-11-25 15:00"  # in Berlin


class World(NamedTuple):
    """Lisa and James, a deal, and a call that both agreed on."""

    folder: Path
    deal: str
    call: str
    uid: str


class Desk(NamedTuple):
    """Lisa with an agreed call, James, and a calendar of hers at a server."""

    lisa: Person
    james: Person
    deal: str
    call: str
    uid: str
    url: str
    there: Visitor

    def push(self, *options: str) -> list[tuple[str, str]]:
        """Push to the calendar: UID and what was done, of each entry."""
        return [(item["uid"], item["did"]) for item in self.lisa.does("calendar", "push", *options)]

    def first(self, *options: str) -> list[tuple[str, str]]:
        """The first push, which makes the calendar."""
        password = self.lisa.folder / "password"
        password.write_text(PASSWORD)
        return self.push(self.url, "--user", USER, "--password-file", str(password), *options)

    def moved_by_both(self, at: str = "2026-11-26 10:00") -> None:
        """The call is moved, and both agree."""
        self.lisa.does("book", self.call, "--at", at)
        exchange(self.lisa, self.james)
        self.james.does("accept", self.call)
        exchange(self.lisa, self.james)


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """The homes, which tests copy."""
    folder = tmp_path_factory.mktemp("met")
    lisa = Person(folder, "lisa", role="client", tz="Europe/Berlin", email="lisa@example.org")
    james = Person(folder, "james", role="talent", tz="America/New_York", email="james@example.org")
    made = lisa.does("board", "create", "marketing")
    james.does("board", "join", "-", stdin=made["invite"])
    exchange(lisa, james)
    call = lisa.does("book", "@james", "--at", AT, "--url", "https://meet.example/x", "--note", "Kick-off")
    exchange(lisa, james)
    james.does("accept", call["id"])
    exchange(lisa, james)
    return World(folder, call["deal"], call["id"], call["uid"])


@pytest.fixture
def people(world: World, tmp_path: Path) -> tuple[Person, Person]:
    """Copies of both homes."""
    for name in ("lisa", "james"):
        shutil.copytree(world.folder / name, tmp_path / name)
    return Person(tmp_path, "lisa"), Person(tmp_path, "james")


@pytest.fixture(scope="session")
def radicale(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Radicale]:
    """A foreign server; absent, it skips on a developer's machine and fails in the full check."""
    python = radicale_python()
    if python is None:
        missing = "Radicale was not found (an environment in CHAISE_CALENDARS or ./.foreign/calendars)"
        if os.environ.get("CHAISE_FOREIGN_REQUIRED") == "1":
            pytest.fail(missing)
        pytest.skip(missing)
    server = Radicale(python, tmp_path_factory.mktemp("radicale"))
    yield server
    server.close()


@pytest.fixture
def fake() -> Iterator[Fake]:
    """A server that does as it is told."""
    with Fake().serving() as server:
        yield server


@pytest.fixture(params=["fake", "radicale"])
def server(request: pytest.FixtureRequest) -> CalendarServer:
    """Each of both."""
    found: CalendarServer = request.getfixturevalue(request.param)
    return found


def desk_at(server: CalendarServer, people: tuple[Person, Person], world: World, name: str) -> Desk:
    """Everything at hand, with a calendar's name that nobody else uses."""
    url = f"{server.base}{name}/"
    return Desk(*people, world.deal, world.call, world.uid, url, Visitor(url))


@pytest.fixture
def desk(server: CalendarServer, people: tuple[Person, Person], world: World, tmp_path: Path) -> Desk:
    """Everything at hand, at each server."""
    return desk_at(server, people, world, tmp_path.name)


@pytest.fixture
def faked(fake: Fake, people: tuple[Person, Person], world: World) -> Desk:
    """Everything at hand, at the server that does as it is told."""
    return desk_at(fake, people, world, "calls")


@pytest.fixture
def at_radicale(radicale: Radicale, people: tuple[Person, Person], world: World, tmp_path: Path) -> Desk:
    """Everything at hand, at Radicale."""
    return desk_at(radicale, people, world, tmp_path.name)
