from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaise_cli.domain.plain_json import Unreadable, contains, equal, read

VALUES = st.recursive(
    st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"nul",
        b"[1] [2]",
        b"NaN",
        b"[Infinity]",
        b'{"a":1,"a":2}',
        b'{"a":{"b":1,"b":1}}',
        b"\xff",
        b'"\xed\xa0\x80"',
        b"[" * 33 + b"]" * 33,
        b"[" * 100_000,
        b"9" * 5_000,
        b"\xef\xbb\xbf1",
        b"'a'",
    ],
    ids=range(15),
)
def test_what_is_not_the_json_of_one_value_is_unreadable(data: bytes) -> None:
    with pytest.raises(Unreadable):
        read(data)


@given(VALUES)
def test_a_value_equals_and_contains_itself_alone(value: object) -> None:
    found = read(json.dumps(value).encode())
    assert equal(found, value)
    assert contains(found, value)
    assert not equal([found], value)


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        (True, 1),
        (1, True),
        (0, False),
        ("1", 1),
        (None, False),
        ([], {}),
        ({"a": 1}, {"a": 1, "b": 2}),
        ([1, 2], [2, 1]),
    ],
)
def test_values_of_another_kind_or_order_are_not_equal(found: object, wanted: object) -> None:
    assert not equal(found, wanted)


def test_a_number_with_a_fraction_equals_nothing() -> None:
    assert not equal(read(b"1.0"), 1)
    assert not equal(read(b"1e0"), 1)


@given(st.dictionaries(st.text(max_size=3), VALUES, max_size=3), st.text(max_size=3), VALUES)
def test_an_object_with_more_keys_contains_the_smaller_one(small: dict[str, object], key: str, value: object) -> None:
    assert contains({key: value} | small, small)
    if key not in small:
        assert not contains(small, {key: value} | small)
