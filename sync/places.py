"""From what a user types as WHERE to the transport that goes there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from chaise_cli.errors import Usage

from . import relay_link, web
from .engine import Tally, Transport
from .relay_memory import Memory as RelayMemory
from .relay_messages import Malformed
from .replica import Replica, Signer
from .transports import stdio
from .transports.folder import Folder, Memory
from .transports.http_peer import WebPeer
from .transports.relay import Relay
from .transports.stdio import BadPlace, Lines, Program


class PlaceUnsupported(Usage):
    """Chaise cannot go there, or not yet."""

    code = "place.unsupported"
    message = "cannot sync with {given!r}: {why}"
    hint = "use a folder, file://FOLDER, ssh://[user@]host[:port][/home] or https://host[:port]"
    given: str
    why: str


def transport(where: str, memory: Memory, on_stderr: Lines) -> Transport:
    """The way to `where`: a folder, `file://FOLDER`, `ssh://…` or `https://…`.

    Raises BadPlace, PlaceUnsupported, BadAddress, Insecure.
    memory: what was read of folders before. on_stderr: gets the lines a far program writes to stderr.
    """
    scheme, colon, _ = where.partition("://")
    if not colon:
        return Folder(_folder(where, where), memory)
    match scheme.lower():
        case "ssh":
            return Program(stdio.ssh(where), on_stderr=on_stderr)
        case "file":
            return Folder(_local(where), memory)
        case "http" | "https":
            return WebPeer(where)
        case _:
            raise PlaceUnsupported(given=where[:200], why="unknown kind of address")


def is_web(where: str) -> bool:
    """Whether a place is an address on the web, where a relay or a peer may answer."""
    return where.partition("://")[0].lower() in {"http", "https"}


class WebPlace:
    """A place on the web: whether a relay or a peer answers is asked when it is first spoken to, and remembered."""

    def __init__(
        self,
        where: str,
        kind: str | None,
        found: Callable[[str], None],
        relay: RelayMemory,
        now: relay_link.Now,
        peer: Callable[[str], Transport],
    ) -> None:
        """kind: 'relay', 'peer' or not known yet; found: is told once it is. Raises BadAddress, Insecure."""
        web.address(where)
        self._where, self._kind, self._found = where, kind, found
        self._relay, self._now, self._peer = relay, now, peer
        self._way: Transport | None = None

    def exchange(self, replica: Replica, signer: Signer, tally: Tally) -> None:
        """As `engine.Transport`."""
        self._picked().exchange(replica, signer, tally)

    def wait(self, replica: Replica, signer: Signer, timeout_s: float) -> bool:
        """Whether there may be news, as the way there tells; at once before the first exchange."""
        wait = getattr(self._way, "wait", None)
        return True if wait is None else bool(wait(replica, signer, timeout_s))

    def _picked(self) -> Transport:
        if self._way is None:
            kind = self._kind or ask(self._where)
            if kind != self._kind:
                self._found(kind)
            self._kind = kind
            self._way = Relay(self._where, self._relay, self._now) if kind == "relay" else self._peer(self._where)
        return self._way


def ask(where: str) -> str:
    """What answers at an address: 'relay' or 'peer'. Raises NoAnswer, Untrusted."""
    link = web.Link(web.address(where))
    try:
        answer = link.request("GET", "/v1/relay", limit=relay_link.SMALL, deadline_s=relay_link.TIMEOUT_S)
        relay_link.who(where, answer)
    except Malformed:
        return "peer"
    finally:
        link.close()
    return "relay"


def program(command: str, on_stderr: Lines) -> Transport:
    """The way through `--exec COMMAND`. Raises BadPlace."""
    return Program(stdio.command(command), on_stderr=on_stderr)


def _local(where: str) -> str:
    parts = urlsplit(where)
    if parts.netloc not in ("", "localhost") or parts.query or parts.fragment:
        raise BadPlace(given=where[:200], why="a file address has three slashes: file:///folder")
    return _folder(where, unquote(parts.path))


def _folder(where: str, path: str) -> str:
    if not path or "\0" in path:
        raise BadPlace(given=where[:200], why="no folder is named")
    try:
        return str(Path(path).expanduser().absolute())
    except RuntimeError as error:
        raise BadPlace(given=where[:200], why="nobody of that name has a home here") from error


__all__: Sequence[str] = ("BadPlace", "Memory", "PlaceUnsupported", "WebPlace", "ask", "is_web", "program", "transport")
