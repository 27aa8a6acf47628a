"""What the one writing thread does when the disk is full, or when one of those it writes for has a bug."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from sync.relay.contract import Unavailable
from sync.relay.service import Relay
from sync.relay.sqlite import Sqlite
from tests.fakes import relays
from tests.fakes.relays import Guest, door_key, scribble


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Sqlite]:
    opened = Sqlite(tmp_path / "relay.db")
    yield opened
    opened.close()


def test_a_full_disk_is_told_and_leaves_no_gap(store: Sqlite) -> None:
    relay: Relay = relays.relay(store)
    lisa, board = Guest(relay, "lisa").invited(), relays.board("lisa", 0)
    lisa.push(board.run(), door=door_key(board.space).public)
    pages = store._writer.execute("PRAGMA page_count").fetchone()[0]
    store._writer.execute(f"PRAGMA max_page_count = {pages + 2}")
    board.put(bytes(60_000), relays.EPOCH)
    with pytest.raises(Unavailable):
        lisa.push(board.run(1))
    assert relay.kept == 1
    store._writer.execute("PRAGMA max_page_count = 1000000")
    assert lisa.push(board.run(1)).first == 2


def test_a_bug_in_one_request_harms_no_other(store: Sqlite) -> None:
    """All of them wait while the first is at work, so that they come into one transaction."""
    relay = relays.relay(store)
    lisa, board = Guest(relay, "lisa").invited(), relays.board("lisa", 0)
    lisa.push(board.run(), door=door_key(board.space).public)
    scribble(board, 4)
    begun, go = Event(), Event()

    def slow(_: object) -> None:
        begun.set()
        assert go.wait(20)

    def bug(writing: object) -> None:
        writing.strike(lisa.identity, lisa.device)  # type: ignore[attr-defined]
        raise KeyError("bug")

    with ThreadPoolExecutor(4) as threads:
        first = threads.submit(store.run, slow)
        assert begun.wait(20)
        wrong = threads.submit(store.run, bug)
        right = threads.submit(lisa.push, board.run(1))
        go.set()
        first.result(20)
        assert isinstance(wrong.exception(20), KeyError)
        assert right.result(20).taken == [4]
    assert lisa.who.identity == lisa.identity
