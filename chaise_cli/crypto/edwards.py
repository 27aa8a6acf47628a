"""Points of edwards25519 in plain integers, for admitting a key: decoding, and the order of a point.

Not constant in time, so for public values only. Source: RFC 8032 §5.1; the formulas are those of
Hisil, Wong, Carter and Dawson (2008) for a = -1 in extended coordinates.
"""

from __future__ import annotations

from typing import Final, NamedTuple

P: Final = 2**255 - 19
L: Final = 2**252 + 27742317777372353535851937790883648493  # the prime order of the base point
D: Final = -121665 * pow(121666, -1, P) % P
_SQRT_M1: Final = pow(2, (P - 1) // 4, P)
_SIGN: Final = 1 << 255
# y of the points of order 8 is this or its negative; its source is the table of C2SP/CCTV, and a test derives it.
_Y8: Final = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
# Seven spellings of y, each with both signs: eight points of order 1, 2, 4, 8 and six other spellings of them.
SMALL_ORDER: Final = frozenset(
    (y | sign).to_bytes(32, "little") for y in (0, 1, P - 1, P, P + 1, _Y8, P - _Y8) for sign in (0, _SIGN)
)


class Point(NamedTuple):
    """A point (X : Y : Z : T) with x = X/Z, y = Y/Z and xy = T/Z."""

    x: int
    y: int
    z: int
    t: int


IDENTITY: Final = Point(0, 1, 1, 0)


def is_canonical(encoding: bytes) -> bool:
    """Whether 32 bytes are the one spelling of their point: y below p, and no sign on x = 0."""
    number = int.from_bytes(encoding, "little")
    y = number & ~_SIGN
    return len(encoding) == 32 and y < P and not (number & _SIGN and y in (1, P - 1))


def decode(encoding: bytes) -> Point | None:
    """The point that a canonical encoding names; None when its y lies on no point of the curve."""
    number = int.from_bytes(encoding, "little")
    y = number & ~_SIGN
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P  # D y² + 1 is never zero: -1/D is not a square
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * _SQRT_M1 % P
    if (x * x - square) % P:
        return None
    if (x & 1) != (number >> 255):
        x = -x % P
    return Point(x, y, 1, x * y % P)


def encode(point: Point) -> bytes:
    """The canonical 32 bytes of a point."""
    inverse = pow(point.z, -1, P)
    x, y = point.x * inverse % P, point.y * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def add(a: Point, b: Point) -> Point:
    """A + b; complete, so also right for equal points and for the identity."""
    low, high = (a.y - a.x) * (b.y - b.x) % P, (a.y + a.x) * (b.y + b.x) % P
    cross, depth = 2 * a.t * b.t * D % P, 2 * a.z * b.z % P
    e, f, g, h = high - low, depth - cross, depth + cross, high + low
    return Point(e * f % P, g * h % P, f * g % P, e * h % P)


def double(a: Point) -> Point:
    """A + a, a little cheaper than `add`."""
    xx, yy, zz = a.x * a.x % P, a.y * a.y % P, 2 * a.z * a.z % P
    h = xx + yy
    e = h - (a.x + a.y) ** 2 % P
    g = xx - yy
    f = zz + g
    return Point(e * f % P, g * h % P, f * g % P, e * h % P)


def multiply(scalar: int, point: Point) -> Point:
    """`scalar` times `point`; scalar from 0 up, taken as it is and not modulo L, since L itself is the question."""
    total = IDENTITY
    for bit in f"{scalar:b}":
        total = double(total)
        if bit == "1":
            total = add(total, point)
    return total


def is_identity(point: Point) -> bool:
    """Whether the point is the neutral element, however it is scaled."""
    return point.x % P == 0 and (point.y - point.z) % P == 0


def has_torsion(point: Point) -> bool:
    """Whether a part of small order is mixed into the point: [L]point is not the identity. About 2 ms."""
    return not is_identity(multiply(L, point))
