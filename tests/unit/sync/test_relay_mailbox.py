"""The mailboxes of a relay in this process, and a served home that is asked in place of one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from queue import SimpleQueue

import pytest

from sync.engine import Exchange
from sync.handshake import Peer
from sync.mailbox import ANSWERS, ASKS, MailboxUsed, NoMailbox, PeerMailbox
from sync.pairing import Answer
from sync.relay.desk import Desk
from sync.relay_link import NotRegistered, StruckOff
from sync.relay_mailbox import RelayMailbox
from sync.replica import Replica, Signer
from sync.transports import http_serve
from sync.transports.http_peer import WebPeer
from tests.fakes.relay_client import LISA, WHERE, Client, DeskLink, clean, village
from tests.fakes.replica import MemoryReplica

NAME = bytes(range(32))


@pytest.fixture
def desk() -> Desk:
    """A relay at which Lisa is registered."""
    made = village()
    clean(Client(MemoryReplica(LISA), made, invite=made.relay.new_invite()).sync())
    return made


def box(desk: Desk, signer: Signer | None = None) -> RelayMailbox:
    return RelayMailbox(WHERE, desk.relay.clock, signer, link=DeskLink(desk))


def test_who_is_registered_opens_and_who_knows_the_name_writes_and_reads(desk: Desk) -> None:
    mine, other = box(desk, LISA), box(desk)
    mine.open(NAME)
    mine.open(NAME)
    assert mine.get(NAME, ASKS, 0) is None
    other.put(NAME, ASKS, b"hello")
    other.put(NAME, ASKS, b"hello")
    assert mine.get(NAME, ASKS, 20) == b"hello"
    mine.put(NAME, ANSWERS, bytes(16 * 1024))
    assert other.get(NAME, ANSWERS, 600) == bytes(16 * 1024)
    with pytest.raises(MailboxUsed):
        box(desk).put(NAME, ASKS, b"me too")
    other.close(NAME)


def test_a_mailbox_that_was_not_opened_is_none(desk: Desk) -> None:
    with pytest.raises(NoMailbox):
        box(desk).put(NAME, ASKS, b"hello")
    with pytest.raises(NoMailbox):
        box(desk).get(NAME, ASKS, 0)


def test_who_is_not_registered_or_was_struck_off_opens_none(desk: Desk) -> None:
    with pytest.raises(NotRegistered):
        RelayMailbox(WHERE, village().relay.clock, LISA, link=DeskLink(village())).open(NAME)
    caller = desk.relay.caller(LISA.device)
    desk.relay.revoke(caller._replace(device=bytes(32)), LISA.device)
    with pytest.raises(StruckOff):
        box(desk, LISA).open(NAME)


@contextmanager
def served(answer: Answer | None) -> Iterator[tuple[str, SimpleQueue[Peer | None]]]:
    """A home at an address that lets devices in by `answer`, and whom it talked to."""
    talked = SimpleQueue[Peer | None]()

    @contextmanager
    def home() -> Iterator[tuple[Replica, Signer]]:
        yield MemoryReplica(LISA), LISA

    def note(_done: Exchange, peer: Peer | None) -> None:
        talked.put(peer)

    server = http_serve.Server(("127.0.0.1", 0), home, note, answer=answer)
    server.start()
    try:
        yield server.url, talked
    finally:
        server.stop()


def test_a_home_that_is_served_answers_by_itself() -> None:
    with served(lambda mailbox, message: mailbox + message[::-1]) as (url, talked):
        peer = PeerMailbox(WebPeer(url))
        peer.put(NAME, ASKS, b"hello")
        assert peer.get(NAME, ANSWERS, 0) == NAME + b"olleh"
        assert talked.get(timeout=20) is None


def test_a_home_that_lets_nobody_in_says_so() -> None:
    with served(None) as (url, talked):
        with pytest.raises(NoMailbox):
            PeerMailbox(WebPeer(url)).put(NAME, ASKS, b"hello")
        assert talked.get(timeout=20) is None
