"""Vectors of how events travel: segments, packs of folders, frames and the handshake, relay messages and receipts."""

from __future__ import annotations

import hmac
from base64 import b64encode
from collections.abc import Iterator, Sequence
from hashlib import sha256
from struct import pack as struct
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from chaise_cli.crypto import derivation, signing
from chaise_cli.ids import text
from chaise_cli.ledger import canonical, clear, header, receipt
from chaise_cli.ledger import segment as segments
from chaise_cli.ledger.receipt import Receipt
from chaise_cli.ledger.segment import Sealed, Segment
from sync import ranges, relay_messages
from sync.relay_messages import Different, Piece, Pull, Push, Pushed, Row, Section, Summary
from tests.interop.cases.common import (
    AT,
    DEVICE,
    EPOCH,
    GENESIS,
    IDENTITY,
    RELAY,
    SECRET,
    SPACE,
    Case,
    case,
    certified,
    count,
    flipped,
    signer,
)  # fmt: skip

CLEAR: Final = Sealed(0, header.NO_EPOCH, GENESIS)
BAD: Final = "envelope.bad_segment"


def chain(*events: Sealed, first: int = 0, prev: bytes = header.ZERO, device: signing.Signer = DEVICE) -> Segment:
    """A run of one chain of the space, rightly signed."""
    bare = Segment(SPACE, device.public, first, prev, events, bytes(64))
    newest = segments.links(bare)[-1].header
    return bare._replace(signature=device.sign(signing.TAGS.event, newest))


def told(number: int) -> Sealed:
    """A sealed body of any bytes: no key is needed to carry it."""
    return Sealed(1, EPOCH, count(80, number))


THREE: Final = chain(CLEAR, told(1), told(2))
LATER: Final = chain(told(3), told(4), first=3, prev=segments.links(THREE)[-1].id)
OTHER: Final = chain(told(5), device=signer(5))


def of_segments() -> Iterator[Case]:
    """Of docs/spec/envelope.md, "Segments"."""
    good, ids = segments.pack(THREE), segments.links(THREE)
    most = chain(*(Sealed(1, EPOCH, b"") for _ in range(1000)), device=signer(5))
    for name, run in {
        "of a genesis alone": chain(CLEAR),
        "of three": THREE,
        "that goes on": LATER,
        "of another device": OTHER,
        "that begins anywhere": chain(told(1), first=7, prev=count(32)),
    }.items():
        yield _segment(name, segments.pack(run))
    yield _segment("of 1,000 events", segments.pack(most))
    yield _segment("of no events", segments.pack(THREE._replace(events=[])), BAD)
    thousand_one = segments.pack(most._replace(events=[*most.events, *most.events[:1]]))
    yield _segment("of 1,001 events", thousand_one, BAD)
    for name, run in {
        "signed at an earlier event": THREE._replace(signature=DEVICE.sign(signing.TAGS.event, ids[1].header)),
        "signed under another tag": THREE._replace(signature=DEVICE.sign(signing.TAGS.proof, ids[2].header)),
        "signed by another device": THREE._replace(signature=signer(5).sign(signing.TAGS.event, ids[2].header)),
        "under another device's name": THREE._replace(device=signer(5).public),
        "behind another event": LATER._replace(prev=count(32)),
        "at another place": LATER._replace(first_seq=4),
        "with two events changed about": LATER._replace(events=LATER.events[::-1]),
        "without its first event": LATER._replace(events=LATER.events[1:]),
        "without its last event": LATER._replace(events=LATER.events[:1]),
        "in another epoch": LATER._replace(events=[LATER.events[0], told(4)._replace(epoch=count(8))]),
        "with another genesis": chain(_genesis(1), told(1)),
        "of a board with this id": chain(_genesis(0, "board")),
        "with a last place over 2^63 - 2": chain(told(1), first=2**63 - 1, prev=count(32)),
        "with a place near 2^64": chain(told(1), first=2**64 - 2, prev=count(32)),
    }.items():
        yield _segment(name, segments.pack(run), BAD)
    for name, data in {
        "empty": b"",
        "cut in its head": good[:100],
        "cut in a body": good[:200],
        "cut in its signature": good[:-1],
        "with a byte left over": good + b"\0",
        "with a bit of a body changed": flipped(good, 230),
        "with a bit of its signature changed": flipped(good, -1),
        "with a body of 65,537 bytes": segments.pack(OTHER._replace(events=[Sealed(1, EPOCH, bytes(65_537))])),
    }.items():
        yield _segment(name, data, BAD)
    yield _segment("that is asked for in another space", good, BAD, space=count(32))
    for name, run in {
        "with a first event that has a predecessor": OTHER._replace(prev=count(32)),
        "with a later event without predecessor": LATER._replace(prev=header.ZERO),
        "with an event in clear and of an epoch": LATER._replace(events=[Sealed(0, EPOCH, b"{}"), told(1)]),
        "with a sealed event of no epoch": LATER._replace(events=[Sealed(1, header.NO_EPOCH, b""), told(1)]),
    }.items():
        yield _segment(name, segments.pack(run), "envelope.bad_header")
    suite = segments.pack(LATER._replace(events=[Sealed(2, EPOCH, b""), told(1)]))
    yield _segment("with an event of suite 2", suite, "envelope.newer")
    for name, body, code in (
        ("a genesis that is malformed", b"{}", "envelope.bad_clear_body"),
        ("a genesis that is not canonical", GENESIS + b" ", "envelope.not_canonical"),
    ):
        made = header.make(header.CLEAR, header.ZERO, DEVICE.public, 0, header.ZERO, header.NO_EPOCH, body)
        signature = DEVICE.sign(signing.TAGS.event, made)
        space = header.event_id(made)
        run = Segment(space, DEVICE.public, 0, header.ZERO, [Sealed(0, header.NO_EPOCH, body)], signature)
        yield _segment(f"with {name}", segments.pack(run), code, space=space)


