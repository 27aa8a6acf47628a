"""`chaise update`."""

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


@verb(app, "update", writes=True)
def update(
    call: Call,
    deal: Annotated[str, typer.Argument(help="The deal, or one milestone of it.", metavar="DEAL[/N]")],
    text: Annotated[str | None, typer.Argument(help="What to say; - reads stdin.", metavar="[TEXT]")] = None,
    text_file: Annotated[Path | None, typer.Option("--text-file", help="Read the text here.", metavar="FILE")] = None,
    file: Annotated[
        list[Path] | None, typer.Option("--file", help="Attach this; may be repeated.", metavar="FILE")
    ] = None,
) -> Result:
    """Tell the client how the work goes."""
    said = texts.needed_text(texts.TextSource(text, text_file, "TEXT or --text-file FILE", call.asks))
    files = file or []
    with call.session() as session:
        named = finding.find(session, deal, "deal", exact=not call.asks)
        asked = call.request(deal=named.id, n=named.n, text=said, files=files)
        done = working.update(session, named.space, named.n, said, files, asked)
        return call.result(**done.answer(unsent(session)))
