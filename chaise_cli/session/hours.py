"""When one takes calls: read from a file, kept in self for all one's devices, and told to the other side of a deal."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

from chaise_cli.domain import availability, availability_file, shape
from chaise_cli.domain.availability_file import BadAvailability
from chaise_cli.domain.booking_fold import NotASide
from chaise_cli.ids import public
from chaise_cli.session import acting, busy, calls, meeting, rekeying, requests, writing
from chaise_cli.session.acting import Done
from chaise_cli.store import deal_reads, events, selves

if TYPE_CHECKING:
    from chaise_cli.domain.availability import Hours, SelfAvailability, SlotsShared
    from chaise_cli.session.dealing import DealWriter
    from chaise_cli.session.finding import Named
    from chaise_cli.session.requests import Request
    from chaise_cli.session.session import Session
    from chaise_cli.shapes_calls import Availability, DayHours


def read(text: str) -> SelfAvailability:
    """What a file says. Raises BadAvailability."""
    try:
        table = tomllib.loads(text)
    except RecursionError as error:
        raise BadAvailability(where="TOML", why="nested too deeply") from error
    except ValueError as error:
        raise BadAvailability(where="TOML", why=str(error)[:200]) from error
    return availability_file.read(table)


def mine(session: Session) -> SelfAvailability:
    """When I take calls. Raises NoAvailability."""
    own = selves.availability(session.db)
    if own is None:
        raise availability.NoAvailability
    return own


def as_file(session: Session) -> str:
    """When I take calls, as the file that `read` takes; an example before I said so."""
    own = selves.availability(session.db)
    return availability_file.to_toml(own) if own else availability_file.example(session.me.settings.tz)


def keep(session: Session, own: SelfAvailability, asked: Request | None) -> Done:
    """Say when one takes calls, for all one's devices. What was said already is no new event."""
    with session.writing():
        before = requests.replayed(session, asked)
        if before is not None:
            return Done(view(mine(session)), "availability", before.events, replayed=True)
        writer = writing.Writer(session)
        if selves.availability(session.db) != own:
            space = session.space(events.spaces(session.db, "self")[0].no)
            writer.write(rekeying.freshen(session, writer, space), [own], asked)
        made = requests.remember(session, asked, public("id", session.me.identity), writer.written)
        return Done(view(own), "availability", made, replayed=not made)


def share(session: Session, asked: Request | None, what: Named) -> Done:
    """Tell the other side at which times one is free, as it stands now. What was told already is no new event.

    Raises NoAvailability, NotASide and what entering the deal raises.
    """

    def decide(w: DealWriter) -> list[SlotsShared]:
        if w.by.identity not in w.state.deal.parties[:2]:
            raise NotASide
        times = availability.told(mine(session), calls.engaged(session), w.by.now)
        last = deal_reads.told(session.db, w.space.no, w.by.identity)
        return [] if last and last.times == times else [times]

    enter = meeting.reach(session, what)
    return acting.act(session, asked, enter, decide, acting.the_deal, lambda _: busy.warnings(session, ()))


def view(own: SelfAvailability) -> Availability:
    """The object that commands answer with."""
    week = zip(availability_file.WEEKDAYS, own.week, strict=True)
    return {
        "zone": own.zone,
        "hours": [_day(day, hours) for day, hours in week],
        "days": [_day(one.day, one.hours) for one in own.days],
        "calls": [shape.to_data(kind) for kind in own.kinds],
    }


def _day(day: str, hours: tuple[Hours, ...]) -> DayHours:
    return {"day": day, "hours": [availability_file.hours_text(one) for one in hours]}
