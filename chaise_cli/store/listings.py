"""Boards read for lists: posts, services, profiles and the boards themselves, as the objects commands answer with.

Reads tables alone and makes plain dicts, so that a list costs neither records nor ciphers.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from chaise_cli.domain import when
from chaise_cli.domain.light import NamedTuple
from chaise_cli.domain.money import Money
from chaise_cli.ids import IdentityId, public, raw, text

if TYPE_CHECKING:
    from sqlcipher3.dbapi2 import Connection

    from chaise_cli.shapes import Post, Profile, Service

Who = Callable[[str], Any]  # an identity to its `person` object
DEFAULT_LIMIT: Final = 50
POST_STATES: Final = ("open", "filled", "closed", "expired")
SERVICE_STATES: Final = ("open", "closed")
_STATE: Final = {  # ? is the time now
    "open": "l.ended = '' AND coalesce(l.deadline > ?, 1)",
    "expired": "l.ended = '' AND l.deadline <= ?",
    "filled": "l.ended = 'filled' AND ?",
    "closed": "l.ended = 'closed' AND ?",
}
_ORDER: Final = {
    "at": "l.at DESC, l.id",
    "deadline": "l.deadline IS NULL, l.deadline, l.at DESC, l.id",
    "price": "l.most IS NULL, l.currency, l.most DESC, l.at DESC, l.id",
}
_PEOPLE_ORDER: Final = {"at": "newest DESC, p.identity", "name": "o.name COLLATE NOCASE, p.identity"}
SORTS: Final = tuple(_ORDER)
PEOPLE_SORTS: Final = tuple(_PEOPLE_ORDER)


class Wanted(NamedTuple):
    """Which posts, services or talents a list wants; None and empty want all.

    skills: all of them. least, most: amounts in minor units of `currency`; what is listed must reach up to `least`
    and begin at `most` or below. since: ms since 1970, UTC. board: a space's row number.
    """

    skills: Sequence[str] = ()
    kind: str | None = None
    currency: str | None = None
    least: int | None = None
    most: int | None = None
    author: IdentityId | None = None
    since: int | None = None
    state: str | None = None
    board: int | None = None
    sort: str = "at"
    limit: int = DEFAULT_LIMIT


def posts(connection: Connection, wanted: Wanted, now: int, who: Who) -> list[Post]:
    """The posts that fit, ordered; one more than the limit when there are more. now: in ms."""
    return [_post(row, now, who) for row in _listed(connection, "post", wanted, now)]


def services(connection: Connection, wanted: Wanted, now: int, who: Who) -> list[Service]:
    """The services that fit, as `posts`."""
    return [_service(row, who) for row in _listed(connection, "service", wanted, now)]


def post(connection: Connection, id_: str, now: int, who: Who) -> Post:
    """One post that `finding` named, as it now stands."""
    return _post(_one(connection, "post", id_), now, who)


def service(connection: Connection, id_: str, who: Who) -> Service:
    """One service that `finding` named."""
    return _service(_one(connection, "service", id_), who)


def talents(connection: Connection, wanted: Wanted, who: Who) -> dict[IdentityId, Profile]:
    """Talents as they last published themselves; one more than the limit when there are more.

    `least` and `most` are compared with their rates, `state` is ignored.
    """
    where, values = ["p.role = 'talent'"], list[Any]()
    if wanted.author is not None:
        where, values = ["p.identity = ?"], [raw(wanted.author)]
    for skill in wanted.skills:
        where.append("EXISTS (SELECT 1 FROM skill k WHERE k.skill = ? AND k.what = 'profile' AND k.owner = p.identity)")
        values.append(skill)
    if wanted.currency is not None:
        where.append(_RATE)
        values += [wanted.currency, wanted.least or 0, wanted.most if wanted.most is not None else 2**53]
    if wanted.board is not None:
        where.append("p.space = ?")
        values.append(wanted.board)
    query = (
        "SELECT p.identity, max(p.at) AS newest, o.email FROM profile p LEFT JOIN person o ON o.identity = p.identity"
        f" WHERE {' AND '.join(where)} GROUP BY p.identity HAVING newest >= ?"
        f" ORDER BY {_PEOPLE_ORDER[wanted.sort]} LIMIT ?"
    )
    found = connection.execute(query, (*values, wanted.since or 0, wanted.limit + 1)).fetchall()
    return {IdentityId(text(identity)): _profile(connection, identity, email, who) for identity, _, email in found}


_RATE: Final = (
    "EXISTS (SELECT 1 FROM json_each(p.body, '$.rates') r WHERE json_extract(r.value, '$.currency') = ?"
    " AND json_extract(r.value, '$.amount') BETWEEN ? AND ?)"
)


def profile(connection: Connection, identity: IdentityId, who: Who) -> Profile | None:
    """What somebody last published about themselves, on any board; None when nothing arrived here."""
    row = connection.execute("SELECT email FROM person WHERE identity = ?", (raw(identity),)).fetchone()
    if connection.execute("SELECT 1 FROM profile WHERE identity = ?", (raw(identity),)).fetchone() is None:
        return None
    return _profile(connection, raw(identity), row and row[0], who)


def _profile(connection: Connection, identity: bytes, email: str | None, who: Who) -> Profile:
    query = "SELECT body FROM profile WHERE identity = ? ORDER BY at DESC, space LIMIT 1"
    body: dict[str, Any] = json.loads(connection.execute(query, (identity,)).fetchone()[0])
    return profile_of(text(identity), body, email, who)


def profile_of(identity: str, body: dict[str, Any], email: str | None, who: Who) -> Profile:
    """A profile's object from the data of its event."""
    rates: Any = [{"price": _money(rate["amount"], rate["currency"]), "per": rate["per"]} for rate in body["rates"]]
    return {
        "id": public("id", identity), "person": who(identity), "headline": body["headline"], "bio": body["bio"],
        "skills": body["skills"], "rates": rates, "location": body["location"], "links": body["links"],
        "tz": body["tz"], "email": email,
    }  # fmt: skip


