from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaise_cli.domain import shape
from chaise_cli.domain.body import replace
from chaise_cli.domain.reputation import Reputation, publish, reputation
from chaise_cli.domain.review import Review
from chaise_cli.domain.review_fold import Mismatch, WrongState
from tests.unit.domain.deal_cast import CLIENT, STRANGER, TALENT, event
from tests.unit.domain.review_story import (
    PRAISE,
    THANKS,
    both_open,
    both_sealed,
    on_board,
    published_of,
    voucher,
)


def test_an_open_review_is_published_with_its_voucher() -> None:
    story, praise, thanks = both_open()
    review = story.reviews.by_author[CLIENT]
    body = publish(review, voucher(story, praise))
    shape.check(body)
    assert on_board(body, CLIENT).content == PRAISE
    with pytest.raises(Mismatch):
        publish(review, voucher(story, thanks))
    sealed_one: Review = both_sealed()[0].reviews.by_author[CLIENT]
    with pytest.raises(WrongState):
        publish(sealed_one, voucher(story, praise))


def test_a_voucher_is_for_this_author_this_subject_and_these_words() -> None:
    body = published_of(PRAISE)
    with pytest.raises(Mismatch):
        on_board(body, TALENT)
    wrong = [replace(body, stars=4), replace(body, about=STRANGER)]
    for changed in [*wrong, replace(body, text=""), replace(body, recommend=None)]:
        with pytest.raises(Mismatch):
            on_board(changed, CLIENT)
    own = PRAISE._replace(about=CLIENT)
    with pytest.raises(Mismatch):
        on_board(published_of(own), CLIENT)


def test_a_reputation_counts_stars_and_how_the_money_was_held() -> None:
    board = [
        on_board(published_of(PRAISE, "a"), CLIENT, "1"),
        on_board(published_of(PRAISE._replace(stars=4), "b", STRANGER, secured=True), CLIENT, "2"),
        on_board(published_of(PRAISE._replace(stars=4, recommend=False), "c"), CLIENT, "3"),
        on_board(published_of(THANKS, "a"), TALENT, "4"),
    ]
    assert reputation(board, TALENT) == Reputation(3, 433, 2, 3, 1, 2)
    assert reputation(board, CLIENT) == Reputation(1, 400, 0, 3, 1, 2)
    assert reputation(board, STRANGER) == Reputation(0, None, 0, 0, 0, 0)


def test_money_held_by_a_side_is_never_called_secured() -> None:
    lying = on_board(published_of(PRAISE, secured=True), CLIENT)
    assert lying.self_paid
    assert not lying.secured


@given(st.permutations(range(4)), st.integers(1, 3))
def test_a_reputation_is_the_same_in_any_order_and_for_any_copies(order: list[int], copies: int) -> None:
    some = [on_board(published_of(PRAISE._replace(stars=n + 1), f"deal {n}"), CLIENT, str(n)) for n in range(4)]
    again = [one._replace(id=event(f"copy {n}")) for n, one in enumerate(some)]
    board = [some[n] for n in order] * copies + [again[n] for n in order]
    assert reputation(board, TALENT) == reputation(some, TALENT)


def test_two_agents_never_vouch_for_one_deal() -> None:
    board = [on_board(published_of(PRAISE, "a", agent), CLIENT) for agent in (CLIENT, STRANGER)]
    assert reputation(board, TALENT).paid_deals == 2, "tokens of two agents are not compared"
