"""A name and a password at a server: from an option and a file, or asked for; never from the command line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from chaise_cli.commands import texts
from chaise_cli.render import prompts
from chaise_cli.session.logins import Login

if TYPE_CHECKING:
    from chaise_cli.render.emit import OutputOptions

_FLAG: Final = "--password-file FILE"
_MOST: Final = 1_000  # bytes

UserOption = Annotated[str | None, typer.Option("--user", help="Your name at the calendar server.", metavar="NAME")]
PasswordOption = Annotated[
    Path | None, typer.Option("--password-file", help="Your password there; - reads stdin.", metavar="FILE")
]


def given(user: str | None, password_file: Path | None, options: OutputOptions) -> Login | None:
    """What was given; None for neither. A password is asked for where only the name was. Raises Missing, NeedsInput."""
    if user is None and password_file is None:
        return None
    if user is None:
        raise texts.Missing(flags="--user NAME")
    if password_file is None:
        return Login(user, prompts.secret("Password of the calendar", _FLAG, options))
    piped = str(password_file) == "-"
    source = texts.TextSource("-" if piped else None, None if piped else password_file, _FLAG)
    return Login(user, texts.needed_text(source, _MOST).split("\n", 1)[0])
