"""`chaise rail due`, `chaise rail attest`, `chaise rail reconcile`."""

from __future__ import annotations

from contextlib import closing
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from chaise_cli.commands import arguments
from chaise_cli.commands.arguments import LimitOption
from chaise_cli.commands.context import Call, unsent
from chaise_cli.commands.registry import PLAIN, verb
from chaise_cli.domain.terms import RAILS
from chaise_cli.errors import Usage
from chaise_cli.result import Result
from chaise_cli.session import choosing, finding, freshness, paying

app = typer.Typer(**PLAIN)
_STATEMENTS: Final = "chaise_cli.session.statements"  # loaded only for a statement
_RECONCILING: Final = "chaise_cli.session.reconciling"
_SIM: Final = "chaise_cli.rails.sim"


class OpOrStatement(Usage):
    """An attestation is of one operation, or of all that a statement shows."""

    code = "rail.op_or_statement"
    message = "name an operation, or a statement with --statement FILE; --format and --columns are the statement's"
    hint = 'chaise rail attest OP --ref "transfer 4711"'


@app.callback()
def rail() -> None:
    """List what a person must still pay, say it was paid, compare with statements."""


@verb(app, "rail due", lists=True)
def due(
    call: Call,
    with_: Annotated[str | None, typer.Option("--with", help="Only deals with them.", metavar="@P")] = None,
    limit: LimitOption = None,
) -> Result:
    """List what a person must still move, where this device is the agent's."""
    with call.session() as session, session.reading():
        person = finding.person(session, with_) if with_ is not None else None
        return call.result(paying.due(session, person)[:limit], warnings=freshness.warnings(session))


@verb(app, "rail attest", writes=True)
def attest(
    call: Call,
    op: Annotated[str | None, typer.Argument(help="As rail due lists it.", metavar="[OP]")] = None,
    ref: Annotated[
        str | None, typer.Option("--ref", help="The money moved under this reference.", metavar="TEXT")
    ] = None,
    declined: Annotated[
        str | None, typer.Option("--declined", help="It will not come, and why.", metavar="TEXT")
    ] = None,
    statement: Annotated[
        Path | None, typer.Option("--statement", help="All that a bank statement shows for certain.", metavar="FILE")
    ] = None,
    format_: Annotated[
        str | None, typer.Option("--format", help="Of the statement: csv or camt053.", metavar="FORMAT")
    ] = None,
    columns: Annotated[
        str | None, typer.Option("--columns", help="Of a CSV: date=HEAD,amount=HEAD,…", metavar="MAP")
    ] = None,
) -> Result:
    """Record that the money of an operation moved, or that it will not come."""
    if statement is not None:
        if op is not None or ref is not None or declined is not None:
            raise choosing.NotForThis(verb="--statement", given="one operation", why="a statement names its operations")
        return _statement(call, statement, format_, columns)
    if op is None or format_ is not None or columns is not None:
        raise OpOrStatement
    with call.session() as session:
        named = finding.find(session, op, "op", exact=not call.asks)
        asked = call.request(op=named.id, ref=ref, declined=declined)
        done = paying.attest(session, named.event, ref, declined, asked)
        return call.result(**done.answer(unsent(session)))


@verb(app, "rail reconcile")
def reconcile(
    call: Call,
    rail_: Annotated[
        str | None, typer.Option("--rail", help="sim, or manual with --statement.", metavar="RAIL")
    ] = None,
    statement: Annotated[
        Path | None, typer.Option("--statement", help="Of the bank, on the manual rail.", metavar="FILE")
    ] = None,
    format_: Annotated[
        str | None, typer.Option("--format", help="Of the statement: csv or camt053.", metavar="FORMAT")
    ] = None,
    columns: Annotated[
        str | None, typer.Option("--columns", help="Of a CSV: date=HEAD,amount=HEAD,…", metavar="MAP")
    ] = None,
    since: Annotated[str | None, typer.Option("--since", help="Only what moved since then.", metavar="T")] = None,
    until: Annotated[str | None, typer.Option("--until", help="Only what moved before.", metavar="T")] = None,
) -> Result:
    """Compare a rail's statement with the book; a difference is exit 11."""
    kind = choosing.one_of(rail_, RAILS, "--rail") if rail_ else "manual" if statement else "sim"
    reconciling: Any = import_module(_RECONCILING)
    if (kind == "manual") != (statement is not None) or (statement is None and (format_ or columns)):
        raise reconciling.NoSuchRail(rail=kind)
    lines = _read(statement, format_, columns) if statement else []
    with call.session() as session:
        here = call.here(session, "UTC")  # the days of a bank and of a book
        start = arguments.since(since, here) if since is not None else None
        end = arguments.deadline(until, here) if until is not None else None
        if statement is not None:
            done = reconciling.with_bank(session, lines, start, end)
        else:
            url = call.settings.rail_sim_url.value
            if not url:
                raise reconciling.NoSuchRail(rail=kind)
            sim: Any = import_module(_SIM)
            with closing(sim.Sim(url)) as adapter:
                done = reconciling.with_rail(session, adapter, start, end)
        return call.result(done.data, error=done.error, warnings=freshness.warnings(session))


def _read(path: Path, format_: str | None, columns: str | None) -> Any:
    statements: Any = import_module(_STATEMENTS)
    if format_ is not None:
        choosing.one_of(format_, statements.FORMATS, "--format")
    return statements.read(path, format_, columns)


def _statement(call: Call, path: Path, format_: str | None, columns: str | None) -> Result:
    statements: Any = import_module(_STATEMENTS)
    lines = _read(path, format_, columns)
    with call.session() as session:
        done = statements.attest(session, lines, call.request(statement=[str(line) for line in lines]))
        return call.result(**done.answer(unsent(session)))
