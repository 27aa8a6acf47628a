"""Vectors of docs/spec/envelope.md: headers, canonical JSON, bodies in clear, certificates, sealed bodies."""

from __future__ import annotations

from collections.abc import Iterator
from struct import pack
from typing import Any, Final

from chaise_cli.crypto import derivation, sealing, signing
from chaise_cli.ids import DeviceId, IdentityId, text
from chaise_cli.ledger import canonical, certificate, clear, header
from chaise_cli.session import epochs
from tests.interop.cases.common import (
    COMMIT,
    DEVICE,
    EPOCH,
    GENESIS,
    IDENTITY,
    ROOT,
    SECRET,
    SPACE,
    ZERO,
    Case,
    case,
    certified,
    count,
    flipped,
    padded,
    said,
    signer,
)  # fmt: skip
from tests.unit.crypto import points

PAGE: Final = "envelope.md"
WRAP: Final = clear.write_wrap(
    clear.Wrap(text(COMMIT), (), [clear.Box((IDENTITY, text(count(32, 4))), text(count(80)))])
)
ONE: Final = header.make(header.CLEAR, SPACE, DEVICE.public, 1, SPACE, header.NO_EPOCH, WRAP)
PREV: Final = header.event_id(ONE)


def cases() -> Iterator[Case]:
    """All of this page, but its segments."""
    yield from headers()
    yield from canonicals()
    yield from clears()
    yield from certificates()
    yield from granted()
    yield from events()
    yield from plaintexts()


def raw_header(
    magic: bytes = b"CHEV",
    version: int = 1,
    suite: int = 1,
    space: bytes = SPACE,
    seq: int = 2,
    prev: bytes = PREV,
    epoch: bytes = EPOCH,
    size: int = 80,
) -> bytes:
    """154 bytes, of any content."""
    return pack(
        ">4sBB32s32sQ32s8sI32s", magic, version, suite, space, DEVICE.public, seq, prev, epoch, size, count(32, 9)
    )


def headers() -> Iterator[Case]:
    zero, none = bytes(32), bytes(8)
    good = raw_header()
    for name, made in {
        "genesis": ZERO,
        "wrap": ONE,
        "sealed": good,
        "a body of the largest size": raw_header(size=65_536),
        "a chain that begins with a sealed event": raw_header(seq=0, prev=zero),
    }.items():
        yield case(f"header: {name}", PAGE, "header", header=made)
    for name, made in {
        "empty": b"",
        "a byte short": good[:-1],
        "a byte long": good + b"\0",
        "another magic": raw_header(magic=b"CHEW"),
        "a first event that has a predecessor": raw_header(seq=0),
        "a later event without predecessor": raw_header(prev=zero),
        "in clear and of an epoch": raw_header(suite=0),
        "sealed and of no epoch": raw_header(epoch=none),
        "sealed and of no space": raw_header(space=zero),
        "a later event in clear of no space": raw_header(suite=0, epoch=none, space=zero),
        "a genesis that names a space": raw_header(suite=0, epoch=none, seq=0, prev=zero),
        "a body over 64 KiB": raw_header(size=65_537),
        "a body of 4 GiB": raw_header(size=2**32 - 1),
    }.items():
        yield case(f"header: {name}", PAGE, "header", "envelope.bad_header", header=made)
    for name, made in {
        "version 0": raw_header(version=0),
        "version 2": raw_header(version=2),
        "suite 2": raw_header(suite=2),
        "suite 255": raw_header(suite=255),
    }.items():
        yield case(f"header: {name}", PAGE, "header", "envelope.newer", header=made)


