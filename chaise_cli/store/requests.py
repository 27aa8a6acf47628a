"""Request ids that were used, each kept for ever with a fingerprint of what it asked and with what it did."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from chaise_cli.domain.light import NamedTuple
from chaise_cli.ids import raw, text

if TYPE_CHECKING:
    from sqlcipher3.dbapi2 import Connection


class Used(NamedTuple):
    """A request that was done: what it asked, the public id of its subject, and its events as results list them."""

    fingerprint: str
    subject: str
    events: Sequence[str]


def find(connection: Connection, id_: str) -> Used | None:
    """What the request id was used for; None for a new one."""
    row = connection.execute("SELECT fingerprint, subject, events FROM request WHERE id = ?", (id_,)).fetchone()
    return Used(text(row[0]), row[1], json.loads(row[2])) if row else None


def adopt(connection: Connection, id_: str, used: Used) -> None:
    """Keep a request id that another device of one's own used; one that is known stays."""
    if find(connection, id_) is None:
        keep(connection, id_, used)


def keep(connection: Connection, id_: str, used: Used) -> None:
    """Keep a request id that is new, for ever."""
    values = (id_, raw(used.fingerprint), used.subject, json.dumps(list(used.events)))
    connection.execute("INSERT INTO request(id, fingerprint, subject, events) VALUES (?, ?, ?, ?)", values)


def put(connection: Connection, id_: str, used: Used) -> None:
    """Keep a request id as another store of this home knew it, whatever its events told of it when they came in."""
    connection.execute("DELETE FROM request WHERE id = ?", (id_,))
    keep(connection, id_, used)
