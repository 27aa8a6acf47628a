"""The bytes of the format, pinned: whoever changes one of these changes every event ever written.

`vectors.json` was computed once from the seeds below. Boxes are drawn at random by their library, so a wrap is pinned
by its form, around a box of fixed bytes.
"""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from chaise_cli.crypto import derivation, sealing, signing
from chaise_cli.ids import DeviceId, text
from chaise_cli.ledger import canonical, certificate, clear, header
from chaise_cli.ledger import segment as segments
from chaise_cli.ledger.segment import Sealed, Segment
from chaise_cli.session import epochs, plaintext

VECTORS: dict[str, Any] = json.loads(Path(__file__).with_name("vectors.json").read_text())


def count(size: int, start: int = 0) -> bytes:
    """`size` bytes that count up from `start`."""
    return bytes((start + number) % 256 for number in range(size))


def build() -> dict[str, Any]:
    """Everything that the format derives from the seeds 0…31 (root), 1…32 (device) and the epoch secret 2…33."""
    root, device = signing.Ed25519Signer(count(32)), signing.Ed25519Signer(count(32, 1))
    secret = count(32, 2)
    identity = certificate.identity_of(root.public)
    certified = certificate.issue(root, "admin", identity, DeviceId(text(device.public)), "laptop", 1_800_000_000_000)
    genesis = clear.write_genesis(clear.Genesis(text(count(16, 3)), "deal", identity))
    zero = header.make(header.CLEAR, header.ZERO, device.public, 0, header.ZERO, header.NO_EPOCH, genesis)
    space = header.event_id(zero)
    commit = sealing.epoch_commit(space, secret)
    box = clear.Box((identity, text(count(32, 4))), text(count(1168)))
    wrap = clear.write_wrap(clear.Wrap(text(commit), [(text(count(8)), text(count(48)))], [box]))
    one = header.make(header.CLEAR, space, device.public, 1, space, header.NO_EPOCH, wrap)
    said = plaintext.Plaintext(
        "message.sent",
        1,
        1_800_000_000_001,
        [(text(count(32, 5)), 7, text(count(32, 6)))],
        {"text": "Grüß dich", "files": []},
        cert=[certified.value()],
        request=("r-1", text(count(32, 7))),
    )
    padded = plaintext.pad(plaintext.write(said))
    cipher = sealing.BodyCipher(derivation.derive(secret, "body"))
    epoch = commit[: epochs.NAME]
    sealed = epochs.seal(cipher, space, device.public, 2, header.event_id(one), epoch, padded)
    two = header.make(header.SEALED, space, device.public, 2, header.event_id(one), epoch, sealed)
    signature = device.sign(signing.TAGS.event, two)
    bodies = [Sealed(0, header.NO_EPOCH, genesis), Sealed(0, header.NO_EPOCH, wrap), Sealed(1, epoch, sealed)]
    packed = segments.pack(Segment(space, device.public, 0, header.ZERO, bodies, signature))
    return {
        "root": root.public.hex(),
        "device": device.public.hex(),
        "identity": identity,
        "certificate": canonical.encode(certified.value()).decode(),
        "genesis": {"body": genesis.decode(), "header": zero.hex(), "id": space.hex()},
        "wrap": {
            "body_sha256": sha256(wrap).hexdigest(),
            "size": len(wrap),
            "header": one.hex(),
            "id": header.event_id(one).hex(),
            "commit": commit.hex(),
            "head": wrap.decode()[:60],
        },
        "sealed": {
            "plaintext": plaintext.write(said).decode(),
            "padded_size": len(padded),
            "epoch": epoch.hex(),
            "nonce": sealing.event_nonce(device.public, 2).hex(),
            "aad": header.aad(1, space, device.public, 2, header.event_id(one), epoch).hex(),
            "body": sealed.hex(),
            "header": two.hex(),
            "id": header.event_id(two).hex(),
            "signature": signature.hex(),
        },
        "segment": {"size": len(packed), "sha256": sha256(packed).hexdigest(), "head": packed[:121].hex()},
    }


@pytest.mark.parametrize("what", ["root", "device", "identity", "certificate", "genesis", "wrap", "sealed", "segment"])
def test_the_format_is_what_it_was(what: str) -> None:
    assert build()[what] == VECTORS[what]


def test_the_pinned_bytes_read_back() -> None:
    assert clear.read_genesis(VECTORS["genesis"]["body"].encode()).space == "deal"
    assert header.unpack(bytes.fromhex(VECTORS["sealed"]["header"])).seq == 2
    assert plaintext.read(VECTORS["sealed"]["plaintext"].encode()).request == ("r-1", text(count(32, 7)))
    certificate.check([canonical.decode(VECTORS["certificate"].encode())])
