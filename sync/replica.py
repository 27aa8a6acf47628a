"""What replication needs of a store: the one Protocol every side of a sync fulfils.

Replication sees envelopes and never content. The client's replica is `chaise_cli.session.syncing`; tests
keep one in memory. Everything returned is a snapshot: a caller that needs newer heads asks again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

from chaise_cli.ledger.segment import Segment


class Head(NamedTuple):
    """The newest event held of one chain, opened or still waiting for its key or what it cites."""

    device: bytes
    seq: int
    id: bytes


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
        """The head of every chain held of `space`; empty for a space that is not held."""

    def read(self, space: bytes, device: bytes, from_seq: int, limit: int) -> Segment | None:
        """Events of one chain from `from_seq`: at most `limit`, more only to end on a kept signature.

        None when there is nothing from there on, or no kept signature covers it yet. Never over 1,000.
        """

    def admit(self, space: bytes, segments: Sequence[Segment]) -> Admission:
        """Verify and keep segments of one space, all in one transaction; idempotent, never raises on content.

        Segments of one chain come in order. What is already held is skipped; a segment whose beginning is not
        held is refused; a space neither held nor naming this identity in a wrap is refused whole.
        """

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
