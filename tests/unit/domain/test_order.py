from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from chaise_cli.domain.order import Handover, Opening, Place, Said, agent_line, cover
from chaise_cli.ids import text

A, B, C = (text(bytes([number]) * 32) for number in (1, 2, 3))
NAMES: Final = {A: "a", B: "b", C: "c"}


def name(place: Place) -> str:
    return f"{NAMES[place.device]}{place.seq}"


class History:
    """Chains of three devices, told event by event; each cites what its writer had heard."""

    def __init__(self) -> None:
        self.places: dict[tuple[str, int], Place] = {}
        self.heard: dict[str, dict[str, int]] = {A: {}, B: {}, C: {}}

    def say(self, device: str) -> Place:
        seq = sum(1 for key in self.places if key[0] == device)
        seen = tuple(sorted((other, at) for other, at in self.heard[device].items() if other != device))
        before = [self.places[device, seq - 1]] if seq else []
        lamport = 1 + max([place.lamport for place in before] + [self.places[key].lamport for key in seen], default=-1)
        made = Place(device, seq, text(bytes([seq, *device.encode()[:31]])), lamport, seen, device)
        self.places[device, seq] = made
        self.heard[device][device] = seq
        return made

    def hear(self, device: str, other: str) -> None:
        for whose, at in self.heard[other].items():
            self.heard[device][whose] = max(at, self.heard[device].get(whose, -1))

    def find(self, device: str, seq: int) -> Place:
        return self.places[device, seq]

    def chain(self, device: str) -> list[Place]:
        return sorted((p for p in self.places.values() if p.device == device), key=lambda p: p.seq)

    def past(self, place: Place) -> set[tuple[str, int]]:
        """Everything that came before an event, itself included."""
        found = {(place.device, place.seq)}
        todo = [place]
        while todo:
            one = todo.pop()
            for key in [*one.seen, *([(one.device, one.seq - 1)] if one.seq else [])]:
                if key not in found:
                    found.add(key)
                    todo.append(self.places[key])
        return found


STEPS = st.lists(st.tuples(st.sampled_from([A, B, C]), st.sampled_from([A, B, C])), max_size=25)


def told(steps: Sequence[tuple[str, str]]) -> History:
    """Each step: somebody hears of somebody and says something."""
    history = History()
    for device, other in steps:
        history.hear(device, other)
        history.say(device)
    return history


@given(STEPS)
def test_every_event_is_covered_by_the_first_tip_whose_past_it_is_in(steps: Sequence[tuple[str, str]]) -> None:
    history = told(steps)
    frontier: dict[str, int] = {}
    before: set[tuple[str, int]] = set()
    for tip in history.chain(A):
        news = cover(frontier, tip, history.find)
        assert {(place.device, place.seq) for place in news} == history.past(tip) - before
        assert len(news) == len(set(news))
        assert news[-1] == tip
        before |= history.past(tip)
        assert frontier == {device: max(seq for d, seq in before if d == device) for device in {d for d, _ in before}}


@given(STEPS)
def test_what_is_covered_comes_in_an_order_in_which_nothing_precedes_its_past(steps: Sequence[tuple[str, str]]) -> None:
    history = told(steps)
    frontier: dict[str, int] = {}
    done: set[tuple[str, int]] = set()
    for tip in history.chain(A):
        for place in cover(frontier, tip, history.find):
            assert history.past(place) - {(place.device, place.seq)} <= done
            done.add((place.device, place.seq))


def test_events_of_one_uptake_are_ordered_by_lamport_then_device() -> None:
    history = History()
    history.say(C)
    history.say(B)
    history.say(B)
    history.hear(A, B)
    history.hear(A, C)
    assert [name(place) for place in cover({}, history.say(A), history.find)] == ["b0", "c0", "b1", "a0"]


