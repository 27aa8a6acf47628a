"""The relay behind HTTP: bodies with a limit, work in a few threads, polls that wait, a stop that finishes things.

A plain ASGI application under uvicorn; what is asked and answered is `desk`'s business.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import time
import traceback
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import current_thread, main_thread
from typing import Any, Final, NamedTuple

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from ..relay_messages import BODY_LIMIT
from . import openapi
from .contract import Unavailable
from .desk import BYTES, JSON, Answer, Desk, Request, method, refused
from .refusal import Refusal
from .telling import Figures, Log
from .waiting import Waiting

THREADS: Final = 12
HEADER_LIMIT: Final = 16 * 1024
IN_FLIGHT: Final = 64 * BODY_LIMIT  # bytes of bodies that are being read, of all connections together
BODY_S: Final = 60  # in which a body has to come
IDLE_S: Final = 75
HEAD_S: Final = 20  # in which the head of a request has to come, from the connection or its first byte on
PURGE_S: Final = 60
STOP_S: Final = 20
TEXT: Final = "text/plain; version=1.0.0; charset=utf-8"
GETS: Final = ("/health", "/metrics", "/openapi.json")

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Setting(NamedTuple):
    """Where to listen, and with which certificate if any. port 0: any that is free."""

    host: str
    port: int
    certificate: str | None = None
    key: str | None = None


class _Protocol(HttpToolsProtocol):
    """HTTP/1.1 whose header fields have a limit, and a time in which they come: a body has its own."""

    _size = 0
    _late: asyncio.TimerHandle | None = None
    _in_body = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as the library has it
        """Somebody connects, and has to say something."""
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Somebody is gone."""
        self._end_of_head()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Part of a head or body."""
        if not self._in_body:
            self._await_head()
        super().data_received(data)

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._end_of_head()
        self._in_body = True
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """So is the body."""
        self._in_body = False
        super().on_message_complete()

    def _await_head(self) -> None:
        if self._late is None:
            self._late = self.loop.call_later(HEAD_S, self.transport.close)

    def _end_of_head(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def on_message_begin(self) -> None:
        """A request begins."""
        self._size = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Part of the target."""
        self._more(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """One field."""
        self._more(len(name) + len(value))
        super().on_header(name, value)

    def _more(self, size: int) -> None:
        self._size += size
        if self._size > HEADER_LIMIT:
            raise ValueError("header fields of more than 16 KiB")  # the parser makes a status 400 of it


class Server:
    """One relay process."""

    def __init__(self, desk: Desk, log: Log) -> None:
        self._desk, self._log = desk, log
        self._threads = ThreadPoolExecutor(THREADS, "relay")
        self._watching = ThreadPoolExecutor(1, "relay-watch")  # of their own, so that polls do not wait for pushes
        self._reading = 0
        self._waiting: Waiting | None = None
        self._serving: _Uvicorn | None = None
        self.figures = Figures(lambda: desk.relay.kept, lambda: self._waiting.count if self._waiting else 0)

    def run(self, setting: Setting, listening: Callable[[str], None]) -> None:
        """Serve until SIGINT or SIGTERM; `listening` is told the base address once.

        Raises OSError when it cannot listen there.
        """
        asyncio.run(self._run(setting, listening))

    def stop(self) -> None:
        """End as on a signal. From any thread."""
        if self._serving is not None:
            self._serving.should_exit = True

    async def _run(self, setting: Setting, listening: Callable[[str], None]) -> None:
        relay = self._desk.relay
        self._waiting = waiting = Waiting(relay.store, relay.limits, self._watch)
        relay.on_touched, relay.on_filled = waiting.touched, waiting.filled
        config = uvicorn.Config(
            self.answer,
            interface="asgi3",
            http=_Protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=IDLE_S,
            timeout_graceful_shutdown=STOP_S,
            ssl_certfile=setting.certificate,
            ssl_keyfile=setting.key,
        )
        logger = logging.getLogger("uvicorn.error")
        logger.handlers, logger.propagate = [_Handler(self._log)], False
        self._serving = serving = _Uvicorn(config, waiting.stop)
        with _bound(setting.host, setting.port) as bound, _signals(serving.heard):
            scheme = "https" if setting.certificate else "http"
            listening(f"{scheme}://{_authority(*bound.getsockname()[:2])}")
            self._log.say("info", "started")
            purging = asyncio.create_task(self._purge())
            await serving.serve(sockets=[bound])
            purging.cancel()
        self._threads.shutdown()
        self._watching.shutdown()
        self._log.say("info", "stopped")

    async def answer(self, scope: Message, receive: Receive, send: Send) -> None:
        """The ASGI application."""
        began, path = time.perf_counter(), scope["path"]
        waited = size = 0.0
        try:
            body = await self._body(scope, receive)
            size = len(body)
            answer, waited = await self._answer(scope, body, receive)
        except Refusal as refusal:
            answer = refused(refusal)
        except _Gone:
            return
        except Unavailable as error:
            self._log.say("error", "store", why=str(error))
            answer = refused(Refusal("relay.busy", "the relay's database does not answer", retry_s=5))
        except Exception as error:  # noqa: BLE001 - the one boundary of a relay: a bug is told without what was sent
            self._log.say("error", "bug", kind=type(error).__name__, place=_place(error))
            answer = refused(Refusal("relay.failed", "a bug in the relay; nothing was half done"))
        shown = path if path in GETS or method(path) else "other"
        seconds = time.perf_counter() - began - waited
        self.figures.answered(shown, answer.status, seconds, int(size), len(answer.body))
        self._log.say("info", "request", path=shown, status=answer.status, ms=round(seconds * 1000, 1))
        await _send(send, answer)

    async def _answer(self, scope: Message, body: bytes, receive: Receive) -> tuple[Answer, float]:
        """The answer, and for how long of it the asker waited for news."""
        path = scope["path"]
        if path in GETS:
            return await self._get(scope["method"], path), 0.0
        request = _request(scope, body)
        answer: Answer = await self._elsewhere(lambda: self._desk.answer(request))
        if answer.wait is None or self._waiting is None:
            return answer, 0.0
        began = time.perf_counter()
        found = await self._waiting.until(answer.wait, lambda: _disconnected(receive))
        return found or answer, time.perf_counter() - began

    async def _get(self, asked: str, path: str) -> Answer:
        if asked != "GET":
            raise Refusal("relay.malformed", "this path is asked by GET", status=405)
        if path == "/metrics":
            return Answer(200, TEXT, self.figures.text())
        if path == "/openapi.json":
            return Answer(200, JSON, openapi.document())
        if await self._elsewhere(self._desk.relay.store.ready):
            return Answer(200, JSON, b'{"ok":true}')
        raise Refusal("relay.busy", "the relay's database does not answer", retry_s=5)

    async def _body(self, scope: Message, receive: Receive) -> bytes:
        """All of a body, of at most 4 MiB. Raises Refusal, _Gone."""
        told = dict(scope["headers"]).get(b"content-length", b"0")
        if not told.isdigit() or len(told) > 10 or int(told) > BODY_LIMIT:
            raise Refusal("relay.too_large", "a request has at most 4 MiB")
        parts, size, held = list[bytes](), 0, self._reading
        try:
            async with asyncio.timeout(BODY_S):
                more = True
                while more:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise _Gone
                    part, more = message.get("body", b""), message.get("more_body", False)
                    size += len(part)
                    self._reading += len(part)
                    held += len(part)
                    if size > BODY_LIMIT:
                        raise Refusal("relay.too_large", "a request has at most 4 MiB")
                    if self._reading > IN_FLIGHT:
                        raise Refusal("relay.busy", "too much is being sent at once", retry_s=5)
                    parts.append(part)
        except TimeoutError as error:
            raise Refusal("relay.malformed", "the body did not come in time") from error
        finally:
            self._reading -= size
        return b"".join(parts)

    async def _elsewhere(self, work: Callable[[], Any]) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def _watch(self, work: Callable[[], Any]) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._watching, work)

    async def _purge(self) -> None:
        while True:
            with suppress(Unavailable):
                await self._elsewhere(self._desk.relay.purge)
            await asyncio.sleep(PURGE_S)


