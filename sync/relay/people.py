"""Who may speak here: registration, door proofs, invites and striking off. docs/spec/relay.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from chaise_cli import ids
from chaise_cli.errors import ChaiseError, NotFound
from chaise_cli.ledger import canonical, certificate, proof, relay_invite
from chaise_cli.ledger.certificate import Certificate

from .contract import Position, Reach, Store, Transaction
from .limits import DOORS_LIMIT
from .refusal import Refusal

INVITE_ID: Final = 16  # characters of five bits
_DOOR: Final = b"chaise/1 door\0"


class NoInvite(NotFound):
    """None of the relay's invites is meant, or several are."""

    code = "relay.no_invite"
    message = "{count} invites of this relay have an id that begins with {given!r}"
    hint = "see them with: chaise relay invites; four or more characters of an id tell which"
    given: str
    count: int | str


class Caller(NamedTuple):
    """A registered device and whose it is. admin: it may strike another one off. space: all that a grant's key sees."""

    device: bytes
    identity: bytes
    admin: bool
    space: bytes | None = None

    def sees(self, space: bytes) -> bool:
        """Whether it may be served a space that is served to its identity."""
        return self.space in (None, space)


class Registration(NamedTuple):
    """What a device registers with. doors: (space, signature) of boards; invite: its SHA-256, if it holds."""

    chain: Sequence[Certificate]
    doors: Sequence[tuple[bytes, bytes]]
    invite: bytes | None


def door_message(relay: bytes, device: bytes, space: bytes) -> bytes:
    """What a door key signs, under the tag for proofs, for a device at a relay."""
    return _DOOR + relay + device + space


def caller(store: Store, device: bytes, now: int) -> Caller:
    """Whoever signed a request, if it may speak here at `now`, in ms. Raises Refusal."""
    known = store.device(device)
    if known is None:
        raise Refusal("relay.not_registered", "this device is not registered here")
    if known.struck:
        raise Refusal("relay.struck", "this device was struck off")
    if known.reach is not None and now >= known.reach.until:
        raise Refusal("relay.struck", "this grant is over")
    return Caller(device, known.identity, known.admin, known.reach.space if known.reach else None)


def positions(store: Store, who: Caller) -> Mapping[bytes, Position]:
    """Every space that is served to a caller, with its position."""
    return {space: at for space, at in store.positions(who.identity).items() if who.sees(space)}


def read_registration(body: bytes) -> Registration:
    """What a registration says. Raises Refusal."""
    value = read_json(body, {"certificates", "doors", "invite"})
    try:
        chain = certificate.check(value["certificates"])
    except ChaiseError as error:
        raise Refusal("relay.not_admitted", error.sentence()) from error
    return Registration(chain, _read_doors(value["doors"]), _read_invite(value["invite"]))


def register(store: Store, relay: bytes, device: bytes, asked: Registration) -> Sequence[bytes]:
    """Register a device, and serve it the boards whose door it opens: these. Raises Refusal.

    The key of a grant is let in by its deal being here, and opens no door.
    """
    own = asked.chain[0]
    identity = ids.raw(own.identity)
    if ids.raw(own.device) != device:
        raise Refusal("relay.not_admitted", "the certificates are of another device")
    reach = _reach(own)
    doors = store.doors([space for space, _ in asked.doors])
    opened = [space for space, signature in asked.doors if _opens(doors.get(space), relay, device, space, signature)]
    if reach is not None:
        opened = []

    def work(writing: Transaction) -> None:
        if writing.struck(identity, [ids.raw(one.device) for one in asked.chain]):
            raise Refusal("relay.struck", "this device, or one that certified it, was struck off")
        before = writing.device(device)
        if before is not None and before.identity != identity:
            raise Refusal("relay.not_admitted", "this device is registered for another identity")
        if reach is not None:
            _let_in(writing, device, identity, reach)
            return
        invited = asked.invite is not None and writing.invited(asked.invite)
        if not (opened or invited or before or writing.devices(identity)):
            raise Refusal("relay.not_admitted", "registering takes an invite of this relay or to a board that is here")
        writing.register(device, identity, admin=own.kind == "admin")
        for space in sorted(set(opened)):
            held = writing.space(space)
            if held is not None and held.door == doors[space] and not writing.serves(space, identity):
                writing.serve(space, [identity])

    store.run(work)
    return sorted(set(opened))


