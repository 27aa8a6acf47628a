"""`chaise hire`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

import typer

from chaise_cli.commands import arguments
from chaise_cli.commands.arguments import ZoneOption, duration
from chaise_cli.commands.context import Call, unsent
from chaise_cli.commands.registry import PLAIN, verb
from chaise_cli.domain import terms
from chaise_cli.domain.terms import Part
from chaise_cli.errors import Usage
from chaise_cli.render import prompts
from chaise_cli.result import Result
from chaise_cli.session import choosing, finding, hiring, naming

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chaise_cli.commands.arguments import MilestoneSpec

app = typer.Typer(**PLAIN)
REVISIONS_MOST = 1000
_CRITERION = re.compile(r"\s*([0-9]{1,3})\s*=\s*(\S.*?)\s*", re.DOTALL)


class BadCriterion(Usage):
    """A criterion is not written as `N=TEXT`."""

    code = "usage.bad_criterion"
    message = "{given!r} is not a criterion of a milestone"
    hint = 'write "1=all pages load within two seconds", once for each'
    given: str


@verb(app, "hire", writes=True)
def hire(
    call: Call,
    deal: Annotated[str, typer.Argument(help="The deal.", metavar="DEAL")],
    milestone: Annotated[
        list[str] | None,
        typer.Option("--milestone", help="TITLE=AMOUNT@DUE in place of what was proposed.", metavar="SPEC"),
    ] = None,
    criterion: Annotated[
        list[str] | None, typer.Option("--criterion", help="N=TEXT, what milestone N has to fulfil.", metavar="SPEC")
    ] = None,
    review_period: Annotated[
        int | None, typer.Option("--review-period", parser=duration, help="Time to review; 14d.", metavar="LENGTH")
    ] = None,
    auto_release: Annotated[
        bool | None, typer.Option("--auto-release/--no-auto-release", help="Release when that time is over, or not.")
    ] = None,
    revisions: Annotated[
        int | None, typer.Option("--revisions", min=0, max=REVISIONS_MOST, help="How often changes may be asked for.")
    ] = None,
    agent: Annotated[
        str | None, typer.Option("--agent", help="Who holds the money: a third party, or me.", metavar="@P")
    ] = None,
    rail: Annotated[str | None, typer.Option("--rail", help="What moves the money: manual or sim.")] = None,
    client_fee: Annotated[
        int | None,
        typer.Option("--client-fee", parser=arguments.percent, help="On top, for the agent.", metavar="2.5%"),
    ] = None,
    talent_fee: Annotated[
        int | None,
        typer.Option("--talent-fee", parser=arguments.percent, help="Withheld, for the agent.", metavar="5%"),
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Open another deal, on the terms of this one.")] = False,
    over_budget: Annotated[
        bool, typer.Option("--over-budget", help="Even beyond the post's budget or deadline.")
    ] = False,
    tz: ZoneOption = None,
) -> Result:
    """Send the terms of a deal."""
    with call.session() as session:
        named = naming.deal(session, deal, exact=not call.asks)
        here = call.here(session, tz)
        steps = [arguments.milestone(spec, here) for spec in milestone or ()]
        criteria = [_criterion(given) for given in criterion or ()]
        holder = finding.person(session, agent) if agent is not None else None
        changes = hiring.Changes(
            _parts(steps), _currency(steps), review_period, auto_release, revisions, criteria,
            holder, choosing.one_of(rail, terms.RAILS, "--rail") if rail else None, client_fee, talent_fee,
        )  # fmt: skip
        asked = call.request(deal=named.id, again=again, steps=steps, **changes._replace(milestones=())._asdict())
        if again:
            return call.result(**hiring.hire_again(session, asked, named.space, changes).answer(unsent(session)))
        if call.asks and not over_budget and (found := hiring.beyond_post(session, named.space, changes)):
            prompts.confirm(
                f"These terms go beyond the post: {'; '.join(found)}. Send them?", "--over-budget", call.options
            )
            over_budget = True
        done = hiring.hire(session, asked, named.space, changes, beyond=over_budget)
        return call.result(**done.answer(unsent(session)))


def _parts(steps: Sequence[MilestoneSpec]) -> list[Part]:
    return [Part(step.title, step.amount.minor, step.due, (), None) for step in steps]


def _currency(steps: Sequence[MilestoneSpec]) -> str | None:
    """The one currency of all milestones. Raises MixedCurrency."""
    for step in steps:
        step.amount + steps[0].amount
    return steps[0].amount.currency if steps else None


def _criterion(given: str) -> tuple[int, str]:
    found = _CRITERION.fullmatch(given)
    if found is None:
        raise BadCriterion(given=given[:80])
    return int(found[1]), found[2]
