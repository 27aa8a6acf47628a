"""`chaise balance`."""

from __future__ import annotations

from typing import Annotated

import typer

from chaise_cli.commands.context import Call
from chaise_cli.commands.registry import PLAIN, verb
from chaise_cli.result import Result
from chaise_cli.session import accounting, choosing, freshness

app = typer.Typer(**PLAIN)


@verb(app, "balance", lists=True)
def balance(
    call: Call,
    deal: Annotated[str | None, typer.Argument(help="Of one deal; else of all.", metavar="[DEAL]")] = None,
    with_: Annotated[str | None, typer.Option("--with", help="Only deals with them.", metavar="@P")] = None,
    by: Annotated[str | None, typer.Option("--by", help="A sum for each deal, person or month.", metavar="KEY")] = None,
) -> Result:
    """Sum up what is held, released and refunded."""
    key = choosing.one_of(by, accounting.BY, "--by") if by is not None else None
    with call.session() as session, session.reading():
        found = accounting.balances(session, accounting.scope(session, deal, with_), key)
        shape = "balance_by" if key else "balance"
        return call.result(found.objects, warnings=[*freshness.warnings(session), *found.warnings], shape=shape)
