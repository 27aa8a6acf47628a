"""Calendars of others read: their content fetched, and judged in a process of its own that holds no key.

What was read is kept until the content changes, or the window has moved on. A calendar that cannot be read keeps what
it had. docs/spec/busy.md.
"""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from chaise_cli.domain.light import NamedTuple
from chaise_cli.domain.when import DAY, MINUTE
from chaise_cli.session import busy_web, zones
from chaise_cli.store import busy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from chaise_cli.session.session import Session
    from chaise_cli.store.busy import Reading, Source

AHEAD: Final = 400 * DAY  # so far busy time is worked out
KNOWN: Final = 370 * DAY  # and anew when less is left of it
NOTED: Final = 10 * MINUTE  # so often at most it is written down that nothing has changed
MOST_BYTES: Final = 5 * 1024 * 1024
MOST_FILES: Final = 10_000
DEADLINE_S: Final = 60.0  # for the reader; it gives up by itself after 25 s of processor time
EDITION: Final = b"2"  # of the reader: another one reads everything anew
_CALDAV: Final = "chaise_cli.session.caldav"  # and with it the network, which files do not need
_READER: Final = ("-P", "-B", "-m", "chaise_cli.export.calendar_child")
_KEPT: Final = ("PATH", "PYTHONPATH", "PYTHONHOME", "PYTHONTZPATH", "LD_LIBRARY_PATH", "SYSTEMROOT", "TEMP")


class Failed(Exception):
    """A calendar cannot be read, for the reason it carries."""


class Content(NamedTuple):
    """The files of a calendar, what its server calls them, and their own names where there are several."""

    files: Sequence[bytes]
    tag: str | None = None
    names: Sequence[str] = ()


class Outcome(NamedTuple):
    """What came of reading a calendar: why it failed, or what was skipped in it."""

    source: Source
    problem: str | None
    skipped: Sequence[str] = ()


def refresh(session: Session, sources: Sequence[Source]) -> list[Outcome]:
    """Read these calendars; what cannot be read keeps what was read of it before."""
    return [_refresh(session, source) for source in sources]


def _refresh(session: Session, source: Source) -> Outcome:
    now = session.clock.now()
    context = _context(session, source)
    before = busy.reading(session.db, source.no)
    known = before if before and before.digest.startswith(context) and before.until >= now + KNOWN else None
    try:
        content = FETCH[source.kind](session, source, known.tag if known else None)
        if content is None or (known and known.digest == context + _digest(content.files)):
            assert known, "only a tag that is known can be said to have stayed"
            _note_same(session, source, known, now)
            return Outcome(source, None)
        return _read(session, source, content, context)
    except (Failed, busy_web.Failed) as error:
        with session.admitting():
            if _still(session, source):
                busy.note_problem(session.db, source.no, str(error))
        return Outcome(source, str(error))


def _still(session: Session, source: Source) -> bool:
    """Whether another process has not removed the calendar while it was read; its number may be another's by now."""
    return any((one.no, one.url) == (source.no, source.url) for one in busy.known(session.db))


def _context(session: Session, source: Source) -> bytes:
    """A digest of all that intervals follow from besides the content."""
    settings = session.me.settings
    facts = (settings.tz, *_addresses(session, source), str(source.tentative), zones.data_version())
    return sha256(b"\0".join([EDITION, *(fact.encode() for fact in facts)])).digest()


def _addresses(session: Session, source: Source) -> tuple[str, ...]:
    return tuple(address for address in (source.email, session.me.settings.email) if address)


def _digest(files: Sequence[bytes]) -> bytes:
    return sha256(b"".join(sha256(file).digest() for file in files)).digest()


def _note_same(session: Session, source: Source, known: Reading, now: int) -> None:
    if now - known.at >= min(NOTED, source.every) or busy.problem(session.db, source.no):
        with session.admitting():
            if _still(session, source):
                busy.note_reading(session.db, source.no, known._replace(at=now))


