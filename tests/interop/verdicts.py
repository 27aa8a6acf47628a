"""What this Chaise says of a vector: for each kind, the values it finds, or the error that it raises.

The kinds are told in tests/interop/vectors/README.md; tests/interop/verifier/vectors.mjs says the same in JavaScript.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from chaise_cli.crypto import attachments, boxes, derivation, keyslots, recovery, sealing, signing
from chaise_cli.crypto.storekey import StoreKey
from chaise_cli.domain import kinds, shape
from chaise_cli.domain.review import Content, Voucher, deal_token
from chaise_cli.domain.terms import OtherHash
from chaise_cli.errors import ChaiseError, Corrupt
from chaise_cli.ids import SpaceId, raw, text
from chaise_cli.ledger import canonical, certificate, clear, header, receipt, revocation
from chaise_cli.ledger import segment as segments
from chaise_cli.session import border, epochs, invites, pairing, plaintext, vouchers, wraps
from chaise_cli.session import home as homes
from chaise_cli.session.session import Behind
from sync import dialogue, handshake, pack, ranges, relay_messages, wire
from sync.replica import Head, position
from tests.interop import deals

Input = dict[str, Any]
Values = dict[str, Any]


class Said(Corrupt):
    """A verdict that this Chaise gives as a reason or an answer and not as an error of a class."""

    def __init__(self, code: str) -> None:
        super().__init__()
        self.verdict: Final = code


def judge(kind: str, given: Input) -> tuple[str, Values]:
    """The verdict "ok" and the values, or the code of the refusal and nothing."""
    try:
        return "ok", KINDS[kind](given)
    except Said as said:
        return said.verdict, {}
    except ChaiseError as error:
        return error.code, {}


def _raws(given: Input, *names: str) -> list[bytes]:
    return [raw(given[name]) for name in names]


def _derive(given: Input) -> Values:
    secret, salt = _raws(given, "secret", "salt")
    return {"bytes": text(derivation.derive(secret, given["label"], given["size"], salt))}


def _header(given: Input) -> Values:
    packed = raw(given["header"])
    found = header.unpack(packed)
    told = {name: text(value) if isinstance(value, bytes) else value for name, value in found._asdict().items()}
    return told | {"seq": str(found.seq), "id": text(header.event_id(packed))}


def _clear(given: Input) -> Values:
    if given["seq"] == 0:
        made = clear.read_genesis(raw(given["body"]))
        return {"creator": made.creator, "space": made.space}
    wrap = clear.read_wrap(raw(given["body"]))
    return {"commit": wrap.commit, "names": [box.to[0] for box in wrap.boxes]}


def _certificates(given: Input) -> Values:
    try:
        first = certificate.check(given["certificates"])[0]
    except ChaiseError as error:
        raise Said("certificate.bad") from error  # as admission does, whatever is wrong with a key in them
    if first.device != given["device"]:
        raise Said("certificate.bad")
    return {"identity": first.identity, "kind": first.kind}


def _admission(given: Input) -> Values:
    signing.admit_key(raw(given["key"]), torsion=given["deal"])
    return {}


def _signature(given: Input) -> Values:
    key, message, signature = _raws(given, "key", "message", "signature")
    tag = getattr(signing.TAGS, given["tag"])
    return {"holds": signing.verify(key, tag, message, signature)}


def _seal(given: Input) -> Values:
    key, nonce, aad, sealed = _raws(given, "key", "nonce", "aad", "sealed")
    return {"text": text(sealing.open_sealed(key, nonce, sealed, aad))}


def _event(given: Input) -> Values:
    packed, body, secret = _raws(given, "header", "body", "secret")
    head = header.unpack(packed)
    cipher = sealing.BodyCipher(derivation.derive(secret, "body"))
    try:
        padded = epochs.open_body(cipher, head.space, head.device, head.seq, head.prev, head.epoch, body)
    except sealing.BadSeal as error:
        raise Said("body.unopenable") from error
    content = _content(padded)
    said = plaintext.read(content)
    return {"kind": said.kind, "at": said.at, "hash": text(sha256(content).digest())}


def _content(padded: bytes) -> bytes:
    try:
        content = plaintext.unpad(padded)
        plaintext.read(content)
    except Corrupt as error:
        raise Said("body.malformed") from error
    return content


def _form(given: Input) -> Values:
    body = given["body"]
    row = kinds.KINDS.get(body["kind"])
    if row is None or body["v"] != 1:
        raise Said("kind.unknown")
    if row.space != given["space"]:
        raise Said("kind.misplaced")
    try:
        border.read(body["kind"], body["data"])
    except border.InvalidBody as error:
        raise Said("body.invalid") from error
    return {}


def _segment(given: Input) -> Values:
    packed, space = _raws(given, "segment", "space")
    run = segments.unpack(packed)
    if run.space != space:
        raise segments.BadSegment(why="of another space")
    links = segments.verify(run)
    if run.first_seq == 0 and run.events[0].suite == header.CLEAR:
        clear.read_genesis(run.events[0].body)
    return {"device": text(run.device), "ids": [text(link.id) for link in links]}


def _box(given: Input) -> Values:
    seed, space, commit, box = _raws(given, "seed", "space", "commit", "box")
    return {"secret": text(boxes.BoxKey(seed).unwrap(box, wraps.box_info(space, commit)))}


def _box_seed(given: Input) -> Values:
    key = boxes.BoxKey(raw(given["seed"]))
    return {"key": text(sha256(key.public).digest()), "id": text(key.key_id)}


def _box_key(given: Input) -> Values:
    boxes.admit_box_key(raw(given["key"]))
    return {"id": text(boxes.key_id(raw(given["key"])))}


def _recovery(given: Input) -> Values:
    code = recovery.parse(given["text"])
    seeds = recovery.root_signing_seed(code), recovery.root_box_seed(code)
    return {"bytes": text(code), "signing": text(seeds[0]), "box": text(seeds[1])}


def _key_text(given: Input) -> Values:
    return {"bytes": text(keyslots._read_key_text(given["text"]))}


def _invite(given: Input) -> Values:
    made = invites.read(given["text"])
    return {"space": made.board, "secret": text(made.secret), "name": made.name, "places": list(made.places)}


def _slot(given: Input) -> Values:
    return {"key": text(keyslots.open_slot(given["slot"], given["secret"]))}


def _anchor(given: Input) -> Values:
    with tempfile.TemporaryDirectory() as folder:
        home = homes.Home(Path(folder))
        home.anchor.write_bytes(raw(given["anchor"]))
        found = homes.read_anchor(home, StoreKey(raw(given["key"])))
    if found is None or found.is_ahead_of(given["total"], raw(given["id"])):
        raise Behind
    return {"total": found.total, "id": text(found.id)}


def _attachment(given: Input) -> Values:
    sealed = raw(given["sealed"])
    content = b"".join(attachments.open_file_chunks(raw(given["key"]), [sealed]))
    if given["address"] is not None and text(attachments.address([sealed])) != given["address"]:
        raise sealing.BadSeal
    return {"hash": text(sha256(content).digest())}


def _pack(given: Input) -> Values:
    data = raw(given["pack"])
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.flush()
        head = pack.read_head(file.fileno(), len(data))
        found = [pack.read(file.fileno(), entry) for entry in pack.index(file.fileno(), head, given["name"])]
    for run in found:
        segments.verify(run)
    listed = [[text(row.device), row.first, row.last] for row in head.ranges]
    names = [text(name) for name in sorted(head.names)]
    return {"space": text(head.space), "writer": text(head.writer), "names": names, "ranges": listed}


class _Given:
    """A stream that gives these bytes and ends."""

    def __init__(self, data: bytes) -> None:
        self.left = data

    def read(self, size: int) -> bytes:
        given, self.left = self.left[:size], self.left[size:]
        return given

    def write(self, data: bytes) -> None:
        raise AssertionError(f"nothing is answered, not {data!r}")


def _frame(given: Input) -> Values:
    stream = _Given(raw(given["frame"]))
    found = wire.Channel(stream).receive()
    if stream.left:
        raise wire.PeerProtocol(why="bytes behind the frame")
    name = next(name for name in _FRAMES if getattr(wire, name) == found.kind)
    return {"name": name, "size": len(found.payload)}


_FRAMES: Final = ("HELLO", "PROOF", "SUMMARY", "SPACES", "HEADS", "SEGMENT", "RESULT", "WANT", "OBJECT", "OBJECT_END",
                  "END", "BYE", "ERROR", "RANGES", "PARTS", "RECEIPTS", "PAIR")  # fmt: skip


_LISTS: Final[dict[str, Callable[[bytes], Any]]] = {
    "WANT": lambda data: [text(address) for address in wire.read_wants(data)],
    "RANGES": lambda data: [[number, text(digests)] for number, digests in wire.read_ranges(data)],
    "PARTS": wire.read_parts,
    "RECEIPTS": lambda data: [text(packed) for packed in wire.read_receipts(data)],
    "SPACES": lambda data: [[text(space), text(mark)] for space, mark in wire.read_spaces(data)],
}


def _payload(given: Input) -> Any:
    name, data = given["name"], raw(given["payload"])
    if name in _LISTS:
        return _LISTS[name](data)
    if name == "SUMMARY":
        said = wire.read_summary(data, leads=given["leads"])
        return {"digest": text(said.digest), "wants": said.wants, "ranges": text(said.ranges)}
    if name == "PAIR":
        mailbox, message = wire.read_pair(data)
        return {"mailbox": text(mailbox), "message": text(message)}
    if name == "HEADS":
        space, heads = wire.read_heads(data)
        return {"space": text(space), "heads": _heads(heads)}
    if name == "RESULT":
        space, accepted, rejected, heads = wire.read_result(data)
        return {"space": text(space), "accepted": accepted, "rejected": rejected, "heads": _heads(heads)}
    assert name == "ERROR", "a payload without a reader"
    failure = wire.read_error(data)
    return {"code": failure.peer_code, "text": failure.reason}


def _heads(heads: Sequence[Head]) -> list[Values]:
    return [{"device": text(head.device), "seq": head.seq, "id": text(head.id)} for head in heads]


def _comparison(given: Input) -> Values:
    held = {raw(space): [Head(raw(a), seq, raw(b)) for a, seq, b in heads] for space, heads in given["spaces"]}
    salt = raw(given["transcript"]) + given["number"].to_bytes(4, "big")
    signed = {
        raw(space): b"".join(sorted(raw(relay) + number.to_bytes(8, "big") + raw(head) for relay, number, head in rows))
        for space, rows in given["signed"]
    }
    marks = {
        space: dialogue.mark(salt, space, position(heads), signed.get(space, b"")) for space, heads in held.items()
    }
    told = [[text(space), text(position(held[space])), text(marks[space])] for space in sorted(held)]
    return {"spaces": told, "digest": text(ranges.whole(marks)), "ranges": text(ranges.ranges(marks))}


def _older(given: Input) -> Values:
    space, secret, wrap = _raws(given, "space", "secret", "wrap")
    return {"older": [text(one) for one in wraps.carried(space, clear.read_wrap(wrap), secret)]}


def _statement(given: Input) -> Values:
    fields = ("identity", "device", "keeps", "at", "by", "certificates", "signature")
    return {"holds": revocation.holds(*[given[name] for name in fields])}


def _asked(given: Input) -> Values:
    code = pairing.read_code(given["code"])
    said = pairing._read_asked(code, raw(given["message"]))
    told = {name: said[name] for name in ("device", "name", "nonce")}
    return told | {"mailbox": text(pairing.mailbox(code)), "box": text(boxes.key_id(raw(said["box"])))}


def _answered(given: Input) -> Values:
    seed, box, asked = _raws(given, "seed", "box", "asked")
    joiner = pairing.Joiner(pairing.read_code(given["code"]), seed, box, asked, given["nonce"])
    found = pairing.granted(joiner, raw(given["message"]))
    told = {"identity": found.identity, "space": found.space, "maker": text(found.maker), "epoch": text(found.epoch)}
    return told | {"box": found.box[0], "kind": found.certificates[0].kind}


def _hello(given: Input) -> Values:
    said = handshake._read_hello(raw(given["payload"]))
    return {"device": text(said.device), "identity": text(said.identity)}


def _proof(given: Input) -> Values:
    payload, lead, follow = _raws(given, "payload", "lead", "follow")
    transcript = handshake._transcript(lead, follow)
    said = handshake._read_hello(lead if given["role"] == "lead" else follow)
    role = given["role"].encode()
    handshake._check(said, role, transcript, payload[:64])
    keys = {raw(secret): derivation.derive(raw(secret), "access") for secret in given["boards"]}
    keys |= {raw(relay): raw(relay) for relay in given["relays"]}
    shared = handshake._shared(keys, role, transcript, payload[64:])
    return {name: [raw(one) in shared for one in given[name]] for name in ("boards", "relays")}


def _ranges(given: Input) -> Values:
    rows = {raw(row)[:32]: raw(row)[32:] for row in given["rows"]}
    told = [[number, text(ranges.parts(rows, number))] for number in given["ranges"]]
    return {"whole": text(ranges.whole(rows)), "ranges": text(ranges.ranges(rows)), "parts": told}


def _receipt(given: Input) -> Values:
    found = receipt.unpack(raw(given["receipt"]))
    if not receipt.holds(found):
        raise receipt.BadReceipt(why="wrong signature")
    told = found._asdict()
    del told["signature"]
    return {name: text(value) if isinstance(value, bytes) else value for name, value in told.items()}


def _message(given: Input) -> Values:
    return _MESSAGES[given["form"]](raw(given["message"]), given.get("given", 0))


def _told(run: segments.Segment) -> Values:
    return {"device": text(run.device), "first": run.first_seq, "count": len(run.events)}


def _different(data: bytes, _: int) -> Values:
    found = relay_messages.read_different(data)
    if found is None:
        return {"differs": False}
    rows = [{"range": number, "digests": text(row)} for number, row in found.ranges]
    return {"differs": True, "digest": text(found.digest), "ranges": rows, "news": _told_of(found.news)}


def _sections(data: bytes, _: int) -> Values:
    sections, more = relay_messages.read_sections(data)
    return {"more": more, "sections": _told_of(sections)}


def _told_of(sections: Sequence[relay_messages.Section]) -> list[Values]:
    return [
        {
            "space": text(one.space), "after": one.after, "to": one.receipt.number,
            "order": [list(run) for run in one.order], "segments": [_told(run) for run in one.segments],
        }
        for one in sections
    ]  # fmt: skip


def _summary(data: bytes, _: int) -> Values:
    found = relay_messages.read_summary(data)
    return {"digest": text(found.digest), "ranges": text(found.ranges), "wait": found.wait_s}


def _pull(data: bytes, _: int) -> Values:
    found = relay_messages.read_pull(data)
    rows = [{"space": text(row.space), "after": row.after, "head": text(row.head)} for row in found.rows]
    return {"parts": list(found.parts), "rows": rows}


def _push(data: bytes, _: int) -> Values:
    found = relay_messages.read_push(data)
    door = text(found.door) if found.door else None
    return {"space": text(found.space), "door": door, "segments": [_told(run) for run in found.segments]}


def _pushed(data: bytes, given: int) -> Values:
    found = relay_messages.read_pushed(data, given)
    return {
        "first": found.first, "before": text(found.before), "receipt": found.receipt and found.receipt.number,
        "taken": list(found.taken), "refused": [list(row) for row in found.refused],
    }  # fmt: skip


def _piece(data: bytes, _: int) -> Values:
    found = relay_messages.read_piece(data)
    told = {"space": text(found.space), "address": text(found.address)}
    return told | {"size": found.size, "offset": found.offset, "bytes": len(found.data)}


_MESSAGES: Final[dict[str, Callable[[bytes, int], Values]]] = {
    "summary": _summary,
    "summary answer": _different,
    "pull": _pull,
    "pull answer": _sections,
    "push": _push,
    "push answer": _pushed,
    "object": _piece,
}


def _terms(given: Input) -> Values:
    made = sha256(canonical.encode(given["terms"])).digest()
    if text(made) != given["hash"]:
        raise OtherHash
    if not signing.verify(raw(given["device"]), signing.TAGS.terms, made, raw(given["signature"])):
        raise Said("terms.bad_signature")
    return {"hash": text(made)}


def _review(given: Input) -> Values:
    content = Content(**given["review"])
    token = deal_token(SpaceId(given["deal"]))
    return {"commitment": content.commitment(given["key"]), "digest": content.digest(), "token": token}


def _review_key(given: Input) -> Values:
    seed, space, commit, box = _raws(given, "seed", "space", "commit", "box")
    key = boxes.BoxKey(seed)
    found = wraps.unwrap_review_key(space, commit, box, {text(key.key_id): key})
    if found is None:
        raise Said("box.broken")
    return {"key": text(found)}


def _review_box(given: Input) -> Values:
    key, box, deal = _raws(given, "key", "box", "deal")
    return {"review": canonical.decode(sealing.open_sealed(key, bytes(12), box, deal))}


def _voucher(given: Input) -> Values:
    made: Voucher = shape.from_data(Voucher, given["voucher"])
    if not vouchers.holds(made):
        raise Said("review.bad_voucher")
    return {"agent": made.agent, "digest": made.digest}


def _door_message(given: Input) -> bytes:
    relay, device, space = _raws(given, "relay", "device", "space")
    return b"chaise/1 door\0" + relay + device + space


def _door_proof(given: Input) -> Values:
    door, signature = _raws(given, "door", "signature")
    return {"holds": signing.verify(door, signing.TAGS.proof, _door_message(given), signature)}


def _request(given: Input) -> Values:
    """By RFC 9421 over these four components; `input` is what stands behind `c=`."""
    told = {"@method": "method", "@authority": "authority", "@path": "path", "content-digest": "digest"}
    lines = [f'"{name}": {given[field]}' for name, field in told.items()]
    base = "\n".join([*lines, f'"@signature-params": {given["input"]}'])
    try:
        Ed25519PublicKey.from_public_bytes(raw(given["device"])).verify(raw(given["signature"]), base.encode())
    except InvalidSignature:
        return {"holds": False}
    return {"holds": True}


def _deal(given: Input) -> Values:
    runs: Sequence[segments.Segment] = [segments.unpack(raw(packed)) for packed in given["segments"]]
    return deals.folded(raw(given["space"]), runs, raw(given["secret"]))


def _hashes(given: Input) -> Values:
    return {"hash": text(derivation.tagged_hash(given["use"], *[raw(part) for part in given["parts"]]))}


KINDS: Final[dict[str, Callable[[Input], Any]]] = {
    "derive": _derive,
    "tagged hash": _hashes,
    "identity": lambda given: {"identity": certificate.identity_of(raw(given["root"]))},
    "commitment": lambda given: {"commit": text(sealing.epoch_commit(*_raws(given, "space", "secret")))},
    "nonce": lambda given: {"nonce": text(sealing.event_nonce(raw(given["device"]), int(given["seq"])))},
    "canonical": lambda given: {"hash": text(sha256(_encoded(raw(given["bytes"]))).digest())},
    "header": _header,
    "clear body": _clear,
    "certificates": _certificates,
    "key admission": _admission,
    "signature": _signature,
    "seal": _seal,
    "event": _event,
    "plaintext": lambda given: {"kind": plaintext.read(_content(raw(given["padded"]))).kind},
    "body form": _form,
    "segment": _segment,
    "box": _box,
    "box seed": _box_seed,
    "box key": _box_key,
    "recovery code": _recovery,
    "key text": _key_text,
    "invite": _invite,
    "slot": _slot,
    "anchor": _anchor,
    "attachment": _attachment,
    "pack": _pack,
    "frame": _frame,
    "payload": _payload,
    "comparison": _comparison,
    "older secrets": _older,
    "revocation": _statement,
    "pairing request": _asked,
    "pairing answer": _answered,
    "hello": _hello,
    "proof": _proof,
    "range digests": _ranges,
    "receipt": _receipt,
    "log head": lambda given: {"head": text(receipt.advance(receipt.START, [raw(one) for one in given["ids"]]))},
    "relay message": _message,
    "relay request": _request,
    "door proof": _door_proof,
    "door seed": lambda given: {"seed": text(_door_seed(raw(given["secret"])))},
    "terms": _terms,
    "review": _review,
    "review key": _review_key,
    "review box": _review_box,
    "voucher": _voucher,
    "deal": _deal,
}


def _door_seed(secret: bytes) -> bytes:
    return derivation.derive(derivation.derive(secret, "access"), "door")


def _encoded(data: bytes) -> bytes:
    return canonical.encode(canonical.decode(data))
