"""What all vectors are made from: keys of fixed seeds, a deal's genesis, and how a vector is written down."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from chaise_cli.crypto import sealing, signing
from chaise_cli.ids import DeviceId, IdentityId, text
from chaise_cli.ledger import certificate, clear, header
from chaise_cli.session import plaintext

AT: Final = 1_800_000_000_000  # ms since 1970, in 2027


class Case(NamedTuple):
    """A vector without its values. expect: "ok", or the code that it is refused with."""

    name: str
    page: str
    kind: str
    given: dict[str, Any]
    expect: str


def case(name: str, page: str, kind: str, expect: str = "ok", /, **given: Any) -> Case:
    """A case; bytes among what is given become base64url."""
    return Case(name, page, kind, {key: plain(value) for key, value in given.items()}, expect)


def plain(value: Any) -> Any:
    """The JSON value of something with bytes in it."""
    if isinstance(value, bytes):
        return text(value)
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    return value


def count(size: int, start: int = 0) -> bytes:
    """`size` bytes that count up from `start`."""
    return bytes((start + number) % 256 for number in range(size))


def flipped(data: bytes, place: int, bit: int = 0) -> bytes:
    """`data` with one bit changed; a negative place counts from the end."""
    changed = bytearray(data)
    changed[place] ^= 1 << bit
    return bytes(changed)


def signer(start: int) -> signing.Ed25519Signer:
    """The signing key whose seed counts up from `start`."""
    return signing.Ed25519Signer(count(32, start))


ROOT: Final = signer(0)
DEVICE: Final = signer(1)
RELAY: Final = signer(30)
SECRET: Final = count(32, 2)
IDENTITY: Final = certificate.identity_of(ROOT.public)


def certified(
    device: signing.Signer = DEVICE,
    by: signing.Signer = ROOT,
    kind: certificate.Kind = "admin",
    identity: IdentityId = IDENTITY,
    name: str = "laptop",
    space: str = "",
) -> dict[str, object]:
    """A certificate as JSON; that of a grant is for `space`, or the space of these vectors, and for a day."""
    for_, until = (space or text(SPACE), AT + 86_400_000) if kind == "grant" else ("", 0)
    return certificate.issue(by, kind, identity, DeviceId(text(device.public)), name, AT, for_, until).value()


GENESIS: Final = clear.write_genesis(clear.Genesis(text(count(16, 3)), "deal", IDENTITY))
ZERO: Final = header.make(header.CLEAR, header.ZERO, DEVICE.public, 0, header.ZERO, header.NO_EPOCH, GENESIS)
SPACE: Final = header.event_id(ZERO)
COMMIT: Final = sealing.epoch_commit(SPACE, SECRET)
EPOCH: Final = COMMIT[:8]


def said(kind: str = "message.sent", data: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """The content of an event."""
    value = {"kind": kind, "v": 1, "at": AT, "seen": [], "data": {"text": "Hi", "files": []} if data is None else data}
    return value | more


def padded(content: bytes) -> bytes:
    """With the padding that it has to have."""
    return plaintext.pad(content)
