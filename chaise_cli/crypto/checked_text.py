"""Secrets as text that people copy: Crockford's base32 with a checksum of 20 bits at the end.

A slip of the pen passes the checksum once in a million. Source: Douglas Crockford, "Base 32"; docs/spec/keys.md.
"""

from __future__ import annotations

from typing import Final

from chaise_cli.crypto.derivation import tagged_hash
from chaise_cli.ids import ALPHABET

GROUP: Final = 4  # characters written together
CHECK: Final = 4  # characters of checksum
_SMALL: Final = {c: i for i, c in enumerate(ALPHABET)} | {"i": 1, "l": 1, "o": 0}
_VALUE: Final = _SMALL | {c.upper(): value for c, value in _SMALL.items()}  # no `lower`, which makes k of U+212A
_SKIPPED: Final = frozenset(" -\t\r\n")


class Misspelt(ValueError):
    """The text is not one that `write` gives. `reason` is for people; `group`, from 1, says where, if that is known."""

    def __init__(self, reason: str, group: int | None = None) -> None:
        super().__init__(reason)
        self.reason: Final = reason
        self.group: Final = group


def write(data: bytes, use: str) -> str:
    """`data` in capitals, in groups of four joined by `-`, with a checksum that differs by `use`."""
    chars = _chars(data) + _checksum(data, use)
    return "-".join(chars[i : i + GROUP] for i in range(0, len(chars), GROUP)).upper()


def read(given: str, use: str, size: int) -> bytes:
    """The `size` bytes that `write` was given. Capitals or not, dashes and spaces anywhere, I L O for 1 1 0.

    Raises Misspelt.
    """
    chars = [c for c in given if c not in _SKIPPED]
    for place, char in enumerate(chars):
        if char not in _VALUE:
            raise Misspelt("it has a character that is never used", place // GROUP + 1)
    length = _length(size)
    if len(chars) != length + CHECK:
        raise Misspelt(f"it has {len(chars)} characters instead of {length + CHECK}")
    number = 0
    for char in chars[:length]:
        number = number << 5 | _VALUE[char]
    data = (number >> _spare(size)).to_bytes(size, "big")
    plain = "".join(ALPHABET[_VALUE[c]] for c in chars)
    if plain != _chars(data) + _checksum(data, use):  # also refuses spare bits that are set
        raise Misspelt("its checksum does not fit, so some character is wrong")
    return data


def _length(size: int) -> int:
    return -(-size * 8 // 5)


def _spare(size: int) -> int:
    """Zero bits behind the data that fill its last character."""
    return _length(size) * 5 - size * 8


def _chars(data: bytes) -> str:
    number = int.from_bytes(data, "big") << _spare(len(data))
    return "".join(ALPHABET[number >> 5 * place & 31] for place in reversed(range(_length(len(data)))))


def _checksum(data: bytes, use: str) -> str:
    return _chars(tagged_hash(f"{use}-check", data)[:3])[:CHECK]
