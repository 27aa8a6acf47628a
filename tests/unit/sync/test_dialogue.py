from __future__ import annotations

import random

import pytest

from sync import wire
from sync.engine import Exchange
from tests.fakes.links import StdioLink
from tests.fakes.replica import Device, MemoryReplica, scribble

LISA, JAMES = Device("lisa"), Device("james")


class Turns:
    """A stream that counts bytes and how often the direction turns."""

    def __init__(self, stream: wire.Stream) -> None:
        self.stream = stream
        self.bytes = 0
        self.turns = 0
        self.writing = False

    def read(self, size: int) -> bytes:
        data = self.stream.read(size)
        self.turns += self.writing
        self.writing = False
        self.bytes += len(data)
        return data

    def write(self, data: bytes) -> None:
        self.stream.write(data)
        self.writing = True
        self.bytes += len(data)


def measured(one: MemoryReplica, other: MemoryReplica) -> tuple[Turns, Exchange, Exchange]:
    turns: list[Turns] = []

    def around(stream: wire.Stream) -> wire.Stream:
        turns.append(Turns(stream))
        return turns[0]

    led, served = StdioLink(around).sync(one, other)
    return turns[0], led, served


def deals(count: int) -> tuple[MemoryReplica, MemoryReplica]:
    lisa, james = MemoryReplica(LISA), MemoryReplica(JAMES)
    for _ in range(count):
        scribble(lisa, lisa.open("deal", [LISA.identity, JAMES.identity]), 3, random.Random(1))
    return lisa, james


def test_nothing_new_is_one_round_trip_after_the_handshake_whatever_the_history() -> None:
    sizes = []
    for count in (1, 200):
        lisa, james = deals(count)
        measured(lisa, james)
        turns, led, served = measured(lisa, james)
        assert led[:5] == served[:5] == (0, 0, 0, (), None)
        assert turns.turns == 3  # hello, proof, and the one
        sizes.append(turns.bytes)
    assert sizes[0] == sizes[1] < 2_048


def test_only_spaces_that_differ_cost_their_heads() -> None:
    lisa, james = deals(50)
    measured(lisa, james)
    quiet, _, _ = measured(lisa, james)
    lisa.write(next(iter(lisa.held)), b"new")
    busy, led, _ = measured(lisa, james)
    assert led.sent == 1
    assert busy.bytes - quiet.bytes < 50 * 64 + 1_500


def test_many_small_spaces_share_a_turn() -> None:
    lisa, james = deals(300)
    turns, led, served = measured(lisa, james)
    assert (led.sent, served.received) == (1_800, 1_800)
    assert turns.turns < 12
    assert james.contents() == lisa.contents()


def test_an_attachment_that_nobody_holds_is_asked_for_and_nothing_more() -> None:
    lisa, james = deals(1)
    address = lisa.attach(next(iter(lisa.held)), b"gone")
    lisa.objects.clear()
    for _ in range(2):
        _, led, served = measured(lisa, james)
        assert led.failure is served.failure is None
    assert james.objects_wanted() == [address]


class Curious(MemoryReplica):
    """Asks for an attachment that no event it holds names."""

    asks_for = b""

    def objects_wanted(self) -> list[bytes]:
        return [] if self.asks_for in self.objects else [self.asks_for]


def test_attachments_of_spaces_the_peer_may_not_see_are_not_given() -> None:
    lisa, _ = deals(1)
    private, shared = (
        lisa.attach(lisa.open("self", [LISA.identity]), b"mine"),
        lisa.attach(next(iter(lisa.held)), b"ours"),
    )
    for address in (private, shared):
        james = Curious(JAMES)
        james.asks_for = address
        measured(james, lisa)
        measured(lisa, james)
        assert (address in james.objects) == (address == shared)


@pytest.mark.parametrize("size", [0, 1, 999, 1_000, 300_000])
def test_attachments_of_any_size_arrive_whole(size: int) -> None:
    lisa, james = deals(1)
    address = lisa.attach(next(iter(lisa.held)), bytes(size))
    measured(james, lisa)
    assert james.objects[address] == bytes(size)


def test_both_directions_at_once_do_not_block_each_other() -> None:
    lisa, james = deals(1)
    measured(lisa, james)
    deal = next(iter(lisa.held))
    for replica in (lisa, james):
        for _ in range(60):
            replica.write(deal, bytes(60_000))
        replica.attach(deal, random.Random(replica.identity()).randbytes(2_000_000))
    _, led, served = measured(lisa, james)
    assert (led.sent, led.received) == (served.received, served.sent) == (61, 61)
    assert lisa.contents() == james.contents()
    assert lisa.objects == james.objects
