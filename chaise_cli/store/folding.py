"""The one door from appended events to projections: each space by its kind."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlcipher3.dbapi2 import Connection

    from chaise_cli.store.events import Row, Space

# A command that touches no deal does not load the rules of deals.
_FOLDS: Final = {
    "self": ("chaise_cli.store.selves", "SelfFold"),
    "board": ("chaise_cli.store.boards", "BoardFold"),
    "deal": ("chaise_cli.store.deals", "DealFold"),
}


def fold(connection: Connection, space: Space, rows: Sequence[Row]) -> None:
    """Fold newly appended events of one space, given in a causal order."""
    if not rows:
        return
    module, name = _FOLDS[space.kind]
    made: Any = getattr(import_module(module), name)(connection, space)
    made.fold(rows)
