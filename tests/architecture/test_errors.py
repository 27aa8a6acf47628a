from __future__ import annotations

import re
from collections import Counter
from string import Formatter
from typing import Final

from chaise_cli import errors
from chaise_cli.errors import ChaiseError
from tests.architecture.errors_page import error_classes, page, subclasses
from tests.architecture.tree import ROOT

# The published table. A number never moves; 0 is success, 130 an interruption.
EXITS: Final = {
    "ChaiseError": 1,
    "Usage": 2,
    "NotFound": 3,
    "NoKey": 4,
    "Refused": 5,
    "Conflict": 6,
    "Denied": 7,
    "StillWaiting": 8,
    "RailDeclined": 9,
    "RailUnknown": 10,
    "Corrupt": 11,
    "RequestReused": 12,
    "Unreachable": 13,
    "Newer": 14,
}


def test_the_exit_statuses_are_the_published_ones() -> None:
    bases = {cls for cls in vars(errors).values() if isinstance(cls, type) and issubclass(cls, ChaiseError)}
    assert {cls.__name__: cls.exit for cls in bases} == EXITS


def test_no_error_invents_an_exit_status() -> None:
    assert {cls.__name__ for cls in error_classes() if cls.exit not in EXITS.values()} == set()


def test_every_failure_below_a_base_has_a_code() -> None:
    bare = {cls for cls in subclasses(ChaiseError) if "code" not in vars(cls) and not cls.__subclasses__()}
    assert {cls.__name__ for cls in bare if cls.__module__ != "chaise_cli.errors"} == set()


def test_codes_are_unique_and_well_formed() -> None:
    codes = Counter(cls.code for cls in error_classes())
    assert {code for code, times in codes.items() if times > 1} == set()
    assert {code for code in codes if not re.fullmatch(r"bug|[a-z]+(\.[a-z0-9_]+)+", code)} == set()


def test_messages_and_hints_name_only_data_of_their_error() -> None:
    """A placeholder without a field would turn one failure into another."""
    unfilled = {
        f"{cls.__name__}: {name}"
        for cls in error_classes()
        for _, field, _, _ in [*Formatter().parse(cls.message), *Formatter().parse(cls.hint)]
        if field and (name := re.split(r"[.\[]", field)[0]) not in _data(cls)
    }
    assert not unfilled


def test_the_published_page_is_the_classes() -> None:
    assert (ROOT / "docs/spec/errors.md").read_text() == page(), "run: python -m tests.architecture.errors_page"


def _data(cls: type[ChaiseError]) -> set[str]:
    return {name for base in cls.__mro__ for name in vars(base).get("__annotations__", {})}