def _genesis(start: int, kind: str = "deal") -> Sealed:
    return Sealed(0, header.NO_EPOCH, clear.write_genesis(clear.Genesis(text(count(16, start)), kind, IDENTITY)))


def _segment(name: str, data: bytes, expect: str = "ok", space: bytes = SPACE) -> Case:
    return case(f"segment: {name}", "envelope.md", "segment", expect, segment=data, space=space)


def packed(
    runs: Sequence[bytes] = (),
    names: Sequence[bytes] = (),
    listed: Sequence[tuple[bytes, int, int, bytes]] = (),
    *,
    version: int = 1,
    magic: bytes = b"CHPK",
    longer: int = 0,
) -> bytes:
    """A pack of any content."""
    rows = b"".join(names) + b"".join(struct(">32sQQ32s", *row) for row in listed)
    body = b"".join(struct(">I", len(run)) + run for run in runs)
    size = 83 + len(rows) + len(body) + longer
    head = struct(">4sBQ32s32sHI", magic, version, size, SPACE, DEVICE.public, len(names), len(listed))
    return head + rows + body


def of_packs() -> Iterator[Case]:
    """Of docs/spec/sync.md, "Pack"."""
    three, later, other = (segments.pack(run) for run in (THREE, LATER, OTHER))
    ends = [segments.links(run)[-1].id for run in (THREE, LATER, OTHER)]
    whole, aside = (DEVICE.public, 0, 4, ends[1]), (signer(5).public, 0, 0, ends[2])
    good = packed([three, later, other], [count(32), count(32, 1)], [whole, aside])
    apart = [(DEVICE.public, 0, 2, ends[0]), aside, (DEVICE.public, 3, 4, ends[1])]
    yield _pack("of two chains", good)
    yield _pack("of one chain in two places", packed([three, other, later], [], apart))
    yield _pack("of nothing", packed())
    bad = "pack.malformed"
    for name, data in {
        "another magic": packed(magic=b"CHPL"),
        "cut in its head": good[:82],
        "empty": b"",
        "names out of order": packed([three], [count(32, 1), count(32)], [apart[0]]),
        "a name twice": packed([three], [count(32), count(32)], [apart[0]]),
        "more names than it holds": struct(">4sBQ32s32sHI", b"CHPK", 1, 83, SPACE, DEVICE.public, 9, 0),
        "a range of another device": packed([three], [], [(signer(5).public, 0, 2, ends[0])]),
        "a range that begins later": packed([three], [], [(DEVICE.public, 1, 2, ends[0])]),
        "a range that ends later": packed([three], [], [(DEVICE.public, 0, 3, ends[0])]),
        "a range backwards": packed([three], [], [(DEVICE.public, 2, 0, ends[0])]),
        "a range too few": packed([three, other], [], [apart[0]]),
        "a range too many": packed([three], [], [apart[0], aside]),
        "ranges that are not joined": packed([three, later], [], [apart[0], apart[2]]),
        "ranges in another order": packed([three, other], [], [aside, apart[0]]),
        "a segment of another space": packed([segments.pack(THREE._replace(space=count(32)))], [], [apart[0]]),
        "a segment of no events": packed([segments.pack(THREE._replace(events=[]))], [], [apart[0]]),
        "a segment that is longer than its size": packed([three[:-1]], [], [apart[0]]),
        "a segment beyond the end": packed([], [], [])[:5] + struct(">Q", 83 + 4) + packed()[13:] + struct(">I", 300),
    }.items():
        yield _pack(name, data, bad)
    yield _pack("cut", good[:-1], "pack.partial")
    yield _pack("longer than it says", good + b"\0", "pack.partial")
    yield _pack("shorter than it says", packed(longer=1), "pack.partial")
    yield _pack("of version 2", packed(version=2), "pack.newer")
    yield _pack("under another name", good, "pack.damaged", name="00" * 32)
    yield _pack("with a bit changed", flipped(good, -100), "pack.damaged", name=sha256(good).hexdigest())
    false = packed([flipped(three, 230)], [], [apart[0]])
    yield _pack("with a segment that does not verify", false, BAD)


