"""Counts what one client and one server on this machine say to each other: every byte of the connection, heads too."""

from __future__ import annotations

import socket
from contextlib import suppress
from threading import Lock, Thread
from typing import Final, NamedTuple, Self

_CHUNK: Final = 1 << 16


class Said(NamedTuple):
    """Bytes to the server and back, and how often the client spoke and was answered."""

    up: int
    down: int
    trips: int

    @property
    def both(self) -> int:
        """Both ways."""
        return self.up + self.down


class Tap:
    """Passes connections on to a server; a context manager.

    What a client has heard was counted before it heard it, so the count stands when an exchange is over.
    """

    def __init__(self, server: tuple[str, int]) -> None:
        self._server = server
        self._lock = Lock()
        self._up = self._down = self._trips = 0
        self._answered = True
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        for one in self._open:
            one.close()

    def take(self) -> Said:
        """What was said since the last time."""
        with self._lock:
            said = Said(self._up, self._down, self._trips)
            self._up = self._down = self._trips = 0
            self._answered = True
        return said

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(self._server)
                for one in (near, far):
                    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._open += [near, far]
                Thread(target=self._pass, args=(near, far, True), daemon=True).start()
                Thread(target=self._pass, args=(far, near, False), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket, up: bool) -> None:  # noqa: FBT001 (a thread's argument)
        with suppress(OSError):
            while data := source.recv(_CHUNK):
                self._count(len(data), up=up)
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)

    def _count(self, size: int, *, up: bool) -> None:
        with self._lock:
            if up:
                self._trips += self._answered
                self._up += size
            else:
                self._down += size
            self._answered = not up
