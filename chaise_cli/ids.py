"""Names of things: what is signed (32 bytes, as text), and what people type (`kind-` and Crockford base32).

Inside, an id is the unpadded base64url text of 32 bytes, as it stands in event bodies; `raw` and `text`
convert. Outside, people see `public(kind, id)`: 26 characters, 130 bits. Source of the alphabet: Douglas
Crockford, "Base 32"; docs/spec/results.md.
"""

from __future__ import annotations

from binascii import a2b_base64, b2a_base64
from functools import lru_cache
from typing import Final, NewType

from chaise_cli.errors import Usage

IdentityId = NewType("IdentityId", str)
DeviceId = NewType("DeviceId", str)  # the device's Ed25519 public key
SpaceId = NewType("SpaceId", str)  # the id of the space's genesis event
EventId = NewType("EventId", str)

KINDS: Final = ("id", "dev", "board", "post", "deal", "book", "msg", "rev", "svc", "op", "grant", "run")
ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
LENGTH: Final = 26
SHORTEST: Final = 4  # characters of a prefix that may be typed
_URL_SAFE: Final = bytes.maketrans(b"+/", b"-_")
_STANDARD: Final = str.maketrans("-_", "+/")
_READ: Final = {c: c for c in ALPHABET} | {"i": "1", "l": "1", "o": "0"}


class BadId(Usage):
    """The text is not an id of a kind that fits here."""

    code = "usage.bad_id"
    message = "{given!r} is not an id of the kind {expected}"
    hint = "ids look like {kind}-4tq8xm2k, or {kind}-4tq8 at the least; lists print them, `chaise show ID` takes any"
    given: str
    expected: str
    kind: str


def text(raw_id: bytes) -> str:
    """`raw_id` as unpadded base64url, the form inside event bodies."""
    return b2a_base64(raw_id, newline=False).translate(_URL_SAFE, b"=").decode()


@lru_cache(maxsize=16384)
def raw(id_text: str) -> bytes:
    """The bytes of an id or key written by `text`. Raises ValueError on anything `text` would not write."""
    data = a2b_base64(id_text.translate(_STANDARD) + "=" * (-len(id_text) % 4))
    if text(data) != id_text:
        raise ValueError("not canonical base64url")
    return data


def base32(data: bytes, length: int = LENGTH) -> str:
    """The first `5 × length` bits of `data` in Crockford's alphabet."""
    number = int.from_bytes(data, "big") >> (len(data) * 8 - 5 * length)
    return "".join(ALPHABET[number >> (5 * place) & 31] for place in reversed(range(length)))


@lru_cache(maxsize=1024)
def public(kind: str, id_text: str) -> str:
    """What people and scripts see of an id: `kind-` and 26 characters."""
    return f"{kind}-{base32(raw(id_text))}"


def read_public(given: str, *kinds: str) -> tuple[str, str]:
    """Kind and lower-case characters of a full or shortened id. Raises BadId.

    Capitals and the look-alikes I, L, O are accepted; at least four characters are wanted.
    """
    kind, dash, rest = given.strip().lower().partition("-")
    wanted = kinds or KINDS
    chars = "".join(_READ.get(c, "?") for c in rest)
    if not dash or kind not in wanted or "?" in chars or not SHORTEST <= len(chars) <= LENGTH:
        raise BadId(given=given[:60], expected=" or ".join(wanted), kind=kind if kind in wanted else wanted[0])
    return kind, chars


def prefix_range(chars: str) -> tuple[bytes, bytes]:
    """Least and greatest 32-byte value whose base32 begins with `chars`, for an index range."""
    bits = 5 * len(chars)
    number = 0
    for char in chars:
        number = number << 5 | ALPHABET.index(char)
    low = number << (256 - bits)
    return low.to_bytes(32, "big"), (low | (1 << (256 - bits)) - 1).to_bytes(32, "big")
