from __future__ import annotations

import threading
from pathlib import Path
from queue import SimpleQueue

import pytest

from chaise_cli.errors import Unreachable
from chaise_cli.session import access, staying
from chaise_cli.session.syncing import Done
from chaise_cli.session.watching import FREE, LONGEST_PAUSE_S, Pace, digest
from tests.fakes.homes import POST, Market, post


class Away(Unreachable):
    code = "test.away"
    message = "nobody is there"


def done(sent: int = 0, *, failed: bool = False, problems: tuple[str, ...] = ()) -> Done:
    return Done("somewhere", sent, 0, 0, problems, Away() if failed else None)


def test_a_place_that_fails_is_left_alone_longer_and_longer_but_never_for_ever() -> None:
    pace = Pace()
    pauses = [pace.after(done(failed=True)) for _ in range(10)]
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60, 60]
    assert max(pace.after(done(failed=True)) for _ in range(2_000)) == LONGEST_PAUSE_S
    assert pace.after(done(1)) == 0
    assert pace.after(done(failed=True)) == 1


def test_a_place_that_keeps_calling_for_nothing_is_listened_to_less() -> None:
    pace = Pace()
    assert [pace.after(done()) for _ in range(FREE + 3)] == [0] * FREE + [1, 2, 4]
    assert pace.after(done(1)) == 0
    assert pace.after(done()) == 0
    for _ in range(FREE):
        pace.after(done())
    pace.rested()
    assert pace.after(done()) == 0


def test_what_moved_and_what_changed_for_worse_or_better_is_told_once() -> None:
    pace = Pace()
    play = [done(), done(1), done(), done(failed=True), done(failed=True), done(), done(), done(problems=("forked",))]
    assert [pace.is_news(one) for one in play] == [False, True, False, True, False, True, False, True]
    assert not pace.is_news(done(problems=("forked",)))
    assert pace.is_news(done(2, problems=("forked",)))


def test_staying_shows_what_comes_until_it_is_enough() -> None:
    come, shown = SimpleQueue[int](), list[int]()
    for number in range(5):
        come.put(number)
    ticks: list[int] = []

    def show(number: int) -> bool:
        shown.append(number)
        return number == 3

    staying.stay(threading.Event(), None, come, show, lambda: ticks.append(1))
    assert shown == [0, 1, 2, 3]
    assert len(ticks) == 4


def test_staying_ends_when_told_or_when_the_time_is_over() -> None:
    come = SimpleQueue[int]()
    come.put(1)
    told = threading.Event()
    told.set()
    staying.stay(told, None, come, lambda _: pytest.fail("too late"), lambda: None)
    staying.stay(threading.Event(), 0, come, lambda _: pytest.fail("too late"), lambda: None)


def test_outside_the_main_thread_no_signal_is_taken() -> None:
    found: list[bool] = []

    def inside() -> None:
        with staying.until_told() as told:
            found.append(told.is_set())

    thread = threading.Thread(target=inside)
    thread.start()
    thread.join()
    assert found == [False]


def test_what_another_session_writes_is_noticed_once_and_changes_the_digest(market: Market, tmp_path: Path) -> None:
    with market.visit(tmp_path, "lisa") as (lisa,):
        changes, before = staying.Changes(lisa), digest(lisa)
        assert not changes()
        other = access.again(lisa)
        post(other, market.board, POST)
        other.close()
        assert changes()
        assert not changes()
        assert digest(lisa) != before
