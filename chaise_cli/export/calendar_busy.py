"""Files of somebody's calendar → when that person is busy, and nothing else. docs/spec/busy.md.

What cannot be read is skipped and told by its place in the file, never by its words; nobody's broken entry hides
the others. Sources: RFC 5545 (entries, VFREEBUSY), RFC 5546 (PARTSTAT), [MS-OXCICAL] (BUSYSTATUS).
"""

from __future__ import annotations

import re
import signal
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from functools import partial
from typing import Final, NamedTuple

from chaise_cli.domain import when
from chaise_cli.domain.busy import merged
from chaise_cli.export.calendar_lines import ENTRIES, MOST_ENTRIES, Component, Line, NotACalendar, calendars
from chaise_cli.export.calendar_rules import MOST, Span, Unusable, occurrences, written
from chaise_cli.export.calendar_zones import Clock, Zones

MOST_INTERVALS: Final = 100_000  # of all entries of a source, before those that touch become one
PATIENCE_S: Final = 2.0  # of processor time for one entry with all its changes
_OURS: Final = re.compile(r"([0-9a-hjkmnp-tv-z]{32})(?:-[0-9])?", re.ASCII)  # the form of a UID of a call of ours
_DURATION: Final = re.compile(
    r"\+?P(?:([0-9]{1,4})W)?(?:([0-9]{1,5})D)?(?:T(?:([0-9]{1,5})H)?(?:([0-9]{1,6})M)?(?:([0-9]{1,7})S)?)?", re.ASCII
)
_NUMBER: Final = re.compile(r"[0-9]{1,9}", re.ASCII)
_AROUND: Final = timedelta(days=2)  # zones are at most 26 hours apart
_ONSETS: Final = timedelta(days=800)  # so long before the window a zone's last change may lie
_NONSENSE: Final = (
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)  # what odd values make others raise


class Wanted(NamedTuple):
    """What is asked of a calendar: the window in ms, the owner's zone and addresses, and whether tentative is busy."""

    start: int
    end: int
    tz: str
    addresses: tuple[str, ...]
    tentative: bool


class Skipped(NamedTuple):
    """What was not understood: which file (from 0), at which line, and why."""

    file: int
    line: int
    why: str


class Found(NamedTuple):
    """Busy intervals (start, end, UID of the call of ours that it may be a copy of), how many entries there were."""

    busy: list[tuple[int, int, str]]
    entries: int
    skipped: list[Skipped]


class _Moment(NamedTuple):
    """A wall clock and the clocks it is of; a whole day begins at 00:00."""

    wall: datetime
    clock: Clock
    is_day: bool

    def instant(self) -> int:
        return self.clock.instant(self.wall)


class _Length(NamedTuple):
    """Days on the wall clock, then exact ms: RFC 5545 section 3.8.5.3."""

    days: int
    ms: int

    def end(self, wall: datetime, clock: Clock) -> int:
        return clock.instant(wall + timedelta(days=self.days)) + self.ms


class _Entry(NamedTuple):
    """A VEVENT that was understood."""

    part: Component
    start: _Moment
    length: _Length
    changes: _Moment | None  # RECURRENCE-ID: the occurrence it stands for
    busy: bool
    revision: int  # SEQUENCE


def read(files: Sequence[bytes], wanted: Wanted) -> Found:
    """When the owner of these files is busy, inside the window. Raises NotACalendar where no file can be used."""
    busy: list[tuple[int, int, str]] = []
    skipped: list[Skipped] = []
    entries = refused = 0
    for number, data in enumerate(files):
        try:
            held = calendars(data)
        except NotACalendar as error:
            if len(files) == 1:
                raise
            skipped.append(Skipped(number, 1, str(error)))
            refused += 1
            continue
        entries += sum(part.name in ENTRIES for calendar in held for part in calendar.children)
        if entries > MOST_ENTRIES:
            raise NotACalendar(f"it has more than {MOST_ENTRIES} entries")
        for calendar in held:
            reader = _Reader(calendar, wanted)
            busy += reader.busy()
            skipped += [Skipped(number, line, why) for line, why in reader.skipped]
            if len(busy) > MOST_INTERVALS:
                raise NotACalendar(f"it is busy more than {MOST_INTERVALS} times")
    if files and refused == len(files):
        raise NotACalendar("there is no calendar in it")
    return Found(_tidy(busy, wanted), entries, skipped)


def _tidy(busy: Iterable[tuple[int, int, str]], wanted: Wanted) -> list[tuple[int, int, str]]:
    by_copy: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for start, end, copy in busy:
        if start < wanted.end and end > wanted.start:
            by_copy[copy].append((start, end))
    return sorted((*interval, copy) for copy, found in by_copy.items() for interval in merged(found))


