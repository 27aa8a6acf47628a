"""What the sim knows of money: payments, accounts that never go below zero, and a statement that adds up.

Every method is one transaction. Before it does its own work it lets happen what the sim's clock has made due.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from sqlite3 import Row
from typing import Any, Final

from chaise_cli.domain.money import LARGEST, Money, fee
from chaise_cli.rails.simulation.asked import BadRequest, Order
from chaise_cli.rails.simulation.faults import Fault
from chaise_cli.rails.simulation.tables import AVAILABLE, OWED, PARTY, TRANSIT, Tables

DAY_MS: Final = 86_400_000
PAGE: Final = 500  # lines
_OFFSET: Final = "clock_offset_ms"
_WHOM: Final = {"hold": "payer", "payout": "payee", "refund": "hold", "chargeback": "hold", "deposit": "by"}


class KeyReused(BadRequest):
    """A key that is known came with other parameters."""

    def __init__(self) -> None:
        super().__init__("key_reused", "this key names a payment with other parameters")


@dataclass(frozen=True, slots=True)
class Terms:
    """How this rail does business. fee_bp: of holds and payouts, in basis points."""

    key_horizon_ms: int = DAY_MS
    hold_expiry_ms: int = 7 * DAY_MS
    reversible_ms: int = 120 * DAY_MS
    fee_bp: int = 0


class Book:
    """The payments in a file. clock: ms since 1970; the sim's own is that and what its file says it is ahead."""

    def __init__(self, tables: Tables, terms: Terms, clock: Callable[[], int]) -> None:
        self._tables, self._terms, self._clock = tables, terms, clock

    def place(self, order: Order, verdict: Fault | None = None) -> dict[str, Any]:
        """Do what is asked, or say what became of it when the key is known. Raises KeyReused.

        verdict: a fault that says how the payment goes, if it is a new one.
        """
        with self._tables.transaction():
            now = self._advanced()
            known = self._tables.one("SELECT parameters, payment FROM known WHERE key = ?", order.key)
            if known is not None:
                if known["parameters"] != order.parameters():
                    raise KeyReused
                return self._shown(self._payment(known["payment"]))
            made = self._make(order, now, verdict)
            self._tables.run(
                "INSERT INTO known (key, parameters, payment, until) VALUES (?, ?, ?, ?)",
                *(order.key, order.parameters(), made, now + self._terms.key_horizon_ms),
            )
            return self._shown(self._payment(made))

    def find(self, reference: str) -> list[dict[str, Any]]:
        """All payments asked for by a reference, oldest first; a key forgotten and used again makes a second one."""
        with self._tables.transaction():
            self._advanced()
            found = self._tables.rows(
                "SELECT * FROM payment WHERE reference = ? AND kind <> 'chargeback' ORDER BY n", reference
            )
            return [self._shown(row) for row in found]

    def fetch(self, ref: str) -> dict[str, Any] | None:
        """A payment by the sim's own name for it."""
        with self._tables.transaction():
            self._advanced()
            row = self._by_ref(ref)
            return None if row is None else self._shown(row)

    def statement(self, since: int, until: int, after: int) -> tuple[list[dict[str, Any]], int | None]:
        """A page of the lines of a period, those behind line `after`; where the next one begins, if there is one."""
        with self._tables.transaction():
            self._advanced()
            rows = self._tables.rows(
                "SELECT l.n, l.at, p.n AS payment, p.reference, p.kind, l.minor, l.fee, l.currency FROM line l"
                " JOIN payment p ON p.n = l.payment WHERE l.n > ? AND l.at >= ? AND l.at < ? ORDER BY l.n LIMIT ?",
                *(after, since, until, PAGE + 1),
            )
        lines = [
            {
                "n": row["n"],
                "at": row["at"],
                "ref": _ref(row["payment"]),
                "reference": row["reference"],
                "kind": row["kind"],
                "amount": _amount(row["minor"], row["currency"]),
                "fee": _amount(row["fee"], row["currency"]),
            }
            for row in rows[:PAGE]
        ]
        return lines, rows[PAGE - 1]["n"] if len(rows) > PAGE else None

    def balances(self) -> list[dict[str, Any]]:
        """Each currency's accounts of the agent; the lines of all time add up to available + transit − owed."""
        with self._tables.transaction():
            self._advanced()
            rows = self._tables.rows("SELECT DISTINCT currency FROM account ORDER BY currency")
            return [
                {"currency": row["currency"]}
                | {name: self._tables.balance(name, row["currency"]) for name in (AVAILABLE, TRANSIT, OWED)}
                for row in rows
            ]

    def received(self, party: str) -> list[dict[str, Any]]:
        """What was paid out to somebody, in each currency."""
        with self._tables.transaction():
            self._advanced()
            rows = self._tables.rows("SELECT minor, currency FROM account WHERE name = ?", PARTY + party)
            return [_amount(row["minor"], row["currency"]) for row in rows]

    def time(self) -> int:
        """The sim's time, and proof that its file can be written."""
        with self._tables.transaction():
            return self._advanced()

    def move_clock(self, ahead_ms: int) -> int:
        """Go so far forward; the sim's time then. Raises BadRequest: a rail's clock never goes back."""
        if not 0 <= ahead_ms <= 3650 * DAY_MS:
            raise BadRequest("bad_clock", "ahead_ms goes from 0 to ten years")
        with self._tables.transaction():
            self._tables.set(_OFFSET, self._tables.setting(_OFFSET) + ahead_ms)
            return self._advanced()

    def deposit(self, minor: int, currency: str) -> dict[str, Any]:
        """Money of the agent's own, for fees and for what is clawed back. Raises BadRequest."""
        with self._tables.transaction():
            now = self._advanced()
            if self._expected(currency) + minor > LARGEST:
                raise BadRequest("over_limit", "an account cannot hold so much")
            made = self._insert(Order("deposit", "", "", "agent", minor, currency, ""), 0, now)
            self._end(made, now)
            self._credit(currency, minor)
            self._line(made, now, minor, 0, currency)
            return self._shown(self._payment(made))

    def charge_back(self, hold: str, minor: int, currency: str) -> dict[str, Any]:
        """Claw back from a hold, whether or not the money is still there. Raises BadRequest."""
        with self._tables.transaction():
            now = self._advanced()
            row = self._by_ref(hold)
            why = self._not_back(row, minor, currency)
            if why is not None or row is None:
                raise BadRequest(why or "no_such_hold", "that much of this hold cannot be clawed back")
            if now >= row["ended_at"] + self._terms.reversible_ms:
                raise BadRequest("too_late", "the hold can no longer be reversed")
            if self._tables.balance(OWED, currency) + minor > LARGEST:
                raise BadRequest("over_limit", "nobody can owe so much")
            made = self._insert(Order("chargeback", "", row["reference"], hold, minor, currency, ""), 0, now)
            self._end(made, now)
            taken = min(minor, self._tables.balance(AVAILABLE, currency))
            self._tables.add(AVAILABLE, currency, -taken)
            self._tables.add(OWED, currency, minor - taken)
            self._line(made, now, -minor, 0, currency)
            return self._shown(self._payment(made))

    def settle(self, ref: str, code: str | None) -> dict[str, Any]:
        """End a pending payment: it succeeds, or is declined with `code`. Raises BadRequest."""
        with self._tables.transaction():
            now = self._advanced()
            row = self._by_ref(ref)
            if row is None or row["state"] != "pending":
                raise BadRequest("not_pending", "there is no pending payment of this ref")
            self._succeed(row, now) if code is None else self._decline(row, now, code)
            return self._shown(self._payment(row["n"]))

    def forget_keys(self) -> None:
        """As if their horizon had passed."""
        with self._tables.transaction():
            self._tables.run("DELETE FROM known")

    def _advanced(self) -> int:
        """The time, after everything that it made due."""
        now = self._clock() + self._tables.setting(_OFFSET)
        self._tables.run("DELETE FROM known WHERE until <= ?", now)
        due = self._tables.rows(
            "SELECT *, min(coalesce(settles_at, expires_at), coalesce(expires_at, settles_at)) AS due FROM payment"
            " WHERE state = 'pending' AND due <= ? ORDER BY due, n",
            now,
        )
        for row in due:
            if row["settles_at"] is not None and row["settles_at"] < (row["expires_at"] or row["settles_at"] + 1):
                self._succeed(row, now)  # dated now: a period of the statement that is over never changes
            else:
                self._decline(row, now, "expired")
        return now

    def _make(self, order: Order, now: int, verdict: Fault | None) -> int:
        """A new payment; its number."""
        taken = fee(Money(order.minor, order.currency), self._terms.fee_bp).minor if order.kind != "refund" else 0
        why = self._why_not(order, taken)  # before it stands in the table, or it would count against itself
        made = self._insert(order, taken, now)
        if why is None and verdict is not None and verdict.kind == "decline":
            why = verdict.code
        if why is not None:
            self._end(made, now, "declined", why)
            return made
        if order.kind != "hold":
            self._tables.add(AVAILABLE, order.currency, -(order.minor + taken))
            self._tables.add(TRANSIT, order.currency, order.minor + taken)
        match verdict:
            case Fault("pend", seconds):
                self._tables.run("UPDATE payment SET settles_at = ? WHERE n = ?", now + seconds * 1000, made)
            case Fault("action", text=text):
                self._tables.run("UPDATE payment SET action = ? WHERE n = ?", text, made)
            case _:
                self._succeed(self._payment(made), now)
                return made
        if order.kind == "hold":
            self._tables.run("UPDATE payment SET expires_at = ? WHERE n = ?", now + self._terms.hold_expiry_ms, made)
        return made

    def _why_not(self, order: Order, taken: int) -> str | None:
        """Why an order cannot be carried out as things stand. It stays declined: a late copy of it finds its key."""
        available = self._tables.balance(AVAILABLE, order.currency)
        if order.kind == "hold":
            return "over_limit" if self._expected(order.currency) + order.minor > LARGEST else None
        if order.kind == "refund":
            why = self._not_back(self._by_ref(order.whom), order.minor, order.currency)
            if why is not None:
                return why
        elif self._coming(PARTY + order.whom, order.currency, "payout", order.whom) + order.minor > LARGEST:
            return "over_limit"
        return "over_balance" if available < order.minor + taken else None

    def _expected(self, currency: str) -> int:
        """The most that the agent's account may come to hold: what it has, and what may still arrive or come back."""
        return self._coming(AVAILABLE, currency, "hold", None) + self._tables.balance(TRANSIT, currency)

    def _coming(self, account: str, currency: str, kind: str, whom: str | None) -> int:
        """What an account holds, with the pending payments of a kind that would add to it."""
        row = self._tables.one(
            "SELECT coalesce(sum(minor), 0) AS minor FROM payment"
            " WHERE state = 'pending' AND kind = ? AND currency = ? AND whom = coalesce(?, whom)",
            *(kind, currency, whom),
        )
        return self._tables.balance(account, currency) + (row["minor"] if row else 0)

    def _not_back(self, hold: Row | None, minor: int, currency: str) -> str | None:
        """Why so much of a hold cannot go back to its payer."""
        if hold is None or hold["kind"] != "hold":
            return "no_such_hold"
        if hold["state"] != "succeeded":
            return "not_captured"
        if hold["currency"] != currency:
            return "currency_mismatch"
        return "over_captured" if minor > hold["minor"] - self._back(hold["n"]) else None

    def _back(self, hold: int) -> int:
        """How much of a hold went back, or is on its way back."""
        row = self._tables.one(
            "SELECT coalesce(sum(minor), 0) AS minor FROM payment"
            " WHERE whom = ? AND kind IN ('refund', 'chargeback') AND state <> 'declined'",
            _ref(hold),
        )
        return row["minor"] if row else 0

    def _succeed(self, row: Row, now: int) -> None:
        """The money of a payment arrives."""
        n, kind, minor, taken, currency = (row[name] for name in ("n", "kind", "minor", "fee", "currency"))
        if kind == "hold":
            self._credit(currency, minor - taken)
            self._line(n, now, minor, taken, currency)
        else:
            self._tables.add(TRANSIT, currency, -(minor + taken))
            if kind == "payout":
                self._tables.add(PARTY + row["whom"], currency, minor)
            self._line(n, now, -minor, taken, currency)
        self._end(n, now)

    def _decline(self, row: Row, now: int, code: str) -> None:
        """A payment that was pending comes to nothing; what it had set aside comes back."""
        if row["kind"] != "hold":
            self._tables.add(TRANSIT, row["currency"], -(row["minor"] + row["fee"]))
            self._credit(row["currency"], row["minor"] + row["fee"])
        self._end(row["n"], now, "declined", code)

    def _credit(self, currency: str, minor: int) -> None:
        """Money for the agent; what it owes is paid first."""
        owed = min(minor, self._tables.balance(OWED, currency))
        self._tables.add(OWED, currency, -owed)
        self._tables.add(AVAILABLE, currency, minor - owed)

    def _insert(self, order: Order, taken: int, now: int) -> int:
        return self._tables.run(
            "INSERT INTO payment (reference, kind, whom, minor, currency, fee, purpose, state, made_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, 'pending', ?)",
            *(order.reference or None, order.kind, order.whom, order.minor, order.currency, taken, order.purpose, now),
        )

    def _end(self, n: int, now: int, state: str = "succeeded", code: str | None = None) -> None:
        self._tables.run("UPDATE payment SET state = ?, code = ?, ended_at = ? WHERE n = ?", state, code, now, n)

    def _line(self, n: int, now: int, minor: int, taken: int, currency: str) -> None:
        self._tables.run(
            "INSERT INTO line (at, payment, minor, fee, currency) VALUES (?, ?, ?, ?, ?)",
            now,
            n,
            minor,
            taken,
            currency,
        )

    def _payment(self, n: int) -> Row:
        row = self._tables.one("SELECT * FROM payment WHERE n = ?", n)
        assert row is not None, "payments are never deleted"
        return row

    def _by_ref(self, ref: str) -> Row | None:
        number = ref.removeprefix("sim-")
        if not number.isascii() or not number.isdigit() or len(number) > 18 or ref != _ref(int(number)):
            return None
        return self._tables.one("SELECT * FROM payment WHERE n = ?", int(number))

    def _shown(self, row: Row) -> dict[str, Any]:
        """A payment as the sim tells of it."""
        captured = row["kind"] == "hold" and row["state"] == "succeeded"
        return {
            "ref": _ref(row["n"]),
            "reference": row["reference"],
            "kind": row["kind"],
            _WHOM[row["kind"]]: row["whom"],
            "amount": _amount(row["minor"], row["currency"]),
            "fee": _amount(row["fee"], row["currency"]),
            "purpose": row["purpose"],
            "state": row["state"],
            "code": row["code"],
            "action": row["action"] if row["state"] == "pending" else None,
            "made_at": row["made_at"],
            "expires_at": row["expires_at"],
            "ended_at": row["ended_at"],
            "reversible_until": row["ended_at"] + self._terms.reversible_ms if captured else None,
            "back": _amount(self._back(row["n"]), row["currency"]) if captured else None,
        }


def _ref(n: int) -> str:
    return f"sim-{n:06d}"


def _amount(minor: int, currency: str) -> dict[str, Any]:
    return {"minor": minor, "currency": currency}
