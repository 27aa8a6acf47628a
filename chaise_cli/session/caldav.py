"""One calendar on a CalDAV server, asked over one connection: RFC 4791, RFC 6578. docs/spec/caldav.md.

TLS verified, every answer bounded and under a deadline, no redirect followed: that is `sync.web`'s.
"""

from __future__ import annotations

import ssl
from base64 import b64encode
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import quote, unquote

import chaise_cli.session.beside  # noqa: F401  refuses a foreign package called sync, before it is imported
from chaise_cli.domain import when
from chaise_cli.domain.booking import UID_LENGTH
from chaise_cli.domain.light import NamedTuple
from chaise_cli.errors import NoKey, NotFound, Unreachable
from chaise_cli.ids import ALPHABET
from chaise_cli.session import multistatus
from sync import web

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chaise_cli.session.multistatus import Answered

DEADLINE_S: Final = 30.0
LISTING: Final = 8 << 20  # bytes of an answer about many entries
ENTRY: Final = 256 << 10  # bytes of one entry
_ROUNDS: Final = 1_000  # pieces of one listing
_MOST: Final = 100_000  # entries of all its pieces
_XML: Final = "application/xml; charset=utf-8"
_ICAL: Final = "text/calendar; charset=utf-8"
_NO_REPORT: Final = frozenset({400, 405, 415, 422, 501})
_FORGOTTEN: Final = frozenset({403, 409, 410, 412})
_ETAG: Final = "<prop><getetag/></prop>"


class NotLetIn(NoKey):
    """The calendar server does not take the name and password."""

    code = "calendar.not_let_in"
    message = "{host} does not let this name and password into the calendar ({status})"
    hint = "give both anew: chaise calendar push URL --user NAME --password-file FILE"
    host: str
    status: int


class NoCalendar(NotFound):
    """There is no calendar at the address, or none any more."""

    code = "calendar.none_there"
    message = "there is no calendar at {url}: {why}"
    hint = "name the collection itself, as the server's own pages show it; nothing was changed"
    url: str
    why: str


class BadAnswer(Unreachable):
    """The calendar server answers with what cannot be used."""

    code = "calendar.bad_answer"
    message = "{host} answers {asked} with {why}"
    hint = "look at the address and at the server; what was done is noted, and the next call goes on from there"
    host: str
    asked: str
    why: str


class NoAnswer(Unreachable):
    """The calendar server cannot be reached, or not in time."""

    code = "calendar.no_answer"
    message = "{host} does not answer: {why}"
    hint = "run it again later; what was done is noted, and the next call goes on from there"
    host: str
    why: str


TROUBLE: Final = (BadAnswer, NoAnswer, web.Untrusted, NotLetIn, NoCalendar)  # what may befall any request


class Got(NamedTuple):
    """One entry as the server has it."""

    etag: str
    data: bytes


class Changes(NamedTuple):
    """What differs since a token, of entries of ours: ETags by UID, what is gone, and the next token.

    whole: it lists all that is there, so that what is missing is gone.
    """

    etags: Mapping[str, str]
    gone: frozenset[str]
    token: str
    whole: bool


