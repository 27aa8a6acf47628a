"""Boxes: a secret wrapped to someone's public key, with HPKE in base mode over ML-KEM-768 and X25519 together.

A box stays shut unless both halves are broken, so what is recorded today does not open to a later quantum
computer. HPKE here knows no sender and no associated data: who wrapped is proved by the signature around it,
and the whole context goes into `info`. There is one suite and nobody negotiates.
Source: RFC 9180, draft-ietf-hpke-pq, draft-connolly-cfrg-xwing-kem; docs/spec/keys.md.
"""

from __future__ import annotations

from hashlib import shake_256
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)

from chaise_cli.crypto.derivation import tagged_hash
from chaise_cli.errors import Corrupt

# HPKE's own numbers for KEM MLKEM768-X25519, KDF SHAKE256 and AEAD ChaCha20-Poly1305; goes into every `info`.
SUITE_ID: Final = bytes.fromhex("647a 0011 0003")
SEED_SIZE: Final = 32
_MLKEM_PUBLIC: Final = 1184
PUBLIC_SIZE: Final = _MLKEM_PUBLIC + 32
OVERHEAD: Final = 1136  # bytes by which a box is longer than the secret in it
_SUITE: Final = Suite(KEM.MLKEM768_X25519, KDF.SHAKE256, AEAD.CHACHA20_POLY1305)


class BadBox(Corrupt):
    """The box was changed, was wrapped to another key, or in another context."""

    code = "box.broken"
    message = "a wrapped key does not open with this box key"
    hint = "another device of yours may hold the right one: chaise sync, then chaise doctor"


class BadBoxKey(Corrupt):
    """The bytes are no box key: a wrong length, or a point or lattice key that may not be used."""

    code = "key.bad_box_key"
    message = "a member's box key is not valid: {key_id}"
    hint = "nothing can be wrapped to it; ask its owner to publish a new one"
    key_id: str  # hexadecimal


class BoxKey:
    """A private box key, made from 32 bytes that are all there is to keep."""

    __slots__ = ("_key", "public", "seed")

    def __init__(self, seed: bytes) -> None:
        assert len(seed) == SEED_SIZE, "a box key's seed has 32 bytes"
        # As X-Wing expands its seed, so that any X-Wing library reads our keys.
        expanded = shake_256(seed).digest(96)
        lattice = MLKEM768PrivateKey.from_seed_bytes(expanded[:64])
        curve = X25519PrivateKey.from_private_bytes(expanded[64:])
        self._key = MLKEM768X25519PrivateKey(lattice, curve)
        self.seed: Final = seed
        self.public: Final = lattice.public_key().public_bytes_raw() + curve.public_key().public_bytes_raw()

    @property
    def key_id(self) -> bytes:
        """The 32 bytes that name the public half in a wrap."""
        return key_id(self.public)

    def unwrap(self, box: bytes, info: bytes) -> bytes:
        """The secret in the box. Raises BadBox, whatever the box is made of."""
        try:
            return _SUITE.decrypt(box, self._key, info=info)
        except (InvalidTag, ValueError):  # a point of low order is a ValueError in wrapping; here not by promise
            raise BadBox from None


def wrap(public: bytes, secret: bytes, info: bytes) -> bytes:
    """A box that only the holder of `public`'s private half opens, and only with the same `info`.

    info: suite id, space, commit and whatever else the secret must not be moved away from.
    Two boxes of one secret differ: the library draws its own randomness. Raises BadBoxKey.
    """
    try:
        lattice = MLKEM768PublicKey.from_public_bytes(public[:_MLKEM_PUBLIC])
        curve = X25519PublicKey.from_public_bytes(public[_MLKEM_PUBLIC:])
        return _SUITE.encrypt(secret, MLKEM768X25519PublicKey(lattice, curve), info=info)
    except ValueError:
        raise BadBoxKey(key_id=key_id(public).hex()) from None


def admit_box_key(public: bytes) -> None:
    """Return only if something can be wrapped to the key. Raises BadBoxKey."""
    wrap(public, b"", b"")


def key_id(public: bytes) -> bytes:
    """The 32 bytes that name a public box key in a wrap."""
    return tagged_hash("box-key", public)
