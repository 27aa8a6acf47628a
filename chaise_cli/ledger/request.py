"""Requests: a device signs what it asks of a relay, as RFC 9421 has it. docs/spec/relay.md."""

from __future__ import annotations

from typing import Protocol

from chaise_cli.crypto import signing


class Signer(Protocol):
    """A device's key, as far as requests go."""

    @property
    def public(self) -> bytes:
        """The 32-byte public key, which is the device."""

    def sign_request(self, base: bytes) -> bytes:
        """The device's signature over the signature base of a request."""


def verify(device: bytes, base: bytes, signature: bytes) -> bool:
    """Whether `signature` is the device's over this signature base. Never raises."""
    return signing.verify_request(device, base, signature)
