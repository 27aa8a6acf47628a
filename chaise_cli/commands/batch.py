"""`chaise batch`."""

from __future__ import annotations

import contextlib
import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from chaise_cli.commands import context
from chaise_cli.commands.context import Call
from chaise_cli.commands.registry import PLAIN
from chaise_cli.errors import ChaiseError, Refused, Usage
from chaise_cli.render.terminal import put
from chaise_cli.result import error_json

if TYPE_CHECKING:
    from chaise_cli.session.session import Session

app = typer.Typer(**PLAIN)
LINE_MOST: Final = 256 * 1024
_NEVER: Final = ("batch", "init", "wait", "completion", "help", "schema")


class BadLine(Usage):
    """A line of the batch is not a command."""

    code = "batch.bad_line"
    message = "line {line}: {why}"
    hint = 'write one command a line: {{"argv": ["post", "Title", "--skill", "seo"]}}'
    line: int
    why: str


class Undone(Refused):
    """One command of an atomic batch failed, so none of it was kept."""

    code = "batch.undone"
    message = "line {line} failed, so nothing of the batch was kept"
    hint = "its own error stands in the line before"
    line: int


@app.command("batch")
def batch(
    ctx: typer.Context,
    atomic: Annotated[bool, typer.Option("--atomic", help="Keep all of it or nothing.")] = False,
    home: Annotated[Path | None, typer.Option("--home", help="Use this home.", metavar="DIR")] = None,
    key_file: Annotated[
        Path | None, typer.Option("--key-file", help="Open the home with this key.", metavar="PATH")
    ] = None,
) -> None:
    """Run many commands from standard input."""
    root: Any = ctx.find_root().command
    common = [*(["--home", str(home)] if home else []), *(["--key-file", str(key_file)] if key_file else [])]
    call = Call(
        "batch", {"home": home, "key_file": key_file, "color": None, "quiet": True, "no_input": True, "dry_run": False}
    )
    worst = 0
    with call.session() as session, context.shared(session):
        if not atomic:
            for _, answer, status in _answers(root, common, atomic=False):
                with contextlib.suppress(BrokenPipeError):  # the commands are to be run, whoever still listens
                    put(sys.stdout, answer)
                worst = worst or status
        else:
            _all_or_nothing(root, common, session)
    if worst:
        raise typer.Exit(worst)


def _all_or_nothing(root: Any, common: list[str], session: Session) -> None:
    """Run every line in one transaction and print the answers once it is kept."""
    answers = []
    with session.writing():
        for number, answer, status in _answers(root, common, atomic=True):
            answers.append(answer)
            if status:
                put(sys.stderr, answer)
                raise Undone(line=number)
    put(sys.stdout, "".join(answers))


def _answers(root: Any, common: list[str], *, atomic: bool) -> Iterator[tuple[int, str, int]]:
    """For each line its number, the result or error object as one line, and the exit status."""
    for number, line in enumerate(sys.stdin.buffer, 1):
        if not line.strip():
            continue
        try:
            argv = _argv(number, line, atomic=atomic)
            yield number, *_run(root, [*argv, *common, "--json", "--no-input", "--quiet"])
        except ChaiseError as error:
            yield number, error_json(error) + "\n", error.exit


def _argv(number: int, line: bytes, *, atomic: bool) -> list[str]:
    if len(line) > LINE_MOST:
        raise BadLine(line=number, why="longer than 256 KiB")
    try:
        value = json.loads(line)
    except ValueError as error:
        raise BadLine(line=number, why="not JSON") from error
    argv = value.get("argv") if isinstance(value, dict) else value
    if not isinstance(argv, list) or not argv or not all(isinstance(word, str) for word in argv):
        raise BadLine(line=number, why="no list of words")
    if why := _unfit(argv, atomic=atomic):
        raise BadLine(line=number, why=why)
    return argv


def _unfit(argv: list[str], *, atomic: bool) -> str:
    """Why a command has no place in a batch; empty when it has."""
    if argv[0] in _NEVER or "--help" in argv:
        return f"{argv[0]}{' --help' if '--help' in argv else ''} cannot run in a batch"
    if "-" in argv:  # it would take the lines that follow for its text
        return "- is standard input, which the batch itself reads"
    if any(word.partition("=")[0] in ("--home", "--key-file") for word in argv):
        return "a batch runs in one home: name it behind chaise batch"
    if atomic and argv[0] == "sync":  # others would hold what is undone later
        return "what an atomic batch writes is sent once it is kept: sync afterwards"
    if atomic and "--dry-run" in argv:
        return "an atomic batch keeps all or nothing; rehearse it without --atomic"
    return ""


def _run(root: Any, argv: list[str]) -> tuple[str, int]:
    """One command in this process; a usage error comes as the error object too."""
    out = io.StringIO()
    try:
        with contextlib.redirect_stdout(out):
            status = root.main(argv, prog_name="chaise", standalone_mode=False)
    except ChaiseError:
        raise
    except Exception as error:
        explain = getattr(error, "format_message", None)
        if explain is None:
            raise
        raise BadCall(why=explain()) from error
    return out.getvalue(), status if isinstance(status, int) else 0


class BadCall(Usage):
    """The words of a line do not fit the command."""

    code = "batch.bad_call"
    message = "{why}"
    hint = "chaise help VERB shows how it is called"
    why: str
