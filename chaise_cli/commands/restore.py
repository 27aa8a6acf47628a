"""`chaise restore`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from chaise_cli.commands import texts
from chaise_cli.commands.context import Call, unsent
from chaise_cli.commands.registry import PLAIN, verb
from chaise_cli.errors import Usage
from chaise_cli.render.progress import progress
from chaise_cli.result import Next, Result
from chaise_cli.session import founding, renewal, restoring, unlocking
from chaise_cli.session.views import identity

NAME_LIMIT: Final = 64
app = typer.Typer(**PLAIN)


class CodeMissing(Usage):
    """New ways in are asked for, and the one that opens the backup is not told."""

    code = "restore.code_missing"
    message = "--new-key-file, --new-passphrase-fd and --keyring go with --recovery-file"
    hint = "without them the home opens as it did when the backup was made"


@verb(app, "restore")
def restore(
    call: Call,
    file: Annotated[Path, typer.Argument(help="What chaise backup wrote.", metavar="FILE")],
    recovery: Annotated[
        Path | None, typer.Option("--recovery-file", help="Open with the recovery code in this file.", metavar="FILE")
    ] = None,
    passphrase_fd: Annotated[
        int | None, typer.Option(help="Read the passphrase from here.", metavar="N", min=0)
    ] = None,
    new_key_file: Annotated[
        Path | None, typer.Option(help="With the code: let this key file open the home.", metavar="PATH")
    ] = None,
    new_passphrase_fd: Annotated[
        int | None, typer.Option(help="With the code: a new passphrase, read from here.", metavar="N", min=0)
    ] = None,
    keyring: Annotated[bool, typer.Option("--keyring", help="With the code: let the keyring keep the key.")] = False,
    device_name: Annotated[str | None, typer.Option(help="Else as before.", metavar="NAME")] = None,
    sync: Annotated[bool, typer.Option("--sync/--no-sync", help="Fetch what is newer first, or later.")] = True,
) -> Result:
    """Make a home from a backup."""
    name = texts.one_line(device_name, "the device's name", NAME_LIMIT) if device_name is not None else None
    kept = _kept(new_key_file, new_passphrase_fd, keyring=keyring)
    if kept and recovery is None:
        raise CodeMissing
    keys = call.keys()._replace(recovery=texts.recovery_code(recovery))
    if passphrase_fd is not None:
        keys = keys._replace(passphrase=unlocking.passphrase_from(passphrase_fd))
    with progress("restore", call.options) as bar:
        session = restoring.restore(restoring.Plan(file, call.home, keys, kept), call.clock, bar.step)
    try:
        if not unlocking.opens_by_itself(session.home):
            unlocking.keep_open(session)
        call.options = call.options._replace(tz=session.me.settings.tz)
        if sync:
            call.pull(session)
        done = renewal.renew(session, name)
        if sync:
            call.pull(session)
        steps = [*unsent(session), Next("you", "chaise doctor")]
        return call.result(identity(session), events=done.events, next=steps)
    finally:
        session.close()


def _kept(key_file: Path | None, passphrase_fd: int | None, *, keyring: bool) -> founding.Secrets | None:
    if key_file is None and passphrase_fd is None and not keyring:
        return None
    passphrase = unlocking.passphrase_from(passphrase_fd) if passphrase_fd is not None else None
    return founding.Secrets(passphrase, key_file, keyring)
