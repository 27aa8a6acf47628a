"""`chaise files`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from chaise_cli.commands import arguments
from chaise_cli.commands.arguments import LimitOption
from chaise_cli.commands.context import Call
from chaise_cli.commands.registry import PLAIN, verb
from chaise_cli.result import Result
from chaise_cli.session import fetching, finding, freshness

app = typer.Typer(**PLAIN)


@verb(app, "files", lists=True)
def files(
    call: Call,
    deal: Annotated[str, typer.Argument(help="The deal, or one milestone of it.", metavar="DEAL[/N]")],
    fetch: Annotated[Path | None, typer.Option("--fetch", help="Put their content here.", metavar="DIR")] = None,
    since: Annotated[str | None, typer.Option("--since", help="Only what came since then.", metavar="T")] = None,
    limit: LimitOption = None,
) -> Result:
    """List the files of a deal, and fetch them."""
    with call.session() as session:
        named = finding.find(session, deal, "deal")
        start = arguments.since(since, call.here(session)) if since is not None else 0
        with session.reading():
            kept = [one for one in fetching.listed(session, named.space, named.n) if one.at >= start][:limit]
            warnings = freshness.warnings(session)
            if fetch is None:
                return call.result([fetching.shape(session, one) for one in kept], warnings=warnings)
            done = fetching.fetch(session, kept, fetch)
    return call.result(done.files, error=done.problem, warnings=warnings)
