"""`chaise calendars`."""

from __future__ import annotations

from importlib import import_module
from typing import Annotated, Any, Final

import typer

from chaise_cli.commands.context import Call
from chaise_cli.commands.registry import PLAIN, verb
from chaise_cli.result import Result
from chaise_cli.session import busy_sources

app = typer.Typer(**PLAIN)
_COPYING: Final = "chaise_cli.session.server_copies"  # the network is behind this door


@verb(app, "calendars", lists=True)
def calendars(
    call: Call,
    pushed: Annotated[bool, typer.Option("--pushed", help="Those that your calls are pushed to instead.")] = False,
) -> Result:
    """List the calendars your busy time is read from, or calls are pushed to."""
    with call.session() as session, session.reading():
        if pushed:
            copying: Any = import_module(_COPYING)
            return call.result(copying.listed(session), shape="pushed_calendar")
        return call.result(busy_sources.listed(session))
