"""`device revoke`: cutting a device off everywhere, and locking what is written from now on against it.

The order goes into self, signed once by the root or an admin key; `spread` writes it, with a new box key, into every
space that lacks it, then and after each sync, so that deals and boards that come later are told too.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from chaise_cli.crypto import boxes, signing
from chaise_cli.domain import own as own_bodies
from chaise_cli.domain import revocation
from chaise_cli.domain.box_key import BoxKey
from chaise_cli.domain.light import NamedTuple
from chaise_cli.domain.revocation import LastEvent, MayNotRevoke
from chaise_cli.errors import ChaiseError, Refused
from chaise_cli.ids import DeviceId, EventId, public, raw, text
from chaise_cli.ledger import canonical
from chaise_cli.ledger import revocation as statement
from chaise_cli.session import devices, moving, profiles, rekeying, requests, roots, writing
from chaise_cli.store import deal_states, events, own, revocations, selves
from chaise_cli.store import profiles as profile_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chaise_cli.session.requests import Request
    from chaise_cli.session.session import Session
    from chaise_cli.session.writing import Writer
    from chaise_cli.shapes import OwnDevice
    from chaise_cli.store.events import Space


class ThisDevice(Refused):
    """A device does not revoke itself."""

    code = "device.this_one"
    message = "{device} is this very device"
    hint = "revoke it on another device of yours; to give it a new key: chaise device renew"
    device: str


class Done(NamedTuple):
    """What revoking came to. moved: the deals whose agent's role came to this device."""

    device: OwnDevice
    events: Sequence[str]
    replayed: bool
    moved: Sequence[str]
    warnings: Sequence[str]


class _Authority(NamedTuple):
    """A key that may revoke: its signer, and its certificates up to the root; none for the root's own."""

    signer: signing.Ed25519Signer
    certificates: Sequence[str]


def revoke(
    session: Session, given: str, recovery_code: str | None, asked: Request | None, *, exact: bool = False
) -> Done:
    """Revoke a device of one's own, with every key that its home has used; a second time changes nothing.

    Raises BadId, NoSuchDevice, ThisDevice, MayNotRevoke, NoRootBox, BadRecoveryCode, OtherRoot, Reused.
    """
    with session.writing():
        before = requests.replayed(session, asked)
        target = devices.find(session, before.subject if before else given, exact=exact)
        gone = selves.revoked(session.db)
        if before is not None or target.device in gone:
            events_before = before.events if before else ()
            return Done(devices.by_key(session, target.device), events_before, replayed=True, moved=(), warnings=())
        keys = _keys_of(session, target.device)
        if session.me.device in keys:
            raise ThisDevice(device=public("dev", target.device))
        writer = writing.Writer(session)
        _in_self(session, writer, keys, recovery_code, asked)
        moved, warnings = spread(session, writer)
        made = requests.remember(session, asked, public("dev", target.device), writer.written)
        return Done(devices.by_key(session, target.device), made, replayed=False, moved=moved, warnings=warnings)


def _keys_of(session: Session, device: DeviceId) -> list[DeviceId]:
    """Every key that the device's home has used: whoever holds one of them holds the others too."""
    links = [set(pair) for pair in selves.renewals(session.db).items()]
    found = {device}
    while more := [link for link in links if link & found and not link <= found]:
        found = found.union(*more)
    return sorted(found)


def _in_self(
    session: Session, writer: Writer, keys: Sequence[DeviceId], recovery_code: str | None, asked: Request | None
) -> None:
    """The orders, then a new key for self that the device cannot open, then a new box key under it."""
    space = session.space(events.spaces(session.db, "self")[0].no)
    if rekeying.root_box(session) is None:
        if recovery_code is None:
            raise rekeying.NoRootBox
        writer.write(space, [own_bodies.SelfRootBox(text(roots.box(recovery_code).public))])
    root = roots.signer(session, recovery_code) if recovery_code is not None else None
    gone = selves.revoked(session.db)
    known = {one.device: selves.above(session.db, one.device) for one in selves.devices(session.db)}
    orders = []
    for key in keys:
        keeps = [one for one, above in known.items() if key in above and one not in keys and one not in gone]
        orders.append(_order(session, _authority(session, key, root), key, sorted(keeps), _last(session, space, key)))
    writer.write(space, orders, asked)
    space = rekeying.freshen(session, writer, session.space(space.no))
    box = boxes.BoxKey(session.random(boxes.SEED_SIZE))
    writer.write(space, [own_bodies.SelfBoxKey(text(box.key_id), text(box.seed))])


def _authority(session: Session, key: DeviceId, root: signing.Ed25519Signer | None) -> _Authority:
    """The root where the code was given, else the key of this home nearest to it, if that is nearer than `key`."""
    if root is not None:
        return _Authority(root, ())
    gone = selves.revoked(session.db)
    depth = len(selves.above(session.db, key))
    for device, chain in own.devices(session.db):
        first: Any = chain[0]
        if first["kind"] == "admin" and len(chain) < depth and device not in gone:
            told = [canonical.encode(one).decode() for one in chain]
            return _Authority(signing.Ed25519Signer(own.device_seed(session.db, device)), told)
    raise MayNotRevoke


