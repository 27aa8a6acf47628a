"""Keys derived from keys, and hashes with a tag: HKDF-SHA256 (RFC 5869) and SHA-256.

Written on the standard library, eight lines instead of an import: a read with an unlocked home derives keys too,
and loading `cryptography` for it would cost more than the read. Tests compare it with `cryptography`'s HKDF.
Every label in use is listed in docs/spec/keys.md; a label has one meaning for good.
"""

from __future__ import annotations

from hashlib import sha256
from hmac import digest
from typing import Final

PREFIX: Final = b"chaise/1 "
_BLOCK: Final = 32


def derive(secret: bytes, label: str, length: int = 32, salt: bytes = b"") -> bytes:
    """`length` bytes that only a holder of `secret` can name; another label gives an unrelated value.

    secret: at least 16 bytes with full entropy, never a passphrase. length: 1 to 8,160.
    Source: RFC 5869 with SHA-256 and info = "chaise/1 " + label; docs/spec/keys.md.
    """
    assert len(secret) >= 16, "HKDF does not make a weak secret strong"
    return hkdf(secret, salt, PREFIX + label.encode(), length)


def hkdf(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    """HKDF-SHA256 exactly as in RFC 5869; `derive` is the form that keeps uses apart."""
    assert 1 <= length <= 255 * _BLOCK, "RFC 5869 gives at most 255 blocks"
    root = digest(salt or bytes(_BLOCK), secret, "sha256")
    block, out = b"", b""
    for count in range(1, -(-length // _BLOCK) + 1):
        block = digest(root, block + info + bytes((count,)), "sha256")
        out += block
    return out[:length]


def tagged_hash(use: str, *parts: bytes) -> bytes:
    """SHA-256 over "chaise/1 USE", a zero byte and `parts`, which have fixed lengths or are a single one."""
    return sha256(PREFIX + use.encode() + b"\x00" + b"".join(parts)).digest()
