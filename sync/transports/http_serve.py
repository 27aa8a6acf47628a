"""The far side of a sync over HTTP: `chaise peer serve`. Threads of the standard library, every one of them bounded.

A client's requests are strung together to the stream of one conversation, which a thread follows as it would over
ssh. Whoever drips, stays half open, floods or babbles loses its connection or its conversation, the longest idle
first, and the others are served. docs/spec/sync.md.
"""

from __future__ import annotations

import os
import socket
import ssl
from collections import OrderedDict
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from struct import Struct
from threading import Condition, Event, Lock, Thread, current_thread
from time import monotonic
from typing import Any, Final, NamedTuple

from chaise_cli.errors import ChaiseError, Unreachable
from chaise_cli.ledger import canonical

from .. import pairing, ranges, wire
from ..conversation import converse
from ..dialogue import shown
from ..engine import Exchange, Tally
from ..handshake import Peer
from ..replica import Replica, Signer

PART: Final = 1024 * 1024  # bytes of a conversation in one request or answer
NEW: Final = bytes(16)
TICKETS: Final = 1_024  # conversations that are over and may be waited on
LONGEST_WAIT_S: Final = 60
_ASKED: Final = Struct(">16sI")
_TOLD: Final = Struct(">16sB")
_WAIT: Final = Struct(">16sH")
_BODY: Final = _ASKED.size + PART
_LISTENS, _SPEAKS, _ENDED = 0, 1, 2

Open = Callable[[], AbstractContextManager[tuple[Replica, Signer]]]
Served = Callable[[Exchange, Peer | None], None]


class CannotListen(Unreachable):
    """The address to serve at is taken, or is none of this machine's."""

    code = "peer.cannot_listen"
    message = "cannot serve at {at}: {why}"
    hint = "choose another: --listen 127.0.0.1:0 takes any free port"
    at: str
    why: str


class Limits(NamedTuple):
    """What strangers may hold of this machine. Seconds and counts."""

    connections: int = 128
    talks: int = 64
    waiting: int = 64
    receive_s: float = 60.0  # from one answer to the end of the next request
    patience_s: float = 30.0  # then a request is answered, if only that the conversation is still at work
    idle_s: float = 120.0  # a conversation without a request
    unproven_s: float = 15.0  # a conversation whose peer has not proved who it is
    tick_s: float = 1.0


class News:
    """Told when the home has changed; waited for by long polls."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._count = 0

    @property
    def count(self) -> int:
        """How often there was something new."""
        return self._count

    def tell(self) -> None:
        """There is something new."""
        with self._changed:
            self._count += 1
            self._changed.notify_all()

    def wait(self, since: int, timeout_s: float) -> int:
        """The count, once it is not `since` any more or the time is over."""
        with self._changed:
            self._changed.wait_for(lambda: self._count != since, timeout_s)
            return self._count


class _Pipe:
    """A `wire.Stream` between the requests of a client and the thread that follows its conversation."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._in = bytearray()
        self._out = bytearray()
        self._listens = False
        self._ended = False

    def read(self, size: int) -> bytes:
        """As `wire.Stream`; the end comes from `end`."""
        with self._changed:
            while not self._in and not self._ended:
                self._listens = True
                self._changed.notify_all()
                self._changed.wait()
            self._listens = False
            data = bytes(self._in[:size])
            del self._in[:size]
            return data

    def write(self, data: bytes) -> None:
        """As `wire.Stream`. Raises PeerClosed."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._out) < PART or self._ended)
            if self._ended:
                raise wire.PeerClosed
            self._out += data
            self._changed.notify_all()

    def end(self) -> None:
        """Nothing more is said or heard."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def turn(self, said: bytes, patience_s: float) -> tuple[int, bytes]:
        """Hand on what the client said; what is answered to it, and how the conversation stands."""
        with self._changed:
            if not self._ended:
                self._in += said
                self._listens = False
                self._changed.notify_all()
            self._changed.wait_for(lambda: self._ended or len(self._out) >= PART or self._heard_out(), patience_s)
            heard = bytes(self._out[:PART])
            del self._out[:PART]
            self._changed.notify_all()
            if self._out:
                return _SPEAKS, heard
            return _ENDED if self._ended else _LISTENS if self._heard_out() else _SPEAKS, heard

    def _heard_out(self) -> bool:
        return self._listens and not self._in


