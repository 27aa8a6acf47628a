"""Bad input and abuse of money that a third party holds: whatever is tried, it moves once, and all replicas agree."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from chaise_cli.domain import cancellation, escrow, movements, work
from chaise_cli.domain.escrow import FundRequested, OtherCurrency, OverRelease, RefundAuthorized, ReleaseAuthorized
from chaise_cli.domain.money import LARGEST, Money
from chaise_cli.domain.order import Taken
from chaise_cli.domain.terms import DAY_MS
from chaise_cli.errors import RequestReused
from chaise_cli.ids import raw, text
from chaise_cli.rails import rail
from chaise_cli.rails.rail import Key
from chaise_cli.session import driving, renewal, settling, upkeep
from chaise_cli.session.dealing import DealWriter
from chaise_cli.session.finding import Named
from chaise_cli.session.session import Session
from tests.fakes import homes
from tests.fakes.escrowed import Escrowed
from tests.fakes.homes import NOON_MS, Hands, Market
from tests.fakes.stages import Stages
from tests.fakes.till import Till

N: Final = 2
HELD: Final = 90_000  # of milestone 2; on top comes a fee of 2,250
REVIEW_MS: Final = 14 * DAY_MS
CANCEL_MS: Final = 7 * DAY_MS


@pytest.fixture
def world(stages: Stages, lisa: Session, james: Session, ada: Session) -> Escrowed:
    """A deal whose second milestone is funded."""
    return Escrowed.staged(stages, lisa, james, ada, then=_funded)


def _funded(world: Escrowed) -> None:
    does(world.lisa, world, lambda w: escrow.fund(w.state.deal, w.by, N))
    world.meet()
    world.calm()
    world.meet()


def does(who: Session, world: Escrowed, decide: Callable[[DealWriter], Sequence[Any]]) -> None:
    """Decide and write, heard by nobody yet."""
    with homes.deal_writer(who, world.deal) as w:
        w.write(decide(w))


def signs(who: Session, world: Escrowed, body: Any) -> bytes:
    """Write what no rule has looked at; its id."""
    return raw(homes.write_raw(who, world.deal, body)[-1])


def at(who: Session, ms: int) -> None:
    """Set somebody's clock."""
    assert isinstance(who.clock, Hands)
    who.clock.at = ms


def verdict(world: Escrowed, event: bytes) -> str | None:
    """Why it counts for nothing, which everybody says alike."""
    said = {homes.verdicts(session, world.deal)[event] for session in world.everybody}
    assert len(said) == 1
    return said.pop()


def delivers(world: Escrowed) -> None:
    does(world.james, world, lambda w: work.deliver(w.state.deal, w.by, N, "done"))
    world.meet()
    world.calm()
    world.meet()


def changes(w: DealWriter) -> Sequence[Any]:
    return work.request_changes(w.state.deal, w.by, N, "not yet")


def release(w: DealWriter) -> Sequence[Any]:
    return escrow.release(w.state.deal, w.by, N)


def refund(w: DealWriter) -> Sequence[Any]:
    return escrow.refund(w.state.deal, w.by, N)


def runs_deadlines(world: Escrowed, ms: int) -> None:
    """What the agent's loop does at an instant: deadlines, then its rails."""
    at(world.ada, ms)
    assert upkeep.run(world.ada) == []
    world.calm()
    world.meet()


def payouts(world: Escrowed) -> list[int]:
    return [-line.amount.minor for line in world.till.lines if line.kind == "payout"]


def test_a_storm_of_retries_moves_one_step(world: Escrowed) -> None:
    step = Money(10_000, "EUR")
    for number in range(24):
        does(
            world.lisa,
            world,
            lambda w: escrow.release(w.state.deal, w.by, N, amount=step, request_id="ci-1"),
        )
        if number % 3 == 0:
            world.meet()
        world.till.fault = ("lost", "unheard", "not sent", "")[number % 4]
        world.round()
    world.meet()
    world.calm()
    world.check()
    assert payouts(world) == [9_500]


def test_a_request_id_used_again_with_another_amount_is_refused_everywhere(world: Escrowed) -> None:
    first, other = Money(10_000, "EUR"), Money(10_001, "EUR")
    does(world.lisa, world, lambda w: escrow.release(w.state.deal, w.by, N, amount=first, request_id="r"))
    with pytest.raises(RequestReused):
        does(world.lisa, world, lambda w: escrow.release(w.state.deal, w.by, N, amount=other, request_id="r"))
    forged = ReleaseAuthorized(N, None, 10_001, None, "EUR", "r", text(bytes(32)), None)
    event = signs(world.lisa, world, forged)
    world.meet()
    world.calm()
    world.check()
    assert verdict(world, event) == "request.reused"
    assert payouts(world) == [9_500]


