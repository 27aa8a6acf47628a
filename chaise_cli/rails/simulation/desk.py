"""What the sim answers: each request by method and path, as a status and a JSON object. docs/spec/rails.md.

No sockets here: `server` brings the requests, and hangs up where a fault says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from chaise_cli.domain.money import LARGEST
from chaise_cli.rails.simulation import asked, faults
from chaise_cli.rails.simulation.asked import BadRequest
from chaise_cli.rails.simulation.book import Book, KeyReused
from chaise_cli.rails.simulation.faults import Faults
from chaise_cli.rails.simulation.tables import Unusable

_ORDERS: Final = {"/v1/holds": "hold", "/v1/payouts": "payout", "/v1/refunds": "refund"}
_PAYMENT: Final = "/v1/payments/"
_CONTROL: Final = "/control/"


@dataclass(frozen=True, slots=True)
class Request:
    """What came in. key: the header Idempotency-Key."""

    method: str
    target: str
    key: str | None
    body: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes out; a status of 0 is a connection that is closed without a word. half: only half of the text."""

    status: int
    value: Mapping[str, Any]
    half: bool = False


_SILENCE: Final = Reply(0, {})


class Desk:
    """A book, and the faults that wait. pause: waits so many seconds, or until the sim stops.

    controlled: whether /control/ exists at all.
    """

    def __init__(self, book: Book, pause: Callable[[float], object], *, controlled: bool) -> None:
        self._book, self._pause, self._controlled = book, pause, controlled
        self._faults = Faults()

    def answer(self, request: Request) -> Reply:
        """One request, one reply."""
        try:
            path = urlsplit(request.target).path
            if request.method == "POST" and path in _ORDERS:
                return self._order(asked.order(_ORDERS[path], request.key, request.body))
            if path.startswith(_CONTROL) and self._controlled:
                return self._control(request.method, path, request.body)
            if request.method != "GET":
                return _no(404, "no_such_path", "POST goes to holds, payouts and refunds")
            return self._look(path, _query(request.target))
        except KeyReused as error:
            return _no(409, error.code, error.why)
        except BadRequest as error:
            return _no(400, error.code, error.why)
        except Unusable as error:
            return _no(503, "store_failed", str(error))

    def _order(self, order: asked.Order) -> Reply:
        """A payment, with whatever goes wrong at it."""
        fault = self._faults.next()
        match fault.kind if fault else None:
            case "drop_request":
                return _SILENCE
            case "error_before":
                return _no(503, "out_of_order", "nothing was done")
            case "delay" if fault:
                self._pause(fault.seconds)
            case "duplicate":
                self._book.place(order)
        done = self._book.place(order, fault)
        match fault.kind if fault else None:
            case "drop_reply":
                return _SILENCE
            case "error_after":
                return _no(500, "out_of_order", "it may have been done")
            case "garble":
                return Reply(200, done, half=True)
        return Reply(200, done)

    def _look(self, path: str, query: dict[str, str]) -> Reply:
        """Something that changes nothing."""
        match path, sorted(query):
            case "/v1/health", []:
                return Reply(200, {"ok": True, "now": self._book.time()})
            case "/v1/payments", ["reference"]:
                return Reply(200, {"payments": self._book.find(query["reference"])})
            case "/v1/statement", ["after", "since", "until"]:
                lines, more = self._book.statement(*(_whole(query, name) for name in ("since", "until", "after")))
                return Reply(200, {"lines": lines, "next": more})
            case "/v1/balances", []:
                return Reply(200, {"balances": self._book.balances()})
            case "/v1/balances", ["party"]:
                return Reply(200, {"received": self._book.received(query["party"])})
            case _, [] if path.startswith(_PAYMENT):
                found = self._book.fetch(unquote(path.removeprefix(_PAYMENT)))
                return Reply(200, found) if found else _no(404, "no_such_payment", "the sim knows no such payment")
        return _no(404, "no_such_path", "see docs/spec/rails.md")

    def _control(self, method: str, path: str, body: bytes) -> Reply:
        """What a rehearsal does to the sim."""
        match method, path.removeprefix(_CONTROL):
            case "POST", "clock":
                return Reply(200, {"now": self._book.move_clock(asked.fields(body, {"ahead_ms": int})["ahead_ms"])})
            case "POST", "faults":
                given = asked.fields(body, {"fault": str}, {"times": int, "seconds": int, "code": str, "text": str})
                return Reply(200, {"waiting": self._faults.add(*faults.fault(given))})
            case "GET", "faults":
                return Reply(200, {"waiting": len(self._faults)})
            case "DELETE", "faults":
                self._faults.clear()
                return Reply(200, {"waiting": 0})
            case "POST", "keys/forget":
                self._book.forget_keys()
                return Reply(200, {})
            case "POST", "deposits":
                return Reply(200, self._book.deposit(*asked.amount(asked.fields(body, {"amount": dict})["amount"])))
            case "POST", "chargebacks":
                given = asked.fields(body, {"hold": str, "amount": dict})
                return Reply(200, self._book.charge_back(given["hold"], *asked.amount(given["amount"])))
            case "POST", "settle":
                given = asked.fields(body, {"ref": str}, {"code": str})
                if "code" in given and not asked.REFERENCE.fullmatch(given["code"]):
                    raise BadRequest("bad_code", "code is a word")
                return Reply(200, self._book.settle(given["ref"], given.get("code")))
        return _no(404, "no_such_path", "see docs/spec/rails.md")


def _no(status: int, code: str, why: str) -> Reply:
    return Reply(status, {"error": {"code": code, "message": why}})


def _query(target: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(urlsplit(target).query, keep_blank_values=True, strict_parsing=bool(urlsplit(target).query))
    except ValueError as error:
        raise BadRequest("bad_query", "the query cannot be read") from error
    if len(dict(pairs)) != len(pairs):
        raise BadRequest("bad_query", "a name stands twice in the query")
    return dict(pairs)


def _whole(query: dict[str, str], name: str) -> int:
    text = query[name]
    if not text.isascii() or not text.isdigit() or len(text) > 16 or int(text) > LARGEST:
        raise BadRequest("bad_query", f"{name} is a whole number from 0")
    return int(text)
