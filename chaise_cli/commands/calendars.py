"""`chaise calendars`."""

from __future__ import annotations

import typer

from chaise_cli.commands.context import Call
from chaise_cli.commands.registry import PLAIN, verb
from chaise_cli.result import Result
from chaise_cli.session import busy_sources

app = typer.Typer(**PLAIN)


@verb(app, "calendars", lists=True)
def calendars(call: Call) -> Result:
    """List the calendars your busy time is read from."""
    with call.session() as session, session.reading():
        return call.result(busy_sources.listed(session))
