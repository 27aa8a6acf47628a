"""The book and what is summed up from it: journal entries and balances over all deals, or those with one person."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from chaise_cli.domain.books import Entry, Flow, flow_of, month
from chaise_cli.domain.journal import Posting
from chaise_cli.domain.light import NamedTuple
from chaise_cli.domain.money import Money
from chaise_cli.domain.reconciliation import Booked
from chaise_cli.domain.when import instant_text
from chaise_cli.ids import EventId, IdentityId, SpaceId, public, raw, text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlcipher3.dbapi2 import Connection

    from chaise_cli.ids import DeviceId

FLOWS: Final = Flow._fields
_OF: Final = "(?1 IS NULL OR ?1 IN (d.client, d.talent, d.holder)) AND (?2 IS NULL OR d.space = ?2)"


class Sides(NamedTuple):
    """A deal and its two sides."""

    deal: SpaceId
    client: IdentityId
    talent: IdentityId


def balances(connection: Connection, person: IdentityId | None = None, deal: int | None = None) -> list[dict[str, Any]]:
    """One `balance` object per currency. person: deals with this identity alone; deal: the row of one space."""
    return [balance(currency, flow) for _, currency, flow in _sums(connection, "m.currency", person, deal)]


def sums_of_deals(
    connection: Connection, person: IdentityId | None = None, deal: int | None = None
) -> list[tuple[int, str, Flow]]:
    """What each deal with terms comes to: the row of its space, its currency, the sums over its milestones."""
    return _sums(connection, "m.space, m.currency", person, deal)


def _sums(connection: Connection, key: str, person: IdentityId | None, deal: int | None) -> list[tuple[int, str, Flow]]:
    # In two halves: a hostile counterpart could make a plain sum() overflow, which would fail the whole command.
    halves = ", ".join(f"sum(m.{name} >> 32), sum(m.{name} & 4294967295)" for name in FLOWS)
    narrowed = f" AND m.space IN (SELECT d.space FROM deal d WHERE {_OF})" if person or deal is not None else ""
    rows = connection.execute(
        f"SELECT m.space, m.currency, {halves} FROM milestone m WHERE m.currency <> ''{narrowed}"
        f" GROUP BY {key} ORDER BY {key}",
        (raw(person) if person else None, deal) if narrowed else (),
    )
    return [
        (space, currency, Flow(*[(high << 32) + low for high, low in zip(sums[::2], sums[1::2], strict=True)]))
        for space, currency, *sums in rows.fetchall()
    ]


def balance(currency: str, flow: Flow) -> dict[str, Any]:
    """A `balance` object."""
    amounts = zip(FLOWS, flow, strict=True)
    return {"currency": currency} | {name: Money(minor, currency).shape() for name, minor in amounts}


def sides(connection: Connection, person: IdentityId | None = None, deal: int | None = None) -> dict[int, Sides]:
    """The deals by the row of their space."""
    rows = connection.execute(
        f"SELECT d.space, s.id, d.client, d.talent FROM deal d JOIN space s ON s.no = d.space WHERE {_OF}",
        (raw(person) if person else None, deal),
    )
    return {
        space: Sides(SpaceId(text(id_)), IdentityId(text(client)), IdentityId(text(talent)))
        for space, id_, client, talent in rows.fetchall()
    }


def flows(
    connection: Connection, person: IdentityId | None = None, deal: int | None = None
) -> list[tuple[str, str, Flow]]:
    """(month, currency, what it does) of every journal entry."""
    clients = {space: known.client for space, known in sides(connection, person, deal).items()}
    names = {client: public("id", client) for client in set(clients.values())}
    rows = connection.execute("SELECT space, at, currency, postings FROM entry").fetchall()
    kept = [row for row in rows if row[0] in clients]
    # One call of the parser for all rows: a call for each costs twice as much.
    said: list[list[tuple[str, int]]] = json.loads(f"[{','.join(row[3] for row in kept)}]")
    return [
        (month(at), currency, flow_of(names[clients[space]], postings))
        for (space, at, currency, _), postings in zip(kept, said, strict=True)
    ]


def book(connection: Connection, person: IdentityId | None = None, deal: int | None = None) -> list[Entry]:
    """Every journal entry with the event that made it and whose movement that was, the oldest first, ties by deal."""
    rows = connection.execute(
        "SELECT e.event, s.id, c.identity, e.at, e.text, e.ref, e.currency, e.postings FROM entry e"
        " JOIN deal d ON d.space = e.space JOIN space s ON s.no = e.space"
        " JOIN event v ON v.id = e.event JOIN chain c ON c.no = v.chain"
        f" WHERE {_OF} ORDER BY e.at, s.id, e.n",
        (raw(person) if person else None, deal),
    )
    found = []
    for event, space, agent, at, said, ref, currency, postings in rows.fetchall():
        lines = tuple(Posting(account, minor) for account, minor in json.loads(postings))
        ids_ = EventId(text(event)), public("deal", text(space)), IdentityId(text(agent))
        found.append(Entry(*ids_, at, said, ref or None, currency, lines))
    return found


def booked_under(connection: Connection, agent: DeviceId, refs: Iterable[str]) -> dict[str, list[Money]]:
    """What is booked under references, in deals of this agent device: what came in, or (negative) went out."""
    wanted = set(refs)
    rows = connection.execute(
        "SELECT e.ref, e.currency, e.postings FROM entry e JOIN deal d ON d.space = e.space"
        " WHERE d.agent = ? AND e.ref IS NOT NULL",
        (raw(agent),),
    )
    found: dict[str, list[Money]] = {}
    for ref, currency, postings in rows.fetchall():
        if ref in wanted:
            moved = sum(minor for account, minor in json.loads(postings) if _at_rail(account))
            found.setdefault(ref, []).append(Money(moved, currency))
    return found


def moved_on(connection: Connection, holder: IdentityId, rail: str) -> list[Booked]:
    """What is booked as moved on a rail, with any device of the one who holds the money, the oldest first."""
    account = f"assets:rail:{rail}"
    rows = connection.execute(
        "SELECT e.event, s.id, e.at, e.text, e.ref, e.currency, e.postings FROM entry e"
        " JOIN deal d ON d.space = e.space JOIN space s ON s.no = e.space"
        " WHERE d.holder = ? AND e.ref IS NOT NULL AND instr(e.postings, ?) > 0 ORDER BY e.at, s.id, e.n",
        (raw(holder), f'"{account}"'),
    )
    found = []
    for event, deal, at, said, ref, currency, postings in rows.fetchall():
        amounts: dict[str, int] = {}
        for name, minor in json.loads(postings):
            amounts[name] = amounts.get(name, 0) + minor
        cost = amounts.get("expenses:rail", 0)
        moved, took = Money(amounts[account] + cost, currency), Money(cost, currency)
        found.append(Booked(EventId(text(event)), SpaceId(text(deal)), at, said, ref, moved, took))
    return found


def has_moved(connection: Connection, agent: DeviceId, rail: str) -> bool:
    """Whether anything of this agent device's deals has moved on a rail."""
    query = (
        "SELECT 1 FROM entry e JOIN deal d ON d.space = e.space WHERE d.agent = ? AND e.ref IS NOT NULL"
        " AND instr(e.postings, ?) > 0 LIMIT 1"
    )
    return connection.execute(query, (raw(agent), f'"assets:rail:{rail}"')).fetchone() is not None


