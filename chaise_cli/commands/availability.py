"""`chaise availability`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from chaise_cli.commands import texts
from chaise_cli.commands.context import Call, unsent
from chaise_cli.commands.registry import PLAIN, verb
from chaise_cli.domain import availability_file
from chaise_cli.render.terminal import put
from chaise_cli.result import Result
from chaise_cli.session import busy, hours, naming, telling
from chaise_cli.session.choosing import NotForThis

app = typer.Typer(**PLAIN)
_STDIN = "-"


@verb(app, "availability", writes=True)
def availability(
    call: Call,
    set_: Annotated[
        Path | None, typer.Option("--set", help="Say it anew, from a TOML file; - reads stdin.", metavar="FILE")
    ] = None,
    toml: Annotated[bool, typer.Option("--toml", help="Print it as such a file.")] = False,
    share: Annotated[
        str | None, typer.Option("--share", help="Tell them your free times from now on.", metavar="DEAL|@PERSON")
    ] = None,
    unshare: Annotated[
        str | None, typer.Option("--unshare", help="Take back what you told.", metavar="DEAL|@PERSON")
    ] = None,
) -> Result | None:
    """Say when you take calls, and tell others your free times."""
    whom = share if share is not None else unshare
    if sum((set_ is not None, toml, share is not None, unshare is not None)) > 1:
        raise NotForThis(verb="availability", given="two of these", why="--set, --toml, --share and --unshare go alone")
    own = hours.read(_text(set_)) if set_ is not None else None
    with call.session(reads=own is None and whom is None) as session:
        if whom is not None:
            named = naming.target(session, whom)
            asked = call.request(of=named.id, stop=share is None)
            busy.look(session, web=call.wants_sync(session))
            done = telling.share(session, asked, named, stop=share is None)
        elif own is not None:
            done = hours.keep(session, own, call.request(own=str(own)))
        elif toml:
            put(sys.stdout, hours.as_file(session))
            return None
        else:
            return call.result(hours.mine(session), shape="availability", warnings=hours.outside(session))
        return call.result(**done.answer(unsent(session)))


def _text(path: Path) -> str:
    stdin = str(path) == _STDIN
    source = texts.TextSource(_STDIN if stdin else None, None if stdin else path, "--set FILE")
    return texts.needed_text(source, availability_file.BYTES_MOST)
