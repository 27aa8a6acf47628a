"""Letting another device of one's own in: a code, the two messages sealed under it, and what they bring.

The device that holds the identity makes the code and keeps it as its *pending pairing*; the one that joins proves
its keys under it and gets certificates, and the self space's key wrapped to its own box key. docs/spec/devices.md.
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from chaise_cli.crypto import boxes, checked_text, sealing, signing
from chaise_cli.crypto.derivation import PREFIX, derive, tagged_hash
from chaise_cli.domain import own as bodies
from chaise_cli.domain import shape
from chaise_cli.domain.light import NamedTuple
from chaise_cli.errors import ChaiseError, Conflict, Corrupt, NotFound, Refused, Usage
from chaise_cli.ids import DeviceId, IdentityId, SpaceId, public, raw, text
from chaise_cli.ledger import canonical, certificate
from chaise_cli.session import rekeying, wraps, writing
from chaise_cli.store import events, own

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from chaise_cli.ledger.certificate import Certificate
    from chaise_cli.session.session import Session
    from chaise_cli.store.events import Space

LASTS_MS: Final = 600_000
CODE_SIZE: Final = 20
NONCE: Final = 32
MESSAGE_MOST: Final = 16 * 1024
_USE: Final = "pairing"
_TAG: Final = PREFIX + b"pairing\0"
_PENDING: Final = "pairing"
_ASKED: Final = {"box", "device", "name", "nonce", "proof", "v"}
_GRANTED: Final = {"certificates", "identity", "maker", "nonce", "secrets", "settings", "space", "v"}


class BadCode(Usage):
    """The text is no pairing code."""

    code = "pairing.bad_code"
    message = "this is not a pairing code: {why}"
    hint = "copy it again; capitals, dashes and spaces do not matter"
    why: str


class NoPairing(NotFound):
    """No code was made here, or its time is over."""

    code = "pairing.none"
    message = "no pairing with this code waits here"
    hint = "a code is good for ten minutes; make a new one: chaise device add"


class AlreadyPaired(Conflict):
    """The code let another device in before."""

    code = "pairing.done"
    message = "this code has let a device in already"
    hint = "make a new one: chaise device add; whom it let in lists chaise devices: revoke one that is not there"


class BrokenPairing(Corrupt):
    """A message of the pairing does not open under the code, or does not say what it should."""

    code = "pairing.broken"
    message = "the pairing failed: {why}"
    hint = "compare the code, make a new one with chaise device add, and mind who else writes to that place"
    why: str


class NotAdmin(Refused):
    """Only an admin device lets others in."""

    code = "device.not_admin"
    message = "this device may not certify others"
    hint = "do it on another device: chaise devices; or with the recovery code: --recovery-file FILE"


class TooDeep(Refused):
    """The certificates of a further device would be too many."""

    code = "device.too_deep"
    message = "a device certified by this one would be too far from the root"
    hint = (
        "let it in from a device nearer to it, or renew this one by the root: chaise device renew --recovery-file FILE"
    )


class Pending(NamedTuple):
    """A pairing that waits, or was answered. until: ms; device: whom it let in."""

    code: bytes
    until: int
    limited: bool
    name: str | None
    device: str | None = None
    asked: str | None = None  # hash of the message that was answered
    answer: str | None = None

    @property
    def mailbox(self) -> bytes:
        """The name under which messages are left."""
        return mailbox(self.code)


class Joiner(NamedTuple):
    """What the joining device keeps for itself until it is let in."""

    code: bytes
    seed: bytes
    box: bytes
    message: bytes
    nonce: str


class Granted(NamedTuple):
    """What a device that was let in learns. box: id and seed of the identity's box key."""

    identity: IdentityId
    certificates: Sequence[Certificate]
    space: SpaceId
    maker: bytes
    epoch: bytes
    box: tuple[str, str]
    settings: dict[str, Any]


def mailbox(code: bytes) -> bytes:
    """The name under which messages are left, which does not tell the code."""
    return tagged_hash("pairing-mailbox", code)


def write_code(code: bytes) -> str:
    """The code as it is shown."""
    return checked_text.write(code, _USE)


def read_code(given: str) -> bytes:
    """The code behind what somebody typed. Raises BadCode."""
    try:
        return checked_text.read(given, _USE, CODE_SIZE)
    except checked_text.Misspelt as error:
        raise BadCode(why=error.reason) from None


