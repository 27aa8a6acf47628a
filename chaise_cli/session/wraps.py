"""Wraps: handing an epoch's secret to the members of a space, and a review's key to the agent. Loads HPKE."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from chaise_cli.crypto import boxes, derivation, sealing
from chaise_cli.ids import raw, text
from chaise_cli.ledger import clear

NAME: Final = 8  # bytes of an epoch's name


def box_info(space: bytes, commit: bytes) -> bytes:
    """What a wrapped epoch secret is bound to."""
    return derivation.PREFIX + b"wrap\0" + boxes.SUITE_ID + space + commit


def wrap_for(
    space: bytes, secret: bytes, members: Sequence[tuple[str, bytes]], older: Sequence[bytes] = ()
) -> clear.Wrap:
    """A wrap of an epoch secret to members: their identity and public box key. Raises BadBoxKey.

    older: secrets of epochs before it, which whoever opens it may read as well.
    """
    commit = sealing.epoch_commit(space, secret)
    made = [
        clear.Box((identity, text(boxes.key_id(key))), text(boxes.wrap(key, secret, box_info(space, commit))))
        for identity, key in members
    ]
    previous = [_sealed(space, secret, one) for one in older]
    return clear.Wrap(text(commit), sorted(previous), made)


def _sealed(space: bytes, secret: bytes, older: bytes) -> tuple[str, str]:
    name = sealing.epoch_commit(space, older)[:NAME]
    sealed = sealing.seal(derivation.derive(secret, "history"), _nonce(name), older, _aad(space, name))
    return text(name), text(sealed)


def carried(space: bytes, wrap: clear.Wrap, secret: bytes) -> list[bytes]:
    """The older secrets that a wrap of `secret` carries; what does not open, or has another name, is left out."""
    found = []
    for name_text, sealed in wrap.previous:
        name = raw(name_text)
        try:
            older = sealing.open_sealed(
                derivation.derive(secret, "history"), _nonce(name), raw(sealed), _aad(space, name)
            )
        except sealing.BadSeal:
            continue
        if len(older) == sealing.KEY_SIZE and sealing.epoch_commit(space, older)[:NAME] == name:
            found.append(older)
    return found


def _nonce(name: bytes) -> bytes:
    return derivation.tagged_hash("history-nonce", name)[: sealing.NONCE_SIZE]


def _aad(space: bytes, name: bytes) -> bytes:
    return derivation.PREFIX + b"history\0" + space + name


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


def _review_info(space: bytes, commitment: bytes) -> bytes:
    """What the key of a sealed review is bound to. docs/spec/reviews.md."""
    return derivation.PREFIX + b"review key\0" + boxes.SUITE_ID + space + commitment


def wrap_review_key(space: bytes, commitment: bytes, key: bytes, public: bytes) -> bytes:
    """A box with the key of a sealed review, for the agent's public box key. Raises BadBoxKey."""
    return boxes.wrap(public, key, _review_info(space, commitment))


def unwrap_review_key(space: bytes, commitment: bytes, box: bytes, keys: dict[str, boxes.BoxKey]) -> bytes | None:
    """The key in such a box, if one of `keys` opens it. A box does not say for which it is: a home has few."""
    opened = (_open(key, box, _review_info(space, commitment)) for key in keys.values())
    return next((key for key in opened if key is not None and len(key) == sealing.KEY_SIZE), None)


def _open(key: boxes.BoxKey, box: bytes, info: bytes) -> bytes | None:
    try:
        return key.unwrap(box, info)
    except boxes.BadBox:
        return None
