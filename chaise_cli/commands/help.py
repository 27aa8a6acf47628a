"""`chaise help`."""

from __future__ import annotations

import difflib
import sys
from importlib import import_module
from typing import Annotated, Any, Final

import typer

from chaise_cli.commands.registry import PLAIN
from chaise_cli.errors import Usage
from chaise_cli.render import manual
from chaise_cli.render.terminal import put

app = typer.Typer(**PLAIN)
_CLI: Final = "chaise_cli.cli"  # holds the table of verbs, and loads commands rather than being loaded by them
EXIT_CODES: Final = "exit-codes"
LIMITS: Final = "limits"


class NoSuchTopic(Usage):
    """Nothing of this name can be explained."""

    code = "usage.unknown_topic"
    message = "there is no help on {given!r}{near}"
    hint = "chaise help PANEL, VERB, exit-codes, limits or an error code; chaise --help lists panels and verbs"
    given: str
    near: str


@app.command("help")
def help_(
    topic: Annotated[
        list[str] | None, typer.Argument(help="PANEL, VERB, exit-codes, limits or an error code.", metavar="[TOPIC]")
    ] = None,
) -> None:
    """Explain a panel, a verb, an exit status or an error code."""
    put(sys.stdout, _text([word.strip() for word in topic or []]))


def _text(words: list[str]) -> str:
    table: Any = import_module(_CLI).VERBS
    if not words:
        return _panels(table)
    first = words[0].lower()
    panel = [(name, row.line) for name, row in table.items() if row.panel.lower() == first]
    if words == [first.capitalize()] and panel:  # `help Board` is the panel, `help board` the verb
        return _panel(panel)
    if first in table:
        about = f"\n{_panel(panel)}" if panel and len(words) == 1 else ""
        return _verb(first, words[1:]) + about
    if panel:
        return _panel(panel)
    if first == EXIT_CODES or (first.isdigit() and int(first) in manual.EXITS):
        return manual.exits()
    if first == LIMITS:
        return manual.limits()
    explained = manual.code(first)
    if explained is None:
        raise NoSuchTopic(given=" ".join(words)[:60], near=_near(first, table))
    return explained


def _panels(table: Any) -> str:
    panels = dict.fromkeys(row.panel for row in table.values())
    return "".join(
        f"{panel}\n{_panel([(n, r.line) for n, r in table.items() if r.panel == panel])}" for panel in panels
    )


def _panel(rows: list[tuple[str, str]]) -> str:
    return "".join(f"  {name:<11} {line}\n" for name, line in rows)


def _verb(name: str, rest: list[str]) -> str:
    """An example first, then the options."""
    command: Any = import_module(_CLI).command_of(name)
    path = f"chaise {name}"
    for word in rest:
        command = getattr(command, "commands", {}).get(word.lower())
        if command is None:
            raise NoSuchTopic(given=f"{name} {' '.join(rest)}"[:60], near="")
        path = f"{path} {word.lower()}"
    context = command.make_context(path, [], resilient_parsing=True)
    return f"Example:\n{manual.example(name)}\n{command.get_help(context)}\n"


def _near(given: str, table: Any) -> str:
    found = difflib.get_close_matches(given, [*table, *manual.codes(), EXIT_CODES, LIMITS], n=1)
    return f"; did you mean {found[0]}?" if found else ""
