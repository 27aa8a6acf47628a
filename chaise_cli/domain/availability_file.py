"""The file that says when somebody takes calls: what TOML makes of it, read strictly, and the same file written.

TOML itself, and the disk, are for the edge. docs/spec/bookings.md, Availability.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from datetime import date
from itertools import pairwise
from typing import Any, Final

from chaise_cli.domain import shape, when
from chaise_cli.domain.availability import (
    BUFFER_MOST,
    MIDNIGHT,
    NOTICE_MOST,
    STEP_LEAST,
    STEP_MOST,
    WINDOW_MOST,
    CallKind,
    DatedHours,
    Hours,
    SelfAvailability,
)
from chaise_cli.domain.booking import MINUTES_MOST
from chaise_cli.domain.when import MINUTE
from chaise_cli.errors import Usage

BYTES_MOST: Final = 64 << 10
WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LENGTH: Final = "30m"  # these three unless the file says otherwise
STEP: Final = "30m"
WINDOW: Final = "60d"
_LENGTHS: Final = {  # in minutes, from and to
    "step": (STEP_LEAST, STEP_MOST),
    "before": (0, BUFFER_MOST),
    "after": (0, BUFFER_MOST),
    "notice": (0, NOTICE_MOST),
}
_COUNTS: Final = ("per_day", "per_week")
_RANGE: Final = r"([0-2][0-9]):([0-5][0-9])-([0-2][0-9]):([0-5][0-9])"


class BadAvailability(Usage):
    """The file does not say when somebody takes calls."""

    code = "availability.bad"
    message = "{where}: {why}"
    hint = "chaise availability --toml prints such a file; docs/spec/bookings.md has the whole form"
    where: str
    why: str


def read(table: Mapping[str, Any]) -> SelfAvailability:
    """What a file says, as TOML gives it. Raises BadAvailability."""
    _keys(table, "the file", {"zone", "hours", "days", "calls"}, ["zone"])
    try:
        zone = when.zone(str(table["zone"])).key
    except when.UnknownZone as error:
        raise BadAvailability(where="zone", why=error.sentence()) from error
    hours = _table(table, "hours")
    _keys(hours, "hours", set(WEEKDAYS))
    calls, dated = _table(table, "calls"), _table(table, "days")
    made = SelfAvailability(
        zone,
        tuple(_hours(f"hours.{day}", hours.get(day, [])) for day in WEEKDAYS),
        tuple(DatedHours(_day(day), _hours(f"days.{day}", dated[day])) for day in sorted(dated)),
        tuple(_kind(name, calls[name]) for name in calls) or (_kind("call", {}),),
    )
    lengths = [minutes for kind in made.kinds for minutes in kind.lengths]
    if len(set(lengths)) != len(lengths):
        raise BadAvailability(where="calls", why="a length belongs to one kind of call, for by it the kind is known")
    try:
        shape.check(made)
    except shape.BadField as error:
        raise BadAvailability(where=error.field, why=error.why) from error
    return made


def to_toml(own: SelfAvailability) -> str:
    """The file that says this; `read` gives it back."""
    lines = [f"zone = {json.dumps(own.zone)}", "", "[hours]"]
    lines += [f"{day} = {_texts(hours)}" for day, hours in zip(WEEKDAYS, own.week, strict=True) if hours]
    if own.days:
        lines += ["", "[days]", *(f"{dated.day} = {_texts(dated.hours)}" for dated in own.days)]
    for kind in own.kinds:
        lines += ["", f"[calls.{kind.name}]", *_kind_lines(kind)]
    return "\n".join(lines) + "\n"


def example(zone: str) -> str:
    """A file for somebody who has said nothing yet; `read` takes it."""
    workday = (Hours(9 * 60, 12 * 60), Hours(13 * 60, 17 * 60))
    kind = CallKind("call", (30,), 30, 0, 15, 4 * 60, 30, 4, None, None)
    return "# An example: you have not said yet when you take calls.\n" + to_toml(
        SelfAvailability(zone, (workday,) * 5 + ((), ()), (), (kind,))
    )


def hours_text(hours: Hours) -> str:
    """As files have it: `09:00-17:30`."""
    return "-".join(f"{minutes // 60:02d}:{minutes % 60:02d}" for minutes in (hours.opens, hours.closes))


def minutes_text(minutes: int) -> str:
    """A length as files and options take it: `1h30m`."""
    return when.duration_text(minutes * MINUTE) if minutes else "0m"


def _texts(hours: tuple[Hours, ...]) -> str:
    return json.dumps([hours_text(one) for one in hours])


def _kind_lines(kind: CallKind) -> list[str]:
    lines = [f"lengths = {json.dumps([minutes_text(minutes) for minutes in kind.lengths])}"]
    lines += [f'{name} = "{minutes_text(getattr(kind, name))}"' for name in _LENGTHS]
    lines.append(f'window = "{kind.window}d"')
    lines += [f"{name} = {most}" for name in _COUNTS if (most := getattr(kind, name)) is not None]
    return lines + ([f"place = {json.dumps(kind.place)}"] if kind.place is not None else [])


def _kind(name: str, given: Any) -> CallKind:
    where = f"calls.{name}"
    _keys(given, where, {"lengths", *_LENGTHS, "window", *_COUNTS, "place"})
    lengths = given.get("lengths", [LENGTH])
    if not isinstance(lengths, list):
        raise BadAvailability(where=f"{where}.lengths", why='is a list, as ["30m", "1h"]')
    days, rest = divmod(
        _minutes(f"{where}.window", given.get("window", WINDOW), MIDNIGHT, WINDOW_MOST * MIDNIGHT), MIDNIGHT
    )
    if rest:
        raise BadAvailability(where=f"{where}.window", why='counts whole days, as "60d"')
    step, before, after, notice = (
        _minutes(f"{where}.{key}", given.get(key, STEP if key == "step" else "0m"), *span)
        for key, span in _LENGTHS.items()
    )
    per_day, per_week = (given.get(key) for key in _COUNTS)
    minutes = tuple(_minutes(f"{where}.lengths", length, 1, MINUTES_MOST) for length in lengths)
    return CallKind(name, minutes, step, before, after, notice, days, per_day, per_week, given.get("place"))


def _minutes(where: str, given: Any, least: int, most: int) -> int:
    """A length that a person wrote, in minutes. Raises BadAvailability, with the bounds as people write them."""
    try:
        minutes, rest = divmod(0 if given == "0m" else when.read_duration(str(given)), MINUTE)
    except when.NotADuration as error:
        raise BadAvailability(where=where, why=error.sentence()) from error
    if rest:
        raise BadAvailability(where=where, why='counts whole minutes, as "1h30m"')
    if not least <= minutes <= most:
        raise BadAvailability(where=where, why=f"must be from {minutes_text(least)} to {minutes_text(most)}")
    return minutes


def _hours(where: str, given: Any) -> tuple[Hours, ...]:
    """The ranges of a day, in order. Raises BadAvailability when one is backwards, or two overlap."""
    if not isinstance(given, list):
        raise BadAvailability(where=where, why='is a list of ranges, as ["09:00-12:00", "13:00-17:00"]')
    ranges = tuple(_range(where, one) for one in given)
    for before, after in pairwise(ranges):
        if after.opens < before.closes:
            raise BadAvailability(where=where, why=f"{hours_text(after)} begins before {hours_text(before)} ends")
    return ranges


def _range(where: str, given: Any) -> Hours:
    found = re.fullmatch(_RANGE, str(given))
    if found is None:
        raise BadAvailability(where=where, why=f"{str(given)[:40]!r} is not a range, as 09:00-17:30")
    hour, minute, last_hour, last_minute = map(int, found.groups())
    opens, closes = hour * 60 + minute, last_hour * 60 + last_minute
    if not opens < closes <= MIDNIGHT:
        raise BadAvailability(where=where, why=f"{given} does not end later on the same day; a day ends at 24:00")
    return Hours(opens, closes)


def _day(given: str) -> str:
    try:
        day = date.fromisoformat(given).isoformat()
    except ValueError:
        day = ""
    if day != given:  # the ISO forms that say it otherwise would stand for the same day twice
        raise BadAvailability(where="days", why=f"{given[:40]!r} is not a day, as 2026-12-24")
    return given


def _table(table: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = table.get(key, {})
    if not isinstance(found, Mapping):
        raise BadAvailability(where=key, why="is a table")
    return found


def _keys(table: Any, where: str, known: set[str], needed: Collection[str] = ()) -> None:
    if not isinstance(table, Mapping):
        raise BadAvailability(where=where, why="is a table")
    for key in table:
        if key not in known:
            raise BadAvailability(where=where, why=f"{str(key)[:40]!r} means nothing here")
    for key in needed:
        if key not in table:
            raise BadAvailability(where=where, why=f"{key} is missing")
