"""The boards of a home: their names, members and places, and how long ago each was synced."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from chaise_cli.domain import when
from chaise_cli.domain.light import NamedTuple
from chaise_cli.ids import SpaceId, public, text
from chaise_cli.store import own, places

if TYPE_CHECKING:
    from sqlcipher3.dbapi2 import Connection

    from chaise_cli.shapes import Board

STALE: Final = when.DAY  # ms without a sync, after which a list says so


class Known(NamedTuple):
    """A board held: its row number, id and name."""

    no: int
    id: SpaceId
    name: str
    synced_at: int | None


def boards(connection: Connection) -> list[Known]:
    """Every board held, the newest first."""
    query = (
        "SELECT s.no, s.id, n.name, s.synced_at FROM space s LEFT JOIN board_name n ON n.space = s.no"
        " WHERE s.kind = 'board' ORDER BY s.no DESC"
    )
    rows = connection.execute(query).fetchall()
    return [Known(no, SpaceId(text(id_)), name or _told(connection, id_), at) for no, id_, name, at in rows]


def tell_name(connection: Connection, board: SpaceId, name: str) -> None:
    """Remember what the invite called a board, for as long as its creator's own word has not arrived."""
    own.put(connection, f"board {board}", name.encode())


def _told(connection: Connection, id_: bytes) -> str:
    return (own.get(connection, f"board {text(id_)}") or b"").decode()


def view(connection: Connection, board: Known) -> Board:
    """The board's object, without an invite."""
    members = connection.execute("SELECT count(*) FROM profile WHERE space = ?", (board.no,)).fetchone()[0]
    return {
        "id": public("board", board.id),
        "name": board.name,
        "at": places.urls_of(connection, board.no),
        "members": members,
    }


def find(connection: Connection, board: SpaceId) -> Known | None:
    """The board with this id, if it is held."""
    return next((one for one in boards(connection) if one.id == board), None)


def stale(connection: Connection, now: int) -> list[str]:
    """A warning for each board that was never synced, or not for a day. now: in ms."""
    warnings = []
    for board in boards(connection):
        if board.synced_at is None:
            warnings.append(f"{board.name} was never synced, so this is what was written here: chaise sync")
        elif now - board.synced_at >= STALE:
            ago = when.duration_text((now - board.synced_at) // when.HOUR * when.HOUR)
            warnings.append(f"{board.name} was last synced {ago} ago, others may have written since: chaise sync")
    return warnings
