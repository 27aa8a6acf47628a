"""`chaise lock`."""

from __future__ import annotations

from typing import Final

import typer

from chaise_cli.commands.context import Call
from chaise_cli.commands.registry import PLAIN, verb
from chaise_cli.result import Result
from chaise_cli.session import unlocking

app = typer.Typer(**PLAIN)
OPEN_STILL: Final = {
    "key file": "this home has a key file, and whoever can read that file still opens it",
    "keyring": "the system's keyring keeps a key to this home, and opens it as long as you are logged in",
}


@verb(app, "lock")
def lock(call: Call) -> Result:
    """Forget the unlocked key."""
    who, kept = unlocking.lock(call.home, call.keys(), call.clock)
    way = unlocking.opens_by_itself(call.home)
    warnings = [OPEN_STILL[way]] if way else []
    return call.result(who, replayed=not kept, warnings=warnings)
