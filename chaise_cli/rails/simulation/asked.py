"""What the sim is asked, read strictly: every field is known, there once, of its type and within its limits."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from chaise_cli.domain.money import DIGITS, LARGEST

NAME: Final = re.compile(r"[A-Za-z0-9._:@/+-]{1,100}")
REFERENCE: Final = re.compile(r"[A-Za-z0-9._:-]{1,64}")
PURPOSE: Final = 200  # characters
_PARTY: Final = {"hold": "payer", "payout": "payee", "refund": "hold"}


class BadRequest(Exception):
    """What was asked is malformed, whatever the state of the book. code, why: for the answer."""

    def __init__(self, code: str, why: str) -> None:
        super().__init__(why)
        self.code, self.why = code, why


@dataclass(frozen=True, slots=True)
class Order:
    """One payment asked for. whom: the payer, the payee, or the hold that is given back."""

    kind: str
    key: str
    reference: str
    whom: str
    minor: int
    currency: str
    purpose: str

    def parameters(self) -> str:
        """All that a repeat under the same key has to repeat."""
        return json.dumps([self.kind, self.reference, self.whom, self.minor, self.currency, self.purpose])


def order(kind: str, key: str | None, body: bytes) -> Order:
    """The payment in a request. kind: hold, payout or refund. Raises BadRequest."""
    if key is None or not REFERENCE.fullmatch(key):
        raise BadRequest("bad_key", "Idempotency-Key has 1 to 64 letters, digits and ._:-")
    whom = _PARTY[kind]
    value = fields(body, {whom: str, "amount": dict, "reference": str, "purpose": str})
    if not NAME.fullmatch(value[whom]):
        raise BadRequest("bad_party", f"{whom} has 1 to 100 letters, digits and ._:@/+-")
    if not REFERENCE.fullmatch(value["reference"]):
        raise BadRequest("bad_reference", "reference has 1 to 64 letters, digits and ._:-")
    if len(value["purpose"]) > PURPOSE or not (value["purpose"].isprintable() or not value["purpose"]):
        raise BadRequest("bad_purpose", f"purpose is one line of up to {PURPOSE} characters")
    minor, currency = amount(value["amount"])
    return Order(kind, key, value["reference"], value[whom], minor, currency, value["purpose"])


def amount(value: Mapping[str, Any]) -> tuple[int, str]:
    """Minor units and currency of an amount above zero. Raises BadRequest."""
    _exactly(value, {"minor": int, "currency": str})
    if not 0 < value["minor"] <= LARGEST:
        raise BadRequest("bad_amount", f"minor is a whole number from 1 to {LARGEST}")
    if value["currency"] not in DIGITS:
        raise BadRequest("bad_currency", "currency is an ISO 4217 code in capitals")
    return value["minor"], value["currency"]


def fields(body: bytes, wanted: Mapping[str, type], optional: Mapping[str, type] = {}) -> dict[str, Any]:
    """The JSON object in a body, with these fields and no others. Raises BadRequest."""
    try:
        value = json.loads(body, object_pairs_hook=_once, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise BadRequest("bad_json", "the body is no JSON object whose names are all different") from error
    if not isinstance(value, dict):
        raise BadRequest("bad_json", "the body is no JSON object")
    _exactly(value, wanted, optional)
    return value


def _exactly(value: Mapping[str, Any], wanted: Mapping[str, type], optional: Mapping[str, type] = {}) -> None:
    if unknown := sorted(value.keys() - wanted.keys() - optional.keys()):
        raise BadRequest("unknown_field", f"there is no field {unknown[0]!r}")
    if missing := sorted(wanted.keys() - value.keys()):
        raise BadRequest("missing_field", f"the field {missing[0]!r} is missing")
    for name, kind in {**wanted, **optional}.items():
        if name in value and type(value[name]) is not kind:  # true is no 1
            raise BadRequest("bad_type", f"the field {name!r} is of another type")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a name stands twice")
    return value


def _no_number(name: str) -> object:
    raise ValueError(f"{name} is no number")
