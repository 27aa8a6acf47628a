"""Acts in one process: what one costs beyond its durable commit, and whether a deal's history makes it dearer."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks import world
from benchmarks.measure import Figure, medians
from chaise_cli.domain import escrow
from chaise_cli.ids import public
from chaise_cli.session import dealing, naming, syncing, talking, writing
from chaise_cli.store import connection, events

if TYPE_CHECKING:
    from chaise_cli.session.session import Session
    from chaise_cli.store.events import Space

ACTS: Final = 1000
BAR_MS: Final = 1.0  # beyond the commit
SHORT: Final = 100  # events before, in the deals compared
LONG: Final = 5000
GROWTH: Final = 1.5
SAMPLES: Final = 40  # of money acts; each takes a milestone of its own


def figures(folder: Path) -> list[Figure]:
    """One message's median beyond its commit; a message and a money act after 5,000 events against after 100."""
    lisa, james = world.person(folder, "Lisa", "client"), world.person(folder, "James", "talent")
    space = world.board(lisa, member=james)
    act, commit = medians(_message(lisa, _talk(lisa, james, space)), _commit(lisa), ACTS)
    short, long = _signed(lisa, james, space, str(folder))
    world.messages(lisa, short, SHORT - _count(lisa, short))
    world.messages(lisa, long, LONG - _count(lisa, long))
    young, old = medians(_message(lisa, short), _message(lisa, long), SAMPLES * 5)
    first, late = medians(_fund(lisa, short), _fund(lisa, long), SAMPLES)
    return [
        Figure("one act, a message", act * 1000, "ms p50"),
        Figure("bare commit of an equal row", commit * 1000, "ms p50"),
        Figure("one act beyond its commit", (act - commit) * 1000, "ms p50", BAR_MS),
        Figure(f"a message after {SHORT} events", young * 1000, "ms p50"),
        Figure(f"a message after {LONG:,}", old / young, f"× after {SHORT}", GROWTH),
        Figure(f"funding after {SHORT} events", first * 1000, "ms p50"),
        Figure(f"funding after {LONG:,}", late / first, f"× after {SHORT}", GROWTH),
    ]


def _talk(lisa: Session, james: Session, board: Space) -> Space:
    """A deal in which nothing but messages was said so far."""
    deal = world.deal(lisa, world.counterpart(james), board.id)
    world.messages(lisa, deal, 1)
    return deal


def _message(session: Session, deal: Space) -> Callable[[], object]:
    """The whole act as `chaise message` does it, from the id typed to the answer."""
    typed = public("deal", deal.id)
    return lambda: talking.message(session, None, naming.target(session, typed), world.WORDS, [])


def _commit(session: Session) -> Callable[[], object]:
    """One row of the same width, durable, in the same store; nothing else."""
    database = session.db
    row = database.execute("SELECT * FROM event WHERE kind = 'message.sent' LIMIT 1").fetchone()
    names = ", ".join(f"c{number}" for number in range(len(row)))
    database.execute(f"CREATE TABLE bare(no INTEGER PRIMARY KEY, {names})")
    statement = f"INSERT INTO bare({names}) VALUES ({','.join('?' * len(row))})"  # noqa: S608  no value is in it

    def run() -> None:
        with connection.transaction(database):
            database.execute(statement, row)

    return run


def _signed(lisa: Session, james: Session, board: Space, places: str) -> tuple[Space, Space]:
    """Two deals whose terms both have signed, with a milestone for every sample."""
    shared = Path(places, "shared")
    shared.mkdir()
    deals = [world.deal(lisa, world.counterpart(james), board.id) for _ in range(2)]
    for deal in deals:
        world.offer(lisa, deal, SAMPLES)
    syncing.sync_with(lisa, str(shared))
    syncing.sync_with(james, str(shared))
    for deal in deals:
        world.accept(james, deal)
    syncing.sync_with(james, str(shared))
    syncing.sync_with(lisa, str(shared))
    return deals[0], deals[1]


def _fund(session: Session, deal: Space) -> Callable[[], object]:
    """Put money into the next milestone: decided on the state, signed, folded, kept."""
    numbers = itertools.count(1)

    def run() -> None:
        with session.writing():
            writer = dealing.DealWriter(session, writing.Writer(session), session.space(deal.no))
            writer.write(escrow.fund(writer.state.deal, writer.by, next(numbers)))

    return run


def _count(session: Session, deal: Space) -> int:
    return sum(chain.seq + 1 for chain in events.chains(session.db, deal.no))
