"""The places of this home: listed, added by hand, forgotten."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from chaise_cli.domain import when
from chaise_cli.errors import NotFound, Usage
from chaise_cli.session import which
from chaise_cli.store import board_reads, places, relays

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chaise_cli.errors import ChaiseError
    from chaise_cli.session.session import Session
    from chaise_cli.shapes import Place as Shape
    from chaise_cli.store.places import Place

_SYNCING: Final = "chaise_cli.session.syncing"  # loaded only where a place is named
_INVITE_MOST: Final = 200
NOT_ADMITTED: Final = "relay.not_admitted"


class NoSuchPlace(NotFound):
    """The place is not among those that are remembered."""

    code = "place.unknown"
    message = "there is no place {given!r}"
    hint = "chaise peers lists them; name one as it stands there"
    given: str


class NotARelay(Usage):
    """An invite for a place that takes none."""

    code = "place.takes_no_invite"
    message = "{given} is no web address, and takes no relay's invite"
    hint = "leave --invite-file away; an invite to a board is for chaise board join"
    given: str


def listed(session: Session) -> list[Shape]:
    """Every place, in the order in which they were named."""
    return [_shape(session, place) for place in places.known(session.db)]


def add(
    session: Session, where: str, boards: Sequence[str], *, auto: bool | None, invite: str | None
) -> tuple[Shape, ChaiseError | None, list[str]]:
    """Remember a place for these boards (all, when none is named), and sync with it: how it stands, what went wrong.

    Raises BadPlace, PlaceUnsupported, BadAddress, Insecure, NotARelay, NoSuchBoard.
    """
    syncing: Any = import_module(_SYNCING)
    url: str = syncing.check(where)
    if invite is not None and url.partition("://")[0].lower() not in {"http", "https"}:
        raise NotARelay(given=where[:200])
    chosen = [which.board(session, name) for name in boards] or board_reads.boards(session.db)
    with session.admitting():
        no = syncing.add_place(session, url, auto=bool(auto))
        if auto is not None:
            places.set_auto(session.db, no, auto=auto)
        if invite is not None:
            relays.set_invite(session.db, no, invite.strip()[:_INVITE_MOST])
        for board in chosen:
            places.carry(session.db, no, board.no)
    done = syncing.visit(session, no, url)
    place = places.find(session.db, url)
    assert place is not None, "remembered above"
    return _shape(session, place), done.alarm or done.failure, list(done.problems)


def remove(session: Session, where: str) -> tuple[Shape, list[str]]:
    """Forget a place; how it stood, and what that leaves nowhere else. Raises NoSuchPlace."""
    place = find(session, where)
    shape = _shape(session, place)
    with session.admitting():
        before = places.undelivered(session.db, session.me.device)
        places.forget(session.db, place.no)
        selfspace: Any = import_module("chaise_cli.session.selfspace")  # it writes, which a list does not
        selfspace.forget(session, place.url)
        lone = places.undelivered(session.db, session.me.device) - before
    warnings = []
    if lone:
        warnings.append(f"{lone} event{'s' if lone != 1 else ''} of yours lie at no other place of yours")
    if not places.known(session.db):
        warnings.append("no place is left: nothing leaves this machine any more")
    return shape, warnings


def find(session: Session, where: str) -> Place:
    """A place as it is remembered, or as it was typed. Raises NoSuchPlace."""
    known = {place.url: place for place in places.known(session.db)}
    full = str(Path(where).expanduser().resolve()) if "://" not in where and where.strip() else where.rstrip("/")
    found = known.get(where) or known.get(full)
    if found is None:
        raise NoSuchPlace(given=where[:200])
    return found


def _shape(session: Session, place: Place) -> Shape:
    carried = places.carried(session.db, place.no)
    names = {board.no: board.name for board in board_reads.boards(session.db)}
    synced = when.instant_text(place.synced_at) if place.synced_at else None
    return {
        "peer": place.url,
        "kind": _kind(session, place),
        "auto": place.auto,
        "synced_at": synced,
        "boards": [names[no] for no in places.boards(session.db, place.no) if no in names],
        "spaces": len(carried),
        "unsent": places.missing(session.db, place.no, carried.keys()),
        "problem": places.problem(session.db, place.no),
        "caught": [
            {"code": one.code, "at": when.instant_text(one.at)} for one in relays.incidents(session.db, place.no)
        ],
    }


def _kind(session: Session, place: Place) -> str:
    scheme, colon, _ = place.url.partition("://")
    if not colon or scheme.lower() == "file":
        return "folder"
    return places.kind(session.db, place.no) or {"ssh": "ssh"}.get(scheme.lower(), "web")
