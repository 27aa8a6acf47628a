"""`chaise talents`."""

from __future__ import annotations

from typing import Annotated

import typer

from chaise_cli.commands import arguments, skills
from chaise_cli.commands.arguments import LimitOption
from chaise_cli.commands.context import Call
from chaise_cli.commands.registry import PLAIN, verb
from chaise_cli.domain import money
from chaise_cli.domain.money import Money
from chaise_cli.result import Result
from chaise_cli.session import browsing

app = typer.Typer(**PLAIN)


@verb(app, "talents", lists=True)
def talents(
    call: Call,
    skill: Annotated[list[str] | None, typer.Option(help="Has all of these; repeat it.", metavar="SKILL")] = None,
    least: Annotated[
        Money | None, typer.Option("--min", parser=money.parse, help="Has a rate from here.", metavar="AMOUNT")
    ] = None,
    most: Annotated[
        Money | None, typer.Option("--max", parser=money.parse, help="Has a rate up to here.", metavar="AMOUNT")
    ] = None,
    currency: Annotated[str | None, typer.Option(parser=money.currency, help="Of a rate.", metavar="CODE")] = None,
    person: Annotated[
        str | None, typer.Option("--with", help="This person, whatever the role.", metavar="@PERSON")
    ] = None,
    since: Annotated[str | None, typer.Option(help="Published at or after.", metavar="TIME")] = None,
    board: Annotated[str | None, typer.Option(help="On this board only.", metavar="BOARD")] = None,
    sort: Annotated[str, typer.Option(help="at or name.", metavar="KEY")] = "at",
    limit: LimitOption = None,
) -> Result:
    """List talents on your boards."""
    wanted = tuple(skills.skills(skill or []))
    with call.session() as session, session.reading():
        start = arguments.since(since, call.here(session)) if since else None
        ask = browsing.Ask(
            wanted,
            currency=currency,
            least=least,
            most=most,
            person=person,
            since=start,
            board=board,
            sort=sort,
            limit=limit,
        )
        found = browsing.talents(session, ask)
        return call.result(found.objects, warnings=found.warnings)
