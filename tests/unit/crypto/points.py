"""Test tool: Ed25519 signatures whose key and R carry any part of small order, made with plain integers."""

from __future__ import annotations

from hashlib import sha512
from typing import Final, NamedTuple

from chaise_cli.crypto import edwards
from chaise_cli.crypto.edwards import L, Point

_BASE_ENCODING: Final = (4 * pow(5, -1, edwards.P) % edwards.P).to_bytes(32, "little")


def point(encoding: bytes) -> Point:
    """The point of an encoding that is known to be good."""
    decoded = edwards.decode(encoding)
    assert decoded is not None
    return decoded


BASE: Final = point(_BASE_ENCODING)
_ORDER_8: Final = point(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"))
TORSION: Final = tuple(edwards.multiply(n, _ORDER_8) for n in range(8))  # [n] a point of order 8


class Half(NamedTuple):
    """A key or an R: its spelling, the secret factor of its large part, and n of its small part TORSION[n]."""

    encoding: bytes
    factor: int
    torsion: int


def mixed(factor: int, torsion: int) -> Half:
    """[factor] base point + TORSION[torsion], canonically spelled."""
    whole = edwards.add(edwards.multiply(factor, BASE), TORSION[torsion])
    return Half(edwards.encode(whole), factor, torsion)


def small() -> list[Half]:
    """All fourteen spellings of the points of small order."""
    index = {edwards.encode(p): n for n, p in enumerate(TORSION)}
    return [Half(e, 0, index[edwards.encode(loose(e))]) for e in sorted(edwards.SMALL_ORDER)]


def loose(encoding: bytes) -> Point:
    """The point of an encoding read as lenient verifiers do: y modulo p, the sign of x = 0 ignored."""
    number = int.from_bytes(encoding, "little")
    y = (number & ~(1 << 255)) % edwards.P
    sign = 0 if y in (1, edwards.P - 1) else number >> 255
    return point((y | sign << 255).to_bytes(32, "little"))


def challenge(key: Half, r: Half, message: bytes) -> int:
    """K of RFC 8032: the hash of R, the key and the message."""
    return int.from_bytes(sha512(r.encoding + key.encoding + message).digest(), "little") % L


def signature(key: Half, r: Half, message: bytes) -> bytes:
    """R and S such that the equation holds but for the parts of small order."""
    scalar = (r.factor + challenge(key, r, message) * key.factor) % L
    return r.encoding + scalar.to_bytes(32, "little")


def cancels(key: Half, r: Half, message: bytes) -> bool:
    """Whether the parts of small order cancel too, so that the cofactorless equation holds."""
    return (r.torsion + challenge(key, r, message) * key.torsion) % 8 == 0


assert edwards.is_identity(TORSION[0])
