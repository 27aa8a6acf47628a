"""What public ids name: the things of a kind whose ids begin alike, and the deal that a thing belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from chaise_cli.ids import prefix_range, raw, text

if TYPE_CHECKING:
    from sqlcipher3.dbapi2 import Connection

_HELD: Final = {  # kind → the ids of that kind between two values
    "id": "SELECT identity FROM person WHERE identity BETWEEN ? AND ?",
    "dev": "SELECT DISTINCT device FROM chain WHERE device BETWEEN ? AND ?",
    "board": "SELECT id FROM space WHERE kind = 'board' AND id BETWEEN ? AND ?",
    "deal": "SELECT id FROM space WHERE kind = 'deal' AND id BETWEEN ? AND ?",
    "post": "SELECT id FROM listing WHERE what = 'post' AND id BETWEEN ? AND ?",
    "svc": "SELECT id FROM listing WHERE what = 'service' AND id BETWEEN ? AND ?",
    "book": "SELECT id FROM booking WHERE id BETWEEN ? AND ?",
    "msg": "SELECT id FROM event WHERE id BETWEEN ? AND ? AND kind = 'message.sent'",
    "rev": "SELECT id FROM review WHERE id BETWEEN ?1 AND ?2 UNION SELECT id FROM opinion WHERE id BETWEEN ?1 AND ?2",
    "op": "SELECT id FROM op WHERE id BETWEEN ? AND ?",
    "run": "SELECT id FROM event WHERE id BETWEEN ? AND ? AND kind = 'run.recorded'",
    "grant": "SELECT id FROM event WHERE id BETWEEN ? AND ? AND kind = 'grant.created' AND void IS NULL",
}
_DEAL: Final = {  # kind → the space of the deal that one of that kind belongs to
    "book": "SELECT space FROM booking WHERE id = ?",
    "op": "SELECT space FROM op WHERE id = ?",
    "rev": "SELECT space FROM review WHERE id = ?",
    **dict.fromkeys(
        ("grant", "msg", "run"), "SELECT c.space FROM event e JOIN chain c ON c.no = e.chain WHERE e.id = ?"
    ),
}


def kinds() -> frozenset[str]:
    """The kinds of ids that can be looked up."""
    return frozenset(_HELD)


def beginning(connection: Connection, kind: str, chars: str, most: int) -> list[str]:
    """At most `most` ids of a kind, as text, whose public form begins with these characters behind its dash."""
    query = _HELD.get(kind)
    if query is None:
        return []
    return [text(row[0]) for row in connection.execute(f"{query} LIMIT {most}", prefix_range(chars)).fetchall()]


def deal_of(connection: Connection, kind: str, id_: str) -> int | None:
    """The row of the deal that a booking, review, op, grant or message belongs to; None where it is in no deal."""
    row = connection.execute(_DEAL[kind], (raw(id_),)).fetchone()
    return row[0] if row else None
