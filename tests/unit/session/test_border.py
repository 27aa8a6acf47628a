"""Where foreign bodies enter: strict for every kind, and of one mind with what we check before we sign."""

from __future__ import annotations

import contextlib
import types
import typing
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaise_cli.domain import body as bodies
from chaise_cli.domain import kinds, shape
from chaise_cli.ids import text
from chaise_cli.session import border
from chaise_cli.session.border import InvalidBody

ODD: list[Any] = [
    None,
    True,
    False,
    0,
    1,
    -1,
    2**53,
    "5",
    "true",
    "1_000",
    "",
    "x",
    "\u0000",
    "a\nb",
    "\u2028",
    [],
    {},
    [1],
    [[]],
    ["x"],
    [None],
    {"a": 1},
    "é" * 43,
    text(bytes(32)),
    text(bytes(31)),
    text(bytes(32)) + "\n",
    text(bytes(64)),
    "EUR",
    "EUR\n",
    "€UR",
    "UTC",
    "https://x y",
    "https://example.org/",
    "a@b",
    "x" * 40_000,
    253_370_764_800_000,
    10**30,
]


def sample(hint: Any) -> Any:
    """The least JSON value that fits a type of a body's field."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated:
        return _marked(args)
    if origin in (types.UnionType, typing.Union):
        return None
    if origin is tuple:
        return []
    if bodies.is_body(hint):
        return example(hint)
    assert hint is bool, hint
    return False


def _marked(args: tuple[Any, ...]) -> Any:
    base, *markers = args
    for marker in markers:
        if isinstance(marker, shape.Many):
            return [sample(typing.get_args(base)[0])] * marker.least
        for value in (
            0,
            1,
            5,
            60_000,
            3_600_000,
            "",
            "x",
            "EUR",
            "UTC",
            "https://x",
            "a@b",
            text(bytes(32)),
            text(bytes(64)),
            text(bytes(1216)),
            "2026-12-01T15:00:00",
            "2026-12-24",
            *getattr(marker, "words", ()),
        ):
            with contextlib.suppress(ValueError):
                for one in markers:
                    one.check(value)
                return value
    raise AssertionError(f"no sample for {args}")


def example(cls: Any) -> dict[str, Any]:
    hints = typing.get_type_hints(cls, include_extras=True)
    return {name: sample(hints[name]) for name in bodies.fields(cls)}


@pytest.mark.parametrize("kind", sorted(kinds.KINDS))
def test_a_sound_body_of_each_kind_comes_in_as_we_write_it(kind: str) -> None:
    data = example(kinds.body_class(kind))
    body = border.read(kind, data)
    shape.check(body)
    assert shape.to_data(body) == data


@pytest.mark.parametrize("kind", sorted(kinds.KINDS))
def test_no_field_is_missing_or_more(kind: str) -> None:
    data = example(kinds.body_class(kind))
    for wrong in (data | {"more": 1}, *({k: v for k, v in data.items() if k != key} for key in data)):
        with pytest.raises(InvalidBody):
            border.read(kind, wrong)


@pytest.mark.parametrize("kind", sorted(kinds.KINDS))
def test_both_checks_are_of_one_mind(kind: str) -> None:
    """What we would sign, others accept; what they would refuse, we do not sign."""
    cls = kinds.body_class(kind)
    data = example(cls)
    for field in data:
        for odd in ODD:
            changed = data | {field: odd}
            assert _admitted(kind, changed) == _signed(cls, changed), (field, odd)


def _admitted(kind: str, data: dict[str, Any]) -> bool:
    try:
        return bool(shape.to_data(border.read(kind, data)) == data)
    except InvalidBody:
        return False


def _signed(cls: Any, data: dict[str, Any]) -> bool:
    """Whether the checks before signing let it pass. What cannot even be made a body is not signed either."""
    try:
        body = shape.from_data(cls, data)
        shape.check(body)
        return bool(shape.to_data(body) == data)
    except (shape.BadField, ValueError, TypeError, KeyError, AttributeError):
        return False


@given(st.sampled_from(["text", "line", "skill"]), st.text(max_size=8))
def test_both_engines_read_text_alike(what: str, value: str) -> None:
    kind, field = {
        "text": ("message.sent", "text"),
        "line": ("board.named", "name"),
        "skill": ("post.published", "skills"),
    }[what]
    data = example(kinds.body_class(kind)) | {field: [value] if what == "skill" else value}
    if any("\ud800" <= char <= "\udfff" for char in value):
        return
    assert _admitted(kind, data) == _signed(kinds.body_class(kind), data)


def test_the_verdict_names_the_field_and_not_its_content() -> None:
    with pytest.raises(InvalidBody) as caught:
        border.read("message.sent", {"text": 5, "files": []})
    assert str(caught.value).startswith("text: ")


@pytest.mark.parametrize("value", ["5", True, 1.0, None, -1, 2**53])
def test_a_number_is_a_number(value: object) -> None:
    data = example(kinds.body_class("work.delivered")) | {"milestone": value}
    with pytest.raises(Exception, match=r"milestone|float"):
        border.read("work.delivered", data)
