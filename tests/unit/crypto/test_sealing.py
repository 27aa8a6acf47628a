"""Sealed bodies, commitments and nonces."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaise_cli.crypto.sealing import (
    OVERHEAD,
    BadSeal,
    BodyCipher,
    epoch_commit,
    event_nonce,
    open_sealed,
    seal,
)

KEY, NONCE = bytes(range(32)), bytes(range(12))
keys = st.binary(min_size=32, max_size=32)
nonces = st.binary(min_size=12, max_size=12)


@given(keys, nonces, st.binary(), st.binary())
def test_what_was_sealed_opens(key: bytes, nonce: bytes, plain: bytes, aad: bytes) -> None:
    sealed = seal(key, nonce, plain, aad)
    assert len(sealed) == len(plain) + OVERHEAD
    assert open_sealed(key, nonce, sealed, aad) == plain


def test_no_byte_of_anything_can_change() -> None:
    parts = [KEY, NONCE, seal(KEY, NONCE, b"a body of an event", b"its header"), b"its header"]
    for which, part in enumerate(parts):
        for place in range(len(part)):
            changed = [bytearray(p) for p in parts]
            changed[which][place] ^= 1 << place % 8
            with pytest.raises(BadSeal):
                open_sealed(*map(bytes, changed))


@given(st.binary(max_size=60))
def test_garbage_is_a_bad_seal(garbage: bytes) -> None:
    with pytest.raises(BadSeal):
        open_sealed(KEY, NONCE, garbage, b"")


def test_one_cipher_serves_a_batch_and_agrees_with_single_calls() -> None:
    cipher = BodyCipher(KEY)
    for seq in range(50):
        nonce = event_nonce(KEY, seq)
        sealed = cipher.seal(nonce, b"body", b"header")
        assert sealed == seal(KEY, nonce, b"body", b"header")
        assert cipher.open(nonce, sealed, b"header") == b"body"


def test_sealing_gives_the_bytes_of_the_specification() -> None:
    assert seal(KEY, NONCE, b"plain", b"aad").hex() == "5bb513354fc877e30cd93a531b184711181557947a"


def test_the_first_vector_of_rfc_8452_for_256_bits_holds() -> None:
    """RFC 8452, appendix C.2, plaintext of eight bytes."""
    key, nonce = b"\x01" + bytes(31), b"\x03" + bytes(11)
    assert seal(key, nonce, b"\x01" + bytes(7), b"").hex() == "c2ef328e5c71c83b843122130f7364b761e0b97427e3df28"


def test_a_commitment_names_space_and_secret() -> None:
    first, second = bytes(range(32)), bytes(range(32, 64))
    assert epoch_commit(first, second).hex() == "cc7cad438ef2c5b28fb13acf1c0e742dd7e3278a7425704e7b71ca87c72f18f3"
    assert epoch_commit(first, second) != epoch_commit(second, first)
    with pytest.raises(AssertionError):
        epoch_commit(first[:31], b"\x1f" + second)


def test_a_nonce_names_device_and_place() -> None:
    assert event_nonce(KEY, 7).hex() == "1fdabd95e39fbbc10d0cf54d"
    assert len({event_nonce(bytes((d,)) * 32, seq) for d in range(20) for seq in range(50)}) == 1000
    with pytest.raises(AssertionError):
        event_nonce(b"short", 0)


def test_a_key_of_another_length_is_a_bug() -> None:
    with pytest.raises(AssertionError):
        BodyCipher(bytes(16))
