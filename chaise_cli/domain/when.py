"""Times: UTC milliseconds inside, RFC 3339 `Z` text in JSON, two zones for people.

Nothing here asks for the time or for the machine's zone; both are handed in. The forms people may type
are specified in docs/spec/results.md: a date with or without a time, durations, IANA zones. A wall clock
that does not exist or exists twice in its zone is refused with both readings.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import TYPE_CHECKING, Final

from chaise_cli.domain.light import NamedTuple
from chaise_cli.errors import Usage

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

SECOND: Final = 1_000  # everything in ms
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
WEEK: Final = 7 * DAY
FIRST_YEAR: Final = 1970
LAST_YEAR: Final = 9998  # 9999 has no day after its last
LONGEST: Final = 3_660 * DAY  # of a duration; ten years
MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS: Final = {"w": WEEK, "d": DAY, "h": HOUR, "m": MINUTE, "s": SECOND}
_ISO: Final = (
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[T ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,3}))?)? ?(Z|[+-][0-9]{2}(?::?[0-9]{2})?)?)?"
)
_SHORT_DURATION: Final = r"(?:([0-9]{1,9})w)?(?:([0-9]{1,9})d)?(?:([0-9]{1,9})h)?(?:([0-9]{1,9})m)?(?:([0-9]{1,9})s)?"
_ISO_DURATION: Final = (
    r"P(?:([0-9]{1,9})W)?(?:([0-9]{1,9})D)?"
    r"(?:T(?=[0-9])(?:([0-9]{1,9})H)?(?:([0-9]{1,9})M)?(?:([0-9]{1,9})S)?)?"
)
_INSTANT: Final = r"\b[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{3})?Z\b"
# Patterns are compiled on first use: most commands read no time.
# Each part begins with a capital, as in the zone data: a file system that ignores case would find more.
_ZONE: Final = r"[A-Z][A-Za-z0-9_+-]*(?:/[A-Z0-9][A-Za-z0-9_+-]*)+|UTC"


class Unreadable(Usage):
    """The text is not a date, nor a date with a time."""

    code = "time.unreadable"
    message = "{given!r} is not a time"
    hint = "write 2026-12-20, 2026-12-20T15:00 or 2026-12-20T15:00+01:00"
    given: str


class NeedsTime(Usage):
    """A date stands where a time of day is needed."""

    code = "time.needs_time"
    message = "{given} has no time of day"
    hint = "write {given}T15:00; the zone comes from --tz or your profile"
    given: str


class DoesNotExist(Usage):
    """The zone's clocks jump over this time. Readings: with the offset before the jump, and after it."""

    code = "time.does_not_exist"
    message = "{given} does not exist in {tz}: the clocks jump over it"
    hint = "say which is meant: {readings[0]} or {readings[1]}"
    given: str
    tz: str
    readings: list[str]


class ExistsTwice(Usage):
    """The zone's clocks pass this time twice. Readings: the first pass, and the second."""

    code = "time.exists_twice"
    message = "{given} exists twice in {tz}: the clocks are set back over it"
    hint = "say which is meant: {readings[0]} or {readings[1]}"
    given: str
    tz: str
    readings: list[str]


class UnknownZone(Usage):
    """Not the name of a zone that means the same on every machine."""

    code = "time.unknown_zone"
    message = "{given!r} is not the name of a time zone"
    hint = "zones are IANA names such as Europe/Berlin, America/New_York or UTC; abbreviations are ambiguous"
    given: str


class NotADuration(Usage):
    """The text is not a length of time."""

    code = "time.not_a_duration"
    message = "{given!r} is not a length of time"
    hint = "write 30m, 2h, 1h30m, 14d, 1w or PT30M, P14D; above zero and at most 3660d"
    given: str


class Written(NamedTuple):
    """A time as it was written: a day, perhaps a time of day, perhaps an offset."""

    day: date
    clock: time | None = None
    offset: timedelta | None = None


def instant_text(ms: int) -> str:
    """The instant as JSON carries it, RFC 3339 in UTC: `2026-12-15T14:00:00Z`, milliseconds only if there are any.

    >>> instant_text(1797343200000)
    '2026-12-15T14:00:00Z'
    """
    stamp = utc(ms).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{stamp}.{ms % SECOND:03d}Z" if ms % SECOND else f"{stamp}Z"


def read_instant(text: str) -> int:
    """The milliseconds `instant_text` wrote. Raises Unreadable on anything else."""
    try:
        stamp = datetime.fromisoformat(text)
        _in_range(stamp.date())
        ms = in_ms(stamp)
    except (ValueError, TypeError) as error:  # TypeError: it names no offset
        raise Unreadable(given=text[:40]) from error
    if instant_text(ms) != text:
        raise Unreadable(given=text[:40])
    return ms


