"""Annotated git tags as `git cat-file tag NAME` prints them, read strictly. docs/spec/policies.md, Tags.

Only the form is read here; whose signature it is, `crypto.sshsig` tells.
"""

from __future__ import annotations

import re
from typing import Final

from chaise_cli.domain.light import NamedTuple

BYTES_MOST: Final = 64 << 10
BEGIN: Final = b"-----BEGIN SSH SIGNATURE-----"
END: Final = b"-----END SSH SIGNATURE-----"
_HEAD: Final = re.compile(
    rb"object ([0-9a-f]{40}|[0-9a-f]{64})\n"
    rb"type commit\n"
    rb"tag ([^\x00-\x20\x7f]{1,200})\n"
    rb"tagger [^\n\x00]{1,500}\n"
    rb"\n"
)


class Unreadable(ValueError):
    """The bytes are no tag object of a commit; the argument says why."""


class Tag(NamedTuple):
    """A tag: its name, the commit it names, what a signature covers, and the signature's armor if there is one."""

    name: str
    commit: str  # hexadecimal
    payload: bytes
    armor: bytes | None


def read(data: bytes) -> Tag:
    """The tag object. Raises Unreadable."""
    if len(data) > BYTES_MOST:
        raise Unreadable(f"more than {BYTES_MOST} bytes")
    head = _HEAD.match(data)
    if head is None:
        raise Unreadable("not what `git cat-file tag NAME` prints of a tag of a commit")
    try:
        name = head[2].decode()
    except UnicodeDecodeError as error:
        raise Unreadable("the tag's name is not UTF-8") from error
    starts = [found.start() for found in re.finditer(rb"^" + BEGIN + rb"$", data, re.MULTILINE)]
    if not starts:
        return Tag(name, head[1].decode(), data, None)
    armor = data[starts[0] :]
    # Exactly one, and nothing behind it: with a second one it would depend on the reader what was signed.
    if len(starts) > 1 or not armor.endswith(b"\n" + END + b"\n") or armor.count(END) != 1 or starts[0] < head.end():
        raise Unreadable("its signature does not end it, or is not the only one")
    return Tag(name, head[1].decode(), data[: starts[0]], armor)


def fits(name: str, pattern: str) -> bool:
    """Whether a tag's name fits a pattern of text, `?` (any character) and `*` (any number of them).

    >>> fits("ms1-v2", "ms1-*"), fits("xms1-v2", "ms1-*"), fits("ms1-", "ms1-?")
    (True, False, False)
    """
    spelled = "".join({"*": ".*", "?": "."}.get(char, re.escape(char)) for char in pattern)
    return re.fullmatch(spelled, name, re.DOTALL) is not None
