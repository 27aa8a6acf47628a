"""Publishing who we are: settings in self, and a profile on every board we are on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from chaise_cli.crypto import boxes
from chaise_cli.domain import directory, shape
from chaise_cli.domain import own as own_bodies
from chaise_cli.domain.body import replace
from chaise_cli.domain.box_key import BoxKey
from chaise_cli.domain.light import NamedTuple
from chaise_cli.ids import public, text
from chaise_cli.session import portraits, requests, which, writing
from chaise_cli.store import events, own, profiles

if TYPE_CHECKING:
    from chaise_cli.session.requests import Request
    from chaise_cli.session.session import Session
    from chaise_cli.shapes import Profile

SETTINGS: Final = frozenset(own.Settings._fields)
PUBLISHED: Final = frozenset({"headline", "bio", "skills", "rates", "location", "links"})


class Done(NamedTuple):
    """What publishing came to."""

    profile: Profile
    events: Sequence[str]
    replayed: bool


def current(session: Session, settings: own.Settings | None = None) -> directory.ProfilePublished:
    """Our profile as it would be published now: the last one, with our settings and box key of today."""
    settings = settings or own.settings(session.db)
    found = profiles.newest(session.db, session.me.identity)
    mine = (settings.handle, settings.name, settings.role)
    if found is None:
        return directory.ProfilePublished(*mine, "", "", (), (), "", (), settings.tz, box_key(session))
    last: directory.ProfilePublished = shape.from_data(directory.ProfilePublished, found.body)
    handle, name, role = mine
    return replace(last, handle=handle, name=name, role=role, tz=settings.tz, box_key=box_key(session))


def box_key(session: Session) -> BoxKey:
    """The public half of our identity's box key, for profiles and deals."""
    id_, seed = own.box_seed(session.db)
    return BoxKey(id_, text(boxes.BoxKey(seed).public))


def publish(session: Session, changes: Mapping[str, Any], board: str | None, asked: Request | None) -> Done:
    """Change what we say of ourselves: settings in self, the profile on every board, or on the one named.

    changes: fields of the profile and the settings; what is not named stays. Nothing new writes nothing.
    Raises NoBoard, BadField, Reused.
    """
    with session.writing():
        before = requests.replayed(session, asked)
        if before is not None:
            return Done(portraits.own(session), before.events, replayed=True)
        writer = writing.Writer(session)
        settings = own.settings(session.db)._replace(**{key: changes[key] for key in changes.keys() & SETTINGS})
        if settings != own.settings(session.db):
            self_space = events.spaces(session.db, "self")[0]
            writer.write(session.space(self_space.no), [own_bodies.SelfSettings(**settings._asdict())])
        _publish(session, writer, settings, changes, board, asked)
        made = requests.remember(session, asked, public("id", session.me.identity), writer.written)
        return Done(portraits.own(session), made, replayed=not made)


def _publish(
    session: Session,
    writer: writing.Writer,
    settings: own.Settings,
    changes: Mapping[str, Any],
    board: str | None,
    asked: Request | None,
) -> None:
    fields = {key: changes[key] for key in changes.keys() & PUBLISHED}
    profile = replace(current(session, settings), **fields)
    spaces = [which.board(session, board).no] if board else [one.no for one in events.spaces(session.db, "board")]
    if fields and not spaces:
        raise which.NoBoard
    shape.check(profile)
    for no in spaces:
        if profiles.on_board(session.db, session.me.identity, no) != shape.to_data(profile):
            writer.write(session.space(no), [profile], asked)
