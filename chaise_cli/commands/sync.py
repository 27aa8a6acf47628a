"""`chaise sync`."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any

import typer

from chaise_cli.commands import arguments
from chaise_cli.commands.context import Call
from chaise_cli.commands.registry import PLAIN, verb
from chaise_cli.errors import Unreachable, Usage
from chaise_cli.render.emit import emit, emit_error, note, say
from chaise_cli.render.progress import progress
from chaise_cli.result import Result
from chaise_cli.session import delivering, staying, syncing

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


class StatusAlone(Usage):
    """`--status` and `--all` go together, and with nothing else."""

    code = "usage.status_alone"
    message = "--status asks nobody: no place, --exec, --stdio, --watch or --for goes with it; and --all with it alone"
    hint = "chaise sync --status, chaise sync --status --all"


class WatchAlone(Usage):
    """`--watch` and `--for` go together, and not with a program."""

    code = "usage.watch_alone"
    message = "--watch goes with a place or with none, not with --exec or --stdio; --for goes with it alone"
    hint = "chaise sync --watch, chaise sync WHERE --watch --for 10m"


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
        str | None, typer.Argument(help="A folder, ssh://host[/home] or https://host.", metavar="WHERE")
    ] = None,
    exec_: Annotated[
        str | None, typer.Option("--exec", help="Sync with the program COMMAND.", metavar="COMMAND")
    ] = None,
    stdio: Annotated[bool, typer.Option("--stdio", help="Answer a peer on standard input and output.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Stay, and sync whenever there is something new.")] = False,
    for_: Annotated[
        str | None, typer.Option("--for", help="With --watch: stop after so long, as 10m.", metavar="DURATION")
    ] = None,
    status: Annotated[bool, typer.Option("--status", help="Tell where your events are; ask nobody.")] = False,
    everybody: Annotated[bool, typer.Option("--all", help="With --status: everybody's events.")] = False,
) -> Result | None:
    """Exchange events with your places."""
    _check(where, exec_, stdio=stdio, watch=watch, for_=for_, status=status, everybody=everybody)
    seconds = arguments.stay(for_)
    with call.session() as session:
        if status:
            return call.result(delivering.status(session, everybody=everybody), shape="sync_status")
        if watch:
            _stay(call, session, where, seconds)
            return None
        if stdio:
            _raise(syncing.serve(session).failure)
            return None
        done = _run(call, session, where, exec_)
    return _result(call, done, _failure(done))


def _check(
    where: str | None, exec_: str | None, *, stdio: bool, watch: bool, for_: str | None, status: bool, everybody: bool
) -> None:
    ways = sum((where is not None, exec_ is not None, stdio))
    if (everybody and not status) or (status and (ways or watch or for_)):
        raise StatusAlone
    if (for_ and not watch) or (watch and (exec_ is not None or stdio)):
        raise WatchAlone
    if ways > 1:
        raise OneWay


def _result(call: Call, done: Sequence[syncing.Done], error: ChaiseError | None) -> Result:
    data = {"peers": [one.peer() for one in done]}
    return call.result(data, error=error, warnings=[text for one in done for text in one.problems], shape="sync")


def _stay(call: Call, session: Session, where: str | None, seconds: float | None) -> None:
    """Watch until told to go, a result for each exchange that is worth telling. Being told to go is no failure."""
    call.stays()
    watching: Any = import_module("chaise_cli.session.watching")
    url = syncing.add(session, where) if where is not None else None
    with watching.watch(session, url) as watched, staying.until_told() as told:
        staying.stay(told, seconds, watched.come, lambda done: _tell(call, done), watched.tick)


def _tell(call: Call, done: syncing.Done) -> bool:
    """One result on the way. Never the last: the others go on."""
    if call.options.format != "human":
        emit(_result(call, [done], done.failure), call.options)
        return False
    say(f"{done.place}: sent {done.sent}, received {done.received}, rejected {done.rejected}")
    for problem in done.problems:
        note(f"warning: {problem}", call.options)
    if done.failure is not None:
        emit_error(done.failure, call.options)
    return False


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
    """What the exit status says: that a relay lied, the one failure as it is, or that some places failed."""
    alarms = [one.alarm for one in done if one.alarm is not None]
    if alarms:
        return alarms[0]
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
