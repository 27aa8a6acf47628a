"""A relay as a process of its own, asked over HTTP."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import urlsplit

from chaise_cli.ids import text
from chaise_cli.ledger import canonical
from chaise_cli.ledger.segment import Segment
from sync import ranges, relay_messages, request_signing
from sync.relay import people
from sync.relay_messages import Pull, Push, Pushed, Row, Section, Summary
from tests.fakes import warm
from tests.fakes.pen import signer
from tests.fakes.relays import certify, door_key, identity

TIMEOUT_S: Final = 70


class RelayProcess:
    """`chaise relay serve` on a free port of this machine. What it says on standard error is in `log`."""

    def __init__(self, folder: Path, store: str, *options: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.log = folder / f"relay-{time.monotonic_ns()}.log"
        argv = ["relay", "serve", "--listen", "127.0.0.1:0", "--json", "--store", store, *options]
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("CHAISE_", "XDG_"))}
        begin = warm.Start(argv, environment | {"XDG_DATA_HOME": str(folder)}, folder)
        with self.log.open("wb") as errors:
            self.process = warm.Command(begin, stdout=subprocess.PIPE, stderr=errors)
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line, self.log.read_text()
        self.result: dict[str, Any] = json.loads(line)
        self.data: dict[str, Any] = self.result["data"]
        self.url = str(self.data["url"])

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

    def lines(self) -> list[dict[str, Any]]:
        """What it logged."""
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]


class Visitor:
    """A device that asks a relay over HTTP, on one connection."""

    def __init__(self, url: str, name: str, *, of: str = "") -> None:
        self.authority = urlsplit(url).netloc
        self.name, self.person, self.key = name, of or name, signer(name)
        self.identity = identity(self.person)
        self._link = http.client.HTTPConnection(self.authority, timeout=TIMEOUT_S)

    def post(self, path: str, body: bytes) -> tuple[int, bytes]:
        """Status and body of the answer to a signed request."""
        headers = request_signing.sign("POST", self.authority, path, body, self.key, int(time.time()))
        return self.send("POST", path, body, headers)

    def send(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        """Status and body of the answer to any request."""
        try:
            self._link.request(method, path, body, headers)
            answer = self._link.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            self._link.close()
            raise

    def asks(self, path: str, body: bytes) -> bytes:
        """The body of an answer that has to be a good one."""
        status, answer = self.post(path, body)
        assert status == 200, answer
        return answer

    def register(self, invite: str | None = None, doors: Sequence[bytes] = (), relay: bytes = b"") -> Visitor:
        """Register, with an invite or for boards whose door key follows from their id."""
        proofs = [
            [text(space), text(door_key(space).sign(_PROOF, people.door_message(relay, self.key.public, space)))]
            for space in doors
        ]
        body = {"certificates": [certify(self.person, self.name).value()], "doors": proofs, "invite": invite}
        self.asks("/v1/register", canonical.encode(body))
        return self

    def push(self, *runs: Segment, door: bytes | None = None) -> Pushed:
        """Push segments of one space."""
        answer = self.asks("/v1/push", relay_messages.pack_push(Push(runs[0].space, door, runs)))
        return relay_messages.read_pushed(answer, len(runs))

    def pull(self, *rows: Row, parts: Sequence[int] = range(ranges.PARTS)) -> list[Section]:
        """All sections."""
        cursors, found, more = {row.space: row for row in rows}, list[Section](), True
        while more:
            asked = relay_messages.pack_pull(Pull(parts, list(cursors.values())))
            sections, more = relay_messages.read_sections(self.asks("/v1/pull", asked))
            cursors |= {one.space: Row(one.space, one.receipt.number, one.receipt.head[:8]) for one in sections}
            found += sections
        return found

    def wait(self, positions: ranges.Positions, wait_s: int) -> relay_messages.Different | None:
        """A summary that waits."""
        said = Summary(ranges.whole(positions), ranges.ranges(positions), wait_s)
        return relay_messages.read_different(self.asks("/v1/summary", relay_messages.pack_summary(said)))

    def close(self) -> None:
        """Hang up."""
        self._link.close()

    def __del__(self) -> None:
        """Nobody has to remember to hang up."""
        self._link.close()


_PROOF: Final = b"chaise/1 proof\x00"