def _pack(what: str, data: bytes, expect: str = "ok", name: str | None = None) -> Case:
    named = name or sha256(data).hexdigest()
    return case(f"pack: {what}", "sync.md", "pack", expect, pack=data, name=named)


def of_frames() -> Iterator[Case]:
    """Of docs/spec/sync.md, "Conversation over a stream"; what compares spaces is left to the ranges below."""
    page, bad = "sync.md", "peer.protocol"
    for name, data in {
        "END": struct(">BI", 11, 0),
        "BYE": struct(">BI", 12, 0),
        "SEGMENT": struct(">BI", 6, 3) + b"abc",
    }.items():
        yield case(f"frame: {name}", page, "frame", frame=data)
    for name, data in {
        "of kind 0": struct(">BI", 0, 0),
        "of kind 18": struct(">BI", 18, 0),
        "over 4 MiB": struct(">BI", 6, 4 * 1024 * 1024 + 1),
        "with a byte behind it": struct(">BI", 11, 0) + b"\0",
    }.items():
        yield case(f"frame: {name}", page, "frame", bad, frame=data)
    head = DEVICE.public + struct(">Q", 4) + count(32)
    over = DEVICE.public + struct(">Q", 2**63) + count(32)
    result = SPACE + struct(">II", 3, 1)
    for name, kind, data, code in (
        ("RESULT without heads", "RESULT", result, "ok"),
        ("RESULT with a head", "RESULT", result + head, "ok"),
        ("RESULT cut", "RESULT", result[:-1], bad),
        ("RESULT with half a head", "RESULT", result + head[:40], bad),
        ("RESULT with a place of 2^63", "RESULT", result + over, bad),
        ("WANT of nothing", "WANT", b"", "ok"),
        ("WANT of two", "WANT", count(64), "ok"),
        ("WANT cut", "WANT", count(63), bad),
        ("ERROR", "ERROR", canonical.encode({"code": "store.busy", "text": "wait"}), "ok"),
        ("ERROR with a key more", "ERROR", canonical.encode({"code": "x", "text": "", "more": 1}), bad),
        ("ERROR with a number", "ERROR", canonical.encode({"code": 1, "text": ""}), bad),
        ("ERROR that is not canonical", "ERROR", b'{"text":"","code":"x"}', bad),
    ):
        yield case(f"payload: {name}", page, "payload", code, name=kind, payload=data)
    yield from _hellos()
    yield from _proofs()


def _hello(by: signing.Signer = DEVICE, start: int = 0, **other: Any) -> bytes:
    value = {"certificates": [certified(by)], "device": text(by.public), "nonce": text(count(32, start)), "version": 1}
    return canonical.encode(value | other)


