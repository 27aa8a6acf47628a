"""`chaise grants`."""

from __future__ import annotations

from typing import Annotated

import typer

from chaise_cli.commands.arguments import LimitOption
from chaise_cli.commands.context import Call
from chaise_cli.commands.registry import PLAIN, verb
from chaise_cli.result import Result
from chaise_cli.session import choosing, finding, freshness, showing_grants

app = typer.Typer(**PLAIN)
STATES = ("active", "used_up", "expired", "revoked")


@verb(app, "grants", lists=True)
def grants(
    call: Call,
    deal: Annotated[str | None, typer.Argument(help="Of this deal alone.", metavar="[DEAL]")] = None,
    state: Annotated[str | None, typer.Option("--state", help="active, used_up, expired, revoked.")] = None,
    limit: LimitOption = None,
) -> Result:
    """List the keys handed out for automation."""
    if state is not None:
        choosing.one_of(state, STATES, "--state")
    with call.session() as session, session.reading():
        named = finding.find(session, deal, "deal") if deal is not None else None
        found = [one for one in showing_grants.granted(session, named and named.space) if state in {None, one["state"]}]
        return call.result(found[:limit], warnings=freshness.warnings(session))
