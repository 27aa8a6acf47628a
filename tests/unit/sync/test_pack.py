from __future__ import annotations

import os
import random
from tempfile import TemporaryFile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaise_cli.errors import Corrupt, Newer
from chaise_cli.ledger import segment
from sync import pack
from tests.fakes.replica import Device, MemoryReplica, scribble

LISA = Device("lisa")


def example(*starts: int) -> tuple[bytes, list[pack.Range], list[bytes]]:
    """A pack of segments of one chain that begin at these seqs and hold two events each."""
    lisa = MemoryReplica(LISA)
    space = lisa.open("deal", [LISA.identity])
    scribble(lisa, space, 20, random.Random(1))
    ids = lisa.held[space].chains[LISA.device].ids
    parts: list[bytes] = []
    rows: list[pack.Range] = []
    for start in starts:
        part = lisa.read(space, lisa.tip(space, LISA.device), start, 2)
        assert part is not None
        parts.append(segment.pack(part))
        if rows and rows[-1].last + 1 == start:
            rows[-1] = rows[-1]._replace(last=start + 1, last_id=ids[start + 1])
        else:
            rows.append(pack.Range(LISA.device, start, start + 1, ids[start + 1]))
    return pack.build(space, LISA.device, frozenset({LISA.identity}), rows, parts), rows, parts


def opened(data: bytes, name: str | None = None) -> tuple[pack.Head, list[bytes]]:
    with TemporaryFile() as file:
        file.write(data)
        file.flush()
        head = pack.read_head(file.fileno(), len(data))
        entries = pack.index(file.fileno(), head, name or pack.name_of(data))
        return head, [segment.pack(pack.read(file.fileno(), entry)) for entry in entries]


@pytest.mark.parametrize("starts", [(), (0,), (0, 2, 4), (0, 2, 8, 10, 14)])
def test_what_went_in_comes_out(starts: tuple[int, ...]) -> None:
    data, rows, parts = example(*starts)
    head, inside = opened(data)
    assert (list(head.ranges), inside) == (rows, parts)
    assert head.names == {LISA.identity}
    assert head.writer == LISA.device


def test_a_pack_under_another_name_is_damaged() -> None:
    data, _, _ = example(0)
    with pytest.raises(pack.PackDamaged):
        opened(data, "0" * 64)


WHOLE, _, PARTS = example(0, 2, 8)


@given(
    st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(1, 255)), min_size=1, max_size=4),
    st.integers(0, len(WHOLE)),
)
def test_a_changed_pack_is_refused_or_holds_whole_segments(changes: list[tuple[int, int]], length: int) -> None:
    data = bytearray(WHOLE)
    for at, bits in changes:
        data[at] ^= bits
    for spoiled in (bytes(data), WHOLE[:length], bytes(data) + WHOLE[:length]):
        try:
            _, inside = opened(spoiled)
        except (Corrupt, Newer):
            continue
        assert len(inside) == len(PARTS)


def test_a_pack_of_too_many_segments_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pack, "SEGMENTS_LIMIT", 2)
    with pytest.raises(pack.BadPack):
        opened(WHOLE)


def test_a_file_that_shrinks_while_it_is_read_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.pread

    def shorter(descriptor: int, size: int, at: int) -> bytes:
        data = real(descriptor, size, at)
        return data if at == 0 or size > 10_000 else data[: size // 2]

    monkeypatch.setattr(os, "pread", shorter)
    with pytest.raises((pack.PackPartial, pack.BadPack)):
        opened(WHOLE)
