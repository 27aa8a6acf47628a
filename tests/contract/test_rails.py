"""What every rail does, run on the sim behind a proxy and on the manual rail as far as it goes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Final

import pytest

from chaise_cli.rails.rail import (
    Caps,
    Declined,
    Key,
    KeyReused,
    NotOffered,
    NotSent,
    Outcome,
    Pending,
    Succeeded,
    Unknown,
    drive,
    final,
    later,
)
from chaise_cli.rails.simulation.book import DAY_MS, Terms
from tests.fakes.proxy import NONE, Fault
from tests.fakes.rails import FOR_EVER, JAMES, LISA, NOON, QUICK_S, ManualWorld, SimWorld, eur, intent, sim_world
from tests.fakes.stale_proxy import StaleProxy

World = SimWorld | ManualWorld
HOLD, PAYOUT, REFUND = Key("chaise-hold"), Key("chaise-payout"), Key("chaise-refund")
SUM: Final = eur("600.00")
TAKEN, GIVEN = intent(LISA, SUM), intent(JAMES, SUM)


@pytest.fixture(params=["sim", "manual"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    if request.param == "manual":
        yield ManualWorld()
        return
    with sim_world(tmp_path) as made:
        yield made


@pytest.fixture
def sim(tmp_path: Path) -> Iterator[SimWorld]:
    with sim_world(tmp_path) as made:
        yield made


def held(world: World) -> Succeeded:
    """600 euros in the agent's account."""
    done = world.ended(world.rail.hold(TAKEN, HOLD), HOLD)
    assert isinstance(done, Succeeded)
    return done


# What every rail does


def test_what_was_never_asked_is_not_there(world: World) -> None:
    assert world.rail.find(HOLD) is None


def test_money_moves_to_the_very_amount_in_each_direction(world: World) -> None:
    """In, half of it out, the rest back."""
    hold = held(world)
    half = eur("300.00")
    out = world.ended(world.rail.payout(intent(JAMES, half), PAYOUT), PAYOUT)
    back = world.ended(world.rail.refund(hold.ref, intent(LISA, half), REFUND), REFUND)
    assert isinstance(out, Succeeded)
    assert isinstance(back, Succeeded)
    assert (hold.amount, out.amount, back.amount) == (SUM, half, half)
    assert [world.rail.find(key) for key in (HOLD, PAYOUT, REFUND)] == [hold, out, back]
    assert len({hold.ref, out.ref, back.ref}) == 3


def test_a_key_that_comes_again_tells_what_became_of_it(world: World) -> None:
    first = held(world)
    assert [world.rail.hold(TAKEN, HOLD) for _ in range(3)] == [first] * 3


def test_another_amount_under_one_key_is_refused(world: World) -> None:
    first = held(world)
    for other in (eur("600.01"), eur("0.01")):
        with pytest.raises(KeyReused):
            world.rail.hold(intent(LISA, other), HOLD)
    assert world.rail.find(HOLD) == first


def test_what_was_declined_stays_so(world: World) -> None:
    """A copy of the request that comes late must not move what the book has written off."""
    world.declines_next("no-money")
    assert world.ended(world.rail.hold(TAKEN, HOLD), HOLD) == Declined("no-money")
    assert world.rail.hold(TAKEN, HOLD) == Declined("no-money")
    assert world.rail.find(HOLD) == Declined("no-money")


def test_a_payment_that_may_have_left_is_looked_up_and_not_sent(world: World) -> None:
    first = held(world)

    def send() -> Outcome:
        raise AssertionError("sent again")

    assert drive(world.rail, HOLD, send, tried=True) == first


def test_a_payment_that_never_arrived_is_sent_again(world: World) -> None:
    done = drive(world.rail, HOLD, lambda: world.rail.hold(TAKEN, HOLD), tried=True)
    assert isinstance(world.ended(done, HOLD), Succeeded)


def test_a_rail_says_what_it_is_able_to_do(world: World) -> None:
    caps = world.rail.caps()
    assert caps == Caps(not world.manual, native_keys=True, refunds=True, statement=not world.manual)
    assert world.rail.name == ("manual" if world.manual else "sim")
    if not caps.statement:
        with pytest.raises(NotOffered):
            world.rail.statement(0, FOR_EVER)


def test_people_are_told_whom_to_pay_for_what() -> None:
    rail = ManualWorld().rail
    asked = [rail.hold(TAKEN, HOLD), rail.payout(GIVEN, PAYOUT), rail.refund("transfer 4711", TAKEN, REFUND)]
    assert [getattr(one, "text", None) for one in asked] == [
        "collect 600.00 EUR from @lisa for deal-7k3m9q2x/1",
        "pay 600.00 EUR to @james for deal-7k3m9q2x/1",
        "pay 600.00 EUR to @lisa for deal-7k3m9q2x/1, which came as transfer 4711",
    ]
    assert isinstance(rail.fetch("transfer 4711"), Unknown)


