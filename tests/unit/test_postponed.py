"""A postponed module is loaded by its first use, and by nothing before."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest

from chaise_cli.postponed import postponed

NAME = "colorsys"  # a module of the standard library that nothing here needs


@pytest.fixture(autouse=True)
def _unloaded() -> Iterator[None]:
    sys.modules.pop(NAME, None)
    yield
    sys.modules.pop(NAME, None)


def test_an_import_loads_nothing_and_a_later_one_gets_the_module() -> None:
    with postponed([NAME]):
        held: Any = import_module(NAME)
        assert import_module(NAME) is held
    assert NAME not in sys.modules
    real: Any = import_module(NAME)
    assert real is not held
    assert real.__file__
    assert held.rgb_to_hsv is real.rgb_to_hsv


@pytest.mark.parametrize("during", [True, False])
def test_the_first_use_loads_it_whenever_that_is(*, during: bool) -> None:
    with postponed([NAME]):
        held: Any = import_module(NAME)
        if during:
            assert held.ONE_THIRD == 1 / 3
    assert held.rgb_to_hsv(0, 0, 0) == (0, 0, 0)
    assert sys.modules[NAME].rgb_to_hsv is held.rgb_to_hsv


def test_what_is_loaded_already_stays_and_what_does_not_exist_is_missed_when_it_is_used() -> None:
    real = import_module(NAME)
    with postponed([NAME, "no_such_module"]):
        assert import_module(NAME) is real
        missing: Any = import_module("no_such_module")
    assert sys.modules[NAME] is real
    with pytest.raises(ModuleNotFoundError):
        _ = missing.anything
