from __future__ import annotations

import json
import typing

from hypothesis import given
from hypothesis import strategies as st

from chaise_cli.domain import booking, deal, record, review
from chaise_cli.domain.body import body
from chaise_cli.domain.deal_state import DealState
from chaise_cli.domain.light import NamedTuple


@body
class Leaf:
    word: str
    parts: tuple[int, ...]


class Tree(NamedTuple):
    leaf: Leaf | None
    leaves: tuple[Leaf, ...]
    by_name: dict[str, Leaf]
    counts: dict[str, int]
    lists: dict[str, tuple[str, ...]]
    pair: tuple[int, Leaf]
    flag: bool
    none: int | None = None


class Inner(NamedTuple):
    tree: Tree
    number: int
    leaf: Leaf | None


class State(NamedTuple):
    trees: tuple[Tree, ...]
    by_number: dict[str, Tree]
    inner: Inner


LEAF = st.builds(Leaf, st.text(max_size=3), st.lists(st.integers(), max_size=2).map(tuple))
NAMES = st.text(max_size=3)
TREE = st.builds(
    Tree, st.none() | LEAF, st.lists(LEAF, max_size=2).map(tuple), st.dictionaries(NAMES, LEAF, max_size=2),
    st.dictionaries(NAMES, st.integers(), max_size=2),
    st.dictionaries(NAMES, st.lists(st.text(max_size=2), max_size=2).map(tuple), max_size=2),
    st.tuples(st.integers(), LEAF), st.booleans(), st.none() | st.integers(),
)  # fmt: skip


@given(TREE)
def test_what_is_dumped_loads_back_through_json(tree: Tree) -> None:
    assert record.load(Tree, json.loads(record.dump(tree))) == tree


@given(st.lists(TREE, min_size=1, max_size=3), st.data())
def test_a_state_of_known_parts_is_written_as_if_all_of_it_were_new(trees: list[Tree], data: st.DataObject) -> None:
    """Of parts that stand in several states, and of states that are made from one another."""
    state = State(tuple(trees), {str(n): tree for n, tree in enumerate(trees)}, Inner(trees[0], 7, trees[-1].leaf))
    record.dump_again(state)
    other = state._replace(trees=(*trees, data.draw(TREE)), inner=state.inner._replace(number=data.draw(st.integers())))
    for one in (state, other, state):
        assert record.dump_again(one) == record.dump(one)


def test_every_folded_state_can_be_loaded() -> None:
    """A field of a type that JSON cannot bring back fails here, not in somebody's home."""
    for cls in (
        DealState,
        deal.Deal,
        deal.Milestone,
        deal.Op,
        booking.Booking,
        booking.Bookings,
        review.Review,
        review.Reviews,
    ):
        assert record._loader(cls) is not None
        assert typing.get_type_hints(cls)
