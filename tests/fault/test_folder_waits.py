"""Waiting for news of a folder, with a sleep that does what another machine would."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

from sync import engine
from sync.transports.folder import Folder
from tests.fakes.replica import Device, Forgetful, MemoryReplica, scribble

LISA, JAMES = Device("lisa"), Device("james")


class Naps:
    """A sleep that counts, and does something the first time."""

    def __init__(self, do: Callable[[], object] = lambda: None) -> None:
        self.count = 0
        self._do = do

    def __call__(self, _seconds: float) -> None:
        self.count += 1
        if self.count == 1:
            self._do()


def visit(replica: MemoryReplica, folder: Folder) -> None:
    assert engine.exchange(replica, replica.device, folder).failure is None


def settled(path: Path, naps: Naps) -> tuple[MemoryReplica, Folder]:
    """Lisa, whose folder holds nothing that she has not seen."""
    lisa = MemoryReplica(LISA)
    scribble(lisa, lisa.open("deal", [LISA.identity, JAMES.identity]), 3, random.Random(1))
    folder = Folder(str(path), Forgetful(), naps)
    visit(lisa, folder)
    visit(lisa, folder)
    return lisa, folder


def test_a_quiet_folder_is_looked_at_once_a_second_and_tells_nothing(tmp_path: Path) -> None:
    naps = Naps()
    lisa, folder = settled(tmp_path, naps)
    assert isinstance(folder, engine.Waits)
    assert not folder.wait(lisa, LISA, 30)
    assert naps.count == 30


def test_what_another_machine_leaves_there_is_noticed_at_the_next_look(tmp_path: Path) -> None:
    james = MemoryReplica(JAMES)
    naps = Naps(lambda: visit(james, Folder(str(tmp_path), Forgetful())))
    lisa, folder = settled(tmp_path, naps)
    deal = next(iter(lisa.held))
    assert not folder.wait(lisa, LISA, 1), "James has read and had nothing to write"
    scribble(james, deal, 1, random.Random(2))
    naps.count = 0
    assert folder.wait(lisa, LISA, 30)
    assert naps.count == 1
    visit(lisa, folder)
    assert len(lisa.contents()[deal]) == 2


def test_what_came_during_an_exchange_is_not_overlooked(tmp_path: Path) -> None:
    """The look that counts is from before the exchange, so its own packs call for one more and no others hide."""
    naps = Naps()
    lisa, folder = settled(tmp_path, naps)
    lisa.write(next(iter(lisa.held)), b"new")
    visit(lisa, folder)
    assert folder.wait(lisa, LISA, 30)
    assert naps.count == 0
    visit(lisa, folder)
    assert not folder.wait(lisa, LISA, 2)


def test_a_folder_that_is_gone_is_news(tmp_path: Path) -> None:
    place = tmp_path / "stick"
    place.mkdir()
    lisa, folder = settled(place, Naps())
    place.rename(tmp_path / "elsewhere")
    assert folder.wait(lisa, LISA, 30)