class _Talk:
    """One conversation."""

    def __init__(self, key: bytes) -> None:
        self.key = key
        self.pipe = _Pipe()
        self.tally = Tally()
        self.begun = self.used = monotonic()
        self.lock = Lock()  # held while a request is answered
        self._number = 0
        self._last = b""

    def answer(self, number: int, said: bytes, patience_s: float) -> bytes | None:
        """The answer to a request; the same again to the same again, None to one that is out of turn."""
        with self.lock:
            if number == self._number - 1:
                return self._last
            if number != self._number:
                return None
            state, heard = self.pipe.turn(said, patience_s)
            self._number += 1
            self._last = _TOLD.pack(self.key, state) + heard
            self.used = monotonic()
            return self._last

    def is_over(self, now: float, limits: Limits) -> bool:
        """Whether nobody is there any more, or nobody has proved to be."""
        if self.tally.peer is None and now - self.begun > limits.unproven_s:
            return True
        return not self.lock.locked() and now - self.used > limits.idle_s


class Server:
    """Serves one home at one address until it is stopped."""

    def __init__(
        self,
        listen: tuple[str, int],
        open_home: Open,
        served: Served,
        context: ssl.SSLContext | None = None,
        limits: Limits | None = None,
        *,
        answer: pairing.Answer | None = None,
    ) -> None:
        """open_home: a replica and signer of its own for each thread. served: told, inside it, what an exchange did.

        answer: asked, inside it too, what a device is told that comes with a pairing code.
        Raises CannotListen.
        """
        self.news = News()
        self.limits = limits or Limits()
        self._open, self._served, self._answer = open_home, served, answer
        self._talks: dict[bytes, _Talk] = {}
        self._tickets: OrderedDict[bytes, tuple[Peer, bytes]] = OrderedDict()
        self._following: set[Thread] = set()
        self._lock = Lock()
        self._waiting = 0
        self._stopped = Event()
        try:
            self._http = _Http(listen, self, context)
        except (OSError, UnicodeError, OverflowError) as error:
            why = getattr(error, "strerror", None) or str(error)
            raise CannotListen(at=f"{listen[0]}:{listen[1]}", why=why) from error
        host = f"[{listen[0]}]" if ":" in listen[0] else listen[0]
        self.url = f"{'https' if context else 'http'}://{host}:{self._http.server_address[1]}"
        self._threads = [Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)]
        self._threads.append(Thread(target=self._sweep, daemon=True))

    def start(self) -> None:
        """Begin to serve, in threads."""
        for thread in self._threads:
            thread.start()

    def stop(self, grace_s: float = 5.0) -> None:
        """Take no more requests, let those in progress be answered for a while, then end all conversations."""
        self._http.shutdown()
        self._http.server_close()
        end = monotonic() + grace_s
        self._stopped.set()
        self.news.tell()
        self._http.wait_idle(grace_s)
        for talk in list(self._talks.values()):
            talk.pipe.end()
        self._http.drop_all()
        with self._lock:
            following = list(self._following)
        for thread in (*self._threads, *following):
            thread.join(max(0.1, end - monotonic()))

    def turn(self, key: bytes, number: int, said: bytes) -> tuple[int, bytes]:
        """Status and body for a request of a conversation; the key of zeros begins one."""
        talk = self._begin() if key == NEW and number == 0 else self._talks.get(key)
        if talk is None:
            return (503, _problem("peer.busy")) if key == NEW else (404, _problem("peer.no_conversation"))
        answer = talk.answer(number, said, self.limits.patience_s)
        if answer is not None and answer[_TOLD.size - 1] == _ENDED:
            with self._lock:
                self._talks.pop(talk.key, None)
        return (200, answer) if answer is not None else (409, _problem("peer.out_of_turn"))

    def wait(self, ticket: bytes, seconds: int) -> tuple[int, bytes]:
        """Status and body for a long poll: whether what the peer may see of the home has changed since it talked."""
        held = self._tickets.get(ticket)
        if held is None:
            return 404, _problem("peer.no_conversation")
        with self._lock:
            if self._waiting >= self.limits.waiting:
                return 503, _problem("peer.busy")
            self._waiting += 1
        try:
            return 200, bytes([self._has_changed(*held, min(seconds, LONGEST_WAIT_S))])
        finally:
            with self._lock:
                self._waiting -= 1

    def _has_changed(self, peer: Peer, before: bytes, seconds: float) -> bool:
        end = monotonic() + seconds
        while not self._stopped.is_set():
            count = self.news.count
            with self._open() as (replica, _):
                if replica.refuses(peer.device) or _seen(replica, peer) != before:
                    return True
            left = end - monotonic()
            if left <= 0 or self.news.wait(count, left) == count:
                return False
        return False

    def _begin(self) -> _Talk | None:
        talk = _Talk(os.urandom(16))
        with self._lock:
            if len(self._talks) >= self.limits.talks and not self._make_room():
                return None
            self._talks[talk.key] = talk
            thread = Thread(target=self._follow, args=(talk,), daemon=True)
            self._following.add(thread)
        thread.start()
        return talk

    def _make_room(self) -> bool:
        """End the conversation that was idle longest; whether there is one that nobody waits for just now."""
        idle = [talk for talk in self._talks.values() if not talk.lock.locked()]
        if not idle:
            return False
        oldest = min(idle, key=lambda talk: (talk.tally.peer is not None, talk.used))
        oldest.pipe.end()
        del self._talks[oldest.key]
        return True

    def _follow(self, talk: _Talk) -> None:
        """The thread of a conversation."""
        try:
            with suppress(ChaiseError), self._open() as (replica, signer):  # a home that cannot be opened says nothing
                failure = None
                try:
                    channel = wire.Channel(talk.pipe)
                    converse(channel, replica, signer, talk.tally, leads=False, answer=self._answer)
                    self._keep_ticket(talk)
                except ChaiseError as error:
                    failure = error
                talk.pipe.end()
                if talk.tally.received:
                    self.news.tell()
                self._served(talk.tally.exchange(failure), talk.tally.peer)
        finally:
            talk.pipe.end()
            with self._lock:
                self._following.discard(current_thread())

    def _keep_ticket(self, talk: _Talk) -> None:
        if talk.tally.peer is None:  # a device that was let in; it comes again as one
            return
        with self._lock:
            self._tickets[talk.key] = talk.tally.peer, talk.tally.compared
            while len(self._tickets) > TICKETS:
                self._tickets.popitem(last=False)

    def _sweep(self) -> None:
        """End what has stayed too long."""
        while not self._stopped.wait(self.limits.tick_s):
            now = monotonic()
            self._http.drop_late(now)
            with self._lock:
                for talk in [talk for talk in self._talks.values() if talk.is_over(now, self.limits)]:
                    talk.pipe.end()
                    del self._talks[talk.key]


