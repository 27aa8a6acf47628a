"""Receipts: what a relay signs about the order in which it keeps the events of a space. docs/spec/relay.md.

A relay numbers the events of a space from 1 and chains their ids: whoever knows the head at one number and
the ids that follow can check the head at any later one, so no relay shows two people two orders unnoticed.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from struct import Struct
from typing import Final, NamedTuple, TypeAlias

from chaise_cli.crypto import signing
from chaise_cli.errors import Corrupt

SIZE: Final = 208
START: Final = bytes(32)  # the head of a log without entries
_FORM: Final = Struct(">32s32sQ32sQ32s64s")
Signer: TypeAlias = signing.Signer


class BadReceipt(Corrupt):
    """Bytes that are no receipt, or one that its relay did not sign."""

    code = "receipt.bad"
    message = "a relay's receipt does not hold: {why}"
    hint = "do not rely on this relay; what is held here is complete: chaise sync --status"
    why: str


class Receipt(NamedTuple):
    """At `at` (ms since 1970 UTC by its clock) the relay kept `event` as entry `number` of `space`.

    head: the relay's chained hash over the ids of all entries up to and with this one.
    """

    relay: bytes
    space: bytes
    number: int
    event: bytes
    at: int
    head: bytes
    signature: bytes

    def pack(self) -> bytes:
        """The 208 bytes as they travel."""
        return _FORM.pack(*self)


def advance(head: bytes, events: Iterable[bytes]) -> bytes:
    """The head of a log after further entries with these event ids, in order."""
    for event in events:
        head = sha256(head + event).digest()
    return head


def signer(seed: bytes) -> Signer:
    """The key of a relay, from the 32 bytes that it keeps."""
    return signing.Ed25519Signer(seed)


def issue(signer: Signer, space: bytes, number: int, event: bytes, at: int, head: bytes) -> Receipt:
    """A receipt of the relay whose key signs."""
    bare = Receipt(signer.public, space, number, event, at, head, bytes(64))
    return bare._replace(signature=signer.sign(signing.TAGS.receipt, _signed(bare)))


def unpack(data: bytes) -> Receipt:
    """The receipt in exactly these bytes; its signature is not yet checked. Raises BadReceipt."""
    if len(data) != SIZE:
        raise BadReceipt(why="another size")
    made = Receipt(*_FORM.unpack(data))
    if not 0 < made.number < 2**63 or made.at >= 2**47:
        raise BadReceipt(why="a number out of range")
    return made


def holds(receipt: Receipt) -> bool:
    """Whether the relay it names has signed it. Never raises."""
    return signing.verify(receipt.relay, signing.TAGS.receipt, _signed(receipt), receipt.signature)


def _signed(receipt: Receipt) -> bytes:
    return receipt.pack()[:-64]
