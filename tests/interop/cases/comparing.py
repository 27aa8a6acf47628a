"""Vectors of docs/spec/sync.md, "Compare": the frames that tell what is held, and the digests over it."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from struct import pack as struct
from typing import Any

from chaise_cli.ledger import receipt
from tests.interop.cases.common import DEVICE, RELAY, SPACE, Case, case, count, signer

PAGE, BAD = "sync.md", "peer.protocol"


def cases() -> Iterator[Case]:
    """All of the section."""
    for number, name in enumerate(("RANGES", "PARTS", "RECEIPTS", "PAIR"), start=14):
        yield case(f"frame: {name}", PAGE, "frame", frame=struct(">BI", number, 0))
    yield from _payloads()
    yield from _comparisons()


def _payloads() -> Iterator[Case]:
    bare, wide = count(32) + b"\1", count(128)
    row = DEVICE.public + struct(">Q", 4) + count(32)
    signed = receipt.issue(RELAY, SPACE, 3, count(32), 1_800_000_000_000, count(32, 1))
    over = DEVICE.public + struct(">Q", 2**63) + count(32)
    for name, kind, data, code, more in (
        ("SUMMARY of a leader", "SUMMARY", bare + wide, "ok", {"leads": True}),
        ("SUMMARY of who follows", "SUMMARY", bare, "ok", {"leads": False}),
        ("SUMMARY of a leader without ranges", "SUMMARY", bare, BAD, {"leads": True}),
        ("SUMMARY of who follows with ranges", "SUMMARY", bare + wide, BAD, {"leads": False}),
        ("SUMMARY with another flag", "SUMMARY", count(32) + b"\2", BAD, {"leads": False}),
        ("SUMMARY cut", "SUMMARY", count(32), BAD, {"leads": False}),
        ("RANGES of none", "RANGES", b"", "ok", {}),
        ("RANGES of two", "RANGES", b"\0" + wide + b"\37" + wide, "ok", {}),
        ("RANGES with range 32", "RANGES", b"\40" + wide, BAD, {}),
        ("RANGES cut", "RANGES", b"\0" + wide[:-1], BAD, {}),
        ("PARTS of none", "PARTS", b"", "ok", {}),
        ("PARTS of two", "PARTS", b"\3\377\0\0", "ok", {}),
        ("PARTS with part 1,024", "PARTS", b"\4\0", BAD, {}),
        ("PARTS cut", "PARTS", b"\0", BAD, {}),
        ("SPACES of none", "SPACES", b"", "ok", {}),
        ("SPACES of one", "SPACES", SPACE + count(8), "ok", {}),
        ("SPACES cut", "SPACES", SPACE + count(7), BAD, {}),
        ("HEADS of none", "HEADS", SPACE, "ok", {}),
        ("HEADS of two", "HEADS", SPACE + row + row, "ok", {}),
        ("HEADS of no space", "HEADS", SPACE[:31], BAD, {}),
        ("HEADS cut", "HEADS", SPACE + row[:-1], BAD, {}),
        ("HEADS with a place of 2^63", "HEADS", SPACE + over, BAD, {}),
        ("RECEIPTS of none", "RECEIPTS", b"", "ok", {}),
        ("RECEIPTS of two", "RECEIPTS", signed.pack() + count(208), "ok", {}),
        ("RECEIPTS cut", "RECEIPTS", signed.pack()[:-1], BAD, {}),
        ("PAIR of a byte", "PAIR", count(33), "ok", {}),
        ("PAIR without a message", "PAIR", count(32), BAD, {}),
        ("PAIR with more than 16 KiB", "PAIR", count(32) + bytes(16 * 1024 + 1), BAD, {}),
    ):
        yield case(f"payload: {name}", PAGE, "payload", code, name=kind, payload=data, **more)


def _comparisons() -> Iterator[Case]:
    one, two = DEVICE.public, signer(5).public
    heads: list[Any] = [[one, 3, count(32)], [one, 3, count(32, 1)], [two, 0, count(32, 2)]]
    many = [[sha256(count(8, n)).digest(), [[one, n, count(32, n)]]] for n in range(40)]
    for name, spaces, number in (
        ("of no space", [], 0),
        ("of a space without events", [[SPACE, []]], 0),
        ("of a space with two histories of a device", [[SPACE, heads]], 0),
        ("of the same in another order", [[SPACE, heads[::-1]]], 0),
        ("of the same again", [[SPACE, heads]], 1),
        ("of forty spaces", many, 2),
    ):
        yield _comparison(name, spaces, number)
    told = [[RELAY.public, 3, count(32, 3)], [signer(31).public, 2**40, count(32, 4)]]
    for name, signed in {
        "of which a relay signed something": [[SPACE, told[:1]]],
        "of which two relays signed something": [[SPACE, told]],
        "of the same in another order of relays": [[SPACE, told[::-1]]],
        "of which another head was signed": [[SPACE, [[RELAY.public, 3, count(32, 5)]]]],
    }.items():
        yield _comparison(f"of a space {name}", [[SPACE, heads]], 0, signed)


def _comparison(name: str, spaces: Any, number: int, signed: Any = ()) -> Case:
    given = {"transcript": count(64), "number": number, "spaces": spaces, "signed": list(signed)}
    return case(f"compare: {name}", PAGE, "comparison", **given)