def _read(session: Session, source: Source, content: Content, context: bytes) -> Outcome:
    now = session.clock.now()
    start, end = _window(now)
    wanted = {
        "start": start,
        "end": end,
        "tz": session.me.settings.tz,
        "addresses": _addresses(session, source),
        "tentative": source.tentative,
    }
    found = _in_child(content.files, wanted)
    intervals = [busy.Interval(int(begins), int(ends), str(uid)) for begins, ends, uid in found["busy"]]
    skipped = found["skipped"]
    digest = context + _digest(content.files)
    reading = busy.Reading(digest, content.tag, now, end, int(found["entries"]), len(skipped))
    with session.admitting():
        if not _still(session, source):
            return Outcome(source, None)
        busy.replace(session.db, source.no, intervals)
        busy.note_reading(session.db, source.no, reading)
    places = [(f"{content.names[file]}, " if content.names else "") + f"line {line}" for file, line, _why in skipped]
    return Outcome(source, None, [f"{place}: {why}" for place, (_, _, why) in zip(places, skipped, strict=True)])


def _window(now: int) -> tuple[int, int]:
    """The time in which busy time is worked out."""
    start = now - now % DAY - DAY
    return start, start + AHEAD


def _in_child(files: Sequence[bytes], wanted: Mapping[str, object]) -> dict[str, Any]:
    """What the reader says. Raises Failed."""
    header = json.dumps({**wanted, "sizes": [len(file) for file in files]}).encode() + b"\n"
    environment = {name: value for name, value in os.environ.items() if name in _KEPT}
    try:
        done = subprocess.run(  # noqa: S603  our own program
            [sys.executable, *_READER],
            input=header + b"".join(files),
            capture_output=True,
            timeout=DEADLINE_S,
            env=environment,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise Failed("it takes too long to read") from error
    except OSError as error:
        raise Failed(f"the reader did not start: {error.strerror}") from error
    if done.returncode:
        raise Failed("it takes too much to read")
    answer: dict[str, Any] = json.loads(done.stdout)
    if "refused" in answer:
        raise Failed(str(answer["refused"]))
    return answer


def _file(_session: Session, source: Source, _tag: str | None) -> Content:
    return Content([_bytes(Path(source.url), MOST_BYTES)])


def _folder(_session: Session, source: Source, _tag: str | None) -> Content:
    """One entry a file, as vdirsyncer keeps them. Without any it is taken for a folder that is not mounted."""
    try:
        paths = sorted(path for path in Path(source.url).iterdir() if path.match("[!.]*.ics"))
    except OSError as error:
        raise Failed(error.strerror or "it cannot be read") from error
    if not paths:
        raise Failed("there is no .ics file in it")
    if len(paths) > MOST_FILES:
        raise Failed(f"it has more than {MOST_FILES} files")
    files: list[bytes] = []
    left = MOST_BYTES
    for path in paths:
        files.append(_bytes(path, left))
        left -= len(files[-1])
    return Content(files, names=[path.name for path in paths])


def _bytes(path: Path, most: int) -> bytes:
    """The content of an ordinary file; anything else could make us wait for ever."""
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise Failed("it is no ordinary file")
            data = file.read(most + 1)
    except OSError as error:
        raise Failed(error.strerror or "it cannot be read") from error
    if len(data) > most:
        raise Failed(f"it has more than {MOST_BYTES} bytes")
    return data


def _web(_session: Session, source: Source, tag: str | None) -> Content | None:
    answer = busy_web.fetch(source.url, tag)
    return None if answer.body is None else Content([answer.body], answer.tag)


def _caldav(session: Session, source: Source, _tag: str | None) -> Content:
    """What a calendar server says of the window, as little as it can."""
    caldav: Any = import_module(_CALDAV)
    start, end = _window(session.clock.now())
    try:
        with caldav.Server(source.url, *busy.login(session.db, source.no)) as server:
            return Content(server.busy(start, end))
    except caldav.NoCalendar as error:  # neither address is told, which may be a secret: this one, and a redirect's
        raise Failed(f"there is no calendar: {error.why}") from error
    except caldav.TROUBLE as error:
        raise Failed(error.sentence().partition(", to ")[0]) from error


FETCH: Final[Mapping[str, Callable[[Session, Source, str | None], Content | None]]] = {
    "file": _file,
    "folder": _folder,
    "web": _web,
    "caldav": _caldav,
}
"""How the content of each kind comes: None when it is the same as what the tag stands for; may raise Failed."""
