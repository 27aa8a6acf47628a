"""Links to pages and to calls: printable ASCII, of a few kinds, to where they say. docs/spec/results.md."""

from __future__ import annotations

import re
from typing import Final

from chaise_cli.errors import Usage

URL_LIMIT: Final = 2_000  # characters
CALL_SCHEMES: Final = ("https", "tel", "sip", "xmpp")
LINK_SCHEMES: Final = ("https", "http")

_WEB: Final = re.compile(r"//(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(?::[0-9]{1,5})?(?:[/?#].*)?")
_NOT_WEB: Final = re.compile(r"[A-Za-z0-9+(][^/].*")
_URL_CHARS: Final = frozenset(map(chr, range(0x21, 0x7F))) - frozenset('"<>\\^`{|}')


class BadUrl(Usage):
    """A link that is malformed, or of a kind that is not taken here."""

    code = "usage.bad_url"
    message = "{given!r} is not a link that can be used here: {why}"
    hint = "links begin with one of: {schemes}"
    given: str
    why: str
    schemes: str


def call_link(text: str) -> str:
    """A link one can call: https, tel, sip or xmpp. Raises BadUrl."""
    return _url(text, CALL_SCHEMES)


def web_link(text: str) -> str:
    """A link to a page: https or http. Raises BadUrl."""
    return _url(text, LINK_SCHEMES)


def _url(given: str, schemes: tuple[str, ...]) -> str:
    url = given.strip()
    scheme, colon, rest = url.partition(":")
    scheme = scheme.lower()
    form = _WEB if scheme in LINK_SCHEMES else _NOT_WEB
    why = ""
    if not colon or scheme not in schemes:
        why = "its kind"
    elif len(url) > URL_LIMIT:
        why = f"it is longer than {URL_LIMIT} characters"
    elif not _URL_CHARS.issuperset(url):
        why = "it holds characters that a link writes as %20 or in an international name as xn--"
    elif form.fullmatch(rest) is None:  # also a name before the host, `https://bank.example@evil.example`
        why = "its form"
    if why:
        raise BadUrl(given=url[:80], why=why, schemes=", ".join(schemes))
    return f"{scheme}:{rest}"
