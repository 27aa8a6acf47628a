"""`chaise show`."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from chaise_cli.commands import ics as files
from chaise_cli.commands.context import Call
from chaise_cli.commands.registry import PLAIN, verb
from chaise_cli.domain.light import NamedTuple
from chaise_cli.errors import Usage
from chaise_cli.render.emit import note
from chaise_cli.render.terminal import put, safe
from chaise_cli.result import Result
from chaise_cli.session import choosing, freshness, looking, zones

if TYPE_CHECKING:
    from chaise_cli.ids import EventId
    from chaise_cli.session.finding import Named
    from chaise_cli.session.session import Session

app = typer.Typer(**PLAIN)
_MESSAGE = "a call goes out with --ics FILE, and never with --private, which leaves out who is invited"
CALENDAR = "Chaise"
_CALENDAR = "chaise_cli.export.calls"  # icalendar is behind this door
_CALENDARS = "chaise_cli.session.calendars"
_COMPARING = "chaise_cli.session.comparing"
_INVITING = "chaise_cli.session.inviting"  # what few calls need
_MAIL = "chaise_cli.export.mail"
_TERMS = "chaise_cli.render.views_terms"


class Form(NamedTuple):
    """How a call is written: as a message of that method, as a mail, or as a calendar that says only when."""

    method: str | None
    eml: bool
    private: bool


class DiffOfTerms(Usage):
    """A comparison of something without terms."""

    code = "usage.diff_of_terms"
    message = "--diff compares terms"
    hint = "chaise show DEAL --terms --diff"


@verb(app, "show")
def show(
    call: Call,
    what: Annotated[str, typer.Argument(help="Any id, a milestone DEAL/1, or @james.", metavar="ID")],
    terms: Annotated[bool, typer.Option("--terms", help="The terms of a deal.")] = False,
    diff: Annotated[bool, typer.Option("--diff", help="What they change.")] = False,
    ics: Annotated[
        Path | None, typer.Option("--ics", help="Write a call as a calendar file; - is stdout.", metavar="FILE")
    ] = None,
    private: Annotated[bool, typer.Option("--private", help="Only busy times in that file.")] = False,
    method: Annotated[
        str | None, typer.Option("--method", help="Write it as that message: request, reply, …", metavar="METHOD")
    ] = None,
    eml: Annotated[bool, typer.Option("--eml", help="Write the message as a ready mail.")] = False,
) -> Result | None:
    """Show anything by its id."""
    if diff and not terms:
        raise DiffOfTerms
    if (method or eml) and (ics is None or private):
        raise choosing.NotForThis(verb="a message", given="--private" if private else what[:60], why=_MESSAGE)
    files.checked(call, ics)
    with call.session() as session:
        (shape, data), named = looking.anything(session, what)
        if terms:
            data = data | _terms(session, named, what, diff=diff)
        result = call.result(data, shape=shape, warnings=[*freshness.warnings(session), *zones.warnings([data])])
        if ics is not None:
            kind, file = _file(session, _call(named, what), Form(method, eml, private))
            answer = files.written(call, ics, file, result)
            if kind:
                note(f"written as {kind}; chaise sends nothing", call.options)
            if answer is None:
                return None
    if terms and call.options.format == "human":
        for warning in result.warnings:
            put(sys.stderr, f"warning: {safe(warning)}\n")
        view: Any = import_module(_TERMS)
        put(sys.stdout, view.difference(data, call.options) if diff else view.text(data["terms"], call.options))
        return None
    return result


def _terms(session: Session, named: Named | None, given: str, *, diff: bool) -> dict[str, Any]:
    if named is None or named.kind != "deal" or named.n is not None:
        raise choosing.NotForThis(verb="show --terms", given=given[:60], why="terms belong to a deal: chaise show DEAL")
    comparing: Any = import_module(_COMPARING)
    compared: dict[str, Any] = comparing.terms(session, named.space, diff=diff)
    return compared


def _call(named: Named | None, given: str) -> EventId:
    if named is None or named.kind != "book":
        raise choosing.NotForThis(verb="show --ics", given=given[:60], why="all calls: chaise bookings --ics FILE")
    return named.event


def _file(session: Session, booking: EventId, form: Form) -> tuple[str | None, bytes]:
    """The file, and the method of a message."""
    made: Any = import_module(_CALENDAR)
    calendars: Any = import_module(_CALENDARS)
    if form.method is None and not form.eml:
        (shown,) = calendars.entries(session, [calendars.row_of(session, booking)])
        return None, made.calendar_of(shown, name=CALENDAR, private=form.private)
    inviting: Any = import_module(_INVITING)
    message = inviting.message(session, booking, form.method, mail=form.eml)
    data = made.message_of(message.shown, message.method)
    if form.eml:
        mail: Any = import_module(_MAIL)
        sender, recipient = (made.person(message.shown, side) for side in (message.sender, message.recipient))
        data = mail.letter(data, message.method, message.shown.summary, sender, recipient)
    return str(message.method), data
