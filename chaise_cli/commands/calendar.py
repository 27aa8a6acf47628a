"""`chaise calendar`: the group, whose verbs stand in files of their own."""

from __future__ import annotations

import typer

from chaise_cli.commands.registry import PLAIN

app = typer.Typer(**PLAIN)


@app.callback()
def calendar() -> None:
    """Read your busy time from other calendars, and copy your calls to one."""
