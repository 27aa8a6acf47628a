"""One conversation between two replicas over a private stream: handshake, then the exchange. docs/spec/sync.md."""

from __future__ import annotations

import os
from contextlib import suppress

from chaise_cli.errors import ChaiseError, Unreachable

from . import handshake, pairing, wire
from .dialogue import Dialogue
from .engine import Tally
from .replica import Replica, Signer


class PeerSilent(Unreachable):
    """Nothing came from the peer, or nothing was taken by it, for too long."""

    code = "peer.silent"
    message = "the other side has been silent for {seconds} s"
    hint = "what was received is kept; sync again"
    seconds: int


def converse(
    channel: wire.Channel,
    replica: Replica,
    signer: Signer,
    tally: Tally,
    *,
    leads: bool,
    random: handshake.Random = os.urandom,
    answer: pairing.Answer | None = None,
) -> None:
    """Handshake and exchange on a channel. An error of this side is told to the other before it is raised.

    answer: what a follower says to a device that comes with a pairing code instead.
    """
    begin = handshake.lead if leads else handshake.follow
    try:
        if not leads and channel.peek().kind == wire.PAIR:
            pairing.follow(channel, answer)
            return
        tally.peer = begin(channel, replica, signer, random)
        dialogue = Dialogue(channel, replica, tally.peer, tally)
        if leads:
            dialogue.lead()
        else:
            dialogue.follow()
    except (wire.PeerClosed, wire.PeerFailed, PeerSilent):
        raise  # nobody is there to be told
    except ChaiseError as error:
        with suppress(wire.PeerClosed, PeerSilent):
            channel.fail(error)
        raise
