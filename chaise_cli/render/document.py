"""What a person is shown, before it is known how: tables, fields and prose, laid out alike by every writer.

Views build blocks out of raw text. The writers (`plain`, `colored`) take it through `terminal.safe`
themselves, so that no view can forget to.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from chaise_cli.domain.light import NamedTuple
from chaise_cli.render.terminal import cut, one_line, width_of

if TYPE_CHECKING:
    from chaise_cli.render.eye import Eye

GAP: Final = 2  # columns between two columns
SHORTEST_FLEX: Final = 12  # a column that gives way keeps so much

Cell: TypeAlias = "str | tuple[str, ...]"  # a tuple is a cell of several lines


class Column(NamedTuple):
    """A column's title and how it behaves: aligned right, giving way when room is short, left out then.

    flex: may be narrowed, its cells are cut then. wrap: narrowed too, but its cells go on over several lines.
    drop: columns with the highest rank go first; 0 always stays.
    """

    title: str
    right: bool = False
    flex: bool = False
    wrap: bool = False
    drop: int = 0


class Table(NamedTuple):
    """Rows of cells under column titles."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    title: str = ""


class Fields(NamedTuple):
    """Names with their values, one a line; an empty value is left out."""

    pairs: Sequence[tuple[str, str]]
    title: str = ""


class Prose(NamedTuple):
    """A text of several lines, as its author broke them."""

    title: str
    text: str


Block: TypeAlias = "Table | Fields | Prose"


class View(NamedTuple):
    """One shape as people see it: a list's columns and rows, the page of one object, the word for an empty list.

    The first block of a page is the summary that an acting verb shows.
    """

    # Any: which shape a result carries is known at run time alone; each view names its own.
    columns: Callable[[Eye], Sequence[Column]]
    row: Callable[[Any, Eye], Sequence[Cell]]
    page: Callable[[Any, Eye], list[Block]]
    nothing: str


class Layout(NamedTuple):
    """The columns that fit: which of the table's, and how wide each is."""

    shown: list[int]
    widths: list[int]


def lines_of(cell: Cell) -> list[str]:
    """The cell's lines, each safe for a terminal."""
    return [one_line(part) for part in ((cell,) if isinstance(cell, str) else cell)] or [""]


def fit(table: Table, width: int | None) -> Layout:
    """Column widths for `table` within `width`; None is as wide as it likes.

    When room is short, columns that are empty in every row go first; then the flexible ones give way, the widest
    first; then whole columns go, by their `drop` rank.
    """
    natural = [
        max([width_of(column.title), *(width_of(line) for row in table.rows for line in lines_of(row[at]))])
        for at, column in enumerate(table.columns)
    ]
    shown = list(range(len(natural)))
    if width is not None and _total(natural) > width:
        shown = [at for at in shown if any(any(lines_of(row[at])) for row in table.rows)] or shown
    while True:
        widths = _squeezed(table, shown, natural, width)
        droppable = [at for at in shown if table.columns[at].drop]
        if width is None or _total(widths) <= width or not droppable:
            return Layout(shown, widths)
        shown.remove(max(droppable, key=lambda at: table.columns[at].drop))


def laid_out(table: Table, row: Sequence[Cell], layout: Layout) -> list[list[str]]:
    """The lines of each shown cell of a row, none wider than its column."""
    return [
        [part for line in lines_of(row[at]) for part in (_wrapped if table.columns[at].wrap else _cut)(line, size)]
        for at, size in zip(layout.shown, layout.widths, strict=True)
    ]


def _cut(line: str, width: int) -> list[str]:
    return [cut(line, width)]


def _wrapped(line: str, width: int) -> list[str]:
    """The line broken between words; a word that is too long for any line is cut."""
    lines = [""]
    for word in line.split(" "):
        longer = f"{lines[-1]} {word}" if lines[-1] else word
        if width_of(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(cut(word, width))
    return lines if lines[0] else lines[1:] or lines


def _squeezed(table: Table, shown: list[int], natural: list[int], width: int | None) -> list[int]:
    widths = [natural[at] for at in shown]
    if width is None:
        return widths
    flexible = [place for place, at in enumerate(shown) if table.columns[at].flex or table.columns[at].wrap]
    while flexible and (over := _total(widths) - width) > 0:
        widest = max(flexible, key=lambda place: widths[place])
        if widths[widest] <= SHORTEST_FLEX:
            break
        widths[widest] = max(SHORTEST_FLEX, widths[widest] - max(1, over // len(flexible)))
    return widths


def _total(widths: list[int]) -> int:
    return sum(widths) + GAP * (len(widths) - 1)