class _Reader:
    """One VCALENDAR: its zones hold for its own entries alone."""

    def __init__(self, calendar: Component, wanted: Wanted) -> None:
        self._calendar, self._wanted = calendar, wanted
        first, last = (when.utc(ms).replace(tzinfo=None) for ms in (wanted.start, wanted.end))
        self._span = Span(first - _AROUND, last + _AROUND)
        self._zones = Zones(calendar, wanted.tz, Span(first - _ONSETS, last + _AROUND))
        self._addresses = {f"mailto:{one}".lower() for one in wanted.addresses}
        self.skipped: list[tuple[int, str]] = []

    def busy(self) -> Iterator[tuple[int, int, str]]:
        """Every busy interval that may touch the window; what goes wrong is put down in `skipped`."""
        groups: dict[str, list[Component]] = defaultdict(list)
        for part in self._calendar.children:
            if part.name == "VEVENT":
                groups[part.value("UID") or f"\n{part.number}"].append(part)
            elif part.name == "VFREEBUSY":
                for start, end in self._tried(part, partial(self._free_busy, part)):
                    yield start, end, ""
        for uid, parts in groups.items():
            ours = _OURS.fullmatch(uid)
            for start, end in self._tried(parts[0], partial(self._group, parts)):
                yield start, end, ours[1] if ours else ""

    def _tried(self, part: Component, work: Callable[[], Iterable[tuple[int, int]]]) -> list[tuple[int, int]]:
        """What `work` finds; nothing where it fails or takes too long."""
        try:
            with _patience():
                found = list(work())
        except Unusable as error:
            self.skipped.append((part.number, str(error)))
        except TimeoutError:
            self.skipped.append((part.number, "its rule takes too long"))
        except _NONSENSE:
            self.skipped.append((part.number, "it makes no sense"))
        else:
            return found
        return []

    def _group(self, parts: Sequence[Component]) -> list[tuple[int, int]]:
        """An entry with all that changes single occurrences of it."""
        entries: list[_Entry] = []
        for part in parts:
            entries += self._understood(part)
        entries = _newest(entries)
        changed = {_thing(entry) for entry in entries}
        found: list[tuple[int, int]] = []
        for entry in entries:
            if not entry.busy:
                continue
            if entry.changes:
                found.append((entry.start.instant(), entry.length.end(entry.start.wall, entry.start.clock)))
                continue
            for begins, ends, day in self._series(entry):
                if begins not in changed and day.date() not in changed:
                    found.append((begins, ends))
        return found

    def _understood(self, part: Component) -> list[_Entry]:
        """One VEVENT, or nothing where it alone is broken: its siblings still count."""
        begins, changes = part.first("DTSTART"), part.first("RECURRENCE-ID")
        if part.broken or begins is None:
            self.skipped.append((part.number, part.broken or "it has no beginning"))
            return []
        if changes and "RANGE" in changes.parameters:
            self.skipped.append((part.number, "what it changes in later ones was left out"))
        try:
            start = self._moment(begins, begins.value)
            moment = self._moment(changes, changes.value) if changes else None
            length, revision = self._length(part, start), part.value("SEQUENCE")
            number = int(revision) if _NUMBER.fullmatch(revision) else 0
            return [_Entry(part, start, length, moment, self._is_busy(part), number)]
        except Unusable as error:
            self.skipped.append((part.number, str(error)))
            return []

    def _moment(self, line: Line, value: str) -> _Moment:
        given = written(value)
        tzid = line.parameters.get("TZID")
        if given.is_day:
            clock = self._zones.days
        elif given.utc:
            clock = self._zones.utc
        else:
            clock = self._zones.of(tzid) if tzid else self._zones.floating
        return _Moment(given.wall, clock, given.is_day)

    def _length(self, part: Component, start: _Moment) -> _Length:
        """DTEND, else DURATION, else a day for a day and nothing for a time."""
        ends = part.first("DTEND")
        if ends is None:
            duration = part.first("DURATION")
            return _duration(duration.value) if duration else _Length(int(start.is_day), 0)
        end = self._moment(ends, ends.value)
        if start.is_day and end.is_day:
            return _Length((end.wall - start.wall).days, 0)
        return _Length(0, end.instant() - start.instant())

    def _is_busy(self, part: Component) -> bool:
        status = part.value("STATUS").upper()
        microsoft = part.value("X-MICROSOFT-CDO-BUSYSTATUS").upper()
        mine = {
            line.parameters.get("PARTSTAT", "").upper()
            for line in part.all("ATTENDEE")
            if line.value.strip().lower() in self._addresses
        }
        if status == "CANCELLED" or part.value("TRANSP").upper() == "TRANSPARENT" or microsoft == "FREE":
            return False
        if "DECLINED" in mine:
            return False
        return self._wanted.tentative or "TENTATIVE" not in {status, microsoft, *mine}

    def _series(self, entry: _Entry) -> Iterator[tuple[int, int, datetime]]:
        """Every occurrence near the window, with its wall clock."""
        walls = {entry.start.wall}
        for line in entry.part.all("RRULE"):
            # An occurrence that began before the window may last into it.
            reach = min(
                timedelta(days=entry.length.days + 1, milliseconds=max(0, entry.length.ms)), timedelta(days=400)
            )
            span = Span(self._span.start - reach, self._span.end)
            walls.update(occurrences(line.value, entry.start.wall, span, entry.start.clock.wall))
        if len(walls) > MOST:
            self.skipped.append((entry.part.number, f"it recurs more than {MOST} times; the later ones were left out"))
        own = [(wall, entry.start.clock, None) for wall in sorted(walls)[:MOST]]
        moments = [*own, *self._added(entry.part)[: MOST - len(own)]]
        gone, gone_days = self._excluded(entry.part)
        for wall, clock, length in moments:
            begins = clock.instant(wall)
            if begins not in gone and wall.date() not in gone_days:
                yield begins, (length or entry.length).end(wall, clock), wall

    def _added(self, part: Component) -> list[tuple[datetime, Clock, _Length | None]]:
        """RDATE: times or days, or periods with a length of their own."""
        found: list[tuple[datetime, Clock, _Length | None]] = []
        for line in part.all("RDATE"):
            for value in line.value.split(","):
                first, slash, rest = value.partition("/")
                moment = self._moment(line, first)
                length = self._period_length(line, moment, rest) if slash else None
                if self._span.start <= moment.wall < self._span.end:
                    found.append((moment.wall, moment.clock, length))
        return found

    def _excluded(self, part: Component) -> tuple[set[int], set[date]]:
        instants: set[int] = set()
        days: set[date] = set()
        for line in part.all("EXDATE"):
            for value in line.value.split(","):
                moment = self._moment(line, value)
                if moment.is_day:
                    days.add(moment.wall.date())
                else:
                    instants.add(moment.instant())
        return instants, days

    def _period_length(self, line: Line, start: _Moment, rest: str) -> _Length:
        if rest.lstrip("+").startswith("P"):
            return _duration(rest)
        return _Length(0, self._moment(line, rest).instant() - start.instant())

    def _free_busy(self, part: Component) -> Iterator[tuple[int, int]]:
        if part.broken:
            raise Unusable(part.broken)
        for line in part.all("FREEBUSY"):
            kind = line.parameters.get("FBTYPE", "BUSY").upper()
            if kind == "FREE" or (kind == "BUSY-TENTATIVE" and not self._wanted.tentative):
                continue
            for value in line.value.split(","):
                first, _, rest = value.partition("/")
                start = self._moment(line, first)
                yield start.instant(), self._period_length(line, start, rest).end(start.wall, start.clock)


