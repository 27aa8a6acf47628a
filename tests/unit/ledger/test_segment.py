from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaise_cli.crypto import signing
from chaise_cli.errors import Corrupt, Newer
from chaise_cli.ledger import header, proof
from chaise_cli.ledger import segment as segments
from chaise_cli.ledger.header import BadHeader, NewerEnvelope
from chaise_cli.ledger.segment import BadSegment, Sealed, Segment
from tests.fakes.pen import Pen, signer


def _pen(count: int = 4) -> Pen:
    pen = Pen("writer", secret=bytes(32)).genesis()
    for number in range(count - 1):
        pen.put(bytes([number]) * (number * 7), b"epoch 01")
    return pen


RUN = _pen().run()


def test_the_links_of_a_segment_are_its_headers_and_ids() -> None:
    pen = _pen()
    made = segments.verify(pen.run())
    assert [link.header for link in made] == pen.headers
    assert [link.id for link in made] == pen.ids[1:]


@given(st.integers(0, 3), st.integers(1, 4))
def test_any_part_of_a_chain_verifies_by_its_last_signature(first: int, count: int) -> None:
    pen = _pen()
    run = pen.run(first, min(first + count, pen.seq))
    assert [link.id for link in segments.verify(run)] == pen.ids[first + 1 : first + 1 + len(run.events)]


@given(st.integers(1, 5))
def test_what_is_packed_reads_back(count: int) -> None:
    run = _pen(count).run()
    assert segments.unpack(segments.pack(run)) == run


@given(st.integers(0, len(segments.pack(RUN)) * 8 - 1))
def test_no_bit_of_a_segment_can_be_changed(bit: int) -> None:
    packed = bytearray(segments.pack(RUN))
    packed[bit // 8] ^= 1 << bit % 8
    with pytest.raises((BadSegment, BadHeader, NewerEnvelope)):
        segments.verify(segments.unpack(bytes(packed)))


@given(st.integers(0, len(segments.pack(RUN)) - 1), st.binary(max_size=40))
def test_a_segment_is_neither_cut_nor_lengthened(at: int, more: bytes) -> None:
    packed = segments.pack(RUN)
    for changed in (packed[:at], packed + more if more else b"", packed[:at] + more + b"!" + packed[at:]):
        with pytest.raises((BadSegment, BadHeader, NewerEnvelope)):
            segments.verify(segments.unpack(changed))


@given(st.binary(max_size=300))
def test_no_bytes_crash_the_decoder(data: bytes) -> None:
    try:
        segments.verify(segments.unpack(data))
    except (Corrupt, Newer):
        return
    raise AssertionError("random bytes were signed")


@pytest.mark.parametrize("count", [0, 1001, 2**32 - 1])
def test_a_segment_has_one_to_a_thousand_events(count: int) -> None:
    head = segments._HEAD.pack(RUN.space, RUN.device, 0, RUN.prev, count)
    with pytest.raises(BadSegment):
        segments.verify(segments.unpack(head + bytes(64)))


def test_a_seq_beyond_what_a_store_counts_is_refused() -> None:
    head = segments._HEAD.pack(RUN.space, RUN.device, 2**63 - 1, RUN.prev, 1)
    body = segments._EVENT.pack(1, b"e" * 8, 0)
    with pytest.raises(BadSegment):
        segments.unpack(head + body + bytes(64))


def test_a_body_over_64_kib_is_refused() -> None:
    head = segments._HEAD.pack(RUN.space, RUN.device, 1, RUN.prev, 1)
    body = segments._EVENT.pack(1, b"e" * 8, header.BODY_LIMIT + 1) + bytes(header.BODY_LIMIT + 1)
    with pytest.raises(BadSegment):
        segments.unpack(head + body + bytes(64))


@pytest.mark.parametrize("what", ["space", "device", "prev", "first_seq", "signature"])
def test_a_segment_is_of_one_place(what: str) -> None:
    run = _pen().run(1, 3)
    other = {"space": bytes(31) + b"x", "device": signer("other").public, "prev": b"p" * 32, "first_seq": 2,
             "signature": _pen().run(1, 4).signature}[what]  # fmt: skip
    with pytest.raises((BadSegment, BadHeader)):
        segments.verify(run._replace(**{what: other}))  # type: ignore[arg-type]


def test_a_genesis_belongs_to_the_space_that_its_id_names() -> None:
    with pytest.raises(BadSegment):
        segments.verify(_pen().run()._replace(space=b"x" * 32))


def test_a_second_genesis_inside_a_space_is_refused() -> None:
    pen = _pen(1)
    pen.events.append(Sealed(header.CLEAR, b"epoch 01", b""))
    with pytest.raises((BadSegment, BadHeader)):
        segments.verify(Segment(pen.space, pen.device, 0, header.ZERO, pen.events, bytes(64)))


def test_a_signature_for_another_use_is_none() -> None:
    pen = _pen()
    for tag in signing.TAGS:
        if tag != signing.TAGS.event:
            signature = pen.signer.sign(tag, pen.headers[-1])
            with pytest.raises(BadSegment):
                segments.verify(pen.run()._replace(signature=signature))


def test_a_proof_shows_that_a_device_holds_its_key() -> None:
    key = signer("device")
    signed = key.sign(signing.TAGS.proof, b"both said this")
    assert proof.verify(key.public, b"both said this", signed)
    assert not proof.verify(key.public, b"both said that", signed)
    assert not proof.verify(signer("other").public, b"both said this", signed)
    assert not proof.verify(b"", b"both said this", b"")
    assert not proof.verify(key.public, b"both said this", key.sign(signing.TAGS.event, b"both said this"))
