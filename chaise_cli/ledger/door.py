"""A board's door: whoever can read the board can have itself served by a relay that cannot. docs/spec/relay.md."""

from __future__ import annotations

from typing import Final

from chaise_cli.crypto import signing

_TAG: Final = b"chaise/1 door\0"


def key(seed: bytes) -> bytes:
    """The public half of a door key, which a relay keeps; the seed is derived from the board's access key."""
    return signing.Ed25519Signer(seed).public


def prove(seed: bytes, relay: bytes, device: bytes, space: bytes) -> bytes:
    """The proof that a device may be served a board by this relay."""
    return signing.Ed25519Signer(seed).sign(signing.TAGS.proof, _TAG + relay + device + space)


def holds(door: bytes, relay: bytes, device: bytes, space: bytes, proof: bytes) -> bool:
    """Whether `proof` is what `prove` gives under the door key. Never raises."""
    return signing.verify(door, signing.TAGS.proof, _TAG + relay + device + space, proof)
