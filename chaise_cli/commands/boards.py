"""`chaise boards`."""

from __future__ import annotations

import typer

from chaise_cli.commands.context import Call
from chaise_cli.commands.registry import PLAIN, verb
from chaise_cli.result import Result
from chaise_cli.session import browsing

app = typer.Typer(**PLAIN)


@verb(app, "boards", lists=True)
def boards(call: Call) -> Result:
    """List the boards you are on."""
    with call.session() as session, session.reading():
        found = browsing.boards(session)
        return call.result(found.objects, warnings=found.warnings)
