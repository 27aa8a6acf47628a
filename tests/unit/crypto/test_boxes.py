"""Boxes: wrapping to a key, against X-Wing's vector and a second implementation of the whole suite."""

from __future__ import annotations

from hashlib import sha3_256, sha256, shake_256

import pytest
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from hypothesis import given, settings
from hypothesis import strategies as st

from chaise_cli.crypto.boxes import (
    OVERHEAD,
    PUBLIC_SIZE,
    SUITE_ID,
    BadBox,
    BadBoxKey,
    BoxKey,
    admit_box_key,
    key_id,
    wrap,
)

# The first key of draft-connolly-cfrg-xwing-kem, appendix C.
SEED = bytes.fromhex("7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26")
KEY = BoxKey(SEED)
OTHER = BoxKey(bytes(32))
SECRET = bytes(range(32))
LOW_ORDER = (bytes(32), b"\x01" + bytes(31), b"\xec" + b"\xff" * 30 + b"\x7f", b"\xed" + b"\xff" * 30 + b"\x7f")


def second_implementation(seed: bytes, box: bytes, info: bytes) -> bytes:
    """What docs/spec/keys.md says, step by step, on primitives alone."""
    expanded = shake_256(seed).digest(96)
    lattice = MLKEM768PrivateKey.from_seed_bytes(expanded[:64])
    curve = X25519PrivateKey.from_private_bytes(expanded[64:])
    point = box[1088:1120]
    shared = sha3_256(
        lattice.decapsulate(box[:1088])
        + curve.exchange(X25519PublicKey.from_public_bytes(point))
        + point
        + curve.public_key().public_bytes_raw()
        + bytes.fromhex("5c2e2f2f5e5c")
    ).digest()

    def sized(part: bytes) -> bytes:
        return len(part).to_bytes(2, "big") + part

    suite = b"HPKE" + SUITE_ID
    secrets = sized(b"") + sized(shared)
    context = b"\0" + sized(b"") + sized(info)
    length = 32 + 12 + 64
    labeled = secrets + b"HPKE-v1" + suite + sized(b"secret") + length.to_bytes(2, "big") + context
    schedule = shake_256(labeled).digest(length)
    return ChaCha20Poly1305(schedule[:32]).decrypt(schedule[32:44], box[1120:], b"")


def test_a_key_is_expanded_as_x_wing_does() -> None:
    assert KEY.public.hex().startswith("e2236b35a8c24b39b10aa1323a96a919a2ced88400633a7b07131713fc14b2b5")
    assert KEY.public.hex().endswith("859edb06eff389b27dce59844570216223593d4ba32d9abac8cd049040ef6534")
    assert len(KEY.public) == PUBLIC_SIZE == 1216
    assert sha256(KEY.public).hexdigest() == "2e816deebcd76c5c80d0cd2d174478871658e8e2ff42bc9d4a6e486372e856bb"


def test_the_seed_is_all_there_is_to_keep() -> None:
    assert BoxKey(KEY.seed).public == KEY.public
    assert KEY.key_id == key_id(KEY.public) != OTHER.key_id


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_what_was_wrapped_unwraps_also_by_a_second_implementation(secret: bytes, info: bytes) -> None:
    box = wrap(KEY.public, secret, info)
    assert len(box) == len(secret) + OVERHEAD
    assert KEY.unwrap(box, info) == secret == second_implementation(SEED, box, info)


def test_only_the_named_key_and_context_open_a_box() -> None:
    box = wrap(KEY.public, SECRET, b"context")
    with pytest.raises(BadBox):
        OTHER.unwrap(box, b"context")
    with pytest.raises(BadBox):
        KEY.unwrap(box, b"another context")


def test_no_byte_of_a_box_can_change() -> None:
    box = wrap(KEY.public, SECRET, b"")
    for place in range(len(box)):
        changed = bytearray(box)
        changed[place] ^= 1 << place % 8
        with pytest.raises(BadBox):
            KEY.unwrap(bytes(changed), b"")


@settings(max_examples=50)
@given(st.binary(max_size=1200))
def test_garbage_is_a_bad_box(garbage: bytes) -> None:
    with pytest.raises(BadBox):
        KEY.unwrap(garbage, b"")


@pytest.mark.parametrize("point", LOW_ORDER)
def test_a_point_of_low_order_is_refused_in_a_box_and_as_a_key(point: bytes) -> None:
    box = wrap(KEY.public, SECRET, b"")
    with pytest.raises(BadBox):
        KEY.unwrap(box[:1088] + point + box[1120:], b"")
    with pytest.raises(BadBoxKey):
        admit_box_key(KEY.public[:1184] + point)


@pytest.mark.parametrize("length", [0, 32, 1183, 1184, 1215])
def test_a_key_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(BadBoxKey):
        wrap(KEY.public[:length], SECRET, b"")
    with pytest.raises(BadBoxKey):
        admit_box_key(KEY.public + b"x")


def test_a_lattice_key_out_of_range_is_refused() -> None:
    """FIPS 203 §7.2: each coefficient is below q = 3329."""
    with pytest.raises(BadBoxKey) as caught:
        admit_box_key(b"\xff" * 1152 + KEY.public[1152:])
    assert caught.value.code == "key.bad_box_key"


def test_a_good_key_is_admitted() -> None:
    admit_box_key(KEY.public)


def test_a_seed_of_another_length_is_a_bug() -> None:
    with pytest.raises(AssertionError):
        BoxKey(bytes(64))
