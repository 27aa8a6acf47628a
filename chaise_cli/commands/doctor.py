"""`chaise doctor`."""

from __future__ import annotations

import typer

from chaise_cli.commands.context import Call
from chaise_cli.commands.registry import PLAIN, verb
from chaise_cli.result import Result
from chaise_cli.session import doctoring

app = typer.Typer(**PLAIN)


@verb(app, "doctor")
def doctor(call: Call) -> Result:
    """Check this installation and say what to mend."""
    checks = doctoring.examine(doctoring.Patient(call.home, call.settings, call.keys(), call.clock))
    return call.result({"checks": checks}, error=doctoring.verdict(checks))
