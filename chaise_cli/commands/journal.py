"""`chaise journal`."""

from __future__ import annotations

from typing import Annotated

import typer

from chaise_cli.commands import arguments
from chaise_cli.commands.arguments import LimitOption
from chaise_cli.commands.context import Call
from chaise_cli.commands.registry import PLAIN, verb
from chaise_cli.result import Result
from chaise_cli.session import accounting, freshness

app = typer.Typer(**PLAIN)


@verb(app, "journal", lists=True)
def journal(
    call: Call,
    deal: Annotated[str | None, typer.Argument(help="Of one deal; else of all.", metavar="[DEAL]")] = None,
    with_: Annotated[str | None, typer.Option("--with", help="Only deals with them.", metavar="@P")] = None,
    since: Annotated[str | None, typer.Option("--since", help="Only what was booked since then.", metavar="T")] = None,
    limit: LimitOption = None,
) -> Result:
    """Print the book: every movement of money."""
    with call.session() as session, session.reading():
        start = arguments.since(since, call.here(session)) if since is not None else 0
        found = accounting.journal(session, accounting.scope(session, deal, with_), start, limit)
        return call.result(found.objects, warnings=[*freshness.warnings(session), *found.warnings])
