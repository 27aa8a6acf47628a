"""Times as a person at a terminal may write them: `tomorrow 15:00`, `friday`, `+3d`, `5 Dec 3pm`.

Loaded only for a text that is not ISO 8601, and only at a terminal: dateutil costs more than the rest of a
command. It fills what is missing from a default, drops zone names it does not know and guesses the order of
day and month; so a text is read against several defaults and in every order, and refused when they differ
in more than a missing year. Source: docs/spec/results.md, times.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from itertools import product
from typing import Final

from dateutil.parser import ParserError, parse

from chaise_cli.domain import when
from chaise_cli.domain.when import FIRST_YEAR, LAST_YEAR, Unreadable, Written
from chaise_cli.errors import Usage

WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
# Both leap years, so that 29 February is read; no two parts alike, so that whatever is filled in differs.
_DEFAULTS: Final = (datetime(2024, 3, 5, 7, 11), datetime(2028, 9, 21, 18, 42))  # noqa: DTZ001, a wall clock
_LEAP_CYCLE_YEARS: Final = 8  # 29 February comes again within, also across 2100
_LONGEST: Final = 60  # characters
_FLIPPED: Final = re.compile(r"(?<![a-z])(?:utc|gmt|z)\s*[+-]")  # dateutil takes GMT+3 for -03:00, as POSIX does
_OURS: Final = re.compile(r"(today|tomorrow|[a-z]{3,9}|\+([0-9]{1,4})([dw]))(?:,? +(?:at +)?(\S.*))?")
_CLOCK: Final = re.compile(r"([0-9]{1,2})(?::([0-9]{2}) ?(am|pm)?| ?(am|pm))")  # not a bare `3`, perhaps a day


class Ambiguous(Usage):
    """The text says different things to different readers, or leaves out the day or the month."""

    code = "time.ambiguous"
    message = "{given!r} can be read in more than one way"
    hint = "write the date as 2026-12-20, with a time as 2026-12-20T15:00"
    given: str


def read_loose(text: str, now: int, tz: str) -> Written:
    """What the text says to a person in `tz` at `now`. Raises Unreadable, Ambiguous.

    A weekday is the next one, never today; a date without a year is the next such date, today included.
    """
    if len(text) > _LONGEST or not text.isascii() or _FLIPPED.search(text.lower()):
        raise Unreadable(given=text[:40])
    today = when.utc(now).astimezone(when.zone(tz)).date()
    ours = _OURS.fullmatch(text.strip().lower())
    day = None if ours is None else _our_day(ours, today)
    if ours is None or day is None or (ours[4] is not None and _CLOCK.fullmatch(ours[4]) is None):
        return _agreed(text, today)  # also `Sunday 29 Nov`
    return Written(day, None if ours[4] is None else _clock(ours[4], text))


def _our_day(found: re.Match[str], today: date) -> date | None:
    word, count, unit = found[1], found[2], found[3]
    if count is not None:
        return today + timedelta(days=int(count) * (7 if unit == "w" else 1))
    if word in ("today", "tomorrow"):
        return today + timedelta(days=word == "tomorrow")
    number = _weekday(word)
    return None if number is None else today + timedelta(days=(number - today.weekday() - 1) % 7 + 1)


def _weekday(word: str) -> int | None:
    return next((number for number, name in enumerate(WEEKDAYS) if word in (name, name[:3])), None)


def _clock(text: str, given: str) -> time:
    found = _CLOCK.fullmatch(text)
    assert found is not None, "asked only of a text that has this form"
    hour, half = int(found[1]), found[3] or found[4]
    if half is not None:
        if not 1 <= hour <= 12:
            raise Unreadable(given=given[:40])
        hour = hour % 12 + (12 if half == "pm" else 0)
    try:
        return time(hour, int(found[2] or 0))
    except ValueError as error:
        raise Unreadable(given=given[:40]) from error


def _agreed(text: str, today: date) -> Written:
    early, late = (_in_every_order(text, default) for default in _DEFAULTS)
    if (early.month, early.day) != (late.month, late.day):
        raise Ambiguous(given=text[:40])
    day = early.date() if early.year == late.year else _next_such(early, today, text)
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise Unreadable(given=text[:40])
    if any(_weekday(word) not in (None, day.weekday()) for word in re.findall("[a-z]+", text.lower())):
        raise Ambiguous(given=text[:40])  # dateutil overlooks a weekday that does not fit the date
    if early.hour != late.hour:  # no time of day was written
        if early.tzinfo is not None:
            raise Ambiguous(given=text[:40])
        return Written(day)
    minute = early.minute if early.minute == late.minute else 0  # `3pm` leaves the minutes to the default
    return Written(day, time(early.hour, minute, early.second), early.utcoffset())


def _in_every_order(text: str, default: datetime) -> datetime:
    """What the text says in each order of day, month and year, if that is always the same."""

    def known_zone(name: str | None, offset: int | None) -> tzinfo | None:
        if name is None:
            return None if offset is None else timezone(timedelta(seconds=offset))
        if name not in ("UTC", "Z") or offset:  # dateutil would drop any other name
            raise Unreadable(given=text[:40])
        return UTC

    try:
        first, *others = [
            parse(text, default=default, dayfirst=dayfirst, yearfirst=yearfirst, tzinfos=known_zone)
            for dayfirst, yearfirst in product((False, True), repeat=2)
        ]
    except (ParserError, OverflowError, ValueError) as error:
        raise Unreadable(given=text[:40]) from error
    if any(other != first for other in others):
        raise Ambiguous(given=text[:40])
    return first


def _next_such(read: datetime, today: date, text: str) -> date:
    for year in range(today.year, today.year + _LEAP_CYCLE_YEARS + 1):
        try:
            day = read.date().replace(year=year)
        except ValueError:  # 29 February
            continue
        if day >= today:
            return day
    raise Unreadable(given=text[:40])
