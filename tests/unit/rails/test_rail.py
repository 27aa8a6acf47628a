from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaise_cli.domain.money import Money
from chaise_cli.ids import EventId, SpaceId, text
from chaise_cli.rails.rail import (
    ActionNeeded,
    Contradicted,
    Declined,
    Key,
    NotSent,
    Outcome,
    Pending,
    Succeeded,
    Unknown,
    final,
    key,
    later,
)

IDS = st.binary(min_size=32, max_size=32).map(text)
DONE = Succeeded("r", Money(1, "EUR"), Money(0, "EUR"), None)
ON_THE_WAY: list[Outcome] = [Pending("r"), ActionNeeded("pay it", "r"), Unknown(Key("k"), "lost"), NotSent("nobody")]


@given(IDS, IDS, IDS, st.sampled_from(["hold", "payout", "refund.0", "refund.1"]))
def test_a_key_names_one_step_of_one_operation(deal: str, op: str, other: str, step: str) -> None:
    """It fits into a bank's reference, and into what the sim takes for one."""
    made = key(SpaceId(deal), EventId(op), step)
    assert made == key(SpaceId(deal), EventId(op), step)
    assert len(made) == 33
    assert made.replace("-", "").isalnum()
    assert made != key(SpaceId(deal), EventId(op), step + "0")
    assert (made == key(SpaceId(deal), EventId(other), step)) == (op == other)
    assert (made == key(SpaceId(other), EventId(op), step)) == (deal == other)


@pytest.mark.parametrize("end", [DONE, Declined("no")])
def test_an_end_stands_in_whatever_order_answers_arrive(end: Outcome) -> None:
    for order in permutations([*ON_THE_WAY, end, end]):
        standing: Outcome | None = None
        for told in order:
            standing = later(standing, told)
        assert standing == end
        assert final(standing)


@pytest.mark.parametrize("now", [Declined("no"), Succeeded("r", Money(2, "EUR"), Money(0, "EUR"), None)])
def test_two_ends_of_one_payment_are_a_contradiction(now: Outcome) -> None:
    with pytest.raises(Contradicted):
        later(DONE, now)
    assert later(DONE, DONE) == DONE


def test_not_knowing_takes_nothing_back() -> None:
    assert later(Pending("r"), Unknown(Key("k"), "lost")) == Pending("r")
    assert later(Unknown(Key("k"), "lost"), NotSent("nobody")) == Unknown(Key("k"), "lost")
    assert later(Pending("r"), ActionNeeded("pay it")) == ActionNeeded("pay it")
    assert not any(final(one) for one in ON_THE_WAY)