def _newest(entries: Sequence[_Entry]) -> list[_Entry]:
    """Without earlier revisions of the same thing. Equal ones all count: some programs give one UID to several."""
    newest: dict[int | date | None, int] = {}
    things = [_thing(entry) for entry in entries]
    for thing, entry in zip(things, entries, strict=True):
        newest[thing] = max(entry.revision, newest.get(thing, 0))
    return [entry for thing, entry in zip(things, entries, strict=True) if entry.revision == newest[thing]]


def _thing(entry: _Entry) -> int | date | None:
    """What an entry is about, among those of its UID: an occurrence, or all."""
    if entry.changes is None:
        return None
    return entry.changes.wall.date() if entry.changes.is_day else entry.changes.instant()


def _duration(text: str) -> _Length:
    found = _DURATION.fullmatch(text.strip())
    if found is None or not any(found.groups()):
        raise Unusable("its length is malformed")
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return _Length(weeks * 7 + days, ((hours * 60 + minutes) * 60 + seconds) * when.SECOND)


@contextmanager
def _patience() -> Iterator[None]:
    """The block may take `PATIENCE_S` of processor time, where the system can tell; then it is a TimeoutError."""
    if not hasattr(signal, "setitimer"):
        yield
        return

    def over(_number: int, _frame: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGVTALRM, over)
    signal.setitimer(signal.ITIMER_VIRTUAL, PATIENCE_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
