"""A conversation that is cut anywhere or garbled anyhow ends in a typed error, and loses or invents nothing."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaise_cli import ids
from chaise_cli.errors import ChaiseError
from chaise_cli.ledger import canonical, segment
from sync import ranges, wire
from sync.conversation import converse
from sync.engine import Exchange, Tally
from sync.handshake import PeerUnproven
from tests.fakes.links import StdioLink
from tests.fakes.replica import Device, MemoryReplica, scribble

LISA, JAMES, MALLORY = Device("lisa"), Device("james"), Device("mallory")


def two_sides() -> tuple[MemoryReplica, MemoryReplica]:
    """Lisa and James, each with events and an attachment the other lacks, in a deal and on a board."""
    lisa, james = MemoryReplica(LISA), MemoryReplica(JAMES)
    deal = lisa.open("deal", [LISA.identity, JAMES.identity])
    StdioLink().sync(lisa, james)
    board = lisa.open("board")
    james.join(board, lisa.keys[board])
    chance = random.Random(1)
    scribble(lisa, deal, 5, chance)
    scribble(james, deal, 4, chance)
    scribble(lisa, board, 3, chance)
    scribble(james, board, 2, chance)
    lisa.attach(deal, b"from lisa")
    james.attach(board, b"from james")
    return lisa, james


class Counting:
    """A stream that notes how many bytes passed, and in `sizes` after which counts each call ended."""

    def __init__(self, stream: wire.Stream) -> None:
        self.stream = stream
        self.count = 0
        self.sizes: list[int] = []

    def read(self, size: int) -> bytes:
        data = self.stream.read(size)
        self.note(data)
        return data

    def write(self, data: bytes) -> None:
        self.stream.write(data)
        self.note(data)

    def note(self, data: bytes) -> None:
        self.count += len(data)
        self.sizes.append(self.count)


class Cut:
    """A stream that breaks after so many bytes in both directions together."""

    def __init__(self, stream: wire.Stream, left: int) -> None:
        self.stream = stream
        self.left = left

    def read(self, size: int) -> bytes:
        data = self.stream.read(min(size, self.left)) if self.left else b""
        self.left -= len(data)
        return data

    def write(self, data: bytes) -> None:
        self.stream.write(data[: self.left])
        if self.left < len(data):
            self.left = 0
            raise wire.PeerClosed
        self.left -= len(data)


def places_to_cut() -> list[int]:
    """Around the end of every read and write, and every 97 bytes between."""
    lisa, james = two_sides()
    counting: list[Counting] = []

    def around(stream: wire.Stream) -> wire.Stream:
        counting.append(Counting(stream))
        return counting[0]

    StdioLink(around).sync(lisa, james)
    assert lisa.contents() == james.contents()
    ends = {size + off for size in counting[0].sizes for off in (-1, 0, 1)}
    return sorted(ends | set(range(0, counting[0].count, 97)))


def test_a_cut_anywhere_loses_nothing_and_the_next_sync_completes() -> None:
    lisa, james = two_sides()
    *places, whole = [place for place in places_to_cut() if place >= 0]
    for place in [*places, whole]:
        near, far = copy.deepcopy(lisa), copy.deepcopy(james)
        led, served = StdioLink(lambda stream, place=place: Cut(stream, place)).sync(near, far)  # type: ignore[misc]
        for exchange in (led, served):
            assert exchange.failure is None or isinstance(exchange.failure, wire.PeerClosed)
            assert exchange.rejected == 0
        assert {*lisa.contents()} <= {*near.contents()}
        again = StdioLink().sync(near, far)
        assert [exchange.failure for exchange in again] == [None, None]
        assert near.contents() == far.contents()
        assert near.objects == far.objects


class Script:
    """A stream that plays what a peer once said and swallows what it is told."""

    def __init__(self, said: bytes) -> None:
        self.said = said
        self.at = 0
        self.told = bytearray()

    def read(self, size: int) -> bytes:
        data = self.said[self.at : self.at + size]
        self.at += len(data)
        return data

    def write(self, data: bytes) -> None:
        self.told += data


class Recording(Counting):
    """A stream that keeps what came and what went."""

    def __init__(self, stream: wire.Stream) -> None:
        super().__init__(stream)
        self.came = bytearray()
        self.went = bytearray()

    def read(self, size: int) -> bytes:
        data = super().read(size)
        self.came += data
        return data

    def write(self, data: bytes) -> None:
        super().write(data)
        self.went += data


def fixed(size: int) -> bytes:
    """Randomness that is the same each time, so that a recording of the other side still fits."""
    return bytes(range(size))


def play(replica: MemoryReplica, said: bytes, *, leads: bool) -> tuple[ChaiseError | None, Exchange, bytes]:
    """One side of a conversation against a script: how it ended, what it did, what it said."""
    script = Script(said)
    tally = Tally()
    try:
        converse(wire.Channel(script), replica, replica.device, tally, leads=leads, random=fixed)
    except ChaiseError as error:
        return error, tally.exchange(error), bytes(script.told)
    return None, tally.exchange(), bytes(script.told)


def recorded() -> tuple[bytes, bytes]:
    """What the leading and the following side say in a whole conversation of `two_sides`."""
    lisa, james = two_sides()
    leads = b""
    follows = b""
    for _ in range(60):  # each replays the other's last words, and so gets one turn further
        _, _, leads = play(copy.deepcopy(lisa), follows, leads=True)
        leads = without_error(leads)
        ended, _, follows = play(copy.deepcopy(james), leads, leads=False)
        if ended is None:
            return leads, follows
        follows = without_error(follows)
    raise AssertionError("the conversation did not end")


def without_error(said: bytes) -> bytes:
    """The same without an ERROR frame at its end."""
    at = last = 0
    while at < len(said):
        last, at = at, at + 5 + int.from_bytes(said[at + 1 : at + 5], "big")
    return said[:last] if said[last : last + 1] == bytes([wire.ERROR]) else said


LEADS, FOLLOWS = recorded()
WHOLE: Final = {True: FOLLOWS, False: LEADS}
mutations = st.lists(
    st.tuples(
        st.sampled_from(["flip", "cut", "insert", "drop", "double", "size"]),
        st.integers(0, 2**16),
        st.binary(min_size=1, max_size=8),
    ),
    min_size=1,
    max_size=3,
)


def mutated(said: bytes, changes: list[tuple[str, int, bytes]]) -> bytes:
    for how, at, what in changes:
        place = at % (len(said) + 1)
        match how:
            case "flip":
                said = (
                    said[:place]
                    + bytes(a ^ b for a, b in zip(said[place : place + 8], what, strict=False))
                    + said[place + min(len(what), len(said) - place) :]
                )
            case "cut":
                said = said[:place]
            case "insert":
                said = said[:place] + what + said[place:]
            case "drop":
                said = said[:place] + said[place + len(what) :]
            case "double":
                said = said[:place] + said[max(0, place - 100) :]
            case _:
                said = said[:place] + b"\xff\xff" + said[place + 2 :]
    return said


def true_chains() -> dict[bytes, dict[bytes, list[bytes]]]:
    lisa, james = two_sides()
    StdioLink().sync(lisa, james)
    return lisa.contents()


TRUE = true_chains()


@given(changes=mutations, leads=st.booleans())
def test_garbled_words_end_in_a_typed_error_and_add_nothing_false(
    changes: list[tuple[str, int, bytes]], leads: bool
) -> None:
    lisa, james = two_sides()
    replica = lisa if leads else james
    before = replica.contents()
    play(replica, mutated(WHOLE[leads], changes), leads=leads)
    for space, chains in replica.contents().items():
        for device, held in chains.items():
            assert held == TRUE[space][device][: len(held)]
            assert len(before.get(space, {}).get(device, [])) <= len(held)


@pytest.mark.parametrize("leads", [True, False])
def test_the_recording_itself_is_a_whole_conversation(leads: bool) -> None:
    replica = two_sides()[0 if leads else 1]
    ended, _, _ = play(replica, WHOLE[leads], leads=leads)
    assert ended is None
    assert replica.contents() == TRUE


def frame(kind: int, payload: bytes = b"") -> bytes:
    return bytes([kind]) + len(payload).to_bytes(4, "big") + payload


def hello(of: Device, **changes: object) -> bytes:
    value = {
        "version": 1,
        "nonce": ids.text(fixed(32)),
        "device": ids.text(of.device),
        "certificates": canonical.decode(of.certificates),
    }
    return frame(wire.HELLO, canonical.encode(value | changes)) + frame(wire.END)


def test_a_peer_that_proves_nothing_gets_nothing() -> None:
    """Mallory knows whom to claim to be, and shows James's certificate: without his key it opens nothing."""
    lisa, _ = two_sides()
    proof = frame(wire.PROOF, bytes(64)) + frame(wire.END)
    ended, _, told = play(lisa, hello(JAMES) + proof + frame(wire.SUMMARY, bytes(33)) + frame(wire.END), leads=False)
    assert isinstance(ended, PeerUnproven)
    for space, held in lisa.held.items():
        assert space not in told
        for chain in held.chains.values():
            assert not [body for _, _, body in chain.events if body in told]


