"""NamedTuple, made in a tenth of the time: `typing`'s own compiles a constructor and the annotation of every field.

A command makes some hundred of them as it starts, and calls few. Here the constructor is compiled by its first call.
For type checkers it is `typing.NamedTuple`; what only that knows how to refuse (a field without a default behind one
with a default, say) they refuse.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import NamedTuple as NamedTuple  # noqa: PLC0414  exported
else:
    from collections import namedtuple

    # What the usual one reads a field by: that takes half the time of a property around `itemgetter`.
    _Field = type(namedtuple("_Any", "field").field)  # noqa: PYI024  typing's has no other, and takes longer to make

    class _Record(tuple):
        """What all of them share: the methods of `collections.namedtuple`, by the names of the class at hand."""

        __slots__ = ()

        def __new__(cls, *given: object, **named: object) -> Self:
            """The first of a class: its constructor, as quick as `collections.namedtuple`'s, is made and stays."""
            owner = next(each for each in cls.__mro__ if "_fields" in each.__dict__)
            fields = ", ".join(owner._fields)
            made = eval(f"lambda _cls, {fields}: _new(_cls, ({fields},))", {"_new": tuple.__new__})  # noqa: S307  our names
            made.__defaults__ = tuple(owner._field_defaults.values())
            made.__name__, made.__qualname__ = "__new__", f"{owner.__name__}.__new__"
            owner.__new__ = made
            return made(cls, *given, **named)

        @classmethod
        def _make(cls, iterable: Iterable[object]) -> Self:
            made = tuple.__new__(cls, iterable)
            if len(made) != len(cls._fields):
                raise TypeError(f"Expected {len(cls._fields)} arguments, got {len(made)}")
            return made

        def _replace(self, /, **named: object) -> Self:
            made = tuple.__new__(type(self), map(named.pop, self._fields, self))
            if named:
                raise ValueError(f"Got unexpected field names: {list(named)!r}")
            return made

        def _asdict(self) -> dict[str, object]:
            return dict(zip(self._fields, self, strict=True))

        def __repr__(self) -> str:
            shown = ", ".join(f"{name}={value!r}" for name, value in zip(self._fields, self, strict=True))
            return f"{type(self).__name__}({shown})"

        def __getnewargs__(self) -> tuple[object, ...]:
            return tuple(self)

    class _Maker(type):
        """Turns a class of annotated fields into a named tuple; the annotations stay text."""

        def __new__(cls, name: str, bases: tuple[type, ...], members: dict[str, object]) -> type:
            if not bases:
                return super().__new__(cls, name, bases, members)
            fields = tuple(members["__annotations__"])
            defaults = {field: members.pop(field) for field in fields if field in members}
            members |= {"__slots__": (), "_fields": fields, "_field_defaults": defaults, "__match_args__": fields}
            members |= {field: _Field(at, None) for at, field in enumerate(fields)}
            return type(name, (_Record,), members)

    class NamedTuple(metaclass=_Maker):
        """The base to name."""
