"""A TCP proxy on loopback that does to connections what networks do: cut, delay, drip, double, flip, go deaf.

Nothing here waits longer than it is told to, and nothing sleeps: a pause is a wait for the proxy's own end.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from threading import Event, Lock, Thread
from types import TracebackType
from typing import Final, NamedTuple, Self

_CHUNK: Final = 65_536
_PATIENCE_S: Final = 30.0


class Fault(NamedTuple):
    """What happens to a connection. Byte counts are of one direction: `up` to the server, `down` to the client.

    cut: both ends are reset after so many bytes. truncate: the end is announced as if all had been said. hold: nothing
    more passes, and nobody is told. flip: the lowest bit of the byte at this place. drip_s: so long a pause before each
    byte. delay_s: once, before the first byte. double: what was said is said again, to a second connection (up, its
    answer is thrown away) or to the client (down).
    """

    cut: int | None = None
    truncate: int | None = None
    hold: int | None = None
    flip: int | None = None
    drip_s: float = 0.0
    delay_s: float = 0.0
    double: bool = False

    @property
    def end(self) -> int | None:
        """After how many bytes nothing passes any more."""
        ends = [end for end in (self.cut, self.truncate, self.hold) if end is not None]
        return min(ends) if ends else None


NONE: Final = Fault()


class Passed(NamedTuple):
    """How many bytes one connection passed on."""

    up: int
    down: int


class Proxy:
    """Passes connections on to a server; a context manager. up, down: the faults of connections from now on.

    times: so many connections suffer, later ones pass untouched; None: all do.
    """

    def __init__(self, server: tuple[str, int]) -> None:
        self._server = server
        self.up, self.down = NONE, NONE
        self.times: int | None = None
        self.passed: list[Passed] = []
        self._over, self._let_go = Event(), Event()
        self._lock = Lock()
        self._open: set[socket.socket] = set()
        self._threads: list[Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._let_go.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            left = list(self._open)
        for one in left:
            _reset(one)
        for thread in self._threads:
            thread.join(_PATIENCE_S)

    def heal(self) -> None:
        """Pass later connections untouched, and let go of those that are held."""
        self.up, self.down = NONE, NONE
        self._let_go.set()
        self._let_go = Event()
        with self._lock:
            left = list(self._open)
        for one in left:
            _reset(one)

    def hold(self) -> None:
        """Wait until somebody heals or ends the proxy."""
        self._let_go.wait(_PATIENCE_S)

    def _start(self, what: Callable[[], None]) -> None:
        thread = Thread(target=what, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            up, down = self.up, self.down
            if self.times is not None:
                up, down = (up, down) if self.times > 0 else (NONE, NONE)
                self.times -= 1
            self._start(_Connection(self, client, up, down).run)

    def connect(self) -> socket.socket:
        """A new connection to the server. Raises OSError."""
        made = socket.create_connection(self._server, timeout=_PATIENCE_S)
        self.keep(made)
        return made

    def keep(self, one: socket.socket) -> None:
        """To be closed at the end at the latest."""
        with self._lock:
            self._open.add(one)

    def drop(self, one: socket.socket) -> None:
        """Close a connection."""
        with self._lock:
            self._open.discard(one)
        one.close()

    def pause(self, seconds: float) -> None:
        """Wait, or until the proxy ends."""
        self._over.wait(seconds)

    def note(self, passed: Passed) -> None:
        """Keep what a connection came to."""
        with self._lock:
            self.passed.append(passed)


class _Connection:
    """One client's connection and the one to the server that belongs to it."""

    def __init__(self, proxy: Proxy, client: socket.socket, up: Fault, down: Fault) -> None:
        self._proxy, self._client, self._up, self._down = proxy, client, up, down
        self._said = bytearray()
        self._counts = {"up": 0, "down": 0}
        proxy.keep(client)

    def run(self) -> None:
        """Pass both ways until both have ended."""
        try:
            server = self._proxy.connect()
        except OSError:
            self._proxy.drop(self._client)
            return
        upward = Thread(target=self._pump, args=(self._client, server, self._up, "up"), daemon=True)
        upward.start()
        self._pump(server, self._client, self._down, "down")
        upward.join(_PATIENCE_S)
        self._proxy.note(Passed(self._counts["up"], self._counts["down"]))
        self._proxy.drop(server)
        self._proxy.drop(self._client)

    def _pump(self, source: socket.socket, sink: socket.socket, fault: Fault, way: str) -> None:
        with suppress(OSError):
            source.settimeout(None)
            if fault.delay_s:
                self._proxy.pause(fault.delay_s)
            while data := source.recv(_CHUNK):
                if way == "up" and fault.double:
                    self._said += data
                if way == "down" and self._said:
                    self._again()
                if not self._pass(data, source, sink, fault, way):
                    return
            sink.shutdown(socket.SHUT_WR)

    def _pass(self, data: bytes, source: socket.socket, sink: socket.socket, fault: Fault, way: str) -> bool:
        """Pass some bytes on as the fault has it; whether any more may come."""
        at = self._counts[way]
        if fault.flip is not None and at <= fault.flip < at + len(data):
            place = fault.flip - at
            data = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        end = fault.end
        kept = data if end is None else data[: max(0, end - at)]
        for piece in (kept[n : n + 1] for n in range(len(kept))) if fault.drip_s else (kept,):
            if fault.drip_s:
                self._proxy.pause(fault.drip_s)
            sink.sendall(piece)
            self._counts[way] += len(piece)
        if way == "down" and fault.double:
            sink.sendall(kept)
        if end is None or self._counts[way] < end:
            return True
        self._stop(source, sink, fault)
        return False

    def _stop(self, source: socket.socket, sink: socket.socket, fault: Fault) -> None:
        if fault.hold is not None:
            self._proxy.hold()
            return
        if fault.truncate is not None:
            sink.shutdown(socket.SHUT_WR)
            return
        _reset(source)
        _reset(sink)

    def _again(self) -> None:
        """Say to a second connection all that the client has said up to this answer; what comes back is lost."""
        other = self._proxy.connect()
        other.sendall(self._said)
        self._said.clear()
        other.shutdown(socket.SHUT_WR)
        while other.recv(_CHUNK):
            pass
        self._proxy.drop(other)


def _reset(one: socket.socket) -> None:
    """Wake whoever waits for this socket; both sides see an end."""
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
