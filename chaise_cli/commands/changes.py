"""`chaise changes`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from chaise_cli.commands import texts
from chaise_cli.commands.context import Call, unsent
from chaise_cli.commands.registry import PLAIN, verb
from chaise_cli.result import Result
from chaise_cli.session import finding, working

app = typer.Typer(**PLAIN)


@verb(app, "changes", writes=True)
def changes(
    call: Call,
    milestone: Annotated[str, typer.Argument(help="What was delivered.", metavar="DEAL/N")],
    reason: Annotated[str | None, typer.Argument(help="What has to change; - reads stdin.", metavar="[TEXT]")] = None,
    text_file: Annotated[Path | None, typer.Option("--text-file", help="Read the text here.", metavar="FILE")] = None,
) -> Result:
    """Ask for changes to a delivery."""
    said = texts.needed_text(texts.TextSource(reason, text_file, "TEXT or --text-file FILE", call.asks))
    with call.session() as session:
        named = finding.find(session, milestone, "deal", exact=not call.asks)
        n = working.milestone_of(named, "changes")
        done = working.changes(session, named.space, n, said, call.request(deal=named.id, n=n, reason=said))
        return call.result(**done.answer(unsent(session)))
