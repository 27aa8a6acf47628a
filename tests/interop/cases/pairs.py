"""Vectors of docs/spec/devices.md: the messages of a pairing, statements of revocation; and secrets of older epochs."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from chaise_cli.crypto import boxes, derivation, sealing, signing
from chaise_cli.ids import DeviceId, text
from chaise_cli.ledger import canonical, clear
from chaise_cli.ledger import revocation as statement
from chaise_cli.session import pairing, wraps
from tests.interop.cases.common import (
    AT,
    DEVICE,
    IDENTITY,
    ROOT,
    SECRET,
    SPACE,
    Case,
    case,
    certified,
    count,
    flipped,
    signer,
)  # fmt: skip

CODE: Final = count(20, 80)
TEXT: Final = pairing.write_code(CODE)
SEED: Final = count(32, 81)
BOX: Final = count(32, 82)
NEW: Final = signing.Ed25519Signer(SEED)
PAGE: Final = "devices.md"
# Boxes are drawn at random, so these were drawn once: to the new device's key, for the answer to `_request()`.
DRAWN: Final = Path(__file__).with_name("drawn_answers.txt").read_text().split()


def cases() -> Iterator[Case]:
    """All of the page."""
    yield from _requests()
    yield from _answers()
    yield from _statements()
    yield from _older()


def _random(size: int) -> bytes:
    return count(size, 83)


def _sealed(content: dict[str, Any], direction: bytes = b"join", transcript: bytes = bytes(32)) -> bytes:
    return pairing._seal(CODE, direction, transcript, content, _random)


def _request(**other: Any) -> dict[str, Any]:
    key, nonce = boxes.BoxKey(BOX).public, count(32, 84)
    proof = NEW.sign(signing.TAGS.proof, pairing._proved(pairing.mailbox(CODE), key, nonce))
    made = {
        "box": text(key), "device": text(NEW.public), "name": "phone", "nonce": text(nonce), "proof": text(proof),
        "v": 1,
    }  # fmt: skip
    return made | other


def _requests() -> Iterator[Case]:
    def one(name: str, message: bytes, expect: str = "pairing.broken", code: str = TEXT) -> Case:
        return case(f"pairing request: {name}", PAGE, "pairing request", expect, code=code, message=message)

    good = _sealed(_request())
    yield one("of a new device", good, "ok")
    yield one("with a code that is misspelt", good, "pairing.bad_code", TEXT[:-1] + ("0" if TEXT[-1] != "0" else "1"))
    yield one("under another code", good, code=pairing.write_code(count(20)))
    yield one("with a bit changed", flipped(good, -20))
    yield one("that is an answer", _sealed(_request(), b"answer"))
    yield one("cut to its nonce", good[:12])
    yield one("with a key more", _sealed(_request(more=1)))
    yield one("of version 2", _sealed(_request(v=2)))
    yield one("without a name", _sealed(_request(name="")))
    yield one("with a short nonce", _sealed(_request(nonce=text(count(31)))))
    yield one("for another nonce", _sealed(_request(nonce=text(count(32)))))
    yield one("of another device", _sealed(_request(device=text(DEVICE.public))))
    yield one("with another box key", _sealed(_request(box=text(boxes.BoxKey(count(32)).public))))
    yield one("with a device key of small order", _sealed(_request(device=text(bytes(32)))))
    yield one("over 16 KiB", good + bytes(16_384))


def drawn() -> list[str]:
    """New boxes for `drawn_answers.txt`: one as it has to be, with a short secret, and with another key's id."""
    asked = sha256(_sealed(_request())).digest()
    family = text(boxes.BoxKey(count(32, 85)).key_id)
    good = {"box": [family, text(count(32, 85))], "epoch": text(SECRET)}
    false = {"epoch": text(SECRET[:31])}, {"box": [text(count(32)), text(count(32, 85))]}
    info = pairing._box_info(pairing.mailbox(CODE), asked)
    told = [canonical.encode(one) for one in (good, good | false[0], good | false[1])]
    return [text(boxes.wrap(boxes.BoxKey(BOX).public, one, info)) for one in told]


