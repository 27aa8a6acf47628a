"""`chaise wait`."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Annotated, Any

import typer

from chaise_cli.commands import arguments, in_touch
from chaise_cli.commands.context import Call
from chaise_cli.commands.registry import PLAIN, verb
from chaise_cli.result import Result
from chaise_cli.session import browsing, finding, showing, waiting

app = typer.Typer(**PLAIN)


@verb(app, "wait")
def wait(
    call: Call,
    id_: Annotated[str, typer.Argument(help="A deal, milestone, call, post or operation.", metavar="ID")],
    until: Annotated[str, typer.Option("--until", help="The state to wait for.", metavar="STATE")],
    timeout: Annotated[str | None, typer.Option("--timeout", help="As 2h; 0 looks once.", metavar="DURATION")] = None,
    sync: Annotated[bool, typer.Option("--sync", help="Ask the places meanwhile.")] = False,
) -> Result:
    """Wait until something reaches a state."""
    seconds = arguments.stay(timeout)
    with call.session() as session:
        named = finding.find(session, id_, "deal", "book", "post", "op")

        def look() -> tuple[str, dict[str, Any]]:
            with session.reading():
                if named.kind == "post":
                    return "post", dict(browsing.post(session, named.id))
                return showing.named(session, named)

        with (
            in_touch.kept_in_touch(call, session, stays=seconds != 0) if sync else nullcontext(in_touch.nothing) as tick
        ):
            shape, data, late = waiting.wait(look, until, waiting.Patience(seconds), tick)
    return call.result(data, shape=shape, error=late)
