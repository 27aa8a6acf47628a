"""`chaise withdraw`."""

from __future__ import annotations

from typing import Annotated

import typer

from chaise_cli.commands.context import Call, unsent
from chaise_cli.commands.registry import PLAIN, verb
from chaise_cli.result import Result
from chaise_cli.session import answering
from chaise_cli.session.answering import Answer

app = typer.Typer(**PLAIN)


@verb(app, "withdraw", writes=True)
def withdraw(
    call: Call,
    what: Annotated[str, typer.Argument(help="A deal, a call, or a cancel request.", metavar="DEAL|BOOKING|DEAL/N")],
) -> Result:
    """Take back your own proposal, terms, offer or request."""
    with call.session() as session:
        named = answering.name(session, what, exact=False)
        done = answering.answer(session, "withdraw", Answer(named, call.request(of=named.id, n=named.n)))
        return call.result(**done.answer(unsent(session)))
