"""The agent's line where its chain is a tree: which way stands, when nobody can tell, and how two sides settle it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from chaise_cli.domain.order import Branches, Handover, Line, Opening, Place, Said, agent_line, cover, standing
from chaise_cli.ids import raw, text

A, B, T = (text(bytes([number]) * 32) for number in (1, 2, 3))
DEVICES: Final = {"a": A, "b": B, "t": T}


def id_of(name: str) -> str:
    """The id of an event by its name; ids go up like names do."""
    return text(name.encode().ljust(32, b"\0"))


def name_of(id_: str) -> str:
    return raw(id_).rstrip(b"\0").decode()


def place(name: str, lamport: int) -> Place:
    """An event by its name: the letter of its device, then its seq, then what tells histories apart."""
    digits = "".join(char for char in name[1:3] if char.isdigit())
    device = DEVICES[name[0]]
    return Place(device, int(digits), id_of(name), lamport, (), device)


class Tree:
    """Events told as ways, `a0 a1 a2`, each from the first event of a chain on."""

    def __init__(self, *ways: str) -> None:
        self.before: dict[str, str | None] = {}
        self.places: dict[str, Place] = {}
        for way in ways:
            prev: str | None = None
            for depth, name in enumerate(way.split()):
                self.before[id_of(name)] = None if prev is None else id_of(prev)
                self.places.setdefault(name, place(name, depth))
                prev = name

    def said(self, moves: str = "", settled: Sequence[str] = (), handovers: Sequence[Handover] = ()) -> Said:
        chains: dict[str, list[Place]] = {}
        for one in sorted(self.places.values()):
            chains.setdefault(one.device, []).append(one)
        moved = {id_of(name) for name in moves.split()}
        return Said(chains, self.before, handovers, moved, [id_of(name) for name in settled])

    def to(self, name: str, device: str, after: str) -> Handover:
        return Handover(self.places[name], DEVICES[device], id_of(after))


def shown(line: Line) -> tuple[str, str]:
    """The line, and the first events of the ways that are contested."""
    return " ".join(name_of(one.id) for one in line.events), " ".join(name_of(one) for one in line.contested)


def told(
    tree: Tree, moves: str = "", settled: Sequence[str] = (), handovers: Sequence[Handover] = ()
) -> tuple[str, str]:
    return shown(agent_line(Opening(tree.places["a0"], A), tree.said(moves, settled, handovers)))


FORK: Final = ("a0 a1 a2x a3x", "a0 a1 a2y a3y")


def test_of_two_histories_without_a_movement_the_smaller_id_stands() -> None:
    assert told(Tree(*FORK)) == told(Tree(*FORK[::-1])) == ("a0 a1 a2x a3x", "")


def test_of_two_histories_the_one_with_a_movement_stands_however_late_it_comes() -> None:
    assert told(Tree(*FORK), "a3y") == ("a0 a1 a2y a3y", "")
    assert told(Tree(*FORK), "a1 a3y") == ("a0 a1 a2y a3y", "")


def test_movements_on_both_histories_are_contested_and_one_is_shown() -> None:
    assert told(Tree(*FORK), "a3x a2y") == ("a0 a1 a2x a3x", "a2x a2y")


def test_a_movement_before_the_fork_contests_nothing() -> None:
    assert told(Tree(*FORK), "a1") == ("a0 a1 a2x a3x", "")


def test_what_both_sides_named_stands_and_goes_on() -> None:
    for last in ("a2y", "a3y"):
        assert told(Tree(*FORK), "a3x a2y", [last]) == ("a0 a1 a2y a3y", "")
    assert told(Tree(*FORK, "a0 a1 a2y a3y a4y"), "a3x a2y a4y", ["a3y"]) == ("a0 a1 a2y a3y a4y", "")


def test_the_first_settlement_stands_and_a_later_one_cannot_undo_it() -> None:
    assert told(Tree(*FORK), "a3x a2y", ["a3y", "a3x"]) == ("a0 a1 a2y a3y", "")


def test_a_settlement_names_no_event_of_somebody_else() -> None:
    assert told(Tree(*FORK, "b0"), "a3x a2y", ["b0"]) == ("a0 a1 a2x a3x", "a2x a2y")


def test_a_history_that_parts_again_behind_a_settlement_is_contested_again() -> None:
    tree = Tree(*FORK, "a0 a1 a2y a3z")
    assert told(tree, "a3x a3y a3z", ["a2y"]) == ("a0 a1 a2y a3y", "a3y a3z")


def test_a_handover_beats_the_old_device_but_not_its_movement() -> None:
    tree = Tree("a0 a1 a2x", "b0 b1")
    move = tree.to("b0", "b", "a1")
    assert told(tree, handovers=[move]) == ("a0 a1 b0 b1", "")
    assert told(tree, "a2x", handovers=[move]) == ("a0 a1 a2x", "")
    assert told(tree, "b1", handovers=[move]) == ("a0 a1 b0 b1", "")
    assert told(tree, "a2x b1", handovers=[move]) == ("a0 a1 b0 b1", "a2x b0")
    assert told(tree, "a2x b1", ["a2x"], handovers=[move]) == ("a0 a1 a2x", "")


def test_a_movement_behind_a_handover_counts_for_the_history_it_follows() -> None:
    """Both copies were renewed; only one of the new devices has moved money."""
    tree = Tree(*FORK, "b0 b1")
    assert told(tree, "b1", handovers=[tree.to("b0", "b", "a3y")]) == ("a0 a1 a2y a3y b0 b1", "")


def test_a_device_that_was_overtaken_takes_the_role_behind_what_overtook_it() -> None:
    tree = Tree("a0 a1 a2 a3", "b0 b1 b2")
    both = [tree.to("b0", "b", "a1"), tree.to("b1", "b", "a3")]
    assert told(tree, "a3", handovers=both[:1]) == ("a0 a1 a2 a3", "")
    assert told(tree, "a3", handovers=both) == ("a0 a1 a2 a3 b1 b2", "")
    assert told(tree, "a3 b2", handovers=both) == ("a0 a1 a2 a3 b1 b2", "")
    assert told(tree, "a3 b0", handovers=both) == ("a0 a1 b0 b1 b2", "a2 b0")
    assert told(tree, "a3 b0", ["b0"], handovers=both) == ("a0 a1 b0 b1 b2", "")


def test_nobody_takes_a_movement_out_of_a_contest_by_naming_itself_again() -> None:
    """A client that releases on one history and refunds on the other cannot have the second one stand by itself."""
    tree = Tree("a0 a1 a2x a3x a4x", "a0 a1 a2y a3y")
    again = tree.to("a3x", "a", "a1")
    assert told(tree, "a4x a3y") == told(tree, "a4x a3y", handovers=[again]) == ("a0 a1 a2x a3x a4x", "a2x a2y")
    tree = Tree("a0 a1", "b0 b1 b2x b3x b4x", "b0 b1 b2y b3y")
    moves = [tree.to("b0", "b", "a1"), tree.to("b3x", "b", "b0")]
    assert told(tree, "b4x b3y", handovers=moves) == ("a0 a1 b0 b1 b2x b3x b4x", "b2x b2y")


def test_handovers_that_name_one_another_are_no_circle() -> None:
    tree = Tree("a0 a1", "b0 b1 b2", "t0 t1")
    moves = [tree.to("b0", "b", "a0"), tree.to("a1", "t", "b2"), tree.to("b2", "b", "t0")]
    assert told(tree, handovers=moves) == ("a0 b0 b1 b2 t0 t1", "")
    assert told(tree, "t1 a1", handovers=moves) == ("a0 b0 b1 b2 t0 t1", "a1 b0")


def test_a_new_device_may_have_several_histories_itself() -> None:
    tree = Tree("a0 a1", "b0 b1x", "b0 b1y")
    move = tree.to("b0", "b", "a1")
    assert told(tree, "b1y", handovers=[move]) == ("a0 a1 b0 b1y", "")
    assert told(tree, "b1x b1y", handovers=[move]) == ("a0 a1 b0 b1x", "b1x b1y")


WAYS = st.lists(st.sampled_from(["x", "y", "z"]), min_size=1, max_size=4)


@given(st.lists(WAYS, min_size=1, max_size=5), st.data())
def test_the_line_is_one_way_through_the_tree_and_what_is_settled_stays(
    endings: Sequence[Sequence[str]], data: st.DataObject
) -> None:
    ways = ["a0"]
    for letters in endings:
        names = [f"a{depth}{''.join(letters[:depth])}" for depth in range(1, len(letters) + 1)]
        ways.append(" ".join(["a0", *names]))
    tree = Tree(*ways)
    names = sorted(tree.places)
    moves = " ".join(data.draw(st.lists(st.sampled_from(names), unique=True)))
    line, contested = told(tree, moves)
    assert line in " ".join(ways) or line == "a0"
    assert any(way == line for way in ways)
    if contested:
        last = data.draw(st.sampled_from(names))
        settled, _ = told(tree, moves, [last])
        assert last in settled.split()
        later = data.draw(st.sampled_from(names))
        again, _ = told(tree, moves, [last, later])
        assert last in again.split()
        assert set(moves.split()) & set(line.split()), "of contested ways one with a movement is shown"


def test_of_two_openings_the_one_taken_up_stands_until_money_moves() -> None:
    """The talent opened the deal twice, on two histories; the client's device is the agent."""
    tree = Tree("t0 t1x", "t0 t1y", "a0 a1")
    first, second = (Opening(tree.places[name], A) for name in ("t1x", "t1y"))
    none, all_ = Said({}, tree.before, (), set()), tree.said()
    at, line = standing([(first, none), (second, all_)])
    assert (at, shown(line)) == (1, ("a0 a1", ""))
    assert standing([(first, none), (second, none)])[0] == 0
    moving = all_._replace(moves={id_of("a1")})
    assert standing([(first, all_), (second, moving)])[0] == 1
    at, line = standing([(first, moving), (second, moving)])
    assert (at, shown(line)[1]) == (0, "t1x t1y")
    settled = moving._replace(settled=[id_of("a1")])
    at, line = standing([(first, moving), (second, settled)])
    assert (at, shown(line)[1]) == (1, "")


def test_whoever_covers_a_branch_covers_what_it_leaves() -> None:
    stem = [Place(A, seq, id_of(f"a{seq}"), seq, (), "stem") for seq in range(3)]
    left = [Place(A, seq, id_of(f"a{seq}x"), seq, (), "left") for seq in range(3, 5)]
    right = [Place(A, 3, id_of("a3y"), 3, (), "right")]
    held = {(one.branch, one.seq): one for one in [*stem, *left, *right]}
    branches = Branches(lambda name: 0 if name == "stem" else 3, lambda name: None if name == "stem" else "stem")
    tip = Place(B, 0, id_of("b0"), 9, (("left", 4),), "b")
    frontier: dict[str, int] = {}
    news = cover(frontier, tip, lambda name, seq: held[name, seq], branches)
    assert [name_of(one.id) for one in news] == ["a0", "a1", "a2", "a3x", "a4x", "b0"]
    assert frontier == {"stem": 2, "left": 4, "b": 0}
    later = Place(B, 1, id_of("b1"), 10, (("right", 3),), "b")
    news = cover(frontier, later, lambda name, seq: held[name, seq], branches)
    assert [name_of(one.id) for one in news] == ["a3y", "b1"]
