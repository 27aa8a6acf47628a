"""Canonical JSON: the one encoder and the one strict decoder for signed bytes.

The form is RFC 8785 restricted: ASCII keys, no floats, integers below 2^53 in size, no lone surrogates,
at most 32 levels. Bytes that differ from their own re-encoding are refused, so duplicate keys, other
orders, spaces and alternative escapes never enter. docs/spec/envelope.md.
"""

from __future__ import annotations

import json
import re
from typing import Final, NoReturn

from chaise_cli.errors import Corrupt

DEPTH: Final = 32
INTEGER_LIMIT: Final = 2**53
_LONG_NUMBER: Final = re.compile(rb"[0-9]{16}")
_encode: Final = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, allow_nan=False, sort_keys=True, separators=(",", ":")
).encode


class NotCanonical(Corrupt):
    """The bytes are not the canonical JSON of anything."""

    code = "envelope.not_canonical"
    message = "signed content is not canonical JSON: {why}"
    hint = "the sender's software is broken or hostile; nothing was kept"
    why: str


def encode(value: object) -> bytes:
    """The canonical bytes of `value`: dicts with ASCII keys, lists, text, integers, booleans, None.

    Raises NotCanonical for what the form cannot hold (floats, large integers, lone surrogates, depth).
    """
    _check(value, DEPTH)
    try:
        return _encode(value).encode()
    except UnicodeEncodeError as error:
        raise NotCanonical(why="lone surrogate") from error


def decode(data: bytes) -> object:
    """What `data` says. Raises NotCanonical unless `encode` gives back exactly `data`."""
    value = _parse(data)
    if _is_odd(data):
        _check(value, DEPTH)
    try:
        same = _encode(value).encode() == data
    except UnicodeEncodeError as error:
        raise NotCanonical(why="lone surrogate") from error
    if not same:
        raise NotCanonical(why="not in canonical form")
    return value


def _is_odd(data: bytes) -> bool:
    """Whether the bytes may hold what only a walk finds: deep nesting, large integers, keys that are not ASCII.

    A walk through every value would cost bulk admission a tenth of its time.
    """
    return not data.isascii() or data.count(b"[") + data.count(b"{") > DEPTH or _LONG_NUMBER.search(data) is not None


def again(value: object) -> bytes:
    """The bytes of a part of what `decode` gave."""
    return _encode(value).encode()


def trusted(data: bytes) -> object:
    """What `data` says, for bytes that `decode` accepted before."""
    return _trusting.raw_decode(data.decode())[0]


def _parse(data: bytes) -> object:
    try:
        return _decoder.decode(data.decode())
    except NotCanonical:
        raise
    except RecursionError as error:
        raise NotCanonical(why="nested too deeply") from error
    except ValueError as error:  # covers JSON, UTF-8 and integers beyond Python's digit limit
        raise NotCanonical(why="not JSON in UTF-8") from error


def _refuse(_: str) -> NoReturn:
    raise NotCanonical(why="a number that is not an integer")


_trusting: Final = json.JSONDecoder()
_decoder: Final = json.JSONDecoder(parse_float=_refuse, parse_constant=_refuse)


def _check(value: object, depth: int) -> None:
    if isinstance(value, str):  # first: most values are text; a lone surrogate fails when it is encoded
        return
    if isinstance(value, int):  # booleans too, which are in range
        if not -INTEGER_LIMIT < value < INTEGER_LIMIT:
            raise NotCanonical(why="integer out of range")
    elif value is None:
        return
    elif depth == 0:
        raise NotCanonical(why="nested too deeply")
    elif isinstance(value, dict):
        _check_keys(value)
        for item in value.values():
            _check(item, depth - 1)
    elif isinstance(value, list | tuple):
        for item in value:
            _check(item, depth - 1)
    else:
        raise NotCanonical(why=f"a {type(value).__name__}")


def _check_keys(value: dict[object, object]) -> None:
    for key in value:
        if not isinstance(key, str) or not key.isascii():
            raise NotCanonical(why="a key that is not ASCII text")
