"""What a client remembers of one relay between two exchanges: the one Protocol its store fulfils for that.

Of each space: how far the relay's log was followed and checked, the newest receipt, which events lie there in
which order, and what was found out. Everything returned is a snapshot. docs/spec/relay.md.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

from chaise_cli.ledger.receipt import Receipt


class Run(NamedTuple):
    """Entries `first` to `first + length − 1` of a space's log: `length` events of one chain.

    seq: of the first of them. prev: the id of the event before it. last: that of the last of them. head: of the log
    before them.
    """

    first: int
    length: int
    device: bytes
    seq: int
    prev: bytes
    last: bytes
    head: bytes


class Reached(NamedTuple):
    """How far the log of a space was followed and kept, and the receipt for the entry there; None where that is 0."""

    number: int
    head: bytes
    receipt: Receipt | None


class Tip(NamedTuple):
    """The last event of a chain, or of a branch of it, that the log names."""

    device: bytes
    seq: int
    id: bytes


class Memory(Protocol):
    """What is remembered of one relay."""

    def relay(self) -> bytes | None:
        """The relay's key; None before it was ever heard."""

    def begin(self, relay: bytes) -> None:
        """From now on the relay with this key is meant; what was followed of another is forgotten, proofs are not."""

    def registered(self, device: bytes) -> bool:
        """Whether this device was let in, as far as is known."""

    def note_registered(self, device: bytes | None, boards: Collection[bytes]) -> None:
        """The device was let in, and these boards' doors are open to it; None: it is not."""

    def doors(self) -> frozenset[bytes]:
        """Boards whose door proof the relay has taken."""

    def close_doors(self, boards: Collection[bytes]) -> None:
        """The relay has forgotten that it took the proofs of these boards."""

    def door_seed(self, space: bytes) -> bytes | None:
        """The seed of a board's door key; None for what is no board held here."""

    def invite(self) -> str | None:
        """The relay's invite, when one was given."""

    def reached(self) -> Mapping[bytes, Reached]:
        """By space. One read, however many spaces there are."""

    def tips(self) -> Mapping[bytes, Sequence[Tip]]:
        """What the relay holds, by space. One read."""

    def head_at(self, space: bytes, number: int) -> bytes | None:
        """The head of the log as it was followed, at a number up to the one reached; None where that is not known."""

    def claims(self) -> Mapping[bytes, Receipt]:
        """The newest receipt of this relay that others were given and showed, by space."""

    def drop_claim(self, space: bytes) -> None:
        """The receipt that others showed has been compared."""

    def together(self) -> AbstractContextManager[object]:
        """One transaction around what is admitted and what is noted here; durable when the block ends."""

    def extend(self, space: bytes, since: int, runs: Sequence[Run], to: Reached) -> None:
        """The log was followed from entry `since` on by these runs; nothing when another has followed it meanwhile."""

    def restart(self, space: bytes) -> None:
        """Forget how far the log of a space was followed, and its receipt: it is followed anew."""

    def refuse(self, space: bytes) -> None:
        """What came of this space opens for nobody here: do not ask for it again before our own keys have changed."""

    def settle(self, space: bytes) -> None:
        """Note as delivered what the log of a space names and is held here."""

    def found(self, space: bytes | None, code: str, proof: bytes, *, anew: bool) -> bool:
        """Keep a finding with its proof; False when the same is known already, unless it has happened anew."""

    def to_strike(self) -> Sequence[bytes]:
        """Revoked devices of the same identity that the relay was not told of; none where it is not for us to tell."""

    def note_struck(self, device: bytes) -> None:
        """The relay was told of it."""

    def forget_struck(self) -> None:
        """The relay may have forgotten whom it was told of."""

    def naming(self, address: bytes) -> Sequence[bytes]:
        """The spaces whose events name an attachment."""

    def part_size(self, address: bytes) -> int:
        """How many bytes of an attachment have come so far; 0 for none."""

    def add_part(self, address: bytes, offset: int, data: bytes) -> None:
        """More of an attachment has come, from an offset on; whatever was kept beyond that is dropped."""

    def part(self, address: bytes) -> Iterable[bytes]:
        """What has come of an attachment."""

    def drop_part(self, address: bytes) -> None:
        """Nothing of an attachment has come."""

    def object_there(self, space: bytes, address: bytes) -> bool:
        """Whether the relay was given the attachment."""

    def note_object(self, space: bytes, address: bytes) -> None:
        """The relay has the attachment."""
