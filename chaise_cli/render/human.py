"""What people get: tables and pages on stdout, `next:` on stderr; with colour only where a terminal shows it."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, TextIO, cast

from chaise_cli.domain import when
from chaise_cli.render.document import Block
from chaise_cli.render.emit import OutputOptions, environment
from chaise_cli.render.eye import Eye, shortener
from chaise_cli.render.plain import text_of
from chaise_cli.render.terminal import colored, put, safe, terminal_width
from chaise_cli.render.views import page_of, table_of, view_of
from chaise_cli.render.views_hire import rehearsed
from chaise_cli.result import Next, Result, shape_of, to_json

if TYPE_CHECKING:
    from collections.abc import Iterator

_COLORED: Final = "chaise_cli.render.colored"  # loads rich, so only for a terminal with colour
NEXT_MOST: Final = 3  # lines of `next:`; JSON has them all
UNSENT: Final = "chaise sync"
_SUMMARIZED: Final = frozenset({"deal", "milestone", "post", "booking", "message", "review"})
_IN_FULL: Final = frozenset({"show", "wait"})
"""Acting verbs show a summary of these shapes; these verbs show the whole page."""


def write(result: Result, options: OutputOptions, stream: TextIO, short: Callable[[str], str] | None) -> None:
    """Print the data: a table of a list, a page of one object, nothing of an empty list."""
    blocks = _blocks(result, _eye(result, options, short))
    width = terminal_width(stream, environment())
    if not colored(stream, environment(), flag=options.color):
        put(stream, text_of(blocks, width))
        return
    show = cast(
        "Callable[[Sequence[Block], TextIO, int | None], None]",
        getattr(importlib.import_module(_COLORED), "write"),  # noqa: B009, a module known by name
    )
    show(blocks, stream, width)


def write_warnings(result: Result, options: OutputOptions, stream: TextIO, short: Callable[[str], str] | None) -> None:
    """Print the warnings, ids shortened as in the data they stand beside."""
    eye = _eye(result, options, short)
    for warning in result.warnings:
        put(stream, f"warning: {safe(eye.ids(warning))}\n")


def write_next(result: Result, options: OutputOptions, stream: TextIO, short: Callable[[str], str] | None) -> None:
    """Print who is expected to do what, or that a list is empty."""
    eye = _eye(result, options, short)
    for text in _next_lines(result, eye):
        put(stream, f"{safe(text)}\n")


def _next_lines(result: Result, eye: Eye) -> Iterator[str]:
    if not result.data and not isinstance(result.data, Mapping):
        yield view_of(shape_of(result)).nothing
    for step in _steps(result.next):
        yield _next_line(step, eye)


def _steps(steps: Sequence[Next]) -> list[Next]:
    """The first few; what has not been sent comes last, and is said whatever else waits."""
    if len(steps) <= NEXT_MOST:
        return list(steps)
    return [*steps[: NEXT_MOST - 1], steps[-1]] if steps[-1].command == UNSENT else list(steps[:NEXT_MOST])


def _next_line(step: Next, eye: Eye) -> str:
    until = f" (until {when.one_zone(when.read_instant(step.until), eye.tz)})" if step.until else ""
    return f"next: {step.who}: {eye.ids(step.command)}{until}"


def _blocks(result: Result, eye: Eye) -> list[Block]:
    shape = shape_of(result)
    if not isinstance(result.data, Mapping):
        return [table_of(shape, result.data, eye), *rehearsed(result.data, eye)] if result.data else []
    if not result.data:
        return []
    page = page_of(shape, result.data, eye)
    return page[:1] if shape in _SUMMARIZED and result.verb not in _IN_FULL else page


def _eye(result: Result, options: OutputOptions, short: Callable[[str], str] | None) -> Eye:
    return Eye(options.tz, short or shortener(to_json(result)), options.me, result.replayed)
