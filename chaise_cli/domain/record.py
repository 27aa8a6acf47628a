"""Folded state as JSON and back: light records, bodies, tuples, dicts and plain values, by their annotations."""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Mapping
from functools import cache, partial
from typing import Any, Final

from chaise_cli.domain.body import fields, hints, is_body

if typing.TYPE_CHECKING:
    from collections.abc import Callable


def dump(value: Any) -> str:
    """`value` as JSON: nested lists, objects and plain values; a record becomes the list of its fields."""
    return _encoder.encode(value)


def _fields(value: Any) -> list[Any]:
    if not is_body(value):
        raise TypeError(type(value).__name__)
    return [getattr(value, name) for name in fields(value)]


_encoder: Final = json.JSONEncoder(separators=(",", ":"), default=_fields)  # takes tuples for lists by itself


def dump_again(value: Any) -> str:
    """As `dump`, for a state that shares most of its parts with others: their JSON is remembered.

    Only for what never changes. Of a deal with dozens of operations each act changes one or two.
    """
    return _join(value, 1)


def _join(value: Any, depth: int) -> str:
    if isinstance(value, tuple):
        return f"[{','.join([_part(part, depth) for part in value])}]"
    if isinstance(value, dict):
        return "{" + ",".join([f"{_quote(key)}:{_part(part, depth)}" for key, part in value.items()]) + "}"
    return dump(value)


def _part(value: Any, depth: int) -> str:
    """depth: 0 where records are remembered; above stand those that are always others."""
    known = _written.get(id(value))
    if known is not None and known[0] is value:
        return known[1]
    if isinstance(value, str):
        return _quote(value)
    if depth or not (hasattr(value, "_fields") or is_body(value)):
        return _join(value, 0)
    written = dump(value)
    _written[id(value)] = (value, written)
    if len(_written) > _PARTS:
        del _written[next(iter(_written))]
    return written


_quote: Final = json.encoder.encode_basestring_ascii
_PARTS: Final = 4096  # whose JSON is remembered
_written: Final[dict[int, tuple[Any, str]]] = {}  # by identity, which is nobody else's as long as the part is here


def load(cls: Any, data: Any) -> Any:
    """The value of type `cls` that `dump` wrote, given what its JSON says."""
    loader = _loader(cls)
    return loader(data) if loader else data


@cache
def _loader(hint: Any) -> Callable[[Any], Any] | None:
    """None for what JSON gives back as it was."""
    if (isinstance(hint, type) and hasattr(hint, "_fields")) or is_body(hint):
        return partial(_load_record, hint)
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        return _loader(args[0])
    if origin in (types.UnionType, typing.Union):
        return _optional(args)
    if origin is tuple:
        return _tuple(args)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        item = _loader(args[1])
        return item and (lambda data: {key: item(part) for key, part in data.items()})
    return None


def _load_record(cls: Any, data: Any) -> Any:
    return _record(cls)(data)  # resolved by its first value: a young deal holds few kinds of records


@cache
def _record(cls: Any) -> Callable[[Any], Any]:
    loaders = [_loader(hint) for hint in hints(cls).values()]
    # A state that was stored before the class got its last fields takes their defaults.
    return lambda data: cls(*(load(part) if load else part for load, part in zip(loaders, data, strict=False)))


def _optional(args: tuple[Any, ...]) -> Callable[[Any], Any] | None:
    arms = [arm for arm in args if arm is not types.NoneType]
    assert len(arms) == 1, "a folded field is one type or None"
    inner = _loader(arms[0])
    return inner and (lambda data: None if data is None else inner(data))


def _tuple(args: tuple[Any, ...]) -> Callable[[Any], Any]:
    if len(args) == 2 and args[1] is Ellipsis:
        item = _loader(args[0])
        return (lambda data: tuple(item(part) for part in data)) if item else tuple
    loaders = [_loader(arg) for arg in args]
    return lambda data: tuple(load(part) if load else part for load, part in zip(loaders, data, strict=True))
