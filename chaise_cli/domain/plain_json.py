"""JSON files as evidence: read strictly, and compared with what a policy wants, kinds included (true is not 1)."""

from __future__ import annotations

import json
from typing import Any, Final, NoReturn

DEPTH_MOST: Final = 32


class Unreadable(ValueError):
    """The bytes are not the JSON of one value; the argument says why."""


class Inexact:
    """A number with a fraction or an exponent: it equals nothing, since a policy can name no such number."""

    __slots__ = ()


def read(data: bytes) -> Any:
    """The value. Raises Unreadable for what is not JSON in UTF-8, for a key twice, and for deep nesting."""
    try:
        text = data.decode()
        value = json.loads(text, parse_float=lambda _: Inexact(), parse_constant=_refuse, object_pairs_hook=_object)
    except Unreadable:
        raise
    except RecursionError as error:
        raise Unreadable("nested too deeply") from error
    except ValueError as error:  # JSON, UTF-8, and integers beyond Python's limit
        raise Unreadable("not JSON in UTF-8") from error
    level = [value]
    for _ in range(DEPTH_MOST):
        level = [item for each in level if isinstance(each, dict | list) for item in _items(each)]
    if any(isinstance(each, dict | list) for each in level):
        raise Unreadable("nested too deeply")
    return value


def equal(found: Any, wanted: Any) -> bool:
    """Whether they are the same value of the same kind.

    >>> equal({"a": [1]}, {"a": [1]}), equal(True, 1), equal(1, True)
    (True, False, False)
    """
    if type(found) is not type(wanted):
        return False
    if isinstance(wanted, dict):
        return found.keys() == wanted.keys() and all(equal(found[key], wanted[key]) for key in wanted)
    if isinstance(wanted, list):
        return len(found) == len(wanted) and all(map(equal, found, wanted))
    return bool(found == wanted)


def contains(found: Any, wanted: Any) -> bool:
    """Whether an object has at least these keys, containing these values; a list at least these items.

    >>> contains({"a": {"b": 1, "c": 2}}, {"a": {"b": 1}}), contains([1, 2], [2]), contains([1], [1, 2])
    (True, True, False)
    """
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(key in found and contains(found[key], wanted[key]) for key in wanted)
    if isinstance(wanted, list):
        return isinstance(found, list) and all(any(contains(item, each) for item in found) for each in wanted)
    return equal(found, wanted)


def _items(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Unreadable("a key stands twice")
    return found


def _refuse(_: str) -> NoReturn:
    raise Unreadable("a number that is not one")
