from __future__ import annotations

from pathlib import Path

from chaise_cli.ids import raw
from chaise_cli.session import syncing
from chaise_cli.store import events, log_reads, places
from sync.engine import Exchange
from tests.fakes.homes import Market


def test_a_chain_that_a_place_lacks_does_not_count_as_delivered_to_it(market: Market, tmp_path: Path) -> None:
    with market.visit(tmp_path, "lisa") as (lisa,):
        place = syncing.add_place(lisa, "https://peer.example", auto=False)
        syncing.carry(lisa, place, market.board)
        board, held = raw(market.board), places.heights(lisa.db)
        mine = raw(lisa.me.device)
        for lacking, expected in ((frozenset({(board, mine)}), "local"), (frozenset[tuple[bytes, bytes]](), "peer")):
            done = Exchange(0, 0, 0, (), None, frozenset({board}), lacking)
            syncing._delivered(lisa, place, done, held)
            found = events.find_space(lisa.db, market.board)
            assert found
            logged = [event for event in log_reads.newest(lisa.db, found.no) if raw(event.device) == mine]
            assert {event.delivery for event in logged} == {expected}
            assert found.synced_at


def test_a_place_is_a_folder_or_a_peer() -> None:
    peers, folders = ("ssh://host", "https://host", "http://127.0.0.1:1"), ("/srv/stick", "file:///srv", "C:/x")
    assert {places.kind_of(url) for url in peers} == {"peer"}
    assert {places.kind_of(url) for url in folders} == {"folder"}
