"""Attachments: taken in piece by piece, kept when they are what their address says. docs/spec/relay.md."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Final

from ..relay_messages import Piece
from .contract import Store, Transaction
from .limits import Limits
from .people import Caller, malformed
from .refusal import Refusal, not_found

QUOTA: Final = "your identity takes up all that it may here"


def put(store: Store, who: Caller, piece: Piece, limits: Limits, now: int) -> int:
    """Take in the next piece; how much of the attachment is here now. Raises Refusal."""
    place = piece.space, piece.address, who.identity

    def work(writing: Transaction) -> int:
        if writing.space(piece.space) is None or not _served(writing.serves, piece.space, who):
            raise not_found()
        before = writing.upload(*place)
        have = before.have if before else 0
        if before and before.size != piece.size:
            raise malformed("an attachment of another size")
        if not piece.data or piece.offset != have:
            return have
        if writing.spend(who.identity, len(piece.data), 0).size + piece.size - have - len(piece.data) > limits.size:
            raise Refusal("relay.quota", QUOTA, retry_s=3600)
        writing.add_piece(*place, piece.data, piece.size, now)
        return have + len(piece.data)

    have = store.run(work)
    if have == piece.size and have and store.piece(piece.space, piece.address, None, 0) is None:
        return _finish(store, who, piece)
    return have


def _finish(store: Store, who: Caller, piece: Piece) -> int:
    """Keep an attachment all of which has come, or drop it. It is hashed outside of any transaction."""
    place = piece.space, piece.address, who.identity
    right = _hash(store, who, piece) == piece.address

    def work(writing: Transaction) -> None:
        writing.space(piece.space)
        held = writing.upload(*place)
        if held and held.have == held.size:
            (writing.complete if right else writing.drop_upload)(*place)

    store.run(work)
    if not right:
        raise malformed("what came is not what the address names; begin again")
    return piece.size


def _hash(store: Store, who: Caller, piece: Piece) -> bytes:
    made, offset = sha256(), 0
    while offset < piece.size:
        found = store.piece(piece.space, piece.address, who.identity, offset)
        if found is None or not found[1]:
            return b""
        made.update(found[1])
        offset += len(found[1])
    return made.digest()


def get(store: Store, who: Caller, asked: Piece) -> Piece:
    """The piece from an offset on. Raises Refusal."""
    if asked.data:
        raise malformed("a question that carries a piece")
    found = store.piece(asked.space, asked.address, None, asked.offset)
    if found is None or not _served(store.served, asked.space, who):
        raise not_found()
    return asked._replace(size=found[0], data=found[1])


def _served(serves: Callable[[bytes, bytes], bool], space: bytes, who: Caller) -> bool:
    return who.sees(space) and serves(space, who.identity)
