"""The rail of rehearsals: a client of the server that `chaise rail sim` runs, over HTTP. docs/spec/rails.md.

Only an answer that is whole and well formed counts; of everything else nobody knows.
"""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import quote

from chaise_cli.domain.money import LARGEST, Money
from chaise_cli.errors import Usage
from chaise_cli.rails import rail
from chaise_cli.rails.https import Answer, Link, Lost, Stayed
from chaise_cli.rails.rail import Intent, Key, Line, Outcome

DEADLINE_S: Final = 20.0
_CAPS: Final = rail.Caps(moves_by_itself=True, native_keys=True, refunds=True, statement=True)
_MALFORMED: Final = 400  # such a request is refused every time
_UNREADABLE: Final = (KeyError, TypeError, ValueError, Usage)  # the last from a currency that nobody knows


class Sim:
    """The sim at a URL. Raises BadUrl. For one thread at a time, as its connection is."""

    name = "sim"

    def __init__(self, url: str, *, deadline_s: float = DEADLINE_S, context: ssl.SSLContext | None = None) -> None:
        """context: for tests that bring an authority of their own; None is what the system trusts."""
        self._link = Link(url, deadline_s, context)

    def caps(self) -> rail.Caps:
        """Everything."""
        return _CAPS

    def hold(self, intent: Intent, key: Key) -> Outcome:
        """Take from a payer."""
        return self._send("/v1/holds", {"payer": intent.party} | _what(intent), key)

    def payout(self, intent: Intent, key: Key) -> Outcome:
        """Give to a payee."""
        return self._send("/v1/payouts", {"payee": intent.party} | _what(intent), key)

    def refund(self, ref: str, intent: Intent, key: Key) -> Outcome:
        """Give a hold back; the party is the rail's to know."""
        return self._send("/v1/refunds", {"hold": ref} | _what(intent), key)

    def find(self, our_reference: Key) -> Outcome | None:
        """The first payment of that reference that was not declined, or the last that was; None when there is none."""
        told = self._link.ask("GET", f"/v1/payments?reference={quote(our_reference, safe='')}")
        if not isinstance(told, Answer):
            return rail.Unknown(our_reference, told.why)
        try:
            found = [_outcome(item) for item in _good(told)["payments"]]
            if any(item["reference"] != our_reference for item in _good(told)["payments"]):
                raise ValueError("of another payment")
        except _UNREADABLE as error:
            return rail.Unknown(our_reference, _garbled(told, error))
        moved = [outcome for outcome in found if not isinstance(outcome, rail.Declined)]
        return (moved or found[-1:] or [None])[0]

    def fetch(self, ref: str) -> Outcome | None:
        """A payment by the sim's own name of it."""
        told = self._link.ask("GET", f"/v1/payments/{quote(ref, safe='')}")
        if not isinstance(told, Answer):
            return rail.Unknown(Key(ref), told.why)
        if told.status == 404 and _code(told) == "no_such_payment":
            return None
        try:
            value = _good(told)
            if value["ref"] != ref:
                raise ValueError("of another payment")
            return _outcome(value)
        except _UNREADABLE as error:
            return rail.Unknown(Key(ref), _garbled(told, error))

    def statement(self, since: int, until: int) -> Sequence[Line]:
        """All its lines of a period, page by page. Raises NoStatement."""
        lines: list[Line] = []
        after: int | None = 0
        while after is not None:
            told = self._link.ask("GET", f"/v1/statement?since={since}&until={until}&after={after}")
            if not isinstance(told, Answer):
                raise rail.NoStatement(rail=self.name, why=told.why)
            try:
                value = _good(told)
                lines += [_line(item) for item in value["lines"]]
                after = None if value["next"] is None else _whole(value["next"], after + 1)
            except _UNREADABLE as error:
                raise rail.NoStatement(rail=self.name, why=_garbled(told, error)) from error
        return lines

    def close(self) -> None:
        """Hang up."""
        self._link.close()

    def _send(self, path: str, order: dict[str, object], key: Key) -> Outcome:
        told = self._link.ask("POST", path, order | {"reference": key}, {"Idempotency-Key": key})
        match told:
            case Stayed(why):
                return rail.NotSent(why)
            case Lost(why):
                return rail.Unknown(key, why)
        if told.status == 409 and _code(told) == "key_reused":
            raise rail.KeyReused(rail=self.name, key=key)
        if told.status == _MALFORMED and (code := _code(told)) is not None:
            return rail.Declined(code)
        try:
            value = _good(told)
            if value["reference"] != key or value["amount"] != order["amount"]:
                raise ValueError("of another payment")
            return _outcome(value)
        except _UNREADABLE as error:
            return rail.Unknown(key, _garbled(told, error))


def _what(intent: Intent) -> dict[str, object]:
    return {"amount": {"minor": intent.amount.minor, "currency": intent.amount.currency}, "purpose": intent.purpose}


def _good(told: Answer) -> dict[str, Any]:
    if told.status != 200 or told.value is None:
        raise ValueError("not a good answer")
    return told.value


def _code(told: Answer) -> str | None:
    """The code of a refusal in the sim's own form; None of anything else, a proxy's page for one."""
    error = (told.value or {}).get("error")
    code = error.get("code") if isinstance(error, dict) else None
    return code if isinstance(code, str) and code else None


def _outcome(value: dict[str, Any]) -> Outcome:
    """What a payment of the sim says. Raises KeyError, TypeError, ValueError, UnknownCurrency."""
    match value["state"]:
        case "succeeded":
            until = value["reversible_until"]
            return rail.Succeeded(
                _text(value["ref"]),
                _money(value["amount"], least=1),
                _money(value["fee"], least=0),
                None if until is None else _whole(until, 0),
            )
        case "declined":
            return rail.Declined(_text(value["code"]))
        case "pending" if value["action"] is None:
            return rail.Pending(_text(value["ref"]))
        case "pending":
            return rail.ActionNeeded(_text(value["action"]), _text(value["ref"]))
        case state:
            raise ValueError(f"no state of a payment: {state!r}")


def _line(value: dict[str, Any]) -> Line:
    amount = _money(value["amount"], least=-LARGEST)
    reference = value["reference"]
    return Line(
        _whole(value["at"], 0),
        _text(value["ref"]),
        None if reference is None else _text(reference),
        _text(value["kind"]),
        amount,
        _money(value["fee"], least=0),
    )


def _money(value: dict[str, Any], *, least: int) -> Money:
    return Money(_whole(value["minor"], least), _text(value["currency"]))


def _whole(value: object, least: int) -> int:
    if type(value) is not int or not least <= value <= LARGEST:  # a bool is an int to isinstance
        raise ValueError(f"no whole number that fits: {value!r}")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= 500:
        raise TypeError("no text")
    return value


def _garbled(told: Answer, error: Exception) -> str:
    why = f"status {told.status}" if told.status != 200 else f"{type(error).__name__}: {error}"
    return f"an answer that cannot be understood, {why}"[:200]
