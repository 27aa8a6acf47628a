"""`chaise propose`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from chaise_cli.commands import arguments
from chaise_cli.commands.arguments import ZoneOption
from chaise_cli.commands.context import Call, unsent
from chaise_cli.commands.registry import PLAIN, verb
from chaise_cli.commands.texts import TextSource, text
from chaise_cli.domain.money import Money, parse
from chaise_cli.domain.terms import Planned
from chaise_cli.errors import Usage
from chaise_cli.result import Result
from chaise_cli.session import finding, hiring

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chaise_cli.commands.arguments import MilestoneSpec
    from chaise_cli.commands.here import Here

app = typer.Typer(**PLAIN)
LONE_TITLE = "All of it"


class TwoPrices(Usage):
    """Milestones and a price at once."""

    code = "proposal.two_prices"
    message = "--price is one milestone, so it cannot stand beside --milestone; --due belongs to --price"
    hint = 'write the date behind each milestone: "Setup=600EUR@2026-12-01"'


@verb(app, "propose", writes=True)
def propose(
    call: Call,
    what: Annotated[str, typer.Argument(help="A post, or a deal to revise your proposal in.", metavar="POST|DEAL")],
    milestone: Annotated[
        list[str] | None, typer.Option("--milestone", help="TITLE=AMOUNT@DUE, once for each.", metavar="SPEC")
    ] = None,
    price: Annotated[
        Money | None, typer.Option("--price", parser=parse, help="All of it, as 2000EUR.", metavar="AMOUNT")
    ] = None,
    due: Annotated[str | None, typer.Option("--due", help="When all of it is done.", metavar="DATE")] = None,
    cover: Annotated[str | None, typer.Option("--cover", help="Your words; - reads stdin.", metavar="TEXT")] = None,
    cover_file: Annotated[
        Path | None, typer.Option("--cover-file", help="The same, in a file.", metavar="FILE")
    ] = None,
    valid_until: Annotated[
        str | None, typer.Option("--valid-until", help="How long the proposal is good.", metavar="DATE")
    ] = None,
    tz: ZoneOption = None,
) -> Result:
    """Propose for a post, or revise your proposal."""
    if (price is not None and milestone) or (due is not None and price is None):
        raise TwoPrices
    with call.session() as session:
        here = call.here(session, tz)
        steps = [arguments.milestone(spec, here) for spec in milestone or ()]
        named = finding.find(session, what, "post", "deal")
        lone = _lone(price, due, here)
        until = arguments.deadline(valid_until, here) if valid_until else None
        first = bool(steps or lone) and named.kind == "post"
        words = text(TextSource(cover, cover_file, "--cover or --cover-file", may_ask=call.asks and first))
        asked = call.request(of=named.id, steps=steps, price=lone, cover=words, until=until)
        draft = hiring.Draft(_planned(steps), _currency(steps, price), lone, words, until, here.tz)
        done = hiring.propose(session, asked, named, draft)
        return call.result(**done.answer(unsent(session)))


def _lone(price: Money | None, due: str | None, here: Here) -> Planned | None:
    if price is None:
        return None
    return Planned(LONE_TITLE, price.minor, arguments.deadline(due, here) if due else None)


def _planned(steps: Sequence[MilestoneSpec]) -> list[Planned]:
    return [Planned(step.title, step.amount.minor, step.due) for step in steps]


def _currency(steps: Sequence[MilestoneSpec], price: Money | None) -> str | None:
    """The one currency of all amounts. Raises MixedCurrency."""
    amounts = [step.amount for step in steps] or ([price] if price is not None else [])
    for amount in amounts:
        amount + amounts[0]
    return amounts[0].currency if amounts else None