def test_a_second_look_covers_nothing_new() -> None:
    history = told([(B, B), (A, B)])
    tip = history.chain(A)[0]
    frontier: dict[str, int] = {}
    cover(frontier, tip, history.find)
    history.hear(A, C)
    assert [name(place) for place in cover(frontier, history.say(A), history.find)] == ["a1"]


# The agent's line. A holds the role; B and C are other devices of the same identity.


def line(history: History, handovers: Sequence[Handover], movements: str = "", opening: Place | None = None) -> str:
    chains = {device: history.chain(device) for device in NAMES}
    before = {
        here.id: prev and prev.id
        for chain in chains.values()
        for prev, here in zip([None, *chain], chain, strict=False)
    }
    moves = {place.id for place in history.places.values() if name(place) in movements.split()}
    said = Said(chains, before, handovers, moves)
    found = agent_line(Opening(opening or history.places[A, 0], A), said)
    return " ".join(name(place) for place in found.events)


def test_without_a_handover_the_line_is_the_first_devices() -> None:
    history = told([(A, A), (A, A), (B, A)])
    assert line(history, []) == "a0 a1"


def test_when_the_talent_opens_the_line_begins_with_the_clients_first_word() -> None:
    history = told([(C, C), (A, C), (A, A)])
    assert line(history, [], opening=history.places[C, 0]) == "a0 a1"


def test_a_new_device_takes_the_role_after_the_event_it_names() -> None:
    history = told([(A, A), (A, A), (B, A), (B, B)])
    move = Handover(history.places[B, 0], B, history.places[A, 1].id)
    assert line(history, [move]) == "a0 a1 b0 b1"


def test_what_the_old_device_wrote_after_that_is_off_the_line() -> None:
    history = told([(A, A), (B, A), (A, A), (A, A)])
    move = Handover(history.places[B, 0], B, history.places[A, 0].id)
    assert line(history, [move]) == "a0 b0"


def test_a_movement_on_the_old_branch_keeps_the_role_there() -> None:
    history = told([(A, A), (B, A), (A, A), (A, A)])
    move = Handover(history.places[B, 0], B, history.places[A, 0].id)
    assert line(history, [move], movements="a2") == "a0 a1 a2"


def test_a_movement_before_the_handover_is_no_matter() -> None:
    history = told([(A, A), (A, A), (B, A)])
    move = Handover(history.places[B, 0], B, history.places[A, 1].id)
    assert line(history, [move], movements="a1") == "a0 a1 b0"


def test_a_handover_after_an_event_off_the_line_is_void() -> None:
    history = told([(A, A), (B, A), (C, B)])
    assert line(history, [Handover(history.places[C, 0], C, history.places[B, 0].id)]) == "a0"


def test_the_role_goes_on_from_device_to_device() -> None:
    history = told([(A, A), (B, A), (C, B), (C, C)])
    moves = [
        Handover(history.places[B, 0], B, history.places[A, 0].id),
        Handover(history.places[C, 0], C, history.places[B, 0].id),
    ]
    assert line(history, moves) == line(history, moves[::-1]) == "a0 b0 c0 c1"


@given(STEPS, st.data())
def test_the_line_does_not_depend_on_the_order_in_which_handovers_are_told(
    steps: Sequence[tuple[str, str]], data: st.DataObject
) -> None:
    history = told([(A, A), *steps])
    ids = [place.id for place in history.places.values()]
    others = [place for place in history.places.values() if place.device != A]
    moves = [Handover(place, place.device, data.draw(st.sampled_from(ids))) for place in others]
    shuffled = data.draw(st.permutations(moves))
    assert line(history, moves, "a2 b1") == line(history, shuffled, "a2 b1")


def test_a_role_given_away_by_its_holder_begins_with_the_new_devices_chain() -> None:
    history = told([(A, A), (A, A), (B, A)])
    assert line(history, [Handover(history.places[A, 1], B, history.places[A, 1].id)]) == "a0 a1 b0"
