"""`chaise bookings`."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

from chaise_cli.commands import arguments, texts
from chaise_cli.commands import ics as files
from chaise_cli.commands.arguments import LimitOption
from chaise_cli.commands.context import Call
from chaise_cli.commands.registry import PLAIN, verb
from chaise_cli.result import Next, Result
from chaise_cli.session import choosing, finding, freshness, naming, showing_calls, zones

app = typer.Typer(**PLAIN)
SHOWN = 50
CALENDAR = "Chaise"
_ANSWERS = "chaise_cli.export.answers"
_INVITING = "chaise_cli.session.inviting"
_CALENDAR = "chaise_cli.export.calls"  # icalendar is behind this door
_CALENDARS = "chaise_cli.session.calendars"


@verb(app, "bookings", lists=True)
def bookings(
    call: Call,
    deal: Annotated[str | None, typer.Argument(help="Only of one deal.", metavar="DEAL")] = None,
    state: Annotated[
        list[str] | None, typer.Option("--state", help="As confirmed; may be repeated.", metavar="STATE")
    ] = None,
    with_: Annotated[str | None, typer.Option("--with", help="Only with this person.", metavar="@PERSON")] = None,
    since: Annotated[str | None, typer.Option("--since", help="Only what begins from then on.", metavar="TIME")] = None,
    limit: LimitOption = None,
    sort: Annotated[str, typer.Option("--sort", help="at (latest first), start or state.", metavar="KEY")] = "at",
    ics: Annotated[
        Path | None, typer.Option("--ics", help="Write them all as a calendar file; - is stdout.", metavar="FILE")
    ] = None,
    private: Annotated[bool, typer.Option("--private", help="Only busy times in that file.")] = False,
    name: Annotated[str, typer.Option("--name", help="What calendars call that file.", metavar="TEXT")] = CALENDAR,
    read: Annotated[
        Path | None, typer.Option("--read", help="Say what an answer to an invitation asks for.", metavar="FILE")
    ] = None,
) -> Result | None:
    """List calls, or write them as a calendar file."""
    if read is not None:
        if deal or state or with_ or since or ics or private:
            raise choosing.NotForThis(verb="bookings --read", given="the other options", why="give --read FILE alone")
        return _read(call, read)
    files.checked(call, ics)
    states = choosing.some_of(state, showing_calls.STATES, "--state")
    key = choosing.one_of(sort, showing_calls.SORTS, "--sort")
    with call.session() as session:
        named = naming.deal(session, deal) if deal else None
        person = finding.person(session, with_) if with_ else None
        start = arguments.since(since, call.here(session)) if since else None
        wanted = showing_calls.Wanted(
            states, person, start, named.space if named else None, sort=key, limit=limit or SHOWN
        )
        found = showing_calls.calls(session, wanted)
        result = call.result(found, warnings=[*freshness.warnings(session), *zones.warnings(found)])
        if ics is None:
            return result
        made: Any = import_module(_CALENDAR)
        calendars: Any = import_module(_CALENDARS)
        shown = calendars.entries(session, showing_calls.call_rows(session, wanted))
        return files.written(call, ics, made.feed_of(shown, name=name, private=private), result)


def _read(call: Call, path: Path) -> Result:
    """The call that a mail or a calendar file answers, and the command that signs what it asks for."""
    answers: Any = import_module(_ANSWERS)
    inviting: Any = import_module(_INVITING)
    said = answers.read(texts.file_bytes(path, answers.BYTES_MOST))
    with call.session() as session:
        asked = inviting.asked(session, said)
        steps = [Next(f"you, as the {said.method} asks", asked.command)] if asked.command else []
        warnings = [*([asked.why] if asked.why else []), *freshness.warnings(session)]
        return call.result([asked.data], next=steps, warnings=warnings)
