"""A calendar on the web, fetched: https outside this machine, every redirect looked at again, size and time bounded."""

from __future__ import annotations

import http.client
import ipaddress
import ssl
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin, urlsplit

from chaise_cli.domain.light import NamedTuple
from chaise_cli.rails.https import Deadline, loopback, why_of

if TYPE_CHECKING:
    from urllib.parse import SplitResult

LIMIT: Final = 5 * 1024 * 1024  # bytes of an answer
DEADLINE_S: Final = 30.0  # of one request with its answer
REDIRECTS: Final = 5
_REDIRECT: Final = frozenset({301, 302, 303, 307, 308})
_HEADERS: Final = {"Accept": "text/calendar", "Accept-Encoding": "identity", "User-Agent": "chaise"}


class Failed(Exception):
    """The calendar did not come, for the reason it carries."""


class Answer(NamedTuple):
    """What lies at an address; `body` None: the same as the tag that was asked with."""

    body: bytes | None
    tag: str | None


class _Hop(NamedTuple):
    """One address on the way, and whether the one who is asked stands in a private network."""

    url: str
    private: bool


def checked(url: str) -> SplitResult:
    """The parts of an address that may be fetched. Raises Failed."""
    if not url.isascii() or not url.isprintable() or " " in url:
        raise Failed("it holds characters that belong into no address")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise Failed("it is not of the form of an address") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0:
        raise Failed("no host is named")
    if parts.username is not None:
        raise Failed("a name or password before the host has no place in it")
    if parts.scheme == "http" and not loopback(parts.hostname):
        raise Failed("it is not encrypted: write https://")
    return parts


def fetch(url: str, tag: str | None, context: ssl.SSLContext | None = None) -> Answer:
    """The calendar at an address, after at most five redirects. tag: what it was called when it last came.

    A redirect leads neither from https to http nor from the open net to a private one. Raises Failed.
    """
    hop = _Hop(url, private=True)  # what the owner names may be private; what a stranger names may not
    for _ in range(REDIRECTS + 1):
        private, found = _ask(hop, tag, context)
        if isinstance(found, Answer):
            return found
        target = _joined(hop.url, found)
        if hop.url.startswith("https:") and not target.startswith("https:"):
            raise Failed("it redirects to where nothing is encrypted")
        hop = _Hop(target, private)
    raise Failed("it redirects too often")


def _joined(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError as error:
        raise Failed("it redirects to what is not of the form of an address") from error


def _ask(hop: _Hop, tag: str | None, context: ssl.SSLContext | None) -> tuple[bool, Answer | str]:
    """One request: whether who answered is in a private network, and the answer, or where it redirects to."""
    parts = checked(hop.url)
    assert parts.hostname, "checked above"
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        trusted = context or ssl.create_default_context()
        connection = http.client.HTTPSConnection(parts.hostname, parts.port, timeout=DEADLINE_S, context=trusted)
    else:
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=DEADLINE_S)
    try:
        connection.connect()
        # Of the connection itself, before anything is asked: a name server could tell one address now, another later.
        private = not ipaddress.ip_address(connection.sock.getpeername()[0].partition("%")[0]).is_global
        if private and not hop.private:
            raise Failed("it redirects into a private network")
        return private, _answer(connection, parts, tag)
    except (OSError, UnicodeError, http.client.HTTPException, ValueError, AttributeError) as error:
        raise Failed(why_of(error)) from error
    finally:
        connection.close()


def _answer(connection: http.client.HTTPConnection, parts: SplitResult, tag: str | None) -> Answer | str:
    deadline = Deadline(connection, DEADLINE_S)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request("GET", target, headers=_HEADERS | ({"If-None-Match": tag} if tag else {}))
        with connection.getresponse() as response:
            status, location = response.status, response.getheader("Location")
            if status == http.client.NOT_MODIFIED and tag:
                return Answer(None, tag)
            if status in _REDIRECT and location:
                return location
            if status != http.client.OK:
                raise Failed(f"it answers {status}")
            if response.getheader("Content-Encoding", "identity").lower() != "identity":
                raise Failed("it answers packed, which nobody asked for")
            return Answer(_body(response), _tag(response.getheader("ETag")))
    finally:
        deadline.cancel()
        if deadline.passed:
            raise Failed("the answer took too long")


def _body(response: http.client.HTTPResponse) -> bytes:
    body = response.read(LIMIT + 1)
    if len(body) > LIMIT:
        raise Failed(f"it has more than {LIMIT} bytes")
    if response.length:
        raise Failed("the answer broke off")
    return body


def _tag(given: str | None) -> str | None:
    """A tag that can be sent back as it came."""
    fits = given is not None and len(given) <= 200 and given.isascii() and given.isprintable()
    return given if fits else None