def begin(session: Session, name: str | None, *, limited: bool) -> Pending:
    """Make a new code; an earlier one that waits is good no more. Raises NotAdmin, TooDeep."""
    issuer(session)
    made = Pending(session.random(CODE_SIZE), session.clock.now() + LASTS_MS, limited, name)
    with session.writing():
        _keep(session, made)
    return made


def pending(session: Session) -> Pending | None:
    """The pairing that waits, or the last one answered; None when its time is over."""
    kept = own.get(session.db, _PENDING)
    if kept is None:
        return None
    value = json.loads(kept)
    found = Pending(raw(value[0]), *value[1:])
    return found if found.until > session.clock.now() else None


def _keep(session: Session, made: Pending) -> None:
    own.put(session.db, _PENDING, json.dumps([text(made.code), *made[1:]]).encode())


def issuer(session: Session) -> tuple[signing.Ed25519Signer, list[object]]:
    """The key of this home nearest to the root that may certify, and its certificates. Raises NotAdmin, TooDeep."""
    admins = [row for row in own.devices(session.db) if _kind(row[1]) == "admin"]
    if not admins:
        raise NotAdmin
    device, chain = admins[0]
    if len(chain) >= certificate.LONGEST:
        raise TooDeep
    return signing.Ed25519Signer(own.device_seed(session.db, device)), chain


def _kind(chain: list[object]) -> str:
    first: Any = chain[0]
    return str(first["kind"])


def answer(session: Session, box: bytes, message: bytes) -> bytes:
    """Let the device in that sent this message; what it is told. The same message is told the same again.

    Raises NoPairing, AlreadyPaired, BrokenPairing, NotAdmin, TooDeep, Behind.
    """
    with session.writing():
        waiting = pending(session)
        if waiting is None or waiting.mailbox != box:
            raise NoPairing
        asked = sha256(message).digest()
        if waiting.answer is not None:
            if waiting.asked != text(asked):
                raise AlreadyPaired
            return raw(waiting.answer)
        said = _read_asked(waiting.code, message)
        granted = _admit(session, waiting, said, asked)
        _keep(session, waiting._replace(device=said["device"], asked=text(asked), answer=text(granted)))
        return granted


def _admit(session: Session, waiting: Pending, said: dict[str, Any], asked: bytes) -> bytes:
    """Certify the device, wrap the self space's key to it, and seal what it has to know."""
    signer, chain = issuer(session)
    me = session.me.identity
    kind: certificate.Kind = "device" if waiting.limited else "admin"
    name = waiting.name or said["name"]
    made = certificate.issue(signer, kind, me, DeviceId(said["device"]), name, session.clock.now())
    space = events.spaces(session.db, "self")[0]
    writer = writing.Writer(session)
    told = canonical.encode(made.value()).decode()
    told_box = bodies.SelfDeviceBox(DeviceId(said["device"]), said["box"])
    writer.write(session.space(space.no), [bodies.SelfDevice(told), told_box])
    space = session.space(space.no)
    secret, box_public = session.epochs.secret(space), raw(said["box"])
    for one in {secret: None, **dict.fromkeys(_newest(session, space))}:
        writer.wrap(space, wraps.wrap_for(raw(space.id), one, [(me, box_public)]))
    id_, seed = own.box_seed(session.db)
    secrets = canonical.encode({"box": [id_, text(seed)], "epoch": text(secret)})
    content = {
        "certificates": [made.value(), *chain],
        "identity": me,
        "maker": text(space.creator_device),
        "nonce": said["nonce"],
        "secrets": text(boxes.wrap(box_public, secrets, _box_info(waiting.mailbox, asked))),
        "settings": own.settings(session.db)._asdict(),
        "space": space.id,
        "v": 1,
    }
    return _seal(waiting.code, b"answer", asked, content, session.random)


def _newest(session: Session, space: Space) -> list[bytes]:
    """The secrets of the newest epochs that are held; two devices that open one at once make two."""
    if rekeying.is_plain(session, space):
        return []
    numbers = [session.epochs.number(space.no, one.name) for one in rekeying.heads(session, space)]
    return [session.epochs.secret_of(number) for number in numbers if number is not None]


def ask(code: bytes, name: str, random: Callable[[int], bytes]) -> Joiner:
    """New keys for a device that joins, and the message that asks for its certificates."""
    seed, box, nonce = signing.generate_seed(random), random(boxes.SEED_SIZE), text(random(NONCE))
    signer, box_public = signing.Ed25519Signer(seed), boxes.BoxKey(box).public
    proof = signer.sign(signing.TAGS.proof, _proved(mailbox(code), box_public, raw(nonce)))
    content = {
        "box": text(box_public),
        "device": text(signer.public),
        "name": name,
        "nonce": nonce,
        "proof": text(proof),
        "v": 1,
    }
    return Joiner(code, seed, box, _seal(code, b"join", bytes(32), content, random), nonce)