def test_a_payment_retried_after_it_failed_is_made_once_and_only_when_told(world: Escrowed) -> None:
    does(world.lisa, world, release)
    world.meet()
    world.till.fault = "decline"
    world.round()
    for _ in range(3):
        world.round()
    assert payouts(world) == []
    assert [driving.again(world.ada), driving.again(world.ada)] == [1, 0]
    world.calm()
    world.check()
    assert payouts(world) == [85_500]


@pytest.mark.parametrize("first", ["lisa", "james"])
def test_a_release_against_a_refund_moves_what_came_first(world: Escrowed, first: str) -> None:
    does(world.lisa, world, release)
    does(world.james, world, refund)
    homes.carry(getattr(world, first), world.ada)
    world.round()
    world.meet()
    world.calm()
    world.check()
    ms = world.now().milestones[N - 1]
    assert (ms.released, ms.refunded) == ((HELD, 0) if first == "lisa" else (0, HELD))
    assert sum(payouts(world)) == (85_500 if first == "lisa" else HELD + 2_250)


@pytest.mark.parametrize("first", ["lisa", "james"])
def test_a_cancellation_against_a_delivery_moves_nothing_by_itself(world: Escrowed, first: str) -> None:
    does(world.lisa, world, lambda w: cancellation.cancel(w.state.deal, w.by, N, "over"))
    does(world.james, world, lambda w: work.deliver(w.state.deal, w.by, N, "done"))
    homes.carry(getattr(world, first), world.ada)
    world.round()
    world.meet()
    world.calm()
    world.check()
    ms = world.now().milestones[N - 1]
    assert (ms.state, ms.held, ms.cancel, payouts(world)) == ("delivered", HELD, None, [])
    runs_deadlines(world, NOON_MS + CANCEL_MS)
    assert world.now().milestones[N - 1].held == HELD, "a request that a delivery voided never lapses"


@pytest.mark.parametrize("first", ["lisa", "james"])
def test_a_cancellation_accepted_and_withdrawn_at_once_ends_one_way(world: Escrowed, first: str) -> None:
    does(world.lisa, world, lambda w: cancellation.cancel(w.state.deal, w.by, N, "over"))
    world.meet()
    world.round()
    world.meet()
    does(world.lisa, world, lambda w: cancellation.withdraw_cancel(w.state.deal, w.by, N))
    does(world.james, world, lambda w: cancellation.accept_cancel(w.state.deal, w.by, N))
    homes.carry(getattr(world, first), world.ada)
    world.round()
    world.meet()
    world.calm()
    world.check()
    ms = world.now().milestones[N - 1]
    assert (ms.state, ms.held) == (("funded", HELD) if first == "lisa" else ("cancelled", 0))
    assert payouts(world) == ([] if first == "lisa" else [HELD + 2_250])


@pytest.mark.parametrize(("left_ms", "why"), [(1, None), (0, "work.too_late")])
def test_a_change_request_counts_until_the_last_millisecond(world: Escrowed, left_ms: int, why: str | None) -> None:
    """By the clock of the agent, which last wrote in the deal then, and hears of the request a moment later."""
    delivers(world)
    does(world.lisa, world, changes)
    end = NOON_MS + REVIEW_MS
    for before in (DAY_MS, 1_800_000):
        at(world.ada, end - before)
        assert upkeep.run(world.ada) == []
    at(world.ada, end - left_ms)
    signs(world.ada, world, Taken())
    at(world.ada, end + 1)
    world.meet()
    world.round()
    world.meet()
    (asked,) = [e[2] for e in homes.state(world.ada, world.deal)["event"] if e[3] == "work.changes_requested"]
    assert verdict(world, asked) == why
    runs_deadlines(world, end + 1)
    assert world.now().milestones[N - 1].state == ("released" if why else "changes")
    world.check()


def test_a_change_request_that_waited_for_an_agent_who_was_away_is_in_time(world: Escrowed) -> None:
    delivers(world)
    assert upkeep.run(world.ada) == []
    does(world.lisa, world, changes)
    back = NOON_MS + REVIEW_MS + 3 * DAY_MS
    at(world.ada, back)
    world.meet()
    runs_deadlines(world, back)
    assert (world.now().milestones[N - 1].state, payouts(world)) == ("changes", [])
    world.check()


def test_an_agent_that_was_away_waits_a_day_before_silence_releases(world: Escrowed) -> None:
    delivers(world)
    assert upkeep.run(world.ada) == []
    back = NOON_MS + REVIEW_MS + 3 * DAY_MS
    runs_deadlines(world, back)
    assert world.now().milestones[N - 1].state == "delivered"
    runs_deadlines(world, back + DAY_MS)
    assert (world.now().milestones[N - 1].state, payouts(world)) == ("released", [85_500])
    world.check()


