"""Relays are killed in the middle of load: what was acknowledged is there, numbers have no gap, receipts hold."""

from __future__ import annotations

import http.client
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from pathlib import Path
from threading import Condition
from typing import Final

import pytest

from chaise_cli.ids import raw
from chaise_cli.ledger import receipt, segment
from chaise_cli.ledger.receipt import Receipt
from sync.relay_messages import Section
from tests.fakes import postgres, relays
from tests.fakes.pen import Pen
from tests.fakes.relay_process import RelayProcess, Visitor
from tests.fakes.relays import door_key

WRITERS: Final = 4
PUSHES: Final = 40
BATCH: Final = 5
KILLS: Final = (40, 80, 110)  # after so many acknowledged pushes


class Load:
    """Writers that push to whichever relay answers, and remember every receipt."""

    def __init__(self) -> None:
        self.urls: list[str] = []
        self.receipts: list[Receipt] = []
        self.changed = Condition()

    def push(self, name: str, pen: Pen, place: int) -> None:
        """Push all of a chain, each piece until it is acknowledged."""
        for number in range(PUSHES):
            run = pen.run(number * BATCH, (number + 1) * BATCH)
            for at in cycle(range(2)):
                with self.changed:
                    url = self.urls[(place + at) % len(self.urls)]
                try:
                    done = Visitor(url, name).push(run)
                except (OSError, http.client.HTTPException):
                    continue
                assert not done.refused
                assert done.receipt
                with self.changed:
                    self.receipts.append(done.receipt)
                    self.changed.notify_all()
                break

    def reaches(self, count: int) -> None:
        """Go on when so many pushes were acknowledged."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.receipts) >= count, 60)


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return f"sqlite:{tmp_path / 'relay.db'}" if request.param == "sqlite" else postgres.database()


@pytest.fixture
def load() -> Load:
    return Load()


def walk(sections: list[Section]) -> list[bytes]:
    """The ids of all entries in order, each segment verified."""
    found: list[bytes] = []
    for section in sections:
        assert section.after == len(found)
        links = [segment.verify(one) for one in section.segments]
        places = [0] * len(links)
        for at, count in section.order:
            found += [link.id for link in links[at][places[at] : places[at] + count]]
            places[at] += count
    return found


def test_no_acknowledged_event_is_lost(tmp_path: Path, store: str, load: Load) -> None:
    """SQLite: the one relay is killed and started again; PostgreSQL: one of two, again and again."""
    shared = store.startswith("postgres")
    running = [RelayProcess(tmp_path, store) for _ in range(2 if shared else 1)]
    try:
        load.urls = [relay.url for relay in running]
        first = Visitor(running[0].url, "w0").register(running[0].data["invite"])
        board = relays.board("w0", 0)
        first.push(board.run(), door=door_key(board.space).public)
        key = raw(running[0].data["relay"])
        pens = [relays.join(board, f"writer{at}", PUSHES * BATCH) for at in range(WRITERS)]
        for at in range(WRITERS):
            Visitor(running[0].url, f"writer{at}").register(doors=[board.space], relay=key)
        with ThreadPoolExecutor(WRITERS) as threads:
            pushes = [threads.submit(load.push, f"writer{at}", pen, at) for at, pen in enumerate(pens)]
            for turn, count in enumerate(KILLS):
                load.reaches(count)
                victim = turn % len(running)
                running[victim].kill()
                running[victim] = RelayProcess(tmp_path, store)
                with load.changed:
                    load.urls = [relay.url for relay in running]
            for push in pushes:
                push.result(120)
        log = walk(Visitor(running[0].url, "w0").pull())
    finally:
        for relay in running:
            relay.kill()
    assert len(log) == len(set(log)) == 1 + WRITERS * PUSHES * BATCH
    heads = [receipt.START]
    for event in log:
        heads.append(receipt.advance(heads[-1], [event]))
    assert len(load.receipts) == WRITERS * PUSHES
    for one in load.receipts:
        assert receipt.holds(one)
        assert (one.event, one.head) == (log[one.number - 1], heads[one.number])
    for pen in pens:
        places = [log.index(event) for event in pen.ids[1:]]
        assert places == sorted(places)