def test_a_proof_is_good_for_one_conversation_alone() -> None:
    """A recorded proof does not fit another nonce."""
    lisa, james = two_sides()
    said = mutated(LEADS, [])
    script = Script(said)
    with pytest.raises(PeerUnproven):
        converse(wire.Channel(script), james, JAMES, Tally(), leads=False, random=bytes)
    assert lisa.contents() != TRUE


@pytest.mark.parametrize(
    "said, code",
    [
        (b"", "peer.closed"),
        (b"\x01", "peer.closed"),
        (b"Welcome to host!\n", "peer.protocol"),
        (frame(0), "peer.protocol"),
        (frame(14), "peer.protocol"),
        (frame(wire.PAIR), "peer.closed"),
        (frame(wire.PAIR) + frame(wire.END), "peer.protocol"),
        (frame(wire.PAIR, bytes(33)) + frame(wire.END), "pairing.not_here"),
        (frame(wire.BYE), "peer.protocol"),
        (bytes([wire.HELLO]) + b"\xff\xff\xff\xff", "peer.protocol"),
        (frame(wire.HELLO, b"{}"), "peer.closed"),
        (frame(wire.HELLO, b"{}") + frame(wire.END), "peer.protocol"),
        (frame(wire.HELLO, b"[]") + frame(wire.END), "peer.protocol"),
        (frame(wire.HELLO, b"{ }") + frame(wire.END), "peer.protocol"),
        (frame(wire.HELLO, b'{"version":2}') + frame(wire.END), "peer.newer"),
        (frame(wire.HELLO, b"{}") + frame(wire.END, b"x"), "peer.protocol"),
        (hello(JAMES, version=0), "peer.protocol"),
        (hello(JAMES, version=True), "peer.protocol"),
        (hello(JAMES, nonce="AAAA"), "peer.protocol"),
        (hello(JAMES, nonce="?"), "peer.protocol"),
        (hello(JAMES, device=ids.text(MALLORY.device)), "peer.unproven"),
        (hello(JAMES, certificates=[]), "certificate.bad"),
        (hello(JAMES, certificates=[{"v": 1}]), "certificate.bad"),
        (hello(JAMES.granted("grant")), "peer.unproven"),
        (hello(JAMES) + frame(wire.PROOF, b"") + frame(wire.END), "peer.unproven"),
        (frame(wire.ERROR, canonical.encode({"code": "store.full", "text": "no\x1b[2J room"})), "peer.failed"),
        (frame(wire.ERROR, b"?"), "peer.protocol"),
        (hello(JAMES, nonce=[]), "peer.protocol"),
    ],
)
def test_what_is_no_hello_is_named(said: bytes, code: str) -> None:
    lisa, _ = two_sides()
    ended, _, _ = play(lisa, said, leads=False)
    assert ended is not None
    assert ended.code == code
    assert ended.exit in {5, 11, 13, 14}
    assert "\x1b" not in ended.sentence()


