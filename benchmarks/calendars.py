"""A calendar of 2,000 entries read for busy time, once and again; free times beside it; 1,000 calls as a file."""

from __future__ import annotations

import resource
import statistics
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks import world
from benchmarks.measure import Figure
from chaise_cli.domain import booking_acts, when
from chaise_cli.domain.booking import BookingAccepted, BookingOffered
from chaise_cli.export import calls as made
from chaise_cli.ids import public
from chaise_cli.session import (
    busy,
    busy_sources,
    calendars,
    dealing,
    free_times,
    hours,
    naming,
    showing_calls,
    syncing,
    writing,
    zones,
)
from chaise_cli.session.busy_sources import Adding
from chaise_cli.store import deal_reads, events

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from chaise_cli.domain.booking import BookingBody
    from chaise_cli.session.finding import Named
    from chaise_cli.session.session import Session
    from chaise_cli.store.events import Space

ENTRIES: Final = 2_000
ROUNDS: Final = 11
ONCE_MS: Final = 1_500.0
AGAIN_MS: Final = 10.0
CALLS: Final = 1_000
DEALS: Final = 20
WRITTEN_MS: Final = 500.0


def figures(folder: Path) -> list[Figure]:
    """CPU of the first reading with its process, of a look at the same content, of free times and of many calls."""
    lisa, james = world.person(folder, "Lisa", "client"), world.person(folder, "James", "talent")
    board = world.board(lisa, member=james)
    deals = [world.deal(lisa, world.counterpart(james), board.id) for _ in range(DEALS)]
    path = folder / "work.ics"
    path.write_text(_calendar(james.clock.now()), encoding="utf-8")
    start = _cpu()
    read = busy_sources.add(james, Adding(str(path)))
    once = _cpu() - start
    assert read.shapes[0]["busy"] == ENTRIES, read
    hours.keep(james, hours.read(hours.as_file(james)), None)
    _agree(folder, lisa, james, deals[:1], 1)
    named = naming.callee(james, public("deal", deals[0].id))
    slots = _median(lambda: _slots(james, named))
    _agree(folder, lisa, james, deals, CALLS // DEALS)
    return [
        Figure(f"calendar of {ENTRIES:,} entries read", once * 1000, "ms of CPU", ONCE_MS),
        Figure("looked at again, and all its busy time", _median(lambda: _again(james)), "ms of CPU p50", AGAIN_MS),
        Figure(f"free times beside {ENTRIES:,} busy ones", slots, "ms of CPU p50", AGAIN_MS),
        Figure(
            f"{CALLS:,} calls of {DEALS} deals, from the store to a file",
            _median(lambda: _written(james, folder)), "ms of CPU p50", WRITTEN_MS,
        ),
    ]  # fmt: skip


def _median(run: Callable[[], Any]) -> float:
    """CPU of the process in ms, the median of some runs."""
    took = []
    for _ in range(ROUNDS):
        before = _cpu()
        run()
        took.append((_cpu() - before) * 1000)
    return statistics.median(took)


def _again(james: Session) -> None:
    busy.look(james, web=False)
    busy.taken(james, james.clock.now())


def _slots(james: Session, named: Named) -> None:
    """All of `book DEAL --slots` between the open home and the answer."""
    busy.look(james, web=False)
    assert free_times.find(james, named, None, 14 * when.DAY).slots


def _written(james: Session, folder: Path) -> None:
    """All of `bookings --ics FILE` between the open home and the answer."""
    wanted = deal_reads.Wanted(limit=50)
    showing_calls.calls(james, wanted)
    shown = calendars.entries(james, showing_calls.call_rows(james, wanted))
    assert len(shown) >= CALLS
    calendars.write_calendar(folder / "calls.ics", made.feed_of(shown, name="Calls", private=False))


def _agree(folder: Path, lisa: Session, james: Session, deals: Sequence[Space], each: int) -> None:
    """So many further calls in each deal, one after the other in turn of the deals, in two zones; all agreed."""
    begin = lisa.clock.now() + 2 * when.DAY
    for number, deal in enumerate(deals):
        starts = [begin + (n * len(deals) + number) * 3 * when.HOUR for n in range(each)]
        offers = [_offer(start, "Europe/Berlin" if n % 2 else "America/New_York") for n, start in enumerate(starts)]
        _write(lisa, deal, offers)
    syncing.sync_with(lisa, str(folder))
    syncing.sync_with(james, str(folder))
    for deal in deals:
        theirs = events.find_space(james.db, deal.id)
        assert theirs, "the deal has arrived"
        calls = deal_reads.state(james.db, theirs.no).bookings.by_id.values()
        yes = [BookingAccepted(call.id, call.open.id, 1, allow_overlap=False) for call in calls if call.open]
        _write(james, theirs, yes)


def _write(session: Session, deal: Space, bodies: Sequence[BookingBody]) -> None:
    with session.writing():
        dealing.DealWriter(session, writing.Writer(session), session.space(deal.no)).write(bodies)


def _offer(start: int, tz: str) -> BookingOffered:
    slot = booking_acts.slot_at(start - start % when.HOUR, tz, 30, zones.data_version())
    url = "https://meet.example/x"
    return BookingOffered(None, None, (slot,), start - when.HOUR, url, "What it is about", 120, allow_overlap=False)


def _cpu() -> float:
    """CPU seconds of this process and of those it waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _calendar(now: int) -> str:
    """An entry every four hours, each of an hour in Berlin, with the words that calendars carry."""
    entries = [
        f"BEGIN:VEVENT\r\nUID:{n}@example.org\r\nDTSTAMP:20261101T090000Z\r\nSUMMARY:Meeting {n}\r\n"
        f"DTSTART;TZID=Europe/Berlin:{when.utc(now + n * 4 * when.HOUR):%Y%m%dT%H%M%S}\r\nDURATION:PT1H\r\n"
        "DESCRIPTION:What it is about\\, in some words that nobody here reads.\r\nTRANSP:OPAQUE\r\nEND:VEVENT\r\n"
        for n in range(ENTRIES)
    ]
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{''.join(entries)}END:VCALENDAR\r\n"
