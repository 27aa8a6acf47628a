"""A device that joins its owner's others asks for its certificates: PAIR in place of a handshake, one turn each.

Both messages are sealed under the pairing code, so a stream or place that lies can only make the pairing fail.
docs/spec/devices.md.
"""

from __future__ import annotations

from collections.abc import Callable

from chaise_cli.errors import Refused

from . import wire

Answer = Callable[[bytes, bytes], bytes]  # mailbox, message → answer


class NobodyPairs(Refused):
    """The far side was asked to let a device in and does not."""

    code = "pairing.not_here"
    message = "no pairing waits there"
    hint = "make a code on that device: chaise device add; it is good for ten minutes and one device"


def lead(channel: wire.Channel, mailbox: bytes, message: bytes) -> bytes:
    """Ask a peer; its answer. Raises PeerProtocol, PeerClosed, and PeerFailed with the reason it refuses for."""
    channel.send(wire.PAIR, mailbox + message)
    channel.end()
    answer = channel.expect(wire.PAIR)
    channel.over()
    return answer


def follow(channel: wire.Channel, answer: Answer | None) -> None:
    """Answer a device that asks. Raises NobodyPairs, PeerProtocol, and what `answer` raises."""
    asked = channel.expect(wire.PAIR)
    channel.over()
    mailbox, message = wire.read_pair(asked)
    if answer is None:
        raise NobodyPairs
    channel.send(wire.PAIR, answer(mailbox, message))
    channel.end()
