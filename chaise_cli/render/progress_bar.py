"""Progress as a bar that goes away when the work is done; for a terminal with colour."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.text import Text

from chaise_cli.render.terminal import safe


class Bar:
    """One bar."""

    def __init__(self, shown: Progress, task: TaskID) -> None:
        self._shown = shown
        self._task = task

    def step(self, done: int, total: int | None = None) -> None:
        """Move the bar."""
        self._shown.update(self._task, completed=done, total=total)


@contextmanager
def bar(title: str) -> Iterator[Bar]:
    """A bar on stderr while the block runs."""
    console = Console(file=sys.stderr, markup=False, emoji=False, highlight=False, no_color=False)
    name = TextColumn("{task.description}", markup=False)
    with Progress(name, BarColumn(), MofNCompleteColumn(), console=console, transient=True) as shown:
        yield Bar(shown, shown.add_task(str(Text(safe(title))), total=None))
