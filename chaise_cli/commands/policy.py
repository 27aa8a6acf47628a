"""`chaise policy check`, `policy test`, `policy explain`, `policy key`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from chaise_cli.commands.context import Call, unsent
from chaise_cli.commands.registry import PLAIN, verb
from chaise_cli.result import Result
from chaise_cli.session import evidence, finding, freshness, policing, policy_cases, working

app = typer.Typer(**PLAIN, help="Check, try out and explain release policies.")
FileArgument: TypeAlias = Annotated[Path, typer.Argument(help="The policy, a TOML file.", metavar="FILE")]
EvidenceOption: TypeAlias = Annotated[
    Path | None, typer.Option("--evidence", help="The folder of the evidence; else the policy's.", metavar="DIR")
]


@app.callback()
def policy() -> None:
    """Check, try out and explain release policies."""


@verb(app, "policy check")
def check(
    call: Call,
    file: FileArgument,
    milestone: Annotated[str | None, typer.Argument(help="Also judge this milestone.", metavar="[DEAL/N]")] = None,
    folder: EvidenceOption = None,
) -> Result:
    """Read a policy strictly, and tell what it says of a milestone. Releases nothing."""
    if milestone is None:
        return call.result(policing.policy_shape(evidence.read_policy(file)))
    with call.session() as session, session.reading():
        named = finding.find(session, milestone, "deal")
        one = policing.case(file, folder, working.milestone_of(named, "policy check"))
        data, error = policing.checked(session, named, one)
        return call.result(data, error=error, warnings=freshness.warnings(session))


@verb(app, "policy test", lists=True)
def test(
    call: Call,
    file: FileArgument,
    cases: Annotated[Path, typer.Argument(help="A TOML table of cases.", metavar="CASES")],
) -> Result:
    """Judge a table of cases, without money and without a home."""
    tried = policy_cases.run(evidence.read_policy(file), cases)
    return call.result(tried.shapes, error=tried.problem)


@verb(app, "policy explain")
def explain(
    call: Call,
    run: Annotated[str, typer.Argument(help="As show and log print it, run-….", metavar="RUN")],
    file: Annotated[Path | None, typer.Option("--policy", help="Compare this copy.", metavar="FILE")] = None,
    folder: Annotated[Path | None, typer.Option("--evidence", help="Compare these files.", metavar="DIR")] = None,
) -> Result:
    """Judge a recorded run again from what is attached to it, and tell what differs."""
    with call.session() as session, session.reading():
        data, error = policing.explain(session, finding.find(session, run, "run"), file, folder)
        return call.result(data, error=error, warnings=freshness.warnings(session))


@verb(app, "policy key", writes=True)
def key(
    call: Call,
    deal: Annotated[str, typer.Argument(help="The deal whose other side should know it.", metavar="DEAL")],
    file: Annotated[Path, typer.Argument(help="An Ed25519 key, as ~/.ssh/id_ed25519.pub.", metavar="FILE")],
) -> Result:
    """Tell the other side by which SSH key your git tags are signed."""
    named_key = evidence.public_key(file)
    with call.session() as session:
        named = finding.find(session, deal, "deal", exact=not call.asks)
        done = policing.name_key(session, named.space, named_key, call.request(deal=named.id, key=named_key))
        return call.result(**done.answer(unsent(session)))
