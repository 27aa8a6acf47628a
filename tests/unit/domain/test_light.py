"""The light NamedTuple is `typing.NamedTuple` in everything we use of it."""

from __future__ import annotations

import copy
import pickle
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
    with pytest.raises(TypeError):
        make()
    with pytest.raises(TypeError):
        make(1, None, 2)
    with pytest.raises(TypeError):
        make._make([1])
    with pytest.raises(ValueError, match="third"):
        make(1)._replace(third=2)
    for name in ("first", "third"):
        with pytest.raises(AttributeError):
            setattr(make(1), name, 2)


def test_a_match_takes_it_apart() -> None:
    match Light(1, "a"):
        case Light(first, second):
            assert (first, second) == (1, "a")


@pytest.mark.parametrize("kind", [Light, Usual])
def test_it_is_made_by_place_and_by_name_and_from_a_sequence(kind: typing.Any) -> None:
    assert kind(first=1, second="a") == kind(1, second="a") == kind._make([1, "a"]) == (1, "a")
    assert kind(1)._replace(second="b") == kind(1, "b")
    assert (kind(1).first, kind(1, "a").second) == (1, "a")
    assert kind(1, "a")._asdict() == {"first": 1, "second": "a"}


@pytest.mark.parametrize("makes", [copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])  # noqa: S301
def test_a_copy_is_one_of_the_same_kind(makes: typing.Callable[[Light], Light]) -> None:
    made = makes(Light(1, "a"))
    assert made == Light(1, "a")
    assert type(made) is Light


def test_what_comes_first_of_a_class_may_be_of_a_class_below_it() -> None:
    class Above(light.NamedTuple):
        first: int
        second: int = 2

    class Below(Above):
        def total(self) -> int:
            return self.first + self.second

    assert Below(1).total() == 3
    assert (type(Above(1)), type(Below(first=1))) == (Above, Below)
    assert repr(Below(1)) == "Below(first=1, second=2)"
