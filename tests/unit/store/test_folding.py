from __future__ import annotations

from typing import TYPE_CHECKING

from chaise_cli.domain.own import SelfSettings
from chaise_cli.store import events, folding, own
from chaise_cli.store.events import Row

if TYPE_CHECKING:
    from chaise_cli.session.session import Session


def said(name: str, lamport: int) -> Row:
    body = SelfSettings("ada", name, "client", "EUR", "UTC", None)
    return Row(
        1, lamport, bytes([lamport]) * 32, 1, 1, body.KIND, lamport, None, None, b"", bytes(32), None, 0, (), body
    )


def test_settings_that_come_late_do_not_win(lisa: Session) -> None:
    """An older device's chain may arrive after a newer one's."""
    space = events.spaces(lisa.db, "self")[0]
    with lisa.writing():
        folding.fold(lisa.db, space, [said("new", 90)])
        folding.fold(lisa.db, space, [said("old", 80)])
        assert own.settings(lisa.db).name == "new"
        folding.fold(lisa.db, space, [said("newest", 91)])
        assert own.settings(lisa.db).name == "newest"
