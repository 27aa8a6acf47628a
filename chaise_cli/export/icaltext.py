"""Values of other people made fit for an iCalendar file: cleaned, escaped, and never a reason to fail.

Sources: RFC 5545 section 3.3.11 (TEXT), RFC 3986 (links), RFC 6068 (mailto).
"""

from __future__ import annotations

import re
from typing import Final, Self
from urllib.parse import quote

from icalendar import Parameters

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
_URI_CHARACTERS: Final = "!#$%&'()*+,/:;=?@[]"  # beside letters, digits and -._~
_MAIL_CHARACTERS: Final = "!$'*+@"


class Exact(str):
    r"""A property's value that stands in the file just as it is, with the parameters of the property.

    The library's own TEXT turns the two characters `\N` of a Windows path into a line break.
    """

    __slots__ = ("params",)
    params: Parameters

    def __new__(cls, value: str, /, **params: str | list[str]) -> Self:
        """`value` is already escaped; parameters are quoted and encoded (RFC 6868) by the library."""
        self = super().__new__(cls, value)
        self.params = Parameters(params)
        return self

    def to_ical(self) -> bytes:
        """The value's octets, as the library asks for them."""
        return self.encode()


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