def canonicals() -> Iterator[Case]:
    deepest = b"[" * 32 + b"]" * 32
    for good in (
        b"null", b"{}", b"[]", b'""', b"-1", b"9007199254740991", b"-9007199254740991", deepest,
        b'{"A":1,"a":2,"b":[true,false]}', '"Grüß \U0001f600 \u2028"'.encode(),
        b'"\\b\\t\\n\\f\\r\\"\\\\/\\u0000\\u001f\x7f"',
        b'{"":0,"10":1,"9":2,"__proto__":3}',
    ):  # fmt: skip
        yield case(f"canonical: {_short(good)}", PAGE, "canonical", bytes=good)
    for name, bad in {
        "nothing": b"",
        "keys out of order": b'{"b":1,"a":2}',
        "a doubled key": b'{"a":1,"a":1}',
        "a doubled key with another value": b'{"a":1,"a":2}',
        "a space": b'{"a": 1}',
        "a line end behind it": b"1\n",
        "a byte order mark": b"\xef\xbb\xbf1",
        "a float": b"1.5",
        "a whole float": b"1.0",
        "an exponent": b"1e3",
        "minus zero": b"-0",
        "a leading zero": b"01",
        "2^53": b"9007199254740992",
        "minus 2^53": b"-9007199254740992",
        "2^53 + 1": b"9007199254740993",
        "NaN": b"NaN",
        "Infinity": b"Infinity",
        "a lone surrogate": b'"\\ud800"',
        "a surrogate in UTF-8": b'"\xed\xa0\x80"',
        "no UTF-8": b'"\xff"',
        "an overlong spelling": b'"\xc0\xaf"',
        "an escaped slash": b'"\\/"',
        "an escaped letter": b'"\\u0061"',
        "an escape in capitals": b'"\\u001F"',
        "a long escape for a short one": b'"\\u000a"',
        "an escaped umlaut": b'"\\u00fc"',
        "a bare control": b'"\x01"',
        "a key beyond ASCII": '{"ü":1}'.encode(),
        "33 levels": b"[" + deepest + b"]",
        "33 levels of objects": b'{"a":' * 33 + b"0" + b"}" * 33,
        "something behind it": b"{}{}",
        "a comma at the end": b"[1,]",
        "single quotes": b"'a'",
    }.items():
        yield case(f"canonical: {name}", PAGE, "canonical", "envelope.not_canonical", bytes=bad)


def _short(data: bytes) -> str:
    shown = data.decode()
    return shown if len(shown) < 40 and shown.isprintable() else f"{len(data)} bytes"


def clears() -> Iterator[Case]:
    genesis: dict[str, Any] = {"creator": IDENTITY, "nonce": text(count(16)), "space": "self"}
    box: dict[str, Any] = {"box": text(count(80)), "to": [IDENTITY, text(count(32))]}
    wrap: dict[str, Any] = {"boxes": [box], "commit": text(COMMIT), "previous": []}
    yield case("clear: a genesis", PAGE, "clear body", seq=0, body=GENESIS)
    yield case("clear: the genesis of a self space", PAGE, "clear body", seq=0, body=canonical.encode(genesis))
    yield case("clear: a wrap", PAGE, "clear body", seq=1, body=WRAP)
    many = wrap | {"boxes": [box] * 16}
    yield case("clear: a wrap of 16 boxes", PAGE, "clear body", seq=1, body=canonical.encode(many))
    bad = "envelope.bad_clear_body"
    for name, value in {
        "a genesis of another kind": genesis | {"space": "club"},
        "a genesis with a short nonce": genesis | {"nonce": text(count(15))},
        "a genesis with a creator of 33 bytes": genesis | {"creator": text(count(33))},
        "a genesis with padded base64": genesis | {"nonce": text(count(16)) + "=="},
        "a genesis with spare bits": genesis | {"nonce": "AAECAwQFBgcICQoLDA0ODx"},
        "a genesis with a number for its nonce": genesis | {"nonce": 1},
        "a genesis with one key more": genesis | {"more": 1},
        "a genesis with one key less": {"creator": IDENTITY, "nonce": text(count(16))},
        "a genesis that is a list": [genesis],
    }.items():
        yield case(f"clear: {name}", PAGE, "clear body", bad, seq=0, body=canonical.encode(value))
    for name, value in {
        "a wrap without boxes": wrap | {"boxes": []},
        "a wrap of 17 boxes": wrap | {"boxes": [box] * 17},
        "a wrap with a short commitment": wrap | {"commit": text(COMMIT[:31])},
        "a wrap without its list of older keys": {"boxes": [box], "commit": text(COMMIT)},
        "a wrap with one key more": wrap | {"epoch": text(EPOCH)},
        "a box to an identity alone": wrap | {"boxes": [box | {"to": [IDENTITY]}]},
        "a box to three": wrap | {"boxes": [box | {"to": [IDENTITY] * 3}]},
        "an empty box": wrap | {"boxes": [box | {"box": ""}]},
        "a box over 4,000 characters": wrap | {"boxes": [box | {"box": "A" * 4004}]},
        "a box that is not base64url": wrap | {"boxes": [box | {"box": "AA+A"}]},
        "a box with one key more": wrap | {"boxes": [box | {"note": ""}]},
        "boxes that are no list": wrap | {"boxes": {"0": box}},
    }.items():
        yield case(f"clear: {name}", PAGE, "clear body", bad, seq=1, body=canonical.encode(value))
    spaced = canonical.encode(genesis).replace(b":", b": ", 1)
    yield case("clear: a genesis with a space in it", PAGE, "clear body", "envelope.not_canonical", seq=0, body=spaced)


