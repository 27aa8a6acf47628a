"""OpenSSH signatures over files, by Ed25519 keys: what git makes with gpg.format=ssh. Read, never made.

Source: PROTOCOL.sshsig and RFC 4253, section 5 (string), RFC 8709 (ssh-ed25519); docs/spec/policies.md.
"""

from __future__ import annotations

import hashlib
import re
import struct
from binascii import Error as NotBase64
from binascii import a2b_base64
from typing import Final

from chaise_cli.crypto import signing
from chaise_cli.errors import Usage

ARMOR_MOST: Final = 4096
_ARMOR: Final = re.compile(
    rb"-----BEGIN SSH SIGNATURE-----\n((?:[A-Za-z0-9+/=]{1,128}\n)+)-----END SSH SIGNATURE-----\n?"
)
_LINE: Final = re.compile(r"ssh-ed25519 ([A-Za-z0-9+/]{68})(?: [^\r\n]*)?\n?")
_KIND: Final = b"ssh-ed25519"
_HASHES: Final = {b"sha512": hashlib.sha512, b"sha256": hashlib.sha256}


class BadKeyLine(Usage):
    """The text is not one line of an Ed25519 public key."""

    code = "key.not_ssh"
    message = "this is not the public key of an Ed25519 key as ssh-keygen writes it"
    hint = "give the file that ends in .pub; another kind of key: ssh-keygen -t ed25519 makes one"


class _NotOne(ValueError):
    """The bytes are no such signature."""


def signer(armor: bytes, message: bytes, namespace: bytes) -> bytes | None:
    """The 32-byte public key that made this signature over `message` for `namespace`; None for none that holds.

    Never raises. Whose key it is, and whether it may sign, is for the caller to know.
    """
    try:
        public, hashed, signature = _parsed(armor, namespace)
    except (_NotOne, NotBase64):
        return None
    digest = _HASHES[hashed](message).digest()
    signed = signing.SSH_START + b"".join(map(_string, (namespace, b"", hashed, digest)))
    return public if signing.verify_ssh(public, signed, signature) else None


def read_public(line: str) -> bytes:
    """The 32 bytes of a key written as `ssh-ed25519 AAAA… comment`. Raises BadKeyLine, and what `admit_key` raises."""
    found = _LINE.fullmatch(line)
    blob = a2b_base64(found[1]) if found else b""
    if len(blob) != 51 or not blob.startswith(_string(_KIND)):
        raise BadKeyLine
    key = blob[-signing.KEY_SIZE :]
    if blob != _string(_KIND) + _string(key):
        raise BadKeyLine
    signing.admit_key(key, torsion=True)
    return key


def _parsed(armor: bytes, namespace: bytes) -> tuple[bytes, bytes, bytes]:
    """Key, hash name and signature. Raises _NotOne, NotBase64."""
    found = _ARMOR.fullmatch(armor) if len(armor) <= ARMOR_MOST else None
    if found is None:
        raise _NotOne
    blob = a2b_base64(found[1].replace(b"\n", b""), strict_mode=True)
    if blob[:10] != signing.SSH_START + struct.pack(">I", 1):
        raise _NotOne
    fields = _strings(blob[10:], 5)
    if (fields[1], fields[2]) != (namespace, b"") or fields[3] not in _HASHES:
        raise _NotOne
    key, signature = _strings(fields[0], 2), _strings(fields[4], 2)
    if key[0] != _KIND or signature[0] != _KIND or len(key[1]) != signing.KEY_SIZE:
        raise _NotOne
    return key[1], fields[3], signature[1]


def _string(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def _strings(data: bytes, count: int) -> list[bytes]:
    """Exactly `count` strings, and nothing behind them. Raises _NotOne."""
    found = []
    for _ in range(count):
        end = 4 + int.from_bytes(data[:4], "big")
        if len(data) < end:
            raise _NotOne
        found.append(data[4:end])
        data = data[end:]
    if data:
        raise _NotOne
    return found
