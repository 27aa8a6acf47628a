"""The calendars busy time is read from: listed, added, forgotten, read anew. Of this device alone, never synced."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from chaise_cli.domain import when
from chaise_cli.domain.light import NamedTuple
from chaise_cli.errors import NotFound, Unreachable, Usage
from chaise_cli.session import busy as asked
from chaise_cli.session.logins import Login
from chaise_cli.store import busy, server_copies

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chaise_cli.errors import ChaiseError
    from chaise_cli.session.session import Session
    from chaise_cli.shapes_busy import Calendar
    from chaise_cli.store.busy import Source

EVERY: Final = when.HOUR  # what is older is stale, unless it was said otherwise
NAME_MOST: Final = 40
TOLD: Final = 5  # entries that were skipped, each with its reason
_BEHIND: Final = re.compile(r"[/?#]")  # what a host ends at
_READING: Final = "chaise_cli.session.busy_reading"
_WEB: Final = "chaise_cli.session.busy_web"
_CALDAV: Final = "chaise_cli.session.caldav"


class BadPlace(Usage):
    """What was named is no calendar that can be read."""

    code = "calendar.bad_place"
    message = "no calendar is read from {given!r}: {why}"
    hint = "name an .ics file, a folder of them, or an https:// address of one"
    given: str
    why: str


class NoSuchCalendar(NotFound):
    """No calendar has that name."""

    code = "calendar.unknown"
    message = "there is no calendar {given!r}"
    hint = "chaise calendars lists them"
    given: str


class NameTaken(Usage):
    """Another calendar has that name."""

    code = "calendar.name_taken"
    message = "another calendar is called {name!r}"
    hint = "give this one a name with --name"
    name: str


class Unread(Unreachable):
    """A calendar could not be read."""

    code = "calendar.unread"
    message = "{names} could not be read: {why}"
    hint = "what was read before still counts; then: chaise calendar refresh"
    names: str
    why: str


class Adding(NamedTuple):
    """How a calendar is added; None leaves what it had, or what is usual."""

    where: str
    name: str | None = None
    tentative: bool | None = None
    email: str | None = None
    every: int | None = None
    login: Login | None = None  # at a calendar server


class Read(NamedTuple):
    """Calendars as they now stand, what went wrong, and what was skipped."""

    shapes: list[Calendar]
    error: ChaiseError | None
    warnings: list[str]


def listed(session: Session) -> list[Calendar]:
    """Every calendar, by name."""
    return [_shape(session, source) for source in busy.known(session.db)]


def add(session: Session, given: Adding) -> Read:
    """Remember a calendar, or what is said otherwise of one, and read it. Raises BadPlace, NameTaken.

    A file or folder that cannot be read is not remembered, nor is a feed that is no calendar.
    """
    kind, url = _place(given.where)
    with session.admitting():  # what another process adds meanwhile is seen
        known = busy.known(session.db)
        if kind == "web" and (given.login is not None or any((one.kind, one.url) == ("caldav", url) for one in known)):
            kind = _server(session, url)
        elif given.login is not None:
            raise BadPlace(given=given.where[:200], why="it is no server, which alone asks for a name and a password")
        before = next((one for one in known if (one.kind, one.url) == (kind, url)), None)
        source = _source(given, kind, url, before, {one.name for one in known if one is not before})
        if before:
            busy.change(session.db, source)
        else:
            source = source._replace(no=busy.add(session.db, source))
        if given.login is not None:
            busy.set_login(session.db, source.no, *given.login)
    read = refresh(session, [source.name])
    if before is None and isinstance(read.error, Unread) and kind in asked.LOCAL:
        with session.admitting():
            busy.remove(session.db, source.no)
        raise BadPlace(given=given.where[:200], why=read.error.why)
    return read


def remove(session: Session, name: str) -> Calendar:
    """Forget a calendar and its busy time; how it stood. Raises NoSuchCalendar."""
    source = _named(session, name)
    shape = _shape(session, source)
    with session.admitting():
        busy.remove(session.db, source.no)
    return shape


def refresh(session: Session, names: Sequence[str]) -> Read:
    """Read these calendars, all when none is named. Raises NoSuchCalendar, also for one removed meanwhile."""
    sources = [_named(session, name) for name in names] or busy.known(session.db)
    reading: Any = import_module(_READING)
    warnings: list[str] = []
    failed: list[tuple[str, str]] = []
    for source, problem, skipped in reading.refresh(session, sources):
        if problem:
            failed.append((source.name, problem))
        warnings += [f"{source.name}, {one}" for one in skipped[:TOLD]]
        if len(skipped) > TOLD:
            warnings.append(f"{source.name}: {len(skipped) - TOLD} more entries were skipped")
    error = Unread(names=", ".join(name for name, _ in failed), why=failed[0][1]) if failed else None
    left = [_named(session, name) for name in names] or busy.known(session.db)
    return Read([_shape(session, source) for source in left], error, warnings)


def _named(session: Session, name: str) -> Source:
    found = next((one for one in busy.known(session.db) if one.name == name), None)
    if found is None:
        raise NoSuchCalendar(given=name[:NAME_MOST])
    return found


def _place(where: str) -> tuple[str, str]:
    """The kind of a calendar and its address, a path in full. Raises BadPlace."""
    scheme, colon, rest = where.strip().partition("://")
    if not colon or scheme.lower() == "file":
        return _path(rest if colon else where)
    if scheme.lower() in {"webcal", "webcals"}:  # what calendars call a feed; there is always TLS behind it
        scheme = "https"
    web: Any = import_module(_WEB)
    url = f"{scheme.lower()}://{rest}"
    try:
        web.checked(url)
    except web.Failed as error:
        raise BadPlace(given=_masked(url), why=str(error)) from error
    return "web", url


def _server(session: Session, url: str) -> str:
    """The kind of a calendar on a server. Raises BadPlace, and what is said of an address that cannot be one's."""
    caldav: Any = import_module(_CALDAV)
    caldav.Server(url, "", "")
    if server_copies.find(session.db, url.rstrip("/") + "/"):
        raise BadPlace(given=_masked(url), why="calls are pushed into it, and known without it")
    return "caldav"


