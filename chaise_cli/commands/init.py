"""`chaise init`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from chaise_cli.commands import texts
from chaise_cli.commands.arguments import ZoneOption
from chaise_cli.commands.context import Call
from chaise_cli.commands.registry import PLAIN, verb
from chaise_cli.domain import money
from chaise_cli.render import prompts
from chaise_cli.render.terminal import put
from chaise_cli.result import Next, Result
from chaise_cli.session import founding, machine, starting, unlocking
from chaise_cli.session.views import identity

app = typer.Typer(**PLAIN)
NAME_LIMIT: Final = 64
ROLES: Final = ("client", "talent")
CURRENCY: Final = "EUR"
_WRITE_DOWN: Final = """
Your recovery code, shown this once and stored nowhere:

    {code}

Write it on paper. With it, and a copy of your events, everything comes back; without it a lost
passphrase loses this home for good. Whoever has it can be you.
"""


@verb(app, "init")
def init(
    call: Call,
    name: Annotated[str | None, typer.Option(help="Your name, as others see it.", metavar="NAME")] = None,
    handle: Annotated[str | None, typer.Option(help="What others type for you, as @james.", metavar="NAME")] = None,
    role: Annotated[
        str | None, typer.Option(help="client or talent; orders help and inbox only.", metavar="ROLE")
    ] = None,
    currency: Annotated[
        str, typer.Option(parser=money.currency, help="For amounts without one.", metavar="CODE")
    ] = CURRENCY,
    tz: ZoneOption = None,
    email: Annotated[str | None, typer.Option(help="Shown in deals, never on a board.", metavar="ADDRESS")] = None,
    passphrase_fd: Annotated[
        int | None, typer.Option(help="Read the passphrase from here.", metavar="N", min=0)
    ] = None,
    keyring: Annotated[bool, typer.Option("--keyring", help="Let the system's keyring keep the key.")] = False,
    recovery_out: Annotated[Path | None, typer.Option(help="New file for the recovery code.", metavar="FILE")] = None,
    device_name: Annotated[str | None, typer.Option(help="Else the host's name.", metavar="NAME")] = None,
) -> Result:
    """Make a home: your identity, keys and encrypted store."""
    starting.check_free(call.home)
    name = texts.one_line(name or prompts.ask("Your name", "--name", call.options), "the name", NAME_LIMIT)
    settings = starting.settings(name, _role(call, role), currency, handle, tz, email)
    device = texts.one_line(device_name or machine.device_name(), "the device's name", NAME_LIMIT)
    if recovery_out is None and not call.asks:
        raise prompts.NeedsInput(what="a place for the recovery code", flag="--recovery-out FILE")
    plan = starting.Plan(call.home, settings, _secrets(call, passphrase_fd, keyring=keyring), device, recovery_out)
    started = starting.start(plan, call.clock)
    if started.recovery_code is not None:
        put(sys.stderr, _WRITE_DOWN.format(code=started.recovery_code) + "\n")
    if plan.secrets.passphrase is not None or plan.secrets.keyring:
        unlocking.keep_open(started.session)
    call.options = call.options._replace(tz=settings.tz)
    data = dict(identity(started.session))
    started.session.close()
    if recovery_out is not None:
        data["recovery_file"] = str(recovery_out.resolve())
    steps = ("board join", "board create NAME") if settings.role == "talent" else ("board create NAME", "board join")
    return call.result(data, next=[Next("you", f"chaise {step}") for step in steps])


def _role(call: Call, given: str | None) -> str:
    if given is None:
        return ROLES[prompts.choose("Your main role", ROLES, "--role client or --role talent", call.options)]
    if given not in ROLES:
        raise starting.NoSuchRole(given=given[:40])
    return given


def _secrets(call: Call, passphrase_fd: int | None, *, keyring: bool) -> founding.Secrets:
    """How the key is kept: as the call says, else by a passphrase typed twice."""
    keys = call.keys()
    passphrase = unlocking.passphrase_from(passphrase_fd) if passphrase_fd is not None else keys.passphrase
    if passphrase is None and keys.key_file is None and not keyring:
        flag = "--passphrase-fd N, --key-file PATH or --keyring"
        passphrase = prompts.secret("Choose a passphrase", flag, call.options)
        if prompts.secret("The same again", flag, call.options) != passphrase:
            raise starting.PassphrasesDiffer
    return founding.Secrets(passphrase, keys.key_file, keyring)