def _at_rail(account: str) -> bool:
    """Whether its postings add up to what a statement shows: what the rail took for it is a line of its own."""
    return account.startswith("assets:rail:") or account == "expenses:rail"


def held_by_client(connection: Connection, person: IdentityId | None = None, deal: int | None = None) -> list[str]:
    """The public ids of deals with held money that the client holds, so that nobody else secures it."""
    rows = connection.execute(
        "SELECT DISTINCT s.id FROM deal d JOIN space s ON s.no = d.space"
        f" WHERE d.holder = d.client AND {_OF}"
        " AND EXISTS (SELECT 1 FROM milestone m WHERE m.space = d.space AND m.held > 0) ORDER BY s.id",
        (raw(person) if person else None, deal),
    )
    return [public("deal", text(row[0])) for row in rows.fetchall()]


def entries(
    connection: Connection,
    person: IdentityId | None = None,
    deal: int | None = None,
    since: int = 0,
    until: int | None = None,
    limit: int = -1,
) -> list[dict[str, Any]]:
    """`journal_entry` objects of `[since, until)`, in ms, the newest first, ties by deal. limit: -1 for all."""
    rows = connection.execute(
        "SELECT e.at, e.text, e.ref, e.currency, e.postings FROM entry e"
        " JOIN deal d ON d.space = e.space JOIN space s ON s.no = e.space"
        f" WHERE {_OF} AND e.at >= ?3 AND (?4 IS NULL OR e.at < ?4)"
        " ORDER BY e.at DESC, s.id, e.n DESC LIMIT ?5",
        (raw(person) if person else None, deal, since, until, limit),
    )
    return [entry(*row) for row in rows.fetchall()]


def of_deal(connection: Connection, space: int, after: int) -> list[dict[str, Any]]:
    """`journal_entry` objects of one deal behind its first `after`, the oldest first."""
    query = "SELECT at, text, ref, currency, postings FROM entry WHERE space = ? ORDER BY n LIMIT -1 OFFSET ?"
    return [entry(*row) for row in connection.execute(query, (space, after)).fetchall()]


def count(connection: Connection, space: int) -> int:
    """How many journal entries a deal has."""
    found: int = connection.execute("SELECT count(*) FROM entry WHERE space = ?", (space,)).fetchone()[0]
    return found


def entry(at: int, said: str, ref: str | None, currency: str, postings: str) -> dict[str, Any]:
    """One row of the book as a `journal_entry` object."""
    lines: Iterable[tuple[str, int]] = json.loads(postings)
    return {
        "at": instant_text(at),
        "text": said,
        "ref": ref or None,
        "postings": [{"account": account, "amount": Money(minor, currency).shape()} for account, minor in lines],
    }
