"""What an admission has lined up: the branches of each device's chain in one space, and the events that wait on them.

A segment that continues what is held is lined up behind it. One that parts from it makes a branch of its own, and of
what it parted from; that needs everything in the store, so it is written down first. docs/spec/store.md.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from chaise_cli.domain.light import NamedTuple
from chaise_cli.store import branches, events, waiting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from chaise_cli.ledger.segment import Link, Segment
    from chaise_cli.store.connection import Connection
    from chaise_cli.store.events import Chain


class Item(NamedTuple):
    """One event on its way in; `prev` is its predecessor's id."""

    seq: int
    id: bytes
    prev: bytes
    suite: int
    epoch: bytes
    signature: bytes | None
    body: bytes


class Branch:
    """One row of a device's chain, and what is lined up behind its opened events."""

    def __init__(self, chain: Chain, parent: Branch | None, queue: deque[Item]) -> None:
        self.chain, self.parent, self.queue = chain, parent, queue

    @property
    def seq(self) -> int:
        """Of its last event, lined up or opened."""
        return self.queue[-1].seq if self.queue else self.chain.seq

    @property
    def id(self) -> bytes:
        """Of its last event; of the one before it while it has none."""
        if self.queue:
            return self.queue[-1].id
        return self.parent.id if self.parent and self.chain.seq < self.chain.first else self.chain.id

    @property
    def is_proved(self) -> bool:
        """Whether certificates that hold tell whose it is."""
        begun = self.chain.seq >= self.chain.first or self.parent is None
        return self.chain.identity is not None if begun or not self.parent else self.parent.is_proved

    def begin(self) -> bool:
        """Make it ready for its next event; False while the branch it leaves is not opened to its end."""
        chain, parent = self.chain, self.parent
        if chain.seq >= chain.first or parent is None:
            return True
        if parent.queue or parent.chain.seq < chain.first - 1 or not parent.begin():
            return False
        above = parent.chain
        self.chain = chain._replace(
            id=above.id,
            lamport=above.lamport,
            identity=above.identity,
            admin=above.admin,
            void=above.void,
            grant=above.grant,
        )
        return True


class Place(NamedTuple):
    """Where a segment goes: behind a branch, from its event `skip` on; `forks` when it parts from what is held there.

    branch is None when there is nothing new in it.
    """

    branch: Branch | None
    skip: int
    forks: bool


