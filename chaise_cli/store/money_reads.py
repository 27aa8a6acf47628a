"""The book and what is summed up from it: journal entries and balances over all deals, or those with one person."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from chaise_cli.domain.money import Money
from chaise_cli.domain.when import instant_text
from chaise_cli.ids import public, raw, text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlcipher3.dbapi2 import Connection

    from chaise_cli.ids import IdentityId

_OF: Final = "(?1 IS NULL OR ?1 IN (d.client, d.talent, d.holder)) AND (?2 IS NULL OR d.space = ?2)"
FLOWS: Final = ("funded", "held", "released", "refunded", "disputed", "payable", "paid_out")


def balances(connection: Connection, person: IdentityId | None = None, deal: int | None = None) -> list[dict[str, Any]]:
    """One `balance` object per currency. person: deals with this identity alone; deal: the row of one space."""
    # Added up here: a hostile counterpart could make SQL's sum() overflow, which would fail the whole command.
    rows = connection.execute(
        f"SELECT m.currency, {', '.join(f'm.{flow}' for flow in FLOWS)}"
        " FROM milestone m JOIN deal d ON d.space = m.space"
        f" WHERE m.currency <> '' AND {_OF}",
        (raw(person) if person else None, deal),
    )
    sums: dict[str, list[int]] = {}
    for currency, *amounts in rows.fetchall():
        kept = sums.setdefault(currency, [0] * len(FLOWS))
        sums[currency] = [one + other for one, other in zip(kept, amounts, strict=True)]
    return [
        {"currency": currency}
        | {flow: Money(minor, currency).shape() for flow, minor in zip(FLOWS, sums[currency], strict=True)}
        for currency in sorted(sums)
    ]


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
    connection: Connection, person: IdentityId | None = None, deal: int | None = None, since: int = 0, limit: int = -1
) -> list[dict[str, Any]]:
    """`journal_entry` objects, the newest first, ties by deal. since: ms; limit: -1 for all."""
    rows = connection.execute(
        "SELECT e.at, e.text, e.ref, e.currency, e.postings FROM entry e"
        " JOIN deal d ON d.space = e.space JOIN space s ON s.no = e.space"
        " WHERE e.at >= ?1 AND (?2 IS NULL OR ?2 IN (d.client, d.talent, d.holder)) AND (?3 IS NULL OR d.space = ?3)"
        " ORDER BY e.at DESC, s.id, e.n DESC LIMIT ?4",
        (since, raw(person) if person else None, deal, limit),
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
