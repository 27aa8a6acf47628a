from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaise_cli.errors import Corrupt
from chaise_cli.ids import text
from chaise_cli.ledger import canonical
from chaise_cli.ledger.canonical import NotCanonical
from chaise_cli.session import plaintext
from chaise_cli.session.plaintext import BadPlaintext, Plaintext

KEYS = st.binary(min_size=32, max_size=32).map(text)
SEEN = st.lists(st.tuples(KEYS, st.integers(0, 2**53 - 1), KEYS), max_size=4, unique_by=lambda one: one[0]).map(sorted)
LEAF = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
)
SAID = st.builds(
    Plaintext,
    kind=st.text(st.characters(codec="ascii"), min_size=1, max_size=64), version=st.integers(1, 99),
    at=st.integers(0, plaintext.AT_MOST), seen=SEEN,
    data=st.dictionaries(st.text(st.characters(codec="ascii"), max_size=5), LEAF | st.lists(LEAF, max_size=3)),
    cert=st.none() | st.lists(st.just({"v": 1}), max_size=2), optional=st.booleans(),
    request=st.none() | st.tuples(st.text(st.characters(codec="ascii"), min_size=1, max_size=128), KEYS),
)  # fmt: skip
GOOD: dict[str, Any] = {"kind": "message.sent", "v": 1, "at": 5, "seen": [], "data": {}}
KEY = text(bytes(32))
ODD: list[Any] = [None, True, 0, -1, 1, "", "x", [], {}, [1], [["a"]], 2**53 - 1, "x" * 65]


@given(SAID)
def test_what_is_written_reads_back(said: Plaintext) -> None:
    data = plaintext.write(said)
    assert plaintext.read(data) == said
    assert plaintext.stored(data) == said
    assert plaintext.write(plaintext.read(data)) == data


@given(SAID)
def test_padding_hides_the_size_and_comes_off_again(said: Plaintext) -> None:
    data = plaintext.write(said)
    padded = plaintext.pad(data)
    assert len(padded) % 64 == 0
    assert len(padded) - len(data) < 64
    assert plaintext.unpad(padded) == data


@given(SAID, st.integers(0, 3000), st.integers(0, 255))
def test_a_changed_byte_is_refused_or_says_something_else(said: Plaintext, place: int, byte: int) -> None:
    padded = bytearray(plaintext.pad(plaintext.write(said)))
    padded[place % len(padded)] = byte
    changed = bytes(padded)
    try:
        found = plaintext.read(plaintext.unpad(changed))
    except Corrupt:
        return
    assert plaintext.pad(plaintext.write(found)) == changed


@given(st.binary(max_size=200))
def test_no_bytes_crash_the_reader(data: bytes) -> None:
    with pytest.raises(Corrupt):
        plaintext.read(plaintext.unpad(data))


@pytest.mark.parametrize("padded", [b"", bytes(64), b"{}", b"{}" + bytes(61), b"{}" + bytes(63), b"{}" + bytes(126)])
def test_other_padding_is_refused(padded: bytes) -> None:
    with pytest.raises(BadPlaintext):
        plaintext.unpad(padded)


FITS: dict[str, Any] = {
    "kind": lambda odd: type(odd) is str and 0 < len(odd) <= 64,
    "v": lambda odd: type(odd) is int and odd >= 1,
    "at": lambda odd: type(odd) is int and 0 <= odd < 2**47,
    "seen": lambda odd: odd == [],
    "data": lambda odd: odd == {},
    "cert": lambda odd: type(odd) is list,
    "optional": lambda odd: odd is True,
    "request": lambda _: False,
}


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: repr(odd)[:20])
@pytest.mark.parametrize("field", FITS)
def test_each_field_has_its_form(field: str, odd: object) -> None:
    data = canonical.encode(GOOD | {field: odd})
    if FITS[field](odd):
        plaintext.read(data)
        return
    with pytest.raises(BadPlaintext):
        plaintext.read(data)


def test_keys_are_neither_missing_nor_more() -> None:
    plaintext.read(canonical.encode(GOOD))
    for wrong in (GOOD | {"more": 1}, *({k: v for k, v in GOOD.items() if k != key} for key in GOOD)):
        with pytest.raises(BadPlaintext):
            plaintext.read(canonical.encode(wrong))


@pytest.mark.parametrize("data", [b"[]", b"1", b"null", b'"x"'])
def test_anything_but_an_object_is_refused(data: bytes) -> None:
    with pytest.raises(BadPlaintext):
        plaintext.read(data)


@pytest.mark.parametrize(
    "seen",
    [
        [[KEY, 2, KEY], [KEY, 1, KEY]],
        [[KEY, 1, KEY], [KEY, 1, KEY]],
        [[KEY, 1, text(b"\xff" * 32)], [KEY, 1, KEY]],
        [[text(b"\xff" * 32), 1, KEY], [KEY, 1, KEY]],
        [[KEY, -1, KEY]],
        [[KEY, True, KEY]],
        [[KEY, "1", KEY]],
        [[KEY[:-1], 1, KEY]],
        [[KEY, 1, KEY + "A"]],
        [[KEY, 1]],
        [[KEY, 1, KEY, 1]],
        [[KEY[:-1] + "B", 1, KEY]],
        {"a": 1},
    ],
)
def test_heads_are_cited_once_and_in_order(seen: object) -> None:
    with pytest.raises(BadPlaintext):
        plaintext.read(canonical.encode(GOOD | {"seen": seen}))


def test_of_a_device_with_two_histories_two_heads_are_cited() -> None:
    seen = [[KEY, 1, KEY], [KEY, 1, text(b"\xff" * 32)], [KEY, 2, KEY]]
    assert [list(cited) for cited in plaintext.read(canonical.encode(GOOD | {"seen": seen})).seen] == seen


@pytest.mark.parametrize("request_", [["", KEY], ["x" * 129, KEY], ["x", "y"], ["x"], ["x", KEY, 1], [1, KEY], "x"])
def test_a_request_is_an_id_and_a_fingerprint(request_: object) -> None:
    with pytest.raises(BadPlaintext):
        plaintext.read(canonical.encode(GOOD | {"request": request_}))


def test_what_does_not_fit_an_event_is_refused_before_it_is_sealed() -> None:
    with pytest.raises(BadPlaintext):
        plaintext.write(Plaintext("k", 1, 0, [], {"text": "x" * 65_536}))
    with pytest.raises(NotCanonical):
        plaintext.write(Plaintext("k", 1, 0, [], {"text": 1.5}))
