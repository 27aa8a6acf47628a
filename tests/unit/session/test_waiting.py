from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaise_cli.session.waiting import GRAPHS, NoSuchState, OutOfReach, Patience, reachable, reached, wait


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.naps: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.now += seconds

    def monotonic(self) -> float:
        return self.now

    def patience(self, timeout_s: float | None) -> Patience:
        return Patience(timeout_s, self.sleep, self.monotonic)


def seen(*states: str, shape: str = "milestone", final: bool = True) -> Any:
    """Something that is looked at again and again; the last state stays."""
    left = list(states)

    def look() -> tuple[str, dict[str, Any]]:
        state = left.pop(0) if len(left) > 1 else left[0]
        return shape, {"id": "deal-x/1", "state": state, "final": final}

    return look


def test_what_is_there_already_is_not_waited_for() -> None:
    time = Time()
    assert wait(seen("released"), "released", time.patience(None))[1]["state"] == "released"
    assert time.naps == []


def test_it_looks_every_second_and_never_spins() -> None:
    time = Time()
    assert wait(seen("planned", "funding", "funded"), "funded", time.patience(None))[2] is None
    assert time.naps == [1.0, 1.0]


def test_the_time_is_up_without_being_overslept() -> None:
    time = Time()
    late = wait(seen("planned"), "funded", time.patience(2.5))[2]
    assert late is not None
    assert (late.exit, late.code) == (8, "wait.not_yet")
    assert time.naps == [1.0, 1.0, 0.5]


def test_no_time_at_all_looks_once() -> None:
    time = Time()
    assert wait(seen("planned"), "funded", time.patience(0))[2] is not None
    assert time.naps == []


def test_who_waits_for_money_need_not_catch_the_moment_before_the_delivery() -> None:
    assert wait(seen("delivered"), "funded", Time().patience(0))[2] is None


def test_a_provisional_state_does_not_count() -> None:
    late = wait(seen("delivered", final=False), "delivered", Time().patience(0))[2]
    assert late is not None
    assert "provisional" in late.sentence()


def test_what_was_written_meanwhile_is_looked_for_before_every_look() -> None:
    time, looked = Time(), list[float]()
    wait(seen("planned"), "funded", time.patience(3), lambda: looked.append(time.now))
    assert looked == [0.0, 1.0, 2.0, 3.0]


def test_what_cannot_come_any_more_is_refused_at_once() -> None:
    with pytest.raises(OutOfReach) as refusal:
        wait(seen("planned", "cancelled"), "released", Time().patience(None))
    assert refusal.value.exit == 5


def test_a_state_of_another_kind_is_a_mistake() -> None:
    with pytest.raises(NoSuchState):
        wait(seen("planned"), "confirmed", Time().patience(None))


@pytest.mark.parametrize("shape", GRAPHS)
def test_every_state_that_something_leads_to_is_a_state(shape: str) -> None:
    graph = GRAPHS[shape]
    assert {one for following in graph.values() for one in following} <= set(graph) | {"settled"}


def _paths() -> Iterator[tuple[str, str]]:
    return ((shape, state) for shape, graph in GRAPHS.items() for state in graph)


@given(st.sampled_from(list(_paths())), st.data())
def test_whatever_happens_next_nothing_reachable_was_called_out_of_reach(
    where: tuple[str, str], data: st.DataObject
) -> None:
    shape, state = where
    for _ in range(4):
        following = sorted(GRAPHS[shape].get(state, frozenset()))
        if not following:
            break
        step = data.draw(st.sampled_from(following))
        assert reachable(shape, state, step) or step not in GRAPHS[shape]
        state = step
    assert reached(shape, state, state)


@pytest.mark.parametrize(
    ("state", "until"),
    [("released", "funding"), ("refunded", "funded"), ("cancelled", "planned"), ("delivered", "planned")],
)
def test_a_milestone_does_not_go_back(state: str, until: str) -> None:
    assert reachable("milestone", state, until) is ((state, until) == ("released", "funding"))


def test_a_hired_deal_is_never_proposed_again() -> None:
    assert not reachable("deal", "hired", "proposed")
    assert reachable("deal", "declined", "hired")
