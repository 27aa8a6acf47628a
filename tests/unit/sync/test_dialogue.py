from __future__ import annotations

import copy
import random
from threading import Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync import dialogue, handshake, ranges, wire
from sync.engine import Exchange, Tally
from tests.fakes.links import Queues, StdioLink
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


def hello_bytes() -> int:
    """What a handshake of these two costs when they share no board."""
    queues = Queues()
    lisa, james = deals(0)
    thread = Thread(target=lambda: handshake.follow(wire.Channel(queues.far), james, james.device))
    thread.start()
    handshake.lead(wire.Channel(queues.near), lisa, lisa.device)
    thread.join()
    return len(queues.near.said) + len(queues.far.said)


def test_among_a_thousand_spaces_nothing_new_costs_less_than_a_kilobyte_and_one_event_less_than_two() -> None:
    lisa, james = deals(1_000)
    measured(lisa, james)
    quiet, _, _ = measured(lisa, james)
    assert quiet.bytes - hello_bytes() <= 400
    for writer, reader in ((lisa, james), (james, lisa)):
        space = next(iter(lisa.held))
        writer.write(space, b"new")
        for leads, follows in ((lisa, james), (james, lisa)):
            one, other = copy.deepcopy(leads), copy.deepcopy(follows)
            busy, led, _ = measured(one, other)
            assert led.sent + led.received == 1
            assert busy.bytes - hello_bytes() <= 2_048
            assert one.contents() == other.contents()
        measured(writer, reader)


def test_spaces_that_differ_cost_heads_and_the_others_of_their_parts_40_bytes() -> None:
    lisa, james = deals(50)
    measured(lisa, james)
    quiet, _, _ = measured(lisa, james)
    lisa.write(next(iter(lisa.held)), b"new")
    busy, led, _ = measured(lisa, james)
    assert led.sent == 1
    assert busy.bytes - quiet.bytes < 1_500


def test_digests_that_happen_to_agree_hide_a_change_from_one_comparison_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The digests of ranges agree in the first comparison of the conversation, whatever is in them."""
    true, calls = ranges.ranges, list[int]()

    def blind(positions: ranges.Positions) -> bytes:
        calls.append(1)
        return bytes(ranges.WIDTH) if len(calls) <= 2 else true(positions)

    lisa, james = deals(3)
    measured(lisa, james)
    lisa.write(next(iter(lisa.held)), b"new")
    monkeypatch.setattr(ranges, "ranges", blind)
    _, led, served = measured(lisa, james)
    assert (led.sent, served.received, led.failure) == (1, 1, None)


def test_what_stands_for_a_space_differs_in_every_comparison_and_conversation() -> None:
    lisa, james = deals(2)
    measured(lisa, james)
    one, other = (handshake.Peer(JAMES.identity, JAMES.device, frozenset(), salt) for salt in (b"one", b"other"))

    def marks(peer: handshake.Peer, number: int, signed: bytes = b"", of: MemoryReplica = lisa) -> dict[bytes, bytes]:
        return dialogue.view(dialogue.shown(of, peer), peer, number, dict.fromkeys(of.held, signed)).marks

    seen = [marks(peer, number, signed) for peer in (one, other) for number in (0, 1) for signed in (b"", b"relay")]
    for space in lisa.held:
        assert len({found[space] for found in seen}) == 8
    assert marks(one._replace(identity=LISA.identity), 0, of=james) == seen[0]


def test_a_side_that_never_agrees_and_never_says_where_is_left_alone() -> None:
    """A follower whose digest differs and whose ranges do not: the leader compares again so often, and goes."""
    lisa, _ = deals(1)
    queues = Queues()
    turns: list[int] = []

    def far() -> None:
        channel = wire.Channel(queues.far)
        handshake.follow(channel, MemoryReplica(JAMES), JAMES)
        while channel.receive().kind == wire.SUMMARY:
            channel.over()
            channel.send(wire.SUMMARY, wire.summary(wire.Summary(bytes(32), wants=False)))
            channel.end()
            for _ in range(2):
                turns.append(len(list(channel.turn((wire.PARTS, wire.SPACES, wire.HEADS)))))
                channel.end()

    thread = Thread(target=far)
    thread.start()
    channel = wire.Channel(queues.near)
    peer = handshake.lead(channel, lisa, LISA)
    dialogue.Dialogue(channel, lisa, peer, Tally()).lead()
    thread.join()
    assert len(turns) == 2 * dialogue.PASSES


@given(
    seed=st.integers(0, 10_000),
    steps=st.lists(st.tuples(st.booleans(), st.integers(0, 5), st.integers(1, 3)), max_size=15),
)
def test_whatever_was_written_where_one_conversation_makes_both_alike(
    seed: int, steps: list[tuple[bool, int, int]]
) -> None:
    chance = random.Random(seed)
    lisa, james = deals(3)
    board = lisa.open("board")
    james.join(board, lisa.keys[board])
    for lisas, which, count in steps:
        writer, reader = (lisa, james) if lisas else (james, lisa)
        if which == 5:
            writer.open("deal", [LISA.identity, JAMES.identity], nonce=bytes([count]))
        elif which == 4:
            _, led, served = measured(writer, reader)
            assert led.failure is served.failure is None
        elif list(writer.held)[which:]:
            scribble(writer, list(writer.held)[which], count, chance)
    _, led, served = measured(lisa, james)
    assert (led.failure, served.failure, led.rejected, served.rejected) == (None, None, 0, 0)
    assert lisa.contents() == james.contents()
    again, led, _ = measured(lisa, james)
    assert led.sent == led.received == 0
    assert again.turns == 3


def test_chains_that_the_peer_refused_or_holds_otherwise_are_told() -> None:
    lisa, james = deals(2)
    measured(lisa, james)
    forked, refused = list(lisa.held)
    restored = copy.deepcopy(lisa)
    lisa.write(forked, b"one thing")
    measured(lisa, james)
    restored.write(forked, b"another")
    restored.write(refused, b"well signed")
    chain = restored.held[refused].chains[LISA.device]
    chain.signatures[chain.signed[-1]] = JAMES.signer.sign(b"chaise/1 event\0", b"another thing")
    _, led, served = measured(restored, james)
    assert led.failure is served.failure is None
    assert led.lacking == {(refused, LISA.device)}, "both histories of a forked chain are at both ends now"
    assert led.shared == set(lisa.held)
    _, led, _ = measured(lisa, james)
    assert led.lacking == set()


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
