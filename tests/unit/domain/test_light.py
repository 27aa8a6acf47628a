"""The light NamedTuple is `typing.NamedTuple` in everything we use of it."""

from __future__ import annotations

import typing

import pytest

from chaise_cli.domain import light


class Light(light.NamedTuple):
    """What it is for."""

    first: int
    second: str | None = None

    @property
    def both(self) -> str:
        """The two as text."""
        return f"{self.first} {self.second}"

    def more(self) -> Light:
        """One more."""
        return self._replace(first=self.first + 1)


class Usual(typing.NamedTuple):
    """What it is for."""

    first: int
    second: str | None = None


def test_it_is_a_tuple_of_the_same_fields_and_defaults() -> None:
    assert (Light._fields, Light._field_defaults) == (Usual._fields, Usual._field_defaults)
    assert Light(1) == (1, None)
    assert repr(Light(1, "a")) == "Light(first=1, second='a')"
    assert Light.__doc__ == Usual.__doc__
    assert (Light.__module__, Light.__qualname__) == (Usual.__module__, "Light")


def test_methods_properties_and_hints_stay() -> None:
    assert Light(1, "a").both == "1 a"
    assert Light(1, "a").more() == Light(2, "a")
    assert typing.get_type_hints(Light) == typing.get_type_hints(Usual)


def test_it_refuses_what_it_does_not_know() -> None:
    make: typing.Any = Light
    with pytest.raises(TypeError):
        make(1, third=2)
    with pytest.raises(AttributeError):
        make(1).third = 2


def test_a_match_takes_it_apart() -> None:
    match Light(1, "a"):
        case Light(first, second):
            assert (first, second) == (1, "a")
