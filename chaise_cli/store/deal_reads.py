"""Deals and calls read for lists: which ones, in which order, and what stands beside them on their board."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from chaise_cli.domain.booking import MINUTE, MINUTES_MOST
from chaise_cli.domain.light import NamedTuple
from chaise_cli.ids import EventId, IdentityId, SpaceId, raw, text
from chaise_cli.store import deal_states

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlcipher3.dbapi2 import Connection

    from chaise_cli.domain.deal_state import DealState

LIVE: Final = ("talking", "invited", "proposed", "shortlisted", "offered", "hired")
ENDED: Final = ("closed", "declined", "withdrawn")
_BUSY: Final = ("proposed", "confirmed", "met", "no_show")
_DEAL_ORDER: Final = {"at": "d.at DESC, s.id", "state": "d.state, d.at DESC, s.id"}
_CALL_ORDER: Final = {"at": "b.begins DESC, b.id", "start": "b.begins, b.id", "state": "b.state, b.begins DESC, b.id"}
_LAST_BEGIN: Final = "max(b.begins, coalesce((SELECT max(o.begins) FROM occurrence o WHERE o.id = b.id), 0))"
DEAL_SORTS: Final = tuple(_DEAL_ORDER)
CALL_SORTS: Final = tuple(_CALL_ORDER)


class Wanted(NamedTuple):
    """Which rows a list wants; None wants all. `since` is ms since 1970, UTC."""

    states: Sequence[str] = ()
    person: IdentityId | None = None
    since: int | None = None
    deal: SpaceId | None = None
    post: EventId | None = None
    sort: str = "at"
    limit: int | None = None


class Found(NamedTuple):
    """A deal's space: its row number and its id."""

    no: int
    id: SpaceId


class Call(NamedTuple):
    """A call and the deal it belongs to."""

    id: EventId
    deal: Found


class Dated(NamedTuple):
    """A deal's space, and when the newest event in it was written, in ms."""

    space: int
    at: int


class Meeting(NamedTuple):
    """When a call takes place, in ms."""

    begins: int
    ends: int
    id: EventId


class Post(NamedTuple):
    """What a deal is measured against: the post's author, title, budget, deadline and end ('' while open)."""

    author: IdentityId
    title: str
    currency: str | None
    most: int | None
    deadline: int | None
    ended: str
    tz: str


def select(connection: Connection, wanted: Wanted) -> list[Found]:
    """The deals that fit, ordered."""
    where, values = _where(wanted, state="d.state", at="d.at")
    if wanted.post is not None:
        where.append("d.post = ?")
        values.append(raw(wanted.post))
    query = f"SELECT d.space, s.id FROM deal d JOIN space s ON s.no = d.space WHERE {' AND '.join(where)}"
    rows = connection.execute(f"{query} ORDER BY {_DEAL_ORDER[wanted.sort]} LIMIT ?", (*values, _most(wanted)))
    return [Found(no, SpaceId(text(id_))) for no, id_ in rows.fetchall()]


def select_calls(connection: Connection, wanted: Wanted) -> list[Call]:
    """The calls that fit, ordered; `since` looks at when they begin, for the last time if they come again."""
    where, values = _where(wanted, state="b.state", at=_LAST_BEGIN)
    query = (
        "SELECT b.id, b.space, s.id FROM booking b JOIN deal d ON d.space = b.space JOIN space s ON s.no = b.space"
        f" WHERE {' AND '.join(where)} ORDER BY {_CALL_ORDER[wanted.sort]} LIMIT ?"
    )
    rows = connection.execute(query, (*values, _most(wanted))).fetchall()
    return [Call(EventId(text(id_)), Found(no, SpaceId(text(deal)))) for id_, no, deal in rows]


def _where(wanted: Wanted, state: str, at: str) -> tuple[list[str], list[Any]]:
    where, values = ["1"], list[Any]()
    if wanted.states:
        where.append(f"{state} IN ({','.join('?' * len(wanted.states))})")
        values += wanted.states
    if wanted.person is not None:
        where.append("? IN (d.client, d.talent, d.holder)")
        values.append(raw(wanted.person))
    if wanted.since is not None:
        where.append(f"{at} >= ?")
        values.append(wanted.since)
    if wanted.deal is not None:
        where.append("s.id = ?")
        values.append(raw(wanted.deal))
    return where, values


def _most(wanted: Wanted) -> int:
    return -1 if wanted.limit is None else wanted.limit


def state(connection: Connection, space: int) -> DealState:
    """The deal in a space that is known to hold one."""
    found = deal_states.load(connection, space)
    assert found, "a row of the table of deals"
    return found.now


def between(connection: Connection, me: IdentityId, other: IdentityId) -> list[SpaceId]:
    """The deals with a person that are not over, newest first."""
    marks = ",".join("?" * len(LIVE))
    query = (
        "SELECT s.id FROM deal d JOIN space s ON s.no = d.space WHERE (d.client, d.talent) IN (VALUES (?,?), (?,?))"
        f" AND d.state IN ({marks}) ORDER BY d.at DESC, s.id"
    )
    pairs = (raw(me), raw(other), raw(other), raw(me))
    return [SpaceId(text(row[0])) for row in connection.execute(query, (*pairs, *LIVE)).fetchall()]


def existing(connection: Connection, other: IdentityId, post: EventId | None) -> SpaceId | None:
    """The deal with a person about a post (or about none), the one with signed terms or the smaller id first."""
    query = (
        "SELECT s.id FROM deal d JOIN space s ON s.no = d.space WHERE ? IN (d.client, d.talent) AND d.post IS ?"
        " ORDER BY d.state NOT IN ('hired', 'closed'), s.id LIMIT 1"
    )
    row = connection.execute(query, (raw(other), raw(post) if post else None)).fetchone()
    return SpaceId(text(row[0])) if row else None


