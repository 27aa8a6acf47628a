"""`chaise calendar add`, `chaise calendar refresh`, `chaise calendar remove`."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from chaise_cli.commands import logins, texts
from chaise_cli.commands.arguments import duration
from chaise_cli.commands.context import Call
from chaise_cli.commands.registry import PLAIN, verb
from chaise_cli.result import Result
from chaise_cli.session import busy_sources
from chaise_cli.session.busy_sources import Adding

WHERE_LIMIT: Final = 2_000  # bytes
SEEN: Final = "others on this machine can read an address on the command line; if it is a secret, give - instead"
app = typer.Typer(**PLAIN)


@verb(app, "calendar add")
def add(
    call: Call,
    where: Annotated[
        str,
        typer.Argument(help="An .ics file, a folder of them, or https://…; - reads it from stdin.", metavar="WHERE"),
    ],
    name: Annotated[str | None, typer.Option("--name", help="What to call it here.", metavar="TEXT")] = None,
    tentative: Annotated[
        bool | None, typer.Option("--tentative/--no-tentative", help="Whether what is pencilled in counts; it does.")
    ] = None,
    email: Annotated[
        str | None, typer.Option("--email", help="Your address in it, if not your profile's.", metavar="ADDRESS")
    ] = None,
    every: Annotated[
        int | None, typer.Option("--every", parser=duration, help="Stale when older; 1h.", metavar="LENGTH")
    ] = None,
    user: logins.UserOption = None,
    password_file: logins.PasswordOption = None,
) -> Result:
    """Keep free what a calendar of yours has, on this device; only its busy times are kept."""
    given, warnings = where, [SEEN] if "://" in where and not where.startswith("file:") else []
    if where == "-":
        given = texts.needed_text(texts.TextSource("-", None, "-"), WHERE_LIMIT).strip()
    called = texts.one_line(name, "--name", busy_sources.NAME_MOST) if name is not None else None
    owner = texts.one_line(email, "--email", 254) if email is not None else None
    login = logins.given(user, password_file, call.options)
    with call.session() as session:
        adding = Adding(given, called, tentative, owner, every, login)
        read = busy_sources.add(session, adding)
        return call.result(read.shapes[0], error=read.error, warnings=[*warnings, *read.warnings])


@verb(app, "calendar refresh", lists=True)
def refresh(
    call: Call, names: Annotated[list[str] | None, typer.Argument(help="Else all.", metavar="[NAME]…")] = None
) -> Result:
    """Read calendars anew."""
    with call.session() as session:
        read = busy_sources.refresh(session, names or ())
        return call.result(read.shapes, error=read.error, warnings=read.warnings)


@verb(app, "calendar remove")
def remove(call: Call, name: Annotated[str, typer.Argument(help="As calendars lists it.", metavar="NAME")]) -> Result:
    """Forget a calendar and its busy times."""
    with call.session() as session:
        return call.result(busy_sources.remove(session, name))
