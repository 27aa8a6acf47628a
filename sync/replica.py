"""What replication needs of a store: the one Protocol every side of a sync fulfils.

Replication sees envelopes and never content. The client's replica is `chaise_cli.session.syncing`; tests
keep one in memory. Everything returned is a snapshot: a caller that needs newer heads asks again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from hashlib import sha256
from typing import NamedTuple, Protocol

from chaise_cli.errors import ChaiseError
from chaise_cli.ledger.segment import Segment


class Head(NamedTuple):
    """The last event of one history of a chain, opened or still waiting for its key or what it cites.

    A device that was restored or copied may have written several histories, which share their beginning: a chain
    is a tree, and each of its tips is a head.
    """

    device: bytes
    seq: int
    id: bytes


def position(heads: Iterable[Head]) -> bytes:
    """32 bytes that stand for what is held of a space: SHA-256 over its heads, sorted."""
    return sha256(b"".join([head.device + head.seq.to_bytes(8, "big") + head.id for head in sorted(heads)])).digest()


class SpaceInfo(NamedTuple):
    """One space a replica holds. `kind` is 'self', 'board' or 'deal'."""

    id: bytes
    kind: str
    names: frozenset[bytes]  # identities its wraps name: whoever may be served it; empty for a board


class Problem(NamedTuple):
    """Something that was refused, with a stable code; the rest of the exchange goes on."""

    code: str
    text: str  # says which space and device, in public ids; may hold nothing of the content


class Admission(NamedTuple):
    """What became of offered segments: events kept for the first time, events refused, and why."""

    accepted: int
    rejected: int
    problems: Sequence[Problem]


class Replica(Protocol):
    """A store as replication sees it."""

    def identity(self) -> bytes:
        """The identity this replica works for."""

    def spaces(self) -> Sequence[SpaceInfo]:
        """Every space held."""

    def heads(self, space: bytes) -> Sequence[Head]:
        """Every tip of every chain held of `space`, one or more a device; empty for a space that is not held."""

    def positions(self) -> Mapping[bytes, bytes]:
        """The `position` of every space held, in one quick look: a comparison begins with it, whatever the history."""

    def refuses(self, device: bytes, above: Sequence[bytes] = ()) -> bool:
        """Whether this device is served nothing, because it, or one of `above` that certified it, is known revoked."""

    def common(self, space: bytes, one: Head, other: Head) -> int | None:
        """The seq of the last event that the histories ending in two events of one device share, -1 for none.

        None when either is not held. So `common(space, head, head)` tells whether an event is held at all.
        """

    def read(self, space: bytes, head: Head, from_seq: int, limit: int) -> Segment | None:
        """Part of the history that ends in `head`, from `from_seq`: at most `limit` events, never over 1,000.

        More than `limit`, or beyond `head`, only to end on a kept signature. None when `head` is not held, when it lies
        before `from_seq`, or when no kept signature covers what follows yet.
        """

    def admit(self, space: bytes, segments: Sequence[Segment]) -> Admission:
        """Verify and keep segments of one space, all in one transaction; idempotent, never raises on content.

        Segments of one history come in order. What is already held is skipped; a segment whose beginning is not
        held is refused; one that parts from what is held is kept beside it and reported. A space neither held nor
        naming this identity in a wrap is refused whole.
        """

    def relays(self) -> Sequence[bytes]:
        """The keys of the relays in use here."""

    def signed(self, relays: Collection[bytes]) -> Mapping[bytes, bytes]:
        """By space: key, number u64 and head of the newest receipt from each of these relays, sorted.

        The newest that it gave to this home; where it gave none, that others showed. One quick look, as `positions`.
        """

    def receipts(self, space: bytes) -> Sequence[bytes]:
        """The newest receipts known for a space: from each relay, and any that others showed, packed."""

    def witness(self, receipts: Sequence[bytes]) -> Sequence[ChaiseError]:
        """Compare receipts that a peer shows with what relays said here; what that finds out for the first time."""

    def access_key(self, space: bytes) -> bytes | None:
        """The key whose knowledge opens a board's door; None for spaces that are served by name."""

    def objects_wanted(self) -> Sequence[bytes]:
        """Addresses (SHA-256 of the ciphertext) of attachments known from events but not held."""

    def objects_of(self, space: bytes) -> Sequence[bytes]:
        """Addresses of attachments held that events of `space` name."""

    def read_object(self, address: bytes) -> Iterable[bytes] | None:
        """The ciphertext of an attachment in pieces of at most 1 MiB, or None when it is not held."""

    def keep_object(self, address: bytes, pieces: Iterable[bytes]) -> bool:
        """Store an attachment's ciphertext; False when its hash is not `address` (then nothing is kept)."""


class Signer(Protocol):
    """This device towards a peer: its certificate chain and proofs made with its key."""

    device: bytes
    certificates: bytes  # canonical JSON of the certificates up to the root

    def prove(self, message: bytes) -> bytes:
        """A signature of this device over `message` under the domain tag for proofs."""

    def sign_request(self, base: bytes) -> bytes:
        """A signature of this device over the signature base of a request to a relay."""
