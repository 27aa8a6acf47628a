"""`chaise backup`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from chaise_cli.commands import texts
from chaise_cli.commands.context import Call
from chaise_cli.commands.registry import PLAIN, verb
from chaise_cli.render.progress import progress
from chaise_cli.result import Result
from chaise_cli.session import backing

app = typer.Typer(**PLAIN)


@verb(app, "backup")
def backup(
    call: Call,
    file: Annotated[Path, typer.Argument(help="The backup to write, or to check.", metavar="FILE")],
    check: Annotated[bool, typer.Option("--check", help="Look at all of a backup instead of writing one.")] = False,
    files: Annotated[
        bool, typer.Option("--with-files/--without-files", help="Take attachments along, or leave them to sync.")
    ] = True,
    force: Annotated[bool, typer.Option("--force", help="Write over an older backup.")] = False,
    recovery: Annotated[
        Path | None, typer.Option("--recovery-file", help="With --check: open with this recovery code.", metavar="FILE")
    ] = None,
) -> Result:
    """Write everything into one encrypted file, or check one."""
    if check:
        return _check(call, file, texts.recovery_code(recovery))
    with call.session() as session, progress("backup", call.options) as bar:
        made = backing.back_up(session, file, bar.step, force=force, files=files)
    return call.result(made, warnings=made["problems"])


def _check(call: Call, file: Path, code: str | None) -> Result:
    """All of the file is looked at; compared with this home where it opens without asking."""
    key = backing.open_key(file, call.keys()._replace(recovery=code), call.home, call.clock.now())
    with call.session_at_hand() as session, progress("check", call.options) as bar:
        looked = backing.look(file, key, session, bar.step)
    return call.result(looked.backup, error=looked.problem)
