"""Deals that others open: how many of one person's are taken while none of them was answered here.

Whose a new deal is, its maker's first sealed event proves; a genesis alone may name anybody, so what proves nobody
shares one room and takes none from others. docs/spec/order.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from chaise_cli.crypto import derivation, sealing
from chaise_cli.errors import ChaiseError, Refused
from chaise_cli.ids import public, raw
from chaise_cli.ledger import certificate, header
from chaise_cli.session import epochs, plaintext
from chaise_cli.store import events

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chaise_cli.ids import IdentityId
    from chaise_cli.ledger.segment import Link, Segment
    from chaise_cli.store.connection import Connection

MOST: Final = 1000  # deals of one person in which nobody of this home's identity has written


class Crowded(Refused):
    """Somebody opened more deals with us than are taken unanswered."""

    code = "space.crowded"
    message = "{who} opened {most} deals that you have not answered; further ones stay where they are"
    hint = "answer or decline some of them, and what was left comes with the next sync"
    who: str
    most: int


def make_room(connection: Connection, me: IdentityId, creator: str, maker: str | None) -> None:
    """Whether there is room for another deal. maker: whose it proves to be, if anybody's. Raises Crowded."""
    if maker != creator and events.unproved_deals(connection, me) >= MOST:
        raise Crowded(who="people who prove nothing", most=MOST)
    if creator != me and events.unanswered_deals(connection, me, creator) >= MOST:
        raise Crowded(who=public("id", creator), most=MOST)


def maker(segment: Segment, links: Sequence[Link], secrets: Sequence[bytes]) -> str | None:
    """Who wrote a chain that begins with this segment, by its first sealed event; None when that is not in it.

    secrets: of the epochs that are known of the space.
    """
    sealed = next((at for at, event in enumerate(segment.events) if event.suite != header.CLEAR), None)
    if not sealed:
        return None
    event, prev = segment.events[sealed], links[sealed - 1].id
    fits = (one for one in secrets if sealing.epoch_commit(segment.space, one)[: epochs.NAME] == event.epoch)
    secret = next(fits, None)
    if secret is None:
        return None
    cipher = sealing.BodyCipher(derivation.derive(secret, "body"))
    try:
        padded = epochs.open_body(cipher, segment.space, segment.device, sealed, prev, event.epoch, event.body)
        first = certificate.check(plaintext.read(plaintext.unpad(padded)).cert)[0]
    except (ChaiseError, sealing.BadSeal):
        return None
    proves = raw(first.device) == segment.device and first.kind != "grant"
    return first.identity if proves else None
