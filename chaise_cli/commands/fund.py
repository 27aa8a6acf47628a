"""`chaise fund`."""

from __future__ import annotations

from typing import Annotated

import typer

from chaise_cli.commands import ordering
from chaise_cli.commands.arguments import TotalOption, WaitOption
from chaise_cli.commands.context import Call
from chaise_cli.commands.registry import PLAIN, verb
from chaise_cli.result import Result
from chaise_cli.session import escrow, finding

app = typer.Typer(**PLAIN)


@verb(app, "fund", writes=True)
def fund(
    call: Call,
    deal: Annotated[str, typer.Argument(help="A milestone; a deal alone is all its planned ones.", metavar="DEAL[/N]")],
    total: TotalOption = None,
    ref: Annotated[
        str | None, typer.Option("--ref", help="The money came under this reference.", metavar="TEXT")
    ] = None,
    confirm: Annotated[
        str | None, typer.Option("--confirm", help="As '600.00 EUR held by @ada'.", metavar="TEXT")
    ] = None,
    wait: WaitOption = None,
) -> Result:
    """Put the money of a milestone into escrow."""
    with call.session() as session:
        named = finding.find(session, deal, "deal", exact=not call.asks)
        asked = call.request(deal=named.id, n=named.n, total=total, ref=ref)
        order = escrow.Order("fund", named.space, named.n, total, None, ref, confirm, asked)
        return ordering.carry_out(call, session, order, deal, "Have", wait)
