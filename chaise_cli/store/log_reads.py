"""Signed events read for the log: newest first, with what became of each and how far each has got.

Chains are merged from their ends, so a short list of a long history reads little of it.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Any, Final, cast

from chaise_cli.domain.light import NamedTuple
from chaise_cli.ids import DeviceId, EventId, IdentityId, SpaceId, prefix_range, text
from chaise_cli.ledger import canonical
from chaise_cli.store import events, own, places

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sqlcipher3.dbapi2 import Connection

    from chaise_cli.store.events import Chain, Space, Stored

CLEAR: Final = ("genesis", "wrap")  # kinds in clear, which tell no time
STATES: Final = ("valid", "void", "pending")
_FIRST, _BLOCK = 4, 64  # events read from the end of a chain at first, and then
_BODILESS: Final = frozenset({"body.unopenable", "body.malformed"})


class Logged(NamedTuple):
    """One event as the log tells it. `at` is its device's clock, ms since 1970, UTC; None where it tells none."""

    id: EventId
    space: SpaceId
    space_kind: str
    kind: str
    by: IdentityId | None
    device: DeviceId
    seq: int
    lamport: int
    at: int | None
    status: str
    reason: str | None
    delivery: str


def newest(connection: Connection, space: int | None) -> Iterator[Logged]:
    """The events of one space by its order, or of all spaces by their clocks, newest first, as they are asked for."""
    found = [events.space_numbered(connection, space)] if space is not None else events.spaces(connection)
    chains = [
        _Chain(connection, held, chain, one_space=space is not None)
        for held in found
        for chain in events.chains(connection, held.no)
        if chain.seq >= 0
    ]
    merged = heapq.merge(*(chain.read() for chain in chains), key=lambda row: row[0], reverse=True)
    return (logged for _rank, logged in merged)


def with_id(connection: Connection, id_: bytes) -> Logged | None:
    """The event of this id."""
    stored = events.find_event(connection, id_)
    if stored is None:
        return None
    row = connection.execute("SELECT space FROM chain WHERE no = ?", (stored.chain,)).fetchone()
    space = events.space_numbered(connection, row[0])
    chain = events.chain_of(connection, space.no, stored.device)
    return _Chain(connection, space, chain, one_space=True).logged(stored)


def ids_like(connection: Connection, chars: str, most: int) -> list[bytes]:
    """Ids of events that begin with these characters of their base32 form."""
    query = "SELECT id FROM event WHERE id BETWEEN ? AND ? LIMIT ?"
    return [row[0] for row in connection.execute(query, (*prefix_range(chars), most)).fetchall()]


class _Chain:
    """One device's chain in one space, read backwards."""

    def __init__(self, connection: Connection, space: Space, chain: Chain, *, one_space: bool) -> None:
        self._db, self._space, self._chain, self._one_space = connection, space, chain, one_space
        self._reached: tuple[int, int] | None = None

    def read(self) -> Iterator[tuple[tuple[Any, ...], Logged]]:
        """The events with their ranks, the newest first."""
        last, size = self._chain.seq, _FIRST
        clock = 0
        while last >= 0:
            block = events.read_chain(self._db, self._chain.no, max(0, last - size + 1), last)
            for stored in reversed(block):
                logged = self.logged(stored)
                clock = logged.at if logged.at is not None else clock
                # Where an event tells no time, its successor's place keeps it behind that one.
                rank = (logged.lamport,) if self._one_space else (clock,)
                yield (*rank, logged.device, logged.seq, logged.id), logged
            last, size = last - size, _BLOCK

    def logged(self, stored: Stored) -> Logged:
        """One event of the chain with its status and delivery."""
        status, reason = self._status(stored)
        who = IdentityId(text(stored.identity)) if stored.identity else None
        return Logged(
            EventId(text(stored.id)),
            self._space.id,
            self._space.kind,
            stored.kind or "unknown",
            who,
            DeviceId(text(stored.device)),
            stored.seq,
            stored.lamport,
            _at(stored),
            status,
            reason,
            self._delivery(stored),
        )

    def _status(self, stored: Stored) -> tuple[str, str | None]:
        query = "SELECT 1 FROM pending WHERE space = ? AND chain = ? AND seq = ?"
        if (
            self._space.kind == "deal"
            and self._db.execute(query, (self._space.no, stored.chain, stored.seq)).fetchone()
        ):
            return "pending", stored.void
        return ("void", stored.void) if stored.void else ("valid", None)

    def _delivery(self, stored: Stored) -> str:
        """`seen` by the other side, else at some place (`relay`), else `local`."""
        if self._reached is None:
            self._reached = self._seen(), places.delivered(self._db, self._chain.no)
        seen, delivered = self._reached
        return "seen" if stored.seq <= seen else "relay" if stored.seq <= delivered else "local"

    def _seen(self) -> int:
        """The highest seq that somebody else has, by what their own events cite; of theirs, we have all."""
        if self._chain.identity is not None and self._chain.identity != own.who(self._db)[0]:
            return self._chain.seq
        others = [
            other
            for other in events.chains(self._db, self._space.no)
            if other.identity is not None and other.identity != self._chain.identity
        ]
        return max((self._cited_by(other) for other in others), default=-1)

    def _cited_by(self, other: Chain) -> int:
        """Citations never go back, so the newest one is the highest."""
        device = text(self._chain.device)
        for stored in _backwards(self._db, other):
            for cited, seq, _id in _seen(stored):
                if cited == device:
                    return int(seq)
        return -1


def _backwards(connection: Connection, chain: Chain) -> Iterator[Stored]:
    last, size = chain.seq, _FIRST
    while last >= 0:
        yield from reversed(events.read_chain(connection, chain.no, max(0, last - size + 1), last))
        last, size = last - size, _BLOCK


def _opened(stored: Stored) -> dict[str, Any] | None:
    """What the event says, None where it was not opened or is in clear."""
    if not stored.suite or stored.kind is None or stored.void in _BODILESS:
        return None
    value: Any = canonical.trusted(stored.body)
    return cast("dict[str, Any]", value)


def _at(stored: Stored) -> int | None:
    said = _opened(stored)
    return int(said["at"]) if said else None


def _seen(stored: Stored) -> Iterable[Any]:
    said = _opened(stored)
    return said["seen"] if said else ()