class Server:
    """A calendar, with a name and a password for it. `close` is the context manager's."""

    def __init__(self, url: str, user: str, password: str, context: ssl.SSLContext | None = None) -> None:
        """url: of the collection. context: None is what the system trusts. Raises BadAddress, Insecure."""
        self.url = url
        self._link = web.Link(web.address(url), context)
        self._base = unquote(self._link.to.path) + "/"
        login = b64encode(f"{user}:{password}".encode()).decode()
        self._headers = {"Authorization": f"Basic {login}"} if user or password else {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._link.close()

    def names(self) -> list[str] | None:
        """The names of the resources in the calendar; None where nothing is. Raises NoCalendar for what is none.

        What is listed and does not lie directly in the collection is named by its whole path, as no entry of ours.
        """
        body = multistatus.request("propfind", "<prop><resourcetype/><getetag/></prop>")
        answer = self._ask("PROPFIND", "", body, {"Depth": "1"}, known={207, 404})
        if answer.status == 404:
            return None
        found = self._read(answer, "PROPFIND").found
        inside = [one for one in found if one.path.rstrip("/") + "/" != self._base]
        if not any(one.calendar for one in found if one not in inside):
            raise NoCalendar(url=self.url, why="what is there is something else")
        return [self._name(one.path) or one.path for one in inside]

    def make(self, name: str) -> None:
        """Make the calendar. Raises NoCalendar where the server does not make one there."""
        inside = f"<set><prop><displayname>{multistatus.text(name)}</displayname></prop></set>"
        body = multistatus.request("C:mkcalendar", inside)
        answer = self._ask("MKCALENDAR", "", body, {}, known={201, 403, 404, 405, 409, 501})
        if answer.status != 201:
            raise NoCalendar(url=self.url, why=f"and the server makes none there ({answer.status})")

    def get(self, uid: str) -> Got | None:
        """An entry; None where it is gone."""
        answer = self._ask("GET", f"{uid}.ics", b"", {}, known={200, 404, 410}, limit=ENTRY)
        return Got(_tag(answer.headers.get("etag")), answer.body) if answer.status == 200 else None

    def put(self, uid: str, data: bytes, etag: str | None) -> str | None:
        """Write an entry where it stands as `etag` says, or is none yet; its new ETag, None when it stands otherwise.

        An empty ETag: the server told none.
        """
        condition = {"If-None-Match": "*"} if etag is None else {"If-Match": etag}
        answer = self._ask(
            "PUT", f"{uid}.ics", data, {"Content-Type": _ICAL} | condition, known={200, 201, 204, 404, 409, 412}
        )
        if answer.status == 409 or (answer.status == 404 and etag is None):
            raise NoCalendar(url=self.url, why=f"the server takes no entry ({answer.status})")
        return None if answer.status in {404, 412} else _tag(answer.headers.get("etag"))

    def delete(self, uid: str, etag: str) -> bool:
        """Delete an entry where it stands as `etag` says; whether it is gone now."""
        condition = {"If-Match": etag} if etag else {}
        known = {200, 202, 204, 404, 410, 412}
        return self._ask("DELETE", f"{uid}.ics", b"", condition, known=known).status != 412

    def changes(self, token: str) -> Changes:
        """What changed since `token`, empty for all there is. Raises NoCalendar."""
        found: list[multistatus.Found] = []
        start, next_ = token, token
        for _ in range(_ROUNDS):
            inside = f"<sync-token>{multistatus.text(next_)}</sync-token><sync-level>1</sync-level>{_ETAG}"
            body = multistatus.request("sync-collection", inside)
            answer = self._ask("REPORT", "", body, {"Depth": "0"}, known={207, 404, *_NO_REPORT, *_FORGOTTEN})
            if answer.status == 404:
                raise NoCalendar(url=self.url, why="it is gone")
            if answer.status != 207:
                # A token that came a moment ago cannot be forgotten; whoever says so gets no third chance.
                return self.changes("") if start and answer.status in _FORGOTTEN else self._listed()
            piece = self._read(answer, "REPORT")
            found += piece.found
            if piece.token is None or piece.token == next_:
                return self._changes(found, piece.token or "", whole=not start)
            next_ = piece.token
            if not any(one.status == 507 for one in piece.found):  # 507: more is to come
                return self._changes(found, next_, whole=not start)
            if len(found) > _MOST:
                break
        raise BadAnswer(host=self._link.to.host, asked="REPORT", why="no end")

    def busy(self, start: int, end: int) -> list[bytes]:
        """Calendar files that tell who is busy in [start, end), ms since 1970: a VFREEBUSY, which says least.

        Of a server that sums nothing up, the entries themselves.
        """
        span = f'<C:time-range start="{_stamp(start)}" end="{_stamp(end)}"/>'
        body = multistatus.request("C:free-busy-query", span)
        answer = self._ask("REPORT", "", body, {"Depth": "1"}, known={200, 403, 404, *_NO_REPORT})
        if answer.status == 200:
            return [answer.body]
        if answer.status == 404:
            raise NoCalendar(url=self.url, why="it is gone")
        inside = '<C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT">' + span + "</C:comp-filter>" * 2
        body = multistatus.request("C:calendar-query", f"<prop><C:calendar-data/></prop><C:filter>{inside}</C:filter>")
        found = self._read(self._ask("REPORT", "", body, {"Depth": "1"}, known={207}), "REPORT").found
        return [one.data.encode() for one in found if one.data]

    def _listed(self) -> Changes:
        """All ETags, of a server that knows no tokens."""
        body = multistatus.request("propfind", _ETAG)
        answer = self._ask("PROPFIND", "", body, {"Depth": "1"}, known={207, 404})
        if answer.status == 404:
            raise NoCalendar(url=self.url, why="it is gone")
        return self._changes(self._read(answer, "PROPFIND").found, "", whole=True)

    def _changes(self, found: list[multistatus.Found], token: str, *, whole: bool) -> Changes:
        ours = {uid: one for one in found if (uid := uid_in(self._name(one.path)))}
        etags = {uid: _tag(one.etag) for uid, one in ours.items() if one.status not in {404, 410}}
        return Changes(etags, frozenset(ours.keys() - etags.keys()), token, whole)

    def _name(self, path: str) -> str:
        """The name of a resource directly in the collection; empty for the collection and what is elsewhere."""
        name = path.removeprefix(self._base) if path.startswith(self._base) else ""
        return "" if "/" in name.rstrip("/") else name.rstrip("/")

    def _ask(
        self, method: str, name: str, body: bytes, headers: Mapping[str, str], known: set[int], limit: int = LISTING
    ) -> web.Answer:
        """One request; an answer of a status in `known`. Raises NotLetIn, BadAnswer, NoAnswer, Untrusted."""
        typed = {"Content-Type": _XML} if body and "Content-Type" not in headers else {}
        try:
            answer = self._link.request(
                method, f"/{quote(name)}", body,
                limit=limit, deadline_s=DEADLINE_S, headers={**self._headers, **typed, **headers},
            )  # fmt: skip
        except web.NoAnswer as error:
            raise NoAnswer(host=error.host, why=error.why) from error
        host = self._link.to.host
        if answer.status in known:
            return answer
        if answer.status in {401, 403}:
            raise NotLetIn(host=host, status=answer.status)
        said = f"status {answer.status}"
        if 300 <= answer.status < 400:
            to = answer.headers.get("location", "")[:200]
            said += f", to {''.join(char if char.isprintable() else '?' for char in to)}"
        raise BadAnswer(host=host, asked=method, why=said)

    def _read(self, answer: web.Answer, asked: str) -> Answered:
        try:
            return multistatus.read(answer.body)
        except ValueError as error:
            raise BadAnswer(host=self._link.to.host, asked=asked, why="what is no list of entries") from error


def uid_in(name: str) -> str:
    """The UID of ours that a resource is named by; empty for any other name."""
    uid = name.removesuffix(".ics")
    stem, dash, slot = uid.partition("-")
    ours = len(stem) == UID_LENGTH and set(stem) <= set(ALPHABET) and (not dash or (slot.isascii() and slot.isdigit()))
    return uid if ours and uid != name else ""


def _tag(given: str | None) -> str:
    """An ETag that can be sent back as it came; empty for any other, as where none is told."""
    return given if given and given.isascii() and given.isprintable() else ""


def _stamp(ms: int) -> str:
    return when.utc(ms).strftime("%Y%m%dT%H%M%SZ")
