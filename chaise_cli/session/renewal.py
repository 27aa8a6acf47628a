"""A new device key for this home: after a restore, a copy, or any doubt about the old one. Nothing is lost by it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from chaise_cli.crypto import signing
from chaise_cli.domain import order
from chaise_cli.domain import own as own_bodies
from chaise_cli.ids import DeviceId, EventId, raw, text
from chaise_cli.ledger import canonical, certificate
from chaise_cli.session import home as homes
from chaise_cli.session import writing
from chaise_cli.session.session import Me
from chaise_cli.store import duties, events, own

if TYPE_CHECKING:
    from chaise_cli.session.session import Session


def renew(session: Session, name: str | None = None) -> list[EventId]:
    """Give this home a new device key, certified by its oldest one, and hand the agent's role in deals on to it.

    What the old key wrote stays valid and is still sent; it signs nothing any more. name: of the device, the
    old one's when None. The ids of the events written.
    """
    issuer, chain = own.devices(session.db)[0]
    old_name = _name(chain)
    seed = signing.generate_seed(session.random)
    device = DeviceId(text(signing.Ed25519Signer(seed).public))
    signer = signing.Ed25519Signer(own.device_seed(session.db, issuer))
    issued = certificate.issue(signer, "admin", session.me.identity, device, name or old_name, session.clock.now())
    with session.admitting():
        own.add_device(session.db, device, seed, json.dumps([issued.value(), *chain]))
        own.drop(session.db, "behind")
        session.me = Me(session.me.identity, device, session.me.settings)
        writer = writing.Writer(session)
        space = events.spaces(session.db, "self")[0]
        writer.write(space, [own_bodies.SelfDevice(canonical.encode(issued.value()).decode())])
        for found in _orphaned(session, device):
            writer.write(session.space(found[0]), [order.AgentDevice(device, found[1])])
        session.behind = False
    written = own.written(session.db)
    homes.write_anchor(session.home, session.key, homes.Anchor(written.total, written.id))
    return writer.written


def _name(chain: list[object]) -> str:
    first = chain[0]
    assert isinstance(first, dict), "certificates are objects"
    return str(first["name"])


def _orphaned(session: Session, new: DeviceId) -> list[tuple[int, EventId]]:
    """Deals whose agent device is an old key of this home, with the agent's last event known (or the opening).

    Not those that a newer Chaise has written in: they are read-only, and must not hold up the rest.
    """
    found = []
    for no, agent, line in duties.roles(session.db):
        space = events.space_numbered(session.db, no)
        if space.newer or agent == new or not own.is_mine(session.db, agent):
            continue
        chain = events.chain_of(session.db, no, raw(agent))
        last = EventId(text(chain.id)) if line else events.find_opening(session.db, space)
        assert last, "a deal is folded from its opening on"
        found.append((no, last))
    return found
