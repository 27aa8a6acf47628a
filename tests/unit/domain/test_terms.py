from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaise_cli.domain import terms
from chaise_cli.domain.body import replace
from chaise_cli.domain.money import LARGEST, Money
from chaise_cli.domain.recorded import Parties
from chaise_cli.domain.shape import to_data
from chaise_cli.domain.terms import Terms
from chaise_cli.ledger import canonical
from tests.unit.domain.deal_world import ADA, JAMES, LAPTOP, LISA, hired, name, parts

SIDES = Parties(LISA, JAMES, LISA, LAPTOP)


def agreed() -> Terms:
    return hired(60_000, 140_000).deal.agreed


@given(st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=40), st.integers(1, LARGEST))
def test_terms_are_signed_over_the_same_bytes_the_envelope_writes(title: str, amount: int) -> None:
    part = terms.Part(title, amount, None, (title,), None)
    some = replace(agreed(), milestones=(part,))
    assert terms.canonical(some) == canonical.encode(to_data(some))


def test_the_hash_of_fixed_terms_never_changes() -> None:
    assert terms.canonical(parts(1)) == (b'[{"amount":1,"criteria":[],"due":null,"revisions":null,"title":"Part 1"}]')
    assert terms.digest(parts(1)) == "0bPqfsRUm4bvaVcNLa1_JXb5glGVu8ri6Ja26zqqpu4"


def test_any_other_word_gives_another_hash() -> None:
    some = agreed()
    changed = [
        replace(some, agent=ADA),
        replace(some, auto_release=False),
        replace(some, milestones=parts(60_000, 140_001)),
        replace(some, supersedes=name("before")),
    ]
    assert len({terms.digest(each) for each in [some, *changed]}) == 5


def test_terms_for_other_people_are_refused() -> None:
    some = agreed()
    with pytest.raises(terms.OtherParties):
        terms.check_terms(some, terms.digest(some), SIDES._replace(talent=ADA))


def test_a_hash_of_other_terms_is_refused() -> None:
    with pytest.raises(terms.OtherHash):
        terms.check_terms(agreed(), name("another"), SIDES)


def test_a_currency_out_of_use_is_refused() -> None:
    with pytest.raises(terms.UnknownCurrency):
        terms.check_amounts(parts(1), "XXX")


def test_milestones_add_up_to_no_more_than_an_amount_can_be_with_the_fee() -> None:
    terms.check_amounts(parts(LARGEST), "EUR")
    with pytest.raises(terms.TooLarge):
        terms.check_amounts(parts(LARGEST, 1), "EUR")
    with pytest.raises(terms.TooLarge):
        terms.check_amounts(parts(LARGEST), "EUR", 100)


def test_going_beyond_the_post_is_said_with_the_difference() -> None:
    late = terms.Part("Run", 140_000, 2_000, (), None)
    some = replace(agreed(), milestones=(*parts(60_000), late))
    assert terms.concerns(some, Money(150_000, "EUR"), 1_500) == [
        terms.Concern("terms.over_budget", Money(50_000, "EUR"), None),
        terms.Concern("terms.after_deadline", None, 500),
    ]
    assert terms.concerns(some, Money(150_000, "USD"), None)[0].code == "terms.other_currency"
    assert not terms.concerns(some, Money(200_000, "EUR"), 2_000)
    assert not terms.concerns(agreed(), None, 5)
