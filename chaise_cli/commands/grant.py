"""`chaise grant create`, `chaise grant approve`, `chaise grant revoke`."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from chaise_cli.commands import arguments
from chaise_cli.commands.arguments import ZoneOption
from chaise_cli.commands.context import Call, unsent
from chaise_cli.commands.registry import PLAIN, verb
from chaise_cli.domain import money
from chaise_cli.domain.grant import Approvals, Scope
from chaise_cli.domain.money import Money
from chaise_cli.errors import Usage
from chaise_cli.ids import IdentityId, public, text
from chaise_cli.result import Result
from chaise_cli.session import finding, granting

if TYPE_CHECKING:
    from chaise_cli.session.session import Session

app = typer.Typer(**PLAIN)


class BadApprovals(Usage):
    """Approvals are not written as a number and full ids."""

    code = "grant.bad_approvals"
    message = "{given!r} names no approvals"
    hint = "write 1of:id-…,id-… with full ids; a handle is a claim, and names nobody for good"
    given: str


class NoPolicy(Usage):
    """The policy file cannot be read."""

    code = "grant.no_policy"
    message = "the policy file {path} cannot be read"
    hint = "name the file that the releases will be judged by"
    path: str


@app.callback()
def grant() -> None:
    """Hand out a key for automation, approve its runs, or revoke it."""


def _amount(metavar: str, help_: str, name: str) -> typer.models.OptionInfo:
    option: typer.models.OptionInfo = typer.Option(name, parser=money.parse, metavar=metavar, help=help_)
    return option


@verb(app, "grant create", writes=True)
def create(
    call: Call,
    can: Annotated[list[str], typer.Option("--can", help="deliver, fund, refund or release.", metavar="VERB")],
    deal: Annotated[str, typer.Option("--deal", metavar="DEAL")],
    most: Annotated[Money, _amount("AMOUNT", "All that it may ever move.", "--max")],
    until: Annotated[str, typer.Option("--until", help="As 2026-12-31: to the end of that day.", metavar="TIME")],
    out: Annotated[Path, typer.Option("--out", "-o", help="A new file for the key.", metavar="FILE")],
    milestone: Annotated[int | None, typer.Option("--milestone", help="This one alone.", metavar="N")] = None,
    per_day: Annotated[Money | None, _amount("AMOUNT", "And in one day, UTC.", "--per-day")] = None,
    approvals: Annotated[str | None, typer.Option("--approvals", help="As 1of:id-…,id-….", metavar="NofIDS")] = None,
    delivered_for: Annotated[str | None, typer.Option("--delivered-for", help="As 24h.", metavar="DURATION")] = None,
    policy: Annotated[Path | None, typer.Option("--policy", help="Releases meet this file.", metavar="FILE")] = None,
    name: Annotated[str | None, typer.Option("--name", help="Else that of the file.", metavar="TEXT")] = None,
    tz: ZoneOption = None,
) -> Result:
    """Hand out a key that may do some verbs of one deal, up to an amount and a date."""
    with call.session() as session:
        named = finding.find(session, deal, "deal", exact=not call.asks)
        granting.check_currency(session, named.space, [most, *([per_day] if per_day else [])])
        scope = Scope(
            can=tuple(can),
            milestone=milestone,
            max=most.minor,
            per_day=per_day.minor if per_day is not None else None,
            until=arguments.deadline(until, call.here(session, tz)),
            approvals=_approvals(session, approvals) if approvals is not None else None,
            delivered_for_ms=arguments.duration(delivered_for) if delivered_for is not None else None,
            policy=_policy(policy) if policy is not None else None,
        )
        given = {"deal": named.id, "scope": repr(scope), "name": name or out.stem}
        plan = granting.Plan(named.space, name or out.stem[:64], scope, out)
        done = granting.create(session, plan, call.request(**given))
        return call.result(**done.answer(unsent(session)))


@verb(app, "grant approve", writes=True)
def approve(
    call: Call,
    grant: Annotated[str, typer.Argument(metavar="GRANT")],
    total: Annotated[Money, _amount("AMOUNT", "It may reach so much in all; 0 takes it back.", "--total")],
    milestone: Annotated[int | None, typer.Option("--milestone", help="Else the grant's own.", metavar="N")] = None,
) -> Result:
    """Approve that the runs of a grant reach a total in a milestone."""
    with call.session() as session:
        named = finding.find(session, grant, "grant", exact=not call.asks)
        asked = call.request(grant=named.id, total=total, milestone=milestone)
        done = granting.approve(session, named.event, milestone, total, asked)
        return call.result(**done.answer(unsent(session)))


@verb(app, "grant revoke", writes=True)
def revoke(call: Call, grant: Annotated[str, typer.Argument(metavar="GRANT")]) -> Result:
    """End a grant of yours before its time."""
    with call.session() as session:
        named = finding.find(session, grant, "grant", exact=not call.asks)
        done = granting.revoke(session, named.event, call.request(grant=named.id))
        return call.result(**done.answer(unsent(session)))


def _approvals(session: Session, given: str) -> Approvals:
    """Raises BadApprovals, and what `find` raises of a shortened or unknown id."""
    need, of, people = given.partition("of:")
    names = [one.strip() for one in people.split(",")]
    if not (of and need.isascii() and need.isdigit() and len(need) < 3) or not all(n.startswith("id-") for n in names):
        raise BadApprovals(given=given[:80])
    me = public("id", session.me.identity)
    found = [session.me.identity if one == me else finding.find(session, one, "id", exact=True).id for one in names]
    return Approvals(int(need), tuple(map(IdentityId, found)))


def _policy(path: Path) -> str:
    """The hash of a policy file's bytes. Raises NoPolicy."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise NoPolicy(path=str(path)) from error
    return text(sha256(data).digest())
