"""Blocks on a terminal that shows colour; the only module that prints with rich.

Colour is an extra: whatever it says, a word beside it says too. Foreign text enters as `Text`, after
`safe`, and the console obeys no markup.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TextIO

from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from chaise_cli.render.document import GAP, Block, Fields, Prose, Table, fit, laid_out
from chaise_cli.render.terminal import safe

_ENDLESS: Final = 100_000  # columns; `document` has laid out already, and rich would squeeze amounts to fit
_STYLES: Final = {
    "green": "released met open confirmed valid hired ok seen funded moved final",
    "yellow": "proposed invited offered funding delivered changes pending shortlisted authorized relay provisional",
    "red": "disputed declined conflicted void expired no_show unknown failed withheld",
    "dim": "closed withdrawn cancelled refunded filled sealed planned talking local",
}
_STYLE_OF: Final = {word: style for style, words in _STYLES.items() for word in words.split()}


def write(blocks: Sequence[Block], stream: TextIO, width: int | None) -> None:
    """Print the blocks with colour, laid out as `plain` lays them out."""
    # `standard`: asked of us, not guessed by rich from variables that `terminal.colored` has weighed already.
    console = Console(
        file=stream, width=_ENDLESS, force_terminal=True, no_color=False, color_system="standard",
        markup=False, emoji=False, highlight=False, soft_wrap=False,
    )  # fmt: skip
    for place, block in enumerate(blocks):
        if place:
            console.print()
        _print(console, block, width)


def _print(console: Console, block: Block, width: int | None) -> None:
    if block.title:
        console.print(Text(safe(block.title), style="bold"))
    if isinstance(block, Table):
        console.print(_table(block, width))
    elif isinstance(block, Fields):
        _print_fields(console, block)
    else:
        _print_prose(console, block)


def _table(table: Table, width: int | None) -> RichTable:
    layout = fit(table, width)
    grid = RichTable(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="bold cyan", show_edge=False)
    for at, size in zip(layout.shown, layout.widths, strict=True):
        column = table.columns[at]
        grid.add_column(Text(column.title), justify="right" if column.right else "left", width=size, no_wrap=True)
    for row in table.rows:
        grid.add_row(*(_cell(lines) for lines in laid_out(table, row, layout)))
    return grid


def _cell(lines: list[str]) -> Text:
    return Text("\n").join(Text(line, style=_style(line)) for line in lines)


def _print_fields(console: Console, fields: Fields) -> None:
    pairs = [(name, value) for name, value in fields.pairs if value]
    size = max((len(name) for name, _ in pairs), default=0) + 1
    for name, value in pairs:
        first, *others = safe(value, multiline=True).split("\n")
        console.print(Text.assemble((f"{name + ':':<{size}} ", "cyan"), (first, _style(first))), soft_wrap=True)
        for line in others:
            console.print(Text(f"{'':<{size}} {line}"), soft_wrap=True)


def _print_prose(console: Console, prose: Prose) -> None:
    for line in safe(prose.text, multiline=True).strip("\n").split("\n"):
        console.print(Text(f"  {line}".rstrip()), soft_wrap=True)


def _style(text: str) -> str:
    return _STYLE_OF.get(text.partition(" (")[0], "")  # `funded (not final)` is coloured as funded
