from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaise_cli.ledger import header
from chaise_cli.ledger.header import BadHeader, Header, NewerEnvelope

KEY = st.binary(min_size=32, max_size=32)
SEALED = st.builds(
    Header, suite=st.just(header.SEALED), space=KEY.filter(any), device=KEY, seq=st.integers(1, 2**63),
    prev=KEY.filter(any), epoch=st.binary(min_size=8, max_size=8).filter(any),
    body_size=st.integers(0, header.BODY_LIMIT), body_hash=KEY,
)  # fmt: skip
FIRST = SEALED.map(lambda one: one._replace(seq=0, prev=header.ZERO))
WRAP = SEALED.map(lambda one: one._replace(suite=header.CLEAR, epoch=header.NO_EPOCH))
GENESIS = FIRST.map(lambda one: one._replace(suite=header.CLEAR, epoch=header.NO_EPOCH, space=header.ZERO))
ANY = SEALED | FIRST | WRAP | GENESIS


@given(ANY)
def test_what_is_packed_reads_back(one: Header) -> None:
    assert header.unpack(one.pack()) == one
    assert len(one.pack()) == header.SIZE == 154


@given(ANY, st.integers(0, header.SIZE * 8 - 1))
def test_no_two_headers_have_one_spelling(one: Header, bit: int) -> None:
    """A changed bit is another header, with another id, or none."""
    packed = bytearray(one.pack())
    packed[bit // 8] ^= 1 << bit % 8
    try:
        other = header.unpack(bytes(packed))
    except (BadHeader, NewerEnvelope):
        return
    assert other != one
    assert other.pack() == bytes(packed)
    assert header.event_id(bytes(packed)) != header.event_id(one.pack())


@given(
    st.binary(max_size=200)
    | st.binary(min_size=154, max_size=154)
    | st.binary(min_size=150, max_size=150).map(lambda b: b"CHEV" + b)
)
def test_no_bytes_crash_the_decoder(data: bytes) -> None:
    try:
        assert header.unpack(data).pack() == data
    except (BadHeader, NewerEnvelope):
        return


def _one() -> Header:
    return Header(header.SEALED, b"s" * 32, b"d" * 32, 3, b"p" * 32, b"e" * 8, 80, b"h" * 32)


@pytest.mark.parametrize(
    "wrong",
    [
        {"seq": 0},
        {"prev": header.ZERO},
        {"epoch": header.NO_EPOCH},
        {"suite": header.CLEAR},
        {"space": header.ZERO},
        {"body_size": header.BODY_LIMIT + 1},
        {"suite": header.CLEAR, "epoch": header.NO_EPOCH, "space": header.ZERO},
        {"suite": header.CLEAR, "epoch": header.NO_EPOCH, "seq": 0, "prev": header.ZERO},
    ],
    ids=str,
)
def test_a_header_that_no_honest_writer_makes_is_refused(wrong: dict[str, object]) -> None:
    header.unpack(_one().pack())
    with pytest.raises(BadHeader):
        header.unpack(_one()._replace(**wrong).pack())  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [0, 153, 155])
def test_a_header_has_one_size(size: int) -> None:
    with pytest.raises(BadHeader):
        header.unpack(bytes(size))


def test_another_magic_is_no_event() -> None:
    with pytest.raises(BadHeader):
        header.unpack(b"CHEX" + _one().pack()[4:])


@pytest.mark.parametrize("place", [4, 5], ids=["version", "suite"])
def test_a_later_envelope_is_told_apart_from_a_broken_one(place: int) -> None:
    packed = bytearray(_one().pack())
    packed[place] = 9
    with pytest.raises(NewerEnvelope) as caught:
        header.unpack(bytes(packed))
    assert caught.value.exit == 14


def test_a_sealed_body_is_bound_to_its_place() -> None:
    """The associated data is the header up to and including the epoch."""
    one = _one()
    bound = header.aad(one.suite, one.space, one.device, one.seq, one.prev, one.epoch)
    assert one.pack().startswith(bound)
    assert one.pack()[len(bound) :] == one.body_size.to_bytes(4, "big") + one.body_hash
