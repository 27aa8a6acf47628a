"""The sim's process: a socket on this machine, a thread a connection, and an end that loses nothing it answered."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any, Final
from urllib.parse import urlsplit

from chaise_cli.errors import Usage
from chaise_cli.rails.https import loopback
from chaise_cli.rails.simulation.book import Book, Terms
from chaise_cli.rails.simulation.desk import Desk, Reply, Request
from chaise_cli.rails.simulation.tables import Tables, Unusable

BODY: Final = 16_384  # bytes of a request
IDLE_S: Final = 60.0


class BadListen(Usage):
    """The sim listens on this machine alone: it asks nobody who they are."""

    code = "rail.sim_bad_listen"
    message = "{given!r} is no address of this machine to listen at"
    hint = "write it like 127.0.0.1:8899 or [::1]:8899; port 0 takes a free one"
    given: str


class SimCannotListen(Usage):
    """The address is taken."""

    code = "rail.sim_cannot_listen"
    message = "cannot listen at {address}: {why}"
    hint = "choose another with --listen, or stop what listens there"
    address: str
    why: str


class SimStoreFailed(Usage):
    """The file of a sim cannot be used."""

    code = "rail.sim_store_failed"
    message = "the sim's file {path} cannot be used: {why}"
    hint = "check that it is a sim's, and that this user may write there; --store names another"
    path: str
    why: str


@contextmanager
def running(
    listen: str, store: Path, terms: Terms, clock: Callable[[], int], *, controlled: bool = False
) -> Iterator[str]:
    """A sim that serves while the block runs; its URL. Raises BadListen, SimCannotListen, SimStoreFailed.

    clock: ms since 1970. controlled: whether faults and the clock can be ordered over HTTP. At the end of the block
    what was asked in full is still done and answered.
    """
    host, port = _address(listen)
    stopping = Event()
    try:
        tables = Tables(store)
    except Unusable as error:
        raise SimStoreFailed(path=str(store), why=str(error)) from error
    try:
        desk = Desk(Book(tables, terms, clock), stopping.wait, controlled=controlled)
        try:
            server = _Server((host, port), desk)
        except OSError as error:
            raise SimCannotListen(address=listen, why=error.strerror or str(error)) from error
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, name="sim", daemon=True)
        thread.start()
        try:
            yield server.url(host)
        finally:
            stopping.set()
            server.shutdown()
            server.let_go()
            server.server_close()
    finally:
        tables.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # they are waited for
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], desk: Desk) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.desk = desk
        self._open: set[socket.socket] = set()
        self._lock = Lock()
        self._ending = False
        super().__init__(address, _Handler)

    def url(self, host: str) -> str:
        """Where it listens."""
        return f"http://{f'[{host}]' if ':' in host else host}:{self.server_address[1]}"

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember the connection before it gets its thread."""
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget it."""
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def let_go(self) -> None:
        """Hear no more of anybody; who waits for an answer gets it."""
        with self._lock:
            for one in self._open:
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RD)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is nobody's failure."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "chaise-sim", ""
    timeout = IDLE_S
    wbufsize = -1  # one piece: an answer in two would wait for the client's kernel to acknowledge the first
    disable_nagle_algorithm = True

    def log_message(self, *_: Any) -> None:
        """Nothing: a request line holds names of people."""

    def do_GET(self) -> None:
        """Look something up."""
        self._answer()

    do_POST = do_GET  # noqa: N815 - likewise
    do_DELETE = do_GET  # noqa: N815

    def _answer(self) -> None:
        body, trouble = self._body()
        if trouble is not None:
            self.close_connection = True
            self._say(trouble)
            return
        self._say(self.server.desk.answer(Request(self.command, self.path, self.headers.get("Idempotency-Key"), body)))

    def _body(self) -> tuple[bytes, Reply | None]:
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isascii() or not length.isdigit() or len(length) > 9:
            return b"", _trouble(411, "bad_length", "a body comes with its Content-Length")
        if int(length) > BODY:
            return b"", _trouble(413, "too_large", f"a request has up to {BODY} bytes")
        # A page in somebody's browser cannot send this type without asking first.
        if self.command == "POST" and self.headers.get_content_type() != "application/json":
            return b"", _trouble(415, "bad_type", "send application/json")
        body = self.rfile.read(int(length))
        whole = len(body) == int(length)
        return body, None if whole else Reply(0, {})

    def _say(self, reply: Reply) -> None:
        if reply.status == 0:
            self.close_connection = True
            return
        text = json.dumps(reply.value).encode()
        if reply.half:
            text = text[: len(text) // 2]
        self.send_response(reply.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


def _trouble(status: int, code: str, why: str) -> Reply:
    return Reply(status, {"error": {"code": code, "message": why}})


def _address(given: str) -> tuple[str, int]:
    try:
        parts = urlsplit(f"//{given}")
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise BadListen(given=given[:200]) from error
    if not host or port is None or parts.path or parts.username is not None or not loopback(host):
        raise BadListen(given=given[:200])
    return host, port
