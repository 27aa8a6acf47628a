"""Ed25519 signatures, each with the tag of its use, and the rule by which a public key is admitted.

Verification is OpenSSL's cofactorless equation, with R and the key wanted in their canonical spelling and not
of small order: with such a key one fixed signature would hold for every message. Source: RFC 8032, "Taming the
many EdDSAs" (eprint 2020/1244); docs/spec/keys.md.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from chaise_cli.crypto import edwards
from chaise_cli.errors import Corrupt

if TYPE_CHECKING:
    from collections.abc import Callable

KEY_SIZE: Final = 32
SIGNATURE_SIZE: Final = 64
REQUEST_START: Final = b'"'  # of every signature base; no tag begins so, and what is signed with a tag begins with it
SSH_START: Final = b"SSHSIG"  # of what OpenSSH signs for a file; likewise


class Tags(NamedTuple):
    """What a signature is for; the tag goes before the message, so that no signature serves for another use."""

    event: bytes = b"chaise/1 event\x00"
    certificate: bytes = b"chaise/1 certificate\x00"
    terms: bytes = b"chaise/1 terms\x00"
    receipt: bytes = b"chaise/1 receipt\x00"
    anchor: bytes = b"chaise/1 anchor\x00"
    request: bytes = b"chaise/1 request\x00"
    proof: bytes = b"chaise/1 proof\x00"
    voucher: bytes = b"chaise/1 voucher\x00"
    revocation: bytes = b"chaise/1 revocation\x00"


TAGS: Final = Tags()


class BadKey(Corrupt):
    """The bytes are no Ed25519 public key at all: a wrong length, or no point of the curve."""

    code = "key.bad"
    message = "a signing key is not valid: {key}"
    hint = "do not deal under this key; ask its owner for a new device key by another way"
    key: str  # hexadecimal, shortened


class KeyNotCanonical(BadKey):
    """The key's point has another, the proper, spelling."""

    code = "key.not_canonical"
    message = "a signing key is spelled in a way that is not canonical: {key}"


class KeySmallOrder(BadKey):
    """Under this key one signature would hold for every message."""

    code = "key.small_order"
    message = "a signing key is one of the points of small order, under which anybody can sign: {key}"


class KeyTorsion(BadKey):
    """A part of small order is mixed into the key; verifiers could disagree about its signatures."""

    code = "key.torsion"
    message = "a signing key has a part of small order mixed in: {key}"


class Signer(Protocol):
    """Something that signs with one key: the key itself, or a fake in a simulation."""

    @property
    def public(self) -> bytes:
        """The 32-byte public key."""

    def sign(self, tag: bytes, message: bytes) -> bytes:
        """64 bytes that `verify` accepts for the same tag, one of `TAGS`, and message."""


class Ed25519Signer:
    """A signer made from a 32-byte seed that it keeps in memory."""

    __slots__ = ("_key", "public")

    def __init__(self, seed: bytes) -> None:
        assert len(seed) == KEY_SIZE, "a seed has 32 bytes"
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public: Final = self._key.public_key().public_bytes_raw()

    def sign(self, tag: bytes, message: bytes) -> bytes:
        """64 bytes that `verify` accepts for the same tag and message; the same for the same input."""
        assert tag in TAGS, "a signature needs the tag of its use"
        return self._key.sign(tag + message)

    def sign_request(self, base: bytes) -> bytes:
        """64 bytes that `verify_request` accepts for the signature base of an HTTP request (RFC 9421)."""
        assert base.startswith(REQUEST_START), "a signature base begins with its first component's name"
        return self._key.sign(base)


def generate_seed(random: Callable[[int], bytes]) -> bytes:
    """32 bytes for `Ed25519Signer`; `random` gives as many unpredictable bytes as it is asked for."""
    seed = random(KEY_SIZE)
    assert len(seed) == KEY_SIZE, "the random source gave another number of bytes"
    return seed


def verify(public: bytes, tag: bytes, message: bytes, signature: bytes) -> bool:
    """Whether `signature` is `public`'s over `tag` and `message`. False for whatever is malformed; never raises.

    A key with a torsion component is not noticed here: `admit_key` is for that, once per key.
    """
    assert tag in TAGS, "a signature needs the tag of its use"
    return _holds(public, tag + message, signature)


def verify_request(public: bytes, base: bytes, signature: bytes) -> bool:
    """Whether `signature` is `public`'s over the signature base of an HTTP request. Never raises.

    RFC 9421 has a prefix of its own, so no tag goes before it: docs/spec/relay.md.
    """
    return base.startswith(REQUEST_START) and _holds(public, base, signature)


def verify_ssh(public: bytes, signed: bytes, signature: bytes) -> bool:
    """Whether `signature` is `public`'s over the structure that OpenSSH signs for a file. Never raises."""
    return signed.startswith(SSH_START) and _holds(public, signed, signature)


def _holds(public: bytes, signed: bytes, signature: bytes) -> bool:
    if len(signature) != SIGNATURE_SIZE or not _sound(signature[:32]):
        return False
    key = _parsed(public)
    if key is None:
        return False
    try:
        key.verify(signature, signed)
    except InvalidSignature:
        return False
    return True


@lru_cache(maxsize=4096)  # a device writes into many spaces, and its key is weighed for each
def admit_key(public: bytes, *, torsion: bool) -> None:
    """Return only if the key may sign here.

    torsion: also prove that no part of small order is mixed in, about 2 ms; for keys that enter a deal.
    Raises KeyNotCanonical, KeySmallOrder, KeyTorsion, or their base BadKey for what is no key at all.
    """
    shown = public.hex()[:64]
    if len(public) != KEY_SIZE:
        raise BadKey(key=shown)
    if not edwards.is_canonical(public):
        raise KeyNotCanonical(key=shown)
    if public in edwards.SMALL_ORDER:
        raise KeySmallOrder(key=shown)
    point = edwards.decode(public)
    if point is None:
        raise BadKey(key=shown)
    if torsion and edwards.has_torsion(point):
        raise KeyTorsion(key=shown)


def _sound(encoding: bytes) -> bool:
    return encoding not in edwards.SMALL_ORDER and edwards.is_canonical(encoding)


@lru_cache(maxsize=4096)
def _parsed(public: bytes) -> Ed25519PublicKey | None:
    """The key ready to verify with, kept for bulk work; None for a key that no verdict may rest on."""
    if len(public) != KEY_SIZE or not _sound(public):
        return None
    return Ed25519PublicKey.from_public_bytes(public)
