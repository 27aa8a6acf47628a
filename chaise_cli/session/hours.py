"""When one takes calls: read from a file, kept in self for all one's devices."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Final

from chaise_cli.domain import availability, availability_file, shape, slots, when
from chaise_cli.domain.availability_file import BadAvailability
from chaise_cli.ids import public
from chaise_cli.session import rekeying, requests, writing
from chaise_cli.session.acting import Done
from chaise_cli.store import deal_reads, events, selves

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chaise_cli.domain.availability import Hours, SelfAvailability
    from chaise_cli.ids import EventId
    from chaise_cli.session.requests import Request
    from chaise_cli.session.session import Session
    from chaise_cli.shapes_calls import Availability, DayHours

TOLD: Final = 5  # calls outside one's hours, one by one


def read(text: str) -> SelfAvailability:
    """What a file says. Raises BadAvailability."""
    try:
        table = tomllib.loads(text)
    except RecursionError as error:
        raise BadAvailability(where="TOML", why="nested too deeply") from error
    except ValueError as error:
        raise BadAvailability(where="TOML", why=str(error)[:200]) from error
    return availability_file.read(table)


def mine(session: Session) -> Availability:
    """When I take calls. Raises NoAvailability."""
    own = selves.availability(session.db)
    if own is None:
        raise availability.NoAvailability
    return _view(own)


def as_file(session: Session) -> str:
    """When I take calls, as the file that `read` takes; an example before I said so."""
    own = selves.availability(session.db)
    return availability_file.to_toml(own) if own else availability_file.example(session.me.settings.tz)


def outside(session: Session) -> list[str]:
    """Warnings of agreed calls to come that do not lie in the hours as they stand, the next ones first."""
    own = selves.availability(session.db)
    if own is None:
        return []
    me, now = session.me.identity, session.clock.now()
    ahead = {*deal_reads.calls_ahead(session.db, me, now), *deal_reads.calls_ahead(session.db, me, now, client=True)}
    times: dict[EventId, list[int]] = {}
    try:
        for begins, ends, call in sorted(ahead):
            if not slots.in_hours(own, begins, ends):
                times.setdefault(call, []).append(begins)
    except when.UnknownZone as error:  # said on a device whose zone data is newer
        return [error.sentence()]
    told = [_outside(session, call, starts) for call, starts in times.items()]
    return [*told[:TOLD], *([f"and {len(told) - TOLD} calls more lie outside these hours"] if told[TOLD:] else [])]


def _outside(session: Session, call: EventId, starts: Sequence[int]) -> str:
    shown, more = public("book", call), len(starts) - 1
    at = when.one_zone(starts[0], session.me.settings.tz) + (f", with {more} times more," if more else "")
    return f"{shown} at {at} lies outside these hours; another time: chaise book {shown} --at TIME"


def keep(session: Session, own: SelfAvailability, asked: Request | None) -> Done:
    """Say when one takes calls, for all one's devices. What was said already is no new event."""
    with session.writing():
        before = requests.replayed(session, asked)
        if before is not None:
            return Done(mine(session), "availability", before.events, replayed=True, warnings=outside(session))
        writer = writing.Writer(session)
        if selves.availability(session.db) != own:
            space = session.space(events.spaces(session.db, "self")[0].no)
            writer.write(rekeying.freshen(session, writer, space), [own], asked)
        made = requests.remember(session, asked, public("id", session.me.identity), writer.written)
        return Done(_view(own), "availability", made, replayed=not made, warnings=outside(session))


def _view(own: SelfAvailability) -> Availability:
    week = zip(availability_file.WEEKDAYS, own.week, strict=True)
    return {
        "zone": own.zone,
        "hours": [_day(day, hours) for day, hours in week],
        "days": [_day(one.day, one.hours) for one in own.days],
        "calls": [shape.to_data(kind) for kind in own.kinds],
    }


def _day(day: str, hours: tuple[Hours, ...]) -> DayHours:
    return {"day": day, "hours": [availability_file.hours_text(one) for one in hours]}