def _answers() -> Iterator[Case]:
    asked = _sealed(_request())
    transcript = sha256(asked).digest()

    def answer(drawn: int = 0, **other: Any) -> bytes:
        box = DRAWN[drawn]
        content = {
            "certificates": [certified(NEW, DEVICE), certified()], "identity": IDENTITY, "maker": text(DEVICE.public),
            "nonce": text(count(32, 84)), "secrets": box, "settings": _settings(), "space": text(SPACE), "v": 1,
        }  # fmt: skip
        return _sealed(content | other, b"answer", transcript)

    def one(name: str, message: bytes, expect: str = "pairing.broken", **other: Any) -> Case:
        given = {"code": TEXT, "seed": SEED, "box": BOX, "nonce": text(count(32, 84)), "asked": asked}
        given |= {"message": message} | other
        return case(f"pairing answer: {name}", PAGE, "pairing answer", expect, **given)

    yield one("to a new device", answer(), "ok")
    yield one("to a device of another nonce", answer(nonce=text(count(32))))
    yield one("to another request", answer(), asked=flipped(asked, 0))
    yield one("that is the request", asked)
    yield one("to another device", answer(certificates=[certified()]))
    yield one("of another identity", answer(identity=text(count(32))))
    yield one("of a grant", answer(certificates=[certified(NEW, DEVICE, "grant"), certified()]))
    yield one("with settings that are none", answer(settings=_settings() | {"role": "agent"}))
    yield one("with a short secret", answer(1))
    yield one("with another box key's id", answer(2))
    yield one("to another box key", answer(), box=count(32))


def _settings() -> dict[str, Any]:
    return {"handle": "lisa", "name": "Lisa", "role": "client", "currency": "EUR", "tz": "UTC", "email": None}


def _statements() -> Iterator[Case]:
    device, kept = DeviceId(text(signer(10).public)), sorted(DeviceId(text(signer(n).public)) for n in (11, 12))

    def signed(by: signing.Signer, **other: Any) -> dict[str, Any]:
        signature = statement.sign(by, IDENTITY, device, kept, AT)
        made = {
            "identity": IDENTITY, "device": device, "keeps": kept, "at": AT, "by": text(by.public), "certificates": [],
            "signature": signature,
        }  # fmt: skip
        return made | other

    def told(*chain: dict[str, object]) -> list[str]:
        return [canonical.encode(one).decode() for one in chain]

    phone, unsorted = signer(13), kept[::-1]
    for name, given in {
        "by the root": signed(ROOT),
        "by an admin device": signed(DEVICE, certificates=told(certified())),
        "by an admin device of another": signed(phone, certificates=told(certified(phone, DEVICE), certified())),
        "by a device that is no admin": signed(phone, certificates=told(certified(phone, ROOT, "device"))),
        "by an admin device without certificates": signed(DEVICE),
        "by the root with certificates": signed(ROOT, certificates=told(certified())),
        "with certificates of another device": signed(phone, certificates=told(certified())),
        "with certificates that are not canonical": signed(DEVICE, certificates=[told(certified())[0] + " "]),
        "of another identity": signed(ROOT, identity=text(count(32))),
        "of another instant": signed(ROOT, at=AT + 1),
        "of another device": signed(ROOT, device=kept[0]),
        "that keeps others": signed(ROOT, keeps=kept[:1]),
        "that keeps in another order": signed(
            ROOT, keeps=unsorted, signature=statement.sign(ROOT, IDENTITY, device, unsorted, AT)
        ),
        "that keeps one twice": signed(
            ROOT, keeps=kept[:1] * 2, signature=statement.sign(ROOT, IDENTITY, device, kept[:1] * 2, AT)
        ),
    }.items():
        yield case(f"revocation: {name}", PAGE, "revocation", **given)


def _older() -> Iterator[Case]:
    olds = [count(32, 90), count(32, 91)]
    rows = sorted(wraps._sealed(SPACE, SECRET, old) for old in olds)
    (name, good), (other, _) = rows

    def one(what: str, previous: Any, expect: str = "ok", **more: Any) -> Case:
        box = clear.Box((IDENTITY, text(count(32))), text(count(16)))
        made = clear.write_wrap(clear.Wrap(text(sealing.epoch_commit(SPACE, SECRET)), previous, [box]))
        given = {"space": SPACE, "secret": SECRET, "wrap": made} | more
        return case(f"older secrets: {what}", "envelope.md", "older secrets", expect, **given)

    yield one("none", [])
    yield one("of two epochs", rows)
    yield one("of another space", rows, space=count(32))
    yield one("under another secret", rows, secret=count(32))
    yield one("under another name", [(other, good)])
    false = count(8)
    sealed = sealing.seal(derivation.derive(SECRET, "history"), wraps._nonce(false), olds[0], wraps._aad(SPACE, false))
    yield one("whose name is another's", [(text(false), text(sealed)), (name, good)])
    bad = "envelope.bad_clear_body"
    yield one("with a short name", [(text(count(7)), good)], bad)
    yield one("with an empty seal", [(name, "")], bad)
