"""`chaise close`."""

from __future__ import annotations

from typing import Annotated

import typer

from chaise_cli.commands.context import Call, unsent
from chaise_cli.commands.registry import PLAIN, verb
from chaise_cli.result import Result
from chaise_cli.session import finding, posting

app = typer.Typer(**PLAIN)


@verb(app, "close", writes=True)
def close(call: Call, post: Annotated[str, typer.Argument(metavar="POST")]) -> Result:
    """Close a post of yours."""
    with call.session() as session:
        named = finding.find(session, post, "post", exact=not call.asks)
        done = posting.close(session, named, call.request(post=named.id))
        return call.result(done.object, events=done.events, replayed=done.replayed, next=unsent(session))