def utc(ms: int) -> datetime:
    """The instant as an aware UTC time."""
    return _EPOCH + timedelta(milliseconds=ms)


def in_ms(moment: datetime) -> int:
    """The milliseconds of an aware time; what is finer than a millisecond is dropped."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def zone(name: str) -> ZoneInfo:
    """The zone of an IANA name. Raises UnknownZone, also for posix/, right/, localtime, Factory and abbreviations."""
    if re.fullmatch(_ZONE, name) is None:  # the names refused above have no slash, or a small letter first
        raise UnknownZone(given=name[:60])
    from zoneinfo import ZoneInfo  # a list that shows no local time need not pay for it

    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:  # not there, not zone data, or a folder
        raise UnknownZone(given=name[:60]) from error


def shown(name: str) -> str:
    """The zone to show a time in: of that name, or UTC where this machine does not know it.

    What somebody else wrote with newer zone data, or out of malice, must not keep a list from being shown.
    """
    try:
        return zone(name).key
    except UnknownZone:
        return "UTC"


def read_iso(text: str) -> Written:
    """What an ISO 8601 text says: `2026-12-20`, `2026-12-20T15:00`, with `Z` or an offset. Raises Unreadable."""
    found = re.fullmatch(_ISO, text.strip(" "))
    if found is None:
        raise Unreadable(given=text[:40])
    day, hour, minute, second, fraction, offset = found.groups()
    try:
        if hour is None:
            return Written(_in_range(date.fromisoformat(day)))
        microsecond = int((fraction or "0").ljust(6, "0"))
        clock = time(int(hour), int(minute), int(second or 0), microsecond)
        return Written(_in_range(date.fromisoformat(day)), clock, None if offset is None else _offset(offset))
    except ValueError as error:  # 31 February, 25:00, +99:00, 1066
        raise Unreadable(given=text[:40]) from error


def moment(written: Written, tz: str) -> int:
    """The instant of a day and a time of day; the offset it was written with wins over `tz`.

    Raises NeedsTime for a date alone, DoesNotExist and ExistsTwice where `tz` changes its clocks.
    """
    if written.clock is None:
        raise NeedsTime(given=written.day.isoformat())
    wall = datetime.combine(written.day, written.clock)
    if written.offset is None:
        return _settle(wall, tz)
    return in_ms(wall.replace(tzinfo=timezone(written.offset)))


def deadline(written: Written, tz: str) -> int:
    """The instant a deadline falls on; a date alone runs to its end in `tz`, the first instant of the day after.

    Deadlines are half-open, [start, deadline), so that instant lies outside and the whole day inside.
    """
    if written.clock is None:
        return first_instant(written.day + timedelta(days=1), tz)
    return moment(written, tz)


def since(written: Written, tz: str) -> int:
    """The instant a list starts from; a date alone is the beginning of that day in `tz`."""
    return first_instant(written.day, tz) if written.clock is None else moment(written, tz)


def first_instant(day: date, tz: str) -> int:
    """The first instant of `day` in `tz`: midnight, or where the clocks jump over midnight, the jump."""
    place = zone(tz)
    midnight = datetime.combine(day, time())
    before, after = _readings(midnight, place)
    if after >= before:  # one midnight, or the earlier of two
        return before
    low, high = after // SECOND, before // SECOND  # the jump lies in (low, high]; zone data is in whole seconds
    offset_after = midnight.replace(tzinfo=place, fold=1).utcoffset()
    while high - low > 1:
        middle = (low + high) // 2
        jumped = utc(middle * SECOND).astimezone(place).utcoffset() == offset_after
        low, high = (low, middle) if jumped else (middle, high)
    return high * SECOND


def day_ended(ms: int, tz: str) -> date | None:
    """The day whose end in `tz` this instant is; None when it lies within a day."""
    tz = shown(tz)
    here = utc(ms).astimezone(zone(tz))
    if first_instant(here.date(), tz) != ms:
        return None
    return utc(ms - 1).astimezone(zone(tz)).date()


def wall_text(ms: int, tz: str) -> str:
    """The wall clock in `tz` at this instant, without its offset: `2026-12-15T15:00:00`."""
    return utc(ms).astimezone(zone(tz)).strftime("%Y-%m-%dT%H:%M:%S")


def day_text(day: date) -> str:
    """A day as people read it: `15 Dec 2026`. Not strftime, which speaks the machine's language."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def one_zone(ms: int, tz: str) -> str:
    """The instant for a person in `tz`: `15 Dec 2026 15:00 Berlin (+01:00)`."""
    tz = shown(tz)
    here = utc(ms).astimezone(zone(tz))
    return f"{day_text(here.date())} {_place_text(here, tz)}"


