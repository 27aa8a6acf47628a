"""`chaise device renew`."""

from __future__ import annotations

from typing import Annotated

import typer

from chaise_cli import ids
from chaise_cli.commands.context import Call, unsent
from chaise_cli.commands.registry import PLAIN, verb
from chaise_cli.result import Result
from chaise_cli.session import renewal
from chaise_cli.session.views import identity

app = typer.Typer(**PLAIN, help="Renew this device's key.")


@app.callback()
def device() -> None:
    """Renew this device's key."""


@verb(app, "device renew", writes=True)
def renew(
    call: Call,
    name: Annotated[
        str | None, typer.Option("--name", help="What to call the device from now on.", metavar="TEXT")
    ] = None,
) -> Result:
    """Give this home a new device key, after a restore or a copy."""
    with call.session() as session:
        call.pull(session)
        written = [] if call.dry_run else renewal.renew(session, name)
        return call.result(
            identity(session), events=[ids.base32(ids.raw(event)) for event in written], next=unsent(session)
        )
