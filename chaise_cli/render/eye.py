"""The reader a view is made for: their zone, and ids as short as they stay unambiguous."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from chaise_cli.domain import when
from chaise_cli.domain.light import NamedTuple
from chaise_cli.ids import ALPHABET, KINDS, LENGTH

if TYPE_CHECKING:
    from chaise_cli.shapes import Identity, Money, Person

SHOWN: Final = 8  # characters of an id that people see, or more until unique
FULL_ID: Final = re.compile(rf"\b({'|'.join(KINDS)})-([{ALPHABET}]{{{LENGTH}}})(?![0-9a-z])")


class Eye(NamedTuple):
    """Turns what JSON carries into what this reader sees."""

    tz: str
    short: Callable[[str], str]
    me: str = ""  # the reader's full id
    again: bool = False  # what is shown had been done before this call

    def ids(self, text: str) -> str:
        """`text` with every full id in it shortened."""
        return FULL_ID.sub(lambda found: self.short(found[0]), text)

    def at(self, instant: str | None) -> str:
        """An instant on the reader's clock: `15 Dec 2026 15:00`. The zone stands in the column's title."""
        if instant is None:
            return ""
        return when.one_zone(when.read_instant(instant), self.tz).rpartition(f" {when.city(self.tz)} (")[0]

    def due(self, instant: str | None, tz: str | None) -> str:
        """A deadline in a table: its day alone when it runs to the end of that day."""
        if instant is None:
            return ""
        day = when.day_ended(when.read_instant(instant), tz or self.tz)
        return when.day_text(day) if day else self.at(instant)

    def when(self, instant: str | None) -> str:
        """An instant with the reader's zone and offset."""
        return "" if instant is None else when.one_zone(when.read_instant(instant), self.tz)

    def deadline(self, instant: str | None, tz: str | None) -> str:
        """A deadline in full: in the zone it was set in, and a line below on the reader's clock where that differs."""
        if instant is None:
            return ""
        ms, zone = when.read_instant(instant), tz or self.tz
        if zone == self.tz:
            return when.deadline_text(ms, zone)
        return f"{when.deadline_text(ms, zone)}\n{when.one_zone(ms, self.tz)}"

    def column(self, title: str) -> str:
        """A column title that names the zone its times are in."""
        return f"{title} ({when.city(self.tz)})"


def handle(person: Person | Identity | None) -> str:
    """A person as they are typed: `@james`."""
    return "" if person is None or not person["handle"] else f"@{person['handle']}"


def named(person: Person | None, eye: Eye) -> str:
    """A person in full: handle, name and short id."""
    return "" if person is None else identified([handle(person), person["name"]], person["id"], eye)


def identified(words: Iterable[str], id_: str, eye: Eye) -> str:
    """What something is called, with its short id: `laptop (dev-9wz2abcd)`; without what is not known."""
    called = ", ".join(word for word in words if word)
    short = eye.ids(id_)
    return f"{called} ({short})" if called and short else called or short


def money(amount: Money | None) -> str:
    """An amount, or nothing."""
    return "" if amount is None else amount["text"]


def money_range(least: Money | None, most: Money | None) -> str:
    """A range in the form that can be typed: `1500.00..2500.00 EUR`."""
    if least is None or most is None or least == most:
        return money(most or least)
    return f"{least['text'].removesuffix(' ' + least['currency'])}..{most['text']}"


def shortener(text: str) -> Callable[[str], str]:
    """Short forms for all the full ids in `text`: eight characters, or more where two would look alike."""
    known: dict[str, list[str]] = {}
    for kind, chars in set(FULL_ID.findall(text)):
        known.setdefault(kind, []).append(chars)
    short = {f"{kind}-{chars}": f"{kind}-{cut}" for kind, found in known.items() for chars, cut in _unique(found)}
    return lambda full: short.get(full, full[: full.index("-") + 1 + SHOWN] if FULL_ID.fullmatch(full) else full)


def _unique(found: list[str]) -> Iterable[tuple[str, str]]:
    ordered = sorted(found)
    for place, chars in enumerate(ordered):
        neighbours = ordered[max(0, place - 1) : place] + ordered[place + 1 : place + 2]
        length = max([SHOWN, *(_common(chars, other) + 1 for other in neighbours)])
        yield chars, chars[:length]


def _common(one: str, other: str) -> int:
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=True)) if a != b), LENGTH)