def after_the_handshake(*frames: bytes) -> bytes:
    """Lisa's words up to the end of the handshake, then these."""
    at = 0
    for _ in range(4):  # HELLO END PROOF END
        at += 5 + int.from_bytes(LEADS[at + 1 : at + 5], "big")
    return LEADS[:at] + b"".join(frames)


SPACE = bytes(32)
END = frame(wire.END)
SUMMARY = frame(wire.SUMMARY, bytes(33 + ranges.WIDTH))
NAMED = frame(wire.PARTS, bytes(2)) + frame(wire.SPACES, SPACE + bytes(8))
COMPARED = SUMMARY + END
ASKED = COMPARED + NAMED + END


def turn_of_one() -> bytes:
    """An event of a deal that is nobody's business here."""
    stranger = MemoryReplica(MALLORY)
    space = stranger.open("deal", [MALLORY.identity])
    part = stranger.read(space, stranger.tip(space, MALLORY.device), 0, 1)
    assert part is not None
    return frame(wire.SEGMENT, segment.pack(part))


@pytest.mark.parametrize(
    "said",
    [
        lambda: after_the_handshake(frame(wire.HEADS, SPACE)),
        lambda: after_the_handshake(frame(wire.SUMMARY, bytes(33)), END),
        lambda: after_the_handshake(frame(wire.SUMMARY, bytes(160)), END),
        lambda: after_the_handshake(frame(wire.SUMMARY, bytes(32) + b"\2" + bytes(128)), END),
        lambda: after_the_handshake(SUMMARY, SUMMARY),
        lambda: after_the_handshake(SUMMARY, frame(wire.END, b"x")),
        lambda: after_the_handshake(COMPARED, frame(wire.PARTS, bytes(1)), END),
        lambda: after_the_handshake(COMPARED, frame(wire.PARTS, b"\4\0"), END),
        lambda: after_the_handshake(COMPARED, frame(wire.SPACES, SPACE + bytes(8)), END),
        lambda: after_the_handshake(COMPARED, frame(wire.PARTS, b"\0\1"), frame(wire.SPACES, SPACE + bytes(8)), END),
        lambda: after_the_handshake(COMPARED, frame(wire.PARTS, bytes(2)), frame(wire.SPACES, bytes(39)), END),
        lambda: after_the_handshake(COMPARED, frame(wire.RANGES, bytes(129)), END),
        lambda: after_the_handshake(COMPARED, frame(wire.HEADS, SPACE), END),
        lambda: after_the_handshake(COMPARED, frame(wire.SEGMENT, SPACE)),
        lambda: after_the_handshake(
            COMPARED,
            frame(wire.PARTS, bytes(2)),
            *[frame(wire.SPACES, b"".join(bytes(29) + at.to_bytes(3, "big") + bytes(8) for at in range(100_001)))],
            END,
        ),
        lambda: after_the_handshake(ASKED, frame(wire.HEADS, bytes(31)), END),
        lambda: after_the_handshake(ASKED, frame(wire.HEADS, bytes(33)), END),
        lambda: after_the_handshake(ASKED, frame(wire.HEADS, SPACE + bytes(32) + b"\xff" * 8 + bytes(32)), END),
        lambda: after_the_handshake(ASKED, frame(wire.HEADS, SPACE), frame(wire.SEGMENT, bytes(99)), END),
        lambda: after_the_handshake(ASKED, frame(wire.HEADS, SPACE), frame(wire.SEGMENT, bytes(900)), END),
        lambda: after_the_handshake(ASKED, frame(wire.HEADS, SPACE), END, frame(wire.RESULT, bytes(9)), END),
        lambda: after_the_handshake(ASKED, frame(wire.HEADS, SPACE), END, frame(wire.RESULT, bytes(41)), END),
        lambda: after_the_handshake(ASKED, *[frame(wire.HEADS, bytes(4 * 2**20 - 16 & ~31))] * 9, END),
        lambda: after_the_handshake(ASKED, *[frame(wire.HEADS, at.to_bytes(32, "big")) for at in range(100_001)], END),
        lambda: after_the_handshake(ASKED, frame(wire.HEADS, SPACE), END, frame(wire.HEADS, SPACE), END),
        lambda: after_the_handshake(ASKED, turn_of_one(), frame(wire.HEADS, SPACE), END),
        lambda: after_the_handshake(ASKED, frame(wire.HEADS, SPACE), frame(wire.END, b"x")),
        lambda: after_the_handshake(frame(wire.WANT, bytes(31)), END),
        lambda: after_the_handshake(frame(wire.WANT), END, frame(wire.OBJECT, bytes(40)), END),
        lambda: after_the_handshake(frame(wire.WANT), END, frame(wire.OBJECT_END, bytes(32)), END),
    ],
    ids=lambda _: "said",  # made in its test: some are megabytes
)
def test_what_does_not_belong_is_refused(said: Callable[[], bytes]) -> None:
    _, james = two_sides()
    before = james.contents()
    ended, _, told = play(james, said(), leads=False)
    assert isinstance(ended, wire.PeerProtocol)
    assert told.endswith(frame(wire.ERROR, told[told.rindex(b'{"code":"peer.protocol"') :]))
    assert james.contents() == before


