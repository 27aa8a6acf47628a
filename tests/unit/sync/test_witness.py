from __future__ import annotations

import random

import pytest

from chaise_cli.ledger import receipt as receipts
from sync import wire, witness
from sync.engine import Tally
from sync.handshake import Peer
from sync.witness import Witness
from tests.fakes.links import StdioLink
from tests.fakes.pen import signer
from tests.fakes.replica import Device, MemoryReplica, scribble

LISA, JAMES = Device("lisa"), Device("james")


def pair() -> tuple[MemoryReplica, MemoryReplica, bytes]:
    lisa, james = MemoryReplica(LISA), MemoryReplica(JAMES)
    deal = lisa.open("deal", [LISA.identity, JAMES.identity])
    StdioLink().sync(lisa, james)
    return lisa, james, deal


def signed(space: bytes, number: int = 1) -> bytes:
    return receipts.issue(signer("relay"), space, number, bytes(32), 0, bytes(32)).pack()


def test_receipts_go_with_spaces_that_differ_both_ways() -> None:
    lisa, james, deal = pair()
    lisa.kept_receipts[deal], james.kept_receipts[deal] = [signed(deal, 1)], [signed(deal, 2)]
    StdioLink().sync(lisa, james)
    assert (lisa.seen_receipts, james.seen_receipts) == ([], [])
    scribble(lisa, deal, 1, random.Random(0))
    for exchange in StdioLink().sync(lisa, james):
        assert (exchange.failure, tuple(exchange.problems)) == (None, ())
    assert (set(lisa.seen_receipts), set(james.seen_receipts)) == ({signed(deal, 2)}, {signed(deal, 1)})


def test_two_that_hold_the_same_show_receipts_when_one_relay_told_them_two_things() -> None:
    lisa, james, deal = pair()
    relay = signer("relay")
    for one, head in ((lisa, bytes(32)), (james, b"h" * 32)):
        one.used_relays = [relay.public]
        one.kept_receipts[deal] = [receipts.issue(relay, deal, 1, bytes(32), 0, head).pack()]
    StdioLink().sync(lisa, james)
    assert (lisa.seen_receipts, james.seen_receipts) == (james.kept_receipts[deal], lisa.kept_receipts[deal])


def test_what_a_relay_signed_that_the_other_does_not_use_makes_no_difference() -> None:
    lisa, james, deal = pair()
    for one, relay in ((lisa, signer("relay")), (james, signer("another"))):
        one.used_relays = [relay.public]
        one.kept_receipts[deal] = [receipts.issue(relay, deal, 1, bytes(32), 0, bytes(32)).pack()]
    StdioLink().sync(lisa, james)
    assert lisa.seen_receipts == james.seen_receipts == []


def heard(replica: MemoryReplica) -> Witness:
    return Witness(replica, Peer(JAMES.identity, JAMES.device, frozenset()), Tally())


def test_what_a_peer_shows_of_spaces_it_may_not_see_is_passed_over() -> None:
    lisa, _, deal = pair()
    other = lisa.open("deal", [LISA.identity], nonce=b"other")
    heard(lisa).hear(signed(deal) + signed(other) + signed(bytes(32)))
    assert lisa.seen_receipts == [signed(deal)]


def test_receipts_of_another_size_or_without_end_break_the_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    lisa, _, deal = pair()
    with pytest.raises(wire.PeerProtocol):
        heard(lisa).hear(signed(deal)[1:])
    monkeypatch.setattr(witness, "LIMIT", 5)
    endless = heard(lisa)
    for _ in range(5):
        endless.hear(b"")
    with pytest.raises(wire.PeerProtocol):
        endless.hear(b"")
