"""Retries, faults and the sim's clock in any order: a key moves money once, and the statement tells of all of it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any, Final

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, precondition, rule

from chaise_cli.domain.money import Money
from chaise_cli.rails.rail import Declined, Key, KeyReused, Outcome, Succeeded, Unknown, drive, final, later
from chaise_cli.rails.sim import Sim
from chaise_cli.rails.simulation.book import DAY_MS, Terms
from tests.fakes.proxy import NONE, Fault
from tests.fakes.rails import FOR_EVER, JAMES, LISA, intent, sim_world
from tests.volume import costly

WIRE: Final = {  # faults of the way there, or back
    "healthy": (NONE, NONE),
    "request dropped": (Fault(cut=0), NONE),
    "request cut": (Fault(cut=200), NONE),
    "reply dropped": (NONE, Fault(cut=0)),
    "reply truncated": (NONE, Fault(truncate=150)),
    "request doubled": (Fault(double=True), NONE),
}
LOSSES: Final = ("drop_request", "drop_reply", "error_before", "error_after", "garble", "duplicate")
RAIL: Final = ("", "", "", *LOSSES, "decline")
SLOWLY: Final = ("pend", "action")
AMOUNTS: Final = st.builds(Money, st.integers(1, 50_000), st.sampled_from(["EUR", "JPY"]))
WIRES: Final = st.sampled_from(list(WIRE))
Send = Callable[[Sim], Outcome]


class Retries(RuleBasedStateMachine):
    """An agent of several processes, a sim, and everything between them that can go wrong."""

    keys: Bundle[Key] = Bundle("keys")

    def __init__(self) -> None:
        super().__init__()
        self._stack = ExitStack()
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        terms = Terms(hold_expiry_ms=DAY_MS, key_horizon_ms=30 * DAY_MS, fee_bp=100)
        self.sim = self._stack.enter_context(sim_world(folder, terms))
        self.names = (Key(f"chaise-{n}") for n in count())
        self.sends: dict[Key, tuple[Send, Send]] = {}
        self.known: dict[Key, Outcome | None] = {}
        self.forgotten: set[Key] = set()

    def teardown(self) -> None:
        """At the end everything is looked up on a healthy way, and nothing is left open."""
        try:
            self.sim.proxy.heal()
            for key in self.sends:
                self.attempt(key)
                told = self.known[key]
                assert not isinstance(told, Unknown)
                states = [one["state"] for one in self.sim.payments(key)]
                assert states.count("succeeded") == isinstance(told, Succeeded)
            self.the_statement_tells_what_succeeded()
        finally:
            self._stack.close()

    @rule(target=keys, amount=AMOUNTS, wire=WIRES, fault=st.sampled_from(RAIL + SLOWLY))
    def hold(self, amount: Money, wire: str, fault: str) -> Key:
        return self.new(lambda sum_: lambda rail, key: rail.hold(intent(LISA, sum_), key), amount, wire, fault)

    @rule(target=keys, amount=AMOUNTS, wire=WIRES, fault=st.sampled_from(RAIL + SLOWLY))
    def payout(self, amount: Money, wire: str, fault: str) -> Key:
        return self.new(lambda sum_: lambda rail, key: rail.payout(intent(JAMES, sum_), key), amount, wire, fault)

    @rule(
        target=keys,
        of=keys,
        minor=st.integers(1, 50_000),
        wire=WIRES,
        fault=st.sampled_from(RAIL),
    )
    def refund(self, of: Key, minor: int, wire: str, fault: str) -> Any:
        """A part of whatever is known to have succeeded; payouts are refused as no holds."""
        known = self.known[of]
        if not isinstance(known, Succeeded):
            return multiple()
        amount = Money(minor, known.amount.currency)
        ref = known.ref
        return self.new(lambda sum_: lambda rail, key: rail.refund(ref, intent(LISA, sum_), key), amount, wire, fault)

    @rule(key=keys, wire=WIRES)
    def retry(self, key: Key, wire: str) -> None:
        """Whoever finds the attempt in the outbox goes on with it."""
        self.sim.proxy.up, self.sim.proxy.down = WIRE[wire]
        self.attempt(key)

    @rule(key=keys)
    def repeat(self, key: Key) -> None:
        """A copy of the first request turns up, delayed on its way, while its key is known."""
        if key not in self.forgotten:
            self.hear(key, self.sends[key][0](self.client()))

    @rule(key=keys)
    def change(self, key: Key) -> None:
        """Another amount under a key that is known moves nothing, and is refused where its key is still known."""
        if key in self.forgotten or not self.sim.payments(key):
            return
        before = self.sim.accounts("EUR"), self.sim.accounts("JPY"), len(self.sim.lines())
        try:
            self.sends[key][1](self.client())
        except KeyReused:
            assert before == (self.sim.accounts("EUR"), self.sim.accounts("JPY"), len(self.sim.lines()))
        else:
            raise AssertionError("it was accepted")

    @rule(key=keys)
    def settle(self, key: Key) -> None:
        """A person does what was asked."""
        for one in self.sim.payments(key):
            if one["state"] == "pending":
                self.sim.visitor.does("settle", {"ref": one["ref"]})

    @rule(key=keys)
    def charge_back(self, key: Key) -> None:
        """Whoever paid takes back all that can be taken back."""
        known = self.known[key]
        if isinstance(known, Succeeded) and known.reversible_until is not None:
            back = self.sim.payments(key)[0]["back"]["minor"]
            amount = {"minor": known.amount.minor - back, "currency": known.amount.currency}
            if amount["minor"]:
                self.sim.visitor.does("chargebacks", {"hold": known.ref, "amount": amount})

    @rule(hours=st.integers(1, 30))
    @precondition(lambda self: bool(self.sends))
    def pass_time(self, hours: int) -> None:
        """Some holds expire; in all it is less than a horizon, since no copy stays on its way for longer."""
        self.sim.visitor.does("clock", {"ahead_ms": hours * 3_600_000})

    @rule()
    @precondition(lambda self: bool(self.sends))
    def forget(self) -> None:
        """The horizon passes, and no copies are left on their way; whoever retries looks up first."""
        self.sim.visitor.does("keys/forget")
        self.forgotten |= self.sends.keys()

    @invariant()
    def the_statement_tells_what_succeeded(self) -> None:
        lines = self.sim.lines()
        for currency in ("EUR", "JPY"):
            available, transit, owed = self.sim.accounts(currency)
            mine = [line for line in lines if line["amount"]["currency"] == currency]
            assert sum(line["amount"]["minor"] - line["fee"]["minor"] for line in mine) == available + transit - owed
            assert min(available, transit, owed) >= 0
        told = [line["reference"] for line in lines if line["kind"] != "chargeback"]
        assert len(told) == len(set(told))
        for key, known in self.known.items():
            assert (key in told) >= isinstance(known, Succeeded)
            assert (key not in told) >= isinstance(known, Declined)

    def new(self, make: Callable[[Money], Callable[[Sim, Key], Outcome]], amount: Money, wire: str, fault: str) -> Key:
        """A payment under a key of its own, sent once."""
        key, other = next(self.names), Money(amount.minor + 1, amount.currency)
        self.sends[key] = (lambda rail: make(amount)(rail, key)), (lambda rail: make(other)(rail, key))
        self.known[key] = None
        if fault:
            self.sim.fault(fault, **({"seconds": 3600} if fault == "pend" else {}))
        self.sim.proxy.up, self.sim.proxy.down = WIRE[wire]
        self.hear(key, self.sends[key][0](self.client()))
        self.sim.proxy.heal()
        self.sim.visitor.does("faults", method="DELETE")
        return key

    def attempt(self, key: Key) -> None:
        client = self.client()
        self.hear(key, drive(client, key, lambda: self.sends[key][0](client), tried=True))
        self.sim.proxy.heal()

    def client(self) -> Sim:
        return self.sim.client()

    def hear(self, key: Key, told: Outcome) -> None:
        """What is known never turns back, and never contradicts itself."""
        before, after = self.known[key], later(self.known[key], told)
        assert before is None or not final(before) or after == before
        self.known[key] = after


Retries.TestCase.settings = settings(costly(12), stateful_step_count=20)
TestRetries = Retries.TestCase


def test_a_period_of_the_statement_never_changes_once_it_is_over() -> None:
    """What settles later is dated later, however long ago it was due."""
    with tempfile.TemporaryDirectory() as folder, sim_world(Path(folder)) as sim:
        sim.fault("pend", seconds=60)
        sim.rail.hold(intent(LISA, Money(100, "EUR")), Key("slow"))
        sim.visitor.does("clock", {"ahead_ms": 3_600_000})
        over = sim.visitor.ask("GET", "/v1/health")[1]["now"]
        lines = sim.rail.statement(0, FOR_EVER)
        assert [line.at for line in lines] == [over]
