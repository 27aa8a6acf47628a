"""Handles: the short name people go by, typed as `@james`. A claim, not a proof; docs/spec/results.md."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from chaise_cli.errors import Usage

MOST: Final = 32  # characters
RESERVED: Final = frozenset({"me"})
_GAPS: Final = re.compile(r"[\s_.'’-]+")


class BadHandle(Usage):
    """The text cannot be typed behind an @, or is reserved."""

    code = "usage.bad_handle"
    message = "{given!r} is not a handle"
    hint = "a handle has 1 to 32 letters, digits or - , such as james or anna-2; `me` is reserved"
    given: str


def read(text: str) -> str:
    """The handle without its @, in small letters. Raises BadHandle."""
    handle = unicodedata.normalize("NFKC", text.strip().removeprefix("@").casefold())
    spelt = all(char == "-" or unicodedata.category(char)[0] in "LMN" for char in handle)
    named = any(char.isalnum() for char in handle) and handle.strip("-") == handle
    if len(handle) > MOST or not spelt or not named or handle in RESERVED:
        raise BadHandle(given=text[:60])
    return handle


def from_name(name: str) -> str:
    """The handle a name suggests: `Anna Müller` → `anna-müller`. Raises BadHandle when it suggests none.

    >>> from_name("Anna Müller")
    'anna-müller'
    """
    return read(_GAPS.sub("-", name.strip()).strip("-")[:MOST].rstrip("-"))
