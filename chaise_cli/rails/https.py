"""JSON over HTTP to a rail: TLS verified, a deadline over the whole answer, a bound on its size, no redirects.

Plain http goes to this machine alone, and nothing turns that off. What comes back is an answer, or what is known
of a request without one: that it never left, or that nobody can tell.
"""

from __future__ import annotations

import http.client
import ipaddress
import json
import math
import select
import socket
import ssl
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from threading import Condition, Thread
from typing import Any, Final
from urllib.parse import urlsplit

from chaise_cli.errors import Usage

LIMIT: Final = 1 << 20  # bytes of an answer
CONNECT_S: Final = 10.0
_WHY: Final = 200


class BadUrl(Usage):
    """The text is no address of a rail."""

    code = "rail.bad_url"
    message = "no rail is asked at {given!r}: {why}"
    hint = "an address is https://HOST[:PORT][/PATH]; http:// for this machine alone"
    given: str
    why: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whole: its status, and the JSON object in it; None where it is none."""

    status: int
    value: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Lost:
    """The request may have arrived; its answer did not."""

    why: str


@dataclass(frozen=True, slots=True)
class Stayed:
    """The request never left: there was no connection to send it on."""

    why: str


class Link:
    """One address, asked on one connection that is kept open between requests. For one thread at a time."""

    def __init__(self, url: str, deadline_s: float, context: ssl.SSLContext | None = None) -> None:
        """context: None is what the system trusts. Raises BadUrl."""
        self._secure, self._host, self._port, self._path = _address(url)
        self._deadline_s, self._context = deadline_s, context
        self._connection: http.client.HTTPConnection | None = None

    def ask(
        self, method: str, path: str, value: object = None, headers: Mapping[str, str] = {}
    ) -> Answer | Lost | Stayed:
        """One request, `value` as its JSON body where there is one."""
        try:
            connection = self._connected()
        except (OSError, UnicodeError) as error:
            return Stayed(why_of(error))
        body = None if value is None else json.dumps(value).encode()
        more = {} if body is None else {"Content-Type": "application/json"}
        deadline = Deadline(connection, self._deadline_s)
        try:
            connection.request(method, self._path + path, body, {**headers, **more})
            with connection.getresponse() as response:
                answer = _read(response)
        except (OSError, http.client.HTTPException, ValueError, AttributeError) as error:
            # When the deadline closes the socket under it, http.client may stumble in ways of its own.
            self.close()
            return Lost("the answer took too long" if deadline.passed else why_of(error))
        finally:
            deadline.cancel()
        if deadline.passed:  # what was cut off may look like an answer that ended
            self.close()
            return Lost("the answer took too long")
        return answer

    def close(self) -> None:
        """Let go of the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(OSError):
                connection.close()

    def _connected(self) -> http.client.HTTPConnection:
        kept = self._connection
        if kept is not None and kept.sock is not None and not _over(kept.sock):
            return kept
        self.close()
        wait_s = min(CONNECT_S, self._deadline_s)
        made: http.client.HTTPConnection
        if self._secure:
            context = self._context or ssl.create_default_context()
            made = http.client.HTTPSConnection(self._host, self._port, timeout=wait_s, context=context)
        else:
            made = http.client.HTTPConnection(self._host, self._port, timeout=wait_s)
        made.connect()
        self._connection = made
        return made


class Deadline:
    """Breaks a connection off when its time is over, however busily the other side drips."""

    def __init__(self, connection: http.client.HTTPConnection, after_s: float) -> None:
        self._held: socket.socket = connection.sock  # an answer that ends with the connection takes it from there
        self.passed = False
        self._held.settimeout(after_s)
        self.at = time.monotonic() + after_s
        _WATCH.add(self)

    def cancel(self) -> None:
        """The request is over."""
        _WATCH.drop(self)

    def end(self) -> None:
        """Its time is over."""
        self.passed = True
        with suppress(OSError):
            socket.socket.shutdown(self._held, socket.SHUT_RDWR)  # of the plain socket: TLS would first say goodbye


class _Watch:
    """Waits for all deadlines in one thread: to start one for each request took as long as to write down its answer."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._open: set[Deadline] = set()
        self._thread: Thread | None = None
        self._looks_at = math.inf

    def add(self, deadline: Deadline) -> None:
        with self._changed:
            self._open.add(deadline)
            if self._thread is None or not self._thread.is_alive():  # as after a fork
                self._thread = Thread(target=self._run, daemon=True)
                self._thread.start()
            elif deadline.at < self._looks_at:
                self._changed.notify()

    def drop(self, deadline: Deadline) -> None:
        with self._changed:
            self._open.discard(deadline)

    def _run(self) -> None:
        with self._changed:
            while True:
                now = time.monotonic()
                for deadline in [one for one in self._open if one.at <= now]:
                    self._open.discard(deadline)
                    deadline.end()
                self._looks_at = min((one.at for one in self._open), default=math.inf)
                self._changed.wait(None if self._looks_at == math.inf else self._looks_at - now)


_WATCH: Final = _Watch()


def _over(sock: socket.socket) -> bool:
    """Whether the other side has hung up, or says something nobody asked for: then a request would only be lost."""
    return bool(select.select([sock], [], [], 0)[0])


def _read(response: http.client.HTTPResponse) -> Answer:
    if response.length is None and not response.chunked:
        raise http.client.HTTPException("an answer of which nobody can tell whether it is whole")
    body = response.read(LIMIT + 1)
    if len(body) > LIMIT:
        raise http.client.HTTPException(f"an answer over {LIMIT} bytes")
    if response.length:
        raise http.client.IncompleteRead(body, response.length)
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        value = None
    return Answer(response.status, value if isinstance(value, dict) else None)


def _address(url: str) -> tuple[bool, str, int, str]:
    """Whether TLS is spoken, host, port and path without a slash at its end."""
    shown = url[:_WHY]
    if not url.isascii() or not url.isprintable() or " " in url:
        raise BadUrl(given=shown, why="it holds characters that belong into no address")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise BadUrl(given=shown, why="it is not of the form of an address") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise BadUrl(given=shown, why="no host is named")
    if parts.username is not None or parts.query or parts.fragment or port == 0:
        raise BadUrl(given=shown, why="a name before the host, a query, a fragment or port 0 has no place in it")
    secure = parts.scheme == "https"
    if not secure and not loopback(parts.hostname):
        raise BadUrl(given=shown, why="it is not encrypted")
    return secure, parts.hostname, port or (443 if secure else 80), parts.path.rstrip("/")


def loopback(host: str) -> bool:
    """Whether a host is this machine, told by its name alone: no name server is believed."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def why_of(error: Exception) -> str:
    """What went wrong with a connection, in words."""
    why = getattr(error, "verify_message", None) or getattr(error, "strerror", None) or str(error)
    return "".join(c if c.isprintable() else "?" for c in str(why) or type(error).__name__)[:_WHY]
