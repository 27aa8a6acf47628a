from __future__ import annotations

from typing import Annotated, Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaise_cli.domain import shape
from chaise_cli.domain.body import body
from chaise_cli.domain.shape import BadField, Form, Key, Many, OneOf, Text, Whole
from chaise_cli.ids import raw, text


@body
class Inner:
    word: Annotated[str, OneOf("yes", "no")]


@body
class Outer:
    KIND: ClassVar[str] = "test.outer"
    line: Annotated[str, Text(5, 1)]
    prose: Annotated[str, Text(10, line=False)]
    count: Annotated[int, Whole(1, 9)]
    flag: bool
    key: Annotated[str, Key(32)]
    maybe: Annotated[int, Whole()] | None
    inner: Inner
    many: Annotated[tuple[Inner, ...], Many(2, 1)]


GOOD: dict[str, Any] = {
    "line": "abc", "prose": "a\nb\tc", "count": 9, "flag": True, "key": text(bytes(32)), "maybe": None,
    "inner": Inner("yes"), "many": (Inner("no"),),
}  # fmt: skip
BAD: dict[str, list[Any]] = {
    "line": ["", "abcdef", "a\nb", "a\x7fb", "\ud800", 5, None, b"a", "a\u0000"],
    "prose": ["a" * 11, "a\x00", "a\x0bc", "a\x7f", "\udfff"],
    "count": [0, 10, True, "5", 1.0, None],
    "flag": [1, 0, None, "true"],
    "key": [text(bytes(31)), text(bytes(33)), text(bytes(32)) + "=", text(bytes(32))[:-1] + "B", "", None, 5],
    "maybe": [-1, "1", 2**53, False],
    "inner": [Inner("maybe"), Inner("")],
    "many": [(), (Inner("no"),) * 3, [Inner("no")], (Inner("bad"),), None],
}


def test_a_sound_body_passes() -> None:
    shape.check(Outer(**GOOD))
    shape.check(Outer(**GOOD | {"maybe": 2**53 - 1}))


@pytest.mark.parametrize(
    "field, value", [(field, value) for field, values in BAD.items() for value in values], ids=repr
)
def test_a_field_outside_its_limits_is_named(field: str, value: object) -> None:
    with pytest.raises(BadField) as caught:
        shape.check(Outer(**GOOD | {field: value}))
    assert caught.value.field in {field, "word"}
    assert caught.value.exit == 2


def test_data_reads_back() -> None:
    made = Outer(**GOOD)
    assert shape.from_data(Outer, shape.to_data(made)) == made
    assert shape.to_data(made)["many"] == [{"word": "no"}]


@given(st.integers(1, 70), st.binary(max_size=70))
def test_a_key_is_one_spelling_of_so_many_bytes(size: int, data: bytes) -> None:
    marker = Key(size)
    spelt = text(data)
    if len(data) == size:
        marker.check(spelt)
    else:
        with pytest.raises(ValueError, match="key"):
            marker.check(spelt)


@given(st.text(st.sampled_from("AZaz09-_B8="), min_size=42, max_size=44))
def test_a_key_is_accepted_exactly_when_it_decodes(value: str) -> None:
    try:
        fits = len(raw(value)) == 32
    except ValueError:
        fits = False
    try:
        Key(32).check(value)
    except ValueError:
        assert not fits
    else:
        assert fits


def test_text_is_counted_in_characters_and_in_bytes() -> None:
    Text(32_000, line=False).check("x" * 32_000)
    with pytest.raises(ValueError, match="bytes"):
        Text(32_000, line=False).check("€" * 20_000)


def test_a_form_fits_from_end_to_end() -> None:
    form = Form("[A-Z]{3}", "must be three letters")
    form.check("EUR")
    for wrong in ("EURO", "EUR\n", "eur", "", 5):
        with pytest.raises(ValueError, match="three letters"):
            form.check(wrong)
