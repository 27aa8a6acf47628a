"""JSON Schema of shapes, in the 2020-12 form: read off the annotations of `shapes`, for `chaise schema`.

Of our own, for pydantic refuses the TypedDict of Python 3.11; and what `shapes` uses is little: objects, lists,
texts, numbers, truth values, null, and anything.
"""

from __future__ import annotations

from types import NoneType, UnionType
from typing import Any, Final, NotRequired, Union, get_args, get_origin, get_type_hints, is_typeddict

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_PLAIN: Final[dict[Any, dict[str, Any]]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    bool: {"type": "boolean"},
    NoneType: {"type": "null"},
    object: {},
}


def of(shape: type, definitions: dict[str, Any]) -> dict[str, Any]:
    """The schema of an object, keys in their order; the objects inside it are put into `definitions` by name."""
    hints = get_type_hints(shape, include_extras=True)
    return {
        "title": shape.__name__,
        "description": shape.__doc__ or "",
        "type": "object",
        "properties": {key: _kind(kind, definitions) for key, kind in hints.items()},
        "required": [key for key, kind in hints.items() if get_origin(kind) is not NotRequired],
    }


def _kind(kind: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    if is_typeddict(kind):
        return reference(kind, definitions)
    if kind in _PLAIN:
        return dict(_PLAIN[kind])
    origin, parts = get_origin(kind), get_args(kind)
    if origin is NotRequired:
        return _kind(parts[0], definitions)
    if origin is list:
        return {"type": "array", "items": _kind(parts[0], definitions)}
    if origin in {Union, UnionType}:
        return {"anyOf": [_kind(part, definitions) for part in parts]}
    assert origin is dict, f"{kind} has no schema yet"
    return {"type": "object"}


def reference(shape: type, definitions: dict[str, Any]) -> dict[str, Any]:
    """A reference to the schema of an object, which is put into `definitions`."""
    name = shape.__name__
    if name not in definitions:
        definitions[name] = {}  # named before it is made: shapes may hold their own kind
        definitions[name] = of(shape, definitions)
    return {"$ref": f"#/$defs/{name}"}
