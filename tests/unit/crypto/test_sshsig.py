from __future__ import annotations

import base64
import hashlib
import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from chaise_cli.crypto.signing import BadKey
from chaise_cli.crypto.sshsig import BadKeyLine, read_public, signer

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()


def string(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def armored(blob: bytes) -> bytes:
    lines = base64.b64encode(blob)
    cut = b"\n".join(lines[at : at + 70] for at in range(0, len(lines), 70))
    return b"-----BEGIN SSH SIGNATURE-----\n" + cut + b"\n-----END SSH SIGNATURE-----\n"


def made(
    message: bytes,
    *,
    namespace: bytes = b"git",
    reserved: bytes = b"",
    hashed: bytes = b"sha512",
    version: int = 1,
    magic: bytes = b"SSHSIG",
    kind: bytes = b"ssh-ed25519",
    behind: bytes = b"",
) -> bytes:
    digest = hashlib.new(hashed.decode(), message).digest()
    signed = KEY.sign(magic + string(namespace) + string(reserved) + string(hashed) + string(digest))
    key, signature = string(kind) + string(PUBLIC), string(kind) + string(signed)
    parts = (key, namespace, reserved, hashed, signature)
    return armored(magic + struct.pack(">I", version) + b"".join(map(string, parts)) + behind)


@pytest.mark.parametrize("hashed", [b"sha512", b"sha256"])
def test_a_signature_tells_whose_key_made_it(hashed: bytes) -> None:
    assert signer(made(b"tag", hashed=hashed), b"tag", b"git") == PUBLIC
    assert signer(made(b"tag", hashed=hashed), b"tag ", b"git") is None


@pytest.mark.parametrize(
    "armor",
    [
        made(b"tag", namespace=b"file"),
        made(b"tag", reserved=b"x"),
        made(b"tag", hashed=b"sha1"),
        made(b"tag", version=2),
        made(b"tag", magic=b"SSHSIH"),
        made(b"tag", kind=b"ssh-rsa"),
        made(b"tag", kind=b"sk-ssh-ed25519@openssh.com"),
        made(b"tag", behind=b"x"),
        made(b"tag").replace(b"\n", b"\r\n"),
        made(b"tag")[:-40],
        made(b"tag") + b"x",
        armored(b""),
        armored(b"SSHSIG\0\0\0\1" + b"\xff" * 20),
        armored(
            b"SSHSIG\0\0\0\1"
            + string(string(b"ssh-ed25519") + string(b"k"))
            + string(b"git")
            + string(b"")
            + string(b"sha512")
        ),
        b"-----BEGIN SSH SIGNATURE-----\nA\n-----END SSH SIGNATURE-----\n",
        b"-----BEGIN SSH SIGNATURE-----\n" + b"A" * 5000 + b"\n-----END SSH SIGNATURE-----\n",
        b"",
    ],
    ids=range(17),
)
def test_what_is_not_such_a_signature_is_nobodys(armor: bytes) -> None:
    assert signer(armor, b"tag", b"git") is None


def test_every_changed_byte_makes_it_nobodys() -> None:
    armor = made(b"tag")
    body = base64.b64decode(b"".join(armor.split(b"\n")[1:-2]))
    for place in range(len(body)):
        changed = bytes(byte ^ (1 if at == place else 0) for at, byte in enumerate(body))
        assert signer(armored(changed), b"tag", b"git") is None, place


def line(blob: bytes, kind: str = "ssh-ed25519") -> str:
    return f"{kind} {base64.b64encode(blob).decode()} james@example\n"


def test_a_public_key_is_read_from_its_line() -> None:
    whole = string(b"ssh-ed25519") + string(PUBLIC)
    assert read_public(line(whole)) == PUBLIC
    for wrong in (line(whole, "ssh-rsa"), line(whole[:-1]), line(whole) + "more", "", line(b"\0" * 51)):
        with pytest.raises(BadKeyLine):
            read_public(wrong)
    with pytest.raises(BadKey):
        read_public(line(string(b"ssh-ed25519") + string(bytes(32))))


@pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="ssh-keygen is not installed")
def test_what_ssh_keygen_signs_is_read_as_it_is_meant(tmp_path: Path) -> None:
    key = tmp_path / "id"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    made_by = read_public((tmp_path / "id.pub").read_text())
    for hashed in ("sha512", "sha256"):
        sign = ["ssh-keygen", "-Y", "sign", "-n", "git", "-f", str(key), "-O", f"hashalg={hashed}"]
        armor = subprocess.run(sign, input=b"a message", capture_output=True, check=True).stdout
        assert signer(armor, b"a message", b"git") == made_by
        assert signer(armor, b"a massage", b"git") is None
        assert signer(armor, b"a message", b"file") is None
