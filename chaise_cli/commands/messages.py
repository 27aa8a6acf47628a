"""`chaise messages`."""

from __future__ import annotations

from typing import Annotated

import typer

from chaise_cli.commands import arguments
from chaise_cli.commands.arguments import LimitOption
from chaise_cli.commands.context import Call
from chaise_cli.commands.registry import PLAIN, verb
from chaise_cli.result import Result
from chaise_cli.session import choosing, conversations, finding, freshness, naming

app = typer.Typer(**PLAIN)
SHOWN = 50


@verb(app, "messages", lists=True)
def messages(
    call: Call,
    deal: Annotated[str | None, typer.Argument(help="One deal; then they count as read.", metavar="DEAL")] = None,
    state: Annotated[list[str] | None, typer.Option("--state", help="unread, read or sent.", metavar="STATE")] = None,
    with_: Annotated[str | None, typer.Option("--with", help="Only with this person.", metavar="@PERSON")] = None,
    since: Annotated[str | None, typer.Option("--since", help="Only from then on.", metavar="TIME")] = None,
    limit: LimitOption = None,
    sort: Annotated[str, typer.Option("--sort", help="at (newest first) or oldest.", metavar="KEY")] = "at",
) -> Result:
    """Read a conversation."""
    states = choosing.some_of(state, conversations.STATES, "--state")
    key = choosing.one_of(sort, conversations.SORTS, "--sort")
    with call.session() as session:
        named = naming.deal(session, deal) if deal else None
        person = finding.person(session, with_) if with_ else None
        start = arguments.since(since, call.here(session)) if since else None
        wanted = conversations.Wanted(named.space if named else None, person, states, start, key, limit or SHOWN)
        found = conversations.conversation(session, wanted)
        if named:
            conversations.mark_read(session, named.space, found)
        return call.result(found, warnings=freshness.warnings(session))
