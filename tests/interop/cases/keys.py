"""Vectors of docs/spec/keys.md: derivation, signatures, keys, seals, boxes, checked texts, slots, anchors; and invites.

A library draws each box at random, so the one that opens was drawn once and is kept in `drawn.txt`: the secret
`SECRET` to the box key of seed bytes(32, 40), in the space and for the commitment of `common.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from chaise_cli.crypto import (
    attachments,
    boxes,
    checked_text,
    derivation,
    edwards,
    keyslots,
    recovery,
    sealing,
    signing,
)
from chaise_cli.crypto.keyslots import Cost
from chaise_cli.crypto.recovery import RecoveryCode
from chaise_cli.crypto.storekey import StoreKey, anchor_mac, fingerprint
from chaise_cli.ids import SpaceId, raw, text
from chaise_cli.session import invites
from tests.interop.cases.common import COMMIT, DEVICE, SECRET, SPACE, Case, case, count, flipped
from tests.unit.crypto import points

PAGE: Final = "keys.md"
DRAWN: Final = raw(Path(__file__).with_name("drawn.txt").read_text().strip())
BOX_SEED: Final = count(32, 40)
BROKEN: Final = "seal.broken"


def cases() -> Iterator[Case]:
    """All of this page."""
    yield from derivations()
    yield from signatures()
    yield from admissions()
    yield from seals()
    yield from files()
    yield from opened_boxes()
    yield from texts()
    yield from slots()
    yield from anchors()
    yield from invited()


def derivations() -> Iterator[Case]:
    for label in ("body", "history", "access", "root-signing", "fingerprint"):
        given = {"secret": count(32), "label": label, "size": 32, "salt": b""}
        yield case(f"derive: {label}", PAGE, "derive", **given)
    yield case("derive: 100 bytes with a salt", PAGE, "derive", secret=count(20), label="x", size=100, salt=count(16))
    yield case("tagged hash: of two parts", PAGE, "tagged hash", use="event-nonce", parts=[count(32), count(8)])
    yield case("identity: of a root", PAGE, "identity", root=DEVICE.public)
    yield case("commitment: of an epoch", PAGE, "commitment", space=SPACE, secret=SECRET)
    yield case("nonce: of an event", PAGE, "nonce", device=DEVICE.public, seq=str(2**63 - 2))


def signatures() -> Iterator[Case]:
    message = b"hold me"
    for use in signing.TAGS._fields:
        made = DEVICE.sign(getattr(signing.TAGS, use), message)
        yield _signed(f"under the tag {use}", use, made)
    made = DEVICE.sign(signing.TAGS.event, message)
    large = int.from_bytes(made[32:], "little") + edwards.L
    yield _signed("under another tag", "certificate", made)
    yield _signed("over another message", "event", made, message=b"hold you")
    yield _signed("of another key", "event", made, key=count(32, 1))
    yield _signed("with a bit of R changed", "event", flipped(made, 3))
    yield _signed("with a bit of S changed", "event", flipped(made, 40))
    yield _signed("with S not reduced", "event", made[:32] + large.to_bytes(32, "little"))
    yield _signed("of 63 bytes", "event", made[:-1])
    yield _signed("of 65 bytes", "event", made + b"\0")
    yield _signed("of zeros", "event", bytes(64))
    yield _signed("under a key of 31 bytes", "event", made, key=DEVICE.public[:-1])
    # Below, an equation that other verifiers would accept: by a small or mixed key, or a small or mixed R.
    tagged = signing.TAGS.event + message
    whole, small = points.mixed(7, 0), points.small()
    for half in small:
        yield _signed(
            f"under the key of small order {_spelled(half.encoding)}",
            "event",
            points.signature(half, whole, tagged),
            key=half.encoding,
        )
    for half in small[::3]:
        yield _signed(
            f"with the R of small order {_spelled(half.encoding)}",
            "event",
            points.signature(whole, half, tagged),
            key=whole.encoding,
        )
    for n in range(1, 8):
        mixed = points.mixed(7, n)
        yield _signed(f"with a key of torsion {n}", "event", points.signature(mixed, whole, tagged), key=mixed.encoding)
    for n in (1, 4):
        mixed = points.mixed(9, n)
        yield _signed(f"with an R of torsion {n}", "event", points.signature(whole, mixed, tagged), key=whole.encoding)
    yield _signed("by plain integers", "event", points.signature(whole, points.mixed(9, 0), tagged), key=whole.encoding)


def _spelled(encoding: bytes) -> str:
    return f"{encoding[:2].hex()}…{encoding[-1:].hex()}"


def _signed(name: str, tag: str, signature: bytes, *, key: bytes = DEVICE.public, message: bytes = b"hold me") -> Case:
    return case(f"signature: {name}", PAGE, "signature", key=key, tag=tag, message=message, signature=signature)


def admissions() -> Iterator[Case]:
    yield case("key: a good one", PAGE, "key admission", key=DEVICE.public, deal=True)
    for n in (1, 4):
        mixed = points.mixed(7, n).encoding
        yield case(f"key: of torsion {n}, outside deals", PAGE, "key admission", key=mixed, deal=False)
        yield case(f"key: of torsion {n}, in a deal", PAGE, "key admission", "key.torsion", key=mixed, deal=True)
    for half in points.small():
        said = "key.small_order" if edwards.is_canonical(half.encoding) else "key.not_canonical"
        yield case(
            f"key: of small order {_spelled(half.encoding)}", PAGE, "key admission", said, key=half.encoding, deal=False
        )
    over = (edwards.P + 3).to_bytes(32, "little")
    yield case("key: y over p", PAGE, "key admission", "key.not_canonical", key=over, deal=False)
    off = next(made for y in range(2, 99) if edwards.decode(made := y.to_bytes(32, "little")) is None)
    yield case("key: off the curve", PAGE, "key admission", "key.bad", key=off, deal=False)
    yield case("key: of 31 bytes", PAGE, "key admission", "key.bad", key=DEVICE.public[:31], deal=False)
    yield case("key: of 33 bytes", PAGE, "key admission", "key.bad", key=DEVICE.public + b"\0", deal=False)


def seals() -> Iterator[Case]:
    given = {"key": count(32), "nonce": count(12), "aad": b"aad"}
    sealed = sealing.seal(count(32), count(12), b"plain", b"aad")
    for size in (0, 1, 15, 16, 17, 64, 200):
        made = sealing.seal(count(32), count(12), count(size), b"aad")
        yield case(f"seal: of {size} bytes", PAGE, "seal", **given, sealed=made)
    bound = sealing.seal(count(32), count(12), b"plain", count(118))
    yield case("seal: bound to 118 bytes", PAGE, "seal", **given | {"aad": count(118)}, sealed=bound)
    for name, other in {
        "another key": {"key": count(32, 1)},
        "another nonce": {"nonce": count(12, 1)},
        "other associated data": {"aad": b"aae"},
        "associated data with a zero more": {"aad": b"aad\0"},
        "a bit of the text": {"sealed": flipped(sealed, 0)},
        "a bit of the tag": {"sealed": flipped(sealed, -1, 7)},
        "cut": {"sealed": sealed[:-1]},
        "shorter than a tag": {"sealed": sealed[:15]},
        "nothing": {"sealed": b""},
    }.items():
        yield case(f"seal: {name}", PAGE, "seal", BROKEN, **{"sealed": sealed} | given | other)


def files() -> Iterator[Case]:
    key = count(32)
    hello = b"".join(attachments.seal_file_chunks(key, [b"hello"]))
    empty = b"".join(attachments.seal_file_chunks(key, []))
    cipher = sealing.BodyCipher(key)
    second = cipher.seal(bytes(10) + b"\1\1", b"", attachments.HEADER)
    unfinished = attachments.HEADER + cipher.seal(bytes(12), b"hello", attachments.HEADER)
    later = attachments.HEADER + cipher.seal(bytes(10) + b"\1\1", b"hello", attachments.HEADER)
    yield _file("hello", hello, address=attachments.address([hello]))
    yield _file("empty", empty)
    for name, sealed in {
        "without its last chunk": attachments.HEADER,
        "that goes on": hello + second,
        "that does not end": unfinished,
        "that begins with its second chunk": later,
        "with a bit changed": flipped(hello, 10),
        "cut": hello[:-1],
        "without header": hello[8:],
        "of another program": b"GIF89a" + hello,
        "of nothing": b"",
    }.items():
        yield _file(name, sealed, BROKEN)
    yield _file("under another address", hello, BROKEN, address=count(32))
    yield _file("of version 2", hello[:7] + b"\2" + hello[8:], "attachment.newer")


def _file(name: str, sealed: bytes, expect: str = "ok", address: bytes | None = None) -> Case:
    return case(f"attachment: {name}", PAGE, "attachment", expect, key=count(32), sealed=sealed, address=address)


def opened_boxes() -> Iterator[Case]:
    given = {"seed": BOX_SEED, "space": SPACE, "commit": COMMIT, "box": DRAWN}
    yield case("box: that opens", PAGE, "box", **given)
    for name, other in {
        "to another key": {"seed": count(32, 41)},
        "in another space": {"space": count(32)},
        "for another commitment": {"commit": count(32)},
        "with a bit of the lattice part changed": {"box": flipped(DRAWN, 5)},
        "with a bit of the last lattice byte changed": {"box": flipped(DRAWN, 1087)},
        "with a bit of the curve part changed": {"box": flipped(DRAWN, 1090)},
        "with a bit of the secret changed": {"box": flipped(DRAWN, 1121)},
        "with a bit of the tag changed": {"box": flipped(DRAWN, -1)},
        "with an ephemeral key of low order": {"box": DRAWN[:1088] + bytes(32) + DRAWN[1120:]},
        "cut": {"box": DRAWN[:-1]},
        "longer": {"box": DRAWN + b"\0"},
        "of nothing": {"box": b""},
    }.items():
        yield case(f"box: {name}", PAGE, "box", "box.broken", **given | other)
    public = boxes.BoxKey(BOX_SEED).public
    yield case("box key: from its seed", PAGE, "box seed", seed=BOX_SEED)
    yield case("box key: public", PAGE, "box key", key=public)
    for name, key in {
        "a byte short": public[:-1],
        "a byte long": public + b"\0",
        "with a coefficient of q": b"\x01\x0d" + public[2:],
        "with the largest coefficient": b"\xff\xff\xff" + public[3:],
        "with a point of low order": public[:1184] + bytes(32),
        "with the point 1": public[:1184] + b"\1" + bytes(31),
    }.items():
        yield case(f"box key: {name}", PAGE, "box key", "key.bad_box_key", key=key)


def texts() -> Iterator[Case]:
    code = recovery.write(RecoveryCode(count(20)))
    loose = code.lower().replace("-", " ").replace("1", "l").replace("0", "o")
    yield case("recovery code: as written", PAGE, "recovery code", text=code)
    yield case("recovery code: as typed", PAGE, "recovery code", text=f"\t{loose}\r\n")
    yield case("recovery code: without dashes", PAGE, "recovery code", text=code.replace("-", ""))
    for name, words in {
        "a wrong letter": code.replace("W", "X", 1),
        "two letters changed about": code[1] + code[0] + code[2:-9] + "24KG" + code[-5:],
        "U": "U" + code[1:],
        "a group short": code[:-5],
        "a letter long": code + "0",
        "another checksum": code[:-1] + "1",
        "nothing": "",
        "of another use": checked_text.write(count(20), "key-file"),
        "a sign that some programs make a K of": code.replace("K", "\N{KELVIN SIGN}", 1),
        "a letter that folds to K": code.replace("K", "\N{LATIN SMALL LETTER SHARP S}", 1),
    }.items():
        yield case(f"recovery code: {name}", PAGE, "recovery code", "key.bad_recovery_code", text=words)
    line = keyslots.new_key_text(lambda size: count(size, 100))
    yield case("key text: as written", PAGE, "key text", text=line)
    yield case("key text: with a line end", PAGE, "key text", text=f" {line}\n")
    spare = line.replace("-2751", "")  # the last letter of the bytes holds four spare bits
    for name, words in {
        "without its first word": line.partition(" ")[2],
        "of a later form": line.replace("key-1", "key-2"),
        "with a capital": line.capitalize(),
        "with a letter changed": line.replace("CHJP", "CHJQ"),
        "without its checksum": spare,
        "with a spare bit set": line.replace("GA1G-", "GA1H-"),
        "with its first word alone": "chaise-key-1",
    }.items():
        yield case(f"key text: {name}", PAGE, "key text", "key.bad_key_file", text=words)


def slots() -> Iterator[Case]:
    key, code = StoreKey(count(48)), RecoveryCode(count(20))
    line = keyslots.new_key_text(lambda size: count(size, 100))
    cheap = Cost(1, 1, 8)
    typed = keyslots.make_passphrase_slot(key, "café", _hundred, cheap)
    lanes = keyslots.make_passphrase_slot(key, "café", _hundred, Cost(2, 4, 67))
    filed = keyslots.make_keyfile_slot(key, line, _hundred)
    ring = keyslots.make_keyring_slot(key, line, _hundred)
    paper = keyslots.make_recovery_slot(key, code, _hundred)
    for name, slot, secret in (
        ("a passphrase", typed, "café"),
        ("a passphrase with a combining accent", typed, "cafe\u0301"),
        ("a passphrase of four lanes", lanes, "café"),
        ("a key file", filed, line),
        ("a keyring", ring, line),
        ("a recovery code", paper, recovery.write(code)),
    ):
        yield case(f"slot: {name}", PAGE, "slot", slot=slot, secret=secret)
    for name, slot, secret in (
        ("another passphrase", typed, "cafe"),
        ("a passphrase with a space behind it", typed, "café "),
        ("a key file's text for a keyring", {**filed, "kind": "keyring"}, line),
        ("another salt", {**filed, "params": {"salt": text(count(16))}}, line),
        ("another nonce", {**filed, "nonce": text(count(12))}, line),
        ("another fingerprint", {**filed, "fingerprint": text(count(16))}, line),
        ("another cost", {**typed, "params": {**_params(typed), "memory": 16}}, "café"),
        ("a box with a bit changed", {**filed, "box": text(flipped(raw(str(filed["box"])), 0))}, line),
    ):
        yield case(f"slot: {name}", PAGE, "slot", "key.wrong", slot=slot, secret=secret)
    yield case("slot: a text that is none", PAGE, "slot", "key.bad_key_file", slot=filed, secret="chaise")
    yield case("slot: a code that is none", PAGE, "slot", "key.bad_recovery_code", slot=paper, secret="000G")
    yield from _damaged(typed, filed, line)
    other = keyslots.make_keyfile_slot(StoreKey(count(48, 1)), line, _hundred)
    mark = fingerprint(key)
    sealed = sealing.seal(
        derivation.derive(count(32, 100), "slot-keyfile", salt=count(16, 100)),
        count(12, 100),
        count(48, 1),
        b"chaise/1 slot\0keyfile\0" + count(16, 100) + mark,
    )
    lying = {**other, "fingerprint": text(mark), "box": text(sealed)}
    yield case("slot: of another key than it says", PAGE, "slot", "key.slots_damaged", slot=lying, secret=line)


def _damaged(typed: keyslots.Slot, filed: keyslots.Slot, line: str) -> Iterator[Case]:
    for name, slot, secret in (
        ("of an unknown kind", {**filed, "kind": "face"}, line),
        ("with one field more", {**filed, "note": ""}, line),
        ("without its nonce", {key: part for key, part in filed.items() if key != "nonce"}, line),
        ("with a salt of 15 bytes", {**filed, "params": {"salt": text(count(15))}}, line),
        ("with a cost it does not have", {**filed, "params": _params(typed)}, line),
        ("without its cost", {**typed, "params": {"salt": text(count(16))}}, "café"),
        ("of no iterations", {**typed, "params": {**_params(typed), "iterations": 0}}, "café"),
        ("of 17 iterations", {**typed, "params": {**_params(typed), "iterations": 17}}, "café"),
        ("of 17 lanes", {**typed, "params": {**_params(typed), "lanes": 17}}, "café"),
        ("of too little memory", {**typed, "params": {**_params(typed), "memory": 7}}, "café"),
        ("of more memory than a GiB", {**typed, "params": {**_params(typed), "memory": 1048577}}, "café"),
        ("with a true lane", {**typed, "params": {**_params(typed), "lanes": True}}, "café"),
        ("with a box of 63 bytes", {**filed, "box": text(count(63))}, line),
        ("with padded base64", {**filed, "fingerprint": str(filed["fingerprint"]) + "=="}, line),
    ):
        yield case(f"slot: {name}", PAGE, "slot", "key.slots_damaged", slot=slot, secret=secret)


def _hundred(size: int) -> bytes:
    return count(size, 100)


def _params(slot: keyslots.Slot) -> dict[str, Any]:
    params = slot["params"]
    assert isinstance(params, dict), "every slot has its parameters"
    return params


def anchors() -> Iterator[Case]:
    key = StoreKey(count(48))
    empty, seven, eight = (_record(key, total) for total in (0, 7, 8))
    torn = flipped(seven, 9)
    behind = "store.behind_anchor"
    for name, anchor, total, expect in (
        ("of a new home", empty, 0, "ok"),
        ("the newer of two", eight + seven, 8, "ok"),
        ("the older of two is whole", eight + torn, 8, "ok"),
        ("the newer of two is torn", flipped(eight, 0) + seven, 8, "ok"),
        ("cut in the second record", eight + seven[:55], 8, "ok"),
        ("a store ahead of it", eight + seven, 9, "ok"),
        ("a store behind it", eight + seven, 7, behind),
        ("another event at the same place", eight + seven, -8, behind),
        ("no record", b"", 0, behind),
        ("no sound record", torn + torn, 0, behind),
        ("of another key", _record(StoreKey(count(48, 1)), 8), 8, behind),
    ):
        id_ = bytes(32) if total == 0 else count(32, abs(total)) if total > 0 else count(32, 99)
        given = {"key": key, "anchor": anchor, "total": abs(total), "id": id_}
        yield case(f"anchor: {name}", "store.md", "anchor", expect, **given)


def _record(key: StoreKey, total: int) -> bytes:
    record = total.to_bytes(8, "big") + (count(32, total) if total else bytes(32))
    return record + anchor_mac(key, record)


def invited() -> Iterator[Case]:
    page = "board.md"
    board = SpaceId(text(count(32)))
    bare = invites.write(invites.Invite(board, count(32, 32), "market"))
    full = invites.write(
        invites.Invite(board, count(32, 32), "Größe 9", ("~/Shared", "ssh://host/~/x", "file:///x", "https://x"))
    )
    yield case("invite: without places", page, "invite", text=bare)
    yield case("invite: with four places", page, "invite", text=full)
    yield case("invite: in small letters and on lines", page, "invite", text=bare.lower().replace("-", "-\n") + "\n")
    long = invites.write(invites.Invite(board, count(32, 32), "m" * 120, ("x" * 500,)))
    yield case("invite: of the largest name and place", page, "invite", text=long)
    for name, given in {
        "nothing": "",
        "of something else": bare.replace("board", "relay"),
        "without a version": bare.replace("board-1-", "board-x-"),
        "a letter changed": bare.replace("000G", "000H"),
        "a group short": bare[:-5],
        "over 8,000 characters": bare + "0" * 8000,
        "without a name": _invite(count(64) + b"\0\0" + b"\0"),
        "with a name of 121 characters": _invite(count(64) + _sized(b"m" * 121) + b"\0"),
        "with a line end in its name": _invite(count(64) + _sized(b"a\nb") + b"\0"),
        "with a name that is no UTF-8": _invite(count(64) + _sized(b"\xff") + b"\0"),
        "with five places": _invite(count(64) + _sized(b"m") + b"\5" + _sized(b"x") * 5),
        "with an empty place": _invite(count(64) + _sized(b"m") + b"\1" + _sized(b"")),
        "with a place of 501 bytes": _invite(count(64) + _sized(b"m") + b"\1" + _sized(b"x" * 501)),
        "with a place that hides a character": _invite(count(64) + _sized(b"m") + b"\1" + _sized("a\u200bb".encode())),
        "with a place that turns the text": _invite(count(64) + _sized(b"m") + b"\1" + _sized("a\u202eb".encode())),
        "with a place of a wide space": _invite(count(64) + _sized(b"m") + b"\1" + _sized("a\u3000b".encode())),
        "cut in its secret": _invite(count(40)),
        "that lost a part of its beginning": bare.replace("board-1-", "board-"),
        "of form 0": bare.replace("board-1-", "board-0-"),
        "of form 01": bare.replace("board-1-", "board-01-"),
        "cut in its name": _invite(count(64) + b"\0\5abc"),
        "without its count of places": _invite(count(64) + _sized(b"m")),
        "with a byte behind it": _invite(count(64) + _sized(b"m") + b"\0\0"),
    }.items():
        yield case(f"invite: {name}", page, "invite", "board.bad_invite", text=given)
    newer = bare.replace("board-1-", "board-2-")
    yield case("invite: of a later form", page, "invite", "board.newer_invite", text=newer)


def _invite(data: bytes) -> str:
    return invites.PREFIX + checked_text.write(data, "board-invite")


def _sized(data: bytes) -> bytes:
    return len(data).to_bytes(2, "big") + data
