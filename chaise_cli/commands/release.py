"""`chaise release`."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from chaise_cli.commands import ordering
from chaise_cli.commands.arguments import AmountOption, TotalOption, WaitOption
from chaise_cli.commands.context import Call, unsent
from chaise_cli.commands.registry import PLAIN, verb
from chaise_cli.errors import Usage
from chaise_cli.result import Result
from chaise_cli.session import escrow, finding, working

_POLICING: Final = "chaise_cli.session.policing"  # with all that reads evidence
app = typer.Typer(**PLAIN)


class PolicyWanted(Usage):
    """Evidence without a policy to judge it."""

    code = "usage.policy_wanted"
    message = "--evidence and --record belong to --policy"
    hint = "chaise release DEAL/1 --policy release.toml --evidence out"


class NoStepUnderPolicy(Usage):
    """A policy names an end; a step could be repeated beyond it."""

    code = "usage.no_step_under_policy"
    message = "--policy and --amount exclude one another"
    hint = "--total AMOUNT names the end to be reached; without it all that the policy allows"


@verb(app, "release", writes=True)
def release(
    call: Call,
    milestone: Annotated[str, typer.Argument(help="All of what is held for it goes to the talent.", metavar="DEAL/N")],
    total: TotalOption = None,
    amount: AmountOption = None,
    ref: Annotated[str | None, typer.Option("--ref", help="It was paid under this reference.", metavar="TEXT")] = None,
    policy: Annotated[
        Path | None, typer.Option("--policy", help="As far as this policy allows.", metavar="FILE")
    ] = None,
    evidence: Annotated[
        Path | None, typer.Option("--evidence", help="The folder of its evidence; else the policy's.", metavar="DIR")
    ] = None,
    record: Annotated[bool, typer.Option("--record", help="Also put a deny or wait on record.")] = False,
    confirm: Annotated[str | None, typer.Option("--confirm", help="As '400.00 EUR to @james'.", metavar="TEXT")] = None,
    wait: WaitOption = None,
) -> Result:
    """Release held money to the talent."""
    with call.session() as session:
        named = finding.find(session, milestone, "deal", exact=not call.asks)
        asked = call.request(deal=named.id, n=named.n, total=total, amount=amount, ref=ref)
        order = escrow.Order("release", named.space, named.n, total, amount, ref, confirm, asked)
        if policy is None:
            if evidence is not None or record:
                raise PolicyWanted
            return ordering.carry_out(call, session, order, milestone, "Release", wait)
        if amount is not None:
            raise NoStepUnderPolicy
        policing: Any = import_module(_POLICING)
        one = policing.case(policy, evidence, working.milestone_of(named, "release"))
        words = ["--policy", str(policy), *(["--evidence", str(evidence)] if evidence is not None else [])]
        order = order._replace(judge=policing.Judge(one), words=tuple(words))
        result = ordering.carry_out(call, session, order, milestone, "Release", wait)
        if record and result.error is not None and not result.events:
            events = policing.record_refusal(session, named.space, one)
            result = result._replace(events=events, next=unsent(session))
        return result
