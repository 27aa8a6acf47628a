"""The sim as a process of its own, with what orders it to break down."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import urlsplit

from tests.fakes import warm

TIMEOUT_S: Final = 60


class SimProcess:
    """`chaise rail sim` on a free port of this machine, with `/control/`."""

    def __init__(self, folder: Path, *options: str, control: bool = True) -> None:
        self.store = folder / "sim.db"
        argv = ["rail", "sim", "--listen", "127.0.0.1:0", "--json", "--store", str(self.store), *options]
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("CHAISE_", "XDG_"))}
        begin = warm.Start([*argv, *(["--control"] if control else [])], environment, folder)
        self.process = warm.Command(begin, stdout=subprocess.PIPE, stderr=2)
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line, self.process.wait(TIMEOUT_S)
        self.result: dict[str, Any] = json.loads(line)
        self.url = str(self.result["data"]["url"])
        self.port = urlsplit(self.url).port or 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to end; its exit status."""
        self.process.send_signal(how)
        return self._ended()

    def kill(self) -> None:
        """End it at once."""
        if self.process.poll() is None:
            self.process.kill()
        self._ended()

    def _ended(self) -> int:
        assert self.process.stdout
        status = self.process.wait(TIMEOUT_S)
        self.process.stdout.close()
        return status


class Visitor:
    """Whoever asks a sim by hand, one connection a request."""

    def __init__(self, url: str) -> None:
        self._netloc = urlsplit(url).netloc

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, dict[str, Any]]:
        """Status and object of the answer; a body of bytes goes out as it is. `_` in names of headers is a dash."""
        link = http.client.HTTPConnection(self._netloc, timeout=TIMEOUT_S)
        sent = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            link.request(method, path, sent, {"Content-Type": "application/json"} | named)
            with link.getresponse() as answer:
                value: dict[str, Any] = json.loads(answer.read())
                return answer.status, value
        finally:
            link.close()

    def does(self, path: str, body: object = None, method: str = "POST") -> dict[str, Any]:
        """An order of the control that has to be carried out."""
        status, value = self.ask(method, f"/control/{path}", {} if body is None else body)
        assert status == 200, value
        return value
