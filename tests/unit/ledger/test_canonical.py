from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaise_cli.ledger import canonical
from chaise_cli.ledger.canonical import NotCanonical

WHOLE = st.integers(-(2**53) + 1, 2**53 - 1)
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
KEY = st.text(st.characters(max_codepoint=127), max_size=8)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | WHOLE | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEY, inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_what_is_encoded_reads_back(value: Any) -> None:
    assert canonical.decode(canonical.encode(value)) == value


@given(VALUES, st.integers(0, 400), st.integers(0, 255))
def test_other_bytes_say_something_else_or_nothing(value: Any, place: int, byte: int) -> None:
    """No two byte strings say the same: that is what hashes and signatures rest on."""
    data = bytearray(canonical.encode(value))
    data[place % len(data)] = byte
    changed = bytes(data)
    try:
        found = canonical.decode(changed)
    except NotCanonical:
        return
    assert (repr(found) == repr(value)) == (changed == canonical.encode(value))
    assert canonical.encode(found) == changed


@given(st.binary(max_size=60))
def test_no_bytes_crash_the_decoder(data: bytes) -> None:
    try:
        value = canonical.decode(data)
    except NotCanonical:
        return
    assert canonical.encode(value) == data


PIECES = (
    b"[",
    b"]",
    b"{",
    b"}",
    b'"a"',
    b'"\xc3\xa4"',
    b'"\\u00e4"',
    b'"\\ud800"',
    b":",
    b",",
    b"1",
    b"-",
    b"0",
    b"9007199254740992",
    b"9" * 20,
    b"1.5",
    b"e1",
    b"true",
    b"null",
    b'"',
    b" ",
)


@given(st.lists(st.sampled_from(PIECES), max_size=10).map(b"".join))
def test_the_decoder_takes_nothing_that_the_encoder_would_refuse(data: bytes) -> None:
    try:
        value = canonical.decode(data)
    except NotCanonical:
        return
    assert canonical.encode(value) == data


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b" {}",
        b"{} ",
        b"{}\n",
        b'{"a": 1}',
        b'{"b":1,"a":1}',
        b'{"a":1,"a":1}',
        b'{"\xc3\xa4":1}',
        b"1.0",
        b"1e2",
        b"-0",
        b"01",
        b"+1",
        b"NaN",
        b"Infinity",
        b"-Infinity",
        b"1e999",
        b"9007199254740992",
        b"-9007199254740992",
        b"1" * 5000,
        b'"\\u0041"',
        b'"\\/"',
        b'"\\u001F"',
        b'"\\ud800"',
        b'"\xed\xa0\x80"',
        b'"\x7f\xff"',
        b"\xef\xbb\xbf{}",
        b"[" * 40 + b"]" * 40,
        b"[" * 50_000,
        b'{"a":' * 50_000,
        "{}".encode("utf-16"),
        b"nul",
        b"undefined",
        b"'a'",
        b'"\n"',
        b"[1,]",
        b"{1:2}",
        b"null null",
    ],
)
def test_another_spelling_is_refused(data: bytes) -> None:
    with pytest.raises(NotCanonical):
        canonical.decode(data)


@pytest.mark.parametrize(
    "value",
    [
        1.0,
        float("nan"),
        2**53,
        -(2**53),
        "\ud800",
        {"ä": 1},
        {1: 2},
        {"a": {3}},
        b"x",
        {"a": [{"b": 1.5}]},
        frozenset(),
    ],
    ids=repr,
)
def test_what_the_form_cannot_hold_is_refused(value: object) -> None:
    with pytest.raises(NotCanonical):
        canonical.encode(value)


def test_thirty_two_levels_are_the_most() -> None:
    deep: list[Any] = []
    for _ in range(31):
        deep = [deep]
    assert canonical.decode(canonical.encode(deep)) == deep
    with pytest.raises(NotCanonical):
        canonical.encode([deep])
    with pytest.raises(NotCanonical):
        canonical.decode(b"[" * 33 + b"]" * 33)


def test_the_bytes_are_those_of_rfc_8785() -> None:
    value = {"b": [1, -1, 0, True, None], "a": 'é€😀"\\\n\r\t\b\f\x00\x1f\x7f/'}
    assert canonical.encode(value) == (
        '{"a":"é€😀\\"\\\\\\n\\r\\t\\b\\f\\u0000\\u001f\x7f/","b":[1,-1,0,true,null]}'.encode()
    )


def test_keys_are_sorted_as_utf_16_sorts_them() -> None:
    """For ASCII keys that is the order of their bytes."""
    keys = sorted(map(chr, range(128)))
    read = json.loads(canonical.encode(dict.fromkeys(keys, 1)))
    assert list(read) == sorted(keys, key=lambda key: key.encode("utf-16-be"))


def test_a_tuple_is_written_as_a_list() -> None:
    assert canonical.encode((1, ("a",))) == b'[1,["a"]]'
