from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaise_cli.domain.money import Money
from chaise_cli.domain.statement import Awaited, Line, Matching, match, reference
from chaise_cli.ids import EventId, public
from tests.unit.domain.deal_world import name

OPS = [EventId(name(f"op {number}")) for number in range(8)]
FUND, LATER, OTHER = OPS[:3]


def line(n: int, amount: int, text: str = "", currency: str = "EUR", unsettled: str = "") -> Line:
    return Line(n, "2026-12-01", Money(amount, currency), (text,), "Lisa GmbH", f"id{n}", unsettled)


def awaited(op: EventId, amount: int, turn: str = "") -> Awaited:
    return Awaited(op, turn or op, Money(amount, "EUR"))


def whys(found: Matching) -> list[tuple[int, str]]:
    return [(item.line.n, item.why) for item in found.unmatched]


def test_a_payment_with_our_reference_and_the_exact_amount_is_the_operations() -> None:
    found = match([line(1, 600, reference(FUND))], [awaited(FUND, 600), awaited(OTHER, 5)], {})
    assert [(one.line.n, one.op) for one in found.matched] == [(1, FUND)]
    assert [one.op for one in found.due] == [OTHER]
    assert (found.known, found.unmatched) == ((), ())


def test_a_reference_is_short_enough_for_every_bank() -> None:
    assert len(reference(FUND)) == 15
    assert public("op", FUND).startswith(reference(FUND))


@given(st.integers(0, 2**32))
def test_banks_may_break_recase_and_undash_a_reference(seed: int) -> None:
    rng = random.Random(seed)
    shown = rng.choice((reference(FUND), public("op", FUND)))
    mangled = "".join(
        rng.choice((char, char.upper())) + rng.choice(("", "", " ", "-", "\n", "/", "+"))
        for char in shown.replace("0", rng.choice("0Oo")).replace("1", rng.choice("1lI"))
    )
    found = match([line(1, 600, f"Invoice 12 {mangled}, thank you")], [awaited(FUND, 600)], {})
    assert [one.op for one in found.matched] == [FUND]


def test_a_reference_cut_over_two_texts_is_found() -> None:
    shown = reference(FUND)
    cut = line(1, 600)._replace(texts=(shown[:9], shown[9:]))
    assert [one.op for one in match([cut], [awaited(FUND, 600)], {}).matched] == [FUND]


@pytest.mark.parametrize(
    ("given_", "why"),
    [
        (line(1, 600, "rent"), "unnamed"),
        (line(1, 600, reference(FUND)[:-1]), "unnamed"),
        (line(1, 599, reference(FUND)), "other_amount"),
        (line(1, 601, reference(FUND)), "other_amount"),
        (line(1, -600, reference(FUND)), "other_direction"),
        (line(1, 600, reference(FUND), "USD"), "other_currency"),
        (line(1, 600, f"{reference(FUND)} {reference(OTHER)}"), "ambiguous"),
        (line(1, 600, reference(FUND), unsettled="pending"), "pending"),
        (line(1, 600, reference(FUND), unsettled="reversal"), "reversal"),
    ],
)
def test_what_is_less_than_certain_attests_nothing_and_says_why(given_: Line, why: str) -> None:
    due = [awaited(FUND, 600), awaited(OTHER, 700)]
    found = match([given_], due, {})
    assert (found.matched, whys(found), list(found.due)) == ((), [(1, why)], due)


def test_two_payments_that_fit_alike_are_both_left_to_a_person() -> None:
    found = match([line(1, 600, reference(FUND)), line(2, 600, reference(FUND))], [awaited(FUND, 600)], {})
    assert (found.matched, whys(found)) == ((), [(1, "ambiguous"), (2, "ambiguous")])


def test_a_second_payment_of_another_amount_is_listed_and_the_first_counts() -> None:
    found = match([line(1, 600, reference(FUND)), line(2, 6, reference(FUND))], [awaited(FUND, 600)], {})
    assert ([one.line.n for one in found.matched], whys(found)) == ([1], [(2, "other_amount")])


def test_the_same_line_twice_in_a_file_counts_once() -> None:
    first = line(1, 600, reference(FUND))
    found = match([first, first._replace(n=2)], [awaited(FUND, 600)], {})
    assert ([one.line.n for one in found.matched], whys(found)) == ([1], [(2, "repeated")])


def test_a_line_that_is_in_the_book_is_known_and_attests_nothing_else() -> None:
    one = line(1, 600, reference(OTHER))
    found = match([one], [awaited(OTHER, 600)], {one.ref: [Money(600, "EUR")]})
    assert (found.matched, found.known, [item.op for item in found.due]) == ((), (one,), [OTHER])
    odd = match([one], [awaited(OTHER, 600)], {one.ref: [Money(500, "EUR")]})
    assert (odd.known, whys(odd)) == ((), [(1, "other_amount_booked")])


def test_a_payout_covers_the_earlier_ones_of_its_turn_only_by_their_sum() -> None:
    due = [awaited(FUND, -400, "a"), awaited(LATER, -200, "a")]
    sum_ = match([line(1, -600, reference(LATER))], due, {})
    assert ([one.op for one in sum_.matched], sum_.due) == ([LATER], ())
    alone = match([line(1, -200, reference(LATER))], due, {})
    assert (alone.matched, whys(alone), list(alone.due)) == ((), [(1, "earlier_due")], due)
    each = match([line(2, -200, reference(LATER)), line(1, -400, reference(FUND))], due, {})
    assert [(one.op, one.line.n) for one in each.matched] == [(FUND, 1), (LATER, 2)]


@given(st.data())
def test_no_payment_settles_two_and_no_operation_is_settled_twice(data: st.DataObject) -> None:
    amounts = st.sampled_from((-600, -400, -200, 200, 400, 600))
    due = [
        awaited(op, data.draw(amounts), data.draw(st.sampled_from(("", "turn"))))
        for op in data.draw(st.lists(st.sampled_from(OPS), unique=True))
    ]
    texts = st.lists(st.sampled_from([reference(op) for op in OPS]), max_size=2).map(" ".join)
    lines = [line(n, data.draw(amounts), data.draw(texts)) for n in range(data.draw(st.integers(0, 8)))]
    booked = {one.ref: [one.amount] for one in lines if data.draw(st.booleans())}
    found = match(lines, due, booked)
    assert len({one.op for one in found.matched}) == len(found.matched)
    told = [*(one.line.n for one in found.matched), *(one.n for one in found.known)]
    assert sorted([*told, *(item.line.n for item in found.unmatched)]) == list(range(len(lines)))
    # Money is conserved: what is attested and what is still due is what was due.
    for currency_turn in {item.turn for item in due}:
        of = [item for item in due if item.turn == currency_turn]
        left = [item for item in found.due if item.turn == currency_turn]
        attested = [one.line.amount.minor for one in found.matched if one.op in {item.op for item in of}]
        assert sum(attested) + sum(item.amount.minor for item in left) == sum(item.amount.minor for item in of)
    assert not {one.line.ref for one in found.matched} & booked.keys()
