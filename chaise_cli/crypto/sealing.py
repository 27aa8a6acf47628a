"""Sealing of event bodies and small secrets: AES-256-GCM-SIV (RFC 8452), epoch commitments and nonces.

GCM-SIV, since a device restored from a backup may use a nonce twice: that then shows only that two texts
are equal. It does not bind its key, hence `epoch_commit`. Source: docs/spec/keys.md.
"""

from __future__ import annotations

from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from chaise_cli.crypto.derivation import tagged_hash
from chaise_cli.errors import Corrupt

KEY_SIZE: Final = 32
NONCE_SIZE: Final = 12
OVERHEAD: Final = 16  # bytes by which a sealed text is longer


class BadSeal(Corrupt):
    """What was sealed was changed, or the key, nonce or associated data are others than it was sealed with."""

    code = "seal.broken"
    message = "something sealed does not open: it was changed, or belongs elsewhere"
    hint = "fetch it again from another place: chaise sync; chaise verify tells what is affected"


class BodyCipher:
    """One key, ready to seal and open many texts; for batches, where setting up the key would cost as much again."""

    __slots__ = ("_cipher",)

    def __init__(self, key: bytes) -> None:
        assert len(key) == KEY_SIZE, "AES-256 takes 32 bytes"
        self._cipher = AESGCMSIV(key)

    def seal(self, nonce: bytes, plaintext: bytes, aad: bytes) -> bytes:
        """`plaintext` sealed, 16 bytes longer; the same input gives the same output."""
        return self._cipher.encrypt(nonce, plaintext, aad)

    def open(self, nonce: bytes, sealed: bytes, aad: bytes) -> bytes:
        """The plaintext. Raises BadSeal."""
        try:
            return self._cipher.decrypt(nonce, sealed, aad)
        except InvalidTag:
            raise BadSeal from None


def seal(key: bytes, nonce: bytes, plaintext: bytes, aad: bytes) -> bytes:
    """`plaintext` sealed under a 32-byte key and a 12-byte nonce, bound to `aad`."""
    return BodyCipher(key).seal(nonce, plaintext, aad)


def open_sealed(key: bytes, nonce: bytes, sealed: bytes, aad: bytes) -> bytes:
    """What `seal` was given. Raises BadSeal."""
    return BodyCipher(key).open(nonce, sealed, aad)


def epoch_commit(space: bytes, secret: bytes) -> bytes:
    """32 bytes that name an epoch's secret in a wrap: whoever unwraps another secret notices."""
    assert len(space) == len(secret) == KEY_SIZE, "the parts of a commitment have 32 bytes each"
    return tagged_hash("epoch-commit", space, secret)


def event_nonce(device: bytes, seq: int) -> bytes:
    """The 12-byte nonce of the event at `seq` of a device's chain."""
    assert len(device) == KEY_SIZE, "a device is named by its 32-byte public key"
    return tagged_hash("event-nonce", device, seq.to_bytes(8, "big"))[:NONCE_SIZE]
