from __future__ import annotations

import pickle
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaise_cli.domain import money
from chaise_cli.domain.money import DIGITS, LARGEST, Money, Range, fee, fee_step, parse, parse_range, split
from chaise_cli.errors import ChaiseError

CURRENCIES = st.sampled_from(sorted(DIGITS))
MINOR = st.integers(min_value=0, max_value=LARGEST)
BASIS_POINTS = st.integers(min_value=0, max_value=10_000)


def refusal_of(read: Callable[[str], object], text: str) -> ChaiseError | None:
    try:
        read(text)
    except ChaiseError as refusal:
        return refusal
    return None


def eur(minor: int) -> Money:
    return Money(minor, "EUR")


@pytest.mark.parametrize("text", ["600EUR", "600 EUR", "600.00 EUR", "600.0EUR", "EUR 600", "EUR600.00", "600eur"])
def test_every_way_of_writing_an_amount_gives_the_same(text: str) -> None:
    assert parse(text) == eur(60_000)


@given(MINOR, CURRENCIES)
def test_what_is_shown_can_be_typed_back(minor: int, currency: str) -> None:
    amount = Money(minor, currency)
    assert parse(amount.text) == amount


@pytest.mark.parametrize(
    ("text", "amount"), [("5 JPY", Money(5, "JPY")), ("0.005BHD", Money(5, "BHD")), ("0.05EUR", Money(5, "EUR"))]
)
def test_digits_follow_the_currency(text: str, amount: Money) -> None:
    assert parse(text) == amount


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("600", "money.currency_missing"),
        ("600.001EUR", "money.too_many_digits"),
        ("600.0JPY", "money.too_many_digits"),
        ("1.0000BHD", "money.too_many_digits"),
        ("600ABC", "money.unknown_currency"),
        ("600XAU", "money.unknown_currency"),
        ("600XXX", "money.unknown_currency"),
        ("600CLF", "money.unknown_currency"),
        ("-600EUR", "money.unreadable"),
        ("+600EUR", "money.unreadable"),
        ("1,500EUR", "money.unreadable"),
        ("1_500EUR", "money.unreadable"),
        ("1 500EUR", "money.unreadable"),
        ("1e3EUR", "money.unreadable"),
        ("600.EUR", "money.unreadable"),
        (".50EUR", "money.unreadable"),
        ("٦٠٠EUR", "money.unreadable"),
        ("６００EUR", "money.unreadable"),
        ("EUR 600 EUR", "money.unreadable"),
        ("600  EUR", "money.unreadable"),
        ("600EUR\n", "money.unreadable"),
        ("", "money.unreadable"),
        ("EUR", "money.unreadable"),
        ("nan EUR", "money.unreadable"),
        ("90071992547409.92EUR", "money.too_large"),
        ("9" * 5_000 + "EUR", "money.too_large"),
    ],
)
def test_what_is_not_plainly_an_amount_is_refused(text: str, code: str) -> None:
    with pytest.raises(ChaiseError) as refusal:
        parse(text)
    assert (refusal.value.code, refusal.value.exit) == (code, 2)


def test_the_largest_amount_is_one_below_two_to_the_53rd() -> None:
    assert parse("90071992547409.91EUR").minor == 2**53 - 1


def test_a_bare_number_takes_the_default_currency() -> None:
    assert parse("600", "JPY") == Money(600, "JPY")


@pytest.mark.parametrize(
    "text", ["1500..2500EUR", "1500..2500 EUR", "EUR 1500..2500", "1500.00..2500.00EUR", "1500.0..2500eur"]
)
def test_a_range_has_one_currency_for_both_ends(text: str) -> None:
    assert parse_range(text) == Range(eur(150_000), eur(250_000))


def test_a_single_amount_is_a_range_of_that_one() -> None:
    assert parse_range("2000EUR") == Range(eur(200_000), eur(200_000))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("2500..1500EUR", "money.empty_range"),
        ("1500..2500", "money.currency_missing"),
        ("1500...2500EUR", "money.unreadable"),
        ("..2500EUR", "money.unreadable"),
        ("1500..EUR", "money.unreadable"),
        ("1500-2500EUR", "money.unreadable"),
        ("EUR 1500..2500 EUR", "money.unreadable"),
        ("1500.001..2500EUR", "money.too_many_digits"),
    ],
)
def test_a_range_that_is_not_one_is_refused(text: str, code: str) -> None:
    with pytest.raises(ChaiseError) as refusal:
        parse_range(text)
    assert refusal.value.code == code


