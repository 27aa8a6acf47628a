"""`chaise verify`."""

from __future__ import annotations

import typer

from chaise_cli.commands.context import Call
from chaise_cli.commands.registry import PLAIN, verb
from chaise_cli.errors import Corrupt
from chaise_cli.render.progress import progress
from chaise_cli.result import Result
from chaise_cli.session import checking

app = typer.Typer(**PLAIN)


class NotVerified(Corrupt):
    """Something in this home does not hold."""

    code = "verify.failed"
    message = "{count} of the things checked do not hold; the first: {first}"
    hint = "keep a copy of the home; chaise sync fetches intact events again from another place"
    count: int
    first: str


@verb(app, "verify")
def verify(call: Call) -> Result:
    """Check every hash, signature and balance."""
    with call.session() as session:
        with progress("verify", call.options) as bar:
            found = checking.verify(session, bar.step)
        data = {
            "events": found.events,
            "spaces": found.spaces,
            "balances": found.balances,
            "problems": found.problems,
        }
    failure = NotVerified(count=len(found.problems), first=found.problems[0]) if found.problems else None
    return call.result(data, error=failure)
