"""HTTP to one address: TLS verified, every request with a hard deadline, every answer bounded, no redirects.

Plain http goes to this machine alone, and nothing turns that off. docs/spec/sync.md.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
from collections.abc import Mapping
from contextlib import suppress
from threading import Timer
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from chaise_cli.errors import Corrupt, Unreachable, Usage

from . import wire

CONNECT_S: Final = 20.0
_PIECE: Final = 1 << 16
_WHY: Final = 200


class BadAddress(Usage):
    """The text is no address of a peer or relay."""

    code = "place.bad_address"
    message = "cannot sync with {given!r}: {why}"
    hint = "an address is https://HOST[:PORT][/PATH]; http:// for this machine alone"
    given: str
    why: str


class Insecure(Usage):
    """Plain http to another machine: whoever sits between would read and change what is said."""

    code = "place.insecure"
    message = "{given!r} is not encrypted: http goes to this machine alone"
    hint = "use https://; over ssh a forwarded port makes the other machine's address one of this machine"
    given: str


class NoAnswer(Unreachable):
    """Nobody answered, or not in time."""

    code = "peer.no_answer"
    message = "{host} does not answer: {why}"
    hint = "what was written here is kept; check the address and the network, then sync again"
    host: str
    why: str


class Untrusted(Corrupt):
    """The other side's certificate does not prove that it is the host that was named."""

    code = "place.untrusted_certificate"
    message = "{host} has no certificate that this machine trusts: {why}"
    hint = "nothing was sent; have the certificate mended there, or its authority added to this machine's"
    host: str
    why: str


class Address(NamedTuple):
    """Where requests go. host without brackets; path without a slash at its end."""

    secure: bool
    host: str
    port: int
    path: str


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def address(given: str) -> Address:
    """The address in an https or http URL. Raises BadAddress, Insecure."""
    shown = wire.printable(given, _WHY)
    if not given.isascii() or not given.isprintable() or " " in given:
        raise BadAddress(given=shown, why="it holds characters that belong into no address")
    try:
        parts = urlsplit(given)
        port = parts.port
    except ValueError as error:
        raise BadAddress(given=shown, why="it is not of the form of an address") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise BadAddress(given=shown, why="no host is named")
    if parts.username is not None or parts.query or parts.fragment or port == 0:
        raise BadAddress(given=shown, why="a name before the host, a query, a fragment or port 0 has no place in it")
    secure = parts.scheme == "https"
    if not secure and not loopback(parts.hostname):
        raise Insecure(given=shown)
    return Address(secure, parts.hostname, port or (443 if secure else 80), parts.path.rstrip("/"))


def loopback(host: str) -> bool:
    """Whether a host is this machine, told by its name alone: no name server is believed."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Link:
    """One connection at a time to an address, kept open between requests."""

    def __init__(self, to: Address, context: ssl.SSLContext | None = None) -> None:
        """context: for tests that bring an authority of their own; None is what the system trusts."""
        self.to = to
        self._context = context
        self._connection: http.client.HTTPConnection | None = None

    def request(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        limit: int,
        deadline_s: float,
        headers: Mapping[str, str] = {},
    ) -> Answer:
        """One request; an answer over `limit` bytes, or one not whole within `deadline_s`, is none.

        Raises NoAnswer, Untrusted.
        """
        connection = self._connected()
        late = _Deadline(connection, deadline_s)
        try:
            self._ask(connection, method, path, body, headers)
            with connection.getresponse() as response:
                answer = _read(response, limit)
        except (OSError, http.client.HTTPException, ValueError, AttributeError) as error:
            # When the deadline closes the socket under it, http.client may stumble in ways of its own.
            raise self._failed(error, late=late.passed) from error
        finally:
            late.cancel()
        if late.passed:  # what was cut off may look like an answer that ended
            raise self._failed(TimeoutError(), late=True)
        return answer

    def close(self) -> None:
        """Let go of the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(OSError):
                connection.close()

    def _ask(
        self, connection: http.client.HTTPConnection, method: str, path: str, body: bytes, headers: Mapping[str, str]
    ) -> None:
        """As `request` of the standard library, but without a word about encodings: none is known here."""
        connection.putrequest(method, self.to.path + path, skip_accept_encoding=True)
        if body or method == "POST":
            connection.putheader("Content-Length", str(len(body)))
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders(body or None)

    def _connected(self) -> http.client.HTTPConnection:
        if self._connection is not None and self._connection.sock is not None:
            return self._connection
        host, port = self.to.host, self.to.port
        try:
            made: http.client.HTTPConnection
            if self.to.secure:
                context = self._context or ssl.create_default_context()
                made = http.client.HTTPSConnection(host, port, timeout=CONNECT_S, context=context)
            else:
                made = http.client.HTTPConnection(host, port, timeout=CONNECT_S)
            made.connect()
        except (OSError, UnicodeError) as error:
            raise self._failed(error, late=False) from error
        self._connection = made
        return made

    def _failed(self, error: Exception, *, late: bool) -> NoAnswer | Untrusted:
        self.close()
        if late:
            return NoAnswer(host=self.to.host, why="the answer took too long")
        if isinstance(error, ssl.SSLCertVerificationError):
            return Untrusted(host=self.to.host, why=wire.printable(error.verify_message or "", _WHY))
        why = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return NoAnswer(host=self.to.host, why=wire.printable(str(why), _WHY))


class _Deadline:
    """Breaks a connection off when its time is over, however busily the other side drips."""

    def __init__(self, connection: http.client.HTTPConnection, after_s: float) -> None:
        self._held = connection.sock  # an answer that ends with the connection takes it from there
        self.passed = False
        self._held.settimeout(after_s)
        self._timer = Timer(after_s, self._pass)
        self._timer.daemon = True
        self._timer.start()

    def cancel(self) -> None:
        """The request is over."""
        self._timer.cancel()

    def _pass(self) -> None:
        self.passed = True
        with suppress(OSError):
            socket.socket.shutdown(self._held, socket.SHUT_RDWR)  # of the plain socket: TLS would first say goodbye


def _read(response: http.client.HTTPResponse, limit: int) -> Answer:
    if response.status == 200 and response.length is None and not response.chunked:
        raise http.client.HTTPException("an answer of which nobody can tell whether it is whole")
    body = bytearray()
    while piece := response.read(min(_PIECE, limit + 1 - len(body))):
        body += piece
        if len(body) > limit:
            raise http.client.HTTPException(f"an answer over {limit} bytes")
    if response.length:
        raise http.client.IncompleteRead(bytes(body), response.length)
    return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, bytes(body))