def on_clock(text: str, tz: str) -> str:
    """A sentence with every instant in it told on the clock of `tz`.

    >>> on_clock("taken from 2026-12-15T14:00:00Z", "Europe/Berlin")
    'taken from 15 Dec 2026 15:00 Berlin (+01:00)'
    """
    return re.sub(_INSTANT, lambda found: _on_clock(found[0], tz), text)


def _on_clock(given: str, tz: str) -> str:
    try:
        return one_zone(read_instant(given), tz)
    except Unreadable:  # it only looks like one
        return given


def both_zones(ms: int, tz_a: str, tz_b: str) -> str:
    """The instant for two people, the first one's day first; the second day is named only where it differs.

    >>> both_zones(1797343200000, "Europe/Berlin", "America/New_York")
    '15 Dec 2026 15:00 Berlin (+01:00) · 09:00 New York (-05:00)'
    """
    tz_a, tz_b = shown(tz_a), shown(tz_b)
    if tz_a == tz_b:
        return one_zone(ms, tz_a)
    there = utc(ms).astimezone(zone(tz_b))
    same_day = there.date() == utc(ms).astimezone(zone(tz_a)).date()
    second = _place_text(there, tz_b) if same_day else f"{day_text(there.date())} {_place_text(there, tz_b)}"
    return f"{one_zone(ms, tz_a)} · {second}"


def deadline_text(ms: int, tz: str) -> str:
    """A deadline for a person in `tz`; one at the end of a day shows that day.

    >>> deadline_text(1797807600000, "Europe/Berlin")
    '20 Dec 2026, end of day Berlin (+01:00)'
    """
    tz = shown(tz)
    day = day_ended(ms, tz)
    if day is None:
        return one_zone(ms, tz)
    last = utc(ms - 1).astimezone(zone(tz))
    return f"{day_text(day)}, end of day {city(tz)} ({_offset_text(last)})"


def city(tz: str) -> str:
    """The zone's place as people say it: `New York` for America/New_York."""
    return tz.rpartition("/")[2].replace("_", " ")


def read_duration(text: str) -> int:
    """Milliseconds of `30m`, `1h30m`, `14d`, `1w`, `PT30M` or `P14D`. Raises NotADuration.

    A day is 24 hours, a week seven days; months and years have no fixed length and are refused.
    """
    found = re.fullmatch(_SHORT_DURATION, text) or re.fullmatch(_ISO_DURATION, text)
    counts = found.groups() if found else ()
    length = sum(int(count) * unit for count, unit in zip(counts, _UNITS.values(), strict=False) if count)
    if not 0 < length <= LONGEST:
        raise NotADuration(given=text[:40])
    return length


def duration_text(ms: int) -> str:
    """A duration in the form `read_duration` reads, in days, hours, minutes and seconds: `1h30m`, `14d`."""
    parts, rest = [], ms
    for letter in "dhms":
        count, rest = divmod(rest, _UNITS[letter])
        parts.append(f"{count}{letter}" if count else "")
    return "".join(parts) or "0s"


def _settle(wall: datetime, tz: str) -> int:
    place = zone(tz)
    first, second = _readings(wall, place)
    if first == second:
        return first
    readings = [utc(ms).astimezone(place).isoformat(timespec="seconds") for ms in sorted((first, second))]
    # PEP 495: in a gap the reading with the old offset is the later one, in a repeated hour the earlier.
    refusal = DoesNotExist if first > second else ExistsTwice
    raise refusal(given=wall.isoformat(timespec="minutes"), tz=tz, readings=readings)


def _readings(wall: datetime, place: ZoneInfo) -> tuple[int, int]:
    """The wall clock as an instant with the offset before a change, and with the one after."""
    return in_ms(wall.replace(tzinfo=place, fold=0)), in_ms(wall.replace(tzinfo=place, fold=1))


def _offset(text: str) -> timedelta:
    if text == "Z":
        return timedelta()
    digits = text[1:].replace(":", "").ljust(4, "0")
    hours, minutes = int(digits[:2]), int(digits[2:])
    if hours > 14 or minutes > 59:
        raise ValueError(text)
    return timedelta(hours=hours, minutes=minutes) * (-1 if text[0] == "-" else 1)


def _in_range(day: date) -> date:
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise ValueError(day)
    return day


def _place_text(here: datetime, tz: str) -> str:
    return f"{here:%H:%M} {city(tz)} ({_offset_text(here)})"


def _offset_text(here: datetime) -> str:
    minutes = (here.utcoffset() or timedelta()) // timedelta(minutes=1)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