# What goes wrong between a client and a rail

FAULTS: Final[dict[str, Callable[[SimWorld], object]]] = {
    "request dropped": lambda world: setattr(world.proxy, "up", Fault(cut=0)),
    "request cut": lambda world: setattr(world.proxy, "up", Fault(cut=150)),
    "reply dropped": lambda world: setattr(world.proxy, "down", Fault(cut=0)),
    "reply cut": lambda world: setattr(world.proxy, "down", Fault(cut=40)),
    "reply truncated": lambda world: setattr(world.proxy, "down", Fault(truncate=200)),
    "status flipped": lambda world: setattr(world.proxy, "down", Fault(flip=9)),
    "request doubled": lambda world: setattr(world.proxy, "up", Fault(double=True)),
    "reply doubled": lambda world: setattr(world.proxy, "down", Fault(double=True)),
    "delayed": lambda world: setattr(world.proxy, "down", Fault(delay_s=0.05)),
    "hung up before": lambda world: world.fault("drop_request"),
    "hung up after": lambda world: world.fault("drop_reply"),
    "503 before": lambda world: world.fault("error_before"),
    "500 after": lambda world: world.fault("error_after"),
    "half an answer": lambda world: world.fault("garble"),
    "came twice": lambda world: world.fault("duplicate"),
}
SLOW: Final[dict[str, Callable[[SimWorld], object]]] = {
    "reply dripped": lambda world: setattr(world.proxy, "down", Fault(drip_s=0.05)),
    "request dripped": lambda world: setattr(world.proxy, "up", Fault(drip_s=0.05)),
    "reply held": lambda world: setattr(world.proxy, "down", Fault(hold=0)),
    "request held": lambda world: setattr(world.proxy, "up", Fault(hold=20)),
    "late": lambda world: world.fault("delay", seconds=1),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("kind", ["hold", "payout", "refund"])
def test_after_a_fault_a_look_up_settles_it_and_money_moved_once(sim: SimWorld, kind: str, fault: str) -> None:
    _settled(sim, kind, lambda: FAULTS[fault](sim), deadline_s=30.0)


@pytest.mark.parametrize("fault", SLOW)
def test_slowness_is_an_outcome_within_the_deadline(sim: SimWorld, fault: str) -> None:
    assert isinstance(_settled(sim, "payout", lambda: SLOW[fault](sim), deadline_s=QUICK_S), Unknown)


def _settled(sim: SimWorld, kind: str, break_it: Callable[[], object], deadline_s: float) -> Outcome:
    """One payment with a fault, then a healthy way: whatever was said, one payment comes of it. What was said first."""
    hold, direct = held(sim), sim.client(url=sim.url)
    key = Key(f"chaise-{kind}-2")
    client = sim.client(deadline_s=deadline_s)

    def send() -> Outcome:
        if kind == "hold":
            return client.hold(TAKEN, key)
        return client.payout(GIVEN, key) if kind == "payout" else client.refund(hold.ref, TAKEN, key)

    break_it()
    told = drive(client, key, send, tried=False)
    assert isinstance(told, Succeeded | Unknown), told  # never declined: nobody said that nothing moved
    sim.proxy.heal()
    sim.visitor.does("faults", method="DELETE")
    looked_up = direct.find(key)  # settles what is known at once: there, or not
    assert looked_up is None or isinstance(looked_up, Succeeded)
    outcome: Outcome = told
    for _ in range(3):  # other processes of the agent, all of which know that it was tried
        outcome = later(outcome, drive(client, key, send, tried=True))
    assert isinstance(outcome, Succeeded)
    assert [one["state"] for one in sim.payments(key)] == ["succeeded"]
    assert sim.accounts() == ({"hold": 120_000}.get(kind, 0), 0, 0)
    sim.adds_up()
    return told


def test_nobody_there_is_told_apart_from_nobody_knows(tmp_path: Path) -> None:
    with sim_world(tmp_path) as sim:
        gone, proxied = sim.client(url=sim.url), sim.client()
    assert isinstance(gone.hold(TAKEN, HOLD), NotSent)
    assert isinstance(proxied.payout(GIVEN, PAYOUT), NotSent)
    assert isinstance(gone.find(HOLD), Unknown)  # nobody could be asked, which proves nothing
    assert isinstance(gone.fetch("sim-000001"), Unknown)
    assert isinstance(later(Unknown(HOLD, "before"), NotSent("now")), Unknown)


def test_a_look_up_that_fails_proves_nothing(sim: SimWorld) -> None:
    held(sim)
    for fault in (Fault(cut=0), Fault(truncate=50), Fault(cut=100)):
        sim.proxy.down = fault
        assert isinstance(sim.client().find(HOLD), Unknown)
        assert isinstance(sim.client().find(Key("chaise-never")), Unknown)
        assert isinstance(sim.client().fetch("sim-000001"), Unknown)
    sim.proxy.down = NONE
    assert sim.client().find(Key("chaise-never")) is None


def test_a_reply_lost_and_the_key_forgotten_still_moves_money_once(sim: SimWorld) -> None:
    sim.fault("drop_reply")
    assert isinstance(sim.rail.hold(TAKEN, HOLD), Unknown)
    sim.visitor.does("keys/forget")
    assert isinstance(drive(sim.rail, HOLD, lambda: sim.rail.hold(TAKEN, HOLD), tried=True), Succeeded)
    assert len(sim.payments(HOLD)) == 1
    # And that is no accident: sent blindly, it would have moved twice.
    assert isinstance(sim.rail.hold(TAKEN, HOLD), Succeeded)
    assert len(sim.payments(HOLD)) == 2
    assert sim.rail.find(HOLD) == sim.rail.fetch(sim.payments(HOLD)[0]["ref"])


def test_answers_that_overtake_one_another_do_not_turn_back_an_end(sim: SimWorld) -> None:
    """Look-ups are answered with what was true a while ago, and the end stands all the same."""
    with StaleProxy(sim.proxy.port) as stale:
        client = sim.client(url=stale.url)
        sim.fault("pend", seconds=60)
        outcome = client.hold(TAKEN, HOLD)
        assert isinstance(outcome, Pending)
        heard = [outcome, client.fetch(outcome.ref)]
        sim.visitor.does("clock", {"ahead_ms": 60_000})
        heard += [client.fetch(outcome.ref), client.fetch(outcome.ref), client.find(HOLD)]
    assert [type(one) for one in heard] == [Pending, Pending, Pending, Succeeded, Succeeded]
    for order in (heard, heard[::-1]):
        standing: Outcome | None = None
        for one in order:
            assert one
            standing = later(standing, one)
        assert standing == heard[-1]


# What a strict rail refuses


def test_no_more_is_paid_out_than_there_is(sim: SimWorld) -> None:
    held(sim)
    assert sim.rail.payout(intent(JAMES, eur("600.01")), PAYOUT) == Declined("over_balance")
    assert isinstance(sim.rail.payout(GIVEN, REFUND), Succeeded)
    assert sim.rail.payout(intent(JAMES, eur("0.01")), Key("more")) == Declined("over_balance")
    held_again = sim.rail.hold(TAKEN, Key("again"))
    assert isinstance(held_again, Succeeded)
    assert sim.rail.payout(intent(JAMES, eur("600.01")), PAYOUT) == Declined("over_balance")  # kept: a late copy


def test_no_more_is_refunded_than_was_captured(sim: SimWorld) -> None:
    hold = held(sim)
    assert isinstance(sim.rail.hold(TAKEN, Key("another")), Succeeded)  # so that the balance would allow it
    keys = (Key(f"r{n}") for n in count())
    assert sim.rail.refund(hold.ref, intent(LISA, eur("600.01")), next(keys)) == Declined("over_captured")
    assert isinstance(sim.rail.refund(hold.ref, intent(LISA, eur("400.00")), next(keys)), Succeeded)
    assert sim.rail.refund(hold.ref, intent(LISA, eur("200.01")), next(keys)) == Declined("over_captured")
    sim.fault("pend", seconds=60)
    assert isinstance(sim.rail.refund(hold.ref, intent(LISA, eur("200.00")), next(keys)), Pending)
    assert sim.rail.refund(hold.ref, intent(LISA, eur("0.01")), next(keys)) == Declined("over_captured")
    assert sim.rail.refund("sim-999999", intent(LISA, eur("0.01")), next(keys)) == Declined("no_such_hold")
    dollars = intent(LISA, type(SUM)(1, "USD"))
    assert sim.rail.refund(hold.ref, dollars, next(keys)) == Declined("currency_mismatch")
    sim.adds_up()


def test_a_hold_that_nobody_pays_expires_at_the_very_instant(tmp_path: Path) -> None:
    with sim_world(tmp_path, Terms(hold_expiry_ms=DAY_MS)) as sim:
        sim.fault("action", text="scan the code")
        asked = sim.rail.hold(TAKEN, HOLD)
        assert getattr(asked, "text", None) == "scan the code"
        sim.visitor.does("clock", {"ahead_ms": DAY_MS - 1})
        assert sim.rail.find(HOLD) == asked
        sim.visitor.does("clock", {"ahead_ms": 1})
        assert sim.rail.find(HOLD) == Declined("expired")
        assert sim.rail.statement(0, FOR_EVER) == []


def test_a_chargeback_after_release_stands_in_the_statement_and_is_owed(sim: SimWorld) -> None:
    hold = held(sim)
    assert isinstance(sim.rail.payout(GIVEN, PAYOUT), Succeeded)
    amount = {"minor": 60_000, "currency": "EUR"}
    sim.visitor.does("chargebacks", {"hold": hold.ref, "amount": amount})
    assert sim.accounts() == (0, 0, 60_000)
    back = sim.rail.statement(0, FOR_EVER)[-1]
    assert (back.kind, back.amount, back.reference) == ("chargeback", -SUM, HOLD)
    assert sim.rail.find(HOLD) == hold  # the hold did succeed; what came later is a line of its own
    assert sim.visitor.ask("POST", "/control/chargebacks", {"hold": hold.ref, "amount": amount})[0] == 400
    assert isinstance(sim.rail.hold(TAKEN, Key("next")), Succeeded)
    assert sim.accounts() == (0, 0, 0)  # what comes in pays that first
    sim.adds_up()


def test_a_chargeback_comes_too_late_at_the_very_instant(tmp_path: Path) -> None:
    with sim_world(tmp_path, Terms(reversible_ms=DAY_MS)) as sim:
        hold = held(sim)
        assert hold.reversible_until == NOON + DAY_MS
        asked = {"hold": hold.ref, "amount": {"minor": 1, "currency": "EUR"}}
        sim.visitor.does("clock", {"ahead_ms": DAY_MS - 1})
        sim.visitor.does("chargebacks", asked)
        sim.visitor.does("clock", {"ahead_ms": 1})
        assert sim.visitor.ask("POST", "/control/chargebacks", asked)[1]["error"]["code"] == "too_late"


def test_a_statement_is_of_its_period_and_of_all_pages(sim: SimWorld) -> None:
    """501 lines are two pages; a period has its beginning in it and its end not."""
    client = sim.client(url=sim.url)
    for n in range(501):
        assert isinstance(client.hold(intent(LISA, eur("0.01")), Key(f"h{n}")), Succeeded)
    sim.visitor.does("clock", {"ahead_ms": 1})
    held(sim)
    lines = client.statement(0, FOR_EVER)
    assert [line.reference for line in lines] == [*(f"h{n}" for n in range(501)), HOLD]
    assert sum(line.amount.minor for line in lines) == sim.accounts()[0]
    assert len(client.statement(NOON, NOON + 1)) == 501
    assert [line.reference for line in client.statement(NOON + 1, NOON + 2)] == [HOLD]
    assert client.statement(0, NOON) == []


def test_what_the_rail_takes_for_itself_is_told_and_adds_up(tmp_path: Path) -> None:
    with sim_world(tmp_path, Terms(fee_bp=150)) as sim:
        hold = held(sim)
        assert hold.fee == eur("9.00")
        assert sim.rail.payout(GIVEN, PAYOUT) == Declined("over_balance")
        sim.visitor.does("deposits", {"amount": {"minor": 1_800, "currency": "EUR"}})
        out = sim.rail.payout(GIVEN, REFUND)
        assert isinstance(out, Succeeded)
        assert out.fee == eur("9.00")
        assert sim.accounts() == (0, 0, 0)
        assert sim.visitor.ask("GET", f"/v1/balances?party={JAMES}")[1]["received"][0]["minor"] == 60_000
        sim.adds_up()


@pytest.mark.parametrize("code", [None, "closed-account"])
def test_a_payout_on_its_way_is_set_aside_until_it_arrives_or_comes_back(sim: SimWorld, code: str | None) -> None:
    held(sim)
    sim.fault("action")
    way = sim.rail.payout(GIVEN, PAYOUT)
    assert sim.accounts() == (0, 60_000, 0)
    sim.adds_up()
    sim.visitor.does("settle", {"ref": getattr(way, "ref", None)} | ({"code": code} if code else {}))
    end = sim.rail.find(PAYOUT)
    assert end is not None
    assert final(end)
    assert isinstance(end, Declined) == bool(code)
    assert sim.accounts() == (60_000 if code else 0, 0, 0)
    sim.adds_up()
