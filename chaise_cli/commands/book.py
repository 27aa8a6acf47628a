"""`chaise book`."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from chaise_cli.commands import arguments
from chaise_cli.commands.arguments import StrictBusyOption, ZoneOption, duration
from chaise_cli.commands.context import Call, unsent
from chaise_cli.commands.here import Here
from chaise_cli.commands.links import call_link
from chaise_cli.commands.registry import PLAIN, verb
from chaise_cli.domain.booking import TIMES_MOST
from chaise_cli.domain.when import DAY, MINUTE, WEEK, both_zones
from chaise_cli.errors import Usage
from chaise_cli.render.emit import note as say
from chaise_cli.result import Result
from chaise_cli.session import busy, calls, naming
from chaise_cli.session.choosing import NotForThis

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chaise_cli.session.acting import Done
    from chaise_cli.session.finding import Named
    from chaise_cli.session.session import Session

app = typer.Typer(**PLAIN)
AHEAD: Final = 14 * DAY
AHEAD_MOST: Final = 366 * DAY
_FREE_TIMES: Final = "chaise_cli.session.free_times"  # what an offer need not load


class OfferOrOutcome(Usage):
    """Neither times nor an outcome, or two of these."""

    code = "booking.nothing_said"
    message = "say when, or how the call went"
    hint = 'one of: --at "2026-11-25 15:00" (up to five times); --slots; --met; --no-show client or --no-show talent'


class OutcomeOfCall(Usage):
    """An outcome for something that is no call."""

    code = "booking.outcome_of_call"
    message = "only a call can have taken place, and {given} is none"
    hint = "chaise bookings lists them"
    given: str


class BadStep(Usage):
    """A check-in that does not come every so many days."""

    code = "booking.bad_step"
    message = "a check-in comes every so many days, not every {given}"
    hint = "--every day, --every week, --every 2w"
    given: str


def step(text: str) -> int:
    """Days from one time of a check-in to the next: day, week, or whole days such as 2w. Raises BadStep."""
    days, rest = divmod({"day": DAY, "week": WEEK}.get(text) or arguments.duration(text), DAY)
    if rest or not days:
        raise BadStep(given=text[:20])
    return days


@verb(app, "book", writes=True)
def book(
    call: Call,
    what: Annotated[
        str, typer.Argument(help="Whom to call; or a call, for another time.", metavar="DEAL|POST|@PERSON|BOOKING")
    ],
    at: Annotated[list[str] | None, typer.Option("--at", help="A time; up to five, one each.", metavar="TIME")] = None,
    tz: ZoneOption = None,
    for_: Annotated[
        int | None, typer.Option("--for", parser=duration, help="How long; 30m unless said.", metavar="LENGTH")
    ] = None,
    url: Annotated[
        str | None, typer.Option("--url", parser=call_link, help="Where to call: https, tel, sip, xmpp.", metavar="URL")
    ] = None,
    note: Annotated[str | None, typer.Option("--note", help="What it is about.", metavar="TEXT")] = None,
    until: Annotated[str | None, typer.Option("--until", help="How long the offer is good.", metavar="TIME")] = None,
    notice: Annotated[
        int | None, typer.Option("--notice", parser=duration, help="Cancelling later is late; 2h.", metavar="LENGTH")
    ] = None,
    every: Annotated[
        int | None, typer.Option("--every", parser=step, help="Again each day, week, 2w.", metavar="STEP")
    ] = None,
    times: Annotated[
        int | None, typer.Option("--times", min=2, max=TIMES_MOST, help="How many times in all.", metavar="N")
    ] = None,
    allow_overlap: Annotated[bool, typer.Option("--allow-overlap", help="Even when you have another call.")] = False,
    beyond_limits: Annotated[
        bool, typer.Option("--beyond-limits", help="Even sooner, or one more, than your availability says.")
    ] = False,
    slots: Annotated[bool, typer.Option("--slots", help="List times that are free on both sides.")] = False,
    within: Annotated[
        int | None, typer.Option("--in", parser=duration, help="How far ahead, with --slots; 14d.", metavar="LENGTH")
    ] = None,
    strict_busy: StrictBusyOption = False,
    met: Annotated[bool, typer.Option("--met", help="Say that the call took place.")] = False,
    no_show: Annotated[
        str | None, typer.Option("--no-show", help="Say who was missing.", metavar="client|talent|@PERSON")
    ] = None,
) -> Result:
    """Offer times for a call, or another time."""
    if sum((bool(at), met, no_show is not None, slots)) != 1 or ((every or times) and not at):
        raise OfferOrOutcome
    if within is not None and not slots:
        raise NotForThis(verb="--in", given="an offer or an outcome", why="it goes with --slots")
    with call.session(reads=slots) as session:
        named = naming.callee(session, what)
        if at or slots:
            busy.look(session, web=call.wants_sync(session, reads=slots))
        if slots:
            free: Any = import_module(_FREE_TIMES)
            found = free.find(session, named, for_, min(within or AHEAD, AHEAD_MOST))
            return call.result(found.slots, shape="free_slot", warnings=found.warnings, next=found.next)
        if not at:
            done = _outcome(call, session, named, what, no_show)
        else:
            here = call.here(session, tz)
            starts = [arguments.moment(time, here) for time in at]
            end = arguments.moment(until, here) if until else None
            minutes = -(-notice // MINUTE) if notice is not None else None
            offering = calls.Offering(
                starts, here.tz, for_, end, url, note, minutes, allow_overlap, beyond_limits, strict_busy, every, times
            )
            _echo(call, here, starts, calls.other_zone(session, named))
            done = calls.offer(session, call.request(of=named.id, **offering._asdict()), named, offering)
        return call.result(**done.answer(unsent(session)))


def _outcome(call: Call, session: Session, named: Named, given: str, missing: str | None) -> Done:
    if named.kind != "book":
        raise OutcomeOfCall(given=given[:60])
    asked = call.request(of=named.id, missing=missing)
    return calls.outcome(session, asked, named.event, missing)


def _echo(call: Call, here: Here, times: Sequence[int], other: str | None) -> None:
    """Say what was understood, in both zones, before it is signed."""
    for time in times:
        say(both_zones(time, here.tz, other or here.tz), call.options)
