"""Everything that chance decides in a run follows from its seed.

Keys, nonces and choices come from injected sources already. What the cipher library draws by itself, the randomness
of a box, is replaced: a box here is made from what goes into it, opens with the right key and context alone, and has
the real one's length. Whether real boxes keep a secret is no question of the simulator.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import shake_256
from pathlib import Path
from typing import Final
from unittest import mock

from chaise_cli.crypto import boxes

_CHECK: Final = 16


def wrap(public: bytes, secret: bytes, info: bytes) -> bytes:
    """As `boxes.wrap`, and the same box for the same arguments. Raises BadBoxKey for a key of a wrong length."""
    if len(public) != boxes.PUBLIC_SIZE:
        raise boxes.BadBoxKey(key_id=boxes.key_id(public).hex())
    nonce = shake_256(b"nonce" + public + info + secret).digest(boxes.OVERHEAD - _CHECK)
    masked = _masked(secret, public, info, nonce)
    return nonce + masked + _check(public, info, nonce, secret)


def unwrap(self: boxes.BoxKey, box: bytes, info: bytes) -> bytes:
    """As `boxes.BoxKey.unwrap`. Raises BadBox."""
    size = boxes.OVERHEAD - _CHECK
    nonce, masked, check = box[:size], box[size:-_CHECK], box[-_CHECK:]
    secret = _masked(masked, self.public, info, nonce)
    if len(box) < boxes.OVERHEAD or not hmac.compare_digest(check, _check(self.public, info, nonce, secret)):
        raise boxes.BadBox
    return secret


def _masked(data: bytes, public: bytes, info: bytes, nonce: bytes) -> bytes:
    mask = shake_256(b"mask" + public + info + nonce).digest(len(data))
    return bytes(one ^ other for one, other in zip(data, mask, strict=True))


def _check(public: bytes, info: bytes, nonce: bytes, secret: bytes) -> bytes:
    return shake_256(b"check" + public + info + nonce + secret).digest(_CHECK)


@contextmanager
def ruled(folder: Path) -> Iterator[None]:
    """No randomness but the run's own, and a runtime directory in `folder` that nobody else uses.

    `folder` is everybody's home directory, so that the places which devices tell one another have the same names in
    another folder.
    """
    runtime = folder / "run"
    runtime.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (
        mock.patch.object(boxes, "wrap", wrap),
        mock.patch.object(boxes.BoxKey, "unwrap", unwrap),
        mock.patch.dict(os.environ, {"XDG_RUNTIME_DIR": str(runtime), "HOME": str(folder)}),
    ):
        yield
