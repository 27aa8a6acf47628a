"""`chaise message`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from chaise_cli.commands.context import Call, unsent
from chaise_cli.commands.registry import PLAIN, verb
from chaise_cli.commands.texts import TextSource, needed_text
from chaise_cli.domain.talk import MESSAGE_MOST
from chaise_cli.result import Result
from chaise_cli.session import conversations, naming, talking

app = typer.Typer(**PLAIN)


@verb(app, "message", writes=True)
def message(
    call: Call,
    to: Annotated[str, typer.Argument(help="A deal, a post or a person.", metavar="DEAL|POST|@PERSON")],
    text: Annotated[str | None, typer.Argument(help="What to say; - reads stdin.", metavar="TEXT")] = None,
    text_file: Annotated[Path | None, typer.Option("--text-file", help="The same, in a file.", metavar="FILE")] = None,
    file: Annotated[
        list[Path] | None, typer.Option("--file", help="Attach a file; may be repeated.", metavar="FILE")
    ] = None,
) -> Result:
    """Write to the other side."""
    with call.session() as session:
        what = naming.target(session, to)
        below = conversations.last_words(session, what) if call.asks else ""
        words = needed_text(TextSource(text, text_file, "TEXT or --text-file", call.asks, below), 4 * MESSAGE_MOST)
        paths = file or []
        asked = call.request(to=what.id, text=words, files=[str(path) for path in paths])
        done = talking.message(session, asked, what, words, paths)
        return call.result(**done.answer(unsent(session)))
