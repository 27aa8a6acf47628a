"""`chaise deals`."""

from __future__ import annotations

from typing import Annotated

import typer

from chaise_cli.commands import arguments
from chaise_cli.commands.arguments import LimitOption
from chaise_cli.commands.context import Call
from chaise_cli.commands.registry import PLAIN, verb
from chaise_cli.domain.transitions import DEAL_STATES
from chaise_cli.result import Result
from chaise_cli.session import choosing, finding, freshness, overview

app = typer.Typer(**PLAIN)
SHOWN = 50


@verb(app, "deals", lists=True)
def deals(
    call: Call,
    post: Annotated[str | None, typer.Argument(help="Compare the proposals for it.", metavar="POST")] = None,
    state: Annotated[
        list[str] | None, typer.Option("--state", help="As hired; may be repeated.", metavar="STATE")
    ] = None,
    with_: Annotated[str | None, typer.Option("--with", help="Only with this person.", metavar="@PERSON")] = None,
    since: Annotated[str | None, typer.Option("--since", help="Only what moved from then on.", metavar="TIME")] = None,
    limit: LimitOption = None,
    sort: Annotated[
        str, typer.Option("--sort", help="at, state, total (least first), due (soonest first).", metavar="KEY")
    ] = "at",
) -> Result:
    """List deals, or compare the proposals for a post."""
    states = choosing.some_of(state, DEAL_STATES, "--state")
    key = choosing.one_of(sort, overview.DEAL_SORTS, "--sort")
    with call.session() as session:
        named = finding.find(session, post, "post") if post else None
        person = finding.person(session, with_) if with_ else None
        start = arguments.since(since, call.here(session)) if since else None
        wanted = overview.Wanted(
            states, person, start, post=named.event if named else None, sort=key, limit=limit or SHOWN
        )
        return call.result(overview.deals(session, wanted), warnings=freshness.warnings(session))
