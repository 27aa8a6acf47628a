"""Serving a home to peers over HTTP. Only `peer serve` loads it."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Final

import chaise_cli.session.beside  # noqa: F401  refuses a foreign package called sync, before it is imported
from chaise_cli.domain.light import NamedTuple
from chaise_cli.errors import Usage
from chaise_cli.ids import public, text
from chaise_cli.session import access, pairing, staying, upkeep
from chaise_cli.session.replica import HomeReplica, HomeSigner
from chaise_cli.session.syncing import Done
from sync import web
from sync.transports import http_serve

if TYPE_CHECKING:
    from chaise_cli.session.session import Session
    from sync.engine import Exchange
    from sync.handshake import Peer
    from sync.replica import Replica, Signer

PORT: Final = 7413


class BadListen(Usage):
    """The text is no address to serve at."""

    code = "usage.bad_listen"
    message = "cannot serve at {given!r}: it is not HOST:PORT"
    hint = "as 127.0.0.1:7413, or [::1]:0 for any free port"
    given: str


class NeedsTls(Usage):
    """Serving other machines in the clear."""

    code = "usage.needs_tls"
    message = "{host} can be reached from other machines, and nothing goes there in the clear"
    hint = "give --tls-cert FILE and --tls-key FILE, or listen at 127.0.0.1 and let ssh or a proxy go there"
    host: str


class BadTls(Usage):
    """The certificate or its key cannot be used."""

    code = "usage.bad_tls"
    message = "the certificate cannot be used: {why}"
    hint = "--tls-cert and --tls-key name PEM files that belong together"
    why: str


class Tls(NamedTuple):
    """A certificate with those that lead to its authority, and its key; None for the key: it is in the same file."""

    certificate: Path
    key: Path | None


class Serving:
    """A home that is being served at `url`."""

    def __init__(self, session: Session, listen: str, tls: Tls | None) -> None:
        """Raises BadListen, NeedsTls, BadTls, CannotListen."""
        host, port = _listen(listen)
        if tls is None and not web.loopback(host):
            raise NeedsTls(host=host)
        self._session = session
        self._here = threading.local()
        self._changes = staying.Changes(session)
        self.come = SimpleQueue[Done]()
        self._server = http_serve.Server((host, port), self._open, self._served, _context(tls), answer=self._let_in)
        self.url = self._server.url

    def start(self) -> None:
        """Begin."""
        self._server.start()

    def stop(self) -> None:
        """Answer what was asked, and end."""
        self._server.stop()

    def tick(self) -> None:
        """Look whether the home has changed, so that long polls are answered."""
        if self._changes():
            self._server.news.tell()

    @contextmanager
    def _open(self) -> Iterator[tuple[Replica, Signer]]:
        """The home once more, for the thread that asks."""
        with closing(access.again(self._session)) as own:
            self._here.session = own
            yield HomeReplica(own), HomeSigner(own)

    def _let_in(self, box: bytes, message: bytes) -> bytes:
        """Let a device of one's own in that comes with the pending pairing's code."""
        return pairing.answer(self._here.session, box, message)

    def _served(self, exchange: Exchange, peer: Peer | None) -> None:
        """Do what falls due after an exchange, and tell of it where something moved."""
        if peer is None:  # a stranger, who learned nothing
            return
        own: Session = self._here.session
        problems = [problem.text for problem in exchange.problems]
        if exchange.received and not own.behind:
            problems += upkeep.run(own)
        who = public("id", text(peer.identity))
        self.come.put(Done(who, exchange.sent, exchange.received, exchange.rejected, problems, exchange.failure))


@contextmanager
def open_server(session: Session, listen: str, tls: Tls | None) -> Iterator[Serving]:
    """The home, served for the length of the block. Raises BadListen, NeedsTls, BadTls, CannotListen."""
    serving = Serving(session, listen, tls)
    serving.start()
    try:
        yield serving
    finally:
        serving.stop()


def _listen(given: str) -> tuple[str, int]:
    host, colon, port = given.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise BadListen(given=given[:200])
    if not (host and colon and port.isascii() and port.isdigit() and int(port) < 65_536):
        raise BadListen(given=given[:200])
    return host, int(port)


def _context(tls: Tls | None) -> ssl.SSLContext | None:
    if tls is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(tls.certificate, tls.key, lambda: "")  # never asks at a terminal for a passphrase
    except (OSError, ValueError) as error:
        raise BadTls(why=str(getattr(error, "strerror", None) or error)) from error
    return context
