"""Deals in which this home may have something to do, found by their tables before any of them is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from chaise_cli.domain.light import NamedTuple
from chaise_cli.ids import DeviceId, EventId, IdentityId, SpaceId, raw, text
from chaise_cli.store import content

if TYPE_CHECKING:
    from sqlcipher3.dbapi2 import Connection

_BUSY: Final = (
    "SELECT d.space FROM deal d WHERE ?1 IN (d.client, d.talent) AND ("
    " d.holder <> d.client AND NOT EXISTS (SELECT 1 FROM chain c WHERE c.space = d.space AND c.identity = d.holder)"
    " OR EXISTS (SELECT 1 FROM review r WHERE r.space = d.space)"
    " OR EXISTS (SELECT 1 FROM booking b WHERE b.space = d.space AND b.state IN ('proposed', 'confirmed')))"
    " OR d.agent = ?2 AND ("
    " EXISTS (SELECT 1 FROM pending p WHERE p.space = d.space)"
    " OR EXISTS (SELECT 1 FROM review r WHERE r.space = d.space)"
    " OR EXISTS (SELECT 1 FROM milestone m WHERE m.space = d.space AND m.held > 0)"
    " OR EXISTS (SELECT 1 FROM op o WHERE o.space = d.space AND o.state = 'authorized')) ORDER BY d.space"
)

_AWAITS: Final = (  # signed terms name a third party, which has not answered yet
    "d.holder <> d.client AND EXISTS (SELECT 1 FROM chain c JOIN event e ON e.chain = c.no"
    " WHERE c.space = d.space AND e.id = d.tip AND c.identity <> d.holder)"
)


class Hired(NamedTuple):
    """An open post of which a deal was hired. space, board: row numbers, of the deal and of where the post stands."""

    space: int
    post: EventId
    board: int


class Role(NamedTuple):
    """Whose device is the agent's in a deal."""

    space: int
    agent: DeviceId


class Asked(NamedTuple):
    """An operation of a deal: space is the row of the deal's."""

    space: int
    deal: SpaceId
    op: EventId


def asked(connection: Connection, device: DeviceId) -> list[Asked]:
    """Every operation in deals of this agent device."""
    query = (
        "SELECT o.space, s.id, o.id FROM op o JOIN deal d ON d.space = o.space JOIN space s ON s.no = o.space"
        " WHERE d.agent = ?"
    )
    rows = connection.execute(query, (raw(device),)).fetchall()
    return [Asked(space, SpaceId(text(deal)), EventId(text(op))) for space, deal, op in rows]


def busy(connection: Connection, me: IdentityId, device: DeviceId) -> list[int]:
    """Deals in which something may fall due for this identity, or for this device as the agent's."""
    return [space for (space,) in connection.execute(_BUSY, (raw(me), raw(device))).fetchall()]


def paying(connection: Connection, device: DeviceId, person: IdentityId | None) -> list[int]:
    """Deals of this agent device in which money may still have to move, the newest first; with one person if given."""
    query = (
        "SELECT space FROM deal d WHERE agent = ?1 AND (?2 IS NULL OR ?2 IN (client, talent))"
        " AND EXISTS (SELECT 1 FROM milestone m WHERE m.space = d.space"
        " AND (m.payable > 0 OR m.state NOT IN ('planned', 'cancelled', 'refunded')))"
        " ORDER BY at DESC, space"
    )
    rows = connection.execute(query, (raw(device), raw(person) if person else None)).fetchall()
    return [space for (space,) in rows]


def hired_posts(connection: Connection, me: IdentityId) -> list[Hired]:
    """My open posts of which a deal was hired, each with the first such deal."""
    query = (
        "SELECT min(d.space), l.id, l.space FROM listing l JOIN deal d ON d.post = l.id WHERE l.author = ?1"
        " AND l.what = 'post' AND l.ended = '' AND d.client = ?1 AND d.state IN ('hired', 'closed') GROUP BY l.id"
    )
    rows = connection.execute(query, (raw(me),)).fetchall()
    return [Hired(space, EventId(text(post)), board) for space, post, board in rows]


def has_pending(connection: Connection, space: int) -> bool:
    """Whether something guarded in a deal was not taken up yet."""
    return connection.execute("SELECT 1 FROM pending WHERE space = ? LIMIT 1", (space,)).fetchone() is not None


def stranded(connection: Connection, me: IdentityId, device: DeviceId) -> list[Role]:
    """As `roles`, where this device did ask: what it asked behind was settled away, and it gets the role no more."""
    query = (
        "SELECT space, agent FROM deal d WHERE holder = ?1 AND agent <> ?2 AND NOT contested AND EXISTS"
        " (SELECT 1 FROM chain c JOIN event e ON e.chain = c.no"
        " WHERE c.space = d.space AND c.device = ?2 AND e.kind = 'agent.device')"
    )
    rows = connection.execute(query, (raw(me), raw(device))).fetchall()
    return [Role(space, DeviceId(text(agent))) for space, agent in rows]


def roles(connection: Connection, me: IdentityId, device: DeviceId) -> list[Role]:
    """The agent's role in deals whose money I hold where another device has it, and this one never asked for it."""
    query = (
        f"SELECT space, agent FROM deal d WHERE holder = ?1 AND agent <> ?2 AND NOT ({_AWAITS}) AND NOT EXISTS"
        " (SELECT 1 FROM chain c JOIN event e ON e.chain = c.no"
        " WHERE c.space = d.space AND c.device = ?2 AND e.kind = 'agent.device')"
    )
    rows = connection.execute(query, (raw(me), raw(device))).fetchall()
    return [Role(space, DeviceId(text(agent))) for space, agent in rows]


def agent_of(connection: Connection, device: DeviceId) -> int:
    """How many deals have this device as the agent's."""
    found: int = connection.execute("SELECT count(*) FROM deal WHERE agent = ?", (raw(device),)).fetchone()[0]
    return found


def asked_to_hold(connection: Connection, me: IdentityId, device: DeviceId) -> list[int]:
    """Deals whose signed terms name this identity, on this device, as the agent, which has not answered yet."""
    query = f"SELECT d.space FROM deal d WHERE d.holder = ?1 AND d.agent = ?2 AND {_AWAITS} ORDER BY d.space"
    return [space for (space,) in connection.execute(query, (raw(me), raw(device))).fetchall()]


def as_agent(connection: Connection, me: IdentityId) -> list[int]:
    """The deals whose money this identity holds, its own as the client among them, oldest first."""
    rows = connection.execute("SELECT space FROM deal WHERE holder = ? ORDER BY space", (raw(me),))
    return [no for (no,) in rows]


def asked_for(connection: Connection, space: int, device: DeviceId, after: EventId) -> bool:
    """Whether this device asked for the agent's role behind that very event before."""
    query = (
        "SELECT e.body FROM chain c JOIN event e ON e.chain = c.no"
        " WHERE c.space = ? AND c.device = ? AND e.kind = 'agent.device'"
    )
    rows = connection.execute(query, (space, raw(device))).fetchall()
    return any(content.said(body)["after"] == after for (body,) in rows)
