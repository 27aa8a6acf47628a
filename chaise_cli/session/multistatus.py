"""What a WebDAV server answers for many resources at once, and what is asked for it. RFC 4918, RFC 4791, RFC 6578.

Read with expat and nothing on top: a document type is refused, so there are no entities of its own and nothing is
fetched; depth, number of elements and length of a text are bounded.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import unquote, urlsplit
from xml.parsers import expat
from xml.sax.saxutils import escape

from chaise_cli.domain.light import NamedTuple

DAV: Final = "DAV:"
CALDAV: Final = "urn:ietf:params:xml:ns:caldav"
_MOST_ELEMENTS: Final = 500_000
_MOST_DEPTH: Final = 20
_MOST_TEXT: Final = 4_000
_MOST_DATA: Final = 256 << 10  # of one entry
_HEAD: Final = f'<?xml version="1.0" encoding="utf-8"?><{{name}} xmlns="{DAV}" xmlns:C="{CALDAV}">{{inside}}</{{name}}>'


class NotXml(ValueError):
    """The answer is no multistatus document, or beyond its bounds."""


class Found(NamedTuple):
    """One resource. path: decoded. etag: None where the server tells none. data: the entry, where that was asked."""

    path: str
    status: int
    etag: str | None
    calendar: bool
    data: str = ""


class Answered(NamedTuple):
    """A whole answer, with the sync token where one was given."""

    found: list[Found]
    token: str | None


def request(name: str, inside: str) -> bytes:
    """A body: the element `name` (of DAV:, or with `C:` of CalDAV) around what stands inside."""
    return _HEAD.format(name=name, inside=inside).encode()


def text(value: str) -> str:
    """A text as it stands in a body."""
    return escape(value)


def read(data: bytes) -> Answered:
    """The resources in a multistatus document, in its order. Raises NotXml."""
    reader = _Reader()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = reader.start, reader.end
    parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = reader.text, reader.doctype
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, LookupError, ValueError) as error:  # of an unknown encoding, or an address that is none
        raise NotXml(str(error)) from error
    return Answered(reader.found, reader.token)


class _Reader:
    """Follows the elements and keeps what is wanted of them."""

    def __init__(self) -> None:
        self.found: list[Found] = []
        self.token: str | None = None
        self._path: list[str] = []
        self._text = ""
        self._count = 0
        self._one: dict[str, str] = {}
        self._calendar = False

    def start(self, name: str, _attributes: dict[str, str]) -> None:
        """An element begins; names come as `namespace name`."""
        self._count += 1
        self._path.append(name)
        self._text = ""
        if self._path[0] != f"{DAV} multistatus":
            raise NotXml("no multistatus document")
        if self._count > _MOST_ELEMENTS or len(self._path) > _MOST_DEPTH:
            raise NotXml("too many or too deep elements")
        if name == f"{DAV} response":
            self._one, self._calendar = {}, False

    def end(self, name: str) -> None:
        """An element ends."""
        here, said = tuple(part.rpartition(" ")[2] for part in self._path[1:]), self._text.strip()
        self._path.pop()
        self._text = ""
        if here == ("sync-token",):
            self.token = said
        elif here in {("response", "href"), ("response", "status")}:
            self._one.setdefault(here[1], said)
        elif here in {("response", "propstat", "prop", "getetag"), ("response", "propstat", "prop", "calendar-data")}:
            self._one[here[-1]] = said
        elif here[-3:] == ("prop", "resourcetype", "calendar") and name == f"{CALDAV} calendar":
            self._calendar = True
        elif here == ("response",):
            path = unquote(urlsplit(self._one.get("href", "")).path)
            status = _status(self._one.get("status"))
            etag, data = self._one.get("getetag") or None, self._one.get("calendar-data", "")
            self.found.append(Found(path, status, etag, self._calendar, data))

    def text(self, said: str) -> None:
        """Text between two tags, maybe in parts."""
        self._text += said  # the parser joins pieces first, so that a long text is not copied for each of its lines
        most = _MOST_DATA if self._path[-1] == f"{CALDAV} calendar-data" else _MOST_TEXT
        if len(self._text) > most:
            raise NotXml("a text is too long")

    def doctype(self, *_given: object) -> None:
        """A document type, which no answer has a use for."""
        raise NotXml("it declares a document type")


def _status(line: str | None) -> int:
    """The number in `HTTP/1.1 404 Not Found`; 200 where a resource has none of its own."""
    parts = (line or "HTTP/1.1 200 OK").split()
    return int(parts[1]) if len(parts) > 1 and parts[1].isascii() and parts[1].isdigit() else 200
