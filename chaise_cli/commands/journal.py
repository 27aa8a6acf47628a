"""`chaise journal`."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from chaise_cli.commands import arguments
from chaise_cli.commands.arguments import LimitOption
from chaise_cli.commands.context import Call
from chaise_cli.commands.formats import OneFormat
from chaise_cli.commands.registry import PLAIN, verb
from chaise_cli.render import terminal
from chaise_cli.result import Result
from chaise_cli.session import accounting, choosing, freshness

if TYPE_CHECKING:
    from collections.abc import Callable

    from chaise_cli.session.session import Session

app = typer.Typer(**PLAIN)
_WRITERS: Final = {  # loaded only for a book; each has `text(book, clean)`
    "hledger": "chaise_cli.export.hledger",
    "beancount": "chaise_cli.export.beancount",
    "csv": "chaise_cli.export.ledger_csv",
}
_ROWS: Final = "chaise_cli.render.rows"
_DAYS: Final = "UTC"  # of a book, whoever reads it


@verb(app, "journal", lists=True)
def journal(
    call: Call,
    deal: Annotated[str | None, typer.Argument(help="Of one deal; else of all.", metavar="[DEAL]")] = None,
    with_: Annotated[str | None, typer.Option("--with", help="Only deals with them.", metavar="@P")] = None,
    since: Annotated[str | None, typer.Option("--since", help="Only what was booked since then.", metavar="T")] = None,
    until: Annotated[str | None, typer.Option("--until", help="Only what was booked before.", metavar="T")] = None,
    limit: LimitOption = None,
    format_: Annotated[
        str | None, typer.Option("--format", help="A whole book: hledger, beancount or csv.", metavar="FORMAT")
    ] = None,
    agent: Annotated[str | None, typer.Option("--agent", help="Whose book, with --format.", metavar="@P")] = None,
) -> Result | None:
    """Print the book: every movement of money."""
    if format_ is not None:
        choosing.one_of(format_, _WRITERS, "--format")
        if limit is not None:
            raise choosing.NotForThis(verb="--limit", given="--format", why="a book lacks no entry")
        if call.options.format != "human":
            raise OneFormat(given=f"--format, --{call.options.format}")
    elif agent is not None:
        raise choosing.NotForThis(verb="--agent", given="a list", why="a book is written with --format")
    with call.session() as session, session.reading():
        here = call.here(session, _DAYS if format_ else None)
        start = arguments.since(since, here) if since is not None else 0
        end = arguments.deadline(until, here) if until is not None else None
        of = accounting.scope(session, deal, with_)
        if format_ is not None:
            _print(session, of, accounting.book(session, of, agent, start, end), format_)
            return None
        found = accounting.journal(session, of, start, end, limit)
        return call.result(found.objects, warnings=[*freshness.warnings(session), *found.warnings])


def _print(session: Session, of: accounting.Scope, book: Any, format_: str) -> None:
    writer: Any = import_module(_WRITERS[format_])
    clean: Callable[[str], str] = import_module(_ROWS).guarded if format_ == "csv" else terminal.safe
    terminal.put(sys.stdout, writer.text(book, clean))
    for warning in (*freshness.warnings(session), *accounting.not_secured(session, of)):
        terminal.put(sys.stderr, f"warning: {terminal.safe(warning)}\n")
