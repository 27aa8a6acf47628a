"""Commands that stay: real processes, whose lines are read as they come."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Queue
from threading import Thread
from typing import Any, Final

from chaise_cli import clock
from tests.e2e.people import _OURS, Person
from tests.fakes import warm

PATIENCE_S: Final = 30.0


class Running:
    """One command of a person, in a process of its own."""

    def __init__(self, person: Person, *argv: str) -> None:
        env = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
        env |= {"CHAISE_HOME": str(person.home), "XDG_RUNTIME_DIR": str(person.folder / "run")}
        env |= {"HOME": str(person.folder)} | ({clock.VARIABLE: person.now} if person.now else {})
        begin = warm.Start([*argv, "--key-file", str(person.key_file)], env, person.folder)
        self._process = warm.Command(begin, stdout=subprocess.PIPE)
        self._lines: Queue[bytes] = Queue()
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put(b"")

    def line(self) -> dict[str, Any]:
        """The next result."""
        said = self._lines.get(timeout=PATIENCE_S)
        assert said, "it has ended"
        found: dict[str, Any] = json.loads(said)
        return found

    def peer(self) -> dict[str, Any]:
        """The exchange that the next result tells of."""
        (found,) = self.line()["data"]["peers"]
        assert isinstance(found, dict)
        return found

    def ended(self) -> int:
        """Its exit status, once it has ended by itself."""
        return self._process.wait(PATIENCE_S)

    def told(self, what: int = signal.SIGTERM) -> int:
        """Its exit status, after it was told to go."""
        self._process.send_signal(what)
        return self.ended()

    def close(self) -> str:
        """Let go of it; what it wrote to stderr."""
        self._process.kill()
        self._process.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)
        assert self._process.stdout is not None
        self._process.stdout.close()
        return self._process.communicate()[1].decode()


@contextmanager
def running(person: Person, *argv: str) -> Iterator[Running]:
    """The command, for the length of the block at most."""
    process = Running(person, *argv)
    try:
        yield process
    finally:
        said = process.close()
        print(said)
    assert "Traceback" not in said


@contextmanager
def serving(person: Person, *options: str) -> Iterator[tuple[str, Running]]:
    """A home that is served at a free port: its address."""
    with running(person, "peer", "serve", "--listen", "127.0.0.1:0", "--json", *options) as process:
        first = process.line()
        assert first["schema"] == "chaise.peer_serve/1"
        yield str(first["data"]["at"]), process
