"""Reviews that stand on boards, as rows; whether their vouchers hold is for the reader to check."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from chaise_cli.domain.light import NamedTuple
from chaise_cli.ids import EventId, IdentityId, raw, text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlcipher3.dbapi2 import Connection


class Opinion(NamedTuple):
    """A published review. at: its author's clock, ms since 1970, UTC; body: its fields as JSON values."""

    id: EventId
    author: IdentityId
    at: int
    body: Any


_OPINION = "SELECT id, author, at, body FROM opinion WHERE "


def about(connection: Connection, person: IdentityId) -> list[Opinion]:
    """What boards carry about a person, by id."""
    return _read(connection, "about = ?", [raw(person)])


def concerning(connection: Connection, people: Iterable[IdentityId]) -> list[Opinion]:
    """What boards carry about any of these people or from their pen, by id."""
    values = [raw(one) for one in people]
    places = ",".join("?" * len(values))
    return _read(connection, f"about IN ({places}) OR author IN ({places})", values * 2)


def _read(connection: Connection, which: str, values: list[bytes]) -> list[Opinion]:
    rows = connection.execute(f"{_OPINION}{which} ORDER BY id", values).fetchall()
    return [Opinion(EventId(text(id_)), IdentityId(text(by)), at, json.loads(body)) for id_, by, at, body in rows]


def bodies_by(connection: Connection, board: int, author: IdentityId) -> list[Any]:
    """The fields of what a person published on one board (a space's row number)."""
    query = "SELECT body FROM opinion WHERE space = ? AND author = ?"
    return [json.loads(body) for (body,) in connection.execute(query, (board, raw(author))).fetchall()]


def is_reviewed(connection: Connection, person: IdentityId) -> bool:
    """Whether boards carry any review about a person."""
    return connection.execute("SELECT 1 FROM opinion WHERE about = ? LIMIT 1", (raw(person),)).fetchone() is not None


def subject(connection: Connection, review: EventId) -> IdentityId | None:
    """Whom a review on a board is about; None where no board carries it."""
    row = connection.execute("SELECT about FROM opinion WHERE id = ?", (raw(review),)).fetchone()
    return IdentityId(text(row[0])) if row else None