def _order(
    session: Session, by: _Authority, key: DeviceId, keeps: Sequence[DeviceId], last: LastEvent | None
) -> revocation.SelfDeviceRevoked:
    at = session.clock.now()
    signature = statement.sign(by.signer, session.me.identity, key, keeps, at)
    signer = text(by.signer.public)
    return revocation.SelfDeviceRevoked(key, last, tuple(keeps), at, signer, tuple(by.certificates), signature)


def _last(session: Session, space: Space, device: DeviceId) -> LastEvent | None:
    """The end of its longest history here; what it wrote besides is cut off."""
    rows = [row for row in events.branches_of(session.db, space.no, raw(device)) if row.seq >= row.first]
    chain = max(rows, key=lambda row: (row.seq, row.id), default=None)
    return LastEvent(chain.seq, EventId(text(chain.id))) if chain else None


def spread(session: Session, writer: Writer) -> tuple[list[str], list[str]]:
    """Tell every board and deal of each revocation it does not know; the deals whose role moved, and warnings.

    Spaces that a newer Chaise has written in are left alone, and must not hold up the rest.
    """
    orders = selves.revocation_bodies(session.db)
    moved, warnings = [], []
    for space in events.spaces(session.db) if orders else ():
        if space.kind == "self" or space.epoch is None:
            continue
        try:
            if space.kind == "board":
                _on_board(session, writer, space, orders)
            elif _in_deal(session, writer, space, orders):
                moved.append(public("deal", space.id))
        except ChaiseError as error:
            warnings.append(f"{public(space.kind, space.id)}: {error.sentence()}; {error.advice()}")
    return moved, warnings


def keep_up(session: Session, writer: Writer) -> list[str]:
    """What revocations ask for after each sync: keys that no revoked device can read, and word of it everywhere.

    Two devices may have revoked others at once; each then knew the key that the other's target could still read.
    """
    space = rekeying.freshen(session, writer, session.space(events.spaces(session.db, "self")[0].no))
    if not rekeying.is_box_safe(session):
        box = boxes.BoxKey(session.random(boxes.SEED_SIZE))
        writer.write(space, [own_bodies.SelfBoxKey(text(box.key_id), text(box.seed))])
    return spread(session, writer)[1]


def is_due(session: Session) -> bool:
    """Whether some space may have to be told: there is a revocation at all, and this device may still speak."""
    return bool(selves.revocation_bodies(session.db)) and not session.revoked


def _untold(session: Session, space: Space, orders: Sequence[Any]) -> list[Any]:
    """The orders that a space lacks."""
    standing = revocations.standing(session.db, space.no, session.me.identity)
    return [one for one in orders if all(not _says(two, one) for two in standing)]


def _says(one: revocation.Revoked, order: Any) -> bool:
    return one.device == order.device and one.depth <= len(order.certificates)


def _on_board(session: Session, writer: Writer, space: Space, orders: Sequence[Any]) -> None:
    """The order, and a profile with the new box key where one stands there."""
    bodies: list[Any] = [
        revocation.BoardDeviceRevoked(
            one.device, _last(session, space, one.device), one.keeps, one.at, one.by, one.certificates, one.signature
        )
        for one in _untold(session, space, orders)
    ]
    here = profile_rows.on_board(session.db, session.me.identity, space.no)
    if here is not None and here["box_key"]["id"] != own.box_seed(session.db)[0]:
        bodies.append(profiles.current(session))
    if bodies:
        writer.write(session.space(space.no), bodies)


def _in_deal(session: Session, writer: Writer, space: Space, orders: Sequence[Any]) -> bool:
    """The order with the new box key, a new epoch, and the agent's role where a revoked device has it."""
    dealing: Any = import_module("chaise_cli.session.dealing")
    found = deal_states.load(session.db, space.no)
    if found is None or session.me.identity not in found.now.deal.parties[:3]:
        return False
    box = profiles.box_key(session)
    untold = _untold(session, space, orders)
    told = rekeying.members(session, space).get(session.me.identity, {})
    if not untold and box.id not in told:  # the box key was replaced once more since
        untold = list(orders[-1:])
    deal = dealing.DealWriter(session, writer, session.space(space.no))
    if untold:
        deal.write([_deal_order(session, space, one, box) for one in untold])
    members = rekeying.members(session, space)
    if not rekeying.is_plain(session, space) and session.me.identity in members:
        rekeying.freshen(session, writer, session.space(space.no))
    return bool(moving.take_from_revoked(session, deal))


def _deal_order(session: Session, space: Space, one: Any, box: BoxKey) -> revocation.DealDeviceRevoked:
    last = _last(session, space, one.device)
    return revocation.DealDeviceRevoked(
        one.device, last, one.keeps, one.at, one.by, one.certificates, one.signature, box
    )
