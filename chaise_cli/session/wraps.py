"""Wraps: handing an epoch's secret to the members of a space. Loads HPKE, so only opening and admission come here."""

from __future__ import annotations

from collections.abc import Sequence

from chaise_cli.crypto import boxes, derivation, sealing
from chaise_cli.ids import raw, text
from chaise_cli.ledger import clear


def box_info(space: bytes, commit: bytes) -> bytes:
    """What a wrapped epoch secret is bound to."""
    return derivation.PREFIX + b"wrap\0" + boxes.SUITE_ID + space + commit


def wrap_for(space: bytes, secret: bytes, members: Sequence[tuple[str, bytes]]) -> clear.Wrap:
    """A wrap of an epoch secret to members: their identity and public box key. Raises BadBoxKey."""
    commit = sealing.epoch_commit(space, secret)
    made = [
        clear.Box((identity, text(boxes.key_id(key))), text(boxes.wrap(key, secret, box_info(space, commit))))
        for identity, key in members
    ]
    return clear.Wrap(text(commit), (), made)


def unwrap(space: bytes, wrap: clear.Wrap, keys: dict[str, boxes.BoxKey]) -> bytes | None:
    """The secret in a wrap, if one of its boxes is for one of `keys` (by key id) and holds what it commits to."""
    for box in wrap.boxes:
        key = keys.get(box.to[1])
        if key is None:
            continue
        secret = _open(key, raw(box.box), box_info(space, raw(wrap.commit)))
        if secret is not None and len(secret) == 32 and sealing.epoch_commit(space, secret) == raw(wrap.commit):
            return secret
    return None


def _open(key: boxes.BoxKey, box: bytes, info: bytes) -> bytes | None:
    try:
        return key.unwrap(box, info)
    except boxes.BadBox:
        return None
