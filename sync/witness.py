"""Receipts of relays, shown between peers: a relay that tells two people two things is found out when they meet.

docs/spec/sync.md, docs/spec/relay.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from . import wire
from .engine import Tally
from .handshake import Peer
from .replica import Replica

LIMIT: Final = 100_000  # receipts of one conversation
SPACE: Final = slice(32, 64)  # where a receipt names its space


class Witness:
    """What is shown and heard of receipts in one conversation."""

    def __init__(self, replica: Replica, peer: Peer, tally: Tally) -> None:
        self._replica, self._peer, self._tally = replica, peer, tally
        self._heard = 0
        self._open: frozenset[bytes] | None = None

    def shown(self, space: bytes) -> Iterator[bytes]:
        """The payload that goes with this side's heads of a space, where any relay has signed anything for it."""
        kept = self._replica.receipts(space)
        if kept:
            yield b"".join(kept)

    def hear(self, payload: bytes) -> None:
        """Compare what the peer was given with what was given here. Raises PeerProtocol."""
        given = wire.read_receipts(payload)
        self._heard += 1 + len(given)
        if self._heard > LIMIT:
            raise wire.PeerProtocol(why="more than 100,000 receipts")
        if self._open is None:
            self._open = frozenset(info.id for info in self._replica.spaces() if self._peer.may_see(info))
        for error in self._replica.witness([one for one in given if one[SPACE] in self._open]):
            self._tally.problem(error.code, error.sentence())
            self._tally.alarm = self._tally.alarm or error
