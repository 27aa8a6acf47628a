"""An agent for others: how many authorisations it settles on the sim, and what folding a long deal takes from zero."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.measure import Figure, median
from chaise_cli import clock
from chaise_cli.domain import escrow, talk
from chaise_cli.domain.order import Taken
from chaise_cli.domain.terms import Part
from chaise_cli.rails.sim import Sim
from chaise_cli.session import agent_loop, dealing, writing
from chaise_cli.session import hiring as hire
from chaise_cli.store import connection, deals, events
from tests.fakes import homes
from tests.fakes.sim_process import SimProcess

if TYPE_CHECKING:
    from chaise_cli.ids import SpaceId
    from chaise_cli.session.session import Session

DEALS: Final = 20
PARTS: Final = 20  # milestones of each
LENGTH: Final = 1_000  # events of the deal that is folded
FOLDS: Final = 15
SETTLED: Final = 100  # authorisations a second
FOLD_MS: Final = 50


def figures(folder: Path) -> list[Figure]:
    """Authorisations to fund and to release, each until its money has moved; then the fold."""
    homes.market(folder)
    lisa, james, ada = (_opened(folder, name) for name in ("lisa", "james", "mallory"))
    made = [_hired(lisa, james, ada) for _ in range(DEALS)]
    with SimProcess(folder, control=False) as sim:
        rail = Sim(sim.url)
        agent_loop.work(ada, {"sim": rail}.get, consent=True)
        homes.meet(lisa, james, ada)
        held = _settle(lisa, ada, rail, [(deal, n, "fund") for deal in made for n in range(1, PARTS + 1)])
        homes.meet(lisa, james, ada)
        paid = _settle(lisa, ada, rail, [(deal, n, "release") for deal in made for n in range(1, PARTS + 1)])
        rail.close()
    return [
        Figure("agent settles, money held", held, "authorisations/s", SETTLED, "more"),
        Figure("agent settles, released and paid out", paid, "authorisations/s", SETTLED, "more"),
        Figure(f"fold of a deal of {LENGTH:,} events, from zero", _fold(ada, made[0]) * 1000, "ms p50", FOLD_MS),
    ]


def _opened(folder: Path, name: str) -> Session:
    session = homes.reopen(homes.homes.Home(folder / name), folder / f"{name}.key")
    session.random = clock.random_bytes
    return session


def _hired(lisa: Session, james: Session, ada: Session) -> SpaceId:
    deal = homes.open_deal(lisa, james.me.identity, client=True)
    parts = [Part(f"Part {n}", 10_000, None, (), None) for n in range(1, PARTS + 1)]
    changes = hire.Changes(parts, "EUR", agent=ada.me.identity, rail="sim", talent_fee=500)
    hire.hire(lisa, None, deal, changes, beyond=True)
    homes.meet(lisa, james)
    hire.accept(james, None, deal, None)
    homes.meet(lisa, james)
    with homes.deal_writer(lisa, deal) as writer:
        writer.write([Taken()])
    homes.meet(lisa, james, ada)
    return deal


def _settle(lisa: Session, ada: Session, rail: Sim, asked: list[tuple[SpaceId, int, str]]) -> float:
    """Authorisations a second: taken up, asked of the rail, booked, each on the disk."""
    for deal, n, kind in asked:
        with homes.deal_writer(lisa, deal) as writer:
            decide = escrow.fund if kind == "fund" else escrow.release
            writer.write(decide(writer.state.deal, writer.by, n))
    homes.carry(lisa, ada)
    begun = time.perf_counter()
    done = agent_loop.work(ada, {"sim": rail}.get, consent=False)
    took = time.perf_counter() - begun
    assert done.moved == len(asked), done
    return len(asked) / took


def _fold(session: Session, deal: SpaceId) -> float:
    """Seconds, the median of some folds."""
    space = events.space_numbered(session.db, homes.space_no(session, deal))
    with session.writing():
        writer = dealing.DealWriter(session, writing.Writer(session), session.space(space.no))
        missing = LENGTH - sum(chain.seq + 1 for chain in events.chains(session.db, space.no))
        writer.write([talk.MessageSent("The next report comes on Friday.", ())] * missing)
    with connection.transaction(session.db):
        return median(lambda: deals.DealFold(session.db, space).refold(), FOLDS)
