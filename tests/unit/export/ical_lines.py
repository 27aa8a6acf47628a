"""A strict reader of iCalendar lines, written apart from the writer: octets, folds and nesting, nothing more."""

from __future__ import annotations

import re
from typing import NamedTuple

_LINE = re.compile(
    r'(?P<name>[A-Z-]+)(?P<parameters>(?:;[A-Z-]+=(?:"[^"]*"|[^";:,]*)(?:,(?:"[^"]*"|[^";:,]*))*)*):(?P<value>.*)'
)


class Component(NamedTuple):
    name: str
    lines: list[str]  # unfolded, in the file's order, without those of the children
    children: list[Component]

    def values(self, name: str) -> list[str]:
        """The values of every property of that name, still escaped."""
        return [match["value"] for match in map(_LINE.fullmatch, self.lines) if match and match["name"] == name]

    def value(self, name: str) -> str:
        """The value of the one property of that name."""
        (only,) = self.values(name)
        return only

    def line(self, name: str) -> str:
        """The one whole line of that property, parameters included."""
        (only,) = [line for line in self.lines if re.match(rf"{name}[;:]", line)]
        return only

    def kinds(self, name: str) -> list[Component]:
        """The children of that kind."""
        return [child for child in self.children if child.name == name]


def read(data: bytes) -> Component:
    """The one component in `data`. Whatever RFC 5545 forbids in lines is an AssertionError."""
    assert data.endswith(b"\r\n")
    octets = data[:-2].split(b"\r\n")
    assert not any(b"\n" in line or b"\r" in line or len(line) > 75 for line in octets)
    texts = [line.decode() for line in octets]  # each by itself: no character is torn by a fold
    assert not any(re.search("[\x00-\x1f\x7f-\x9f]", line) for line in texts)
    root = Component("", [], [])
    stack = [root]
    for line in "\n".join(texts).replace("\n ", "").split("\n"):
        match = _LINE.fullmatch(line)
        assert match, line
        if match["name"] == "BEGIN":
            stack.append(Component(match["value"], [], []))
        elif match["name"] == "END":
            done = stack.pop()
            assert done.name == match["value"]
            stack[-1].children.append(done)
        else:
            stack[-1].lines.append(line)
    assert stack == [root]
    (only,) = root.children
    return only