def granted(joiner: Joiner, message: bytes) -> Granted:
    """What the answer brings. Raises BrokenPairing when it is not the answer to what was asked."""
    asked = sha256(joiner.message).digest()
    value = _open(joiner.code, b"answer", asked, message, _GRANTED)
    device = text(signing.Ed25519Signer(joiner.seed).public)
    try:
        chain = certificate.check(value["certificates"])
        secret = boxes.BoxKey(joiner.box).unwrap(raw(value["secrets"]), _box_info(mailbox(joiner.code), asked))
        told: Any = canonical.decode(secret)
        (id_, seed), epoch = told["box"], raw(told["epoch"])
        key = boxes.BoxKey(raw(seed))
        shape.check(bodies.SelfSettings(**value["settings"]))
        maker, space = raw(value["maker"]), raw(value["space"])
        sizes = {len(epoch), len(maker), len(space)}
    except (ChaiseError, ValueError, TypeError, KeyError, AssertionError) as error:
        raise BrokenPairing(why="the answer is malformed") from error
    first = chain[0]
    good = first.device == device and first.identity == value["identity"] and first.is_device
    if not good or value["nonce"] != joiner.nonce or sizes != {32} or text(key.key_id) != id_:
        raise BrokenPairing(why="the answer is for another device")
    return Granted(first.identity, chain, SpaceId(value["space"]), maker, epoch, (id_, seed), value["settings"])


def _read_asked(code: bytes, message: bytes) -> dict[str, Any]:
    """The checked content of the first message. Raises BrokenPairing."""
    said = _open(code, b"join", bytes(32), message, _ASKED)
    try:
        device, key, nonce, proof = (raw(said[name]) for name in ("device", "box", "nonce", "proof"))
        shape.check(bodies.SelfDeviceBox(said["device"], said["box"]))
        shape.check(bodies.SelfDeviceNamed(said["device"], said["name"]))
        signing.admit_key(device, torsion=True)
        boxes.admit_box_key(key)
    except (ChaiseError, ValueError, TypeError, AttributeError) as error:
        raise BrokenPairing(why="the device's keys are malformed") from error
    proved = _proved(mailbox(code), key, nonce)
    if len(nonce) != NONCE or not signing.verify(device, signing.TAGS.proof, proved, proof):
        raise BrokenPairing(why="the device did not prove its key")
    return said


def _proved(box: bytes, key: bytes, nonce: bytes) -> bytes:
    return _TAG + box + sha256(key).digest() + nonce


def _box_info(box: bytes, asked: bytes) -> bytes:
    return _TAG + boxes.SUITE_ID + box + asked


def _aad(code: bytes, direction: bytes, transcript: bytes) -> bytes:
    return _TAG + direction + b"\0" + mailbox(code) + transcript


def _seal(
    code: bytes, direction: bytes, transcript: bytes, content: dict[str, object], random: Callable[[int], bytes]
) -> bytes:
    nonce = random(sealing.NONCE_SIZE)
    data = canonical.encode(content)
    return nonce + sealing.seal(derive(code, "pairing"), nonce, data, _aad(code, direction, transcript))


def _open(code: bytes, direction: bytes, transcript: bytes, message: bytes, keys: set[str]) -> dict[str, Any]:
    nonce, sealed = message[: sealing.NONCE_SIZE], message[sealing.NONCE_SIZE :]
    if len(message) > MESSAGE_MOST or len(sealed) < sealing.OVERHEAD:
        raise BrokenPairing(why="a message of the wrong size")
    try:
        value = canonical.decode(
            sealing.open_sealed(derive(code, "pairing"), nonce, sealed, _aad(code, direction, transcript))
        )
    except sealing.BadSeal as error:
        raise BrokenPairing(why="a message was not made with this code") from error
    except canonical.NotCanonical as error:
        raise BrokenPairing(why="a message is malformed") from error
    if not isinstance(value, dict) or set(value) != keys or value["v"] != 1:
        raise BrokenPairing(why="a message is malformed")
    return value


def device_id(waiting: Pending) -> str | None:
    """The public id of the device that was let in."""
    return public("dev", waiting.device) if waiting.device else None
