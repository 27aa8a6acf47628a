from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from sync.coverage import Coverage

ranges = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20)).map(lambda pair: (pair[0], sum(pair))))


@given(ranges, st.integers(0, 80), st.integers(0, 80))
def test_what_is_missing_is_what_was_not_added(added: list[tuple[int, int]], first: int, last: int) -> None:
    held = Coverage()
    for low, high in added:
        held.add(low, high)
    every = {seq for low, high in added for seq in range(low, high + 1)}
    missing = [seq for low, high in held.missing(first, last) for seq in range(low, high + 1)]
    assert missing == [seq for seq in range(first, last + 1) if seq not in every]
    assert {seq for low, high in held for seq in range(low, high + 1)} == every


@given(ranges)
def test_ranges_that_touch_are_one(added: list[tuple[int, int]]) -> None:
    held = Coverage()
    for low, high in added:
        held.add(low, high)
    kept = list(held)
    assert all(one[1] + 1 < other[0] for one, other in pairwise(kept))
