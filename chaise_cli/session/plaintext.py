"""What stands inside a sealed body: canonical JSON, padded with zeros to a multiple of 64. docs/spec/envelope.md."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from chaise_cli.domain.light import NamedTuple
from chaise_cli.errors import Corrupt
from chaise_cli.ids import raw
from chaise_cli.ledger import canonical, header

BLOCK: Final = 64
SEAL: Final = 16  # what sealing adds
MOST: Final = header.BODY_LIMIT - SEAL  # of the padded plaintext
AT_MOST: Final = 2**47 - 1  # of `at`, in the year 6429: no deadline or zone from there leaves the calendar
_NEEDED: Final = {"at", "data", "kind", "seen", "v"}
_ALLOWED: Final = _NEEDED | {"cert", "optional", "request"}
Seen = tuple[str, int, str]  # device, seq, id


class BadPlaintext(Corrupt):
    """A body opened, and what it says is not an event's content."""

    code = "body.malformed"
    message = "the content of an event is malformed: {why}"
    hint = "the sender's software is broken or hostile; the event is kept as void"
    why: str


class Plaintext(NamedTuple):
    """The content of one event before sealing. `at` is ms since 1970, a claim of the device's clock."""

    kind: str
    version: int
    at: int
    seen: Sequence[Seen]
    data: dict[str, Any]
    cert: list[Any] | None = None
    optional: bool = False
    request: tuple[str, str] | None = None  # request id and fingerprint of a writing verb


def write(text: Plaintext) -> bytes:
    """The canonical JSON, not yet padded. Raises NotCanonical, BadPlaintext when it does not fit an event."""
    if text.at > AT_MOST:
        raise BadPlaintext(why="the clock is past the year 6429")
    value: dict[str, object] = {
        "at": text.at,
        "data": text.data,
        "kind": text.kind,
        "seen": [list(cited) for cited in text.seen],
        "v": text.version,
    }
    if text.cert is not None:
        value["cert"] = text.cert
    if text.optional:
        value["optional"] = True
    if text.request is not None:
        value["request"] = list(text.request)
    data = canonical.encode(value)
    if len(data) > MOST:
        raise BadPlaintext(why="over 64 KiB")
    return data


def pad(data: bytes) -> bytes:
    """`data` with zeros up to a multiple of 64 bytes."""
    return data + bytes(-len(data) % BLOCK)


def unpad(padded: bytes) -> bytes:
    """What `pad` was given. Raises BadPlaintext on any other padding."""
    data = padded.rstrip(b"\0")
    if not data or len(padded) % BLOCK or len(padded) - len(data) >= BLOCK:
        raise BadPlaintext(why="wrong padding")
    return data


def read(data: bytes) -> Plaintext:
    """The content in unpadded bytes, its frame checked and `data` still as JSON. Raises NotCanonical, BadPlaintext."""
    value = canonical.decode(data)
    if not isinstance(value, dict) or not value.keys() >= _NEEDED or not value.keys() <= _ALLOWED:
        raise BadPlaintext(why="unknown or missing keys")
    kind, version, at, content = value["kind"], value["v"], value["at"], value["data"]
    if type(kind) is not str or not 0 < len(kind) <= 64 or type(content) is not dict:
        raise BadPlaintext(why="no kind or no data")
    if type(version) is not int or version < 1 or type(at) is not int or not 0 <= at <= AT_MOST:
        raise BadPlaintext(why="no version or no time")
    if "optional" in value and value["optional"] is not True:
        raise BadPlaintext(why="`optional` is true or absent")
    cert = value.get("cert")
    if "cert" in value and type(cert) is not list:
        raise BadPlaintext(why="certificates are a list")
    request = _request(value["request"]) if "request" in value else None
    return Plaintext(kind, version, at, _seen(value["seen"]), content, cert, "optional" in value, request)


def stored(data: bytes) -> Plaintext:
    """As `read`, for bytes that were checked when they came in."""
    value: Any = canonical.trusted(data)
    seen = [(device, seq, id_) for device, seq, id_ in value["seen"]]
    request = value.get("request")
    return Plaintext(
        value["kind"], value["v"], value["at"], seen, value["data"], value.get("cert"),
        "optional" in value, request and tuple(request),
    )  # fmt: skip


def _seen(value: object) -> list[Seen]:
    if type(value) is not list:
        raise BadPlaintext(why="`seen` is a list")
    cited: list[Seen] = []
    for item in value:
        if type(item) is not list or [type(part) for part in item] != [str, int, str]:
            raise BadPlaintext(why="`seen` lists device, seq and id")
        device, seq, id_ = item
        if (
            (cited and cited[-1] >= (device, seq, id_))
            or not 0 <= seq < 2**53
            or not _is_key(device)
            or not _is_key(id_)
        ):
            raise BadPlaintext(why="`seen` is not in order")
        cited.append((device, seq, id_))
    return cited


def _is_key(text: str) -> bool:
    try:
        return len(raw(text)) == 32
    except ValueError:
        return False


def _request(value: object) -> tuple[str, str]:
    if type(value) is not list or [type(part) for part in value] != [str, str] or not 0 < len(value[0]) <= 128:
        raise BadPlaintext(why="`request` is an id and a fingerprint")
    if not _is_key(value[1]):
        raise BadPlaintext(why="`request` is an id and a fingerprint")
    return value[0], value[1]
