"""`chaise services`."""

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


@verb(app, "services", lists=True)
def services(
    call: Call,
    skill: Annotated[list[str] | None, typer.Option(help="Offers all of these; repeat it.", metavar="SKILL")] = None,
    kind: Annotated[str | None, typer.Option(help="Of the work, as design.", metavar="WORD")] = None,
    least: Annotated[
        Money | None, typer.Option("--min", parser=money.parse, help="Costs at least.", metavar="AMOUNT")
    ] = None,
    most: Annotated[
        Money | None, typer.Option("--max", parser=money.parse, help="Costs at most.", metavar="AMOUNT")
    ] = None,
    currency: Annotated[str | None, typer.Option(parser=money.currency, help="Of the price.", metavar="CODE")] = None,
    state: Annotated[str, typer.Option(help="open, closed or all.", metavar="STATE")] = "open",
    person: Annotated[str | None, typer.Option("--with", help="Offered by this person.", metavar="@PERSON")] = None,
    since: Annotated[str | None, typer.Option(help="Published at or after.", metavar="TIME")] = None,
    board: Annotated[str | None, typer.Option(help="On this board only.", metavar="BOARD")] = None,
    sort: Annotated[str, typer.Option(help="at or price.", metavar="KEY")] = "at",
    limit: LimitOption = None,
) -> Result:
    """List services on your boards."""
    wanted = tuple(skills.skills(skill or []))
    with call.session() as session, session.reading():
        start = arguments.since(since, call.here(session)) if since else None
        ask = browsing.Ask(wanted, kind, currency, least, most, person, start, state, board, sort, limit)
        found = browsing.services(session, ask)
        return call.result(found.objects, warnings=found.warnings)
