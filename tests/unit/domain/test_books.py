from __future__ import annotations

import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from chaise_cli.domain import books, escrow
from chaise_cli.domain.books import Flow
from chaise_cli.domain.money import Money
from chaise_cli.ids import public
from tests.interop.books.ledgers import DAY_MS, START, balances, entries, identity
from tests.unit.domain.deal_world import JAMES, LISA, World, hired

AGENT = identity(1)


@given(st.integers(0, 2**32), st.integers(0, 30), st.integers(0, 20), st.integers(0, 20))
def test_wherever_a_book_begins_its_accounts_stand_as_if_it_had_begun_at_first(
    seed: int, count: int, first: int, last: int
) -> None:
    made = entries(random.Random(seed), count, AGENT)
    since, until = START + first * DAY_MS, START + last * DAY_MS
    whole = balances(books.book(AGENT, made, 0, until))
    cut = balances(books.book(AGENT, made, since, max(since, until)))
    if since > until:
        return
    earned = {key for key in whole | cut if key[0].startswith(("income:", "expenses:", "equity:"))}
    assert {key: whole[key] for key in whole.keys() - earned} == {key: cut[key] for key in cut.keys() - earned}
    for currency in {currency for _, currency in earned}:
        sums = [sum(of.get(key, 0) for key in earned if key[1] == currency) for of in (whole, cut)]
        assert sums[0] == sums[1], "what was earned before is kept, under another name"


@given(st.integers(0, 2**32), st.integers(0, 30))
def test_a_year_and_the_next_are_all_of_it(seed: int, count: int) -> None:
    made = entries(random.Random(seed), count, AGENT)
    middle = START + 5 * DAY_MS
    assert [*books.book(AGENT, made, 0, middle).entries, *books.book(AGENT, made, middle).entries] == made


def test_a_day_and_a_month_are_those_in_utc() -> None:
    assert (books.day(START), books.day(START - 1)) == ("2025-12-31", "2025-12-30")
    assert (books.month(START), books.month(START + DAY_MS)) == ("2025-12", "2026-01")


def test_a_book_without_entries_has_no_day() -> None:
    empty = books.book(None, [])
    assert (empty.agent, books.first_day(empty), books.accounts(empty)) == ("", None, {})


@given(st.integers(0, 2**32))
def test_what_entries_do_adds_up_to_what_the_milestone_has(seed: int) -> None:
    rng = random.Random(seed)
    world = hired(10_000, client_fee=rng.choice((0, 300)), talent_fee=rng.choice((0, 500, 10_000)))
    _play(world, rng)
    sums = Flow(0, 0, 0, 0, 0, 0, 0, 0)
    for entry in world.deal.entries:
        sums = books.plus(sums, books.flow_of(public("id", LISA), entry.postings))
    ms = world.ms()
    assert sums == Flow(ms.funded, ms.held, ms.released, ms.refunded, ms.disputed, ms.payable, ms.paid_out, ms.reversed)


def _play(world: World, rng: random.Random) -> None:
    """Fund in two parts, release, refund and claw back some of it, and pay out some of that; the rail takes a cost."""
    for total in (4_000, 10_000):
        op = world.record(LISA, *escrow.fund(world.deal, world.by(LISA), 1, total=_eur(total)))
        world.attest(op, cost=rng.choice((0, 7, 20_000)))
        if rng.random() < 0.5:
            world.claw_back(op, rng.randint(1, 4_000), f"back {total}", rng.randint(0, 9))
        for _ in range(rng.randint(0, 3)):
            held = world.ms().held
            if not held:
                break
            act, who = rng.choice(((escrow.release, LISA), (escrow.refund, JAMES)))
            moved = world.ms().released if who == LISA else world.ms().refunded
            world.record(who, *act(world.deal, world.by(who), 1, total=_eur(moved + rng.randint(1, held))))
            world.settle()
            if rng.random() < 0.5:
                world.pay_all()
        if world.ms().refunded or world.ms().state in {"refunded", "released"}:
            return


def _eur(minor: int) -> Any:
    return Money(minor, "EUR")


def test_a_month_says_what_moved_in_it_and_what_was_kept_at_its_end() -> None:
    hold, release, payout = (
        Flow(100, 100, 0, 0, 0, 0, 0, 0),
        Flow(0, -60, 60, 0, 0, 60, 0, 0),
        Flow(0, 0, 0, 0, 0, -60, 60, 0),
    )
    told = books.by_month(
        [("2026-01", "EUR", hold), ("2026-03", "EUR", release), ("2026-03", "EUR", payout), ("2026-03", "JPY", hold)]
    )
    assert told == [
        ("2026-01", "EUR", Flow(100, 100, 0, 0, 0, 0, 0, 0)),
        ("2026-03", "EUR", Flow(0, 40, 60, 0, 0, 0, 60, 0)),
        ("2026-03", "JPY", Flow(100, 100, 0, 0, 0, 0, 0, 0)),
    ]
