"""What several devices of one person share: boards with their keys, and places, told in self and taken from there.

Both ways follow from what is stored, so they are done again at every write and after every sync, and a second time
changes nothing. What stays on one machine alone lists docs/spec/devices.md.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from chaise_cli.domain import own as bodies
from chaise_cli.ids import SpaceId, raw, text
from chaise_cli.session import rekeying, writing
from chaise_cli.session.session import Me
from chaise_cli.store import board_reads, events, own, places, relays, selves

if TYPE_CHECKING:
    from collections.abc import Collection

    from chaise_cli.session.session import Session
    from chaise_cli.session.writing import Writer


def tell(session: Session, writer: Writer) -> None:
    """Write into self what this home holds and self does not say yet. Nothing where a newer Chaise has written."""
    space = events.spaces(session.db, "self")[0]
    news = [*_boards(session), *_places(session)]
    if news and not space.newer:
        writer.write(rekeying.freshen(session, writer, space), news)


def _boards(session: Session) -> list[Any]:
    told = {board.board for board in selves.boards(session.db)}
    held = [one for one in board_reads.boards(session.db) if one.id not in told]
    return [bodies.SelfBoard(one.id, _secret(session, one.no), one.name[:200]) for one in held]


def _secret(session: Session, no: int) -> str:
    return text(session.epochs.secret(events.space_numbered(session.db, no)))


def _places(session: Session) -> list[Any]:
    told, found = selves.places(session.db), []
    for place in places.known(session.db):
        url = portable(place.url)
        boards = {space for no, space in places.boards_of(session.db, place.no)}
        known = told.get(url)
        before = selves.Place(url, auto=False, boards=(), invite=None, gone=True) if known is None else known
        after = before._replace(
            auto=before.auto or place.auto,
            boards=tuple(sorted(boards | set(before.boards))),
            invite=relays.relay(session.db, place.no).invite or before.invite,
            gone=False,
        )
        if after != before:
            found.append(bodies.SelfPlace(*after))
    return found


def forget(session: Session, url: str) -> None:
    """Write into self that a place is one no more, if it said that it was."""
    space = events.spaces(session.db, "self")[0]
    told = selves.places(session.db).get(portable(url))
    if told and not told.gone and not space.newer and not session.behind:
        writer = writing.Writer(session)
        body = bodies.SelfPlace(told.url, auto=False, boards=(), invite=None, gone=True)
        writer.write(rekeying.freshen(session, writer, space), [body])


def settle(session: Session, gone: Collection[str] = ()) -> None:
    """Take over what self tells: boards that are not held, places that can be used from here. Inside a transaction.

    gone: addresses that were just told to be places no more.
    """
    for board in selves.boards(session.db):
        if events.find_space(session.db, board.board) is None:
            space = events.add_space(session.db, board.board, "board", "", b"")
            session.epochs.add(space, raw(board.key))
            board_reads.tell_name(session.db, board.board, board.name)
    known = {place.url: place for place in places.known(session.db)}
    for told in selves.places(session.db).values():
        url = local(told.url)
        if told.gone:
            if told.url in gone and url in known:
                places.forget(session.db, known[url].no)
        elif _is_usable(url):
            _remember(session, known.get(url), url, told)
    session.revoked = own.get(session.db, "revoked") is not None
    session.me = Me(session.me.identity, session.me.device, own.settings(session.db))


def _remember(session: Session, known: places.Place | None, url: str, told: selves.Place) -> None:
    """Write only what is new: this is looked at after every sync."""
    no = known.no if known else None
    if no is None or (told.auto and known and not known.auto):
        no = places.remember(session.db, url, auto=told.auto)
    if told.invite is not None and relays.relay(session.db, no).invite is None:
        relays.set_invite(session.db, no, told.invite)
    carried = {space for _, space in places.boards_of(session.db, no)}
    for board in set(told.boards) - carried:
        space = events.find_space(session.db, SpaceId(board))
        if space is not None:
            places.carry(session.db, no, space.no)


def portable(url: str) -> str:
    """A place as another machine can use it: a folder below the user's own with `~`."""
    home = str(Path.home())
    return f"~{url[len(home) :]}" if url.startswith(f"{home}/") else url


def local(url: str) -> str:
    """A place as it is remembered on this machine."""
    return str(Path.home()) + url[1:] if url.startswith("~/") else url


def _is_usable(url: str) -> bool:
    """A folder that is not on this machine is no place here; a later look may find it."""
    return "://" in url or Path(url).is_dir()
