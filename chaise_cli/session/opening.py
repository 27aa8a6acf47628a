"""Opening a deal with somebody: genesis, the wrap that introduces it to them, `deal.opened`. Loads HPKE."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chaise_cli import ids
from chaise_cli.domain import deal as deals
from chaise_cli.domain.box_key import BoxKey
from chaise_cli.domain.light import NamedTuple
from chaise_cli.errors import NotFound, Refused
from chaise_cli.ids import DeviceId, EventId, IdentityId, SpaceId, raw, text
from chaise_cli.session import profiles, wraps, writing
from chaise_cli.session.dealing import contact
from chaise_cli.store import boards, events
from chaise_cli.store import profiles as profile_rows

if TYPE_CHECKING:
    from chaise_cli.session.session import Session
    from chaise_cli.store.events import Space


class NoBoxKey(NotFound):
    """Nothing can be encrypted to the person: their profile has not arrived."""

    code = "person.no_profile"
    message = "{who} has published no profile here, so nothing can be encrypted to them"
    hint = "chaise sync; they publish one with chaise board join or chaise profile"
    who: str


class Yourself(Refused):
    """A deal with oneself."""

    code = "deal.yourself"
    message = "a deal is between two people, and that is you"
    hint = "name somebody else"


class Counterpart(NamedTuple):
    """What a deal needs to know of the other side before it exists."""

    identity: IdentityId
    box: BoxKey
    device: DeviceId  # that signed the profile or post answered


def counterpart(session: Session, post: str | None, other: IdentityId | None) -> tuple[Counterpart, str]:
    """The other side of a deal about `post` or with a person, and the board they are met on. Raises NoBoxKey."""
    row = boards.find(session.db, post) if post is not None else None
    if other is None:
        assert row, "a post that was found"
        other = IdentityId(row.listing.author)
    if other == session.me.identity:
        raise Yourself
    profile = profile_rows.newest(session.db, other)
    if profile is None:
        raise NoBoxKey(who=ids.public("id", other))
    box = profile.body["box_key"]
    device = DeviceId(text(row.device)) if row and row.listing.author == other else profile.device
    board = events.space_numbered(session.db, row.space if row else profile.space).id
    return Counterpart(other, BoxKey(box["id"], box["key"]), device), board


def open_deal(
    session: Session, writer: writing.Writer, them: Counterpart, board: str, post: str | None, *, client: bool
) -> Space:
    """A new deal with somebody, opened inside the caller's transaction: genesis, wrap, `deal.opened`, contact.

    client: whether we are the client in it.
    """
    space = writer.genesis("deal")
    secret = session.random(32)
    session.epochs.add(space, secret)
    mine = profiles.box_key(session)
    members = [(session.me.identity, raw(mine.key)), (them.identity, raw(them.box.key))]
    writer.wrap(space, wraps.wrap_for(raw(space.id), secret, members))
    me = session.me
    opened = deals.DealOpened(
        board=SpaceId(board),
        post=EventId(post) if post else None,
        client=me.identity if client else them.identity,
        talent=them.identity if client else me.identity,
        agent_device=me.device if client else them.device,
        client_box=mine if client else them.box,
        talent_box=them.box if client else mine,
    )
    space = session.space(space.no)
    writer.write(space, [opened, contact(session)])
    return space
