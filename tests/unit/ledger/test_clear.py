from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaise_cli.ids import IdentityId, text
from chaise_cli.ledger import canonical, clear
from chaise_cli.ledger.canonical import NotCanonical
from chaise_cli.ledger.clear import BadClearBody, Box, Genesis, Wrap

KEY = text(bytes(range(32)))
GENESIS: dict[str, Any] = {"nonce": text(bytes(16)), "space": "deal", "creator": KEY}
BOX: dict[str, Any] = {"to": [KEY, KEY], "box": text(bytes(1168))}
WRAP: dict[str, Any] = {"commit": KEY, "previous": [[text(bytes(8)), text(bytes(48))]], "boxes": [BOX]}
ODD: list[Any] = [
    None,
    True,
    0,
    -1,
    "",
    "x",
    KEY + "A",
    KEY + "=",
    KEY[:-1] + "9",
    text(bytes(31)),
    [],
    {},
    [KEY],
    "é" * 43,
]


def test_a_genesis_reads_back() -> None:
    made = Genesis(text(bytes(16)), "board", IdentityId(KEY))
    assert clear.read_genesis(clear.write_genesis(made)) == made


def test_a_wrap_reads_back() -> None:
    made = Wrap(KEY, [(text(bytes(8)), text(b"x"))], [Box((KEY, KEY), text(b"box"))])
    assert clear.read_wrap(clear.write_wrap(made)) == made


def _refused(read: Any, value: Any) -> bool:
    try:
        read(canonical.encode(value))
    except (BadClearBody, NotCanonical):
        return True
    return False


@pytest.mark.parametrize("field", GENESIS)
def test_a_genesis_with_an_odd_field_is_refused(field: str) -> None:
    assert not _refused(clear.read_genesis, GENESIS)
    assert [odd for odd in ODD if not _refused(clear.read_genesis, GENESIS | {field: odd})] == []


@pytest.mark.parametrize("field", ["commit", "boxes", "to", "to 0", "to 1", "box", "previous 0", "epoch", "older"])
def test_a_wrap_with_an_odd_field_is_refused(field: str) -> None:
    assert not _refused(clear.read_wrap, WRAP)
    let_pass = [odd for odd in ODD if not _refused(clear.read_wrap, _odd_wrap(field, odd))]
    sizes = (text(bytes(31)), KEY + "A") if field in {"box", "older"} else ()  # whether it opens shows in opening it
    assert let_pass == [odd for odd in ODD if odd in sizes]


def _odd_wrap(field: str, odd: object) -> Any:
    made = {
        "commit": WRAP | {"commit": odd}, "boxes": WRAP | {"boxes": odd}, "to": WRAP | {"boxes": [BOX | {"to": odd}]},
        "to 0": WRAP | {"boxes": [BOX | {"to": [odd, KEY]}]}, "to 1": WRAP | {"boxes": [BOX | {"to": [KEY, odd]}]},
        "box": WRAP | {"boxes": [BOX | {"box": odd}]}, "previous 0": WRAP | {"previous": [odd]},
        "epoch": WRAP | {"previous": [[odd, KEY]]}, "older": WRAP | {"previous": [[text(bytes(8)), odd]]},
    }  # fmt: skip
    return made[field]


@pytest.mark.parametrize("read", [clear.read_genesis, clear.read_wrap])
@pytest.mark.parametrize("body", [b"", b"[]", b"1", b"null", b'"x"', b"{}", b"\xff", b'{"a":1}'])
def test_anything_else_is_refused(read: Any, body: bytes) -> None:
    with pytest.raises((BadClearBody, NotCanonical)):
        read(body)


@pytest.mark.parametrize("value, read", [(GENESIS, clear.read_genesis), (WRAP, clear.read_wrap)])
def test_keys_are_neither_missing_nor_more(value: dict[str, Any], read: Any) -> None:
    assert _refused(read, value | {"more": 1})
    for key in value:
        assert _refused(read, {name: value[name] for name in value if name != key})


def test_a_wrap_names_one_to_sixteen() -> None:
    assert _refused(clear.read_wrap, WRAP | {"boxes": []})
    assert not _refused(clear.read_wrap, WRAP | {"boxes": [BOX] * 16})
    assert _refused(clear.read_wrap, WRAP | {"boxes": [BOX] * 17})


def test_a_box_of_any_size_is_not_taken() -> None:
    assert _refused(clear.read_wrap, WRAP | {"boxes": [BOX | {"box": text(bytes(3500))}]})


@given(st.binary(max_size=80), st.integers(0, 2000))
def test_no_change_of_bytes_crashes_a_reader(noise: bytes, place: int) -> None:
    forms: list[tuple[Any, Any, Any]] = [
        (GENESIS, clear.read_genesis, clear.write_genesis),
        (WRAP, clear.read_wrap, clear.write_wrap),
    ]
    for value, read, write in forms:
        whole = canonical.encode(value)
        cut = place % len(whole)
        changed = whole[:cut] + noise + whole[cut + len(noise) :]
        try:
            found = read(changed)
        except (BadClearBody, NotCanonical):
            continue
        assert write(found) == changed
