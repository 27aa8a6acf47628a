"""`chaise device add`, `device join`, `device rename`, `device renew`, `device revoke`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from chaise_cli.commands import arguments, keeping, texts
from chaise_cli.commands.context import Call, unsent
from chaise_cli.commands.registry import PLAIN, verb
from chaise_cli.errors import Usage
from chaise_cli.render import prompts
from chaise_cli.render.terminal import put
from chaise_cli.result import Next, Result
from chaise_cli.session import machine, meeting_devices, renaming, renewal, revoking, unlocking
from chaise_cli.session.views import identity

NAME_LIMIT: Final = 64
_SECOND: Final = 1000  # ms
_CODE_BYTES: Final = 200
_SHOW: Final = """
The pairing code, shown this once, good for ten minutes and one device:

    {code}

On the new device: chaise device join --at PLACE. Whoever has this code can become you.
"""
READ_STAYS: Final = "what the device has read stays read; boards keep their key, so it still reads those it is on"
app = typer.Typer(**PLAIN, help="Let a device in, rename, renew or revoke one.")


class CodeArgument(Usage):
    """A pairing code on the command line of a script, where other users see it."""

    code = "usage.code_argument"
    message = "a pairing code is a secret, and arguments are seen by every user of the machine"
    hint = "chaise device join - reads it from stdin, --code-file FILE from a file"


@app.callback()
def device() -> None:
    """Let a device in, rename, renew or revoke one."""


@verb(app, "device add")
def add(
    call: Call,
    name: Annotated[str | None, typer.Option("--name", help="What to call it.", metavar="TEXT")] = None,
    limited: Annotated[bool, typer.Option("--limited", help="It may not let in, renew or revoke devices.")] = False,
    via: Annotated[list[str] | None, typer.Option("--via", help="Meet it here.", metavar="PLACE")] = None,
    code_out: Annotated[Path | None, typer.Option(help="New file for the code.", metavar="FILE")] = None,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Stay until it has joined, or not.")] = True,
    timeout: Annotated[str, typer.Option("--timeout", help="As 5m.", metavar="DURATION")] = "10m",
) -> Result:
    """Make a one-time code that lets another device of yours in."""
    if code_out is None and not call.asks:
        raise prompts.NeedsInput(what="a place for the code", flag="--code-out FILE")
    called = texts.one_line(name, "the device's name", NAME_LIMIT) if name is not None else None
    seconds = _seconds(timeout)
    with call.session() as session:
        made = meeting_devices.begin(session, called, via or [], code_out, limited=limited)
        if made.code is not None:
            put(sys.stderr, _SHOW.format(code=made.code) + "\n")
        late = meeting_devices.wait(session, made, seconds) if wait else None
        data = meeting_devices.pairing_shape(session, made)
        steps = [] if data["device"] else [Next("the new device", "chaise device join --at PLACE")]
        steps += [Next("you", "chaise sync")] if not wait and data["via"] else []
        return call.result(data, error=late, next=steps, warnings=made.warnings)


@verb(app, "device join")
def join(
    call: Call,
    at: Annotated[str, typer.Option("--at", help="Where the other device meets it.", metavar="PLACE")],
    code: Annotated[str | None, typer.Argument(help="- reads the code from stdin.", metavar="[-]")] = None,
    code_file: Annotated[Path | None, typer.Option(help="Read the code from here.", metavar="FILE")] = None,
    name: Annotated[str | None, typer.Option("--name", help="Else the host's name.", metavar="TEXT")] = None,
    passphrase_fd: Annotated[
        int | None, typer.Option(help="Read the passphrase from here.", metavar="N", min=0)
    ] = None,
    keyring: Annotated[bool, typer.Option("--keyring", help="Let the system's keyring keep the key.")] = False,
    timeout: Annotated[str, typer.Option("--timeout", help="As 5m.", metavar="DURATION")] = "10m",
) -> Result:
    """Make a home here for who you are on another device."""
    meeting_devices.check_free(call.home)
    called = texts.one_line(name or machine.device_name(), "the device's name", NAME_LIMIT)
    seconds = _seconds(timeout)
    given, warnings = _code(call, code, code_file)
    secrets = keeping.secrets(call, passphrase_fd, keyring=keyring)
    plan = meeting_devices.Plan(call.home, secrets, called)
    session, trouble = meeting_devices.join(plan, given, at, seconds, call.clock)
    try:
        if secrets.passphrase is not None or secrets.keyring:
            unlocking.keep_open(session)
        call.options = call.options._replace(tz=session.me.settings.tz)
        steps = [Next("you", "chaise sync")] if trouble else [Next("you", "chaise inbox")]
        return call.result(identity(session), next=steps, warnings=[*warnings, *trouble])
    finally:
        session.close()


@verb(app, "device rename", writes=True)
def rename(
    call: Call,
    id_: Annotated[str, typer.Argument(help="As chaise devices lists it.", metavar="DEVICE")],
    name: Annotated[str, typer.Argument(metavar="NAME")],
) -> Result:
    """Call a device of yours something else."""
    name = texts.one_line(name, "the device's name", NAME_LIMIT)
    with call.session() as session:
        shown, events, replayed = renaming.rename(session, id_, name, call.request(device=id_, name=name))
        return call.result(shown, events=events, replayed=replayed, next=unsent(session))


@verb(app, "device renew", writes=True)
def renew(
    call: Call,
    name: Annotated[
        str | None, typer.Option("--name", help="What to call the device from now on.", metavar="TEXT")
    ] = None,
    recovery: Annotated[
        Path | None, typer.Option("--recovery-file", help="Certify it by the root, with this code.", metavar="FILE")
    ] = None,
) -> Result:
    """Give this home a new device key, after a restore or a copy."""
    name = texts.one_line(name, "the device's name", NAME_LIMIT) if name is not None else None
    code = _recovery(recovery)
    with call.session() as session:
        call.pull(session)
        done = renewal.renew(session, name, call.request(name=name), code)
        return call.result(identity(session), events=done.events, replayed=done.replayed, next=unsent(session))


@verb(app, "device revoke", writes=True)
def revoke(
    call: Call,
    id_: Annotated[str, typer.Argument(help="As chaise devices lists it.", metavar="DEVICE")],
    recovery: Annotated[
        Path | None, typer.Option("--recovery-file", help="Let the root say it, with this code.", metavar="FILE")
    ] = None,
) -> Result:
    """Cut a device off: it reads nothing new, and what it still signs counts for nothing."""
    code = _recovery(recovery)
    with call.session() as session:
        call.pull(session)
        asked = call.request(device=id_)
        done = revoking.revoke(session, id_, code, asked, exact=not call.asks)
        told = [READ_STAYS] if done.events and not done.replayed else []
        told += [f"this is the agent device now of {', '.join(done.moved)}"] if done.moved else []
        return call.result(
            done.device, events=done.events, replayed=done.replayed, next=unsent(session),
            warnings=[*told, *done.warnings],
        )  # fmt: skip


def _seconds(timeout: str) -> float:
    """How long to wait; 0 looks once."""
    return 0 if timeout in {"0", "0s"} else arguments.duration(timeout) / _SECOND


def _recovery(file: Path | None) -> str | None:
    read = texts.text(texts.TextSource(None, file, "--recovery-file FILE"), _CODE_BYTES) if file else None
    return read.strip() if read else None


def _code(call: Call, argument: str | None, file: Path | None) -> tuple[str, list[str]]:
    """The code as given, from wherever a secret may come from."""
    if argument is not None and argument != "-":
        if not call.asks:
            raise CodeArgument
        return argument, ["the code stays in your shell's history; chaise device join alone asks for it"]
    given = texts.text(texts.TextSource(argument, file, "--code-file FILE or - for stdin"), _CODE_BYTES)
    if given is None:
        given = prompts.secret("Pairing code", "--code-file FILE or - for stdin", call.options)
    return given, []
