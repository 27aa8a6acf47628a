"""A new device key for this home: after a restore, a copy, or any doubt about the old one. Nothing is lost by it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from chaise_cli.crypto import boxes, signing
from chaise_cli.domain import order
from chaise_cli.domain import own as own_bodies
from chaise_cli.domain.light import NamedTuple
from chaise_cli.ids import DeviceId, EventId, public, text
from chaise_cli.ledger import canonical, certificate
from chaise_cli.session import admission, pairing, requests, roots, writing
from chaise_cli.session import home as homes
from chaise_cli.session.session import Me, ThisRevoked
from chaise_cli.store import deal_states, duties, events, own

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chaise_cli.session.requests import Request
    from chaise_cli.session.session import Session


class Renewed(NamedTuple):
    """The events that a renewal wrote, now or when the same request was done before."""

    events: Sequence[str]
    replayed: bool


def renew(
    session: Session, name: str | None = None, asked: Request | None = None, recovery_code: str | None = None
) -> Renewed:
    """Give this home a new device key, certified by its key nearest to the root, and hand on the agent's roles.

    What the old key wrote stays valid and is still sent; it signs nothing any more. name: of the device, the
    old one's when None. recovery_code: the root certifies the key instead, which makes it an admin's, and opens what
    waits in self for a key that no device is left to bring.
    Raises Reused, NotAdmin, TooDeep, BadRecoveryCode, OtherRoot.
    """
    if session.revoked:  # its box key may be in a thief's hands as well
        raise ThisRevoked
    me, behind = session.me, session.behind
    signer, chain = pairing.issuer(session) if recovery_code is None else (roots.signer(session, recovery_code), [])
    old_name = _name(own.certificates(session.db))
    seed = signing.generate_seed(session.random)
    device = DeviceId(text(signing.Ed25519Signer(seed).public))
    issued = certificate.issue(signer, "admin", session.me.identity, device, name or old_name, session.clock.now())
    with session.admitting():
        before = requests.replayed(session, asked)
        if before is not None:
            return Renewed(before.events, replayed=True)
        own.add_device(session.db, device, seed, json.dumps([issued.value(), *chain]))
        own.drop(session.db, "behind")
        known = homes.read_anchor(session.home, session.key)
        if known is not None:  # or the anchor would stay ahead until as many events are written again
            own.reach(session.db, known.total)
        session.me = Me(session.me.identity, device, session.me.settings)
        if recovery_code is not None:
            _open_self(session, recovery_code)
        writer = writing.Writer(session)
        space = events.spaces(session.db, "self")[0]
        box = boxes.BoxKey(own.need(session.db, "device_box")).public
        told = own_bodies.SelfDevice(canonical.encode(issued.value()).decode())
        bodies = [own_bodies.SelfDeviceBox(device, text(box)), own_bodies.SelfDeviceRenewed(device, me.device)]
        writer.write(space, [told, *bodies], asked)
        for no, after in orphaned(session):
            writer.write(session.space(no), [order.AgentDevice(device, after)])
        session.behind = False
        done = requests.remember(session, asked, public("dev", device), writer.written)
    if session.dry_run:  # nothing was kept
        session.me, session.behind = me, behind
        return Renewed(done, replayed=False)
    if session.in_transaction:  # which may yet be undone; the anchor follows its commit
        return Renewed(done, replayed=False)
    written = own.written(session.db)
    homes.write_anchor(session.home, session.key, homes.Anchor(written.total, written.id))
    return Renewed(done, replayed=False)


def _open_self(session: Session, recovery_code: str) -> None:
    """Take in what waits in self under keys that are wrapped to the root, as of devices that are all lost now."""
    session.lent = [roots.box(recovery_code)]
    try:
        admission.Admission(session, events.spaces(session.db, "self")[0].id).run([])
    finally:
        session.lent = ()


def _name(chain: list[object]) -> str:
    first = chain[0]
    assert isinstance(first, dict), "certificates are objects"
    return str(first["name"])


def orphaned(session: Session) -> list[tuple[int, EventId]]:
    """Deals whose agent device is an old key of this home, with the agent's last event known (or the opening).

    A talent who has not heard of a renewal opens deals that name the old key: `upkeep` takes their role over
    too. Not those that a newer Chaise has written in: they are read-only, and must not hold up the rest. Contested
    ones follow once they are settled.
    """
    found = []
    for no, agent in duties.roles(session.db, session.me.identity, session.me.device):
        space = events.space_numbered(session.db, no)
        if space.newer or not own.is_mine(session.db, agent):
            continue
        deal = deal_states.load(session.db, no)
        assert deal, "a deal that is folded"
        if deal.taken.deal.contested:  # a device gets the role once, so not behind a history that may not stand
            continue
        found.append((no, EventId(text(deal.tip)) if deal.tip else deal.taken.deal.opening))
    return found