def _path(given: str) -> tuple[str, str]:
    try:
        path = Path(given).expanduser().resolve()
        kind = "folder" if path.is_dir() else "file"
    except (OSError, RuntimeError, ValueError) as error:
        raise BadPlace(given=given[:200], why="it is no path") from error
    return kind, str(path)


def _source(given: Adding, kind: str, url: str, before: Source | None, others: set[str]) -> Source:
    if given.name is not None and given.name in others:
        raise NameTaken(name=given.name)
    name = given.name or (before.name if before else _free_name(kind, url, others))
    return busy.Source(
        before.no if before else 0,
        name,
        kind,
        url,
        given.tentative if given.tentative is not None else before.tentative if before else True,
        given.email if given.email is not None else before.email if before else None,
        given.every or (before.every if before else EVERY),
    )


def _free_name(kind: str, url: str, taken: set[str]) -> str:
    """The host, or the last part of the path; with a number where that is taken."""
    whole = Path(url).stem if kind in asked.LOCAL else (urlsplit(url).hostname or "")
    base = "".join(c for c in whole if c.isprintable()).strip()[:NAME_MOST] or "calendar"
    names = [base, *(f"{base}-{n}" for n in range(2, len(taken) + 2))]
    return next(name for name in names if name not in taken)


def _masked(url: str) -> str:
    """An address without what lies behind the host, which is often a secret."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{_BEHIND.split(rest, maxsplit=1)[0].rpartition('@')[2][:80]}/…"


def _shape(session: Session, source: Source) -> Calendar:
    known = busy.reading(session.db, source.no)
    return {
        "name": source.name,
        "kind": source.kind,
        "where": source.url if source.kind in asked.LOCAL else _masked(source.url),
        "tentative": source.tentative,
        "email": source.email,
        "every": when.duration_text(source.every),
        "read_at": when.instant_text(known.at) if known else None,
        "until": when.instant_text(known.until) if known else None,
        "entries": known.entries if known else 0,
        "skipped": known.skipped if known else 0,
        "busy": busy.count(session.db, source.no),
        "stale": asked.stale(session, source, session.clock.now()) is not None,
        "problem": busy.problem(session.db, source.no),
    }
