"""`chaise review`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from chaise_cli.commands import texts
from chaise_cli.commands.arguments import StarsOption
from chaise_cli.commands.context import Call, unsent
from chaise_cli.commands.registry import PLAIN, verb
from chaise_cli.errors import Usage
from chaise_cli.result import Result
from chaise_cli.session import finding, trust

app = typer.Typer(**PLAIN)


class StarsWanted(Usage):
    """A review says how many stars."""

    code = "usage.stars_wanted"
    message = "a review needs --stars"
    hint = "chaise review {deal} --stars 5 --text TEXT"
    deal: str


@verb(app, "review", writes=True)
def review(
    call: Call,
    deal: Annotated[str, typer.Argument(help="The deal whose other side is reviewed.", metavar="DEAL")],
    stars: StarsOption = None,
    recommend: Annotated[bool | None, typer.Option("--recommend/--no-recommend", help="Would you again?")] = None,
    text: Annotated[str | None, typer.Option("--text", help="What to say; - reads stdin.", metavar="TEXT")] = None,
    text_file: Annotated[Path | None, typer.Option("--text-file", help="Read the text here.", metavar="FILE")] = None,
) -> Result:
    """Review the other side once money has moved."""
    if stars is None:
        raise StarsWanted(deal=deal)
    source = texts.TextSource(text, text_file, "--text TEXT or --text-file FILE", call.asks)
    said = texts.text(source, trust.WORDS_BYTES_MOST) or ""
    with call.session() as session:
        named = finding.find(session, deal, "deal", exact=not call.asks)
        words = trust.Words(stars, recommend, said)
        asked = call.request(deal=named.id, stars=stars, recommend=recommend, text=said)
        done = trust.review(session, named.space, words, asked)
        return call.result(**done.answer(unsent(session)))
