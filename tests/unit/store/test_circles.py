"""Damage that makes histories go round in a circle: what walks them ends all the same."""

from __future__ import annotations

from itertools import count

import pytest

from chaise_cli.domain import order
from chaise_cli.ids import text
from chaise_cli.session.session import Session
from chaise_cli.store import branches, cuts, events
from chaise_cli.store.branches import Spot
from chaise_cli.store.events import Chain, Row

LONG = 1_000  # steps that no walk over two rows needs
CIRCLE = [Chain(no, 1, b"d", b"", 3 - no, 5, None, admin=False, void=None, seq=9, id=b"", lamport=9, cited=b"")
          for no in (1, 2)]  # fmt: skip


def test_what_an_event_covers_ends_where_stems_go_round() -> None:
    steps = count()

    def stem(branch: str) -> str:
        assert next(steps) < LONG, "it goes round"
        return {"a": "b", "b": "a"}[branch]

    tip = order.Place("a", 5, text(b"tip"), 1, [], "a")
    assert order.cover({}, tip, lambda _branch, _seq: tip, order.Branches(lambda _: 5, stem)) == [tip]


def test_a_way_given_its_rows_is_none_where_it_goes_round() -> None:
    with pytest.raises(KeyError):
        branches.history(CIRCLE, Spot(1, 9))


def test_a_way_read_from_the_store_ends_where_it_goes_round(lisa: Session) -> None:
    rows = events.chains(lisa.db, events.spaces(lisa.db)[0].no)
    lisa.db.execute("UPDATE chain SET parent = no WHERE no = ?", (rows[0].no,))
    ticks = count()
    lisa.db.set_progress_handler(lambda: int(next(ticks) > LONG), 100)
    try:
        assert branches.way(lisa.db, Spot(rows[0].no, 0))[0].chain == rows[0].no
    finally:
        lisa.db.set_progress_handler(None, 0)


def test_the_event_before_one_is_none_where_rows_go_round() -> None:
    class Asked(dict[int, Chain]):
        steps = count()

        def __getitem__(self, no: int) -> Chain:
            assert next(self.steps) < LONG, "it goes round"
            return super().__getitem__(no)

    row = Row(1, 7, b"", 0, None, None, 1, None, None, b"", b"d", None, 0, (), None)
    assert cuts._before(Asked({chain.no: chain for chain in CIRCLE}), {}, row) is None