def about(connection: Connection, post: EventId) -> list[int]:
    """The deals about a post."""
    return [space for (space,) in connection.execute("SELECT space FROM deal WHERE post = ?", (raw(post),)).fetchall()]


def reviewed(connection: Connection, deal: SpaceId | None) -> list[int]:
    """The deals in which somebody wrote a review; that one alone if it is given."""
    query = "SELECT DISTINCT r.space FROM review r JOIN space s ON s.no = r.space WHERE ?1 IS NULL OR s.id = ?1"
    return [space for (space,) in connection.execute(query, (raw(deal) if deal else None,)).fetchall()]


def granted(connection: Connection, deal: SpaceId | None) -> list[tuple[SpaceId, EventId]]:
    """Grants that were made, of one deal or all, the newest first: their deals and ids. A fold tells which count."""
    query = (
        "SELECT s.id, e.id FROM event e INDEXED BY event_grant JOIN chain c ON c.no = e.chain"
        " JOIN space s ON s.no = c.space WHERE e.kind = 'grant.created' AND (?1 IS NULL OR s.id = ?1)"
        " ORDER BY e.lamport DESC, e.id"
    )
    rows = connection.execute(query, (raw(deal) if deal else None,)).fetchall()
    return [(SpaceId(text(space)), EventId(text(id_))) for space, id_ in rows]


def with_dates(connection: Connection, person: IdentityId | None) -> list[Dated]:
    """The deals that may still come to something, with one person if given."""
    query = (
        "SELECT space, at FROM deal"
        " WHERE state NOT IN ('declined', 'withdrawn') AND (?1 IS NULL OR ?1 IN (client, talent))"
    )
    return [Dated(*row) for row in connection.execute(query, (raw(person) if person else None,)).fetchall()]


def posts_with_deadline(connection: Connection, author: IdentityId) -> list[tuple[EventId, int]]:
    """Somebody's open posts that have a deadline, by id, each with the time (ms) when it was last written."""
    query = (
        "SELECT id, at FROM listing"
        " WHERE what = 'post' AND author = ? AND ended = '' AND deadline IS NOT NULL ORDER BY id"
    )
    return [(EventId(text(id_)), at) for id_, at in connection.execute(query, (raw(author),)).fetchall()]


def calls_ahead(connection: Connection, me: IdentityId, now: int, *, client: bool = False) -> list[Meeting]:
    """Agreed calls that are not over at `now`, of a talent, or else of a client."""
    side = "client" if client else "talent"
    query = (
        "SELECT o.begins, o.ends, o.id FROM occurrence o JOIN booking b ON b.id = o.id JOIN deal d ON d.space = o.space"
        f" WHERE b.state = 'confirmed' AND d.{side} = ? AND o.ends > ?"
    )
    rows = connection.execute(query, (raw(me), now)).fetchall()
    return [Meeting(begins, ends, EventId(text(id_))) for begins, ends, id_ in rows]


def busy_deals(connection: Connection, talent: IdentityId, but: int | None = None) -> list[int]:
    """The deals in which this talent has calls agreed or offered; `but` is left out."""
    marks = ",".join("?" * len(_BUSY))
    query = (
        "SELECT DISTINCT b.space FROM booking b JOIN deal d ON d.space = b.space"
        f" WHERE d.talent = ? AND b.space IS NOT ? AND b.state IN ({marks})"
    )
    return [row[0] for row in connection.execute(query, (raw(talent), but, *_BUSY)).fetchall()]


def calls_between(connection: Connection, begins: int, ends: int) -> list[EventId]:
    """Agreed calls of this home, whichever side it has in them, that share an instant with [begins, ends)."""
    query = (
        "SELECT DISTINCT o.id FROM occurrence o JOIN booking b ON b.id = o.id"
        " WHERE b.state = 'confirmed' AND o.begins < ? AND o.ends > ? ORDER BY o.begins, o.id"
    )
    return [EventId(text(row[0])) for row in connection.execute(query, (ends, begins)).fetchall()]


def clashing(connection: Connection, talent: IdentityId) -> list[int]:
    """The deals of a talent where an agreed call takes the time of one in another of them; none that is contested."""
    query = (
        "SELECT DISTINCT a.space FROM occurrence a JOIN deal d ON d.space = a.space"
        " JOIN occurrence b ON b.begins > a.begins - ?2 AND b.begins < a.ends AND b.ends > a.begins"
        " JOIN deal e ON e.space = b.space AND e.space <> a.space"
        " WHERE d.talent = ?1 AND e.talent = ?1 AND NOT d.contested AND NOT e.contested ORDER BY a.space"
    )
    rows = connection.execute(query, (raw(talent), MINUTES_MOST * MINUTE)).fetchall()
    return [space for (space,) in rows]


def post(connection: Connection, id_: EventId) -> Post | None:
    """The post of this id, if it has arrived."""
    query = "SELECT author, body, currency, most, deadline, ended FROM listing WHERE id = ? AND what = 'post'"
    row = connection.execute(query, (raw(id_),)).fetchone()
    if row is None:
        return None
    body = json.loads(row[1])
    return Post(IdentityId(text(row[0])), body["title"], row[2], row[3], row[4], row[5], body["tz"])


def opened_by_other(connection: Connection, space: int, me: IdentityId) -> bool:
    """Whether somebody else opened the deal and this identity has written nothing into it."""
    query = "SELECT 1 FROM chain WHERE space = ? AND identity = ?"
    return connection.execute(query, (space, raw(me))).fetchone() is None
