"""`chaise sync`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from chaise_cli.commands.context import Call
from chaise_cli.commands.registry import PLAIN, verb
from chaise_cli.errors import Unreachable, Usage
from chaise_cli.render.progress import progress
from chaise_cli.result import Result
from chaise_cli.session import syncing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chaise_cli.errors import ChaiseError
    from chaise_cli.session.session import Session

app = typer.Typer(**PLAIN)


class OneWay(Usage):
    """WHERE, --exec and --stdio exclude one another."""

    code = "usage.one_place"
    message = "name one of WHERE, --exec COMMAND and --stdio"
    hint = "chaise sync alone repeats all places"


class SomeUnreachable(Unreachable):
    """One of several places could not be reached."""

    code = "sync.unreachable"
    message = "{failed} of {all} places could not be synced with: {why}"
    hint = "what was written here is kept; run chaise sync again later"
    failed: int
    all: int
    why: str


@verb(app, "sync")
def sync(
    call: Call,
    where: Annotated[
        str | None, typer.Argument(help="A folder, file:// or ssh://host[/home].", metavar="WHERE")
    ] = None,
    exec_: Annotated[
        str | None, typer.Option("--exec", help="Sync with the program COMMAND.", metavar="COMMAND")
    ] = None,
    stdio: Annotated[bool, typer.Option("--stdio", help="Answer a peer on standard input and output.")] = False,
) -> Result | None:
    """Exchange events with your places."""
    if sum((where is not None, exec_ is not None, stdio)) > 1:
        raise OneWay
    with call.session() as session:
        if stdio:
            _raise(syncing.serve(session).failure)
            return None
        done = _run(call, session, where, exec_)
    data = {"peers": [one.peer() for one in done]}
    return call.result(data, error=_failure(done), warnings=[text for one in done for text in one.problems])


def _run(call: Call, session: Session, where: str | None, command: str | None) -> Sequence[syncing.Done]:
    with progress("sync", call.options) as bar:

        def step(_phase: str, done: int, total: int) -> None:
            bar.step(done, total)

        if command is not None:
            return [syncing.sync_program(session, command, step)]
        if where is not None:
            return [syncing.sync_with(session, where, step)]
        return syncing.sync_all(session, step)


def _failure(done: Sequence[syncing.Done]) -> ChaiseError | None:
    """What the exit status says: the one failure as it is, or that some places failed."""
    failed = [one.failure for one in done if one.failure is not None]
    if len(done) == 1 and failed:
        if failed[0].exit not in (7, 8, 11, 13):
            raise failed[0]
        return failed[0]
    if not failed:
        return None
    return SomeUnreachable(failed=len(failed), all=len(done), why=failed[0].sentence())


def _raise(failure: ChaiseError | None) -> None:
    if failure is not None:
        raise failure