@pytest.mark.parametrize("off_ms", [-30 * DAY_MS, 30 * DAY_MS])
def test_a_delivery_dated_otherwise_starts_the_clock_of_the_agent(world: Escrowed, off_ms: int) -> None:
    at(world.james, NOON_MS + off_ms)
    delivers(world)
    assert world.now().milestones[N - 1].review_deadline == NOON_MS + REVIEW_MS
    for day in range(13):
        runs_deadlines(world, NOON_MS + (day + 1) * DAY_MS)
    assert payouts(world) == []
    for minute in range(0, 60, 30):
        runs_deadlines(world, NOON_MS + REVIEW_MS - (60 - minute) * 60_000)
    runs_deadlines(world, NOON_MS + REVIEW_MS)
    assert payouts(world) == [85_500]
    world.check()


def test_a_quiet_device_that_speaks_after_the_money_moved_changes_nothing(world: Escrowed) -> None:
    """James asked for a refund on a plane; Lisa's release was heard, taken up and paid before he landed."""
    does(world.james, world, refund)
    does(world.lisa, world, release)
    homes.meet(world.lisa, world.ada)
    world.calm()
    assert payouts(world) == [85_500]
    before = world.till.balance()
    world.meet()
    world.calm()
    world.check()
    late = [e[2] for e in homes.state(world.ada, world.deal)["event"] if e[3] == "refund.authorized"]
    assert [verdict(world, event) for event in late] == ["deal.wrong_state"]
    assert world.till.balance() == before


def test_whoever_withholds_what_was_said_stalls_nobody(world: Escrowed) -> None:
    """The client is silent after the delivery; her request for changes, kept back, comes too late."""
    delivers(world)
    does(world.lisa, world, changes)
    for hour in range(0, 14 * 24 + 1, 8):
        at(world.ada, NOON_MS + hour * 3_600_000)
        homes.meet(world.james, world.ada)
        assert upkeep.run(world.ada) == []
        if hour % 24 == 0:
            world.calm()
    world.calm()
    assert payouts(world) == [85_500] or world.now().milestones[N - 1].state == "delivered"
    runs_deadlines(world, NOON_MS + REVIEW_MS + DAY_MS)
    assert payouts(world) == [85_500]
    world.check()


def test_a_talent_who_is_silent_cannot_keep_a_cancelled_milestones_money(world: Escrowed) -> None:
    does(world.lisa, world, lambda w: cancellation.cancel(w.state.deal, w.by, N, "over"))
    homes.meet(world.lisa, world.ada)
    world.calm()
    for hour in range(0, 7 * 24 + 1, 8):
        at(world.ada, NOON_MS + hour * 3_600_000)
        assert upkeep.run(world.ada) == []
    runs_deadlines(world, NOON_MS + CANCEL_MS + DAY_MS)
    assert payouts(world) == [HELD + 2_250]
    world.check()


@pytest.mark.parametrize("cuts", [[90_000], [1] * 9 + [89_991], [33_333, 33_333, 23_334]])
def test_a_fee_is_the_same_however_a_release_is_split(world: Escrowed, cuts: list[int]) -> None:
    for number, cut in enumerate(cuts):
        amount, name = Money(cut, "EUR"), f"cut-{number}"
        does(
            world.lisa,
            world,
            lambda w, amount=amount, name=name: escrow.release(  # type: ignore[misc]
                w.state.deal, w.by, N, amount=amount, request_id=name
            ),
        )
        world.meet()
    world.calm()
    world.check()
    assert sum(payouts(world)) == 85_500
    assert world.balance("income:fees") == -(2_250 + 4_500)


@pytest.mark.parametrize("currency", ["USD", "JPY", "BHD"])
def test_the_same_number_in_another_currency_moves_nothing(world: Escrowed, currency: str) -> None:
    with pytest.raises(OtherCurrency):
        does(world.lisa, world, lambda w: escrow.release(w.state.deal, w.by, N, total=Money(100, currency)))
    event = signs(world.lisa, world, ReleaseAuthorized(N, 100, None, None, currency, None, text(bytes(32)), None))
    world.meet()
    world.calm()
    world.check()
    assert verdict(world, event) == "escrow.other_currency"
    assert payouts(world) == []


def test_a_rail_that_moved_another_currency_is_not_believed(world: Escrowed, monkeypatch: pytest.MonkeyPatch) -> None:
    def dollars(_till: Till, _kind: str, intent: rail.Intent, key: Key) -> rail.Outcome:
        return rail.Succeeded(f"d-{key}", Money(intent.amount.minor, "USD"), Money(0, "USD"), None)

    monkeypatch.setattr(Till, "_succeeded", dollars)
    does(world.lisa, world, release)
    world.meet()
    assert "says that it moved 855.00 USD" in world.round().problems[0]
    assert world.now().milestones[N - 1].talent_paid == 0


