"""Where foreign content enters: each body is checked, strictly, against the class of its kind.

The only place of the client that loads pydantic; a command that neither syncs nor imports never comes here.
"""

from __future__ import annotations

import types
import typing
from functools import cache
from typing import Annotated, Any, Final

from pydantic import TypeAdapter, ValidationError
from typing_extensions import TypedDict

from chaise_cli.domain import kinds, shape
from chaise_cli.domain.body import fields, is_body
from chaise_cli.ledger import canonical

_STRICT: Final = {"strict": True, "extra": "forbid"}


class InvalidBody(Exception):
    """The body does not have the form of its kind; the text names the field, never its content."""


def read(kind: str, data: dict[str, Any]) -> Any:
    """The body of a known kind. Raises InvalidBody."""
    try:
        adapter(kind).validate_json(canonical.again(data))
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        raise InvalidBody(f"{'.'.join(map(str, first['loc']))}: {first['type']}") from None
    return shape.from_data(kinds.body_class(kind), data)


@cache
def adapter(kind: str) -> TypeAdapter[Any]:
    """What validates the JSON of a kind's data."""
    cls: Any = kinds.body_class(kind)
    return TypeAdapter(_mirror(cls))


@cache
def _mirror(cls: Any) -> Any:
    """A TypedDict with the fields and markers of a body class, closed and strict, as pydantic wants it."""
    hints = typing.get_type_hints(cls, include_extras=True)
    make: Any = TypedDict
    made = make(cls.__name__, {name: _mirrored(hints[name]) for name in fields(cls)})
    made.__pydantic_config__ = _STRICT
    return made


def _mirrored(hint: Any) -> Any:
    """A type with the body classes inside it replaced by their mirrors."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated:
        return Annotated[(_mirrored(args[0]), *args[1:])]
    if origin in (types.UnionType, typing.Union):
        return typing.Union[tuple(_mirrored(arm) for arm in args)]  # noqa: UP007  built from a tuple
    if origin is tuple:
        return tuple[tuple(_mirrored(arm) for arm in args)]  # type: ignore[misc]
    return _mirror(hint) if is_body(hint) else hint
