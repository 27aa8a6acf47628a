"""What the fields of event bodies may hold, said once: as markers in `Annotated` types.

The same marker serves three readers: `check` for our own bodies before they are signed (no pydantic on
that path), pydantic's TypeAdapter for foreign bodies, and JSON Schema. A core schema is a plain dict, so
nothing is imported for it here.
"""

from __future__ import annotations

import re
import types
import typing
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Protocol

from chaise_cli.domain.body import fields, hints, is_body
from chaise_cli.errors import Usage
from chaise_cli.ids import DeviceId, EventId, IdentityId, SpaceId

if TYPE_CHECKING:
    from collections.abc import Callable

INTEGER_MOST: Final = 2**53 - 1
_SURROGATES: Final = r"\ud800-\udfff"
TEXT_MOST: Final = 48 * 1024  # bytes of UTF-8 in one text field; a sealed body holds 64 KiB


class BadField(Usage):
    """A field of a body is outside its stated limits."""

    code = "usage.bad_field"
    message = "{field}: {why}"
    hint = "`chaise help limits` lists the limits of every text, amount and count"
    field: str
    why: str


class Body(Protocol):
    """The typed content of an event: a frozen, slotted dataclass whose fields are all on the wire."""

    KIND: ClassVar[str]


class Text:
    """Text of `least` to `most` characters; `line` forbids control characters, line breaks included."""

    def __init__(self, most: int, least: int = 0, *, line: bool = True) -> None:
        self.most, self.least, self.line = most, least, line
        body = r"[^\x00-\x1f\x7f\ud800-\udfff]" if line else r"[^\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]"
        self.pattern = f"^{body}{{{least},{most}}}$"

    def check(self, value: object) -> None:
        """Raise ValueError, saying why, unless the value fits."""
        if not isinstance(value, str):
            raise ValueError("must be text")
        if not self.least <= len(value) <= self.most:
            raise ValueError(f"must have {self.least} to {self.most} characters, has {len(value)}")
        if len(value.encode(errors="replace")) > TEXT_MOST:
            raise ValueError(f"must have at most {TEXT_MOST} bytes")
        if not re.fullmatch(self.pattern[1:-1], value):
            raise ValueError("holds a control character")

    def __get_pydantic_core_schema__(self, source: object, handler: object) -> dict[str, object]:
        after = {"type": "no-info", "function": self._checked}
        return {"type": "function-after", "function": after, "schema": {"type": "str", "strict": True}}

    def _checked(self, value: str) -> str:
        self.check(value)
        return value


class Key:
    """Base64url of exactly `size` bytes: an id, a key, a hash."""

    def __init__(self, size: int) -> None:
        length = (size * 8 + 5) // 6
        spare = {0: "", 1: "[AEIMQUYcgkosw048]", 2: "[AQgw]"}[(-size) % 3]  # last character: spare bits are zero
        self.pattern = f"^[A-Za-z0-9_-]{{{length - bool(spare)}}}{spare}$"

    def check(self, value: object) -> None:
        """Raise ValueError unless the value fits."""
        if not isinstance(value, str) or not re.fullmatch(self.pattern[1:-1], value):
            raise ValueError("is not a key or id")

    def __get_pydantic_core_schema__(self, source: object, handler: object) -> dict[str, object]:
        return {"type": "str", "strict": True, "pattern": self.pattern}


class Whole:
    """A whole number from `least` to `most`."""

    def __init__(self, least: int = 0, most: int = INTEGER_MOST) -> None:
        self.least, self.most = least, most

    def check(self, value: object) -> None:
        """Raise ValueError, saying why, unless the value fits."""
        if type(value) is not int or not self.least <= value <= self.most:
            raise ValueError(f"must be a whole number from {self.least} to {self.most}")

    def __get_pydantic_core_schema__(self, source: object, handler: object) -> dict[str, object]:
        return {"type": "int", "strict": True, "ge": self.least, "le": self.most}


class Form:
    """Text that matches a regular expression whole."""

    def __init__(self, pattern: str, why: str) -> None:
        # Without the surrogates, which the other engine cannot spell and UTF-8 cannot carry.
        self.pattern, self.why = f"^{pattern.replace(_SURROGATES, '')}$", why
        self._whole = pattern  # compiled by its first check: a command checks few of them

    def check(self, value: object) -> None:
        """Raise ValueError unless the value fits."""
        if not isinstance(value, str) or not re.fullmatch(self._whole, value):
            raise ValueError(self.why)

    def __get_pydantic_core_schema__(self, source: object, handler: object) -> dict[str, object]:
        return {"type": "str", "strict": True, "pattern": self.pattern}


class OneOf:
    """One of a few words."""

    def __init__(self, *words: str) -> None:
        self.words = words

    def check(self, value: object) -> None:
        """Raise ValueError unless the value fits."""
        if value not in self.words:
            raise ValueError("must be one of " + ", ".join(self.words))

    def __get_pydantic_core_schema__(self, source: object, handler: object) -> dict[str, object]:
        return {"type": "literal", "expected": list(self.words)}


