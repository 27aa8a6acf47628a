"""Sealed files: whatever is cut, moved, added or changed does not open."""

from __future__ import annotations

from hashlib import sha256
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaise_cli.crypto import attachments
from chaise_cli.crypto.attachments import HEADER, NewerAttachment, address, open_file_chunks, seal_file_chunks
from chaise_cli.crypto.sealing import OVERHEAD, BadSeal, BodyCipher

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = bytes(range(32))
SMALL = 8  # bytes a chunk in most tests here; the format's own size is checked below
files = st.binary(max_size=5 * SMALL)


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attachments, "CHUNK", SMALL)


def sealed(content: bytes) -> list[bytes]:
    return list(seal_file_chunks(KEY, [content]))


def opened(pieces: list[bytes]) -> bytes:
    return b"".join(open_file_chunks(KEY, pieces))


def cut(data: bytes, places: list[int]) -> Iterator[bytes]:
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return (data[a:b] for a, b in pairwise(edges))


@given(files, st.lists(st.integers(0, 100)), st.lists(st.integers(0, 200)))
def test_a_file_comes_back_however_it_arrives(content: bytes, before: list[int], after: list[int]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(attachments, "CHUNK", SMALL)
        stream = b"".join(seal_file_chunks(KEY, cut(content, before)))
        assert stream == b"".join(sealed(content))
        assert b"".join(open_file_chunks(KEY, cut(stream, after))) == content


@pytest.mark.usefixtures("small_chunks")
def test_no_byte_of_a_sealed_file_can_change() -> None:
    stream = b"".join(sealed(b"three chunks of text"))
    for place in range(len(stream)):
        changed = bytearray(stream)
        changed[place] ^= 1 << place % 8
        with pytest.raises((BadSeal, NewerAttachment)):
            opened([bytes(changed)])


@pytest.mark.usefixtures("small_chunks")
def test_no_cut_goes_unnoticed() -> None:
    stream = b"".join(sealed(b"three chunks of text"))
    for length in range(len(stream)):
        with pytest.raises(BadSeal):
            opened([stream[:length]])


@pytest.mark.usefixtures("small_chunks")
def test_chunks_cannot_be_moved_left_out_doubled_or_added() -> None:
    header, a, b, c = sealed(b"three chunks of text")
    for other in ([b, a, c], [a, c], [b, c], [a, b], [a, a, b, c], [a, b, c, c], [a, b, c, b"x"], [a, c, b]):
        with pytest.raises(BadSeal):
            opened([header, *other])


@pytest.mark.usefixtures("small_chunks")
def test_a_chunk_of_another_file_does_not_fit() -> None:
    header, first, _ = sealed(b"two chunks here")
    other = list(seal_file_chunks(bytes(32), [b"two chunks here"]))
    with pytest.raises(BadSeal):
        opened([header, first, other[2]])


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("chunks", [1, 2, 3])
def test_full_chunks_have_no_empty_one_behind_them(chunks: int) -> None:
    stream = sealed(b"x" * SMALL * chunks)
    assert [len(part) for part in stream[1:]] == [SMALL + OVERHEAD] * chunks
    assert opened(stream) == b"x" * SMALL * chunks


@pytest.mark.usefixtures("small_chunks")
def test_an_empty_chunk_behind_a_full_one_is_refused_even_from_the_keys_owner() -> None:
    cipher = BodyCipher(KEY)
    full = cipher.seal(bytes(12), b"x" * SMALL, HEADER)
    empty = cipher.seal((1).to_bytes(11, "big") + b"\1", b"", HEADER)
    with pytest.raises(BadSeal):
        opened([HEADER, full, empty])


def test_an_empty_file_is_one_empty_chunk() -> None:
    assert list(seal_file_chunks(KEY, [])) == sealed(b"")
    assert [len(part) for part in sealed(b"")] == [len(HEADER), OVERHEAD]
    assert opened(sealed(b"")) == b""


def test_another_version_says_so() -> None:
    with pytest.raises(NewerAttachment) as caught:
        opened([b"CHSEFIL\x02", bytes(40)])
    assert caught.value.exit == 14


def test_a_small_file_has_the_bytes_of_the_specification() -> None:
    stream = sealed(b"hello")
    assert b"".join(stream).hex() == "4348534546494c01303adb5cc6b13934ebe1c5bd2a0acf988f228e3627"
    assert address(stream).hex() == "7d026c75944ed536f2d8830db67b425f0630525ff3040085fb5ec88e011b1d6c"


def test_chunks_have_a_mebibyte() -> None:
    stream = sealed(bytes((1 << 20) + 1))
    assert [len(part) for part in stream] == [8, (1 << 20) + OVERHEAD, 1 + OVERHEAD]
    assert address(stream) == sha256(b"".join(stream)).digest()
    assert address(stream).hex() == "045915ed96a66a153b99b09aea2fc71b187ede2f3c8c588fd2e2bfb6a2d27402"


def test_memory_stays_flat() -> None:
    """No piece is asked for before what came earlier has been passed on, but for two chunks."""
    taken = 0

    def endless() -> Iterator[bytes]:
        nonlocal taken
        while True:
            taken += 1
            yield bytes(1 << 20)

    stream = seal_file_chunks(KEY, endless())
    for passed_on in range(4):
        next(stream)
        assert taken <= passed_on + 1
