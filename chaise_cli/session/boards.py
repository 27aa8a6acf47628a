"""Boards: making one, joining one, inviting to one, and which one is meant."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from chaise_cli.crypto import sealing
from chaise_cli.domain import directory
from chaise_cli.domain.light import NamedTuple
from chaise_cli.errors import Refused, Usage
from chaise_cli.ids import raw
from chaise_cli.session import epochs, invites, profiles, requests, selfspace, which, writing
from chaise_cli.store import board_reads, events

if TYPE_CHECKING:
    from chaise_cli.session.invites import Invite
    from chaise_cli.session.requests import Request
    from chaise_cli.session.session import Session
    from chaise_cli.shapes import Board
    from chaise_cli.store.board_reads import Known
    from chaise_cli.store.events import Space

SECRET: Final = 32
FOREVER: Final = "whoever has the invite can read and join this board for good; if it leaks, make a new board"
_SYNCING: Final = "chaise_cli.session.syncing"  # loaded only where a place is named


class OtherKey(Refused):
    """The invite is to a board that is held, and has another key."""

    code = "board.other_key"
    message = "the invite has another key than the board {name} that you are on"
    hint = "ask who sent it; you may have been sent a forged one"
    name: str


class Done(NamedTuple):
    """What an act on a board came to."""

    board: Board
    events: Sequence[str]
    replayed: bool
    warnings: Sequence[str]


def create(session: Session, name: str, at: str | None, asked: Request | None) -> Done:
    """A new board with its name, our profile, and the place it syncs with. Raises BadField, BadPlace, Reused."""
    places = [_place(at)] if at is not None else []
    with session.writing():
        before = requests.replayed(session, asked)
        if before is not None:
            return _done(session, which.board(session, before.subject), before.events, replayed=True)
        warnings = [
            f"you are on another board called {name}" for one in board_reads.boards(session.db) if one.name == name
        ]
        writer = writing.Writer(session)
        space = writer.genesis("board")
        session.epochs.add(space, session.random(SECRET))
        space = session.space(space.no)
        profile = profiles.current(session)
        writer.write(space, [directory.BoardNamed(name), profile], asked)
        _remember_places(session, space, places)
        selfspace.tell(session, writer)
        made = requests.remember(session, asked, which.public_id(space), writer.written)
        return _done(
            session, which.board(session, which.public_id(space)), made, replayed=False, warnings=[*warnings, FOREVER]
        )


def join(session: Session, given: str, at: str | None, asked: Request | None) -> Done:
    """Join the board of an invite by publishing our profile there; a second time changes nothing.

    at: a place instead of those in the invite. Raises BadInvite, NewerInvite, OtherKey, BadPlace, Reused.
    """
    invite = invites.read(given)
    places, warnings = _usable([at] if at is not None else invite.places, required=at is not None)
    with session.writing():
        before = requests.replayed(session, asked)
        if before is not None:
            return _done(session, which.board(session, before.subject), before.events, replayed=True)
        held = events.find_space(session.db, invite.board)
        space = _known(session, held, invite) if held else _entered(session, invite)
        _remember_places(session, space, places)
        writer = writing.Writer(session)
        if held is None:
            writer.write(space, [profiles.current(session)], asked)
        selfspace.tell(session, writer)
        made = requests.remember(session, asked, which.public_id(space), writer.written)
        known = which.board(session, which.public_id(space))
        return _done(session, known, made, replayed=held is not None, warnings=warnings, invite=False)


def invite(session: Session, given: str | None) -> Done:
    """A board with the invite to it."""
    return _done(session, which.board(session, given), (), replayed=False, warnings=[FOREVER])


def shown(session: Session, done: Done) -> Board:
    """The board of an act as it stands after a sync, with the invite if the act told it."""
    known = which.board(session, done.board["id"])
    told = {"invite": done.board["invite"]} if "invite" in done.board else {}
    return {**board_reads.view(session.db, known), **told}  # type: ignore[typeddict-item]


def _known(session: Session, held: Space, invite: Invite) -> Space:
    name = sealing.epoch_commit(raw(invite.board), invite.secret)[: epochs.NAME]
    if session.epochs.number(held.no, name) is None:
        raise OtherKey(name=invite.name)
    return held


def _entered(session: Session, invite: Invite) -> Space:
    """A row for a board whose events have yet to arrive: its creator is told by its genesis."""
    space = events.add_space(session.db, invite.board, "board", "", b"")
    session.epochs.add(space, invite.secret)
    board_reads.tell_name(session.db, invite.board, invite.name)
    return session.space(space.no)


def _done(
    session: Session,
    board: Known,
    made: Sequence[str],
    *,
    replayed: bool,
    warnings: Sequence[str] = (),
    invite: bool = True,
) -> Done:
    view = board_reads.view(session.db, board)
    if invite:
        space = events.space_numbered(session.db, board.no)
        places = tuple(map(_portable, view["at"][: invites.PLACES_MOST]))
        view["invite"] = invites.write(invites.Invite(board.id, session.epochs.secret(space), board.name, places))
    return Done(view, made, replayed, warnings)


def _place(where: str) -> str:
    """A place by its full name. Raises BadPlace, PlaceUnsupported."""
    syncing: Any = import_module(_SYNCING)
    full: str = syncing.check(where)
    return full


def _remember_places(session: Session, space: Space, places: Sequence[str]) -> None:
    for place in places:
        syncing: Any = import_module(_SYNCING)
        syncing.carry(session, syncing.add_place(session, place, auto=True), space.id)


def _portable(place: str) -> str:
    """A place as somebody else can use it: a folder of ours is meant below their own home folder."""
    home = str(Path.home())
    return f"~{place[len(home) :]}" if place.startswith(f"{home}/") else place


def _usable(places: Sequence[str], *, required: bool) -> tuple[list[str], list[str]]:
    """The places that can be used from here, and a warning for each that cannot; a required one raises instead."""
    good, warnings = [], []
    for place in places:
        try:
            full = _place(place)
        except Usage as error:
            if required:
                raise
            warnings.append(f"the invite names a place that cannot be used: {error.sentence()}")
            continue
        if "://" not in full and not Path(full).is_dir() and not required:
            warnings.append(f"the invite names the folder {place}, which is not here; when it is: chaise sync FOLDER")
            continue
        good.append(full)
    return good, warnings
