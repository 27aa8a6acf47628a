"""`chaise agenda`."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from chaise_cli.commands import arguments
from chaise_cli.commands import ics as files
from chaise_cli.commands.arguments import LimitOption
from chaise_cli.commands.context import Call
from chaise_cli.commands.registry import PLAIN, verb
from chaise_cli.domain import when
from chaise_cli.result import Result
from chaise_cli.session import agenda as dates
from chaise_cli.session import calendars, finding, freshness

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chaise_cli.session.session import Session

app = typer.Typer(**PLAIN)
_ICAL = "chaise_cli.export.ical"  # loaded only for a file


@verb(app, "agenda", lists=True)
def agenda(
    call: Call,
    with_: Annotated[str | None, typer.Option("--with", help="Only deals with them.", metavar="@P")] = None,
    since: Annotated[str | None, typer.Option("--since", help="From then on; else from now.", metavar="T")] = None,
    until: Annotated[str | None, typer.Option("--until", help="Before then.", metavar="T")] = None,
    kind: Annotated[
        list[str] | None, typer.Option("--kind", help="Only these; may be repeated.", metavar="KIND")
    ] = None,
    limit: LimitOption = None,
    ics: Annotated[
        Path | None, typer.Option("--ics", help="Write the dates as a calendar file; - is stdout.", metavar="FILE")
    ] = None,
    private: Annotated[bool, typer.Option("--private", help="Only Busy in the file, no titles or people.")] = False,
) -> Result | None:
    """List deadlines and calls by date."""
    files.checked(call, ics)
    with call.session() as session, session.reading():
        here = call.here(session)
        window = dates.Window(
            arguments.since(since, here) if since is not None else here.now,
            arguments.deadline(until, here) if until is not None else None,
            finding.person(session, with_) if with_ is not None else None,
            dates.kinds(kind or ()),
        )
        found = dates.items(session, window)[:limit]
        result = call.result([item.shape() for item in found], warnings=freshness.warnings(session))
        return result if ics is None else files.written(call, ics, _feed(session, found, private=private), result)


def _feed(session: Session, found: Sequence[dates.Item], *, private: bool) -> bytes:
    ical: Any = import_module(_ICAL)
    owner = ical.Person(*calendars.address(session, session.me.identity))
    deadlines = [
        ical.Deadline(
            dates.uid(item),
            when.utc(item.at),
            item.tz,
            item.consequence,
            item.of,
            when.utc(item.changed),
            organizer=owner,
        )
        for item in found
        if item.kind != "call"  # bookings --ics writes those, with their length
    ]
    name = f"Chaise agenda of {session.me.settings.name}"
    made: bytes = ical.calendar([], deadlines, name=name, method="PUBLISH", private=private)
    return made
