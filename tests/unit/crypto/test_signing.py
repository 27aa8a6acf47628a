"""Signatures with tags, the published edge cases of Ed25519, and the admission of keys."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from chaise_cli.crypto import edwards, signing
from chaise_cli.crypto.signing import (
    TAGS,
    BadKey,
    Ed25519Signer,
    KeyNotCanonical,
    KeySmallOrder,
    KeyTorsion,
    Signer,
    admit_key,
    verify,
)
from tests.unit.crypto import points

SEED = bytes(range(32))
tags = st.sampled_from(TAGS)
seeds = st.binary(min_size=32, max_size=32)

# RFC 8032 §7.1: seed, public key, message, signature.
RFC_8032 = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        (
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
            "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
        ),
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        (
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        ),
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        (
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
            "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
        ),
    ),
]

SPECCHECK = [
    line.split() for line in Path(__file__).with_name("speccheck.txt").read_text("ascii").splitlines() if line[0] != "#"
]


@pytest.fixture
def untagged(monkeypatch: pytest.MonkeyPatch) -> bytes:
    """An empty tag that counts as one, since published vectors sign bare messages."""
    monkeypatch.setattr(signing, "TAGS", (b"",))
    return b""


@pytest.mark.parametrize("seed, public, message, signature", RFC_8032)
def test_the_vectors_of_rfc_8032_hold(untagged: bytes, seed: str, public: str, message: str, signature: str) -> None:
    signer = Ed25519Signer(bytes.fromhex(seed))
    assert signer.public.hex() == public
    assert signer.sign(untagged, bytes.fromhex(message)).hex() == signature
    assert verify(signer.public, untagged, bytes.fromhex(message), bytes.fromhex(signature))


@pytest.mark.parametrize("message, public, signature, verdict, admission", SPECCHECK)
def test_the_published_edge_cases_have_the_recorded_verdicts(
    untagged: bytes, message: str, public: str, signature: str, verdict: str, admission: str
) -> None:
    key = bytes.fromhex(public)
    accepted = verify(key, untagged, bytes.fromhex(message), bytes.fromhex(signature))
    assert {True: "accepted", False: "refused"}[accepted] == verdict
    assert admission_of(key) == admission


def admission_of(key: bytes) -> str:
    """The code of the error with which a key is kept out of a deal, or `admitted`."""
    try:
        admit_key(key, torsion=True)
    except BadKey as error:
        return error.code
    return "admitted"


def test_small_parts_in_key_and_r_count_as_the_cofactorless_equation_says() -> None:
    """Every spelling of a small point and every mix, as key and as R, under four messages."""
    keys = [*points.small(), *(points.mixed(0x1234567, n) for n in range(8))]
    heads = [*points.small(), *(points.mixed(0x7654321, n) for n in range(8))]
    accepted = 0
    for key in keys:
        for r in heads:
            for message in (b"a", b"b", b"c", b"d"):
                signed = TAGS.event + message
                wanted = bool(key.factor and r.factor) and points.cancels(key, r, signed)
                got = verify(key.encoding, TAGS.event, message, points.signature(key, r, signed))
                assert got is wanted, (key, r, message)
                accepted += got
    assert 8 * 4 // 2 < accepted < 8 * 8 * 4 // 2


def test_the_library_alone_would_take_one_signature_for_every_message() -> None:
    """Why keys of small order are refused: nobody holds the identity's private half."""
    identity, forged = points.small()[2].encoding, points.mixed(1, 0).encoding + (1).to_bytes(32, "little")
    for message in (b"I owe you", b"nothing"):
        Ed25519PublicKey.from_public_bytes(identity).verify(forged, TAGS.event + message)
        assert not verify(identity, TAGS.event, message, forged)


@given(seeds, tags, st.binary())
def test_what_was_signed_verifies_and_under_no_other_tag(seed: bytes, tag: bytes, message: bytes) -> None:
    signer: Signer = Ed25519Signer(seed)
    signature = signer.sign(tag, message)
    assert [other for other in TAGS if verify(signer.public, other, message, signature)] == [tag]


def test_no_byte_of_a_signature_can_change() -> None:
    signer = Ed25519Signer(SEED)
    signature = signer.sign(TAGS.event, b"header")
    assert verify(signer.public, TAGS.event, b"header", signature)
    for place in range(64):
        changed = bytearray(signature)
        changed[place] ^= 1 << place % 8
        assert not verify(signer.public, TAGS.event, b"header", bytes(changed)), place


@given(st.binary(max_size=40), st.binary(max_size=70))
def test_garbage_is_false_and_never_an_exception(public: bytes, signature: bytes) -> None:
    assert not verify(public, TAGS.proof, b"", signature)


def test_signing_gives_the_bytes_of_the_specification() -> None:
    signer = Ed25519Signer(SEED)
    assert signer.public.hex() == "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8"
    assert signer.sign(TAGS.event, b"header").hex() == (
        "c0ee50177abf16664d25fa6d89881d33f0e7e6a0a6eccd7e7542bfd8242a9733"
        "012b591f8a5b46be1fc77d784d7ec28c27f00a97354058441d489a559432bc08"
    )


def test_no_tag_begins_another() -> None:
    assert len(set(TAGS)) == len(TAGS)
    assert all(tag.endswith(b"\0") and tag.count(b"\0") == 1 for tag in TAGS)


def test_a_signature_without_a_known_tag_is_a_bug() -> None:
    with pytest.raises(AssertionError):
        Ed25519Signer(SEED).sign(b"", b"message")
    with pytest.raises(AssertionError):
        verify(bytes(32), b"", b"message", bytes(64))


def test_a_seed_has_thirty_two_bytes() -> None:
    assert signing.generate_seed(bytes) == bytes(32)
    with pytest.raises(AssertionError):
        signing.generate_seed(lambda _: b"short")
    with pytest.raises(AssertionError):
        Ed25519Signer(b"short")


@given(seeds)
def test_a_key_that_was_made_properly_is_admitted(seed: bytes) -> None:
    admit_key(Ed25519Signer(seed).public, torsion=True)


@settings(max_examples=25)
@given(st.integers(1, edwards.L - 1), st.integers(1, 7))
def test_a_key_with_torsion_is_refused_only_where_it_enters_a_deal(factor: int, torsion: int) -> None:
    key = points.mixed(factor, torsion).encoding
    admit_key(key, torsion=False)
    with pytest.raises(KeyTorsion):
        admit_key(key, torsion=True)


@pytest.mark.parametrize("encoding", sorted(edwards.SMALL_ORDER))
def test_no_spelling_of_a_small_point_is_admitted(encoding: bytes) -> None:
    refusal = KeySmallOrder if edwards.is_canonical(encoding) else KeyNotCanonical
    with pytest.raises(refusal):
        admit_key(encoding, torsion=False)


@pytest.mark.parametrize("public", [b"", bytes(31), bytes(33), (2).to_bytes(32, "little")])
def test_what_is_no_key_is_refused(public: bytes) -> None:
    with pytest.raises(BadKey) as caught:
        admit_key(public, torsion=False)
    assert caught.value.code == "key.bad"
