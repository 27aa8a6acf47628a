"""A third party who holds money, on one device or several, the rail that all of them drive, and what has to hold."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from typing import Final, NamedTuple

from chaise_cli.domain import agent
from chaise_cli.domain.deal import Deal
from chaise_cli.domain.terms import Planned
from chaise_cli.ids import raw, text
from chaise_cli.rails import rail
from chaise_cli.rails.rail import Rail
from chaise_cli.session import agent_loop, driving, hiring, upkeep
from chaise_cli.session.agent_loop import Round
from chaise_cli.session.finding import Named
from chaise_cli.store import content, deal_states, deals, events
from chaise_cli.store.events import Space
from tests.fakes import homes
from tests.fakes.till import Crash, Till
from tests.simulator.checks import Broken, at_rail
from tests.simulator.devices import DAY_MS, Device
from tests.simulator.fuse import Killed

FAULTS: Final = ("", "", "", *Till.FAULTS)
_ENDS: Final = ("money.held", "money.released", "money.refunded", "money.refused")
_MOVEMENTS: Final = (
    "SELECT e.kind, c.identity, e.body FROM event e JOIN chain c ON c.no = e.chain WHERE c.space = ?"
    " AND e.kind LIKE 'money.%' AND e.void IS NULL AND e.uptake IS NOT NULL ORDER BY e.uptake"
)


class Escrow(NamedTuple):
    """A deal whose money the third party holds, as one device sees it."""

    space: Space
    deal: Deal


def hire(client: Device, talent: Device, holder: Device, chance: random.Random) -> None:
    """A deal of three parts that the client's device has taken up; the third party has yet to consent."""
    sessions = [device.session for device in (client, talent, holder)]
    deal = homes.open_deal(client.session, talent.session.me.identity, client=True)
    parts = [Planned(f"Part {n}", chance.randint(300, 90_000), client.clock.at + n * 10 * DAY_MS) for n in (1, 2, 3)]
    homes.meet(*sessions)
    draft = hiring.Draft(parts, "EUR", None, "All of it.", None, "UTC")
    hiring.propose(talent.session, None, Named("deal", deal), draft)
    homes.meet(*sessions)
    fees = [chance.choice([0, 250, 333]) for _ in range(2)]
    changes = hiring.Changes(agent=client.holder, rail=Till.name, client_fee=fees[0], talent_fee=fees[1])
    hiring.hire(client.session, None, deal, changes, beyond=True)
    homes.meet(*sessions)
    hiring.accept(talent.session, None, deal, None)
    homes.meet(*sessions)
    upkeep.run(client.session)
    homes.meet(*sessions)


def work(till: Till, device: Device, *, consent: bool = True, dies_at: int | None = None) -> Round | None:
    """One round of the agent's loop on a device, none where the process died; it is there again afterwards."""

    def find_rail(name: str) -> Rail | None:
        return till if name == till.name else None

    device.light(dies_at)
    try:
        return agent_loop.work(device.session, find_rail, consent=consent)
    except Crash:  # while the rail was asked, when nothing is being written
        with suppress(Killed):
            device.fuse.blow()
        device.revive()
    except Killed:
        device.revive()
    finally:
        device.light(None)
    return None


def a_round(till: Till, device: Device, chance: random.Random, counts: Counter[str]) -> str:
    """A round with a fault or none; now and then what is pending at the rail goes through before."""
    if chance.random() < 0.3:
        till.settle()
    if chance.random() < 0.2 and not device.session.behind:
        driving.again(device.session)
    till.fault = chance.choice(FAULTS)
    asked, calls = till.fault, till.calls
    done = work(till, device, consent=chance.random() < 0.9, dies_at=_some_write(chance))
    if asked and till.calls > calls and not till.fault:
        counts[f"rail: {asked}"] += 1
    till.fault = ""
    if done is None:
        return "died"
    counts["rail: moved"] += done.moved
    counts["agent: consented"] += len(done.consented)
    return f"worked {done.moved} {done.declined} {len(done.consented)} {len(done.problems)}"


def _some_write(chance: random.Random) -> int | None:
    return chance.randrange(40) if chance.random() < 0.2 else None


def escrows(device: Device) -> Iterator[Escrow]:
    """The deals with a third party that has consented, as a device holds them."""
    for space in device.spaces("deal"):
        found = deal_states.load(device.session.db, space.no)
        if found is not None and found.taken.deal.secured and found.taken.deal.consent is not None:
            yield Escrow(space, found.taken.deal)


def lawful(device: Device) -> None:
    """Behind its consent the third party alone moves money, and each authorisation has one end."""
    for space, deal in escrows(device):
        ends = Counter[str]()
        for kind, author, body in device.session.db.execute(_MOVEMENTS, (space.no,)).fetchall():
            if text(author) != deal.parties.agent:
                raise Broken(f"{device.label}: a {kind} counts that its agent did not write")
            said = content.said(body)
            if kind in _ENDS and said["op"] is not None:
                ends[said["op"]] += 1
        twice = [op for op, count in ends.items() if count > 1]
        if twice:
            raise Broken(f"{device.label}: an authorisation ended twice")


def contested_rightly(device: Device) -> int:
    """How many deals are contested, each of them by movements of the agent's own."""
    count = 0
    for space, deal in escrows(device):
        line = deals.DealFold(device.session.db, space).line()
        for first in line.contested if deal.contested and line else ():
            stored = events.find_event(device.session.db, raw(first))
            if stored is None or stored.identity is None or text(stored.identity) != deal.parties.agent:
                raise Broken(f"{device.label}: a deal is contested by who is not its agent")
        count += deal.contested
    return count


def at_rest(device: Device, till: Till) -> int:
    """The rail and the book say the same of every deal that is not contested; how many were compared."""
    count = 0
    for space, deal in escrows(device):
        if deal.contested or deal.agreed.rail != till.name:
            continue
        count += 1
        moved = _moved(till, deal)
        booked = at_rail(device.session.db, space.no)
        rows = device.session.db.execute("SELECT ref FROM entry WHERE space = ?", (space.no,)).fetchall()
        refs = [ref for (ref,) in rows if ref]
        if sum(moved.values()) != booked:
            raise Broken(f"{device.label}: the rail holds {sum(moved.values())} for a deal, and its book says {booked}")
        unknown = [ref for ref in refs if ref not in moved]
        if unknown or len(set(refs)) < len(refs):
            raise Broken(f"{device.label}: booked twice, or what never moved: {unknown or refs}")
        due = agent.rail_due(deal)
        if due:
            raise Broken(f"{device.label}: the agent is at rest, and {due[0].kind} is still due")
    return count


def _moved(till: Till, deal: Deal) -> dict[str, int]:
    signs = {"hold": 1, "payout": -1, "refund": -1}
    return {
        end.ref: signs[kind] * intent.amount.minor
        for kind, intent, end in till.done.values()
        if isinstance(end, rail.Succeeded) and intent.purpose.startswith(f"{deal.public}/")
    }
