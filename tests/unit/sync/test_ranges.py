from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sync import ranges

held = st.dictionaries(st.binary(min_size=32, max_size=32), st.binary(min_size=8, max_size=8), max_size=30)


def found(ours: ranges.Positions, theirs: ranges.Positions) -> list[int]:
    """The parts that differ, as two sides would find them out."""
    return [
        number * ranges.FAN + part
        for number in ranges.differing(ranges.ranges(ours), ranges.ranges(theirs))
        for part in ranges.differing(ranges.parts(ours, number), ranges.parts(theirs, number))
    ]


@given(ours=held, theirs=held)
def test_every_space_that_differs_lies_in_a_part_that_is_found(
    ours: dict[bytes, bytes], theirs: dict[bytes, bytes]
) -> None:
    changed = {space for space in ours.keys() | theirs.keys() if ours.get(space) != theirs.get(space)}
    assert set(found(ours, theirs)) == {ranges.part_of(space) for space in changed}
    assert (ranges.whole(ours) != ranges.whole(theirs)) is bool(changed)


@given(ours=held)
def test_all_that_is_held_lies_in_some_part(ours: dict[bytes, bytes]) -> None:
    assert ranges.within(ours, range(ranges.PARTS)) == ours
    assert ranges.within(ours, []) == {}
    for space in ours:
        assert 0 <= ranges.part_of(space) < ranges.PARTS


def test_a_part_is_the_first_ten_bits_of_the_id() -> None:
    assert ranges.part_of(b"\x00\x3f" + bytes(30)) == 0
    assert ranges.part_of(b"\x00\x40" + bytes(30)) == 1
    assert ranges.part_of(b"\xff" * 32) == 1_023


def test_digests_have_the_sizes_that_messages_count_on() -> None:
    some = {bytes(32): bytes(8)}
    assert len(ranges.whole(some)) == 32
    assert len(ranges.ranges(some)) == len(ranges.parts(some, 0)) == ranges.WIDTH == 128
    assert ranges.ranges({}) == ranges.parts(some, 5)


@given(held)
def test_digests_do_not_depend_on_the_order_in_which_spaces_are_told(positions: dict[bytes, bytes]) -> None:
    turned = dict(reversed(positions.items()))
    assert ranges.whole(positions) == ranges.whole(turned)
    assert ranges.ranges(positions) == ranges.ranges(turned)
