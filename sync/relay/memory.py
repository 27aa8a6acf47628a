"""The relay's contract in memory: for tests and simulations, and for a relay that may forget. docs/spec/relay.md."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Mapping, Sequence
from operator import attrgetter
from threading import RLock
from typing import Any, Final, NamedTuple

from chaise_cli.ledger import receipt

from .contract import Chain, Entry, Position, Reach, Registered, Space, Spent, T, Upload

_ABSENT: Final = object()


class _Put(NamedTuple):
    """What one owner has put of an attachment."""

    size: int
    at: int
    pieces: tuple[bytes, ...]

    @property
    def have(self) -> int:
        return sum(map(len, self.pieces))


class _Box(NamedTuple):
    """A mailbox."""

    owner: bytes
    until: int
    slots: Mapping[int, bytes]


class Memory:
    """Tables as dictionaries of values that never change, so that a transaction is undone by putting back the old."""

    shared = False

    def __init__(self) -> None:
        self._lock = RLock()
        self._seed: bytes | None = None
        self.spaces: dict[bytes, Space] = {}
        self.log: dict[bytes, list[Entry]] = {}
        self.chains: dict[tuple[bytes, bytes], Chain] = {}
        self.names: dict[bytes, frozenset[bytes]] = {}  # by space: who is served
        self.reach: dict[bytes, frozenset[bytes]] = {}  # by identity: what is served
        self.known: dict[bytes, tuple[bytes, bool, Reach | None]] = {}
        self.strikes: dict[tuple[bytes, bytes], bool] = {}
        self.invited_by: dict[bytes, bool] = {}
        self.accounts: dict[bytes, Spent] = {}
        self.puts: dict[tuple[bytes, bytes, bytes], _Put] = {}
        self.whole: dict[tuple[bytes, bytes], bytes] = {}  # whose pieces are an attachment
        self.boxes: dict[bytes, _Box] = {}

    def key(self, made: bytes) -> bytes:
        """As the contract says; so are all of these."""
        with self._lock:
            self._seed = self._seed or made
            return self._seed

    def run(self, work: Callable[[_Transaction], T]) -> T:
        with self._lock:
            writing = _Transaction(self)
            try:
                return work(writing)
            except BaseException:
                writing.undo()
                raise

    def device(self, device: bytes) -> Registered | None:
        with self._lock:
            found = self.known.get(device)
            if found is None:
                return None
            identity, admin, reach = found
            return Registered(identity, admin, (identity, device) in self.strikes, reach)

    def positions(self, identity: bytes) -> Mapping[bytes, Position]:
        with self._lock:
            held = [(space, self.spaces[space]) for space in self.reach.get(identity, ())]
            return {space: Position(one.number, one.head) for space, one in held}

    def entries(self, space: bytes, after: int, limit: int) -> Sequence[Entry]:
        with self._lock:
            log, found = self.log.get(space, []), list[Entry]()
            for at in range(bisect_left(log, after + 1, key=attrgetter("to")), len(log)):
                found.append(log[at])
                limit -= len(log[at].events)
                if limit <= 0:
                    break
            return found

    def head_at(self, space: bytes, number: int) -> tuple[bytes, Entry | None]:
        with self._lock:
            log = self.log.get(space, [])
            at = bisect_left(log, number, key=attrgetter("to"))
            before = log[at - 1].head if at else receipt.START
            return before, log[at] if number and at < len(log) else None

    def before(self, spaces: Collection[bytes]) -> Mapping[bytes, Position]:
        with self._lock:
            known = {space: self.log.get(space, [])[-2:] for space in spaces}
            return {space: Position(log[0].to, log[0].head) for space, log in known.items() if len(log) == 2}

    def invites(self) -> Collection[bytes]:
        with self._lock:
            return list(self.invited_by)

    def doors(self, spaces: Collection[bytes]) -> Mapping[bytes, bytes]:
        with self._lock:
            held = {space: self.spaces[space].door for space in spaces if space in self.spaces}
            return {space: door for space, door in held.items() if door is not None}

    def served(self, space: bytes, identity: bytes) -> bool:
        return identity in self.names.get(space, ())

    def piece(self, space: bytes, address: bytes, owner: bytes | None, offset: int) -> tuple[int, bytes] | None:
        with self._lock:
            of = owner if owner is not None else self.whole.get((space, address))
            found = self.puts.get((space, address, of)) if of is not None else None
            if found is None:
                return None
            for data in found.pieces:
                if offset < len(data):
                    return found.size, data[offset:]
                offset -= len(data)
            return found.size, b""

    def slot(self, mailbox: bytes, slot: int, now: int) -> bytes | None:
        found = self.boxes.get(mailbox)
        return None if found is None or found.until <= now else found.slots.get(slot, b"")

    def touched(self) -> Collection[tuple[bytes, int]]:
        return ()

    def audience(self, spaces: Collection[bytes], among: Collection[bytes]) -> Mapping[bytes, Mapping[bytes, Position]]:
        wanted, found = frozenset(among), dict[bytes, dict[bytes, Position]]()
        with self._lock:
            for space in spaces:
                for one in self.names.get(space, frozenset()) & wanted:
                    held = self.spaces[space]
                    found.setdefault(one, {})[space] = Position(held.number, held.head)
        return found

    def ready(self) -> bool:
        return True

    def close(self) -> None:
        """Nothing is open."""


class _Transaction:
    """The contract's Transaction; it has everything, as the lock is one for all."""

    def __init__(self, store: Memory) -> None:
        self._store = store
        self._before: list[tuple[dict[Any, Any], Any, Any]] = []
        self._lengths: list[tuple[list[Entry], int]] = []

    def set(self, table: dict[Any, Any], key: Any, value: Any) -> None:
        """Put a row into a table, or take it out; remembers what was there."""
        self._before.append((table, key, table.get(key, _ABSENT)))
        _put(table, key, value)

    def undo(self) -> None:
        """Put everything back."""
        for table, key, value in reversed(self._before):
            _put(table, key, value)
        for log, length in reversed(self._lengths):
            del log[length:]

    def space(self, space: bytes) -> Space | None:
        return self._store.spaces.get(space)

    def add_space(self, space: bytes, made: Space) -> None:
        self.set(self._store.spaces, space, made)

    def set_door(self, space: bytes, door: bytes) -> None:
        held = self._store.spaces[space]
        self.set(self._store.spaces, space, held._replace(door=door))
        for other in self._store.names.get(space, frozenset()) - {held.creator}:
            self.set(self._store.names, space, self._store.names[space] - {other})
            self.set(self._store.reach, other, self._store.reach[other] - {space})

    def serves(self, space: bytes, identity: bytes) -> bool:
        return self._store.served(space, identity)

    def serve(self, space: bytes, identities: Collection[bytes]) -> None:
        names, reach = self._store.names, self._store.reach
        self.set(names, space, names.get(space, frozenset()) | frozenset(identities))
        for one in identities:
            self.set(reach, one, reach.get(one, frozenset()) | {space})

    def meet(self, one: bytes, other: bytes) -> bool:
        reach, spaces = self._store.reach, self._store.spaces
        shared = reach.get(one, frozenset()) & reach.get(other, frozenset())
        return any(spaces[space].kind != "self" for space in shared)

    def chain(self, space: bytes, device: bytes) -> Chain | None:
        return self._store.chains.get((space, device))

    def overlapping(self, space: bytes, device: bytes, first_seq: int, last_seq: int) -> Sequence[Entry]:
        held = self._store.log.get(space, ())
        return [
            e for e in held if e.device == device and e.first_seq <= last_seq and first_seq < e.first_seq + e.length
        ]

    def append(self, space: bytes, entries: Sequence[Entry], chains: Mapping[bytes, Chain]) -> None:
        held, newest = self._store.spaces[space], entries[-1]
        log = self._store.log.setdefault(space, [])
        self._lengths.append((log, len(log)))
        log.extend(entries)
        for device, chain in chains.items():
            self.set(self._store.chains, (space, device), chain)
        self.set(self._store.spaces, space, held._replace(number=newest.to, head=newest.head, last=newest.last))

    def spend(self, identity: bytes, size: int, spaces: int) -> Spent:
        before = self._store.accounts.get(identity, Spent(0, 0))
        self.set(self._store.accounts, identity, Spent(before.size + size, before.spaces + spaces))
        return self._store.accounts[identity]

    def device(self, device: bytes) -> Registered | None:
        return self._store.device(device)

    def devices(self, identity: bytes) -> int:
        held = [one for one, (of, _, reach) in self._store.known.items() if of == identity and reach is None]
        return sum((identity, one) not in self._store.strikes for one in held)

    def register(self, device: bytes, identity: bytes, *, admin: bool, reach: Reach | None = None) -> None:
        self.set(self._store.known, device, (identity, admin, reach))

    def strike(self, identity: bytes, device: bytes) -> None:
        self.set(self._store.strikes, (identity, device), True)

    def struck(self, identity: bytes, devices: Collection[bytes]) -> bool:
        return any((identity, device) in self._store.strikes for device in devices)

    def add_invite(self, digest: bytes) -> None:
        self.set(self._store.invited_by, digest, True)

    def drop_invite(self, digest: bytes) -> None:
        self.set(self._store.invited_by, digest, _ABSENT)

    def invited(self, digest: bytes) -> bool:
        return digest in self._store.invited_by

    def upload(self, space: bytes, address: bytes, owner: bytes) -> Upload | None:
        of = self._store.whole.get((space, address), owner)
        found = self._store.puts.get((space, address, of))
        return None if found is None else Upload(found.size, found.have)

    def add_piece(self, space: bytes, address: bytes, owner: bytes, piece: bytes, size: int, at: int) -> None:
        place = space, address, owner
        before = self._store.puts.get(place, _Put(size, at, ()))
        self.set(self._store.puts, place, _Put(size, at, (*before.pieces, piece)))

    def complete(self, space: bytes, address: bytes, owner: bytes) -> None:
        for one in [key for key in self._store.puts if key[:2] == (space, address) and key[2] != owner]:
            self.drop_upload(*one)
        self.set(self._store.whole, (space, address), owner)

    def drop_upload(self, space: bytes, address: bytes, owner: bytes) -> None:
        found = self._store.puts.get((space, address, owner))
        if found is not None:
            self.spend(owner, -found.have, 0)
            self.set(self._store.puts, (space, address, owner), _ABSENT)

    def open_mailbox(self, mailbox: bytes, owner: bytes, until: int) -> None:
        self.set(self._store.boxes, mailbox, _Box(owner, until, {}))

    def mailbox(self, mailbox: bytes) -> int | None:
        found = self._store.boxes.get(mailbox)
        return None if found is None else found.until

    def mailboxes(self, owner: bytes, now: int) -> int:
        return sum(box.owner == owner and box.until > now for box in self._store.boxes.values())

    def slot(self, mailbox: bytes, slot: int) -> bytes | None:
        return self._store.boxes[mailbox].slots.get(slot)

    def purge(self, now: int, unfinished_before: int) -> None:
        for mailbox in [name for name, box in self._store.boxes.items() if box.until <= now]:
            self.set(self._store.boxes, mailbox, _ABSENT)
        for (space, address, owner), put in list(self._store.puts.items()):
            if put.at < unfinished_before and self._store.whole.get((space, address)) != owner:
                self.drop_upload(space, address, owner)

    def fill(self, mailbox: bytes, slot: int, data: bytes) -> None:
        box = self._store.boxes[mailbox]
        self.set(self._store.boxes, mailbox, box._replace(slots={**box.slots, slot: data}))


def _put(table: dict[Any, Any], key: Any, value: Any) -> None:
    if value is _ABSENT:
        table.pop(key, None)
    else:
        table[key] = value
