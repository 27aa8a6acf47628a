"""`chaise devices`."""

from __future__ import annotations

import typer

from chaise_cli.commands.context import Call
from chaise_cli.commands.registry import PLAIN, verb
from chaise_cli.result import Result
from chaise_cli.session import devices as own_devices

app = typer.Typer(**PLAIN)


@verb(app, "devices", lists=True)
def devices(call: Call) -> Result:
    """List your devices."""
    with call.session() as session, session.reading():
        return call.result(own_devices.listed(session))