def _reach(own: Certificate) -> Reach | None:
    """What the key of a grant is limited to; None for a device. Raises Refusal."""
    if own.kind == "run":
        raise Refusal("relay.not_admitted", "a run registers the key of its grant, not its own")
    return Reach(ids.raw(own.space), own.until) if own.kind == "grant" else None


def _let_in(writing: Transaction, device: bytes, identity: bytes, reach: Reach) -> None:
    """Register the key of a grant. Raises Refusal."""
    if not writing.serves(reach.space, identity):
        raise Refusal("relay.not_admitted", "the grant's deal is not served to its identity here")
    writing.register(device, identity, admin=False, reach=reach)


def read_revocation(body: bytes) -> bytes:
    """Which device is to be struck off. Raises Refusal."""
    return read_key(read_json(body, {"device"})["device"])


def revoke(store: Store, who: Caller, device: bytes) -> None:
    """Strike off a device of the caller's own identity. Raises Refusal."""
    if not who.admin:
        raise Refusal("relay.not_admitted", "only a device with an admin certificate strikes another off")
    if device == who.device:
        raise malformed("a device does not strike itself off")
    store.run(lambda writing: writing.strike(who.identity, device))


def new_invite(store: Store, random_20: bytes) -> str:
    """An invite that is good from now on."""
    store.run(lambda writing: writing.add_invite(relay_invite.digest(random_20)))
    return relay_invite.write(random_20)


def invite_id(digest: bytes) -> str:
    """What an invite is called where it may be seen."""
    return ids.base32(digest, INVITE_ID)


def withdraw(store: Store, given: str) -> str:
    """Let nobody in by the one invite whose id begins so; its id. Raises NoInvite."""
    found = {invite_id(digest): digest for digest in store.invites()}
    meant = [name for name in found if len(given) >= 4 and name.startswith(given.lower())]
    if len(meant) != 1:
        raise NoInvite(given=given[:INVITE_ID], count=len(meant) or "no")
    store.run(lambda writing: writing.drop_invite(found[meant[0]]))
    return meant[0]


def malformed(why: str) -> Refusal:
    """A refusal of what is no message."""
    return Refusal("relay.malformed", why)


def read_json(body: bytes, keys: set[str]) -> Mapping[str, object]:
    """The object in a request: canonical JSON with exactly these keys. Raises Refusal."""
    try:
        value = canonical.decode(body)
    except canonical.NotCanonical as error:
        raise malformed("not canonical JSON") from error
    if not isinstance(value, dict) or set(value) != keys:
        raise malformed("an object with other keys")
    return value


def read_key(value: object, size: int = 32) -> bytes:
    """The bytes of a key or signature in JSON. Raises Refusal."""
    try:
        found = ids.raw(value) if isinstance(value, str) else b""
    except ValueError as error:
        raise malformed("a key that is not base64url") from error
    if len(found) != size:
        raise malformed("a key of another size")
    return found


def _read_doors(value: object) -> Sequence[tuple[bytes, bytes]]:
    if not isinstance(value, list) or len(value) > DOORS_LIMIT:
        raise malformed("doors that are no list, or too many")
    if not all(isinstance(pair, list) and len(pair) == 2 for pair in value):
        raise malformed("a door that is no pair")
    return [(read_key(space), read_key(signature, 64)) for space, signature in value]


def _read_invite(value: object) -> bytes | None:
    """The hash of the invite that somebody brings; one that is misspelt is none of ours."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise malformed("an invite that is no text")
    try:
        return relay_invite.digest(relay_invite.read(value))
    except relay_invite.BadRelayInvite as error:
        raise Refusal("relay.not_admitted", error.sentence()) from error


def _opens(door: bytes | None, relay: bytes, device: bytes, space: bytes, signature: bytes) -> bool:
    return door is not None and proof.verify(door, door_message(relay, device, space), signature)
