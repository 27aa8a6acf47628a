"""Laws of a reconciliation: what both have is agreed, what one lacks is told, and the sums say by how much."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chaise_cli.domain import reconciliation
from chaise_cli.domain.money import Money
from chaise_cli.domain.reconciliation import Booked, Period, Shown
from chaise_cli.ids import EventId, SpaceId
from tests.unit.domain.deal_world import name

EVER = Period(0, 10**15)
CURRENCIES = st.sampled_from(["EUR", "USD", "JPY", "BHD"])
PAYMENTS = st.lists(
    st.tuples(CURRENCIES, st.integers(-(10**9), 10**9).filter(bool), st.integers(0, 500)), min_size=1, max_size=8
)


def line(number: int, payment: tuple[str, int, int], at: int = 5) -> Shown:
    currency, minor, cost = payment
    return Shown(at, f"sim-{number:06d}", "hold", Money(minor, currency), Money(cost, currency))


def entry(number: int, payment: tuple[str, int, int], at: int = 7) -> Booked:
    shown = line(number, payment)
    event = EventId(name(f"e{number}"))
    return Booked(event, SpaceId(name("deal")), at, "held", shown.ref, shown.amount, shown.cost)


@given(PAYMENTS, st.data())
def test_exactly_what_one_side_lacks_is_told_and_the_sums_differ_by_it(
    payments: list[tuple[str, int, int]], data: st.DataObject
) -> None:
    everything = range(len(payments))
    shown, booked = (data.draw(st.sets(st.sampled_from(everything))) for _ in range(2))
    found = reconciliation.compare(
        [line(n, payments[n]) for n in sorted(shown)], [entry(n, payments[n]) for n in sorted(booked)], EVER
    )
    assert {one.ref for one in found.unbooked} == {line(n, payments[n]).ref for n in shown - booked}
    assert {one.ref for one in found.unshown} == {line(n, payments[n]).ref for n in booked - shown}
    assert (found.agreed, found.differing) == (len(shown & booked), ())
    assert found.differences == len(shown ^ booked)
    for one in found.sums:
        sides = [
            sum(minor - cost for n in side for code, minor, cost in [payments[n]] if code == one.currency)
            for side in (shown, booked)
        ]
        assert [one.statement, one.book] == sides


@given(PAYMENTS, st.integers(0, 7), st.sampled_from([(1, 0), (0, 1), (-1, 0)]))
def test_a_payment_that_differs_by_the_least_is_a_difference(
    payments: list[tuple[str, int, int]], pick: int, off: tuple[int, int]
) -> None:
    n = pick % len(payments)
    currency, minor, cost = payments[n]
    lines = [line(number, payment) for number, payment in enumerate(payments)]
    lines[n] = line(n, (currency, minor + off[0], cost + off[1]))
    found = reconciliation.compare(lines, [entry(n, payment) for n, payment in enumerate(payments)], EVER)
    assert [one.ref for one in found.differing] == [lines[n].ref]
    assert found.differences == 1


def test_one_transfer_for_two_payouts_is_one_reference() -> None:
    """A person who pays two things at once attests both under the same reference."""
    halves = [entry(1, ("EUR", -400, 0)), entry(2, ("EUR", -200, 0))._replace(ref=entry(1, ("EUR", 1, 0)).ref)]
    assert reconciliation.compare([line(1, ("EUR", -600, 0))], halves, EVER).differences == 0


def test_a_bank_that_writes_a_reference_otherwise_is_understood_when_one_alone_fits() -> None:
    booked = [entry(n, ("EUR", -600, 0))._replace(ref=ref) for n, ref in enumerate(("transfer 4711", "transfer 4712"))]
    bank = line(1, ("EUR", -600, 0))._replace(ref="bank 1", texts=("SEPA TRANSFER-4712 James",))
    found = reconciliation.compare([bank], booked, EVER)
    assert [one.ref for one in found.unshown] == ["transfer 4711"]
    vague = bank._replace(texts=("transfer 4711 transfer 4712",))
    assert reconciliation.compare([vague], booked, EVER).differences == 3
    other = bank._replace(amount=Money(-601, "EUR"))
    assert reconciliation.compare([other], booked, EVER).differences == 3


def test_a_reference_of_three_letters_is_looked_for_in_no_text() -> None:
    booked = [entry(1, ("EUR", 5, 0))._replace(ref="a-1")]
    bank = line(1, ("EUR", 5, 0))._replace(ref="bank 1", texts=("a-1",))
    assert reconciliation.compare([bank], booked, EVER).differences == 2


def test_what_belongs_to_no_deal_is_listed_and_differs_from_nothing() -> None:
    deposit = line(1, ("EUR", 900, 0))
    found = reconciliation.compare([deposit], [], EVER, [deposit])
    assert (found.own, found.differences, found.sums) == ((deposit,), 0, ())