def _hellos() -> Iterator[Case]:
    def one(name: str, payload: bytes, expect: str = "ok") -> Case:
        return case(f"hello: {name}", "sync.md", "hello", expect, payload=payload)

    phone = signer(10)
    yield one("of an admin", _hello())
    yield one(
        "of a device that an admin certified",
        _hello(phone, certificates=[certified(phone, DEVICE, "device"), certified()]),
    )
    yield one("of version 2", _hello(version=2), "peer.newer")
    yield one("of version 0", _hello(version=0), "peer.protocol")
    yield one("with a short nonce", _hello(nonce=text(count(31))), "peer.protocol")
    yield one("with a short device", _hello(device=text(count(31))), "peer.protocol")
    yield one("with a key more", _hello(more=1), "peer.protocol")
    yield one("that is not canonical", _hello() + b" ", "peer.protocol")
    yield one("that is a list", b"[]", "peer.protocol")
    yield one("of another device", _hello(phone, certificates=[certified()]), "peer.unproven")
    grant = [certified(phone, DEVICE, "grant"), certified()]
    yield one("of a grant", _hello(phone, certificates=grant), "peer.unproven")
    yield one("without certificates", _hello(certificates=[]), "certificate.bad")
    yield one("with a certificate of a stranger", _hello(certificates=[certified(by=signer(20))]), "certificate.bad")


def _proofs() -> Iterator[Case]:
    phone = signer(10)
    lead, follow = _hello(), _hello(phone, 7)
    halves = sha256(lead).digest() + sha256(follow).digest()
    boards, relays = [SECRET, count(32, 50)], [RELAY.public, signer(31).public]

    def message(role: bytes) -> bytes:
        return b"chaise/1 sync\0" + role + b"\0" + halves

    def mac(role: bytes, secret: bytes) -> bytes:
        return hmac.digest(derivation.derive(secret, "access"), message(role), "sha256")

    def met(role: bytes, relay: bytes) -> bytes:
        return hmac.digest(relay, message(role), "sha256")

    def one(name: str, payload: bytes, expect: str = "ok", role: str = "lead") -> Case:
        given = {"payload": payload, "role": role, "lead": lead, "follow": follow, "boards": boards, "relays": relays}
        return case(f"proof: {name}", "sync.md", "proof", expect, **given)

    leads = DEVICE.sign(signing.TAGS.proof, message(b"lead"))
    follows = phone.sign(signing.TAGS.proof, message(b"follow"))
    yield one("of the leader", leads)
    yield one("of the leader, with both boards", leads + b"".join(sorted(mac(b"lead", board) for board in boards)))
    yield one("of the leader, with a board nobody knows", leads + mac(b"lead", count(32, 51)))
    both = sorted([mac(b"lead", SECRET), met(b"lead", relays[1])])
    yield one("of the leader, with a board and a relay", leads + b"".join(both))
    yield one("of the leader, with the other side's MAC of a relay", leads + met(b"follow", relays[0]))
    yield one("with the other side's MAC", leads + mac(b"follow", SECRET))
    yield one("of the follower", follows, role="follow")
    for name, payload, role in (
        ("of the other role", DEVICE.sign(signing.TAGS.proof, message(b"follow")), "lead"),
        ("by the other side", follows, "lead"),
        ("of the leader handed back", leads, "follow"),
        ("under another tag", DEVICE.sign(signing.TAGS.request, message(b"lead")), "lead"),
        ("with a bit changed", flipped(leads, 9), "lead"),
    ):
        yield one(name, payload, "peer.unproven", role)
    yield one("with half a MAC", leads + bytes(16), "peer.protocol")


def of_relays() -> Iterator[Case]:
    """Of docs/spec/relay.md, and the ranges of docs/spec/sync.md."""
    rows = [sha256(count(8, n)).digest() + count(8, n) for n in range(40)]
    for name, some in {"no space": [], "one space": rows[:1], "forty spaces": rows}.items():
        asked = [] if not some else sorted({some[0][0] >> 3, 31})
        yield case(f"ranges: of {name}", "sync.md", "range digests", rows=some, ranges=asked)
    page = "relay.md"
    yield case("log head: of nothing", page, "log head", ids=[])
    yield case("log head: of three", page, "log head", ids=[link.id for link in segments.links(THREE)])
    yield from _receipts()
    yield from _messages()
    yield from _doors()
    yield from _requests()


def receipted(number: int, event: bytes, head: bytes) -> Receipt:
    """What the relay signs for an entry."""
    return receipt.issue(RELAY, SPACE, number, event, AT, head)


