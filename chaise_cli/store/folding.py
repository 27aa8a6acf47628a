"""The one door from appended events to projections: each space by its kind."""

from __future__ import annotations

import json
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from chaise_cli.domain import shape
from chaise_cli.store import own

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlcipher3.dbapi2 import Connection

    from chaise_cli.store.events import Row, Space

# A command that touches no deal does not load the rules of deals.
_FOLDS: Final = {"board": ("chaise_cli.store.boards", "BoardFold"), "deal": ("chaise_cli.store.deals", "DealFold")}


def fold(connection: Connection, space: Space, rows: Sequence[Row]) -> None:
    """Fold newly appended events of one space, given in a causal order."""
    if not rows:
        return
    if space.kind == "self":
        _fold_self(connection, rows)
        return
    module, name = _FOLDS[space.kind]
    made: Any = getattr(import_module(module), name)(connection, space)
    made.fold(rows)


def _fold_self(connection: Connection, rows: Sequence[Row]) -> None:
    for row in rows:
        body = row.content
        if body is None:  # void, or in clear
            continue
        if row.kind == "self.settings" and _is_newest(connection, row):
            own.put(connection, "settings", json.dumps(shape.to_data(body)).encode())
        elif row.kind == "self.box_key":
            own.put(connection, f"box {body.id}", body.seed.encode())
            if _is_newest(connection, row):
                own.put(connection, "box", body.id.encode())
        elif row.kind == "self.review_key":
            own.put(connection, f"review {body.review}", body.key.encode())


def _is_newest(connection: Connection, row: Row) -> bool:
    """Whether no event of this kind with a higher rank was folded; a late one must not win. Notes the rank."""
    rank = [row.lamport, row.device.hex(), row.seq, row.id.hex()]
    before = own.get(connection, f"rank {row.kind}")
    if before is not None and json.loads(before) > rank:
        return False
    own.put(connection, f"rank {row.kind}", json.dumps(rank).encode())
    return True
