"""`chaise unlock`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from chaise_cli.commands import arguments, texts
from chaise_cli.commands.context import Call
from chaise_cli.commands.registry import PLAIN, verb
from chaise_cli.result import Result
from chaise_cli.session import unlocking

app = typer.Typer(**PLAIN)


@verb(app, "unlock")
def unlock(
    call: Call,
    length: Annotated[str, typer.Option("--for", help="How long, as 8h; at most 30d.", metavar="DURATION")] = "8h",
    recovery: Annotated[
        Path | None, typer.Option("--recovery-file", help="Open with the recovery code in this file.", metavar="FILE")
    ] = None,
) -> Result:
    """Open the home for some hours."""
    keys = call.keys()._replace(recovery=texts.recovery_code(recovery))
    who = unlocking.unlock(call.home, keys, call.clock, arguments.duration(length))
    call.options = call.options._replace(tz=who["tz"])
    return call.result(who)