def _receipts() -> Iterator[Case]:
    ids = [link.id for link in segments.links(THREE)]
    good = receipted(3, ids[2], receipt.advance(receipt.START, ids))
    data = good.pack()
    yield case("receipt: of the third entry", "relay.md", "receipt", receipt=data)
    bare = data[:-64]
    later = receipt.issue(RELAY, SPACE, 3, ids[2], 2**47, good.head)
    for name, made in {
        "cut": data[:-1],
        "longer": data + b"\0",
        "of number 0": receipted(0, ids[0], good.head).pack(),
        "of number 2^63": receipted(2**63, ids[0], good.head).pack(),
        "of an instant of 2^47": later.pack(),
        "of another relay": flipped(data, 0),
        "of another space": flipped(data, 40),
        "of another number": flipped(data, 71),
        "of another event": flipped(data, 80),
        "of another instant": flipped(data, 111),
        "of another head": flipped(data, 120),
        "signed under another tag": bare + RELAY.sign(signing.TAGS.event, bare),
        "signed by a device": bare + DEVICE.sign(signing.TAGS.receipt, bare),
    }.items():
        yield case(f"receipt: {name}", "relay.md", "receipt", "receipt.bad", receipt=made)


def _messages() -> Iterator[Case]:
    for form, good in _good().items():
        given = {"given": 2} if form == "push answer" else {}
        yield case(f"relay: {form}", "relay.md", "relay message", form=form, message=good, **given)
        yield _malformed(form, "cut", good[:79] if form == "object" else good[:-1])
        if form != "object":
            yield _malformed(form, "longer by a byte", good + b"\0")
    yield case("relay: a summary that agrees", "relay.md", "relay message", form="summary answer", message=b"\0")
    nothing = {
        "form": "push answer",
        "message": relay_messages.pack_pushed(Pushed(1, bytes(32), None, [], [])),
        "given": 0,
    }
    yield case("relay: a push of nothing to a new space", "relay.md", "relay message", **nothing)
    yield from _bad_messages()


def _good() -> dict[str, bytes]:
    ids = [link.id for run in (THREE, OTHER) for link in segments.links(run)]
    head = receipt.advance(receipt.START, ids)
    signed = receipted(4, ids[-1], head)
    section = Section(SPACE, 0, signed, [(0, 2), (1, 1), (0, 1)], [THREE, OTHER])
    wide = count(ranges.WIDTH)
    return {
        "summary": relay_messages.pack_summary(Summary(count(32), wide, 60)),
        "summary answer": relay_messages.pack_different(Different(count(32), [(0, wide), (31, wide)], [section])),
        "pull": relay_messages.pack_pull(Pull([0, 1023], [Row(SPACE, 3, count(8))])),
        "pull answer": relay_messages.pack_sections([section], more=True),
        "push": relay_messages.pack_push(Push(SPACE, DEVICE.public, [THREE, OTHER])),
        "push answer": relay_messages.pack_pushed(Pushed(1, bytes(32), signed, [3, 0], [(1, "sync.gap")])),
        "object": relay_messages.pack_piece(Piece(SPACE, count(32), 9, 4, b"hello")),
    }


