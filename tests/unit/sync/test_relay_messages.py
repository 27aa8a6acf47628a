"""Messages of a relay: what was packed is read again, and nothing else is read at all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaise_cli.ledger import receipt, segment
from chaise_cli.ledger.segment import Sealed, Segment
from sync import ranges
from sync import relay_messages as messages
from sync.relay_messages import Different, Malformed, Piece, Pull, Push, Pushed, Row, Section, Summary
from tests.fakes.pen import signer

SPACE: Final = b"s" * 32
KEYS: Final = st.binary(min_size=32, max_size=32)
NUMBERS: Final = st.integers(0, 2**63 - 1)
EVENTS: Final = st.lists(
    st.builds(Sealed, st.just(1), st.binary(min_size=8, max_size=8), st.binary(max_size=40)), min_size=1, max_size=4
)
SEGMENTS: Final = st.builds(
    Segment, st.just(SPACE), KEYS, st.integers(0, 2**40), KEYS, EVENTS, st.binary(min_size=64, max_size=64)
)
WIDTHS: Final = st.binary(min_size=ranges.WIDTH, max_size=ranges.WIDTH)
CODES: Final = st.text("abcdefghijklmnopqrstuvwxyz._", max_size=64)
RECEIPT: Final = receipt.issue(signer("relay"), SPACE, 7, b"e" * 32, 1_795_000_000_000, b"h" * 32)


@st.composite
def sections(draw: st.DrawFn) -> Section:
    """Segments, taken in turns."""
    segments = draw(st.lists(SEGMENTS, min_size=1, max_size=3))
    order = []
    for at, one in enumerate(segments):
        cut = draw(st.integers(0, len(one.events)))
        order += [(at, count) for count in (cut, len(one.events) - cut) if count]
    after = draw(st.integers(0, 2**40))
    made = RECEIPT._replace(number=after + sum(len(one.events) for one in segments))
    return Section(SPACE, after, made, draw(st.permutations(order)), segments)


@st.composite
def pushed(draw: st.DrawFn) -> Pushed:
    taken = draw(st.lists(st.integers(0, 1000), max_size=5))
    refused = [(at, draw(CODES)) for at in range(len(taken))]
    return Pushed(draw(NUMBERS), draw(KEYS), draw(st.sampled_from([None, RECEIPT])), taken, refused)


PARTS: Final = st.lists(st.integers(0, ranges.PARTS - 1), max_size=6)
ROWS: Final = st.lists(st.builds(Row, KEYS, NUMBERS, st.binary(min_size=8, max_size=8)), max_size=4)
PIECES: Final = st.builds(
    lambda s, a, o, d, m: Piece(s, a, o + len(d) + m, o, d),
    KEYS,
    KEYS,
    st.integers(0, 2**40),
    st.binary(max_size=50),
    st.integers(0, 9),
)
DIFFERENT: Final = st.builds(
    lambda digest, rows, news: Different(digest, sorted(rows.items()), news),
    KEYS,
    st.dictionaries(st.integers(0, 31), WIDTHS, max_size=5),
    st.lists(sections(), max_size=2),
)


@given(st.builds(Summary, KEYS, WIDTHS, st.integers(0, 60)))
def test_summaries(said: Summary) -> None:
    assert messages.read_summary(messages.pack_summary(said)) == said


@given(st.none() | DIFFERENT)
def test_differences(found: Different | None) -> None:
    assert messages.read_different(messages.pack_different(found)) == found


@given(st.builds(Pull, PARTS, ROWS))
def test_pulls(asked: Pull) -> None:
    assert messages.read_pull(messages.pack_pull(asked)) == asked


@given(st.lists(sections(), max_size=2), st.booleans())
def test_sections(given_: list[Section], more: bool) -> None:
    assert messages.read_sections(messages.pack_sections(given_, more=more)) == (given_, more)


@given(st.builds(Push, st.just(SPACE), st.none() | KEYS, st.lists(SEGMENTS, max_size=3)))
def test_pushes(given_: Push) -> None:
    assert messages.read_push(messages.pack_push(given_)) == given_


@given(pushed())
def test_answers_to_a_push(done: Pushed) -> None:
    assert messages.read_pushed(messages.pack_pushed(done), len(done.taken)) == done


@given(PIECES)
def test_pieces(piece: Piece) -> None:
    assert messages.read_piece(messages.pack_piece(piece)) == piece


def test_a_question_for_a_piece() -> None:
    asked = Piece(SPACE, SPACE, 0, 5_000, b"")
    assert messages.read_question(messages.pack_piece(asked)) == asked
    for wrong in (asked._replace(size=1), asked._replace(offset=2**47), asked._replace(data=b"x")):
        with pytest.raises(Malformed):
            messages.read_question(messages.pack_piece(wrong))


def one_segment(events: int = 3) -> Segment:
    return Segment(SPACE, b"d" * 32, 0, bytes(32), [Sealed(1, b"epoch..1", b"body")] * events, bytes(64))


SECTION: Final = Section(SPACE, 4, RECEIPT, [(0, 1), (0, 2)], [one_segment()])
PUSHED: Final = Pushed(5, SPACE, RECEIPT, [3, 0], [(1, "sync.gap")])
SAMPLES: Final[dict[str, tuple[bytes, Callable[[bytes], Any]]]] = {
    "summary": (messages.pack_summary(Summary(SPACE, bytes(128), 30)), messages.read_summary),
    "different": (
        messages.pack_different(Different(SPACE, [(3, bytes(128)), (9, bytes(128))], [SECTION])),
        messages.read_different,
    ),
    "pull": (messages.pack_pull(Pull([1, 1000], [Row(SPACE, 3, bytes(8))])), messages.read_pull),
    "sections": (messages.pack_sections([SECTION], more=True), messages.read_sections),
    "push": (messages.pack_push(Push(SPACE, SPACE, [one_segment(), one_segment(1)])), messages.read_push),
    "pushed": (messages.pack_pushed(PUSHED), lambda body: messages.read_pushed(body, 2)),
    "piece": (messages.pack_piece(Piece(SPACE, SPACE, 20, 3, b"data")), messages.read_piece),
    "question": (messages.pack_piece(Piece(SPACE, SPACE, 0, 3, b"")), messages.read_question),
    "receipt": (RECEIPT.pack(), messages.read_receipt),
}
AGAIN: Final[dict[str, Callable[[Any], bytes]]] = {
    "summary": messages.pack_summary,
    "different": messages.pack_different,
    "pull": messages.pack_pull,
    "sections": lambda read: messages.pack_sections(read[0], more=read[1]),
    "push": messages.pack_push,
    "pushed": messages.pack_pushed,
    "piece": messages.pack_piece,
    "question": messages.pack_piece,
    "receipt": lambda read: read.pack(),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_what_is_cut_short_or_longer_is_refused_or_says_something_else(name: str) -> None:
    """A piece of an attachment, a push and refusals end with what comes; they may be shorter, never misread."""
    body, read = SAMPLES[name]
    for short in [body[:size] for size in range(len(body))] + [body + b"\0", body + bytes(300)]:
        try:
            found = read(short)
        except Malformed:
            continue
        assert AGAIN[name](found) == short
        assert name in {"piece", "push", "pushed", "sections", "different"}


@pytest.mark.parametrize("name", SAMPLES)
def test_every_byte_counts(name: str) -> None:
    """Whatever byte is changed, it is refused or read as exactly these other bytes."""
    body, read = SAMPLES[name]
    for at in range(len(body)):
        for bit in (1, 0x80):
            changed = body[:at] + bytes([body[at] ^ bit]) + body[at + 1 :]
            try:
                found = read(changed)
            except Malformed:
                continue
            assert AGAIN[name](found) == changed


def section(**changes: Any) -> bytes:
    return messages.pack_sections([SECTION._replace(**changes)], more=False)


@pytest.mark.parametrize(
    "body",
    [
        section(space=b"t" * 32),
        section(after=3),
        section(receipt=RECEIPT._replace(number=8)),
        section(order=[(0, 1)]),
        section(order=[(0, 4)]),
        section(order=[(1, 3)]),
        section(order=[(0, 0), (0, 3)]),
        section(segments=[one_segment()._replace(space=b"t" * 32)]),
        messages.pack_sections([Section(SPACE, 7, RECEIPT, [], [])], more=False),
    ],
)
def test_a_section_has_to_fit_together(body: bytes) -> None:
    with pytest.raises(Malformed):
        messages.read_sections(body)


def test_a_push_has_its_limits() -> None:
    many = [one_segment(1_000)] * 6
    with pytest.raises(Malformed):
        messages.read_push(messages.pack_push(Push(SPACE, None, many)))
    with pytest.raises(Malformed):
        messages.read_push(messages.pack_push(Push(b"t" * 32, None, [one_segment()])))
    assert len(messages.read_push(messages.pack_push(Push(SPACE, None, many[:5]))).segments) == 5


def test_a_wait_and_a_count_of_spaces_have_their_limits() -> None:
    with pytest.raises(Malformed):
        messages.read_summary(messages.pack_summary(Summary(SPACE, bytes(128), 61)))
    with pytest.raises(Malformed):
        messages.read_pull(messages.pack_pull(Pull([ranges.PARTS], [])))
    with pytest.raises(Malformed):
        messages.read_pull(messages.pack_pull(Pull([], [Row(SPACE, 2**63, bytes(8))])))
    with pytest.raises(Malformed):
        messages.read_pushed(messages.pack_pushed(PUSHED), 3)


def test_frames_say_what_segments_say() -> None:
    one = one_segment()
    packed = segment.frame(SPACE, one.device, 0, bytes(32), 3, segment.pack_events(one.events), one.signature)
    assert packed == segment.pack(one)
    assert messages.frame_section(SPACE, 4, RECEIPT, SECTION.order, [packed]) == section()[1:]
