"""`chaise decline`."""

from __future__ import annotations

from typing import Annotated

import typer

from chaise_cli.commands.context import Call, unsent
from chaise_cli.commands.registry import PLAIN, verb
from chaise_cli.commands.texts import TextSource, text
from chaise_cli.result import Result
from chaise_cli.session import answering
from chaise_cli.session.answering import Answer

app = typer.Typer(**PLAIN)


@verb(app, "decline", writes=True)
def decline(
    call: Call,
    what: Annotated[str, typer.Argument(help="A deal, a call, or a cancel request.", metavar="DEAL|BOOKING|DEAL/N")],
    reason: Annotated[str | None, typer.Option("--reason", help="Why; - reads stdin.", metavar="TEXT")] = None,
) -> Result:
    """Say no to a proposal, terms, a call or a cancel request."""
    words = text(TextSource(reason, None, "--reason"))
    with call.session() as session:
        named = answering.name(session, what, exact=False)
        asked = call.request(of=named.id, n=named.n, reason=words)
        done = answering.answer(session, "decline", Answer(named, asked, words))
        return call.result(**done.answer(unsent(session)))
