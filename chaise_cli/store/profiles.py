"""Profiles on boards, as rows: what somebody published, where, and with which device."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from chaise_cli.domain.light import NamedTuple
from chaise_cli.ids import DeviceId, IdentityId, SpaceId, raw, text

if TYPE_CHECKING:
    from sqlcipher3.dbapi2 import Connection


class Published(NamedTuple):
    """A profile: the board it stands on (a space's row number), who signed it, and its fields as JSON values."""

    space: int
    device: DeviceId
    body: Any


def newest(connection: Connection, person: IdentityId) -> Published | None:
    """The newest profile of a person, on whichever board it stands; None where none has arrived."""
    query = "SELECT space, device, body FROM profile WHERE identity = ? ORDER BY at DESC, space LIMIT 1"
    row = connection.execute(query, (raw(person),)).fetchone()
    return Published(row[0], DeviceId(text(row[1])), json.loads(row[2])) if row else None


def on_board_of(connection: Connection, person: IdentityId, board: SpaceId) -> Published | None:
    """The profile of a person on the board of this id; None where none has arrived."""
    query = (
        "SELECT p.space, p.device, p.body FROM profile p JOIN space s ON s.no = p.space WHERE identity = ? AND s.id = ?"
    )
    row = connection.execute(query, (raw(person), raw(board))).fetchone()
    return Published(row[0], DeviceId(text(row[1])), json.loads(row[2])) if row else None


def on_board(connection: Connection, person: IdentityId, board: int) -> Any:
    """The fields of a person's profile on one board (a space's row number); None where there is none."""
    query = "SELECT body FROM profile WHERE identity = ? AND space = ?"
    row = connection.execute(query, (raw(person), board)).fetchone()
    return json.loads(row[0]) if row else None