class _Http(ThreadingHTTPServer):
    """Connections, so many and for so long."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, listen: tuple[str, int], owner: Server, context: ssl.SSLContext | None) -> None:
        self.address_family = socket.AF_INET6 if ":" in listen[0] else socket.AF_INET
        self.owner = owner
        self._context = context
        self._held: dict[socket.socket, float | None] = {}  # until when each has to have made its request
        self._guard = Condition()
        super().__init__(listen, _Handler)

    def server_bind(self) -> None:
        """Without asking a name server who we are."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        """A new connection takes the place of the one that has been quiet longest, when there are too many."""
        if self._has_room():
            with self._guard:
                self._held[request] = monotonic() + self.owner.limits.receive_s
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def _has_room(self) -> bool:
        with self._guard:
            if len(self._held) < self.owner.limits.connections:
                return True
            quiet = {held: until for held, until in self._held.items() if until is not None}
            if quiet:
                quietest = min(quiet, key=lambda held: quiet[held])
                _cut(quietest)
                del self._held[quietest]
            return bool(quiet)

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Speak TLS where it is wanted, in the connection's own thread, then HTTP."""
        if self._context is None:
            _Handler(request, client_address, self)
            return
        request.settimeout(self.owner.limits.receive_s)
        held = self._context.wrap_socket(request, server_side=True, do_handshake_on_connect=False)
        self._moved(request, held)
        try:
            held.do_handshake()
            _Handler(held, client_address, self)
        finally:
            self.shutdown_request(held)

    def shutdown_request(self, request: Any) -> None:
        """A connection is over."""
        with self._guard:
            self._held.pop(request, None)
            self._guard.notify_all()
        _cut(request)
        self.close_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that break off are their own affair."""

    def listening(self, request: socket.socket) -> None:
        """The connection may take its time to make the next request, and no more."""
        with self._guard:
            if request in self._held:
                self._held[request] = monotonic() + self.owner.limits.receive_s
                self._guard.notify_all()

    def working(self, request: socket.socket) -> None:
        """Its request has come whole, and is being answered."""
        with self._guard:
            if request in self._held:
                self._held[request] = None

    def drop_late(self, now: float) -> None:
        """Break off whoever did not make a request in time."""
        with self._guard:
            for held in [held for held, until in self._held.items() if until is not None and until < now]:
                _cut(held)
                self._held.pop(held)

    def wait_idle(self, timeout_s: float) -> None:
        """Until every request that has come whole is answered, or the time is over."""
        with self._guard:
            self._guard.wait_for(lambda: None not in self._held.values(), timeout_s)

    def drop_all(self) -> None:
        """Break off everybody."""
        with self._guard:
            for held in self._held:
                _cut(held)
            self._held.clear()

    def _moved(self, request: socket.socket, held: socket.socket) -> None:
        with self._guard:
            until = self._held.pop(request, None)
            self._held[held] = until


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server_version, sys_version = "Chaise", ""
    wbufsize = -1  # an answer leaves in one piece, and at once
    disable_nagle_algorithm = True
    server: _Http
    connection: socket.socket

    def setup(self) -> None:
        """No single wait is longer than that for a whole request."""
        super().setup()
        self.connection.settimeout(self.server.owner.limits.receive_s)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the name in the standard library)
        """Nothing is logged: who syncs when is nobody's business."""

    def do_GET(self) -> None:
        """Whether here is a peer, and which version of the protocol it speaks."""
        if self.path == "/v1/peer":
            self._answer(200, canonical.encode({"version": wire.VERSION}), "application/json")
        else:
            self._answer(404, b"", "text/plain")

    def do_POST(self) -> None:
        """A turn of a conversation, or a long poll."""
        body = self._body()
        if body is None:
            return
        self.server.working(self.connection)
        owner = self.server.owner
        if self.path == "/v1/turn" and len(body) >= _ASKED.size:
            key, number = _ASKED.unpack_from(body)
            self._answer(*owner.turn(key, number, body[_ASKED.size :]))
        elif self.path == "/v1/wait" and len(body) == _WAIT.size:
            self._answer(*owner.wait(*_WAIT.unpack(body)))
        else:
            self._answer(404 if self.path not in {"/v1/turn", "/v1/wait"} else 400, b"", "text/plain")

    def _body(self) -> bytes | None:
        lengths = self.headers.get_all("Content-Length") or [""]
        length = lengths[0]
        if "Transfer-Encoding" in self.headers or len(lengths) > 1:  # a proxy might see another request in it
            self._refuse(400)
        elif not (length.isascii() and length.isdigit() and len(length) < 20):
            self._refuse(411)
        elif int(length) > _BODY:
            self._refuse(413)
        else:
            body = self.rfile.read(int(length))
            if len(body) == int(length):
                return body
            self.close_connection = True
        return None

    def _refuse(self, status: int) -> None:
        self.close_connection = True
        self._answer(status, b"", "text/plain")

    def _answer(self, status: int, body: bytes, kind: str = "application/octet-stream") -> None:
        self.send_response_only(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()  # before anybody may think that it has left
        self.server.listening(self.connection)


def _cut(held: socket.socket) -> None:
    with suppress(OSError, ValueError):
        socket.socket.shutdown(held, socket.SHUT_RDWR)  # of the plain socket: TLS would wait for a goodbye


def _seen(replica: Replica, peer: Peer) -> bytes:
    """What stands for all that the peer may see of a home."""
    return ranges.whole(shown(replica, peer))


def _problem(code: str) -> bytes:
    return canonical.encode({"code": code})
