"""`chaise refund`."""

from __future__ import annotations

from typing import Annotated

import typer

from chaise_cli.commands import ordering
from chaise_cli.commands.arguments import AmountOption, TotalOption, WaitOption
from chaise_cli.commands.context import Call
from chaise_cli.commands.registry import PLAIN, verb
from chaise_cli.result import Result
from chaise_cli.session import escrow, finding

app = typer.Typer(**PLAIN)


@verb(app, "refund", writes=True)
def refund(
    call: Call,
    milestone: Annotated[str, typer.Argument(help="All of what is held for it goes back.", metavar="DEAL/N")],
    total: TotalOption = None,
    amount: AmountOption = None,
    ref: Annotated[str | None, typer.Option("--ref", help="It was paid under this reference.", metavar="TEXT")] = None,
    confirm: Annotated[str | None, typer.Option("--confirm", help="As '400.00 EUR to @lisa'.", metavar="TEXT")] = None,
    wait: WaitOption = None,
) -> Result:
    """Give held money back to the client."""
    with call.session() as session:
        named = finding.find(session, milestone, "deal", exact=not call.asks)
        asked = call.request(deal=named.id, n=named.n, total=total, amount=amount, ref=ref)
        order = escrow.Order("refund", named.space, named.n, total, amount, ref, confirm, asked)
        return ordering.carry_out(call, session, order, milestone, "Refund", wait)
