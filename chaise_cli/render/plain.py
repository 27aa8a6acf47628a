"""Blocks as plain text: what a pipe gets, and a terminal without colour. No escape byte comes from here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest

from chaise_cli.render.document import GAP, Block, Fields, Prose, Table, fit, laid_out
from chaise_cli.render.terminal import safe, width_of


def text_of(blocks: Sequence[Block], width: int | None) -> str:
    """The blocks as lines, an empty line between two. width: in columns, None where nothing may be cut."""
    return "\n".join("".join(f"{line}\n" for line in _lines(block, width)) for block in blocks)


def _lines(block: Block, width: int | None) -> Iterator[str]:
    if block.title:
        yield safe(block.title)
    if isinstance(block, Table):
        yield from _table_lines(block, width)
    elif isinstance(block, Fields):
        yield from _field_lines(block)
    else:
        yield from _prose_lines(block)


def _table_lines(table: Table, width: int | None) -> Iterator[str]:
    layout = fit(table, width)
    titles = [column.title for column in table.columns]
    for row in [titles, *table.rows]:
        for parts in zip_longest(*laid_out(table, row, layout), fillvalue=""):
            cells = (
                _padded(part, size, right=table.columns[at].right)
                for part, size, at in zip(parts, layout.widths, layout.shown, strict=True)
            )
            yield (" " * GAP).join(cells).rstrip()


def _field_lines(fields: Fields) -> Iterator[str]:
    pairs = [(name, value) for name, value in fields.pairs if value]
    size = max((len(name) for name, _ in pairs), default=0) + 1
    for name, value in pairs:
        first, *others = safe(value, multiline=True).split("\n")
        yield f"{name + ':':<{size}} {first}"
        yield from (f"{'':<{size}} {line}" for line in others)


def _prose_lines(prose: Prose) -> Iterator[str]:
    return (f"  {line}".rstrip() for line in safe(prose.text, multiline=True).strip("\n").split("\n"))


def _padded(text: str, size: int, *, right: bool) -> str:
    room = " " * (size - width_of(text))
    return room + text if right else text + room
