"""The store key, 32 bytes and 16 of salt, and what follows from it without a cipher: its fingerprint and anchor MACs.

Apart from `keyslots`, so that a read in an unlocked home loads no cipher library.
"""

from __future__ import annotations

from hmac import compare_digest, digest
from typing import TYPE_CHECKING, Final, NewType

from chaise_cli.crypto.derivation import derive

if TYPE_CHECKING:
    from collections.abc import Callable

KEY_SIZE: Final = 32
SALT_SIZE: Final = 16
SIZE: Final = KEY_SIZE + SALT_SIZE
MAC_SIZE: Final = 16
StoreKey = NewType("StoreKey", bytes)  # key and salt, 48 bytes: exactly what the database pragma takes, in hex


def generate(random: Callable[[int], bytes]) -> StoreKey:
    """A new store key; `random` gives as many unpredictable bytes as it is asked for."""
    key = random(SIZE)
    assert len(key) == SIZE, "the random source gave another number of bytes"
    return StoreKey(key)


def fingerprint(key: StoreKey) -> bytes:
    """16 bytes that tell a wrong key from a damaged file and say nothing about the key."""
    return derive(key, "fingerprint", 16)


def anchor_mac(key: StoreKey, payload: bytes) -> bytes:
    """16 bytes that only a holder of the store key can put under an anchor record."""
    return digest(derive(key, "anchor"), payload, "sha256")[:MAC_SIZE]


def anchor_holds(key: StoreKey, payload: bytes, mac: bytes) -> bool:
    """Whether `mac` was made by `anchor_mac` for this record; takes the same time wherever they differ."""
    return compare_digest(anchor_mac(key, payload), mac)