def certificates() -> Iterator[Case]:
    phone, tablet, watch, bot = signer(10), signer(11), signer(12), signer(13)
    laptop = certified()
    by_laptop = certified(phone, DEVICE, "admin", name="phone")
    by_phone = certified(tablet, phone, "admin", name="tablet")
    by_tablet = certified(watch, tablet, "device", name="")
    for name, device, chain in (
        ("of the root", DEVICE, [laptop]),
        ("of two", phone, [by_laptop, laptop]),
        ("of four, the last kind a device's", watch, [by_tablet, by_phone, by_laptop, laptop]),
        ("with a name of 64 characters beyond the first plane", DEVICE, [certified(name="\U0001f600" * 64)]),
    ):
        yield case(f"certificates: {name}", PAGE, "certificates", device=device.public, certificates=chain)
    stranger = signer(20)
    other = certificate.identity_of(stranger.public)
    weak = dict(laptop) | {"device": text(bytes(32))}
    mixed = points.mixed(7, 1).encoding
    resigned = _resigned
    bad: tuple[tuple[str, signing.Ed25519Signer, Any], ...] = (
        ("none", DEVICE, []),
        ("five", watch, [by_tablet, by_phone, by_laptop, laptop, laptop]),
        ("that do not lead to the root", phone, [by_laptop]),
        ("in the other order", phone, [laptop, by_laptop]),
        ("of another device", phone, [laptop]),
        (
            "by a device that is no admin",
            tablet,
            [certified(tablet, phone), certified(phone, DEVICE, "device"), laptop],
        ),
        ("by a grant", tablet, [certified(tablet, bot), certified(bot, DEVICE, "grant"), laptop]),
        ("with a link missing", tablet, [by_phone, laptop]),
        ("of two identities", phone, [certified(phone, DEVICE, identity=other), laptop]),
        ("of an identity that is not the root's", DEVICE, [certified(identity=other)]),
        ("by a stranger", DEVICE, [certified(by=stranger)]),
        ("with another name than was signed", DEVICE, [laptop | {"name": "Laptop"}]),
        ("with another time than was signed", DEVICE, [laptop | {"at": 0}]),
        ("with another kind than was signed", DEVICE, [laptop | {"kind": "device"}]),
        ("with a signature of 63 bytes", DEVICE, [laptop | {"sig": text(bytes(63))}]),
        ("with an empty signature", DEVICE, [laptop | {"sig": text(bytes(64))}]),
        ("of an unknown kind", DEVICE, [resigned(laptop | {"kind": "root"})]),
        ("of version 2", DEVICE, [resigned(laptop | {"v": 2})]),
        ("of version true", DEVICE, [resigned(laptop | {"v": True})]),
        ("with a name of 65 characters", DEVICE, [certified(name="x" * 65)]),
        ("with a time before 1970", DEVICE, [resigned(laptop | {"at": -1})]),
        ("with one key more", DEVICE, [resigned(laptop | {"scope": ""})]),
        ("with one key less", DEVICE, [{key: value for key, value in laptop.items() if key != "name"}]),
        ("that are text", DEVICE, ["certificate"]),
        ("of a key of small order", DEVICE, [weak]),
    )
    for name, device, chain in bad:
        yield case(
            f"certificates: {name}", PAGE, "certificates", "certificate.bad", device=device.public, certificates=chain
        )
    # A key with a part of small order passes here; a deal refuses it at its door (key admission).
    made = certificate.issue(ROOT, "device", IDENTITY, DeviceId(text(mixed)), "odd", 0).value()
    yield case("certificates: of a key with a torsion part", PAGE, "certificates", device=mixed, certificates=[made])


