"""`chaise calendar push`, `chaise calendar pull`, `chaise calendar forget`."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from chaise_cli.commands import logins
from chaise_cli.commands.context import Call
from chaise_cli.commands.registry import PLAIN, verb
from chaise_cli.result import Next, Result
from chaise_cli.session import calendars, choosing, freshness, showing_calls

if TYPE_CHECKING:
    from collections.abc import Sequence


app = typer.Typer(**PLAIN)
_ENTRIES: Final = "chaise_cli.export.copies"  # icalendar is behind this door
_COPYING: Final = "chaise_cli.session.server_copies"  # and the network behind this one
_WITH_DATA: Final = frozenset({11, 13})
_LEFT: Final = frozenset({"moved", "changed", "cancelled"})


@verb(app, "calendar push", lists=True)
def push(
    call: Call,
    url: Annotated[
        str | None, typer.Argument(help="A calendar's address; without it all that are known.", metavar="[URL]")
    ] = None,
    user: logins.UserOption = None,
    password_file: logins.PasswordOption = None,
    private: Annotated[
        bool | None, typer.Option("--private/--no-private", help="Write only busy times there, or not.")
    ] = None,
    restore: Annotated[bool, typer.Option("--restore", help="Put back what was changed or deleted there.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what would be done; ask no server.")] = False,
) -> Result:
    """Write your calls into a calendar of their own on a CalDAV server."""
    copying: Any = import_module(_COPYING)
    if url is None and (user is not None or password_file is not None or private is not None):
        raise choosing.NotForThis(verb="calendar push", given="no URL", why="they are those of one calendar")
    login = None if dry_run else logins.given(user, password_file, call.options)
    with call.session() as session:
        if url is None:
            chosen = copying.known(session)
        else:
            take = copying.planned_at(session, url, private=private) if dry_run else None
            taken = take or copying.adopt(session, url, login, private=private)
            if isinstance(taken, copying.Outcome):
                return _told(call, [taken], [])
            chosen = [taken]
        made: Any = import_module(_ENTRIES)
        rows = showing_calls.call_rows(session, showing_calls.Wanted())
        calls = list(zip([id_ for id_, _ in rows], calendars.entries(session, rows), strict=True))
        outcomes = []
        for one in chosen:
            wanted = made.wanted(calls, private=one.private)
            if dry_run:
                outcomes.append(copying.rehearse(session, one, wanted, restore=restore))
            else:
                outcomes.append(copying.push(session, one, wanted, made.read, restore=restore))
        warnings = [*freshness.warnings(session), *(["nothing was sent: that is what a push would do"] * dry_run)]
        return _told(call, outcomes, warnings)


@verb(app, "calendar pull", lists=True)
def pull(
    call: Call,
    url: Annotated[str | None, typer.Argument(help="Only of this calendar.", metavar="[URL]")] = None,
) -> Result:
    """Tell what was changed in the calendars that are pushed to; the ledger stays as it is."""
    copying: Any = import_module(_COPYING)
    made: Any = import_module(_ENTRIES)
    with call.session() as session:
        outcomes = [copying.pull(session, one, made.read) for one in copying.known(session, url)]
        return _told(call, outcomes, freshness.warnings(session))


@verb(app, "calendar forget", lists=True)
def forget(call: Call, url: Annotated[str, typer.Argument(help="A calendar's address.", metavar="URL")]) -> Result:
    """Push to a calendar no more; what lies there stays there."""
    copying: Any = import_module(_COPYING)
    with call.session() as session:
        return call.result(copying.forget(session, url))


def _told(call: Call, outcomes: Sequence[Any], warnings: Sequence[str]) -> Result:
    """One result of all calendars; a server that cannot be reached leaves what the others gave."""
    items = [item for one in outcomes for item in one.items]
    errors = [one.error for one in outcomes if one.error is not None]
    if grave := [error for error in errors if error.exit not in _WITH_DATA]:
        raise grave[0]
    steps = [Next("you", item["command"]) for item in items if item["command"]]
    left = sum(item["did"] in _LEFT for item in items)
    more = [f"{left} of them stand otherwise there, and stay so; chaise calendar push --restore puts them back"]
    return call.result(items, error=errors[0] if errors else None, next=steps, warnings=[*warnings, *more * bool(left)])