def objects_of_lisa(*frames: bytes) -> bytes:
    """Lisa's words as a whole, with other frames where she sends her attachments."""
    at = start = 0
    while LEADS[at] != wire.OBJECT:
        at += 5 + int.from_bytes(LEADS[at + 1 : at + 5], "big")
    start = at
    while LEADS[at] != wire.END:
        at += 5 + int.from_bytes(LEADS[at + 1 : at + 5], "big")
    return LEADS[:start] + b"".join(frames) + LEADS[at:]


def test_an_attachment_with_another_content_is_not_kept() -> None:
    _, james = two_sides()
    lisa, _ = two_sides()
    (address,) = lisa.objects
    said = objects_of_lisa(frame(wire.OBJECT, address + b"other"), frame(wire.OBJECT_END, address))
    ended, exchange, _ = play(james, said, leads=False)
    assert ended is None
    assert [problem.code for problem in exchange.problems] == ["object.damaged"]
    assert address not in james.objects


@pytest.mark.parametrize("broken", ["no end", "another", "too large", "end with more"])
def test_an_attachment_that_is_not_framed_well_is_refused(broken: str) -> None:
    _, james = two_sides()
    lisa, _ = two_sides()
    (address,) = lisa.objects
    begin = frame(wire.OBJECT, address + b"from")
    said = {
        "no end": [begin],
        "another": [begin, frame(wire.OBJECT, bytes(40))],
        "too large": [frame(wire.OBJECT, address + bytes(1024 * 1024 + 1))],
        "end with more": [begin, frame(wire.OBJECT_END, address + b"x")],
    }[broken]
    ended, _, _ = play(james, objects_of_lisa(*said), leads=False)
    assert isinstance(ended, wire.PeerProtocol)
    assert address not in james.objects


