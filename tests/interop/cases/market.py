"""Vectors of docs/spec/kinds.md, money.md and reviews.md: fields of bodies, terms, reviews, vouchers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from chaise_cli.crypto import sealing, signing
from chaise_cli.domain.review import Content
from chaise_cli.domain.terms import digest
from chaise_cli.ids import raw, text
from chaise_cli.ledger import canonical
from tests.interop.cases.common import DEVICE, IDENTITY, ROOT, SPACE, Case, case, certified, count, flipped, signer

ID: Final = text(count(32))
DRAWN: Final = raw(Path(__file__).with_name("drawn_review_key.txt").read_text().strip())  # a library draws at random
BOX_SEED: Final = count(32, 40)
TERMS: Final[dict[str, Any]] = {
    "client": IDENTITY, "talent": ID, "agent": IDENTITY, "agent_device": text(DEVICE.public), "arbiter": None,
    "currency": "EUR",
    "milestones": [{"title": "Größe", "amount": 1, "due": None, "criteria": ["it runs"], "revisions": None}],
    "client_fee": 250, "talent_fee": 1000, "review_ms": 1_209_600_000, "auto_release": True, "rail": "manual",
    "dispute_ms": 864_000_000, "dispute_default": "talent", "cancel_ms": 604_800_000, "law": None, "supersedes": None,
}  # fmt: skip
PROFILE: Final[dict[str, Any]] = {
    "handle": "lisa", "name": "Lisa", "role": "client", "headline": "", "bio": "",
    "skills": ["seo", "größe"],
    "rates": [{"amount": 1, "currency": "EUR", "per": "hour"}], "location": "",
    "links": ["https://x"], "tz": "Etc/GMT+1", "box_key": {"id": ID, "key": text(bytes(1216))},
}  # fmt: skip
POST: Final[dict[str, Any]] = {
    "title": "T", "category": "", "skills": [], "budget": None, "deadline": None, "tz": "UTC", "location": "",
    "brief": "",
}  # fmt: skip
SLOT: Final = {"wall": "2026-12-01T15:00:00", "zone": "UTC", "start": 0, "minutes": 60, "tzdata": "2026a"}
BOOK: Final[dict[str, Any]] = {
    "booking": None, "answers": None, "slots": [SLOT], "until": 0, "url": None, "note": "", "notice": 0,
    "allow_overlap": False,
}  # fmt: skip
FILE: Final = {"name": "a", "size": 0, "digest": ID, "address": ID, "key": ID}
FUND: Final[dict[str, Any]] = {"milestone": 1, "total": 1, "currency": "EUR", "request_id": None, "fingerprint": ID}
MESSAGE: Final[dict[str, Any]] = {"text": "", "files": []}
SEALED: Final[dict[str, Any]] = {"commitment": ID, "box": "A" * 22, "agent_box": None}
_RATE: Final[dict[str, Any]] = {"amount": 1, "currency": "EUR", "per": "hour"}
LIMITS: Final[Sequence[tuple[str, str, list[Any], list[Any]]]] = (
    ("profile.published", "handle", ["a", "x" * 64, "\U0001f600" * 64], ["", "x" * 65, "a\nb", "a\x7f", 1, None]),
    ("profile.published", "role", ["talent"], ["agent", "", None]),
    ("profile.published", "headline", ["x" * 200, "a\x80b"], ["x" * 201, "a\tb"]),
    ("profile.published", "bio", ["a\tb\nc"], ["x" * 32_001, "a\rb", "\U0001f600" * 12_289]),
    ("profile.published", "skills", [[], ["x" * 40], ["x"] * 30], [[""], ["x" * 41], ["a b"], ["a,b"], ["x"] * 31]),
    ("profile.published", "skills", [["a\u3000b"]], [["a\u00a0b"], ["a=b"], ["a;b"], "seo", None]),
    ("profile.published", "links", [["mailto:a"], ["https://" + "x" * 498]], [["ftp://x"], ["https:"], ["HTTPS://x"]]),
    ("profile.published", "links", [["tel:1"] * 20], [["tel:1"] * 21, ["https://a b"], [None]]),
    ("profile.published", "tz", ["A" * 64, "Etc/GMT+1"], ["", "A" * 65, "Europe Berlin", "Zürich"]),
    ("profile.published", "rates", [[], [_RATE] * 10], [[_RATE] * 11, [_RATE | {"amount": -1}], [_RATE | {"x": 1}]]),
    ("profile.published", "rates", [[_RATE | {"per": "project"}]], [[_RATE | {"per": "week"}], [{"amount": 1}]]),
    ("profile.published", "box_key", [], [None, {"id": ID}, {"id": ID, "key": text(bytes(1215))}]),
    ("post.published", "title", ["x" * 120], ["", "x" * 121]),
    ("post.published", "deadline", [0, 253_370_764_799_999], [-1, 253_370_764_800_000, True, "1"]),
    ("post.published", "budget", [{"least": 0, "most": 2**53 - 1, "currency": "XXX"}], [{"least": 0, "most": 1}, []]),
    ("message.sent", "files", [[FILE] * 20], [[FILE] * 21, [FILE | {"name": ""}], [FILE | {"size": -1}]]),
    ("message.sent", "files", [], [[FILE | {"key": text(count(31))}], [FILE | {"more": 1}], None]),
    ("fund.requested", "milestone", [100], [0, 101, True, None]),
    ("fund.requested", "currency", ["ABC"], ["EU", "EURO", "eur", ""]),
    ("fund.requested", "request_id", ["r", "r" * 128], ["", "r" * 129, "a\nb", 1]),
    ("fund.requested", "fingerprint", [], [None, "", text(count(33)), ID[:-1] + "9", ID + "="]),
    ("booking.offered", "slots", [[SLOT] * 5], [[], [SLOT] * 6, [SLOT | {"minutes": 0}], [SLOT | {"minutes": 1441}]]),
    ("booking.offered", "slots", [], [[SLOT | {"wall": "2026-12-01 15:00:00"}], [SLOT | {"start": -1}]]),
    ("booking.offered", "url", ["tel:+49", "https://x"], ["http://x", "mailto:a", ""]),
    ("booking.offered", "notice", [43_200], [43_201, -1]),
    ("booking.offered", "allow_overlap", [True], [1, "true", None]),
    ("review.sealed", "agent_box", [None, text(bytes(1168))], [text(bytes(1167)), text(bytes(1169)), "", 1]),
)
"""Values of a field that are within its limits, and values that are not."""


def cases() -> Iterator[Case]:
    """All of these pages, but what a fold says."""
    yield from bodies()
    yield from terms()
    yield from reviews()
    yield from vouchers()


def bodies() -> Iterator[Case]:
    """Forms of bodies, each by its limits."""
    yield from _kinds()
    for kind, field, goods, bads in LIMITS:
        base = _SAMPLES[kind]
        for value in goods:
            yield _form(f"{kind} {field}: {_shown(value)}", kind, base | {field: value})
        for value in bads:
            yield _form(f"{kind} {field}, not {_shown(value)}", kind, base | {field: value}, "body.invalid")


_SAMPLES: Final[dict[str, dict[str, Any]]] = {
    "profile.published": PROFILE, "post.published": POST, "message.sent": MESSAGE, "fund.requested": FUND,
    "booking.offered": BOOK, "review.sealed": SEALED,
}  # fmt: skip
_SPACES: Final = {"profile.published": "board", "post.published": "board"}


def _shown(value: Any) -> str:
    """A value, or what it begins with and how long it is."""
    shown = json.dumps(value)
    return shown if len(shown) <= 40 else f"{shown[:24]}…{shown[-16:]} of {len(shown)}"


def _form(name: str, kind: str, data: Any, expect: str = "ok", *, space: str | None = None, v: int = 1) -> Case:
    body = {"kind": kind, "v": v, "data": data}
    return case(f"body: {name}", "kinds.md", "body form", expect, space=space or _SPACES.get(kind, "deal"), body=body)


def _kinds() -> Iterator[Case]:
    for kind, data in _SAMPLES.items():
        yield _form(kind, kind, data)
        yield _form(f"{kind} with a field more", kind, data | {"more": 1}, "body.invalid")
        fewer = dict(list(data.items())[1:])
        yield _form(f"{kind} with a field less", kind, fewer, "body.invalid")
    yield _form("taken", "taken", {})
    yield _form("taken with a field", "taken", {"at": 1}, "body.invalid")
    offer = {"terms": TERMS, "hash": ID, "signature": text(count(64))}
    yield _form("terms.offered", "terms.offered", offer)
    long = 3_650 * 86_400_000
    wrong: dict[str, dict[str, Any]] = {
        "another rail": {"rail": "bank"},
        "a fee over all": {"client_fee": 10_001},
        "no milestones": {"milestones": []},
        "101 milestones": {"milestones": TERMS["milestones"] * 101},
        "a milestone for nothing": {"milestones": [TERMS["milestones"][0] | {"amount": 0}]},
        "21 criteria": {"milestones": [TERMS["milestones"][0] | {"criteria": ["x"] * 21}]},
        "an empty criterion": {"milestones": [TERMS["milestones"][0] | {"criteria": [""]}]},
        "1,001 revisions": {"milestones": [TERMS["milestones"][0] | {"revisions": 1_001}]},
        "a review period over ten years": {"review_ms": long + 1},
        "nobody's default": {"dispute_default": "agent"},
    }
    for name, other in wrong.items():
        yield _form(f"terms.offered with {name}", "terms.offered", offer | {"terms": TERMS | other}, "body.invalid")
    edges = {"review_ms": long, "client_fee": 10_000, "milestones": TERMS["milestones"] * 100}
    yield _form("terms.offered at their limits", "terms.offered", offer | {"terms": TERMS | edges})
    yield _form("of a kind nobody knows", "deal.frozen", {}, "kind.unknown")
    yield _form("of version 2", "taken", {}, "kind.unknown", v=2)
    yield _form("of a board, in a deal", "post.published", POST, "kind.misplaced", space="deal")
    yield _form("of a deal, in a self space", "taken", {}, "kind.misplaced", space="self")


def terms() -> Iterator[Case]:
    """Hash and signature of terms."""
    hashed = digest(TERMS)
    raw_hash = raw(hashed)
    made = DEVICE.sign(signing.TAGS.terms, raw_hash)
    given = {"terms": TERMS, "hash": hashed, "signature": made, "device": DEVICE.public}
    yield case("terms: signed", "money.md", "terms", **given)
    for name, other, code in (
        ("of another hash", {"hash": ID}, "terms.other_hash"),
        ("with another fee", {"terms": TERMS | {"client_fee": 251}}, "terms.other_hash"),
        ("with another letter", {"terms": TERMS | {"law": "DE"}}, "terms.other_hash"),
        ("signed by another device", {"device": ROOT.public}, "terms.bad_signature"),
        ("signed under another tag", {"signature": DEVICE.sign(signing.TAGS.event, raw_hash)}, "terms.bad_signature"),
        ("signed in text", {"signature": DEVICE.sign(signing.TAGS.terms, hashed.encode())}, "terms.bad_signature"),
        ("with a bit of the signature changed", {"signature": flipped(made, 50)}, "terms.bad_signature"),
    ):
        yield case(f"terms: {name}", "money.md", "terms", code, **given | other)


def reviews() -> Iterator[Case]:
    """Commitments, digests and boxes."""
    review: dict[str, Any] = {"by": IDENTITY, "about": ID, "stars": 5, "recommend": None, "text": "Größe\n9"}
    key, nonce = count(32, 60), bytes(12)
    for name, other in {"a review": {}, "a recommendation": {"recommend": True, "stars": 1, "text": ""}}.items():
        yield case(f"review: {name}", "reviews.md", "review", review=review | other, key=key, deal=SPACE)
    box = sealing.seal(key, nonce, canonical.encode(review), SPACE)
    given = {"box": box, "key": key, "deal": SPACE}
    yield case("review: in its box", "reviews.md", "review box", **given)
    for name, changed in {
        "of another deal": {"deal": count(32)},
        "under another key": {"key": count(32)},
        "with a bit changed": {"box": flipped(box, 4)},
    }.items():
        yield case(f"review: in the box {name}", "reviews.md", "review box", "seal.broken", **given | changed)
    yield from review_keys(Content(**review).commitment(text(key)))


def review_keys(commitment: str) -> Iterator[Case]:
    """The key of the first review, drawn once for the agent of a box key's seed."""
    given = {"seed": BOX_SEED, "space": SPACE, "commit": raw(commitment), "box": DRAWN}
    yield case("review key: for the agent", "reviews.md", "review key", **given)
    for name, other in {
        "for another agent": {"seed": count(32, 41)},
        "in another deal": {"space": count(32)},
        "of another review": {"commit": count(32)},
        "with a bit changed": {"box": flipped(DRAWN, 1121)},
    }.items():
        yield case(f"review key: {name}", "reviews.md", "review key", "box.broken", **given | other)


