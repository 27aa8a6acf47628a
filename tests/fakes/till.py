"""A rail in memory that keeps every rule and breaks down when told to: for what drives rails."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from chaise_cli.domain.money import Money
from chaise_cli.rails import rail
from chaise_cli.rails.rail import Intent, Key, Line, Outcome

CAPS: Final = rail.Caps(moves_by_itself=True, native_keys=True, refunds=True, statement=True)


class Crash(BaseException):
    """The process is gone: no handler of the code under test may catch it."""


class Till:
    """Payments by key. `fault`, used up by one call: how that call goes wrong. `cost`: what it takes for a payment."""

    name = "sim"
    FAULTS = ("lost", "unheard", "crash before", "crash after", "decline", "pending", "action", "not sent")

    def __init__(self) -> None:
        self.done: dict[Key, tuple[str, Intent, Outcome]] = {}
        self.calls = 0
        self.fault = ""
        self.cost = 0
        self.lines: list[Line] = []
        self.mute = False
        self._count = 0

    def caps(self) -> rail.Caps:
        return CAPS

    def hold(self, intent: Intent, key: Key) -> Outcome:
        return self._move("hold", intent, key)

    def payout(self, intent: Intent, key: Key) -> Outcome:
        return self._move("payout", intent, key)

    def refund(self, ref: str, intent: Intent, key: Key) -> Outcome:
        assert any(isinstance(end, rail.Succeeded) and end.ref == ref for _, _, end in self.done.values())
        return self._move("refund", intent, key)

    def find(self, our_reference: Key) -> Outcome | None:
        self.calls += 1
        if self.fault == "unheard":
            self.fault = ""
            return rail.Unknown(our_reference, "nobody answers")
        found = self.done.get(our_reference)
        return found[2] if found else None

    def fetch(self, ref: str) -> Outcome | None:
        raise AssertionError(f"the loop asks by its own reference, not {ref}")

    def statement(self, since: int, until: int) -> Sequence[Line]:
        if self.mute:
            raise rail.NoStatement(rail=self.name, why="closed on Sundays")
        return [line for line in self.lines if since <= line.at < until]

    def claw_back(self, key: Key, minor: int) -> str:
        """The payer of a hold takes so much of it back; the ref of that."""
        kind, intent, end = self.done[key]
        assert (kind, isinstance(end, rail.Succeeded)) == ("hold", True)
        return self._line("chargeback", key, Money(-minor, intent.amount.currency), 0)

    def _line(self, kind: str, key: Key, amount: Money, cost: int) -> str:
        self._count += 1
        ref = f"s-{self._count}"
        fee = Money(cost, amount.currency)
        self.lines.append(Line(1_000 + self._count, ref, key, kind, amount, fee))
        return ref

    def settle(self, short: int = 0) -> None:
        """What is pending goes through, but for so much."""
        for key, (kind, intent, end) in self.done.items():
            if isinstance(end, rail.Pending | rail.ActionNeeded):
                moved = Money(intent.amount.minor - short, intent.amount.currency)
                self.done[key] = (kind, intent, self._succeeded(kind, replace(intent, amount=moved), key))

    def balance(self) -> int:
        """What is in the till: holds less what went out, was clawed back, and cost something."""
        return sum(line.amount.minor - line.fee.minor for line in self.lines)

    def _move(self, kind: str, intent: Intent, key: Key) -> Outcome:
        self.calls += 1
        fault, self.fault = self.fault, ""
        if fault == "not sent":
            return rail.NotSent("nobody listens")
        if fault in {"crash before", "unheard"}:
            if fault == "crash before":
                raise Crash
            return rail.Unknown(key, "cut before it arrived")
        if key in self.done:
            assert self.done[key][:2] == (kind, intent), "a key names one payment"
            return self.done[key][2]
        ends: dict[str, Outcome] = {
            "decline": rail.Declined("no_funds"), "pending": rail.Pending(f"p-{key}"),
            "action": rail.ActionNeeded("sign at the bank", f"a-{key}"),
        }  # fmt: skip
        end = ends.get(fault) or self._succeeded(kind, intent, key)
        self.done[key] = (kind, intent, end)
        if fault == "crash after":
            raise Crash
        return rail.Unknown(key, "the answer was lost") if fault == "lost" else end

    def _succeeded(self, kind: str, intent: Intent, key: Key) -> Outcome:
        signed = intent.amount if kind == "hold" else -intent.amount
        ref = self._line(kind, key, signed, self.cost)
        return rail.Succeeded(ref, intent.amount, Money(self.cost, signed.currency), None)
