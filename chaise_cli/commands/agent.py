"""`chaise agent move`, `chaise agent settle`."""

from __future__ import annotations

from typing import Annotated

import typer

from chaise_cli.commands.context import Call, unsent
from chaise_cli.commands.registry import PLAIN, verb
from chaise_cli.errors import Usage
from chaise_cli.result import Result
from chaise_cli.session import finding, freshness, moving, settling

app = typer.Typer(**PLAIN, help="Choose the device that puts deals in order, or the history that stands.")


class WhichDeals(Usage):
    """Neither a deal nor all of them, or both."""

    code = "usage.which_deals"
    message = "name deals, or --all"
    hint = "chaise agent move DEAL; chaise agent move --all --to DEVICE"


@app.callback()
def agent() -> None:
    """Choose the device that puts deals in order, or the history that stands."""


@verb(app, "agent move", writes=True)
def move(
    call: Call,
    deals: Annotated[list[str] | None, typer.Argument(metavar="[DEAL]...")] = None,
    all_: Annotated[bool, typer.Option("--all", help="All deals in which you are the client.")] = False,
    to: Annotated[str | None, typer.Option("--to", help="Else this device.", metavar="DEVICE")] = None,
) -> Result:
    """Let another device of yours take up acts and record movements of money, this one if none is named."""
    if bool(deals) == all_:
        raise WhichDeals
    with call.session() as session:
        call.pull(session)
        named = [finding.find(session, one, "deal", exact=not call.asks) for one in deals or ()]
        asked = call.request(deals=[one.id for one in named], to=to)
        done = moving.move(session, None if all_ else [one.space for one in named], to, asked)
        data = done.deals[0] if len(named) == 1 else done.deals
        return call.result(data, events=done.events, replayed=done.replayed, next=[*done.next, *unsent(session)])


@verb(app, "agent settle", writes=True)
def settle(
    call: Call,
    deal: Annotated[str, typer.Argument(help="A contested deal.", metavar="DEAL")],
    last: Annotated[
        str | None,
        typer.Option("--last", help="The agent's last event; without it, what to choose from.", metavar="ID"),
    ] = None,
) -> Result:
    """Say which event of the agent was the last, where two histories moved money."""
    with call.session(reads=last is None) as session:
        if last is None:
            named = finding.find(session, deal, "deal")
            return call.result(settling.shown(session, named), warnings=freshness.warnings(session))
        call.pull(session)
        named = finding.find(session, deal, "deal", exact=not call.asks)
        done = settling.settle(session, named, last, call.request(deal=named.id, last=last))
        return call.result(done.data, events=done.events, replayed=done.replayed, next=unsent(session))
