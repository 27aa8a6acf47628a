"""`chaise rail due`, `chaise rail attest`."""

from __future__ import annotations

from typing import Annotated

import typer

from chaise_cli.commands.arguments import LimitOption
from chaise_cli.commands.context import Call, unsent
from chaise_cli.commands.registry import PLAIN, verb
from chaise_cli.result import Result
from chaise_cli.session import finding, freshness, paying

app = typer.Typer(**PLAIN)


@app.callback()
def rail() -> None:
    """List what a person must still pay, and say it was paid."""


@verb(app, "rail due", lists=True)
def due(
    call: Call,
    with_: Annotated[str | None, typer.Option("--with", help="Only deals with them.", metavar="@P")] = None,
    limit: LimitOption = None,
) -> Result:
    """List what a person must still move, where this device is the agent's."""
    with call.session() as session, session.reading():
        person = finding.person(session, with_) if with_ is not None else None
        return call.result(paying.due(session, person)[:limit], warnings=freshness.warnings(session))


@verb(app, "rail attest", writes=True)
def attest(
    call: Call,
    op: Annotated[str, typer.Argument(help="As rail due lists it.", metavar="OP")],
    ref: Annotated[
        str | None, typer.Option("--ref", help="The money moved under this reference.", metavar="TEXT")
    ] = None,
    declined: Annotated[
        str | None, typer.Option("--declined", help="It will not come, and why.", metavar="TEXT")
    ] = None,
) -> Result:
    """Record that the money of an operation moved, or that it will not come."""
    with call.session() as session:
        named = finding.find(session, op, "op", exact=not call.asks)
        asked = call.request(op=named.id, ref=ref, declined=declined)
        done = paying.attest(session, named.event, ref, declined, asked)
        return call.result(**done.answer(unsent(session)))
