"""What a relay needs of a database: one small contract, stated with the isolation it needs.

Every backend (`memory`, `sqlite`, `postgres`) passes the suite in tests/contract/test_relay_store.py. In short:

- **A space is written by one transaction at a time.** The first to ask for it (`Transaction.space`) has it until it
  ends, and every later one then sees all that the earlier ones committed. Nothing may be read before that and
  relied upon after it. So numbers are without gaps, and in the order of commits.
- **All or nothing.** Entries, chains, count, head, who is served and what it cost become visible together, to every
  process, or never. A number that a transaction gave up was never given.
- **Readers wait for nobody** and see only what was committed. What one method answers is of one moment; two calls
  may see two moments. Entries never change, so whoever knows a count may read the entries up to it at any time.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple, Protocol, TypeVar

from chaise_cli.ledger import receipt

T = TypeVar("T")


class Unavailable(Exception):
    """The database does not do what it should: it is away, full or broken. Nothing of the transaction was kept."""


class Reach(NamedTuple):
    """What the key of a grant is served: one space, until an instant in ms."""

    space: bytes
    until: int


class Registered(NamedTuple):
    """A device that registered. struck: it was struck off afterwards, and is refused everything.

    reach: of the key of a grant; None for a device, which is served whatever its identity is.
    """

    identity: bytes
    admin: bool
    struck: bool
    reach: Reach | None = None


class Space(NamedTuple):
    """A space as a relay knows it. `number` is that of the newest entry, `last` its event, `head` the head there."""

    kind: str
    creator: bytes
    maker: bytes
    door: bytes | None = None
    number: int = 0
    head: bytes = receipt.START
    last: bytes = receipt.START


class Position(NamedTuple):
    """How far a space goes: the number of its newest entry and the head there."""

    number: int
    head: bytes


class Chain(NamedTuple):
    """The end of a chain's first history, and the highest seq in any of its histories."""

    seq: int
    id: bytes
    top: int


class Entry(NamedTuple):
    """Entries `first` to `first + length − 1` of a space: events of one chain that came in one push.

    last: the id of the last event. head: the log's head after it. events: as `segment.pack_events` packs them.
    """

    first: int
    length: int
    device: bytes
    first_seq: int
    prev: bytes
    last: bytes
    head: bytes
    events: bytes
    signature: bytes

    @property
    def to(self) -> int:
        """The number of its last event."""
        return self.first + self.length - 1


class Spent(NamedTuple):
    """What an identity takes up: bytes kept, and spaces made."""

    size: int
    spaces: int


class Upload(NamedTuple):
    """An attachment as far as it is here. `size`: of the whole; `have`: bytes from its beginning on."""

    size: int
    have: int


class Transaction(Protocol):
    """Writing. Whatever raises out of a transaction takes back all that it did."""

    def space(self, space: bytes) -> Space | None:
        """The space, which from now on no other transaction has; waits for one that has it."""

    def add_space(self, space: bytes, made: Space) -> None:
        """A new space, held by this transaction.

        When another transaction made it since `space` answered None, this one is begun again from its start.
        """

    def set_door(self, space: bytes, door: bytes) -> None:
        """Another door key; nobody but the creator is served any longer."""

    def serves(self, space: bytes, identity: bytes) -> bool:
        """Whether the space is served to an identity."""

    def serve(self, space: bytes, identities: Collection[bytes]) -> None:
        """Serve it to these as well. To whoever waits for news it is as though something was written there."""

    def meet(self, one: bytes, other: bytes) -> bool:
        """Whether some board or deal is served to both. May miss what other transactions have not committed."""

    def chain(self, space: bytes, device: bytes) -> Chain | None:
        """The chain of a device in a space that this transaction has."""

    def overlapping(self, space: bytes, device: bytes, first_seq: int, last_seq: int) -> Sequence[Entry]:
        """All entries of a chain, whatever history of it, that hold an event with a seq in this range.

        Seen is what was committed, and what this transaction has written.
        """

    def append(self, space: bytes, entries: Sequence[Entry], chains: Mapping[bytes, Chain]) -> None:
        """Further entries, which go on from the newest one, and how their chains end now. The space is had."""

    def spend(self, identity: bytes, size: int, spaces: int) -> Spent:
        """Count these towards an identity and answer what it takes up by now; no other spends for it meanwhile.

        Asked for after the space, never before it, so that two transactions cannot wait for one another.
        """

    def device(self, device: bytes) -> Registered | None:
        """What is known of a device."""

    def devices(self, identity: bytes) -> int:
        """How many devices of an identity are registered and not struck; keys of grants aside."""

    def register(self, device: bytes, identity: bytes, *, admin: bool, reach: Reach | None = None) -> None:
        """Remember a device, or the key of a grant, or what it is certified for by now."""

    def strike(self, identity: bytes, device: bytes) -> None:
        """Strike a device of an identity off for good, whether or not it registered."""

    def struck(self, identity: bytes, devices: Collection[bytes]) -> bool:
        """Whether one of these was struck as a device of this identity."""

    def add_invite(self, digest: bytes) -> None:
        """Let in whoever knows the invite with this SHA-256."""

    def drop_invite(self, digest: bytes) -> None:
        """Let nobody in by it any more; whoever registered stays."""

    def invited(self, digest: bytes) -> bool:
        """Whether there is an invite with this SHA-256."""

    def upload(self, space: bytes, address: bytes, owner: bytes) -> Upload | None:
        """The attachment where it is whole; else what `owner` has put of it; else None. The space is had."""

    def add_piece(self, space: bytes, address: bytes, owner: bytes, piece: bytes, size: int, at: int) -> None:
        """The next piece of what `owner` puts; at: ms since 1970, for the purge."""

    def complete(self, space: bytes, address: bytes, owner: bytes) -> None:
        """Serve what `owner` has put, and drop what others have put of the same."""

    def drop_upload(self, space: bytes, address: bytes, owner: bytes) -> None:
        """Forget what `owner` has put of an attachment, and take it off what that identity takes up."""

    def open_mailbox(self, mailbox: bytes, owner: bytes, until: int) -> None:
        """An empty mailbox in place of any of that name. until: ms since 1970."""

    def mailbox(self, mailbox: bytes) -> int | None:
        """Until when a mailbox is open; no other transaction writes to it before this one ends."""

    def mailboxes(self, owner: bytes, now: int) -> int:
        """How many of an identity's mailboxes are open at `now`."""

    def slot(self, mailbox: bytes, slot: int) -> bytes | None:
        """What was written into a slot of a mailbox."""

    def fill(self, mailbox: bytes, slot: int, data: bytes) -> None:
        """Write into an empty slot of an open mailbox."""

    def purge(self, now: int, unfinished_before: int) -> None:
        """Drop mailboxes that are over, and attachments whose last piece came before that and is not the last."""


