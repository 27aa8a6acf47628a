"""`chaise accept`."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any

import typer

from chaise_cli.commands import arguments
from chaise_cli.commands.arguments import StrictBusyOption, ZoneOption
from chaise_cli.commands.context import Call, unsent
from chaise_cli.commands.registry import PLAIN, verb
from chaise_cli.domain.booking import SLOTS_MOST
from chaise_cli.domain.when import both_zones
from chaise_cli.errors import Usage
from chaise_cli.render import prompts
from chaise_cli.render.emit import note
from chaise_cli.render.terminal import put
from chaise_cli.result import Result
from chaise_cli.session import answering, busy, calls, showing, showing_deals
from chaise_cli.session.answering import Answer

if TYPE_CHECKING:
    from chaise_cli.session.finding import Named
    from chaise_cli.session.session import Session

app = typer.Typer(**PLAIN)
_TERMS = "chaise_cli.render.views_terms"  # what a script does not load


class TermsHashWanted(Usage):
    """A script signs terms without saying which."""

    code = "terms.hash_wanted"
    message = "off a terminal {deal} is signed with --terms HASH, the hash of the terms that were read"
    hint = "read them: chaise show {deal} --terms; then: chaise accept {deal} --terms {terms}"
    deal: str
    terms: str


@verb(app, "accept", writes=True)
def accept(
    call: Call,
    what: Annotated[str, typer.Argument(help="Terms, a call, or a cancel request.", metavar="DEAL|BOOKING|DEAL/N")],
    terms: Annotated[
        str | None, typer.Option("--terms", help="The hash of the terms you read.", metavar="HASH")
    ] = None,
    slot: Annotated[
        int | None, typer.Option("--slot", min=1, max=SLOTS_MOST, help="Which of the offered times.", metavar="N")
    ] = None,
    at: Annotated[str | None, typer.Option("--at", help="The same, by its time.", metavar="TIME")] = None,
    tz: ZoneOption = None,
    allow_overlap: Annotated[bool, typer.Option("--allow-overlap", help="Even when you have another call.")] = False,
    beyond_limits: Annotated[
        bool, typer.Option("--beyond-limits", help="Even sooner, or one more, than your availability says.")
    ] = False,
    strict_busy: StrictBusyOption = False,
) -> Result:
    """Accept terms, a time for a call, or a cancel request."""
    with call.session() as session:
        named = answering.name(session, what, exact=not call.asks)
        time = arguments.moment(at, call.here(session, tz)) if at else None
        asked = call.request(
            of=named.id, n=named.n, terms=terms, slot=slot, at=time, overlap=allow_overlap, limits=beyond_limits
        )
        given = Answer(named, asked, None, terms, slot, time, allow_overlap, beyond_limits, strict_busy)
        if answering.kind_of(named) == "deal" and terms is None:
            given = given._replace(terms_hash=_read(call, session, named))
        if answering.kind_of(named) == "booking":
            busy.look(session, web=call.wants_sync(session))
            _echo(call, session, given)
        done = answering.answer(session, "accept", given)
        return call.result(**done.answer(unsent(session)))


def _read(call: Call, session: Session, named: Named) -> str | None:
    """The hash of the terms, once they were shown and a person said yes; None where there is nothing to sign."""
    state = showing.state_of(session, named.space)
    found = showing_deals.terms_of(session, state)
    if found is None or state.deal.state != "offered" or not _waits_for_us(session, state):
        return None  # the rules say what is wrong, or that it was done
    if not call.asks:
        raise TermsHashWanted(deal=state.deal.public, terms=str(found["hash"]))
    view: Any = import_module(_TERMS)
    put(sys.stderr, view.text(found, call.options))
    prompts.confirm("Sign these terms?", "--terms HASH", call.options)
    return str(found["hash"])


def _waits_for_us(session: Session, state: Any) -> bool:
    """Whether the open offer waits for this side."""
    return bool(state.deal.offer and state.deal.offer.by != session.me.identity)


def _echo(call: Call, session: Session, given: Answer) -> None:
    """Say in both zones which time is about to be agreed."""
    start = calls.chosen(session, given.what.event, given.slot, given.at)
    if start is not None:
        here = session.me.settings.tz
        note(both_zones(start, here, calls.other_zone(session, given.what) or here), call.options)
