"""`chaise whoami`."""

from __future__ import annotations

import typer

from chaise_cli.commands.context import Call
from chaise_cli.commands.registry import PLAIN, verb
from chaise_cli.result import Result
from chaise_cli.session.views import identity

app = typer.Typer(**PLAIN)


@verb(app, "whoami")
def whoami(call: Call) -> Result:
    """Show whose home this is, and which device."""
    with call.session() as session:
        return call.result(identity(session))
