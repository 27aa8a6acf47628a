"""`chaise board create`, `board join`, `board invite`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from chaise_cli.commands import texts
from chaise_cli.commands.context import Call, unsent
from chaise_cli.commands.registry import PLAIN, verb
from chaise_cli.errors import Usage
from chaise_cli.render import prompts
from chaise_cli.result import Next, Result
from chaise_cli.session import boards

app = typer.Typer(**PLAIN)
NAME_LIMIT: Final = 120
INVITE_LIMIT: Final = 16_000  # bytes
AtOption = Annotated[str | None, typer.Option("--at", help="Sync here, from now on by itself.", metavar="PLACE")]


class SecretArgument(Usage):
    """A secret on the command line of a script, where other users see it."""

    code = "usage.secret_argument"
    message = "an invite is a secret, and arguments are seen by every user of the machine"
    hint = "chaise board join - reads it from stdin, chaise board join --from FILE from a file"


@verb(app, "board create", writes=True)
def create(call: Call, name: Annotated[str, typer.Argument(metavar="NAME")], at: AtOption = None) -> Result:
    """Make a board and print the invite to it."""
    name = texts.one_line(name, "the name", NAME_LIMIT)
    with call.session() as session:
        done = boards.create(session, name, at, call.request(name=name, at=at))
        call.exchange_now(session)
        data = done.board if call.dry_run else boards.shown(session, done)
        steps = [Next("the others", "chaise board join"), *unsent(session)]
        return call.result(data, events=done.events, replayed=done.replayed, next=steps, warnings=done.warnings)


@verb(app, "board join", writes=True)
def join(
    call: Call,
    invite: Annotated[str | None, typer.Argument(help="- reads it from stdin.", metavar="[-]")] = None,
    file: Annotated[Path | None, typer.Option("--from", help="Read the invite from here.", metavar="FILE")] = None,
    at: AtOption = None,
) -> Result:
    """Join a board with an invite, and publish your profile there."""
    given, warnings = _invite(call, invite, file)
    with call.session() as session:
        done = boards.join(session, given, at, call.request(invite=given, at=at))
        call.exchange_now(session)
        data = done.board if call.dry_run else boards.shown(session, done)
        steps = [] if done.replayed else [Next("you", "chaise profile --headline TEXT --skill SKILL")]
        return call.result(
            data,
            events=done.events,
            replayed=done.replayed,
            next=[*steps, *unsent(session)],
            warnings=[*warnings, *done.warnings],
        )


@verb(app, "board invite")
def invite(
    call: Call, board: Annotated[str | None, typer.Argument(help="Its name or id.", metavar="[BOARD]")] = None
) -> Result:
    """Print the invite to a board, which is a secret."""
    with call.session() as session, session.reading():
        done = boards.invite(session, board)
        return call.result(done.board, warnings=done.warnings)


def _invite(call: Call, argument: str | None, file: Path | None) -> tuple[str, list[str]]:
    """The invite as given, from wherever a secret may come from."""
    if argument is not None and argument != "-":
        if not call.asks:
            raise SecretArgument
        return argument, ["the invite stays in your shell's history; chaise board join alone asks for it"]
    source = texts.TextSource(argument, file, "--from FILE or - for stdin")
    given = texts.text(source, INVITE_LIMIT)
    if given is None:
        given = prompts.secret("Invite", "--from FILE or - for stdin", call.options)
    return given, []
