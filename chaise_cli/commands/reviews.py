"""`chaise reviews`."""

from __future__ import annotations

from typing import Annotated

import typer

from chaise_cli.commands import arguments
from chaise_cli.commands.arguments import LimitOption
from chaise_cli.commands.context import Call
from chaise_cli.commands.registry import PLAIN, verb
from chaise_cli.result import Result
from chaise_cli.session import freshness, trust

app = typer.Typer(**PLAIN)


@verb(app, "reviews", lists=True)
def reviews(
    call: Call,
    of: Annotated[str | None, typer.Argument(help="A person or a deal; else your deals.", metavar="[@P|DEAL]")] = None,
    state: Annotated[str | None, typer.Option("--state", help="sealed or open.", metavar="STATE")] = None,
    since: Annotated[str | None, typer.Option("--since", help="Only those written since then.", metavar="T")] = None,
    limit: LimitOption = None,
    sort: Annotated[str, typer.Option("--sort", help="at or stars.", metavar="KEY")] = "at",
) -> Result:
    """List reviews of a person or a deal."""
    with call.session() as session, session.reading():
        start = arguments.since(since, call.here(session)) if since is not None else None
        found = trust.listed(session, trust.Ask(of, state, start, limit, sort))
        return call.result(found, warnings=freshness.warnings(session))