class _Handler(logging.Handler):
    """What the HTTP library has to say, without what it was sent."""

    def __init__(self, log: Log) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """One line: the text as it stands in the library's source."""
        raised = record.exc_info[1] if record.exc_info else None
        where = f" {type(raised).__name__} {_place(raised)}" if raised is not None else ""
        self._log.say("warning", "http", why=str(record.msg).strip() + where)


class _Gone(Exception):
    """Whoever asked has left."""


class _Uvicorn(uvicorn.Server):
    """Lets those who wait go before it waits for them, and ends without the signal that stopped it."""

    def __init__(self, config: uvicorn.Config, before: Callable[[], Awaitable[None]]) -> None:
        super().__init__(config)
        self._before = before

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer what waits, finish what runs."""
        await self._before()
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are caught already, from before anybody is told that the relay listens."""
        yield

    def heard(self, *_: object) -> None:
        """Stop at the first signal, and at once at the second."""
        self.force_exit, self.should_exit = self.should_exit, True


def _request(scope: Message, body: bytes) -> Request:
    """What was asked, as the desk wants it. The path as it came: one that needs decoding is none of ours."""
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
    hosts = [value for name, value in headers if name == "host"]
    source = (scope.get("client") or ("",))[0].encode()
    path = scope["raw_path"].decode("latin-1") + ("?" if scope["query_string"] else "")
    return Request(scope["method"], hosts[0] if len(hosts) == 1 else "", path, headers, body, source)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send(send: Send, answer: Answer) -> None:
    headers = [
        (b"content-type", answer.kind.encode()),
        (b"content-length", str(len(answer.body)).encode()),
    ]
    if answer.kind != BYTES:  # which answer a POST alone, and nobody keeps those
        headers.append((b"cache-control", b"no-store"))
    if answer.retry_s is not None:
        headers.append((b"retry-after", str(answer.retry_s).encode()))
    if answer.status == 405:
        headers.append((b"allow", b"GET, POST"))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


@contextmanager
def _signals(heard: Callable[..., None]) -> Iterator[None]:
    """Hear SIGINT and SIGTERM; a thread hears none, and is stopped by `Server.stop`."""
    numbers = (signal.SIGINT, signal.SIGTERM) if current_thread() is main_thread() else ()
    before = [signal.signal(number, heard) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


@contextmanager
def _bound(host: str, port: int) -> Iterator[socket.socket]:
    """A listening socket at the first address that the host has."""
    family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    # With its protocol named: only then asyncio turns off Nagle's algorithm, which would hold answers back for 40 ms.
    with socket.socket(family, kind, socket.IPPROTO_TCP) as bound:
        if os.name == "posix":
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        bound.listen(2048)
        yield bound


def _place(error: BaseException) -> str:
    """File and line that raised; the text of an error may hold what was sent."""
    frames = list(traceback.walk_tb(error.__traceback__))
    return f"{Path(frames[-1][0].f_code.co_filename).name}:{frames[-1][1]}" if frames else ""


def _authority(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
