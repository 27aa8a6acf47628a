"""`chaise shortlist`."""

from __future__ import annotations

from typing import Annotated

import typer

from chaise_cli.commands.context import Call, unsent
from chaise_cli.commands.registry import PLAIN, verb
from chaise_cli.result import Result
from chaise_cli.session import hiring, naming

app = typer.Typer(**PLAIN)


@verb(app, "shortlist", writes=True)
def shortlist(call: Call, deal: Annotated[str, typer.Argument(help="A proposal's deal.", metavar="DEAL")]) -> Result:
    """Mark a proposal as one of the best."""
    with call.session() as session:
        named = naming.deal(session, deal)
        done = hiring.shortlist(session, call.request(deal=named.id), named.space)
        return call.result(**done.answer(unsent(session)))
