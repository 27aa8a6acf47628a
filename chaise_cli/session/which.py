"""Which board is meant: by its id, by its name, or the only one there is. Reads alone come this way too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chaise_cli.errors import NotFound, Usage
from chaise_cli.ids import SpaceId, public
from chaise_cli.session import finding
from chaise_cli.store import board_reads

if TYPE_CHECKING:
    from chaise_cli.session.session import Session
    from chaise_cli.store.board_reads import Known
    from chaise_cli.store.events import Space


class NoBoard(NotFound):
    """This home is on no board."""

    code = "board.none"
    message = "you are on no board yet"
    hint = "chaise board create NAME, or chaise board join with an invite"


class NoSuchBoard(NotFound):
    """No board here has the name."""

    code = "board.unknown"
    message = "no board here is called {given}"
    hint = "chaise boards lists them"
    given: str


class SeveralBoards(Usage):
    """There are several boards, and none was named."""

    code = "board.several"
    message = "you are on several boards: {names}"
    hint = "name one with --board NAME or --board ID"
    names: str


class SameName(NotFound):
    """Several boards have the name."""

    code = "board.same_name"
    message = "several boards are called {given}: {ids}"
    hint = "use the id"
    given: str
    ids: str


def board(session: Session, given: str | None) -> Known:
    """The board named by id or name; without one the only board.

    Raises NoBoard, NoSuchBoard, SeveralBoards, SameName.
    """
    held = board_reads.boards(session.db)
    if given is None:
        if not held:
            raise NoBoard
        if len(held) > 1:
            raise SeveralBoards(names=", ".join(one.name for one in held))
        return held[0]
    named = [one for one in held if one.name == given]
    if len(named) == 1:
        return named[0]
    if len(named) > 1:
        raise SameName(given=given[:60], ids=", ".join(public("board", one.id) for one in named))
    if not given.lower().startswith("board-"):
        raise NoSuchBoard(given=given[:60])
    id_ = SpaceId(finding.find(session, given, "board").id)
    return next(one for one in held if one.id == id_)


def public_id(space: Space) -> str:
    """The full id of a board, as people and scripts see it."""
    return public("board", space.id)