def vouchers() -> Iterator[Case]:
    """What an agent device vouches for."""
    phone = signer(10)

    def made(
        by: signing.Signer = DEVICE, chain: list[Any] | None = None, tag: bytes = signing.TAGS.voucher, **other: Any
    ) -> dict[str, Any]:
        said = {
            "deal": ID, "digest": ID, "by": ID, "about": IDENTITY, "role": "talent", "secured": False,
            "agent": IDENTITY, "device": text(by.public),
        } | other  # fmt: skip
        texts = [canonical.encode(one).decode() for one in chain or [certified(by)]]
        return said | {"certificates": texts, "signature": text(by.sign(tag, canonical.encode(said)))}

    good = made()
    grant = [certified(phone, DEVICE, "grant"), certified()]
    yield case("voucher: that holds", "reviews.md", "voucher", voucher=good)
    by_phone = made(phone, [certified(phone, DEVICE, "device"), certified()])
    yield case("voucher: of a certified device", "reviews.md", "voucher", voucher=by_phone)
    for name, value in {
        "of another deal": good | {"deal": text(count(32, 1))},
        "for another review": good | {"digest": text(count(32, 1))},
        "by another author": good | {"by": text(count(32, 1))},
        "about somebody else": good | {"about": text(count(32, 1))},
        "of the other role": good | {"role": "client"},
        "that says it was secured": good | {"secured": True},
        "of another agent": made(agent=ID),
        "of another device": made(device=text(phone.public)),
        "of a grant": made(phone, grant),
        "under another tag": made(tag=signing.TAGS.certificate),
        "without certificates": good | {"certificates": []},
        "with a certificate that is no JSON": good | {"certificates": ["x"]},
        "with another's certificates": made(phone, [certified()]),
        "without a signature": good | {"signature": text(bytes(64))},
    }.items():
        yield case(f"voucher: {name}", "reviews.md", "voucher", "review.bad_voucher", voucher=value)