def granted() -> Iterator[Case]:
    """Certificates of a grant and of its runs."""
    phone, tablet, bot, run, far = signer(10), signer(11), signer(13), signer(14), signer(15)
    laptop, grant = certified(), certified(bot, DEVICE, "grant", name="ci")
    above = [certified(tablet, phone, name="tablet"), certified(phone, DEVICE, name="phone"), laptop]
    five, its_run = [certified(far, tablet), *above], certified(run, bot, "run", name="ci")
    limited = phone, certified(phone, DEVICE, "device")
    for name, device, chain in (
        ("of a grant", bot, [grant, laptop]),
        ("of a run", run, [its_run, grant, laptop]),
        ("of a run, of six", run, [its_run, certified(bot, far, "grant"), *five]),
    ):
        yield case(f"certificates: {name}", PAGE, "certificates", device=device.public, certificates=chain)
    unspaced = {key: value for key, value in grant.items() if key != "space"}
    bad: tuple[tuple[str, signing.Ed25519Signer, Any], ...] = (
        ("of a device by a grant", tablet, [certified(tablet, bot, "device"), grant, laptop]),
        ("of a grant by a grant", tablet, [certified(tablet, bot, "grant"), grant, laptop]),
        ("of a run by a run", tablet, [certified(tablet, run, "run"), its_run, grant, laptop]),
        ("of a run by a device", run, [certified(run, DEVICE, "run"), laptop]),
        ("of a run by another grant", run, [certified(run, far, "run"), grant, laptop]),
        ("of a run without the device", run, [its_run, grant]),
        ("of a run without the grant", run, [its_run, laptop]),
        ("of a run behind its grant", bot, [grant, its_run, laptop]),
        ("of a grant by the root", bot, [certified(bot, ROOT, "grant")]),
        ("of a grant by a device that is no admin", bot, [certified(bot, limited[0], "grant"), limited[1], laptop]),
        ("of a grant, of six", bot, [certified(bot, signer(16), "grant"), certified(signer(16), far), *five]),
        ("of a grant for another space than was signed", bot, [grant | {"space": text(count(32))}, laptop]),
        ("of a grant for longer than was signed", bot, [grant | {"until": 2**50}, laptop]),
        ("of a grant without its space", bot, [unspaced, laptop]),
        ("of a grant for a space of 31 bytes", bot, [_signed(DEVICE, grant | {"space": text(bytes(31))}), laptop]),
        ("of a grant until before 1970", bot, [_signed(DEVICE, grant | {"until": -1}), laptop]),
        ("of a device for a space", DEVICE, [_resigned(laptop | {"space": text(SPACE), "until": 1})]),
        ("of a run for a space", run, [_signed(bot, its_run | {"space": text(SPACE), "until": 1}), grant, laptop]),
    )
    for name, device, chain in bad:
        yield case(
            f"certificates: {name}", PAGE, "certificates", "certificate.bad", device=device.public, certificates=chain
        )


def _resigned(value: dict[str, object]) -> dict[str, object]:
    """Rightly signed by the root, whatever it says."""
    return _signed(ROOT, value)


def _signed(by: signing.Ed25519Signer, value: dict[str, object]) -> dict[str, object]:
    bare = {key: part for key, part in value.items() if key != "sig"}
    return bare | {"sig": text(by.sign(signing.TAGS.certificate, canonical.encode(bare)))}


class Sealed:
    """One sealed event, each part of which can be another one."""

    def __init__(self, content: bytes | None = None) -> None:
        cipher = sealing.BodyCipher(derivation.derive(SECRET, "body"))
        made = padded(canonical.encode(said(cert=[certified()]))) if content is None else content
        self.body = epochs.seal(cipher, SPACE, DEVICE.public, 2, PREV, EPOCH, made)

    def header(self, **other: Any) -> bytes:
        """Its header, with other fields where they are given."""
        fields: dict[str, Any] = {
            "suite": 1,
            "space": SPACE,
            "device": DEVICE.public,
            "seq": 2,
            "prev": PREV,
            "epoch": EPOCH,
        }
        return header.make(**fields | other, body=self.body)