def test_events_without_end_none_of_which_holds_are_not_listened_to_for_ever() -> None:
    _, james = two_sides()
    said = after_the_handshake(ASKED, *[turn_of_one() + END] * 200)
    ended, _, _ = play(james, said, leads=False)
    assert isinstance(ended, wire.PeerProtocol)


def test_a_turn_of_too_many_events_is_refused() -> None:
    _, james = two_sides()
    stranger = MemoryReplica(MALLORY)
    space = stranger.open("deal", [MALLORY.identity])
    for at in range(1_000):
        stranger.write(space, b"", signed=at == 997)
    part = stranger.read(space, stranger.tip(space, MALLORY.device), 0, 1_000)
    assert part is not None
    turn = frame(wire.SEGMENT, segment.pack(part)) * 21
    said = after_the_handshake(ASKED, turn, END)
    ended, exchange, _ = play(james, said, leads=False)
    assert isinstance(ended, wire.PeerProtocol)
    assert (exchange.received, exchange.rejected) == (0, 0)


def test_a_turn_that_does_not_end_is_refused() -> None:
    _, james = two_sides()
    whole = frame(wire.HEADS, SPACE + bytes(72) * 58_000)
    ended, _, _ = play(james, after_the_handshake(ASKED, *[whole] * 9), leads=False)
    assert isinstance(ended, wire.PeerProtocol)
    assert ended.why == "a turn that does not end"
