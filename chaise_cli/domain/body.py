"""Value classes for event bodies and what stands inside them: frozen, compared by value, made in microseconds.

A stdlib dataclass costs half a millisecond each at import, which four dozen of them would turn into a third of
a command's start. For type checkers the decorator is a dataclass like any other.

Source: docs/adr/0004-bodies-are-light-value-classes.md.
"""

from __future__ import annotations

import builtins
from importlib import import_module
from typing import Any, NoReturn, TypeVar, dataclass_transform

C = TypeVar("C", bound=type)
V = TypeVar("V")


@dataclass_transform(frozen_default=True)
def body(cls: C) -> C:
    """Make a class of annotated fields a frozen value class; fields without a value must be given."""
    names = tuple(name for name, hint in cls.__annotations__.items() if not str(hint).startswith("ClassVar"))
    made: Any = cls
    made.__body_fields__ = names
    setattr(made, "__match_args__", names)  # noqa: B010  mypy guards the name
    made.__init__ = _init
    made.__setattr__ = made.__delattr__ = _frozen
    made.__eq__, made.__hash__, made.__repr__ = _eq, _hash, _repr
    return cls


def fields(value: Any) -> tuple[str, ...]:
    """The names of a body's fields, in order; of an instance or its class."""
    names: tuple[str, ...] = value.__body_fields__
    return names


def hints(cls: Any) -> dict[str, Any]:
    """The types of the fields of a body or a record, by name, as `typing.get_type_hints` gives them with all markers.

    Most are one word, which is looked up; typing would compile each, a tenth of a bare start for a deal that is read.
    """
    names = vars(import_module(cls.__module__))
    return {field: _type(text, names) for field, text in cls.__annotations__.items() if not text.startswith("ClassVar")}


def _type(text: str, names: dict[str, Any]) -> Any:
    if text in names:
        return names[text]
    word = getattr(builtins, text, None)
    return eval(text, names) if word is None else word  # noqa: S307  an annotation of our own source


def is_body(value: object) -> bool:
    """Whether `value` is a body class or an instance of one."""
    return hasattr(value, "__body_fields__")


def replace(value: V, **changes: Any) -> V:
    """A copy of a body with some fields changed."""
    return type(value)(**{**value.__dict__, **changes})


def _init(self: Any, *args: Any, **given: Any) -> None:
    names = self.__body_fields__
    if not given and len(args) == len(names):  # as stored states are read
        self.__dict__.update(zip(names, args, strict=True))
        return
    values = dict(zip(names, args, strict=False)) | given
    if len(args) > len(names) or len(args) + len(given) != len(names) or values.keys() != set(names):
        raise TypeError(f"{type(self).__name__} takes {', '.join(names)}")
    self.__dict__.update(values)


def _frozen(self: object, *_: object) -> NoReturn:
    raise AttributeError(f"a {type(self).__name__} does not change")


def _eq(self: Any, other: Any) -> Any:
    return self.__dict__ == other.__dict__ if type(other) is type(self) else NotImplemented


def _hash(self: Any) -> int:
    return hash((type(self), *(self.__dict__[name] for name in self.__body_fields__)))


def _repr(self: Any) -> str:
    shown = ", ".join(f"{name}={self.__dict__[name]!r}" for name in self.__body_fields__)
    return f"{type(self).__name__}({shown})"
