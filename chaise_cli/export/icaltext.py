"""Values of other people made fit for an iCalendar file: cleaned, escaped, and never a reason to fail.

Sources: RFC 5545 section 3.3.11 (TEXT), RFC 3986 (links), RFC 6068 (mailto).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from icalendar import Parameters
from icalendar.parser import Contentline

if TYPE_CHECKING:
    from collections.abc import Iterable

# Controls except the newline, lone surrogates, bidi controls, the byte order mark, tags, noncharacters: nothing
# that moves a cursor, turns text around or breaks UTF-8. Zero-width joiners stay, names and emoji need them.
_FOREIGN: Final = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e007f]"
)
_NEWLINE: Final = re.compile("\r\n|[\r\n\x0b\x0c\x85\u2028\u2029]")
_ESCAPED: Final = re.compile(r"[\\;,\n]")
_LINK: Final = re.compile(r"(https|tel|sip|xmpp):[^\s\x00-\x1f\x7f-\x9f\ud800-\udfff]+", re.IGNORECASE)
_ADDRESS: Final = re.compile(r"[^\s@\x00-\x1f\x7f-\x9f\ud800-\udfff]+@[^\s@\x00-\x1f\x7f-\x9f\ud800-\udfff]+")
_LINE: Final[Any] = Contentline  # which the library does not type
_FOLDED: Final = 75  # octets: a line has fewer, and a space before it where it goes on
_URI_CHARACTERS: Final = "!#$%&'()*+,/:;=?@[]"  # beside letters, digits and -._~
_MAIL_CHARACTERS: Final = "!$'*+@"


def line(name: str, value: str, /, **parameters: str | tuple[str, ...]) -> str:
    r"""A property with a value that is already escaped; parameters are quoted and encoded (RFC 6868) by the library.

    Its own TEXT turns the two characters `\N` of a Windows path into a line break, and its components take five times
    as long to write.
    """
    assert not set("\r\n") & set(value), "a value on one line, or it could say more than itself"
    return f"{name}{_encoded(*parameters.items()) if parameters else ''}:{value}"


@lru_cache(1_000)
def _encoded(*parameters: tuple[str, str | tuple[str, ...]]) -> str:
    given = {name: list(value) if isinstance(value, tuple) else value for name, value in parameters}
    return f";{Parameters(given).to_ical(sorted=False).decode()}"


def written(lines: Iterable[str]) -> bytes:
    """These lines, folded at 75 octets."""
    return b"\r\n".join(_folded(one) for one in lines) + b"\r\n"


def _folded(whole: str) -> bytes:
    """As the library folds, which walks each character: the same pieces by slices where each is an octet."""
    if not whole.isascii():
        folded: bytes = _LINE(whole).to_ical()
        return folded
    pieces, at = [], 0
    while len(whole) - at >= _FOLDED:
        end = at + _FOLDED - 1
        end -= whole[end - 1] in "\\^"  # what they escape stays with them
        pieces.append(whole[at:end])
        at = end
    return "\r\n ".join([*pieces, whole[at:]]).encode()


def clean(foreign: str) -> str:
    """`foreign` without control characters; every kind of line end becomes a newline."""
    return _FOREIGN.sub("", _NEWLINE.sub("\n", foreign.replace("\t", " ")))


def text(foreign: str) -> str:
    """A TEXT value: cleaned and escaped."""
    return _ESCAPED.sub(lambda found: "\\n" if found[0] == "\n" else "\\" + found[0], clean(foreign))


def label(foreign: str) -> str:
    """Cleaned, on one line, for names and titles."""
    return " ".join(clean(foreign).split())


def link(foreign: str | None) -> str | None:
    """The URI, with what no URI may hold percent-encoded; None unless it is https, tel, sip or xmpp."""
    trimmed = (foreign or "").strip()
    return quote(trimmed, safe=_URI_CHARACTERS) if _LINK.fullmatch(trimmed) else None


def address(email: str | None) -> str | None:
    """The `mailto:` URI of an address; None when there is none or it is not one address."""
    trimmed = (email or "").strip()
    return f"mailto:{quote(trimmed, safe=_MAIL_CHARACTERS)}" if _ADDRESS.fullmatch(trimmed) else None
