"""Two replicas brought together by each transport, in one process."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import Protocol

from sync import engine, wire
from sync.engine import Exchange, Tally
from sync.replica import Replica, Signer
from sync.transports.folder import Folder
from sync.transports.stdio import Pipes, converse, serve
from tests.fakes.replica import Forgetful, MemoryReplica

IDLE_S = 20.0

Around = Callable[[wire.Stream], wire.Stream]


def same(stream: wire.Stream) -> wire.Stream:
    return stream


class Link(Protocol):
    """A way for two replicas to meet."""

    def sync(self, one: MemoryReplica, other: MemoryReplica) -> tuple[Exchange, Exchange]:
        """Let both meet once; what the exchange did for each."""


class _Conversation:
    """A transport over pipes that are there already."""

    def __init__(self, stream: wire.Stream) -> None:
        self._stream = stream

    def exchange(self, replica: Replica, signer: Signer, tally: Tally) -> None:
        converse(wire.Channel(self._stream), replica, signer, tally, leads=True)


class StdioLink:
    """`one` leads a conversation with a thread that serves `other`."""

    def __init__(self, around: Around = same) -> None:
        self._around = around

    def sync(self, one: MemoryReplica, other: MemoryReplica) -> tuple[Exchange, Exchange]:
        served: list[Exchange] = []
        to_far, to_near = os.pipe(), os.pipe()
        source, sink = os.fdopen(to_far[0], "rb", 0), os.fdopen(to_near[1], "wb", 0)

        def far() -> None:
            with source, sink:
                served.append(serve(other, other.device, source, sink, idle_s=IDLE_S))

        thread = Thread(target=far)
        thread.start()
        try:
            stream = self._around(Pipes(to_near[0], to_far[1], IDLE_S))
            led = engine.exchange(one, one.device, _Conversation(stream))
        finally:
            os.close(to_near[0])
            os.close(to_far[1])
            thread.join()
        return led, served[0]


class FolderLink:
    """Both visit one folder in turn, the first a second time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.memories: dict[bytes, Forgetful] = {}

    def visit(self, replica: MemoryReplica) -> Exchange:
        memory = self.memories.setdefault(replica.device.device, Forgetful())
        return engine.exchange(replica, replica.device, Folder(str(self.path), memory))

    def sync(self, one: MemoryReplica, other: MemoryReplica) -> tuple[Exchange, Exchange]:
        first = self.visit(one)
        second = self.visit(other)
        return _sum(first, self.visit(one)), second


def _sum(first: Exchange, again: Exchange) -> Exchange:
    sent, received = first.sent + again.sent, first.received + again.received
    return Exchange(sent, received, again.rejected, again.problems, first.failure or again.failure)


class QueueStream:
    """One end of a stream in memory; `said` is all that was written to it."""

    def __init__(self) -> None:
        self.said = bytearray()
        self.came: Queue[bytes] = Queue()
        self.rest = b""
        self.peer = self

    def read(self, size: int) -> bytes:
        if not self.rest:
            self.rest = self.came.get(timeout=IDLE_S)
        if not self.rest:
            self.came.put(b"")
        data, self.rest = self.rest[:size], self.rest[size:]
        return data

    def write(self, data: bytes) -> None:
        if data:
            self.said += data
            self.peer.came.put(bytes(data))

    def close(self) -> None:
        """Say nothing more."""
        self.peer.came.put(b"")


class Queues:
    """Both ends of a stream in memory."""

    def __init__(self) -> None:
        self.near, self.far = QueueStream(), QueueStream()
        self.near.peer, self.far.peer = self.far, self.near
