"""`chaise device renew`."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from chaise_cli.commands import texts
from chaise_cli.commands.context import Call, unsent
from chaise_cli.commands.registry import PLAIN, verb
from chaise_cli.result import Result
from chaise_cli.session import renewal
from chaise_cli.session.views import identity

NAME_LIMIT: Final = 64
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
    name = texts.one_line(name, "the device's name", NAME_LIMIT) if name is not None else None
    with call.session() as session:
        call.pull(session)
        done = renewal.renew(session, name, call.request(name=name))
        return call.result(identity(session), events=done.events, replayed=done.replayed, next=unsent(session))
