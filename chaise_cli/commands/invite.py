"""`chaise invite`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from chaise_cli.commands.context import Call, unsent
from chaise_cli.commands.registry import PLAIN, verb
from chaise_cli.commands.texts import TextSource, text
from chaise_cli.result import Result
from chaise_cli.session import finding, hiring

app = typer.Typer(**PLAIN)


@verb(app, "invite", writes=True)
def invite(
    call: Call,
    post: Annotated[str, typer.Argument(help="A post of yours.", metavar="POST")],
    person: Annotated[str, typer.Argument(help="Whom to ask, as @james.", metavar="@PERSON")],
    note: Annotated[
        str | None, typer.Option("--note", help="What to tell them; - reads stdin.", metavar="TEXT")
    ] = None,
    note_file: Annotated[Path | None, typer.Option("--note-file", help="The same, in a file.", metavar="FILE")] = None,
) -> Result:
    """Ask a talent for a proposal on your post."""
    words = text(TextSource(note, note_file, "--note or --note-file")) or ""
    with call.session() as session:
        what = finding.find(session, post, "post")
        other = finding.person(session, person)
        done = hiring.invite(session, call.request(post=what.id, other=other, note=words), what.event, other, words)
        return call.result(**done.answer(unsent(session)))
