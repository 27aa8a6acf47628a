"""The curve in plain integers: laws of the group, the points of small order, spellings."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from chaise_cli.crypto import edwards
from chaise_cli.crypto.edwards import L, P
from tests.unit.crypto import points

scalars = st.integers(0, L - 1)
seeds = st.binary(min_size=32, max_size=32)


def test_the_base_point_has_the_prime_order() -> None:
    assert edwards.is_identity(edwards.multiply(L, points.BASE))
    assert not edwards.is_identity(edwards.multiply(L - 1, points.BASE))


@given(scalars, scalars)
def test_multiplication_distributes_over_addition(a: int, b: int) -> None:
    both = edwards.add(edwards.multiply(a, points.BASE), edwards.multiply(b, points.BASE))
    assert edwards.encode(both) == edwards.encode(edwards.multiply((a + b) % L, points.BASE))


@given(scalars)
def test_doubling_is_adding_to_itself(a: int) -> None:
    start = edwards.multiply(a, points.BASE)
    assert edwards.encode(edwards.double(start)) == edwards.encode(edwards.add(start, start))


@given(seeds)
def test_a_public_key_is_read_and_written_back(seed: bytes) -> None:
    public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    decoded = edwards.decode(public)
    assert decoded is not None
    assert edwards.encode(decoded) == public
    assert (-decoded.x * decoded.x + decoded.y * decoded.y - 1 - edwards.D * decoded.t * decoded.t) % P == 0


def test_fourteen_spellings_name_the_eight_points_of_small_order() -> None:
    assert len(edwards.SMALL_ORDER) == 14
    assert {edwards.encode(points.loose(e)) for e in edwards.SMALL_ORDER} == {edwards.encode(p) for p in points.TORSION}
    canonical = {e for e in edwards.SMALL_ORDER if edwards.is_canonical(e)}
    assert canonical == {edwards.encode(p) for p in points.TORSION}


def test_the_fourteen_spellings_are_those_that_are_published() -> None:
    """Source: C2SP/CCTV, ed25519, "Low-order edwards25519 point encodings"."""
    order_8 = ("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc", "05", "85")
    minus = ("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03", "7a", "fa")
    published = {y + end for y, *ends in (order_8, minus) for end in ends}
    published |= {f"{low}{'00' * 30}{end}" for low in ("00", "01") for end in ("00", "80")}
    published |= {f"{low}{'ff' * 30}{end}" for low in ("ec", "ed", "ee") for end in ("7f", "ff")}
    assert {e.hex() for e in edwards.SMALL_ORDER} == published


@pytest.mark.parametrize("y", range(P, 2**255))
def test_a_y_of_p_or_more_is_not_canonical(y: int) -> None:
    assert not edwards.is_canonical(y.to_bytes(32, "little"))
    assert not edwards.is_canonical((y | 1 << 255).to_bytes(32, "little"))


@pytest.mark.parametrize("size", [0, 31, 33])
def test_another_length_is_not_canonical(size: int) -> None:
    assert not edwards.is_canonical(bytes(size))


def test_some_y_lie_on_no_point() -> None:
    assert edwards.decode((2).to_bytes(32, "little")) is None


@given(scalars.filter(bool), st.integers(0, 7))
def test_torsion_is_seen_exactly_when_it_is_mixed_in(factor: int, torsion: int) -> None:
    assert edwards.has_torsion(points.point(points.mixed(factor, torsion).encoding)) == bool(torsion)
