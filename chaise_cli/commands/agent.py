"""`chaise agent run`, `chaise agent move`, `chaise agent settle`."""

from __future__ import annotations

from contextlib import closing
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any

import typer

from chaise_cli.commands.arguments import duration
from chaise_cli.commands.context import Call, unsent
from chaise_cli.commands.registry import PLAIN, verb
from chaise_cli.errors import Usage
from chaise_cli.render.emit import emit, note, say
from chaise_cli.result import Result
from chaise_cli.session import finding, freshness, moving, settling, staying

if TYPE_CHECKING:
    from chaise_cli.session.agent_loop import Round as AgentRound

app = typer.Typer(**PLAIN, help="Hold money for others; choose which device or history puts deals in order.")


class WhichDeals(Usage):
    """Neither a deal nor all of them, or both."""

    code = "usage.which_deals"
    message = "name deals, or --all"
    hint = "chaise agent move DEAL; chaise agent move --all --to DEVICE"


@app.callback()
def agent() -> None:
    """Hold money for others; choose which device or history puts deals in order."""


@verb(app, "agent run")
def run(
    call: Call,
    once: Annotated[bool, typer.Option("--once", help="One round, then stop.")] = False,
    interval: Annotated[
        int | None,
        typer.Option("--interval", parser=duration, help="At least so often; 30s.", metavar="LENGTH"),
    ] = None,
    ask: Annotated[bool, typer.Option("--ask", help="Leave consent to you: accept DEAL, decline DEAL.")] = False,
    retry: Annotated[bool, typer.Option("--retry", help="Make payments again that a rail declined.")] = False,
) -> Result | None:
    """Hold money for others: take up acts, drive rails, run deadlines."""
    if not once:
        call.stays()
    loop: Any = import_module("chaise_cli.session.agent_loop")  # and what drives rails, which no other verb needs
    sim = call.settings.rail_sim_url.value or None
    with (
        call.session() as session,
        loop.alone(session.home.path),
        closing(loop.Agent(session, sim, consent=not ask, retry=retry)) as agent,
    ):
        seconds = interval / 1000 if interval is not None else loop.INTERVAL_S
        if once:
            return call.result(agent.once().shape(), warnings=agent.problems)
        with staying.until_told() as told:
            agent.stay(told, seconds, lambda done: _tell(call, done))
    return None


def _tell(call: Call, done: AgentRound) -> None:
    """One result for each round that did something."""
    if call.options.format != "human":
        emit(call.result(done.shape(), warnings=done.problems), call.options)
        return
    for deal in done.consented:
        say(f"holds the money of {deal}")
    if done.moved or done.declined:
        say(f"moved {done.moved}, declined {done.declined}")
    if done.reversed:
        say(f"clawed back {done.reversed}; the clients owe it: chaise balance")
    for problem in done.problems:
        note(f"warning: {problem}", call.options)


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
