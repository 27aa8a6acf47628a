"""An iCalendar file from anywhere, taken apart into components and the few properties that busy time follows from.

Nothing is believed: size, depth and number of entries are bounded, what is malformed marks its own component as
broken, and texts (titles, places, people's words) are not even decoded. Source: RFC 5545 section 3.1.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_BYTES: Final = 5 * 1024 * 1024  # of all files of a source together
MOST_ENTRIES: Final = 10_000
MOST_DEPTH: Final = 6  # VALARM in VEVENT in VCALENDAR is three
ENTRIES: Final = frozenset({"VEVENT", "VFREEBUSY"})
_WANTED: Final = frozenset(
    {
        *(b"DTSTART", b"DTEND", b"DURATION", b"RRULE", b"RDATE", b"EXDATE", b"RECURRENCE-ID", b"UID", b"SEQUENCE"),
        *(b"STATUS", b"TRANSP", b"X-MICROSOFT-CDO-BUSYSTATUS", b"ATTENDEE", b"FREEBUSY"),
        *(b"TZID", b"TZOFFSETFROM", b"TZOFFSETTO", b"X-WR-TIMEZONE"),
    }
)
_BEGIN: Final = b"BEGIN"
_END: Final = b"END"
_NAME: Final = re.compile(rb"([A-Za-z0-9-]{1,60})(?=[;:])")
_QUOTED: Final = r'"[^"]*"|[^";:,]*'
_PARAMETER: Final = re.compile(rf";([A-Za-z0-9-]+)=((?:{_QUOTED})(?:,(?:{_QUOTED}))*)")


class NotACalendar(ValueError):
    """The whole file is refused, for the reason it carries."""


class Line(NamedTuple):
    """A property: its name in capitals, its parameters by name in capitals, its value as it stands there."""

    name: str
    parameters: dict[str, str]
    value: str


class Component:
    """What stands between BEGIN and END: `number` is the line it begins at, `broken` why it cannot be used."""

    __slots__ = ("broken", "children", "lines", "name", "number")

    def __init__(self, name: str, number: int) -> None:
        self.name, self.number = name, number
        self.lines: list[Line] = []
        self.children: list[Component] = []
        self.broken = ""

    def all(self, name: str) -> list[Line]:
        """The properties of that name."""
        return [line for line in self.lines if line.name == name]

    def first(self, name: str) -> Line | None:
        """The first property of that name."""
        return next((line for line in self.lines if line.name == name), None)

    def value(self, name: str) -> str:
        """The value of the first property of that name; empty without one."""
        line = self.first(name)
        return line.value.strip() if line else ""


def calendars(data: bytes) -> list[Component]:
    """The calendars in a file. Raises NotACalendar where there is none, or where a bound is passed."""
    if len(data) > MOST_BYTES:
        raise NotACalendar(f"it has more than {MOST_BYTES} bytes")
    root = Component("", 0)
    path = [root]
    for number, raw in _unfolded(data):
        found = _NAME.match(raw)
        if found is None:
            continue  # a blank line, or the rest of a text that some program broke without folding it
        name = found[1].upper()
        if name in (_BEGIN, _END):
            _turn(path, raw[found.end() + 1 :], number if name == _BEGIN else None)
        elif name in _WANTED:
            _add(path[-1], name.decode("ascii"), raw[found.end() :])
    _unclosed(path[1:])
    held = [child for child in root.children if child.name == "VCALENDAR"]
    if not held:
        raise NotACalendar("there is no calendar in it")
    if any(calendar.broken for calendar in held):
        raise NotACalendar("its end is missing")
    return held


def _turn(path: list[Component], rest: bytes, number: int | None) -> None:
    """A component begins at the line of this number, or ends."""
    name = rest.strip().decode("ascii", "replace").upper()[:60]
    if number is not None:
        if len(path) > MOST_DEPTH:
            raise NotACalendar(f"its parts are nested deeper than {MOST_DEPTH}")
        made = Component(name, number)
        path[-1].children.append(made)
        path.append(made)
    elif any(open_.name == name for open_ in path[1:]):
        while path[-1].name != name:
            _unclosed([path.pop()])
        path.pop()


def _unclosed(parts: list[Component]) -> None:
    for part in parts:
        part.broken = part.broken or "it has no end"


def _add(component: Component, name: str, rest: bytes) -> None:
    text = rest.decode("utf-8", "replace")
    parameters: dict[str, str] = {}
    at = 0
    while found := _PARAMETER.match(text, at):
        parameters.setdefault(found[1].upper(), found[2].strip('"'))
        at = found.end()
    if text[at : at + 1] == ":":
        component.lines.append(Line(name, parameters, text[at + 1 :]))
    else:
        component.broken = f"its {name} is malformed"


def _unfolded(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Lines with the number each begins at. Folds are undone before characters are.

    CR alone ends lines where no LF does. Beside LF it is a character of somebody's text, which no other reader would
    take for a new property.
    """
    end = b"\n" if b"\n" in data else b"\r"
    lines = data.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").split(end)
    parts: list[bytes] = []
    began = 1
    for number, line in enumerate(lines, 1):
        if line[:1] in (b" ", b"\t"):
            parts.append(line[1:])
            continue
        if parts:
            yield began, b"".join(parts)
        parts, began = [line], number
    if parts:
        yield began, b"".join(parts)
