"""HKDF against RFC 5869 and against another implementation; labels and tags keep uses apart."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given
from hypothesis import strategies as st

from chaise_cli.crypto.derivation import derive, hkdf, tagged_hash

SECRET = bytes(range(32))


@pytest.mark.parametrize(
    "secret, salt, info, wanted",
    [
        (
            b"\x0b" * 22,
            bytes(range(13)),
            bytes(range(0xF0, 0xFA)),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
        ),
        (
            bytes(range(0x50)),
            bytes(range(0x60, 0xB0)),
            bytes(range(0xB0, 0x100)),
            (
                "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
                "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
                "cc30c58179ec3e87c14c01d5c1f3434f1d87"
            ),
        ),
        (
            b"\x0b" * 22,
            b"",
            b"",
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
        ),
    ],
)
def test_the_vectors_of_rfc_5869_hold(secret: bytes, salt: bytes, info: bytes, wanted: str) -> None:
    assert hkdf(secret, salt, info, len(wanted) // 2).hex() == wanted


@given(st.binary(min_size=16), st.binary(), st.text("abcdefghijklmnopqrstuvwxyz-"), st.integers(1, 255 * 32))
def test_another_implementation_derives_the_same(secret: bytes, salt: bytes, label: str, length: int) -> None:
    other = HKDF(algorithm=SHA256(), length=length, salt=salt, info=b"chaise/1 " + label.encode())
    assert derive(secret, label, length, salt) == other.derive(secret)


def test_the_keys_of_an_epoch_are_those_of_the_specification() -> None:
    assert {label: derive(SECRET, label).hex() for label in ("body", "history", "access")} == {
        "body": "40b4b196895fac8432abe0b941eb7b1889374a34b85243ad1da930a5da5a226b",
        "history": "3cfecafb7a03ed3d40361479d315f2c8ca24a0078c0e5137d2f9ff3d47bda650",
        "access": "16143b3aad84ea7e779a1b662f5c02ba89f574ce6febb1ac3d06d339bd8ec4eb",
    }


def test_a_short_secret_is_a_bug() -> None:
    with pytest.raises(AssertionError):
        derive(bytes(15), "body")


@pytest.mark.parametrize("length", [0, 255 * 32 + 1])
def test_more_than_rfc_5869_gives_is_a_bug(length: int) -> None:
    with pytest.raises(AssertionError):
        derive(SECRET, "body", length)


def test_a_tag_ends_where_the_hashed_parts_begin() -> None:
    assert tagged_hash("box-key", b"abc").hex() == "cb967dcc3c252f665980c2f93fab3af1c8425aa2cc1e1b84dd61af5be7b77413"
    assert tagged_hash("a", b"b") != tagged_hash("ab", b"")
