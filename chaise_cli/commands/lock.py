"""`chaise lock`."""

from __future__ import annotations

from typing import Final

import typer

from chaise_cli.commands.context import Call
from chaise_cli.commands.registry import PLAIN, verb
from chaise_cli.result import Result
from chaise_cli.session import unlocking

app = typer.Typer(**PLAIN)
OPEN_STILL: Final = "this home has a key file, and whoever can read that file still opens it"


@verb(app, "lock")
def lock(call: Call) -> Result:
    """Forget the unlocked key."""
    who, kept = unlocking.lock(call.home, call.keys(), call.clock)
    warnings = [OPEN_STILL] if unlocking.has_key_file(call.home) else []
    return call.result(who, replayed=not kept, warnings=warnings)
