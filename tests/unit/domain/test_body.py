"""The types of fields are those that typing says."""

from __future__ import annotations

import typing
from typing import Any

import pytest

from chaise_cli.domain import body, kinds
from chaise_cli.domain.deal_state import DealState
from chaise_cli.domain.directory import Listing
from chaise_cli.domain.recorded import Recorded


def _inside(hint: Any) -> list[Any]:
    """The bodies and records that a type is made of."""
    if body.is_body(hint) or hasattr(hint, "_fields"):
        return [hint]
    return [found for part in typing.get_args(hint) for found in _inside(part)]


def _plain(hint: Any) -> Any:
    """A type told apart by what its markers say, since each reading makes them anew."""
    if typing.get_origin(hint) is typing.Annotated:
        base, *markers = typing.get_args(hint)
        return _plain(base), [(type(marker), vars(marker)) for marker in markers]
    return typing.get_origin(hint) or hint, [_plain(part) for part in typing.get_args(hint)]


@pytest.mark.parametrize("cls", [*(kinds.body_class(kind) for kind in kinds.KINDS), DealState, Listing, Recorded])
def test_the_types_of_fields_are_those_that_typing_says(cls: Any) -> None:
    """Of every kind of event, of the state of a deal, and of all that stands inside them."""
    waiting, seen = [cls], set()
    while waiting:
        each = waiting.pop()
        if each in seen:
            continue
        seen.add(each)
        told = typing.get_type_hints(each, include_extras=True)
        names = body.fields(each) if body.is_body(each) else each._fields
        found = body.hints(each)
        assert [(name, _plain(hint)) for name, hint in found.items()] == [(name, _plain(told[name])) for name in names]
        waiting += [part for hint in found.values() for part in _inside(hint)]