def events() -> Iterator[Case]:
    one = Sealed()
    yield case("event: sealed", PAGE, "event", header=one.header(), body=one.body, secret=SECRET)
    bare = Sealed(padded(canonical.encode(said("taken", {}))))
    yield case("event: the shortest", PAGE, "event", header=bare.header(), body=bare.body, secret=SECRET)
    closed = "body.unopenable"
    places: dict[str, dict[str, Any]] = {
        "on another chain": {"device": signer(5).public},
        "at another place": {"seq": 3},
        "behind another event": {"prev": count(32, 77)},
        "in another space": {"space": count(32, 78)},
        "in another epoch": {"epoch": count(8, 79)},
    }
    for name, other in places.items():
        yield case(f"event: {name}", PAGE, "event", closed, header=one.header(**other), body=one.body, secret=SECRET)
    yield case("event: another secret", PAGE, "event", closed, header=one.header(), body=one.body, secret=count(32, 3))
    for name, body in {
        "its first bit": flipped(one.body, 0),
        "a bit in its middle": flipped(one.body, len(one.body) // 2, 3),
        "its last bit": flipped(one.body, -1, 7),
        "a byte less": one.body[:-1],
        "a byte more": one.body + b"\0",
        "the tag alone": one.body[-16:],
        "no body": b"",
    }.items():
        yield case(f"event: {name}", PAGE, "event", closed, header=one.header(), body=body, secret=SECRET)
    loose = Sealed(padded(canonical.encode(said())) + bytes(64))
    yield case(
        "event: padding that is a block too long", PAGE, "event", "body.malformed",
        header=loose.header(), body=loose.body, secret=SECRET,
    )  # fmt: skip


def plaintexts() -> Iterator[Case]:
    key, other = text(count(32, 5)), text(count(32, 6))
    low, high = sorted((key, other))
    for name, value in {
        "with what was seen": said(seen=[[low, 0, key], [high, 2**53 - 1, other]]),
        "with what was seen of two histories": said(seen=[[low, 3, low], [low, 3, high]]),
        "with what was seen of two places of a device": said(seen=[[low, 3, key], [low, 4, key]]),
        "optional": said(optional=True),
        "with its request": said(request=["r-1", key]),
        "with certificates": said(cert=[]),
        "of a kind nobody knows": said("future.kind", {}),
        "of a kind of 64 characters": said("k" * 64, {}),
        "at the last instant": said(at=2**47 - 1),
        "at the first instant": said(at=0),
    }.items():
        yield case(f"plaintext: {name}", PAGE, "plaintext", padded=padded(canonical.encode(value)))
    bad: dict[str, Any] = {
        "one key more": said(note=""),
        "no seen": {key: part for key, part in said().items() if key != "seen"},
        "a list": [said()],
        "an empty kind": said(""),
        "a kind of 65 characters": said("k" * 65),
        "a kind that is a number": said() | {"kind": 1},
        "version 0": said(v=0),
        "version true": said(v=True),
        "an instant before 1970": said(at=-1),
        "an instant of 2^47": said(at=2**47),
        "data that is a list": said() | {"data": []},
        "data that is null": said() | {"data": None},
        "optional false": said(optional=False),
        "optional 1": said(optional=1),
        "certificates that are text": said(cert="x"),
        "seen that is an object": said(seen={}),
        "seen out of order": said(seen=[[high, 0, key], [low, 0, key]]),
        "seen twice": said(seen=[[low, 3, key], [low, 3, key]]),
        "seen with places out of order": said(seen=[[low, 4, key], [low, 3, key]]),
        "seen with ids out of order": said(seen=[[low, 3, high], [low, 3, low]]),
        "seen with a pair": said(seen=[[low, 0]]),
        "seen with a short device": said(seen=[[text(count(31)), 0, key]]),
        "seen with a short id": said(seen=[[low, 0, text(count(31))]]),
        "seen at a place before 0": said(seen=[[low, -1, key]]),
        "seen at a place true": said(seen=[[low, True, key]]),
        "a request without its hash": said(request=["r-1"]),
        "an empty request id": said(request=["", key]),
        "a request id of 129 characters": said(request=["r" * 129, key]),
        "a request with a short hash": said(request=["r-1", text(count(31))]),
        "a request that is null": said(request=None),
    }
    for name, value in bad.items():
        made = padded(canonical.encode(value))
        yield case(f"plaintext: {name}", PAGE, "plaintext", "body.malformed", padded=made)
    good = canonical.encode(said())
    for name, made in {
        "nothing": b"",
        "zeros alone": bytes(64),
        "no multiple of 64": good + b"\0" * (-len(good) % 64 + 1),
        "without padding": good[:-1] if len(good) % 64 == 0 else good,
        "64 zeros too many": padded(good) + bytes(64),
        "padded with spaces": good + b" " * (-len(good) % 64),
        "a zero byte in front": padded(b"\0" + good),
    }.items():
        yield case(f"plaintext: {name}", PAGE, "plaintext", "body.malformed", padded=made)


def identity_of(start: int) -> IdentityId:
    """The identity of the root whose seed counts up from `start`."""
    return certificate.identity_of(signer(start).public)
