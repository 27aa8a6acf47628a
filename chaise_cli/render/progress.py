"""Signs of life during long work, on stderr: a bar on a terminal with colour, else a line now and then."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Final, Protocol, cast

from chaise_cli.render.emit import environment
from chaise_cli.render.terminal import colored, put, safe

if TYPE_CHECKING:
    from chaise_cli.render.emit import OutputOptions

_BAR: Final = "chaise_cli.render.progress_bar"  # loads rich, so only for a terminal with colour
_SHARES: Final = 4  # lines a piece of work of known size may take


class Progress(Protocol):
    """How work tells how far it is."""

    def step(self, done: int, total: int | None = None) -> None:
        """Say that `done` of `total` pieces are through; None is not known."""


class Silent:
    """Says nothing."""

    def step(self, done: int, total: int | None = None) -> None:
        """Say nothing."""


class Lines:
    """Says a line at each quarter of a work of known size; with nothing known it says only that it began."""

    def __init__(self, title: str) -> None:
        self._title = safe(title)
        self._said = 0

    def step(self, done: int, total: int | None = None) -> None:
        """Print a line when another quarter is through."""
        share = done * _SHARES // total if total else 0
        if share > self._said:
            self._said = share
            put(sys.stderr, f"{self._title}: {done} of {total}\n")


@contextmanager
def progress(title: str, options: OutputOptions) -> Iterator[Progress]:
    """Something to report steps to while the block runs."""
    if options.quiet:
        yield Silent()
        return
    if colored(sys.stderr, environment(), flag=options.color) and sys.stderr.isatty():
        opened = cast(
            "Callable[[str], AbstractContextManager[Progress]]",
            getattr(importlib.import_module(_BAR), "bar"),  # noqa: B009, a module known by name
        )
        with opened(title) as shown:
            yield shown
        return
    put(sys.stderr, f"{safe(title)} …\n")
    yield Lines(title)
