"""NamedTuple, made in less than half the time: `typing`'s own compiles the annotation of every field.

A command makes some fifty of them as it starts. For type checkers it is `typing.NamedTuple`; what only that knows
how to refuse (a field without a default behind one with a default, say) they refuse.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import NamedTuple as NamedTuple  # noqa: PLC0414  exported
else:
    from collections import namedtuple

    class _Maker(type):
        """Turns a class of annotated fields into a named tuple; the annotations stay text."""

        def __new__(cls, name: str, bases: tuple[type, ...], members: dict[str, object]) -> type:
            if not bases:
                return super().__new__(cls, name, bases, members)
            hints = members["__annotations__"]
            defaults = [members[field] for field in hints if field in members]
            made = namedtuple(name, hints, defaults=defaults, module=members["__module__"])  # noqa: PYI024  the point
            for key, value in members.items():
                if key not in hints and key not in ("__module__", "__annotations__"):
                    setattr(made, key, value)
            made.__annotations__ = hints
            return made

    class NamedTuple(metaclass=_Maker):
        """The base to name."""
