"""Proofs: a device shows a peer that it holds its key, by signing what both sides said. docs/spec/sync.md."""

from __future__ import annotations

from chaise_cli.crypto import signing


def verify(device: bytes, message: bytes, signature: bytes) -> bool:
    """Whether `signature` is the device's over `message` under the tag for proofs. Never raises."""
    return signing.verify(device, signing.TAGS.proof, message, signature)
