"""Revocations as they stand in a space, and what they cut off; see `domain.revocation` for the rule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chaise_cli.domain import revocation
from chaise_cli.domain.light import NamedTuple
from chaise_cli.ids import DeviceId, IdentityId, raw, text
from chaise_cli.ledger import canonical
from chaise_cli.store import branches, content, events

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlcipher3.dbapi2 import Connection

    from chaise_cli.domain.revocation import Revoked
    from chaise_cli.store.events import Chain, Row

_EVENT = "event e INDEXED BY event_revocation"  # else all events of a board are walked for the few there are
_KINDS = "('self.device_revoked', 'board.device_revoked', 'deal.device_revoked')"


class Said(NamedTuple):
    """A revocation that admission let pass."""

    row: Row
    claim: revocation.Claim


def any_in(connection: Connection, space: int) -> bool:
    """Whether anybody revoked a device in a space: most have none, and are done with it here."""
    query = f"SELECT 1 FROM chain c JOIN {_EVENT} ON e.chain = c.no WHERE c.space = ? AND e.kind IN {_KINDS} LIMIT 1"
    return connection.execute(query, (space,)).fetchone() is not None


def said(connection: Connection, space: int, identity: IdentityId | None = None) -> list[Said]:
    """The revocations in a space, of one identity or of all, in the order (lamport, device, seq, id)."""
    query = (
        f"{events.STORED.replace('event e', _EVENT)} WHERE c.space = ?1 AND e.kind IN {_KINDS}"
        " AND (?2 IS NULL OR c.identity = ?2) ORDER BY e.lamport, c.device, e.seq, e.id"
    )
    rows = connection.execute(query, (space, raw(identity) if identity else None)).fetchall()
    found = []
    tops: dict[int, tuple[DeviceId, ...]] = {}
    for stored in (events.Stored(*row) for row in rows):
        row = content.row(stored)
        if row.content is not None:
            if row.chain not in tops:
                tops[row.chain] = above(connection, row.chain)
            rank = (row.lamport, row.device, row.seq, row.id)
            found.append(Said(row, revocation.Claim(tops[row.chain], row.seq, rank, row.content)))
    return found


def above(connection: Connection, chain: int) -> tuple[DeviceId, ...]:
    """A chain's device and those that certified it, by the certificates in its first sealed event; empty before."""
    query = "SELECT body, void FROM event WHERE chain = ? AND seq BETWEEN ? AND ? AND suite = 1 ORDER BY seq LIMIT 1"
    held = events.chain_numbered(connection, chain)
    rows = events.branches_of(connection, held.space, held.device)
    for part in branches.history(rows, branches.Spot(chain, held.seq)):
        row = connection.execute(query, part).fetchone()
        if row is not None:
            broken = row[1] in {"body.unopenable", "body.malformed", "certificate.bad"}
            value: Any = {} if broken else canonical.trusted(row[0])
            return tuple(DeviceId(one["device"]) for one in value.get("cert", ()))
    return ()


def heard(said: Iterable[Said]) -> list[Said]:
    """Those that count, of each identity the strongest first."""
    by_writer: dict[IdentityId | None, dict[tuple[Any, ...], Said]] = {}
    for one in said:
        by_writer.setdefault(one.row.identity, {})[one.claim.rank] = one
    found: list[Said] = []
    for mine in by_writer.values():
        found += [mine[claim.rank] for claim in revocation.heard(one.claim for one in mine.values())]
    return found


def strays(connection: Connection, said: Iterable[Said]) -> frozenset[int]:
    """Rows of chains that do not lead to the last good event which the revocation of their device names.

    A device that wrote several histories is cut off on all but one, whatever their seqs. Of several statements about
    it the one that decides how far it counts decides here too: the strongest that counts and reaches it.
    """
    found: set[int] = set()
    decided: set[int] = set()
    for one in heard(said):
        off, depth = _beside(connection, one), len(one.row.content.certificates)
        reached = {row for row in off if row not in decided and depth < len(above(connection, row))}
        decided |= reached
        found |= {row for row in reached if off[row]}
    return frozenset(found)