class _Row(NamedTuple):
    """A listing with what stands beside it."""

    id: bytes
    author: bytes
    version: int
    ended: str
    board: bytes
    deals: int
    body: str


_COLUMNS: Final = (
    "SELECT l.id, l.author, l.version, l.ended, s.id, (SELECT count(*) FROM deal d WHERE d.post = l.id), l.body"
    " FROM listing l JOIN space s ON s.no = l.space"
)


def _one(connection: Connection, what: str, id_: str) -> _Row:
    return _Row(*connection.execute(f"{_COLUMNS} WHERE l.id = ? AND l.what = ?", (raw(id_), what)).fetchone())


def _listed(connection: Connection, what: str, wanted: Wanted, now: int) -> list[_Row]:
    """Rows of what fits. Ids are chosen and ordered first: bodies are long, and most would be read for nothing."""
    where, values = ["l.what = ?"], list[Any]([what])
    for skill in wanted.skills:
        where.append("+l.id IN (SELECT owner FROM skill WHERE skill = ? AND what = ?)")  # +: walk the index by time
        values += [skill, what]
    for column, value in (("l.category", wanted.kind), ("l.space", wanted.board), ("l.currency", wanted.currency)):
        if value is not None:
            where.append(f"{column} = ?")
            values.append(value)
    for test, value in (("l.most >= ?", wanted.least), ("l.least <= ?", wanted.most), ("l.at >= ?", wanted.since)):
        if value is not None:
            where.append(test)
            values.append(value)
    if wanted.author is not None:
        where.append("l.author = ?")
        values.append(raw(wanted.author))
    if wanted.state is not None:
        where.append(_STATE[wanted.state])
        values.append(now)
    order = _ORDER[wanted.sort]
    chosen = f"SELECT l.id FROM listing l WHERE {' AND '.join(where)} ORDER BY {order} LIMIT ?"
    rows = connection.execute(f"{_COLUMNS} WHERE l.id IN ({chosen}) ORDER BY {order}", (*values, wanted.limit + 1))
    return [_Row(*row) for row in rows.fetchall()]


def _post(row: _Row, now: int, who: Who) -> Post:
    body: dict[str, Any] = json.loads(row.body)
    budget, deadline = body["budget"], body["deadline"]
    state = row.ended or ("expired" if deadline is not None and deadline <= now else "open")
    least, most = (_money(budget[end], budget["currency"]) if budget else None for end in ("least", "most"))
    return {
        "id": public("post", text(row.id)), "board": public("board", text(row.board)), "title": body["title"],
        "kind": body["category"], "skills": body["skills"], "budget": {"min": least, "max": most},
        "deadline": None if deadline is None else when.instant_text(deadline), "tz": body["tz"],
        "location": body["location"], "brief": body["brief"], "client": who(text(row.author)), "version": row.version,
        "state": state, "deals": row.deals,
    }  # fmt: skip


def _service(row: _Row, who: Who) -> Service:
    body: dict[str, Any] = json.loads(row.body)
    price = body["price"]
    return {
        "id": public("svc", text(row.id)), "person": who(text(row.author)), "title": body["title"],
        "kind": body["category"], "price": _money(price["amount"], price["currency"]) if price else None,
        "days": body["days"], "skills": body["skills"], "description": body["description"],
        "state": row.ended or "open",
    }  # fmt: skip


def _money(minor: int, currency: str) -> Any:
    return Money(minor, currency).shape()
