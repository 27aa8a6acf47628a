"""A relay as a process of its own, on a port of its own, with a store in a file."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path
from typing import IO

from chaise_cli import clock
from tests.e2e.people import NOON, Person
from tests.fakes import warm


class RelayProcess:
    """Started when made. Its address stays the same when it is stopped and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(mode=0o700, parents=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.start()

    @property
    def store(self) -> str:
        """As `--store` takes it."""
        return f"sqlite:{self.folder / 'store' / 'relay.db'}"

    def start(self) -> None:
        """Start, and wait until it listens."""
        (self.folder / "store").mkdir(mode=0o700, exist_ok=True)
        serve = ["relay", "serve", "--store", self.store, "--listen", f"127.0.0.1:{self.port}", "--json"]
        env = {name: value for name, value in os.environ.items() if not name.startswith("CHAISE_")}
        env |= {clock.VARIABLE: NOON, "HOME": str(self.folder)}
        with (self.folder / "log").open("ab") as log:
            begin = warm.Start(serve, env, self.folder)
            self.process = warm.Command(begin, stdout=subprocess.PIPE, stderr=log)
        line = _out(self.process).readline()
        assert line, "the relay did not start"
        assert json.loads(line)["data"]["url"] == self.url

    def stop(self, how: int = signal.SIGTERM) -> None:
        """End it, by default as an operator does."""
        self.process.send_signal(how)
        self.process.wait(20)
        _out(self.process).close()

    def restart(self) -> None:
        """Stop and start."""
        self.stop()
        self.start()

    def wipe(self) -> None:
        """Let it begin with nothing, not even its key."""
        self.stop()
        shutil.rmtree(self.folder / "store")
        self.start()

    def saved(self, name: str) -> Path:
        """A copy of its store, as an operator's backup."""
        self.stop()
        copy = self.folder / name
        shutil.copytree(self.folder / "store", copy)
        self.start()
        return copy

    def put_back(self, copy: Path) -> None:
        """Let it go on from a backup."""
        self.stop()
        shutil.rmtree(self.folder / "store")
        shutil.copytree(copy, self.folder / "store")
        self.start()

    def invite(self) -> str:
        """A fresh invite, made as an operator does beside the running relay."""
        made = Person(self.folder, "operator").does("relay", "invite", "--store", self.store)
        return str(made["invite"])


def _out(process: warm.Command) -> IO[bytes]:
    assert process.stdout is not None, "piped"
    return process.stdout
