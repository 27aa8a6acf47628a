"""Signed events read for the log: newest first, with what became of each and how far each has got.

Chains are merged from their ends, so a short list of a long history reads little of it.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Any, Final, cast

from chaise_cli.domain.light import NamedTuple
from chaise_cli.ids import DeviceId, EventId, IdentityId, SpaceId, prefix_range, raw, text
from chaise_cli.ledger import canonical
from chaise_cli.store import branches, events, own, places

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sqlcipher3.dbapi2 import Connection

    from chaise_cli.store.events import Chain, Space, Stored

CLEAR: Final = ("genesis", "wrap")  # kinds in clear, which tell no time
STATES: Final = ("valid", "void", "pending")
DELIVERIES: Final = ("seen", "relay", "peer", "folder", "local")  # the best first
_FIRST, _BLOCK = 4, 64  # events read from the end of a chain at first, and then
_BODILESS: Final = frozenset({"body.unopenable", "body.malformed"})


class Logged(NamedTuple):
    """One event as the log tells it. `at` is its device's clock, ms since 1970, UTC; None where it tells none.

    branch: its device also wrote another history of this chain, of which it is no part. grant: the key that certified
    the run which wrote it.
    """

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
    branch: bool
    copies: Sequence[tuple[str, str]]  # places that have it, and how that is known, as `places.Reached`
    seen: bool
    grant: DeviceId | None


def newest(connection: Connection, space: int | None, by: IdentityId | None = None) -> Iterator[Logged]:
    """The events of one space by its order, or of all spaces by their clocks, newest first, as they are asked for.

    by: of one author alone.
    """
    found = [events.space_numbered(connection, space)] if space is not None else events.spaces(connection)
    chains = [
        _Chain(connection, held, chain, one_space=space is not None)
        for held in found
        for chain in events.chains(connection, held.no)
        if chain.seq >= chain.first and by in {None, chain.identity}
    ]
    merged = heapq.merge(*(chain.read() for chain in chains), key=lambda row: row[0], reverse=True)
    return (logged for _rank, logged in merged)


def with_id(connection: Connection, id_: bytes) -> Logged | None:
    """The event of this id."""
    stored = events.find_event(connection, id_)
    if stored is None:
        return None
    chain = events.chain_numbered(connection, stored.chain)
    space = events.space_numbered(connection, chain.space)
    return _Chain(connection, space, chain, one_space=True).logged(stored)


def ids_like(connection: Connection, chars: str, most: int) -> list[bytes]:
    """Ids of events that begin with these characters of their base32 form."""
    query = "SELECT id FROM event WHERE id BETWEEN ? AND ? LIMIT ?"
    return [row[0] for row in connection.execute(query, (*prefix_range(chars), most)).fetchall()]


class _Chain:
    """One device's chain in one space, or one branch of it, read backwards."""

    def __init__(self, connection: Connection, space: Space, chain: Chain, *, one_space: bool) -> None:
        self._db, self._space, self._chain, self._one_space = connection, space, chain, one_space
        self._reached: tuple[int, list[places.Reached]] | None = None
        self._branches: list[Chain] | None = None

    def read(self) -> Iterator[tuple[tuple[Any, ...], Logged]]:
        """The events with their ranks, the newest first."""
        last, size = self._chain.seq, _FIRST
        clock = 0
        while last >= self._chain.first:
            block = events.read_chain(self._db, self._chain.no, max(self._chain.first, last - size + 1), last)
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
        delivery, copies, seen = self._delivery(stored)
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
            delivery,
            bool(self._chain.root),
            copies,
            seen,
            self._chain.grant,
        )

    def _status(self, stored: Stored) -> tuple[str, str | None]:
        query = "SELECT 1 FROM pending WHERE space = ? AND chain = ? AND seq = ?"
        if (
            self._space.kind == "deal"
            and self._db.execute(query, (self._space.no, stored.chain, stored.seq)).fetchone()
        ):
            return "pending", stored.void
        return ("void", stored.void) if stored.void else ("valid", None)

    def _delivery(self, stored: Stored) -> tuple[str, list[tuple[str, str]], bool]:
        """The best that is known of who has the event, the places that do, and whether the other side has seen it."""
        if self._reached is None:
            self._reached = self._seen(), places.reached(self._db, self._chain.no)
        seen = stored.seq <= self._reached[0]
        copies = [(url, how) for url, how, seq in self._reached[1] if stored.seq <= seq]
        best = min((DELIVERIES.index(how) for _, how in copies), default=-1)
        return "seen" if seen else DELIVERIES[best], copies, seen

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
        """Citations never go back, so the newest one is the highest; of several histories each has one of its own."""
        device, rows = text(self._chain.device), self._rows()
        highest = -1
        for stored in _backwards(self._db, other):
            for cited, seq, id_ in _seen(stored):
                if cited == device and len(rows) == 1:
                    return int(seq)
                if cited == device:
                    highest = max(highest, self._shared(rows, int(seq), raw(id_)))
        return highest

    def _rows(self) -> list[Chain]:
        if self._branches is None:
            self._branches = events.branches_of(self._db, self._space.no, self._chain.device)
        return self._branches

    def _shared(self, rows: list[Chain], seq: int, id_: bytes) -> int:
        """How far the history that ends in a cited event goes on this branch."""
        spot = branches.find(self._db, rows, seq, id_)
        parts = branches.history(rows, spot) if spot else []
        return max((part.last for part in parts if part.chain == self._chain.no), default=-1)


def _backwards(connection: Connection, chain: Chain) -> Iterator[Stored]:
    last, size = chain.seq, _FIRST
    while last >= chain.first:
        yield from reversed(events.read_chain(connection, chain.no, max(chain.first, last - size + 1), last))
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
