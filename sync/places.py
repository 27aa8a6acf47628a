"""From what a user types as WHERE to the transport that goes there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from chaise_cli.errors import Usage

from .engine import Transport
from .transports import stdio
from .transports.folder import Folder, Memory
from .transports.stdio import BadPlace, Lines, Program


class PlaceUnsupported(Usage):
    """Chaise cannot go there, or not yet."""

    code = "place.unsupported"
    message = "cannot sync with {given!r}: {why}"
    hint = "use a folder, file://FOLDER, or ssh://[user@]host[:port][/home]"
    given: str
    why: str


def transport(where: str, memory: Memory, on_stderr: Lines) -> Transport:
    """The way to `where`: a folder, `file://FOLDER` or `ssh://…`. Raises BadPlace, PlaceUnsupported.

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
            raise PlaceUnsupported(given=where[:200], why="http and https come with relays")
        case _:
            raise PlaceUnsupported(given=where[:200], why="unknown kind of address")


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


__all__: Sequence[str] = ("BadPlace", "Memory", "PlaceUnsupported", "program", "transport")
