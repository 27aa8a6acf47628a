"""The one door out: a result or a failure, in the format asked for.

Data goes to stdout; `next:`, notes, warnings and errors go to stderr. Scripts' formats load nothing but this
module; what people read is made by modules loaded when they are needed, named in the tables below.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, Literal, TextIO, TypeAlias, cast

from chaise_cli.domain import when
from chaise_cli.domain.light import NamedTuple
from chaise_cli.errors import Usage
from chaise_cli.render.terminal import put, safe
from chaise_cli.result import ID_KEYS, WITHOUT_ID, Result, error_json, exit_of, items, line, shape_of, to_json

if TYPE_CHECKING:
    from chaise_cli.errors import ChaiseError

Format: TypeAlias = Literal["human", "json", "jsonl", "csv", "ids"]
Shorten: TypeAlias = "Callable[[str], str]"

_WRITERS: Final[Mapping[str, str]] = {"human": "chaise_cli.render.human", "csv": "chaise_cli.render.rows"}
"""Formats whose writer costs something to import; each module has `write(result, options, stream, short)`."""
_HUMAN: Final = "chaise_cli.render.human"


class NoIds(Usage):
    """The objects asked for have no id of their own."""

    code = "usage.no_ids"
    message = "{verb} answers with objects that have no id"
    hint = "use --json"
    verb: str


class OutputOptions(NamedTuple):
    """How output is wanted.

    color: True or False when `--color` said so, None to find out. quiet: no progress, no `next:`, no notes;
    warnings and errors stay. tz: the zone people read times in. me: the reader's id, empty while it is not known.
    """

    format: Format = "human"
    color: bool | None = None
    quiet: bool = False
    no_input: bool = False
    tz: str = "UTC"
    me: str = ""


def emit(result: Result, options: OutputOptions, short: Shorten | None = None) -> int:
    """Print `result` and return the exit status that goes with it.

    short: gives an id as short as it is unique in the store; None looks at this result alone.
    Raises NoIds before anything is written.
    """
    out = sys.stdout
    if options.format == "json":
        put(out, to_json(result) + "\n")
        return exit_of(result)
    if options.format == "jsonl":
        put(out, "".join(f"{line(item)}\n" for item in items(result)))
    elif options.format == "ids":
        put(out, "".join(f"{one}\n" for one in _ids(result)))
    else:
        _written(_WRITERS[options.format], "write", result, options, out, short)
    out.flush()
    _remarks(result, options, short)
    return exit_of(result)


def emit_error(error: ChaiseError, options: OutputOptions) -> int:
    """Print a failure on stderr, stdout untouched, and return its exit status."""
    if options.format in ("json", "jsonl"):
        put(sys.stderr, error_json(error) + "\n")
    else:
        put(sys.stderr, error_text(error, error.reader_tz))
    return error.exit


def error_text(error: ChaiseError, tz: str) -> str:
    """A failure for people: the sentence with its code, and what mends it.

    tz: the reader's zone, whose clock tells the instants of the sentence; empty where it is not known. Those of a
    hint may be part of a command, and stay as they are typed.
    """
    sentence, hint = error.sentence(), safe(error.advice())
    shown = safe(when.on_clock(sentence, tz) if tz else sentence)
    return f"error: {shown} [{error.code}]\n" + (f"hint: {hint}\n" if hint else "")


def note(text: str, options: OutputOptions) -> None:
    """Say something on stderr, unless that was not wanted."""
    if not options.quiet:
        put(sys.stderr, safe(text) + "\n")


def say(text: str) -> None:
    """Say something on stdout, for people: a line of what goes on."""
    put(sys.stdout, safe(text) + "\n")


def environment() -> Mapping[str, str]:
    """The variables that choose colour, width and editor; read when asked, so that tests can set them."""
    return os.environ


def _remarks(result: Result, options: OutputOptions, short: Shorten | None) -> None:
    if options.format == "human" and result.warnings:
        _written(_HUMAN, "write_warnings", result, options, sys.stderr, short)
    else:
        put(sys.stderr, "".join(f"warning: {safe(warning)}\n" for warning in result.warnings))
    if result.error is not None:
        put(sys.stderr, error_text(result.error, options.tz))
    if options.quiet:
        return
    if result.replayed:
        put(sys.stderr, "note: this had been done before; nothing was changed\n")
    if result.next or not items(result):  # the writer of these lines knows zones and ids, so it is the human one
        _written(_HUMAN, "write_next", result, options, sys.stderr, short)


def _ids(result: Result) -> list[str]:
    shape = shape_of(result)
    if shape in WITHOUT_ID:
        raise NoIds(verb=result.verb)
    return [safe(str(item[ID_KEYS.get(shape, "id")])) for item in items(result)]


def _written(
    module: str, function: str, result: Result, options: OutputOptions, stream: TextIO, short: Shorten | None
) -> None:
    # By name, so that a read with --json never pays for tables; the names stand in the tables above.
    write = cast(
        "Callable[[Result, OutputOptions, TextIO, Shorten | None], None]",
        getattr(importlib.import_module(module), function),
    )
    write(result, options, stream, short)
