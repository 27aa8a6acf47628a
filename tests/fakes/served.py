"""A relay that serves HTTP from a thread of this process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from threading import Thread

from sync.relay.desk import Desk
from sync.relay.server import Server, Setting
from sync.relay.service import Relay
from sync.relay.telling import Log


@contextmanager
def served(relay: Relay, lines: list[str] | None = None) -> Iterator[tuple[str, Server]]:
    """The base address of a relay, and its server; stopped at the end. lines: what it logs."""
    kept = lines if lines is not None else []
    server, told = Server(Desk(relay), Log(kept.append)), SimpleQueue[str]()
    thread = Thread(target=server.run, args=(Setting("127.0.0.1", 0), told.put))
    thread.start()
    try:
        yield told.get(timeout=20), server
    finally:
        server.stop()
        thread.join()
