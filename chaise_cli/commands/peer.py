"""`chaise peer add`, `chaise peer remove`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from chaise_cli.commands import texts
from chaise_cli.commands.context import Call, unsent
from chaise_cli.commands.registry import PLAIN, verb
from chaise_cli.render import prompts
from chaise_cli.result import Result
from chaise_cli.session import peering

INVITE_LIMIT: Final = 1_000  # bytes
_FLAG: Final = "--invite-file FILE"
app = typer.Typer(**PLAIN, help="Add a place to sync with, forget one, or serve your home.")


@app.callback()
def peer() -> None:
    """Add a place to sync with, forget one, or serve your home."""


@verb(app, "peer add")
def add(
    call: Call,
    where: Annotated[
        str, typer.Argument(help="A folder, file://, ssh://host[/home] or https://relay.", metavar="WHERE")
    ],
    invite_file: Annotated[
        Path | None, typer.Option("--invite-file", help="A relay's invite; - reads it from stdin.", metavar="FILE")
    ] = None,
    auto: Annotated[
        bool | None, typer.Option("--auto/--no-auto", help="Writing verbs sync there by themselves, or not.")
    ] = None,
    board: Annotated[
        list[str] | None, typer.Option("--board", help="Only this board goes there; repeatable.", metavar="BOARD")
    ] = None,
) -> Result:
    """Remember a place for your boards and deals, and sync with it."""
    invite = _invite(invite_file)
    with call.session() as session:
        shape, error, warnings = peering.add(session, where, board or (), auto=auto, invite=invite)
        if error is not None and error.code == peering.NOT_ADMITTED and invite is None and call.asks:
            invite = prompts.secret("The relay's invite", _FLAG, call.options)
            shape, error, warnings = peering.add(session, where, board or (), auto=auto, invite=invite)
        if error is not None and error.exit not in (7, 8, 11, 13):
            raise error
        return call.result(shape, error=error, warnings=warnings, next=unsent(session))


@verb(app, "peer remove")
def remove(call: Call, where: Annotated[str, typer.Argument(help="As peers lists it.", metavar="WHERE")]) -> Result:
    """Forget a place; what lies there stays there."""
    with call.session() as session:
        shape, warnings = peering.remove(session, where)
        return call.result(shape, warnings=warnings, next=unsent(session))


def _invite(file: Path | None) -> str | None:
    """The invite in a file or on stdin."""
    if file is None:
        return None
    given = texts.TextSource("-", None, _FLAG) if str(file) == "-" else texts.TextSource(None, file, _FLAG)
    return texts.needed_text(given, INVITE_LIMIT)
