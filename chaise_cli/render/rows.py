"""Lists as CSV: one row per object, the same columns whatever the data, safe to open in a spreadsheet.

Columns come from `shapes`: an object inside becomes one column per key, joined by dots; a list becomes one
cell joined by `;`. Specified in docs/spec/results.md.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, TextIO, get_type_hints, is_typeddict

from chaise_cli.render.terminal import put, safe
from chaise_cli.result import Result, items, line, shape_of
from chaise_cli.shapes import SHAPES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chaise_cli.render.emit import OutputOptions

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")  # what makes a spreadsheet compute a cell instead of showing it
_NO_COLUMN: Final = frozenset({"terms", "terms_diff"})  # keys of `show` alone, which no list has
_NAMING: Final = ("id", "name", "handle", "text", "verb", "account")  # keys that stand for an object in a joined cell


def write(result: Result, _options: OutputOptions, stream: TextIO, _short: Callable[[str], str] | None) -> None:
    """Print a header and a row per object."""
    columns = list(columns_of(SHAPES[shape_of(result)]))
    writer = csv.writer(_Lines(stream), lineterminator="\n")
    writer.writerow(".".join(path) for path in columns)
    for item in items(result):
        writer.writerow(_cell(_at(item, path)) for path in columns)


def columns_of(shape: type, above: tuple[str, ...] = ()) -> Iterable[tuple[str, ...]]:
    """The paths of the columns of a shape, depth first, in the order its keys are declared in."""
    for key, kind in get_type_hints(shape).items():
        if key in _NO_COLUMN:
            continue
        inner = next((part for part in (kind, *getattr(kind, "__args__", ())) if is_typeddict(part)), None)
        if inner is not None and getattr(kind, "__origin__", None) is not list:
            yield from columns_of(inner, (*above, key))
        else:
            yield (*above, key)


def guarded(text: str) -> str:
    """`text` that no spreadsheet takes for a formula and no terminal obeys; a leading `'` marks what was changed."""
    text = safe(text, multiline=True)
    return f"'{text}" if text.startswith(_FORMULA) else text


class _Lines:
    """A stream for the csv writer that goes through `put`."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        put(self._stream, text)


def _at(item: object, path: tuple[str, ...]) -> object:
    for key in path:
        item = item.get(key) if isinstance(item, Mapping) else None
    return item


def _cell(value: object) -> str | int:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return value
    if isinstance(value, list | tuple):
        return ";".join(guarded(_word(part)) for part in value)  # each, for where `;` separates columns
    return guarded(str(value))


def _word(part: object) -> str:
    if not isinstance(part, Mapping):
        return str(part)
    return next((str(part[key]) for key in _NAMING if key in part), line(part))
