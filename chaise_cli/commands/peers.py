"""`chaise peers`."""

from __future__ import annotations

import typer

from chaise_cli.commands.context import Call, unsent
from chaise_cli.commands.registry import PLAIN, verb
from chaise_cli.result import Result
from chaise_cli.session import peering

app = typer.Typer(**PLAIN)


@verb(app, "peers", lists=True)
def peers(call: Call) -> Result:
    """List the places you sync with."""
    with call.session() as session, session.reading():
        return call.result(peering.listed(session), next=unsent(session))
