"""`chaise inbox`, and `chaise` alone."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from chaise_cli.commands import arguments
from chaise_cli.commands.arguments import LimitOption
from chaise_cli.commands.context import Call, unsent
from chaise_cli.commands.registry import PLAIN, verb
from chaise_cli.render.terminal import put
from chaise_cli.result import Result
from chaise_cli.session import choosing, finding, freshness, inbox
from chaise_cli.session.home import NoHome

app = typer.Typer(**PLAIN)
SHOWN = 9  # with the line of titles, ten
WELCOME = """\
Chaise is hiring from the shell: post a project, propose, agree on terms, hold the money, deliver, release, review.
Every step is a signed event on both sides, encrypted on this machine; no server has to be trusted.
Nothing is here yet. Begin with: chaise init    and then, with an invite from somebody: chaise board join
"""


@verb(app, "inbox", lists=True)
def show_inbox(
    call: Call,
    kind: Annotated[list[str] | None, typer.Option("--kind", help="As terms or message.", metavar="KIND")] = None,
    with_: Annotated[str | None, typer.Option("--with", help="Only with this person.", metavar="@PERSON")] = None,
    since: Annotated[
        str | None, typer.Option("--since", help="Only deals that moved from then on.", metavar="TIME")
    ] = None,
    limit: LimitOption = None,
    sort: Annotated[str, typer.Option("--sort", help="urgency, or at (newest first).", metavar="KEY")] = "urgency",
    all_: Annotated[bool, typer.Option("--all", help="Also what waits for others.")] = False,
) -> Result | None:
    """Show what waits for you."""
    kinds = choosing.some_of(kind, inbox.KINDS, "--kind")
    key = choosing.one_of(sort, inbox.SORTS, "--sort")
    try:
        with call.session() as session:
            person = finding.person(session, with_) if with_ else None
            start = arguments.since(since, call.here(session)) if since else None
            wanted = inbox.Wanted(kinds, person, start, all_, key, limit or SHOWN)
            found = inbox.items(session, wanted)
            return call.result(found, next=unsent(session), warnings=freshness.warnings(session))
    except NoHome:
        if call.options.format != "human":
            raise
        put(sys.stdout, WELCOME)
        return None
