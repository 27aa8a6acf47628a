"""What people type, read strictly: amounts, times, milestones, durations, zones, numbers, and the options for them.

Each reader returns a value or raises a typed error that names the mending form; nothing is guessed off a
terminal. The forms are specified in docs/spec/results.md. Readers that need no more than their text double
as typer parsers in the option types at the end; the others are called by the command, with its `Here`.
Texts, skills and links have readers of their own: `texts`, `skills`, `links`.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from typing import Annotated, Final, TypeAlias, cast

import typer

from chaise_cli.commands.here import Here
from chaise_cli.commands.texts import one_line
from chaise_cli.domain import money, when
from chaise_cli.domain.light import NamedTuple
from chaise_cli.domain.money import Money, Range
from chaise_cli.domain.when import Unreadable, Written
from chaise_cli.errors import Usage

LIST_LIMIT: Final = 10_000  # of --limit
MOST_STARS: Final = 5

_LOOSE: Final = "chaise_cli.commands.loose_time"  # dateutil is behind this door


class BadMilestone(Usage):
    """A milestone is not written as `TITLE=AMOUNT@DUE`."""

    code = "usage.bad_milestone"
    message = "{given!r} is not a milestone"
    hint = 'write "TITLE=AMOUNT@DUE", such as "Setup=600EUR@2026-12-01"; the due date may be left out'
    given: str


class BadPercent(Usage):
    """A share is not written as a percentage."""

    code = "usage.bad_percent"
    message = "{given!r} is not a percentage from 0 to 100"
    hint = "write 5% or 2.25%, with at most two digits behind the point"
    given: str


class OutOfRange(Usage):
    """A number outside its range."""

    code = "usage.out_of_range"
    message = "{given!r} is not a whole number from {least} to {most}"
    hint = "write it in digits, without separators"
    given: str
    least: int
    most: int


class MilestoneSpec(NamedTuple):
    """A milestone as proposed; `due` is an instant in ms, None where none was given."""

    title: str
    amount: Money
    due: int | None = None


def moment(text: str, here: Here) -> int:
    """The instant of a date with a time, in ms. Raises what `when.moment` raises, and Unreadable, Ambiguous."""
    return when.moment(_written(text, here), here.tz)


def deadline(text: str, here: Here) -> int:
    """The instant of a deadline, in ms; a date alone runs to the end of that day in `here.tz`."""
    return when.deadline(_written(text, here), here.tz)


def since(text: str, here: Here) -> int:
    """The instant a list starts from, in ms; a date alone is its beginning."""
    return when.since(_written(text, here), here.tz)


def milestone(text: str, here: Here, default_currency: str | None = None) -> MilestoneSpec:
    """A milestone written as `TITLE=AMOUNT@DUE`, split at the last `=` and after it the last `@`.

    Raises BadMilestone, and what the amount and the due date raise.
    """
    title, equals, rest = text.rpartition("=")
    amount, at, due = rest.rpartition("@") if "@" in rest else (rest, "", "")
    if not equals or not title.strip() or (at and not due):
        raise BadMilestone(given=text[:80])
    parsed = money.parse(amount, default_currency)
    return MilestoneSpec(one_line(title, "the title of a milestone"), parsed, deadline(due, here) if at else None)


def stay(given: str | None) -> float | None:
    """Seconds for which a command stays, from `--for` or `--timeout`; None for as long as it takes, 0 for a glance."""
    return None if given is None else 0 if given in {"0", "0s"} else duration(given) / 1000


def duration(text: str) -> int:
    """A length of time in ms."""
    return when.read_duration(text)


def percent(text: str) -> int:
    """A share written as 2.5%, in basis points. Raises BadPercent."""
    found = re.fullmatch(r"([0-9]{1,3})(?:\.([0-9]{1,2}))?%", text.strip())
    points = int(found[1]) * 100 + int((found[2] or "").ljust(2, "0")) if found else 10_001
    if points > 10_000:
        raise BadPercent(given=text[:20])
    return points


def zone(text: str) -> str:
    """The name of an IANA zone that this machine knows."""
    return when.zone(text.strip()).key


def stars(text: str) -> int:
    """One to five."""
    return _whole(text, 1, MOST_STARS)


def limit(text: str) -> int:
    """How many a list shows at most."""
    return _whole(text, 1, LIST_LIMIT)


def _written(given: str, here: Here) -> Written:
    try:
        return when.read_iso(given)
    except Unreadable:
        if not here.loose or re.match(r"\s*[0-9]{4}-[0-9]{2}-", given):  # meant as ISO: a typing error, no riddle
            raise
    # By name, and only here: what dateutil costs is paid by who types `tomorrow`.
    read_loose = cast(
        "Callable[[str, int, str], Written]",
        getattr(importlib.import_module(_LOOSE), "read_loose"),  # noqa: B009, a module known by name
    )
    return read_loose(given, here.now, here.tz)


def _whole(given: str, least: int, most: int) -> int:
    number = int(given) if re.fullmatch(r"[0-9]{1,9}", given) else -1
    if not least <= number <= most:
        raise OutOfRange(given=given[:20], least=least, most=most)
    return number


AmountOption: TypeAlias = Annotated[
    Money | None, typer.Option("--amount", parser=money.parse, metavar="AMOUNT", help="Another so much, as 400EUR.")
]
TotalOption: TypeAlias = Annotated[
    Money | None, typer.Option("--total", parser=money.parse, metavar="AMOUNT", help="Until so much in all, as 400EUR.")
]
BudgetOption: TypeAlias = Annotated[
    Range | None, typer.Option("--budget", parser=money.parse_range, metavar="RANGE", help="As 1500..2500EUR.")
]
ZoneOption: TypeAlias = Annotated[
    str | None, typer.Option("--tz", parser=zone, metavar="ZONE", help="As Europe/Berlin; else your profile's.")
]
LimitOption: TypeAlias = Annotated[
    int | None, typer.Option("--limit", parser=limit, metavar="N", help="At most so many.")
]
StrictBusyOption: TypeAlias = Annotated[
    bool, typer.Option("--strict-busy", help="Refuse when what is known of your other calendars is old.")
]
StarsOption: TypeAlias = Annotated[
    int | None, typer.Option("--stars", parser=stars, metavar="1..5", help="One to five.")
]
WaitOption: TypeAlias = Annotated[
    int | None,
    typer.Option("--wait", parser=duration, metavar="LENGTH", help="Stay so long until the money has moved, as 2m."),
]
