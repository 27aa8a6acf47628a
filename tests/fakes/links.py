"""Two replicas brought together by each transport, in one process."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from queue import Queue
from threading import Condition, Thread
from typing import Protocol, Self

from sync import engine, wire
from sync.conversation import converse
from sync.engine import Exchange, Tally
from sync.handshake import Peer
from sync.replica import Replica, Signer
from sync.transports.folder import Folder
from sync.transports.http_peer import WebPeer
from sync.transports.http_serve import Limits, Server
from sync.transports.stdio import Pipes, serve
from tests.fakes.replica import Forgetful, MemoryReplica

IDLE_S = 20.0

Around = Callable[[wire.Stream], wire.Stream]


def same(stream: wire.Stream) -> wire.Stream:
    return stream


class Link(Protocol):
    """A way for two replicas to meet."""

    def sync(self, one: MemoryReplica, other: MemoryReplica) -> tuple[Exchange, Exchange]:
        """Let both meet once; what the exchange did for each."""


class Conversation:
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
            led = engine.exchange(one, one.device, Conversation(stream))
        finally:
            os.close(to_near[0])
            os.close(to_far[1])
            thread.join()
        return led, served[0]


class Served:
    """A replica offered over HTTP at a free port of this machine; `exchanges` are those that are over."""

    def __init__(
        self, replica: MemoryReplica, limits: Limits | None = None, context: ssl.SSLContext | None = None
    ) -> None:
        self.exchanges: list[Exchange] = []
        self.peers: list[Peer | None] = []
        self._over = Condition()

        @contextmanager
        def opened() -> Iterator[tuple[Replica, Signer]]:
            yield replica, replica.device

        self.server = Server(("127.0.0.1", 0), opened, self._served, context, limits)
        self.url = self.server.url
        self.port = int(self.url.rpartition(":")[2])

    def _served(self, exchange: Exchange, peer: Peer | None) -> None:
        with self._over:
            self.exchanges.append(exchange)
            self.peers.append(peer)
            self._over.notify_all()

    def over(self, count: int) -> Sequence[Exchange]:
        """The exchanges, once there are so many."""
        with self._over:
            assert self._over.wait_for(lambda: len(self.exchanges) >= count, IDLE_S)
        return self.exchanges

    def __enter__(self) -> Self:
        self.server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.stop()


class HttpLink:
    """`one` leads a conversation in requests with a server of `other`."""

    def sync(self, one: MemoryReplica, other: MemoryReplica) -> tuple[Exchange, Exchange]:
        with Served(other) as served:
            led = engine.exchange(one, one.device, WebPeer(served.url, idle_s=IDLE_S))
            return led, served.over(1)[0]


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
