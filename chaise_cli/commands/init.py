"""`chaise init`."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from chaise_cli.commands import keeping, texts
from chaise_cli.commands.arguments import ZoneOption
from chaise_cli.commands.context import Call
from chaise_cli.commands.registry import PLAIN, verb
from chaise_cli.domain import money
from chaise_cli.errors import Usage
from chaise_cli.render import prompts
from chaise_cli.render.progress import progress
from chaise_cli.render.terminal import put
from chaise_cli.result import Next, Result
from chaise_cli.session import machine, starting, unlocking
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


_LOST: Final = "a device that you lost can still act in your name, until another one of yours revokes it"


class NotRecovered(Usage):
    """Settings are named for an identity that has its own."""

    code = "recover.has_settings"
    message = "--recover brings name, handle, role, zone and address back, and needs no new recovery code"
    hint = "leave them out; chaise profile changes them later"


class RecoverOnly(Usage):
    """Options of a recovery without one."""

    code = "recover.not_asked"
    message = "--from and --recovery-file go with --recover"
    hint = "chaise init --recover --from PLACE --recovery-file FILE"


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
    recover: Annotated[bool, typer.Option("--recover", help="Bring an identity back by its recovery code.")] = False,
    from_: Annotated[
        str | None, typer.Option("--from", help="With --recover: where its events lie.", metavar="PLACE")
    ] = None,
    recovery_file: Annotated[
        Path | None, typer.Option(help="With --recover: the file with the code.", metavar="FILE")
    ] = None,
) -> Result:
    """Make a home: your identity, keys and encrypted store."""
    starting.check_free(call.home)
    device = texts.one_line(device_name or machine.device_name(), "the device's name", NAME_LIMIT)
    if recover:
        given = (name, handle, role, tz, email, recovery_out)
        if any(value is not None for value in given):
            raise NotRecovered
        return _recover(call, from_, recovery_file, device, (passphrase_fd, keyring))
    if from_ is not None or recovery_file is not None:
        raise RecoverOnly
    name = texts.one_line(name or prompts.ask("Your name", "--name", call.options), "the name", NAME_LIMIT)
    settings = starting.settings(name, _role(call, role), currency, handle, tz, email)
    if recovery_out is None and not call.asks:
        raise prompts.NeedsInput(what="a place for the recovery code", flag="--recovery-out FILE")
    plan = starting.Plan(
        call.home, settings, keeping.secrets(call, passphrase_fd, keyring=keyring), device, recovery_out
    )
    started = starting.start(plan, call.clock, lambda code: put(sys.stderr, _WRITE_DOWN.format(code=code) + "\n"))
    if plan.secrets.passphrase is not None or plan.secrets.keyring:
        unlocking.keep_open(started)
    call.options = call.options._replace(tz=settings.tz)
    data = dict(identity(started))
    started.close()
    if recovery_out is not None:
        data["recovery_file"] = str(recovery_out.resolve())
    steps = ("board join", "board create NAME") if settings.role == "talent" else ("board create NAME", "board join")
    return call.result(data, next=[Next("you", f"chaise {step}") for step in steps])


def _recover(call: Call, place: str | None, file: Path | None, device: str, ways: tuple[int | None, bool]) -> Result:
    """A home of the identity whose recovery code is given, from the copy of its events at the place."""
    place = place or prompts.ask("Where your events lie (a folder, ssh://host)", "--from PLACE", call.options)
    code = texts.recovery_code(file) or prompts.secret("Recovery code", "--recovery-file FILE", call.options)
    recovering: Any = import_module("chaise_cli.session.recovering")  # a new home loads no syncing
    secrets = keeping.secrets(call, ways[0], keyring=ways[1])
    plan = recovering.Plan(call.home, code, place, secrets, device)
    with progress("recover", call.options) as bar:
        done = recovering.recover(plan, call.clock, lambda _phase, count, total: bar.step(count, total))
    if plan.secrets.passphrase is not None or plan.secrets.keyring:
        unlocking.keep_open(done.session)
    call.options = call.options._replace(tz=done.session.me.settings.tz)
    data = dict(identity(done.session))
    done.session.close()
    steps = [Next("you", "chaise sync"), Next("you", "chaise verify")]
    return call.result(data, warnings=[*done.warnings, _LOST], next=steps)


def _role(call: Call, given: str | None) -> str:
    if given is None:
        return ROLES[prompts.choose("Your main role", ROLES, "--role client or --role talent", call.options)]
    if given not in ROLES:
        raise starting.NoSuchRole(given=given[:40])
    return given