def beside(connection: Connection, said: Iterable[Said]) -> dict[int, frozenset[str]]:
    """For rows of chains the last good events, by their ids, that revocations of their device name and they miss."""
    found: dict[int, frozenset[str]] = {}
    for one in said:
        if one.row.content.last:
            for row, is_off in _beside(connection, one).items():
                found[row] = found.get(row, frozenset()) | ({one.row.content.last.id} if is_off else frozenset())
    return found


def _beside(connection: Connection, one: Said) -> dict[int, bool]:
    """Of each row of a revoked device's chain, where it has several, whether it parts from the way to `last`."""
    body, chain = one.row.content, events.chain_numbered(connection, one.row.chain)
    rows = events.branches_of(connection, chain.space, raw(body.device))
    if len(rows) < 2:
        return {}
    spot = branches.find(connection, rows, body.last.seq, raw(body.last.id)) if body.last else None
    way = {part.chain for part in branches.history(rows, spot)} if spot else set()
    # Nobody revokes a device of somebody else; what all histories share is judged by its seq alone.
    return {row.no: row.parent is not None and row.no not in way for row in rows if row.identity == one.row.identity}


def above_of(connection: Connection, device: bytes) -> tuple[DeviceId, ...]:
    """As `above`, by any chain of a device that has proved whose it is; empty without one."""
    query = "SELECT no FROM chain WHERE device = ? AND identity IS NOT NULL AND void IS NULL LIMIT 1"
    row = connection.execute(query, (device,)).fetchone()
    return above(connection, row[0]) if row else ()


def standing(connection: Connection, space: int, identity: IdentityId) -> list[Revoked]:
    """The revocations of an identity that count on a board or in self."""
    return revocation.standing(one.claim for one in said(connection, space, identity))


def everywhere(connection: Connection) -> list[list[Revoked]]:
    """The revocations that count, of each identity in each space that holds any."""
    query = f"SELECT DISTINCT c.space FROM chain c JOIN {_EVENT} ON e.chain = c.no WHERE e.kind IN {_KINDS}"
    found: list[list[Revoked]] = []
    for (space,) in connection.execute(query).fetchall():
        told = said(connection, space)
        who = dict.fromkeys(one.row.identity for one in told if one.row.identity)  # in the same order each time
        found += [revocation.standing(one.claim for one in told if one.row.identity == identity) for identity in who]
    return found


def is_late(connection: Connection, space: int, row: Row) -> bool:
    """Whether an event stands behind the place where its device was cut off, whatever became of it."""
    if row.identity is None or not any_in(connection, space):
        return False
    told = said(connection, space, row.identity)
    limit = revocation.limit(above(connection, row.chain), revocation.standing(one.claim for one in told))
    return limit is not None and (row.seq > limit or row.chain in strays(connection, told))


class Cuts:
    """How far the chains of an identity count on a board or in self."""

    def __init__(self, connection: Connection, space: int, identity: IdentityId) -> None:
        self._db = connection
        all_ = said(connection, space, identity)
        found = revocation.heard(one.claim for one in all_)
        self.standing = [revocation.revoked(one.body) for one in found]
        self._heard = {one.rank for one in found}
        self._strays = strays(connection, all_)
        self._limits: dict[bytes, int | None] = {}
        if self.standing:
            chains = [chain for chain in events.chains(connection, space) if chain.identity == identity]
            self._limits = {chain.device: self._limit(connection, chain) for chain in chains}

    def _limit(self, connection: Connection, chain: Chain) -> int | None:
        return revocation.limit(above(connection, chain.no) or (DeviceId(text(chain.device)),), self.standing)

    def _says_too_much(self, row: Row) -> bool:
        """Whether it is a revocation by whom it would cut off."""
        if row.content is None or row.kind not in revocation.KINDS:
            return False
        return not revocation.may_say(above(self._db, row.chain), row.content)

    def why(self, row: Row) -> str | None:
        """Why an event counts for nothing, None when it is not cut off."""
        if (row.lamport, row.device, row.seq, row.id) in self._heard:
            return None
        limit = self._limits.get(row.device)
        if limit is None and self._says_too_much(row):
            return revocation.MayNotRevoke.code
        beyond = limit is not None and (row.seq > limit or row.chain in self._strays)
        return revocation.DeviceRevoked.code if beyond else None