def _bad_messages() -> Iterator[Case]:
    good, wide = _good(), count(ranges.WIDTH)
    ids = [link.id for link in segments.links(THREE)]
    signed = receipted(3, ids[2], receipt.advance(receipt.START, ids))

    def section(**other: Any) -> bytes:
        made = Section(SPACE, 0, signed, [(0, 3)], [THREE])._replace(**other)
        return relay_messages.pack_sections([made], more=False)

    yield _malformed("summary", "with a wait of 61 s", relay_messages.pack_summary(Summary(count(32), wide, 61)))
    yield _malformed("summary answer", "of another flag", b"\2" + good["summary answer"][1:])
    short = relay_messages.pack_different(Different(count(32), [(3, wide)]))
    yield case(
        "relay: a summary answer without news", "relay.md", "relay message", form="summary answer", message=short
    )
    yield _malformed("summary answer", "with news that do not fit together", short + section(order=[(0, 2)])[1:])
    for name, numbers in {"out of order": (5, 4), "twice": (4, 4), "over 31": (4, 32)}.items():
        made = relay_messages.pack_different(Different(count(32), [(number, wide) for number in numbers]))
        yield _malformed("summary answer", f"with ranges {name}", made)
    yield _malformed("pull", "with part 1,024", relay_messages.pack_pull(Pull([1024], [])))
    yield _malformed("pull", "after entry 2^63", relay_messages.pack_pull(Pull([], [Row(SPACE, 2**63, count(8))])))
    for name, made in {
        "that holds fewer events than it says": section(order=[(0, 2)]),
        "that holds an event twice": section(order=[(0, 3), (0, 1)]),
        "with a run of nothing": section(order=[(0, 0), (0, 3)]),
        "with a run of a segment that is not there": section(order=[(1, 3)]),
        "of another space": section(space=count(32)),
        "with events of another space": section(segments=[THREE._replace(space=count(32))]),
        "that ends where it begins": section(after=3),
        "that begins later than its events": section(after=1),
    }.items():
        yield _malformed("pull answer", name, made)
    yield _malformed("pull answer", "of another flag", b"\2" + good["pull answer"][1:])
    yield _malformed("pull answer", "empty", b"")
    yield _malformed("push", "of another flag", SPACE + b"\2" + good["push"][33:])
    yield _malformed("push", "with a short door key", SPACE + b"\1" + count(31))
    yield _malformed("push", "of another space", count(32) + good["push"][32:])
    yield _malformed("push answer", "to another push", good["push answer"], given=3)
    far = relay_messages.pack_pushed(Pushed(1, bytes(32), None, [1, 1], [(2, "sync.gap")]))
    yield _malformed("push answer", "that refuses a segment that was not given", far)
    long = relay_messages.pack_pushed(Pushed(1, bytes(32), None, [1, 1], [(0, "x" * 65)]))
    yield _malformed("push answer", "with a code of 65 characters", long)
    beyond = relay_messages.pack_piece(Piece(SPACE, count(32), 8, 4, b"hello"))
    yield _malformed("object", "beyond its end", beyond)
    huge = relay_messages.pack_piece(Piece(SPACE, count(32), 2**47, 0, b""))
    yield _malformed("object", "of 2^47 bytes", huge)


def _malformed(form: str, name: str, data: bytes, given: int = 2) -> Case:
    more = {"given": given} if form == "push answer" else {}
    return case(
        f"relay: {form} {name}", "relay.md", "relay message", "relay.malformed", form=form, message=data, **more
    )


def _doors() -> Iterator[Case]:
    seed = derivation.derive(derivation.derive(SECRET, "access"), "door")
    door = signing.Ed25519Signer(seed)
    message = b"chaise/1 door\0" + RELAY.public + DEVICE.public + SPACE
    given = {"door": door.public, "relay": RELAY.public, "device": DEVICE.public, "space": SPACE}
    made = door.sign(signing.TAGS.proof, message)
    yield case("door: the seed of its key", "relay.md", "door seed", secret=SECRET)
    for name, other in {
        "a proof": {},
        "at another relay": {"relay": signer(31).public},
        "of another device": {"device": signer(5).public},
        "to another board": {"space": count(32)},
        "by another key": {"signature": DEVICE.sign(signing.TAGS.proof, message)},
    }.items():
        yield case(f"door: {name}", "relay.md", "door proof", **{"signature": made} | given | other)


def _requests() -> Iterator[Case]:
    digest = f"sha-256=:{b64encode(sha256(b'body').digest()).decode()}:"
    listed = '("@method" "@authority" "@path" "content-digest")'
    signed = f'{listed};created=1800000000;keyid="{text(DEVICE.public)}";tag="chaise-1"'
    asked = {"method": "POST", "authority": "relay.example", "path": "/v1/pull", "digest": digest}
    base = (
        f'"@method": POST\n"@authority": relay.example\n"@path": /v1/pull\n"content-digest": {digest}\n'
        f'"@signature-params": {signed}'
    )
    given: dict[str, Any] = {**asked, "input": signed, "device": DEVICE.public}
    made = Ed25519PrivateKey.from_private_bytes(count(32, 1)).sign(base.encode())
    changed: dict[str, dict[str, Any]] = {
        "signed": {},
        "at another relay": {"authority": "relay.example:8443"},
        "for another path": {"path": "/v1/push"},
        "with another body": {"digest": digest.replace("sha-256=:", "sha-256=:A", 1)},
        "made at another time": {"input": signed.replace("1800000000", "1800000001")},
        "of another device": {"device": signer(5).public},
        "signed under a tag of Chaise": {"signature": DEVICE.sign(signing.TAGS.request, base.encode())},
    }
    for name, other in changed.items():
        yield case(f"request: {name}", "relay.md", "relay request", **{"signature": made} | given | other)
