"""`chaise cancel`."""

from __future__ import annotations

from typing import Annotated

import typer

from chaise_cli.commands import arguments
from chaise_cli.commands.arguments import ZoneOption
from chaise_cli.commands.context import Call, unsent
from chaise_cli.commands.registry import PLAIN, verb
from chaise_cli.commands.texts import TextSource, text
from chaise_cli.errors import Usage
from chaise_cli.result import Result
from chaise_cli.session import answering
from chaise_cli.session.answering import Answer

app = typer.Typer(**PLAIN)


class OneTimeWithoutReason(Usage):
    """A reason for leaving out some times of a check-in."""

    code = "booking.on_reason"
    message = "--on takes no reason"
    hint = "say it in a message: chaise message DEAL TEXT"


@verb(app, "cancel", writes=True)
def cancel(
    call: Call,
    what: Annotated[str, typer.Argument(help="A call, or a milestone.", metavar="BOOKING|DEAL/N")],
    reason: Annotated[str | None, typer.Option("--reason", help="Why; - reads stdin.", metavar="TEXT")] = None,
    on: Annotated[
        list[str] | None, typer.Option("--on", help="Only this time of a check-in; may be repeated.", metavar="TIME")
    ] = None,
    tz: ZoneOption = None,
) -> Result:
    """Cancel a confirmed call or an undelivered milestone."""
    words = text(TextSource(reason, None, "--reason"))
    if on and reason:
        raise OneTimeWithoutReason
    with call.session() as session:
        named = answering.name(session, what, exact=not call.asks)
        times = tuple(arguments.moment(time, call.here(session, tz)) for time in on or ())
        asked = call.request(of=named.id, n=named.n, reason=words, on=times)
        done = answering.answer(session, "cancel", Answer(named, asked, words, on=times))
        return call.result(**done.answer(unsent(session)))
