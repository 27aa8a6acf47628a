"""`chaise deliver`."""

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


@verb(app, "deliver", writes=True)
def deliver(
    call: Call,
    milestone: Annotated[str, typer.Argument(help="What is handed over.", metavar="DEAL/N")],
    file: Annotated[
        list[Path] | None, typer.Option("--file", help="Attach this; may be repeated.", metavar="FILE")
    ] = None,
    note: Annotated[str | None, typer.Option("--note", help="What is in it; - reads stdin.", metavar="TEXT")] = None,
    note_file: Annotated[Path | None, typer.Option("--note-file", help="Read the note here.", metavar="FILE")] = None,
) -> Result:
    """Deliver a milestone: files, a note, or both."""
    files = file or []
    source = texts.TextSource(note, note_file, "--file FILE or --note TEXT", call.asks and not files)
    said = texts.text(source) or ""
    with call.session() as session:
        named = finding.find(session, milestone, "deal", exact=not call.asks)
        n = working.milestone_of(named, "deliver")
        asked = call.request(deal=named.id, n=n, note=said, files=files)
        done = working.deliver(session, named.space, n, said, files, asked)
        return call.result(**done.answer(unsent(session)))