class Store(Protocol):
    """The database: transactions, and reading without them. Methods may be called from any thread.

    shared: other processes may write to it, so that `touched` has to be asked.
    """

    shared: bool

    def key(self, made: bytes) -> bytes:
        """The seed of the relay's key: `made` when there was none yet, else what the first caller gave."""

    def run(self, work: Callable[[Transaction], T]) -> T:
        """What `work` answers, once all it did is committed and will survive a crash of the machine.

        A backend may run `work` again from its start when transactions met; nothing of the earlier attempt is
        left then, so `work` has no effect but through its transaction.
        """

    def device(self, device: bytes) -> Registered | None:
        """What is known of a device."""

    def positions(self, identity: bytes) -> Mapping[bytes, Position]:
        """Every space that is served to an identity, with its position."""

    def entries(self, space: bytes, after: int, limit: int) -> Sequence[Entry]:
        """Entries with a number above `after`, in order: at least the next, if any, and about `limit` bytes of them.

        The first may begin at or before `after`.
        """

    def head_at(self, space: bytes, number: int) -> tuple[bytes, Entry | None]:
        """For a number from 1 to the count: the head before the entry that holds it, and that entry."""

    def before(self, spaces: Collection[bytes]) -> Mapping[bytes, Position]:
        """Where each of these spaces stood before its newest entry; nothing of one that has a single entry."""

    def invites(self) -> Collection[bytes]:
        """The SHA-256 of every invite that lets somebody in."""

    def doors(self, spaces: Collection[bytes]) -> Mapping[bytes, bytes]:
        """The door keys of those of these spaces that are boards."""

    def served(self, space: bytes, identity: bytes) -> bool:
        """Whether a space is served to an identity."""

    def piece(self, space: bytes, address: bytes, owner: bytes | None, offset: int) -> tuple[int, bytes] | None:
        """The size of an attachment and bytes from `offset` on, as many as lie in one piece; none at its end.

        owner None: only where it is whole. Else what this owner has put.
        """

    def slot(self, mailbox: bytes, slot: int, now: int) -> bytes | None:
        """What a slot of a mailbox that is open at `now` holds, empty when nothing; None without such a mailbox."""

    def touched(self) -> Collection[tuple[bytes, int]]:
        """Spaces that processes may have written to or begun to serve of late, each with a mark that changes then.

        Called again and again, it names every such space at least once, unless its transaction took longer than
        two seconds to commit. Nothing where no other process writes.
        """

    def audience(self, spaces: Collection[bytes], among: Collection[bytes]) -> Mapping[bytes, Mapping[bytes, Position]]:
        """Who of these identities is served one of these spaces, and which, with their positions."""

    def ready(self) -> bool:
        """Whether it answers."""

    def close(self) -> None:
        """Let go of it, after what runs has ended."""
