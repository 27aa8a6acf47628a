"""`chaise log`."""

from __future__ import annotations

from typing import Annotated

import typer

from chaise_cli.commands import arguments
from chaise_cli.commands.arguments import LimitOption
from chaise_cli.commands.context import Call
from chaise_cli.commands.registry import PLAIN, verb
from chaise_cli.result import Result
from chaise_cli.session import choosing, finding, freshness, history, naming

app = typer.Typer(**PLAIN)
SHOWN = 50


@verb(app, "log", lists=True)
def log(
    call: Call,
    where: Annotated[
        str | None, typer.Argument(help="One deal or board; else everything.", metavar="DEAL|BOARD")
    ] = None,
    kind: Annotated[
        list[str] | None, typer.Option("--kind", help="As message.sent, or booking.", metavar="KIND")
    ] = None,
    state: Annotated[list[str] | None, typer.Option("--state", help="valid, void or pending.", metavar="STATE")] = None,
    with_: Annotated[str | None, typer.Option("--with", help="Only by this person.", metavar="@PERSON")] = None,
    since: Annotated[str | None, typer.Option("--since", help="Only from then on.", metavar="TIME")] = None,
    limit: LimitOption = None,
    sort: Annotated[str, typer.Option("--sort", help="at (newest first) or oldest.", metavar="KEY")] = "at",
) -> Result:
    """List the signed events of a deal or board."""
    states = choosing.some_of(state, history.STATES, "--state")
    key = choosing.one_of(sort, history.SORTS, "--sort")
    with call.session() as session:
        named = naming.whole(finding.find(session, where, "deal", "board"), where) if where else None
        person = finding.person(session, with_) if with_ else None
        start = arguments.since(since, call.here(session)) if since else None
        wanted = history.Wanted(named, person, kind or (), states, start, key, limit or SHOWN)
        return call.result(history.events(session, wanted), warnings=freshness.warnings(session))