class Lineup:
    """The chains of one space during one admission."""

    def __init__(self, connection: Connection, space: int) -> None:
        self._db, self._space = connection, space
        self._devices: dict[bytes, list[Branch]] = {}
        self.stored: dict[bytes, int] = {}  # events that waited before, by device

    def __iter__(self) -> Iterator[Branch]:
        return (branch for rows in list(self._devices.values()) for branch in rows)

    def devices(self) -> list[tuple[bytes, list[Branch]]]:
        """The branches of each device, each after the one it leaves."""
        return list(self._devices.items())

    def knows(self, device: bytes) -> bool:
        """Whether anything of a device's chain is held."""
        return device in self._devices or bool(events.branches_of(self._db, self._space, device))

    def of(self, device: bytes) -> list[Branch]:
        """The branches of a device's chain, each after the one it leaves; an empty stem when it has none."""
        if device not in self._devices:
            stem = events.chain_of(self._db, self._space, device)
            forked = branches.is_left(self._db, stem)
            self._load(device, events.branches_of(self._db, self._space, device) if forked else [stem])
            self.stored[device] = sum(len(branch.queue) for branch in self._devices[device])
        return self._devices[device]

    def _load(self, device: bytes, rows: Sequence[Chain]) -> None:
        made: dict[int, Branch] = {}
        for row in sorted(rows, key=lambda row: row.first if row.parent is not None else -1):
            branch = Branch(row, made[row.parent] if row.parent is not None else None, deque())
            prev = branch.id
            for one in waiting.of_chain(self._db, row.no):
                branch.queue.append(Item(one.seq, one.id, prev, one.suite, one.epoch, one.signature, one.body))
                prev = one.id
            made[row.no] = branch
        self._devices[device] = list(made.values())

    def place(self, segment: Segment, links: Sequence[Link], write_down: Callable[[], None]) -> Place | None:
        """Where a verified segment goes; None when what comes before it is not held.

        write_down: puts what was opened in this admission into the store, where a fork has to be looked for.
        """
        rows = self.of(segment.device)
        if len(rows) == 1:
            branch = rows[0]
            skip = branch.seq + 1 - segment.first_seq
            if 0 <= skip < len(links) and branch.id == (links[skip - 1].id if skip else segment.prev):
                return Place(branch, skip, forks=False)
            if skip < 0:
                return None
        write_down()
        return self._search(segment, links, rows)

    def _search(self, segment: Segment, links: Sequence[Link], rows: Sequence[Branch]) -> Place | None:
        """The last event of a segment's history that is held, by halving: what precedes a held event is held too."""
        low, high = -1, len(links) - 1  # event `low` of the segment is held, those behind `high` are not
        found = self._held(rows, segment.first_seq - 1, segment.prev)
        if found is None:
            return None
        while low < high:
            middle = (low + high + 1) // 2
            here = self._held(rows, segment.first_seq + middle, links[middle].id)
            low, high, found = (middle, high, here) if here else (low, middle - 1, found)
        if low == len(links) - 1:
            return Place(None, len(links), forks=False)
        follows = found.seq == segment.first_seq + low and not any(row.parent is found for row in rows)
        return Place(found, low + 1, forks=not follows)

    def _held(self, rows: Sequence[Branch], seq: int, id_: bytes) -> Branch | None:
        """The branch on which an event stands; before the first event, where the chain begins."""
        if seq < 0:
            return rows[0]
        no = branches.opened_on(self._db, seq, id_)
        for branch in rows:
            queue = branch.queue
            if branch.chain.no == no:
                return branch
            if queue and 0 <= (at := seq - queue[0].seq) < len(queue) and queue[at].id == id_:
                return branch
        return None

    def fork(self, branch: Branch, seq: int, root: bytes) -> tuple[Branch, int | None]:
        """A new branch from event `seq` on, whose id is `root`, beside what follows there on a branch.

        Also the number of the row that the fork made of the branch's own events, if it parted them; what was opened has
        to be in the store.
        """
        device = branch.chain.device
        self._store_queues(device)
        parted = None
        if seq <= branch.seq:
            parted = branches.split(self._db, branch.chain, seq)
            self._renamed(device)
        rows = {row.no: row for row in events.branches_of(self._db, self._space, device)}
        above = rows[branch.chain.no]
        if above.first >= seq and above.parent is not None:  # its beginning moved
            above = rows[above.parent]
        made = branches.add(self._db, above, root)
        self._load(device, events.branches_of(self._db, self._space, device))
        return next(row for row in self._devices[device] if row.chain.no == made.no), parted

    def _renamed(self, parted: bytes) -> None:
        """What other chains have cited is noted under the names of rows, of which a device has others now."""
        for device, rows in self._devices.items():
            for branch in rows if device != parted else ():
                cited = events.chain_numbered(self._db, branch.chain.no).cited
                branch.chain = branch.chain._replace(cited=cited)

    def _store_queues(self, device: bytes) -> None:
        for branch in self._devices[device]:
            events.save_chain(self._db, branch.chain)
            waiting.forget(self._db, branch.chain.no)
            waiting.keep(self._db, branch.chain.no, [_waiting(item) for item in branch.queue])

    def save(self, device: bytes, kept: Sequence[Sequence[Item]]) -> None:
        """Write down a device's chain, with `kept` of each branch waiting; branches that came to nothing go."""
        rows = self._devices[device]
        if self.stored[device] or len(rows) > 1:
            for branch in rows:
                waiting.forget(self._db, branch.chain.no)
        for branch, items in zip(rows, kept, strict=True):
            events.save_chain(self._db, branch.chain)
            waiting.keep(self._db, branch.chain.no, [_waiting(item) for item in items])
        for branch, items in [*zip(rows, kept, strict=True)][::-1]:
            if branch.parent is not None and not items and branch.chain.seq < branch.chain.first:
                branches.drop(self._db, branch.chain)


def _waiting(item: Item) -> waiting.Waiting:
    return waiting.Waiting(item.seq, item.id, item.suite, item.epoch, item.signature, item.body)