class Many:
    """A list of `least` to `most` items; stands beside the tuple type it limits."""

    def __init__(self, most: int, least: int = 0) -> None:
        self.most, self.least = most, least

    def check(self, value: object) -> None:
        """Raise ValueError, saying why, unless the value fits."""
        if not isinstance(value, tuple) or not self.least <= len(value) <= self.most:
            raise ValueError(f"must have {self.least} to {self.most} items")

    def __get_pydantic_core_schema__(self, source: object, handler: Callable[[object], Any]) -> dict[str, object]:
        schema = dict(handler(source))
        return schema | {"min_length": self.least, "max_length": self.most}


Identity = Annotated[IdentityId, Key(32)]
Device = Annotated[DeviceId, Key(32)]
Space = Annotated[SpaceId, Key(32)]
Event = Annotated[EventId, Key(32)]
Digest = Annotated[str, Key(32)]
Secret = Annotated[str, Key(32)]
Signature = Annotated[str, Key(64)]
Line = Annotated[str, Text(200)]
Title = Annotated[str, Text(120, 1)]
Name = Annotated[str, Text(64, 1)]
Prose = Annotated[str, Text(32_000, line=False)]
Skill = Annotated[
    str, Form(r"[^\x00-\x20\x7f-\xa0\ud800-\udfff,;=]{1,40}", "must be 1 to 40 characters without spaces")
]
Instant = Annotated[int, Whole(0, 253_370_764_799_999)]  # ms since 1970, UTC, to the end of 9998: no zone leaves 9999
Minor = Annotated[int, Whole(0)]  # minor units of a currency
Currency = Annotated[str, Form("[A-Z]{3}", "must be a currency code of three letters")]
Zone = Annotated[str, Form(r"[A-Za-z0-9_+/-]{1,64}", "must be an IANA zone name")]
Link = Annotated[str, Form(r"(https?|tel|sip|xmpp|mailto):[!-~]{1,500}", "must be a link: https:, tel:, sip:, xmpp:")]
Email = Annotated[str, Form(r"[!-~]{1,64}@[!-~]{1,190}", "must be an e-mail address")]
RequestId = Annotated[str, Text(128, 1)]


@cache
def plan(cls: type[Any]) -> dict[str, Callable[[Any], None]]:
    """For each field of a body class, the function that raises ValueError on a value that does not fit."""
    return {name: _checker(hint) for name, hint in hints(cls).items()}


def check(body: Any) -> None:
    """Raise BadField unless every field of this dataclass is within its limits."""
    kind: Any = type(body)
    for name, test in plan(kind).items():
        try:
            test(getattr(body, name))
        except ValueError as error:
            raise BadField(field=name, why=str(error)) from error


def _checker(hint: Any) -> Callable[[Any], None]:
    if typing.get_origin(hint) is Annotated:
        base, *markers = typing.get_args(hint)
        tests = [marker.check for marker in markers]
        return _all([*tests, _checker(base)] if typing.get_origin(base) is tuple else tests)
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        inner = _checker(next(arm for arm in typing.get_args(hint) if arm is not types.NoneType))
        return lambda value: None if value is None else inner(value)
    if typing.get_origin(hint) is tuple:
        return _each(_checker(typing.get_args(hint)[0]))
    if is_body(hint):
        return check
    assert hint is bool, f"a body field of the type {hint}"
    return _check_bool


def _all(tests: list[Callable[[Any], None]]) -> Callable[[Any], None]:
    def test_all(value: Any) -> None:
        for test in tests:
            test(value)

    return test_all


def _each(test: Callable[[Any], None]) -> Callable[[Any], None]:
    def test_each(value: Any) -> None:
        for item in value:
            test(item)

    return test_each


def _check_bool(value: object) -> None:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")


def to_data(value: Any) -> Any:
    """The JSON value of a body or of anything inside one."""
    if isinstance(value, tuple):
        return [to_data(item) for item in value]
    if is_body(value):
        return {name: to_data(getattr(value, name)) for name in fields(value)}
    return value


@cache
def _loader(hint: Any) -> Callable[[Any], Any] | None:
    origin = typing.get_origin(hint)
    if origin is Annotated:
        return _loader(typing.get_args(hint)[0])
    if origin in (types.UnionType, typing.Union):
        inner = _loader(next(arm for arm in typing.get_args(hint) if arm is not types.NoneType))
        return inner and (lambda value: None if value is None else inner(value))
    if origin is tuple:
        item = _loader(typing.get_args(hint)[0])
        return (lambda value: tuple(map(item, value))) if item else tuple
    if is_body(hint):
        return lambda value: from_data(typing.cast("type[Any]", hint), value)
    return None


@cache
def _loaders(cls: type[Any]) -> list[tuple[str, Callable[[Any], Any] | None]]:
    return [(name, _loader(hint)) for name, hint in hints(cls).items()]


def from_data(cls: type[Any], data: dict[str, Any]) -> Any:
    """The body written by `to_data`; only for data that was checked when it came in."""
    kind: Any = cls
    made = kind.__new__(kind)
    values = made.__dict__  # filled here, not by its constructor: events are read by the thousand
    for name, load in _loaders(kind):
        value = data[name]
        values[name] = load(value) if load else value
    return made