@given(st.text(max_size=30))
def test_no_text_brings_down_the_reader(text: str) -> None:
    for read in (parse, parse_range):
        refusal = refusal_of(read, text)
        assert refusal is None or (refusal.code.startswith("money.") and refusal.sentence() and refusal.advice())


def test_currencies_do_not_mix() -> None:
    euros, dollars = eur(100), Money(100, "USD")
    assert euros != dollars
    for act in (lambda: euros + dollars, lambda: euros - dollars, lambda: euros < dollars, lambda: euros >= dollars):
        with pytest.raises(money.MixedCurrency):
            act()


@pytest.mark.parametrize(("wanted", "covered"), [(-1, False), (0, False), (1, True), (100, True), (101, False)])
def test_an_amount_covers_what_is_above_zero_and_not_above_itself(wanted: int, *, covered: bool) -> None:
    assert eur(100).covers(eur(wanted)) is covered


def test_an_amount_covers_nothing_of_another_currency() -> None:
    assert not eur(100).covers(Money(1, "USD"))


def test_an_amount_orders_hashes_and_copies_by_value() -> None:
    assert sorted([eur(3), eur(1), eur(2)]) == [eur(1), eur(2), eur(3)]
    assert len({eur(1), eur(1), Money(1, "USD")}) == 2
    assert pickle.loads(pickle.dumps(eur(1))) == eur(1)  # noqa: S301, our own bytes
    assert eur(1) != (1, "EUR")


def test_an_amount_never_changes() -> None:
    with pytest.raises(AttributeError):
        setattr(eur(1), "minor", 2)  # noqa: B010, mypy would refuse the plain form
    with pytest.raises(AttributeError):
        delattr(eur(1), "minor")


def test_a_currency_that_does_not_exist_makes_no_amount() -> None:
    with pytest.raises(money.UnknownCurrency):
        Money(1, "XYZ")


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (eur(-5), "-0.05 EUR"),
        (eur(0), "0.00 EUR"),
        (Money(1500, "JPY"), "1500 JPY"),
        (Money(-1, "BHD"), "-0.001 BHD"),
    ],
)
def test_people_see_every_digit_of_the_currency(amount: Money, text: str) -> None:
    assert amount.text == text
    assert amount.shape() == {"minor": amount.minor, "currency": amount.currency, "text": text}


def test_difference_and_negation_may_fall_below_zero() -> None:
    assert eur(1) - eur(3) == -eur(2)
    assert not eur(0)
    assert money.total([eur(1), eur(2)], "EUR") == eur(3)
    assert money.total([], "EUR") == money.zero("EUR")


@given(MINOR, st.lists(st.integers(0, 1_000), min_size=1, max_size=8).filter(any))
def test_parts_of_a_split_add_up_and_keep_their_proportion(minor: int, weights: list[int]) -> None:
    parts = split(eur(minor), weights)
    assert money.total(parts, "EUR") == eur(minor)
    assert len(parts) == len(weights)
    for part, weight in zip(parts, weights, strict=True):
        exact = minor * weight  # in units of 1 / sum(weights)
        assert abs(part.minor * sum(weights) - exact) < sum(weights)
        assert weight or not part


def test_on_a_tie_the_earlier_part_gains() -> None:
    assert split(eur(1_000), [1, 1, 1]) == (eur(334), eur(333), eur(333))


@pytest.mark.parametrize("weights", [[], [0], [0, 0], [2, -1]])
def test_a_split_needs_a_weight(weights: list[int]) -> None:
    with pytest.raises(money.NoWeight):
        split(eur(10), weights)


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=8), BASIS_POINTS)
def test_no_way_of_cutting_a_release_changes_the_fee(steps: list[int], basis_points: int) -> None:
    at, paid = eur(0), eur(0)
    for step in steps:
        paid = paid + fee_step(at, at + eur(step), basis_points)
        at = at + eur(step)
    assert paid == fee(eur(sum(steps)), basis_points)


def test_a_fee_is_rounded_down() -> None:
    assert fee(eur(999), 250) == eur(24)


def test_there_are_155_currencies_in_use_and_no_funds_or_metals() -> None:
    assert len(DIGITS) == 155
    assert not {"XAU", "XDR", "XXX", "XTS", "CLF", "CHE", "BGN", "HRK", "ANG", "ZWL"} & DIGITS.keys()
    assert sum(digits == 0 for digits in DIGITS.values()) == 16
    assert sum(digits == 3 for digits in DIGITS.values()) == 7
