"""`chaise wait`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from chaise_cli.commands import arguments
from chaise_cli.commands.context import Call
from chaise_cli.commands.registry import PLAIN, verb
from chaise_cli.result import Result
from chaise_cli.session import browsing, finding, showing, waiting

app = typer.Typer(**PLAIN)
_SECOND = 1000  # ms


@verb(app, "wait")
def wait(
    call: Call,
    id_: Annotated[str, typer.Argument(help="A deal, milestone, call, post or operation.", metavar="ID")],
    until: Annotated[str, typer.Option("--until", help="The state to wait for.", metavar="STATE")],
    timeout: Annotated[str | None, typer.Option("--timeout", help="As 2h; 0 looks once.", metavar="DURATION")] = None,
    sync: Annotated[bool, typer.Option("--sync", help="Ask the places meanwhile.")] = False,
) -> Result:
    """Wait until something reaches a state."""
    seconds = None if timeout is None else 0 if timeout in {"0", "0s"} else arguments.duration(timeout) / _SECOND
    with call.session() as session:
        named = finding.find(session, id_, "deal", "book", "post", "op")

        def look() -> tuple[str, dict[str, Any]]:
            with session.reading():
                if named.kind == "post":
                    return "post", dict(browsing.post(session, named.id))
                return showing.named(session, named)

        pull = (lambda: call.pull(session)) if sync else None
        shape, data, late = waiting.wait(look, until, waiting.Patience(seconds), pull)
    return call.result(data, shape=shape, error=late)