def test_a_rail_that_took_its_fee_in_another_currency_is_not_believed(
    world: Escrowed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dollars(_till: Till, _kind: str, intent: rail.Intent, key: Key) -> rail.Outcome:
        return rail.Succeeded(f"d-{key}", intent.amount, Money(3, "USD"), None)

    monkeypatch.setattr(Till, "_succeeded", dollars)
    does(world.lisa, world, release)
    world.meet()
    assert "says that it took 0.03 USD" in world.round().problems[0]
    assert world.now().milestones[N - 1].talent_paid == 0


@pytest.mark.parametrize("amount", [0, HELD + 1, LARGEST])
def test_zero_and_more_than_there_is_moves_nothing_whoever_signs_it(world: Escrowed, amount: int) -> None:
    none = text(bytes(32))
    signed = [
        signs(world.lisa, world, FundRequested(N, amount, "EUR", "f", none)),
        signs(world.lisa, world, ReleaseAuthorized(N, amount, None, None, "EUR", None, none, None)),
        signs(world.lisa, world, ReleaseAuthorized(N, None, amount, None, "EUR", "a", none, None)),
        signs(world.james, world, RefundAuthorized(N, amount, None, None, "EUR", None, none)),
        signs(world.james, world, RefundAuthorized(N, None, amount, None, "EUR", "b", none)),
    ]
    world.meet()
    world.calm()
    world.check()
    assert all(verdict(world, event) for event in signed)
    assert world.till.balance() == HELD + 2_250


def test_the_largest_cost_stays_the_agents_and_can_be_shown(world: Escrowed) -> None:
    last = world.now().last_movement
    signs(world.ada, world, movements.MoneyReversed(N, 1, LARGEST, last, "b"))
    world.meet()
    ms = world.now().milestones[N - 1]
    assert (ms.reversed, ms.held) == (1, HELD)
    assert world.balance("expenses:rail") == LARGEST


def test_no_more_is_refunded_than_was_captured(world: Escrowed) -> None:
    with pytest.raises(OverRelease):
        does(world.james, world, lambda w: escrow.refund(w.state.deal, w.by, N, total=Money(HELD + 1, "EUR")))
    does(world.lisa, world, lambda w: escrow.release(w.state.deal, w.by, N, total=Money(50_000, "EUR")))
    world.meet()
    world.calm()
    world.meet()
    with pytest.raises(OverRelease):
        does(world.james, world, lambda w: escrow.refund(w.state.deal, w.by, N, total=Money(40_001, "EUR")))
    does(world.james, world, refund)
    world.meet()
    world.calm()
    world.check()
    assert sorted(payouts(world)) == [41_000, 47_500]


def test_an_agent_with_two_heads_pays_once_and_books_nothing_until_it_is_settled(
    world: Escrowed, market: Market, tmp_path: Path
) -> None:
    """A copy of the agent's home goes on by itself: both drive the same rail under the same keys."""
    key = next(iter(world.till.done))
    copy = homes.copied(world.ada, tmp_path / "copy", market.key("mallory"))
    does(world.lisa, world, release)
    real = world.ada
    for number, head in enumerate((real, copy)):
        homes.carry(world.lisa, head)
        homes.write_raw(head, world.deal, homes.talk.MessageSent(f"head {number}", ()))
        world.ada = head
        world.calm()
    assert payouts(world) == [85_500]
    homes.meet(world.lisa, world.james, real, copy)
    assert world.now(world.lisa).contested
    world.till.claw_back(key, 1_000)
    asked = world.till.calls
    for head in (real, copy):
        world.ada = head
        done = world.round()
        assert (done.moved, done.reversed, done.wrote) == (0, 0, False)
        assert done.problems
    assert world.till.calls == asked
    renewal.renew(real)
    world.ada = real
    world.meet()
    assert world.round().reversed == 0
    shown = settling.shown(world.lisa, Named("deal", world.deal))
    last = next(way["last"] for way in shown["histories"] if way["stands"])
    for side in (world.lisa, world.james):
        settling.settle(side, Named("deal", world.deal), last, None)
        world.meet()
    assert not world.now(world.james).contested
    assert upkeep.run(real) == []
    world.meet()
    assert [world.round().reversed for _ in range(2)] == [1, 0]
    world.check()
    assert (payouts(world), world.now().milestones[N - 1].talent_paid) == ([85_500], 85_500)
    copy.close()
